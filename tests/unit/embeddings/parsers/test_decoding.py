"""Bytes that do not say what they are in: read where one encoding alone makes prose of them, refused otherwise."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from embeddings import parsers
from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding
from embeddings.types import RawArticle, Rejected

CHINESE = (
    "市政府周三表示，维尔达港口的新渡轮将于五月一日开始运行，每天往返六次，票价为十二元。港务局局长说，去年有"
    "超过四万名乘客使用了旧船，许多人抱怨等待的时间太长。新船可以载两百人和三十辆汽车。"
)
TRADITIONAL = (
    "市政府週三表示，維爾達港口的新渡輪將於五月一日開始營運，每天往返六次，票價為十二元。港務局局長說，去年有"
    "超過四萬名乘客使用了舊船，許多人抱怨等待的時間太長。新船可以載兩百人和三十輛汽車。"
)
JAPANESE = (
    "市は水曜日、ベルダ港の新しいフェリーが五月一日から運航を始めると発表した。一日に六往復し、運賃は千二百円"
    "になる。昨年は四万人を超える乗客が古い船を利用し、待ち時間が長いという苦情が多かった。"
)
KOREAN = (
    "시는 수요일 벨다 항구의 새 여객선이 오월 일일부터 운항을 시작한다고 밝혔다. 하루에 "
    "여섯 번 왕복하며 요금은 만 이천 원이다. 지난해에는 사만 명이 넘는 승객이 낡은 배를"
    " 이용했고, 기다리는 시간이 길다는 불만이 많았다."
)
RUSSIAN = (
    "Новый паром начнёт ходить из порта Вельда с первого мая, сообщила в среду администрация города. Он б"
    "удет делать шесть рейсов в день, билет стоит двенадцать крон. В прошлом году старым судном воспользо"
    "вались более сорока тысяч пассажиров."
)
UKRAINIAN = (
    "Новий пором почне курсувати з порту Вельда з першого травня, повідомила в середу міська рада. Він ро"
    "битиме шість рейсів на день, квиток коштує дванадцять крон. Торік старим судном скористалися понад с"
    "орок тисяч пасажирів."
)
GREEK = (
    "Το νέο πλοίο θα ξεκινήσει τα δρομολόγια από το λιμάνι την πρώτη Μαΐου, ανακοίνωσε την Τετά"
    "ρτη ο δήμος. Θα κάνει έξι δρομολόγια την ημέρα και το εισιτήριο κοστίζει δώδεκα κορώνες."
)
HEBREW = (
    "המעבורת החדשה תתחיל לפעול מנמל ולדה באחד במאי, הודיעה העירייה ביום רבי"
    "עי. היא תצא שש פעמים ביום והכרטיס יעלה שנים עשר כתרים."
)

READ = [
    (CHINESE, "gb18030", "zh"),
    (CHINESE, "gb2312", "zh-CN"),
    (TRADITIONAL, "big5", "zh-TW"),
    (JAPANESE, "shift_jis", "ja"),
    (JAPANESE, "euc_jp", "ja"),
    (KOREAN, "euc-kr", "ko"),
    (RUSSIAN, "cp1251", "ru"),
    (RUSSIAN, "koi8-r", "ru"),
    (RUSSIAN, "cp866", "ru"),
    (RUSSIAN, "iso8859-5", "ru"),
    (RUSSIAN, "mac-cyrillic", "ru"),
    (UKRAINIAN, "cp1251", "uk"),
    (UKRAINIAN, "koi8-u", "uk"),
]
OTHERS = [(GREEK, "cp1253"), (GREEK, "iso8859-7"), (HEBREW, "cp1255")]
MARKUP = "<script>var a = 'of a page most is ASCII';</script>" * 150


def page(text: str, *, lang: str = "") -> str:
    head = f"<head><title>{text[:9]}</title>{MARKUP}</head>"
    return f"<html{lang}>{head}<body><article><p>{text}</p></article></body></html>"


@pytest.mark.parametrize(("text", "encoding", "language"), READ, ids=[f"{one[2]}-{one[1]}" for one in READ])
@pytest.mark.parametrize("stated", [True, False])
def test_a_page_that_does_not_say_what_it_is_in_is_read_and_says_so(
    tmp_path: Path, text: str, encoding: str, language: str, stated: bool
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(page(text, lang=f" lang='{language}'" if stated else "").encode(encoding))
    (found,) = parsers.read(path)
    assert isinstance(found, RawArticle)
    assert found.text.replace(" ", "") == text.replace(" ", "")
    assert "a guess by its letters" in found.notes[0]


@pytest.mark.parametrize("suffix", ["txt", "md"])
def test_texts_are_read_so_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"text.{suffix}"
    path.write_bytes(RUSSIAN.encode("koi8-r"))
    (found,) = parsers.read(path)
    assert isinstance(found, RawArticle)
    assert found.text == RUSSIAN
    assert "koi8" in found.notes[0]
    path.write_text(RUSSIAN, encoding="utf-8")
    (found,) = parsers.read(path)
    assert isinstance(found, RawArticle)
    assert found.notes == ()


@pytest.mark.parametrize(("text", "encoding"), OTHERS)
def test_what_is_in_another_encoding_is_refused(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(page(text).encode(encoding))
    (found,) = parsers.read(path)
    assert isinstance(found, Rejected)
    assert "cannot be told" in found.reason


def test_what_a_page_says_of_its_language_is_heeded() -> None:
    assert decoding.guess(CHINESE.encode("gb18030"), language="ko") is None
    assert decoding.guess(CHINESE[:40].encode("gb18030")) is None, "too short"
    assert decoding.guess(CHINESE[:40].encode("gb18030"), language="zh") == (CHINESE[:40], "gb18030")


@pytest.mark.parametrize(
    "data",
    [
        ("\u00c9t\u00e9 \u00e0 No\u00ebl, \u00e7a va tr\u00e8s bien. " * 20).encode("cp1252"),
        ("\u0130stanbul'da \u015fi\u015fli \u00e7ok g\u00fczel. " * 20).encode("cp1254"),
        "Слово мир, слово хлеб.".encode("cp1251"),
        bytes(range(160, 256)) * 4,
        "".join(sorted(RUSSIAN)).encode("cp1251")[::-1],
        RUSSIAN.upper().encode("cp1251"),
    ],
)
def test_what_is_no_prose_of_these_languages_is_not_guessed(data: bytes) -> None:
    assert decoding.guess(data) is None


def test_no_piece_of_a_text_is_ever_read_as_something_else() -> None:
    for text, encoding, language in READ:
        for start in range(0, len(text) - 40, 7):
            for end in (start + 40, start + 70, len(text)):
                piece = text[start:end]
                for stated in (None, language):
                    found = decoding.guess(piece.encode(encoding), language=stated)
                    assert found is None or found[0] == piece, (piece, encoding, found)


def test_a_large_file_takes_a_few_times_its_size() -> None:
    """Not a list of its letters, each an object: fifty megabytes would take gigabytes."""
    data = (f"{RUSSIAN}\n" * 250).encode("cp1251")
    tracemalloc.start()
    try:
        assert decoding.guess(data) is not None
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data)
    finally:
        tracemalloc.stop()


def test_what_says_what_it_is_in_is_not_guessed() -> None:
    assert decoding.decode_or_guess(RUSSIAN.encode("cp1251"), declared="windows-1251") == (RUSSIAN, ())
    with pytest.raises(UnreadableFile, match="says it is"):
        decoding.decode_or_guess(RUSSIAN.encode("koi8-r"), declared="euc-jp")
