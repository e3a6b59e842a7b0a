"""`qa check`: what it says, and the codes that a script or an editor goes by."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from qa.checking import CheckReport
from qa.cli import program

SOURCE = "The ferry Almira sank near Orsa on Tuesday. Rescuers saved 205 people from the sea that night."
TRUE = "The ferry Almira sank near Orsa on Tuesday."
FALSE = "Rescuers saved 190 people from the sea that night."


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("QA_ENCODER", "hashing")
    monkeypatch.setenv("QA_SUPPORT_CHECKER", "lexical")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source.txt").write_text(SOURCE, encoding="utf-8")


def qa(*arguments: object, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(program, [str(argument) for argument in arguments], prog_name="qa", input=typed)


def test_it_says_where_what_and_why(tmp_path: Path) -> None:
    (tmp_path / "draft.md").write_text(f"# Ferry\n\n{TRUE}\n  {FALSE} Who knows?\n", encoding="utf-8")
    found = qa("check", "draft.md", "--against", "source.txt")
    assert found.exit_code == 100
    lines = found.output.split("\n")
    assert "draft.md:1:1: not judged (heading)" in lines
    assert "draft.md:3:1: supported 1.00" in lines
    assert f"    “{TRUE}” source.txt, from character 0" in lines
    (verdict,) = [line for line in lines if line.startswith("draft.md:4:3: contradicted")]
    assert "    - claimed 190, the source says 205" in lines
    assert "    nearest: “Rescuers saved 205 people from the sea that night.” source.txt, from character 44" in lines
    assert lines.index(verdict) < lines.index("    - claimed 190, the source says 205")
    assert "4 sentences: 1 supported, 0 in part, 0 not, 1 contradicted, 2 not judged" in lines


@pytest.mark.parametrize(
    ("typed", "more", "code"),
    [
        (TRUE, (), 0),
        (f"{TRUE} Who knows?", (), 0),
        (FALSE, (), 100),
        ("The ferry Almira sank.", (), 0),
        ("A whale with a ferry was seen near Orsa.", (), 100),
        ("A whale with a ferry was seen near Orsa.", ("--fail-below", "0.1"), 0),
        ("A whale with a ferry was seen near Orsa.", ("--fail-below", "0.99"), 100),
        (FALSE, ("--fail-below", "0"), 100),
        (f"{TRUE} The <b>crew</b> was saved.", (), 100),
        ("# Ferry\n\nWho knows?", (), 101),
        ("", (), 2),
        (b"\xff\xfe\x00b", (), 2),
        ("It sank.\0", (), 2),
        (TRUE, ("--collection", "x"), 2),
        (TRUE, ("--fail-below", "1.5"), 2),
    ],
)
def test_the_exit_code_says_whether_it_holds(typed: str | bytes, more: tuple[str, ...], code: int) -> None:
    found = qa("check", "-", "--against", "source.txt", *more, typed=typed)
    assert found.exit_code == code, found.output
    assert "Traceback" not in found.output


def test_json_is_the_report() -> None:
    found = qa("check", "-", "--against", "source.txt", "--json", typed=f"\ufeff{TRUE}\n{FALSE}")
    assert found.exit_code == 100
    report = msgspec.json.decode(found.stdout, type=CheckReport)
    assert [sentence.verdict for sentence in report.sentences] == ["supported", "contradicted"]
    assert report.sentences[0].start == 0


def test_without_files_the_store_is_searched(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "ferry.txt").write_text(f"Ferry sinks off Orsa\n\n{SOURCE}\n", encoding="utf-8")
    assert qa("ingest", folder).exit_code == 0
    found = qa("check", "-", typed=TRUE)
    assert found.exit_code == 0, found.output
    assert f"“{TRUE}” Ferry sinks off Orsa" in found.output
    assert qa("check", "-", "--source", "another", typed=TRUE).exit_code == 100


def test_nothing_of_a_text_controls_the_terminal() -> None:
    found = qa("check", "-", "--against", "source.txt", typed="The \x1b[31mferry\x1b[0m Almira \x07sank in \u202e1999.")
    assert found.exit_code == 100
    assert "\x1b" not in found.output
    assert "\x07" not in found.output
    assert "\u202e" not in found.output


FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel><title>Orsa Post</title>'
    "<item><title>Weir breaks</title><description>The weir of Orsa broke on Monday night.</description></item>"
    f"<item><title>Ferry</title><description>{SOURCE}</description></item></channel></rss>"
)


def test_files_are_read_by_the_parsers_of_an_ingest(tmp_path: Path) -> None:
    """Markup and declarations are no words of a source, nor of a draft."""
    (tmp_path / "feed.rss").write_text(FEED, encoding="utf-8")
    (tmp_path / "draft.html").write_text(f"<html><body><article><h1>Ferry</h1><p>{TRUE}</p><p>{FALSE}</p></article>")
    found = qa("check", "draft.html", "--against", "feed.rss")
    assert (found.exit_code, "<" in found.output) == (100, False), found.output
    assert f"    “{TRUE}” feed.rss, from character 0" in found.output
    assert "claimed 190, the source says 205" in found.output
    several = qa("check", "feed.rss", "--against", "source.txt")
    assert (several.exit_code, "holds 2 articles" in several.output) == (2, True), several.output


def test_a_file_that_no_parser_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "draft.docx").write_text("no document")
    found = qa("check", "draft.docx", "--against", "source.txt")
    assert (found.exit_code, "no Word document" in found.output or "draft.docx" in found.output) == (2, True)
    assert "Traceback" not in found.output
