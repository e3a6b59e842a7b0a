"""The conditions tests run under hold: no network, no hub, no settings of the operator, real data or a loud skip."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.mark.parametrize("address", [("93.184.216.34", 80), ("2606:2800:220:1::1", 80), ("example.org", 443)])
def test_no_connection_leaves_this_machine(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as connection, pytest.raises(PermissionError, match="may not reach"):
        connection.connect(address)
    with pytest.raises(PermissionError, match="may not reach"):
        socket.create_connection(address, timeout=1)


def test_asyncio_goes_through_the_same_guard() -> None:
    with pytest.raises(PermissionError, match="may not reach"):
        asyncio.run(asyncio.open_connection("93.184.216.34", 80))


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        server.accept()[0].close()
        assert client.recv(1) == b""


def test_hubs_are_offline_and_settings_are_the_defaults() -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["TRANSFORMERS_OFFLINE"] == "1"
    assert not [name for name in os.environ if name.startswith("QA_")]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such a folder")
@pytest.mark.parametrize(
    ("named", "least", "flags", "expected"),
    [
        (None, 0, 0, "memory"),
        (None, 10**18, 0, None),
        (None, 0, os.ST_NOEXEC, None),
        ("elsewhere", 0, 0, "elsewhere"),
    ],
    ids=["room", "no room", "no programs", "another is named"],
)
def test_temporary_folders_lie_in_memory_where_that_has_room(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    named: str | None,
    least: int,
    flags: int,
    expected: str | None,
) -> None:
    shared: Any = request.config.pluginmanager.getplugin(str(Path(__file__).parents[1] / "conftest.py"))
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(shared, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(shared, "MEMORY_LEAST", least)
    disk = SimpleNamespace(f_flag=flags, f_bavail=1, f_bfree=1, f_blocks=1, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    monkeypatch.setattr(tempfile, "tempdir", "asked before")
    monkeypatch.delenv("TMPDIR", raising=False)
    if named:
        monkeypatch.setenv("TMPDIR", str(tmp_path / named))
    shared.work_in_memory()
    assert os.environ.get("TMPDIR") == (str(tmp_path / expected) if expected else None)
    assert tempfile.tempdir == (None if expected == "memory" else "asked before")


def test_absent_real_data_is_reported_loudly(repo: Path, tmp_path: Path) -> None:
    """A checkout without ../shared skips, and says so in a section of its own."""
    (tmp_path / "checkout" / "tests").mkdir(parents=True)
    (tmp_path / "checkout" / "tests" / "conftest.py").write_text((repo / "tests" / "conftest.py").read_text())
    (tmp_path / "checkout" / "tests" / "test_real.py").write_text("def test_needs_real_data(shared): ...\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path / "checkout",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 skipped" in done.stdout
    assert "NOT TESTED: 1 tests on real data" in done.stdout
    assert "tests/test_real.py::test_needs_real_data" in done.stdout
