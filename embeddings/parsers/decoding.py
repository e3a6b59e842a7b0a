"""Decodes the bytes of a file, or refuses clearly; a wrong guess would garble every quotation.

1. A byte-order mark decides: UTF-8, UTF-16 or UTF-32.
2. Otherwise UTF-8, if every byte of it is valid; but ISO-2022-JP where its marks of Japanese stand in it, all ASCII.
3. Otherwise the encoding that the page itself declares (HTML only), read as browsers read it: gb2312 is GB 18030.
   In 2 and 3 a few damaged bytes (`_FEW_BAD`) become U+FFFD, one each; cleaning notes those that reach the text.
4. Otherwise Windows-1252 (it includes Latin-1), but only where the bytes look like Western prose: accented letters
   and typographic marks scattered among ASCII ones; or Windows-1250, if signs would stand inside words. Cyrillic,
   Greek or Asian bytes and damaged UTF-8 do not, and are refused with advice.
5. `decode_or_guess` goes on where 4 ends: what is prose in one encoding of Chinese, Japanese, Korean or Cyrillic alone
   is read so, with a note.

Under a wrong encoding the bytes of Chinese, Japanese, Korean or Cyrillic text are letters, too, but rare ones: of the
text in one of these languages a fifth and more is made of a handful of characters, of the same bytes read wrongly next
to nothing is. So an encoding is guessed only where it holds every byte, nearly every letter is one of its script, the
frequent ones are as frequent as in prose, and words begin as words do, more of them than in any other encoding.
"""

import codecs
import re
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from embeddings.errors import UnreadableFile

MAX_FILE: Final = 50_000_000
"""Largest file read into memory at once, in bytes; larger collections belong into JSON Lines, which is streamed."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{4}")
_NO_1252 = re.compile(rb"[\x00-\x08\x0e-\x1f\x81\x8d\x8f\x90\x9d]")
_MAX_HIGH_SHARE: Final = 0.15
"""Western prose has a few per cent of accented letters; a non-Latin alphabet has over half."""
_WEB_ENCODING = re.compile(
    r"iso8859-\d+|cp12\d\d|cp866|cp874|cp932|cp949|koi8-[ru]|mac-cyrillic|gb18030|big5hkscs|euc_jp|iso2022_jp"
)
_WIDER: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
"""What browsers read in place of a narrower encoding that is declared (https://encoding.spec.whatwg.org/#names-and-labels)."""
_LABELS: Final = {
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-x-big5": "big5hkscs",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "ks_c_5601-1987": "cp949",
    "windows-949": "cp949",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso8859-8",
    "koi": "koi8-r",
    "koi8": "koi8-r",
}
"""Labels that browsers know and Python does not."""
_MISREAD = re.compile(r"(?<=[^\W\d_])[³¹¿¼¾](?=[^\W\d_])")
_FEW_BAD: Final = 3
_BAD_SHARE: Final = 0.02
"""A text is read in spite of this many damaged characters, or this share of those that are not ASCII."""
_FEW: Final = 10
_SHORT: Final = 200
_BAD: Final = "\ufffd"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_JAPANESE = re.compile(rb"\x1b\$[@B](?:[!-~]{2})+\x1b\([BJ]")
"""Japanese between the marks of ISO-2022-JP that turn it on and off."""
_VALID_PAIR = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}")


def load(path: Path, *, limit: int = MAX_FILE) -> bytes:
    """Read a whole file.

    Raises UnreadableFile if it cannot be opened, is no regular file or is larger than `limit` bytes.
    """
    try:
        if not path.is_file():
            raise UnreadableFile("it is no regular file" if path.exists() else "it does not exist")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnreadableFile(f"it cannot be opened: {error.strerror or error}") from None
    if len(data) > limit:
        raise UnreadableFile(f"it is larger than {limit:,} bytes; split it up, or convert it to .jsonl")
    return data


