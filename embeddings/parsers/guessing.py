"""What encoding bytes are in that do not say so: takes bytes, gives the one in which they are prose, or None.

Under a wrong encoding the bytes of Chinese, Japanese, Korean or Cyrillic text are letters, too, but rare ones: of the
text in one of these languages a fifth and more is made of a handful of characters, of the same bytes read wrongly next
to nothing is. So an encoding is guessed only where it holds every byte, nearly every letter is one of its script, the
frequent ones are as frequent as in prose, and words begin as words do, more of them than in any other encoding.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import msgspec

__all__ = ["guess"]


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
_MARKS: Final = re.compile("[\xa0-\xbf\u2010-\u203a\u20ac\u2116\u25a0-\u27bf\u3000-\u301f\uff01-\uff5e\u30fb]")
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
    marks = sum(count for sign, count in signs.items() if _MARKS.match(sign))
    others = sum(count for sign, count in signs.items() if not sign.isascii()) - letters - marks
    if letters < least or others > (1 - _LETTER_SHARE) * letters:
        return False
    frequent = sum(signs[letter] for letter in script.frequent)
    return frequent >= script.share * letters and _count(_BROKEN, text) <= _BROKEN_SHARE * letters


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))
