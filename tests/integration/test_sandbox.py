"""The process that reads foreign files: bounded, replaceable, and without what this one knows."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embeddings.parsers import read, sandbox
from embeddings.types import RawArticle, Rejected

TABLE = "text\nThe ferry Almeric left the harbour at noon on Friday.\nIt carried 214 people to Skerra.\n"


@pytest.fixture(autouse=True)
def no_process_left_over() -> Iterator[None]:
    yield
    sandbox._end_idle()
    assert not sandbox._idle


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(TABLE)
    return path


def only_reason(path: Path) -> str:
    (found,) = read(path)
    assert isinstance(found, Rejected)
    assert found.origin == f"{path}:1"
    return found.reason


def test_one_process_reads_many_files(table: Path) -> None:
    first = list(read(table))
    child = sandbox._idle[0]
    assert list(read(table)) == first
    assert sandbox._idle == [child]
    assert [isinstance(one, RawArticle) for one in first] == [True, True]


def test_what_this_process_holds_wears_no_other_out(table: Path) -> None:
    """A process begins with the peak of the one that starts it, as the system tells it."""
    held = bytearray(b"x") * 300_000_000
    sandbox._end_idle()
    list(read(table))
    assert len(sandbox._idle) == 1
    assert len(held) == 300_000_000


def test_two_files_at_a_time_get_a_process_each(table: Path) -> None:
    one, other = read(table), read(table)
    assert next(one) == next(other)
    assert list(one) == list(other)
    assert len(sandbox._idle) == 1


def test_a_reading_that_is_given_up_leaves_no_process(table: Path) -> None:
    reading = read(table)
    next(reading)
    reading.close()
    assert not sandbox._idle


def test_a_process_that_was_ended_meanwhile_is_replaced(table: Path) -> None:
    assert len(list(read(table))) == 2
    sandbox._idle[0]._process.kill()
    sandbox._idle[0]._process.wait()
    assert len([one for one in read(table) if isinstance(one, RawArticle)]) == 2


def test_too_much_processor_time_ends_it(
    made_documents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Path
) -> None:
    monkeypatch.setattr(sandbox, "seconds_for", lambda size: 0.02 if size > 1000 else 60.0)
    path = tmp_path / "a.pdf"
    path.write_bytes(made_documents.pdf([made_documents.column(50, 700, ["word " * 20] * 40)] * 400))
    assert "seconds of the processor" in only_reason(path)
    assert len(list(read(table))) == 2


def test_too_much_memory_is_refused(tmp_path: Path, table: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b"[]," * 8_000_000 + b"[]]")
    assert "512 MB of memory" in only_reason(path)
    assert len(list(read(table))) == 2


def test_too_much_output_is_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_OUTPUT_FREE", -50 * table.stat().st_size + 10)
    assert "gives more than" in only_reason(table)
    monkeypatch.undo()
    monkeypatch.setattr(sandbox, "_LONGEST_FRAME", 10)
    assert "gives more than" in only_reason(table)


def test_a_process_that_sleeps_is_ended(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PROGRAM", "import time; time.sleep(600)")
    monkeypatch.setattr(sandbox, "_PATIENCE", 0.2)
    assert "not read within" in only_reason(table)


def test_a_process_that_breaks_is_named(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PROGRAM", "import os; os.abort()")
    assert "broke the program that reads it" in only_reason(table)
    monkeypatch.setattr(sandbox, "_PROGRAM", "raise SystemExit(3)")
    assert "ended (code 3)" in only_reason(table)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_gets_no_setting_and_no_open_file(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_API_KEYS", "secret")
    with table.open("rb") as kept:
        os.set_inheritable(kept.fileno(), True)
        list(read(table))
        process = Path(f"/proc/{sandbox._idle[0]._process.pid}")
        assert b"QA_" not in (process / "environ").read_bytes()
        assert str(table) not in {str(one.readlink()) for one in (process / "fd").iterdir()}


def test_no_module_is_taken_from_the_folder_for_temporary_files(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted, witness = tmp_path / "planted", tmp_path / "witness"
    planted.mkdir()
    for name in ("csv", "http", "json", "re"):
        (planted / f"{name}.py").write_text(f"from pathlib import Path\nPath({str(witness)!r}).touch()\n")
    monkeypatch.setattr(tempfile, "tempdir", str(planted))
    sandbox._end_idle()
    assert all(isinstance(one, RawArticle) for one in read(table))
    assert not witness.exists()


def test_unpacked_files_are_gone_afterwards(
    made_documents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(sandbox.tempfile, "tempdir", str(folder))
    path = tmp_path / "a.zip"
    path.write_bytes(made_documents.zipped({"a.csv": TABLE, "b.csv": TABLE}))
    assert len(list(read(path))) == 4
    reading = read(path)
    next(reading)
    reading.close()
    assert not list(folder.iterdir())