def decode(data: bytes, *, declared: str | None = None) -> str:
    r"""Turn bytes into text by the rule above; `declared` is the encoding an HTML page names.

    >>> decode(b"caf\xc3\xa9"), decode(b"a caf\xe9 \x93here\x94"), decode(b"\xff\xfea\x00")
    ('café', 'a café “here”', 'a')

    Raises UnreadableFile where no encoding fits.
    """
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], marked)
    if data.count(b"\0") > _FEW_BAD or (b"\0" in data and len(data) < _SHORT):
        raise UnreadableFile(
            "it holds NUL bytes: it is no text, or UTF-16 without a byte-order mark; convert it to UTF-8"
        )
    data = data.replace(b"\0", b"")
    try:
        return _forgivingly(data, "iso2022_jp") if _in_iso_2022_jp(data) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        broken_at = error.start
    if declared and (encoding := _web_encoding(declared)):
        return _forgivingly(data, encoding)
    whole = len(_VALID_PAIR.findall(data))
    if whole > len(_HIGH.findall(data)) / 4:
        text = data.decode("utf-8", "replace")
        if _few_bad(text.count(_BAD), whole=whole):
            return text
        raise UnreadableFile(f"it is UTF-8 with broken characters, the first at byte {broken_at:,}; export it again")
    rare = len(_HIGH.findall(data)) <= max(_FEW, len(data) * _MAX_HIGH_SHARE)
    if _NO_1252.search(data) or _HIGH_RUN.search(data) or not rare:
        raise _UnknownEncoding(
            f"it is not UTF-8 (byte {broken_at:,}) and its encoding cannot be told; convert it, "
            "for example with `iconv -f windows-1251 -t utf-8`"
        )
    return _of_europe(data)


