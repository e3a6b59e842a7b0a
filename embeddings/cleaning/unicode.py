"""Normalises text: NFC, in paragraphs, without hidden characters.

What a reader can see is never changed: quotes, dashes, no-break spaces and wording stay as they are.
What a reader cannot see goes, because it can hide instructions, reorder a line or split a word for search:

- control characters, NUL and noncharacters; tabs and runs of spaces become one space;
- bidirectional controls, zero-width spaces, byte-order marks, soft hyphens, Hangul fillers;
- tag characters (U+E0000…), except in the flags of England, Scotland and Wales;
- joiners (ZWJ, ZWNJ) and variation selectors wherever they shape nothing. They are spelling in Persian or the
  Indic scripts and part of emoji: there they stay.

HTML entities are left alone: none occurs in 6,936 real articles, and `&lt;` in an article about markup is wording.
"""

import re
import unicodedata
from typing import Final

import msgspec

from embeddings.errors import InvalidArticle
from embeddings.runtime import compiled_late
from embeddings.types import Where

MAX_MARKS: Final = 30
"""Combining marks kept on one letter (Unicode's stream-safe limit): NFC is quadratic in them, 80,000 take 12 s."""

# Letters up to U+02FF and common punctuation: already NFC, visible, no marks. Most articles hold nothing else.
_PLAIN = "\t\n -~\xa0-\xac\xae-\u02ff\u2002-\u200a\u2010-\u2027\u202f-\u205f\u20a0-\u20bf\u2100-\u2125"
_UNUSUAL = re.compile(f"[^{_PLAIN}]")

_SURROGATE = re.compile("[\ud800-\udfff]")
_PARAGRAPH = re.compile("\u2029")
_LINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028]")
_BLANKS = re.compile("[ \t]{2,}|\t")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]+")

_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_HIDDEN = re.compile(
    f"({_FLAGS})|"
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef"
    "\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\U0001fffe\U0001ffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]+"
)

_JOINERS = "\u180e\u200c\u200d"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SHAPERS = re.compile(f"[{_JOINERS}{_SELECTORS}]")
_PASSES: Final = 4
_IDEOGRAPHS = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Scripts in which a joiner is spelling: Arabic to Mongolian, and their later blocks.
_JOINING = (
    "\u0600-\u109f\u1780-\u18af\u1900-\u1cff\ua840-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefe\U00010a00-\U00011fff"
)
_PICTURES = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
# The character itself comes first in each pattern, its surroundings after: the scan then skips ahead to it.
_IDLE_SELECTORS = compiled_late(
    f"[{_SELECTORS}](?<![^\\s{_SELECTORS}{_JOINERS}][{_SELECTORS}])"
    f"|[\U000e0100-\U000e01ef](?<![{_IDEOGRAPHS}][\U000e0100-\U000e01ef])"
)
_IDLE_JOINERS = compiled_late(
    f"[{_JOINERS}](?<![{_JOINING}{_PICTURES}\ufe0f][{_JOINERS}])"
    f"|[\u180e\u200c](?<=[{_PICTURES}\ufe0f][{_JOINERS}])"
    f"|\u200d(?<=[{_PICTURES}\ufe0f]\u200d)(?![{_PICTURES}])"
)
# Every run of combining marks is also a run of these; the exact count follows only where such a run is too long.
_LONG_RUN = re.compile(rf"[^\w\s\x00-\x7f]{{{MAX_MARKS + 1},}}")


def canonical_text(text: str) -> str:
    r"""Give the text in NFC, LF line ends, paragraphs parted by exactly one empty line, nothing hidden.

    Line breaks inside a paragraph stay (lists, verses, tables). Doing it twice changes nothing.

    >>> canonical_text("One\u200b.\r\n\r\n\r\n  Two\u00a0 \nthree  four")
    'One.\n\nTwo\nthree four'

    Raises InvalidArticle for a lone surrogate: it stands for a character that was lost before we got it.
    """
    text = _visible(text)
    if "  " in text or "\t" in text:
        text = _BLANKS.sub(" ", text)
    lines = [line.strip() for line in text.split("\n")]
    return "\n".join(line for line, before in zip(lines, ["", *lines], strict=False) if line or before).strip("\n")


def canonical_line(text: str) -> str:
    r"""Give the same for what must fit on one line: a title, a source, a name.

    >>> canonical_line(" A\u00a0title\n on  two lines ")
    'A title on two lines'
    """
    return " ".join(_visible(text).split())


def as_written(where: Where) -> Where:
    """A filter with its names as cleaning writes them, beside as they were given: an accent in two characters, a space
    too many or `en_GB` would else find nothing.

    >>> found = as_written(Where(sources=(" The  Herald",), languages=("en_GB",)))
    >>> found.sources, found.languages
    ((' The  Herald', 'The Herald'), ('en-gb',))
    """
    return msgspec.structs.replace(
        where,
        sources=_both(where.sources),
        sections=_both(where.sections),
        authors=_both(where.authors),
        languages=tuple(tag.strip().replace("_", "-").lower() for tag in where.languages),
    )


def _both(names: tuple[str, ...]) -> tuple[str, ...]:
    cleaned = (canonical_line(name) for name in names if not _SURROGATE.search(name))
    return tuple(dict.fromkeys((*names, *filter(None, cleaned))))


def _visible(text: str) -> str:
    if not _UNUSUAL.search(text):
        return text
    if text.isascii():
        return _CONTROL.sub("", _LINE.sub("\n", text))
    if found := _SURROGATE.search(text):
        raise InvalidArticle(
            f"the text holds a lone surrogate (U+{ord(found[0]):04X}) at character {found.start()}: "
            "half of a character was lost; send the text as valid UTF-8"
        )
    text = _LINE.sub("\n", _PARAGRAPH.sub("\n\n", text))
    text = _HIDDEN.sub(lambda hidden: hidden[1] or "", text)
    return _shaped(text) if _SHAPERS.search(text) else _composed(text)


def _shaped(text: str) -> str:
    """Drop joiners and selectors that shape nothing.

    What stands before one can change when another goes or when NFC puts marks in order; it settles in two passes
    for every real text. A text made not to settle loses them all.
    """
    for _ in range(_PASSES):
        shaped = _composed(_IDLE_JOINERS.sub("", _IDLE_SELECTORS.sub("", text)))
        if shaped == text:
            return text
        text = shaped
    return _composed(_SHAPERS.sub("", text))


def _composed(text: str) -> str:
    # Trimmed before NFC for its cost, and after it because NFC takes a few letters apart.
    return _trim_marks(unicodedata.normalize("NFC", _trim_marks(text)))


def _trim_marks(text: str) -> str:
    return _LONG_RUN.sub(_trim_run, text)


def _trim_run(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
