"""What is never opened: pipes, devices, links in a circle, and links out of the folder unless asked for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from embeddings.errors import UnreadableFile
from embeddings.parsers import look, read
from embeddings.types import RawArticle, Rejected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good article, and beside it what links may lead to."""
    (tmp_path / "outside" / "more").mkdir(parents=True)
    (tmp_path / "outside" / "secret.txt").write_text("Nobody should read this. It lies elsewhere.")
    (tmp_path / "outside" / "more" / "deep.txt").write_text("Nor this, which lies deeper still.")
    (tmp_path / "news" / "sub").mkdir(parents=True)
    (tmp_path / "news" / "good.txt").write_text("The ferry left at noon. Nobody was on board.")
    return tmp_path / "news"


def seen(folder: Path, *, follow_links: bool = False) -> tuple[list[str], dict[str, str]]:
    found = look([folder], follow_links=follow_links)
    names = [str(file.relative_to(folder)) for file in found.files]
    return names, {Path(one.origin.removesuffix(":1")).name: one.reason for one in found.passed_over}


def test_links_are_followed_inside_the_folder_only(folder: Path) -> None:
    (folder / "again.txt").symlink_to("good.txt")
    (folder / "sub" / "up.txt").symlink_to(folder / "good.txt")
    (folder / "secret.txt").symlink_to(folder.parent / "outside" / "secret.txt")
    (folder / "sub" / "elsewhere").symlink_to("../../outside")
    (folder / "twin").symlink_to("sub")
    names, passed_over = seen(folder)
    assert names == ["again.txt"], "one file, by the first of its names"
    assert passed_over.keys() == {"secret.txt", "elsewhere"}
    assert all("--follow-links" in reason for reason in passed_over.values())
    names, passed_over = seen(folder, follow_links=True)
    assert names == ["again.txt", "secret.txt", "sub/elsewhere/more/deep.txt"]
    assert passed_over == {}


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "self.txt").symlink_to("self.txt")
    (folder / "one.jsonl").symlink_to("two.jsonl")
    (folder / "two.jsonl").symlink_to("one.jsonl")
    (folder / "gone.md").symlink_to("nowhere.md")
    (folder / "sub" / "round").symlink_to("..")
    (folder / "circle").symlink_to("circle")
    for follow_links in (False, True):
        names, passed_over = seen(folder, follow_links=follow_links)
        assert names == ["good.txt"]
        assert {name: "leads nowhere" in reason for name, reason in passed_over.items()} == dict.fromkeys(
            ["self.txt", "one.jsonl", "two.jsonl", "gone.md"], True
        )
    assert look([folder / "self.txt"]).files == ()
    with pytest.raises(UnreadableFile, match="no such file"):
        look([folder / "absent.txt"])


def test_pipes_devices_and_sockets_are_never_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "zero.jsonl").symlink_to("/dev/zero")
    (folder / "zero.jsonl.gz").symlink_to("/dev/zero")
    (folder / "folder.txt").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(folder)  # the path of a socket may be 107 bytes long
        listening.bind("socket.txt")
    for follow_links in (False, True):
        names, passed_over = seen(folder, follow_links=follow_links)
        assert names == ["good.txt"]
        assert passed_over.keys() == {"pipe.jsonl", "zero.jsonl", "zero.jsonl.gz", "socket.txt"}
        assert "a pipe" in passed_over["pipe.jsonl"]
        assert "a device" in passed_over["zero.jsonl"]
    for name in ("pipe.jsonl", "zero.jsonl", "zero.jsonl.gz", "folder.txt", "socket.txt"):
        (found,) = read(folder / name)
        assert isinstance(found, Rejected), name
        assert "no regular file" in found.reason
    (found,) = read(folder / "good.txt")
    assert isinstance(found, RawArticle)


def test_a_file_named_itself_may_be_a_link(folder: Path) -> None:
    (folder / "secret.txt").symlink_to(folder.parent / "outside" / "secret.txt")
    assert look([folder / "secret.txt"]).files == (folder / "secret.txt",)


def test_a_name_that_is_no_utf_8_is_read_and_shown(folder: Path) -> None:
    named = os.path.join(os.fsencode(folder), b"caf\xe9.txt")  # noqa: PTH118 - bytes
    with open(named, "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"The shop opened on Monday.")
    found = [article for file in look([folder]).files for article in read(file)]
    assert [Path(one.origin).name for one in found] == [r"caf\xe9.txt:1", "good.txt:1"]
    assert all(isinstance(one, RawArticle) and one.origin.encode() for one in found)


def test_files_of_no_known_kind_are_counted_by_what_they_end_in(folder: Path) -> None:
    for name in ("a.log", "sub/b.LOG", "README", "c.php", ".hidden.log"):
        (folder / name).write_text("The ferry left at noon.")
    assert look([folder]).others == {".log": 2, "": 1, ".php": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ndjson", '{"text": "The ferry left at noon."}'),
        ("a.markdown", "The ferry *left* at noon."),
        ("a.text", "The ferry left at noon."),
        ("a.xhtml", "<html><body><article><p>The ferry left at noon.</p></article></body></html>"),
    ],
)
def test_other_names_of_known_kinds_are_read(name: str, content: str, folder: Path) -> None:
    (folder / name).write_text(content)
    (found,) = [one for file in look([folder]).files if file.name == name for one in read(file)]
    assert isinstance(found, RawArticle)
    assert found.text.strip() == "The ferry left at noon."
