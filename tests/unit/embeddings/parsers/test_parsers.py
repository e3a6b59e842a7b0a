"""Finding files, choosing a parser, decoding: and that no file whatever makes a parser raise."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import UnreadableFile
from embeddings.parsers import SANDBOXED, SUFFIXES, decoding, find, read
from embeddings.types import RawArticle, Rejected


def only(path: Path) -> RawArticle | Rejected:
    (found,) = read(path)
    return found


def test_folders_are_walked_for_known_suffixes_in_order(tmp_path: Path) -> None:
    names = [
        "b/two.TXT",
        "b/c/deep.jsonl.gz",
        "a.md",
        "z.html",
        "z.htm",
        "y.jsonl",
        "b/no.bin",
        ".hidden.txt",
        ".git/x.txt",
        "x.gz",
        ".txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = [str(path.relative_to(tmp_path)) for path in find([tmp_path])]
    assert found == ["a.md", "b/c/deep.jsonl.gz", "b/two.TXT", "y.jsonl", "z.htm", "z.html"]
    assert find([tmp_path / "b" / ".." / "a.md", tmp_path, tmp_path / "a.md"])[1:] == find([tmp_path])[1:]
    assert find([tmp_path / "b" / "no.bin"]) == [tmp_path / "b" / "no.bin"]
    assert find([]) == []


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nowhere\.txt: no such file"):
        find([tmp_path, tmp_path / "nowhere.txt"])


def test_unknown_kinds_missing_files_and_folders_are_refused_not_raised(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("x")
    (tmp_path / "folder.txt").mkdir()
    for name, reason in [
        ("a.bin", "use one of .txt"),
        ("none.txt", "does not exist"),
        ("folder.txt", "no regular file"),
    ]:
        found = only(tmp_path / name)
        assert isinstance(found, Rejected)
        assert reason in found.reason
        assert found.origin == f"{tmp_path / name}:1"
    for suffix in SUFFIXES:
        assert isinstance(only(tmp_path / f"none{suffix}"), Rejected)


@pytest.mark.parametrize("suffix", [suffix for suffix in SUFFIXES if suffix not in SANDBOXED])
@given(
    data=st.one_of(st.binary(), st.text().map(str.encode), st.text(alphabet="-:\n#[]{}\"'&*<>/!`|ab ").map(str.encode))
)
def test_no_content_makes_a_reader_raise(suffix: str, data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    for packed in (data, gzip.compress(data)) if suffix.endswith("gz") else (data,):
        path.write_bytes(packed)
        for found in read(path):
            assert found.origin.startswith(f"{path}:")


def test_the_origin_is_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\nRain stops\n\nIt stopped.")
    assert only(path) == RawArticle(title="Rain stops", text="It stopped.", origin=f"{path}:3")
    path.write_text("\n \n")
    found = only(path)
    assert isinstance(found, Rejected)
    assert "empty" in found.reason


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("naïve “quotes”".encode(), "naïve “quotes”"),
        ("naïve".encode("utf-8-sig"), "naïve"),
        ("naïve 漢".encode("utf-16"), "naïve 漢"),
        (b"\xfe\xff" + "naïve".encode("utf-16-be"), "naïve"),
        ("naïve".encode("utf-32"), "naïve"),
        ("a naïve façade “here” – and now".encode("cp1252"), "a naïve façade “here” – and now"),
        (
            "Drogi były puste, mężczyźni wrócili, podał urząd.".encode("cp1250"),
            "Drogi były puste, mężczyźni wrócili, podał urząd.",
        ),
        (b"", ""),
    ],
)
def test_encodings_that_can_be_told_are_read(data: bytes, text: str) -> None:
    assert decoding.decode(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("naïve".encode("utf-16-le"), "NUL"),
        (b"%PDF-1.4\0\x01", "NUL"),
        ("Привет, мир, как дела".encode("cp1251"), "cannot be told"),
        ("The word for peace is мир, for bread хлеб.".encode("cp1251"), "cannot be told"),
        ("こんにちは世界".encode("shift_jis"), "cannot be told"),
        ("café crème".encode() + b" \xff\xfe\xfd", "broken characters, the first at byte"),
        (b"\xff\xfea", "says it is utf-16"),
        (b"caf\xe9 \x1b[31m", "cannot be told"),
    ],
)
def test_encodings_that_would_be_guessed_wrong_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        decoding.decode(data)


def test_a_declared_encoding_counts_where_the_bytes_are_not_utf_8() -> None:
    assert decoding.decode("громко".encode("cp1251"), declared="windows-1251") == "громко"
    assert decoding.decode("громко".encode(), declared="windows-1251") == "громко"
    assert decoding.decode(b"a \x93b\x94 c", declared="ISO-8859-1") == "a “b” c"
    assert decoding.decode(b"caf\xe9", declared="no-such-encoding") == "café"
    assert decoding.decode(b"caf\xe9", declared="base64") == "café"


def test_files_that_are_too_large_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 101)
    assert len(decoding.load(tmp_path / "a.txt", limit=101)) == 101
    with pytest.raises(UnreadableFile, match="larger than 100 bytes"):
        decoding.load(tmp_path / "a.txt", limit=100)


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("café crème brûlée ".encode() + b"\xff.", None, "café crème brûlée \ufffd."),
        ("Мост ".encode("cp1251") + b"\x98" + "закрыт.".encode("cp1251"), "windows-1251", "Мост \ufffdзакрыт."),
        (b"A " + b"long text. " * 30 + b"\x00end", None, "A " + "long text. " * 30 + "end"),
        ("橋樑關閉，鎔鐵".encode("gbk"), "gb2312", "橋樑關閉，鎔鐵"),
        ("①番線は閉鎖".encode("cp932"), "x-sjis", "①番線は閉鎖"),
        ("뷁은 글자다".encode("cp949"), "euc-kr", "뷁은 글자다"),
        ("Köprü kapandı, dedi “Ayşe”".encode("cp1254"), "iso-8859-9", "Köprü kapandı, dedi “Ayşe”"),
        ("สะพาน".encode("cp874"), "tis-620", "สะพาน"),
    ],
)
def test_what_browsers_read_is_read(data: bytes, declared: str | None, text: str) -> None:
    assert decoding.decode(data, declared=declared) == text


def test_iso_2022_jp_is_read_declared_or_not() -> None:
    written = "市長は月曜日に、橋を閉じると述べた。"
    assert decoding.decode(written.encode("iso2022_jp")) == written
    assert decoding.decode(written.encode("iso2022_jp"), declared="iso-2022-jp") == written
    assert decoding.decode(b"a \x1b$B in ASCII") == "a \x1b$B in ASCII"