def decode_or_guess(
    data: bytes, *, declared: str | None = None, language: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Turn bytes into text as `decode` does, or by what they say in one encoding alone, and give notes of that.

    `language` is the one that a page names. Raises UnreadableFile where no encoding fits, or several do.
    """
    try:
        return decode(data, declared=declared), ()
    except _UnknownEncoding:
        found = guess(data.replace(b"\0", b""), language=language)
        if found is None:
            raise
    text, encoding = found
    return text, (f"it names no encoding that it is in: it was read as {encoding}, a guess by its letters",)


class _UnknownEncoding(UnreadableFile):
    """Nothing says what the bytes are in."""


def _in_iso_2022_jp(data: bytes) -> bool:
    return _JAPANESE.search(data) is not None and not _HIGH.search(data)


def _of_europe(data: bytes) -> str:
    """Decode prose in Latin letters; no word of the West has a sign in its middle, where Polish has ł, ą and ż."""
    western = data.decode("cp1252")
    return western if len(_MISREAD.findall(western)) < _FEW_BAD else _strictly(data, "cp1250")


def _few_bad(bad: int, *, whole: int) -> bool:
    return bad <= max(min(_FEW_BAD, whole), whole * _BAD_SHARE)


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableFile(f"it says it is {encoding}, but is not ({error}); convert it to UTF-8") from None


def _forgivingly(data: bytes, encoding: str) -> str:
    """Decode what a page declares; bytes that no page of that encoding has are damage, unless there are many."""
    text = data.decode(encoding, "replace")
    others = sum(1 for _ in _NOT_ASCII.finditer(text))
    return text if _few_bad(text.count(_BAD), whole=others) else _strictly(data, encoding)


def _web_encoding(declared: str) -> str | None:
    """Name the codec browsers use for a declared encoding; None for what no page is written in."""
    label = declared.strip().lower()
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if _WEB_ENCODING.fullmatch(name) else None


# --- What encoding bytes are in that do not say so
class _Script(msgspec.Struct, frozen=True, kw_only=True):
    """A way to write, as told by its letters."""

    encodings: tuple[str, ...]
    languages: frozenset[str]
    letters: re.Pattern[str]
    frequent: frozenset[str]
    share: float
    """Least share of the frequent ones among all letters of prose."""


_HAN: Final = r"\u4e00-\u9fff"
_CYRILLIC: Final = frozenset("ru uk be bg sr mk kk ky mn tg".split())
_SCRIPTS: Final = (
    _Script(
        encodings=("gb18030",),
        languages=frozenset(["zh"]),
        letters=re.compile(f"[{_HAN}]"),
        frequent=frozenset("的一是在不了有和人这中大为上个国我以要他时来们到说年月日会地出就分对于后得市被将行公"),
        share=0.12,
    ),
    _Script(
        encodings=("big5hkscs",),
        languages=frozenset(["zh"]),
        letters=re.compile(f"[{_HAN}]"),
        frequent=frozenset("的一是在不了有和人這中大為上個國我以要他時來們到說年月日會地出就分對於後得市被將行公"),
        share=0.12,
    ),
    _Script(
        encodings=("cp932", "euc_jp"),
        languages=frozenset(["ja"]),
        letters=re.compile(rf"[{_HAN}\u3041-\u30fe]"),
        frequent=frozenset("のにはをたがでてとしれさいるなっりからもあ"),
        share=0.25,
    ),
    _Script(
        encodings=("cp949",),
        languages=frozenset(["ko"]),
        letters=re.compile(rf"[{_HAN}\uac00-\ud7a3]"),
        frequent=frozenset("이다는의에을를가고한은지로하기도사서해시인어일"),
        share=0.2,
    ),
    _Script(
        encodings=("cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"),
        languages=_CYRILLIC,
        letters=re.compile("[\u0400-\u045f\u0490\u0491]"),
        frequent=frozenset("оеаинтсрвлі"),
        share=0.5,
    ),
)
_SIGNS: Final = re.compile("[\xa0-\xbf\u2010-\u203a\u20ac\u2116\u25a0-\u27bf\u3000-\u301f\uff01-\uff5e\u30fb]")
"""Signs that stand in texts of all these scripts."""
_LETTER_SHARE: Final = 0.98
"""Of what is neither ASCII nor a sign; another encoding of the same script has other capital letters."""
_LEAST: Final = 40
_LEAST_STATED: Final = 32
"""Letters from which shares say something; with a statement of the language, fewer."""
_BROKEN: Final = re.compile("[а-яёіїєґ][А-ЯЁІЇЄҐ]|[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
"""What no Cyrillic word has in its middle."""
_BROKEN_SHARE: Final = 0.01
_BEGUN: Final = re.compile("(?<![\u0400-\u04ff])[А-ЯЁІЇЄҐ][а-яёіїєґ]")
"""How names and sentences begin. Two encodings of Cyrillic have the same small letters, and other capitals."""


def guess(data: bytes, *, language: str | None = None) -> tuple[str, str] | None:
    """Give the text and its encoding; None where it cannot be told. `language` is what a page says of itself: where it
    names one, only its encodings are tried.

    >>> guess("Паром закрыт до пятницы, сообщила администрация порта.".encode("koi8-r"))
    ('Паром закрыт до пятницы, сообщила администрация порта.', 'koi8-u')
    """
    stated = (language or "")[:2].lower()
    scripts = [one for one in _SCRIPTS if not stated or stated in one.languages]
    found = [
        (text, encoding)
        for one in scripts
        for encoding in one.encodings
        if (text := _read(data, encoding)) and _is_prose(text, one, least=_LEAST_STATED if stated else _LEAST)
    ]
    begun = [_count(_BEGUN, text) for text, _ in found]
    best = [one for one, count in zip(found, begun, strict=True) if count == max(begun)]
    return best[0] if len(best) == 1 else None


def _read(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_prose(text: str, script: _Script, *, least: int) -> bool:
    signs = Counter(text)  # a list of the letters takes forty times the file's memory
    letters = sum(count for sign, count in signs.items() if script.letters.match(sign))
    marks = sum(count for sign, count in signs.items() if _SIGNS.match(sign))
    others = sum(count for sign, count in signs.items() if not sign.isascii()) - letters - marks
    if letters < least or others > (1 - _LETTER_SHARE) * letters:
        return False
    frequent = sum(signs[letter] for letter in script.frequent)
    return frequent >= script.share * letters and _count(_BROKEN, text) <= _BROKEN_SHARE * letters


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))
