"""Plain text: parses a `.txt` as one article, or several if the file has several scraped pages.

What tells a scraped article's beginning is the way pages are built, not any word: the headline stands first, then
the picture's caption and some controls, then the headline *again* above the text. A line begins an article if

- it looks like a headline (one line, no end of a sentence, no quotation) and opens a paragraph,
- it comes back, alone, within `_HEAD` filled lines, with no prose between (at most a standfirst), and
- at the start of the file: nothing more; further down: a gap wider than the file's own between paragraphs lies
  before it, or the lines between hold a page's controls or a caption printed twice; and the article before it has
  said something.

So an article with subheadings, lists, a line said twice or lone numbers stays whole: nothing of it repeats in this
way. Articles put into one file without such heads cannot be told apart and stay one; give them a file each.

Properties that a program wrote into the file (created, changed, title of the template) are not believed: they are of
the file and not of what it says.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import Final

import msgspec

from embeddings.cleaning.boilerplate import drop_boilerplate, title_key
from embeddings.cleaning.dates import iso_date
from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding
from embeddings.runtime import compiled_late
from embeddings.types import RawArticle, Rejected

_NARROWEST: Final = 30
_WIDEST: Final = 100
"""Widths to which texts are wrapped, by hand or by a mail program."""
_BREAKS: Final = 3
"""Breaks that must all look like wrapping before a text counts as wrapped."""
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028]")
_HEAD: Final = 12
_MAX_HEADLINE: Final = 250
_MIN_WORDS: Final = 3
_PROSE: Final = 100
"""A line this long that ends like a sentence is prose, unless it is printed twice."""
_SENTENCE: Final = 10
_CAPTION: Final = 20
_HEAD_BOILERPLATE: Final = frozenset({"control", "font-size", "share-bar", "reading-time"})
_PREFACE: Final = 3
"""Short lines (a section's name, a date) that may stand between a wide gap and the headline."""
_ENDS_OF_SENTENCE = (".", ":", ";", ",", "…", '."', ".”", ".'", ".’", "。")
_ABBREVIATION = re.compile(r"\b(?:[A-Z]\.){2,}$")  # "… Reaches the U.S."
_OPENING, _CLOSING = tuple("\"“‘'«„"), tuple("\"”’'»“")
_LINES: Final = 15
_LONGEST: Final = 90
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d\S*|\d{1,2}[./]\d{1,2}[./]\d{4}"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?(?: of| de)? [^\W\d_]{3,14}\.?,?(?: of| de)? \d{4}"
    r"|[^\W\d_]{3,14}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{4} ?[年년] ?\d{1,2} ?[月월] ?\d{1,2} ?[日일号號]"
)
_BESIDE: Final = 45
"""Characters that may stand in a line beside its date: a place, a weekday, "For immediate release"."""
_SAYS_SO = re.compile(
    r"\bdated?\b|publi|issued|released|posted|erschienen|veröffentlicht|\bstand\b|fecha|data\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"updat|modif|revis|effective|deadline|expire|valid|born|copyright|©|aktuali|geändert|until|from\b|to\b",
    re.IGNORECASE,
)
_BELOW_TITLE: Final = 5
_BETWEEN: Final = " \t,|/·•–—-"
_AND: Final = r",? (?:and|und|et|y|en|och|og) |, "
_PERSON: Final = r"[^\W\d_a-z][\w.'’-]*(?: (?:(?:van|von|de|der|den|di|da|bin|al) ){0,2}[^\W\d_a-z][\w.'’-]*){1,3}"
_BYLINE = compiled_late(rf"(?:By|BY|Von|Par|Por|Di|Door|Av|Af):? ({_PERSON}(?:(?:{_AND}){_PERSON}){{0,5}})")
_TELLS = re.compile(
    r"\b(?!(?:at|on|le|el|den|am|pm|um|uhr|and|und|et|y|en|och|og|van|von|de|der|di|da)\b)[^\W\d_A-Z]{2,}"
)
"""A word in small letters beside a date: the line tells of something, and the date may be of that."""
_NO_TITLE = re.compile(
    r"untitled|document ?\d*|title|microsoft word.*|.*\.(?:docx?|pdf|indd|qxp|rtf|odt|tex|dvi|ps|pages|html?)|\W*|\d+",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def read(path: Path, folder: Path | None = None) -> Iterator[RawArticle | Rejected]:  # noqa: ARG001 - as others are
    """Give each article of the file with the line it begins at as its origin."""
    try:
        text, notes = decoding.decode_or_guess(decoding.load(path))
    except UnreadableFile as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))
        return
    pieces = split(unwrapped(_LINE_BREAKS.sub("\n", text.replace("\u2029", "\n\n"))))
    if not pieces:
        yield Rejected(origin=f"{path}:1", reason="the file is empty; remove it or fill it")
    for piece in pieces:
        published_at, authors = headed(piece.text) if piece.title else (None, ())
        yield RawArticle(
            title=piece.title,
            text=piece.text,
            published_at=published_at,
            authors=authors,
            origin=f"{path}:{piece.line}",
            notes=notes,
        )


def unwrapped(text: str) -> str:
    r"""Join lines that were broken only to fit a width, so that a sentence is one line again.

    Wrapping leaves a trace that can be checked: the first word of each next line would not have fitted on the line
    before. A paragraph is joined where that holds for every one of its breaks, and only in a text whose lines are
    all short; verses, lists and captions fail the test and keep their lines.

    >>> import textwrap
    >>> words = "It rained all night in the whole valley of the Anse, and at dawn the river had reached the old mill, "
    >>> words += "where the road ends."
    >>> unwrapped(textwrap.fill(words, 35) + "\n\n- a\n- b") == words + "\n\n- a\n- b"
    True
    """
    blocks = [block.split("\n") for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text)]
    blocks = [[line.strip() for line in block] for block in blocks]
    width = max(len(line) for block in blocks for line in block)
    wrapped = [_is_wrapped(block, width=width) for block in blocks]
    breaks = sum(len(block) - 1 for block, joined in zip(blocks, wrapped, strict=True) if joined)
    if not _NARROWEST <= width <= _WIDEST or breaks < _BREAKS:
        return text
    gaps = re.findall(r"\n[ \t]*(?:\n[ \t]*)+", text)
    joined = [_join(block) if flag else "\n".join(block) for block, flag in zip(blocks, wrapped, strict=True)]
    return "".join(block + gap for block, gap in zip(joined, [*gaps, ""], strict=True))


def _is_wrapped(block: Sequence[str], *, width: int) -> bool:
    pairs = pairwise(block)
    return (
        len(block) > 1
        and len(set(block)) == len(block)
        and all(len(line) + 1 + len(after.split(" ", 1)[0]) > width for line, after in pairs)
    )


def _join(lines: Sequence[str]) -> str:
    """Put a space between lines, none after a hyphen that parts a word."""
    text = lines[0]
    for line in lines[1:]:
        parted = text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()
        text += line if parted else f" {line}"
    return text


class Piece(msgspec.Struct, frozen=True):
    """One article of a file: where it begins, its title (empty if none was found), its text without that line."""

    line: int
    """Number of its first line in the file, counted from 1."""
    title: str
    text: str


class _Line(msgspec.Struct, frozen=True):
    """A filled line: what it says, where it stands, how many empty lines precede it."""

    text: str
    number: int
    gap: int


def split(text: str) -> list[Piece]:
    """Cut a file's text into its articles; a text that holds one comes back as one piece.

    >>> page = "Rain Stops in the North\\n\\nA man. (AP)\\nTT\\n\\nRain Stops in the North\\n\\nIt stopped.\\n\\n\\n\\n"
    >>> [piece.title for piece in split(page + page.replace("Rain", "Snow"))]
    ['Rain Stops in the North', 'Snow Stops in the North']
    """
    lines = _filled(text)
    if not lines:
        return []
    heads = _heads(lines)
    if not heads:
        return [_single(lines)]
    starts = [start for start, _ in heads]
    if _is_substantial(lines[: starts[0]]):
        pieces = [_single(lines[: starts[0]])]
    else:
        pieces, starts[0] = [], 0
    for (_, head), start, end in zip(heads, starts, [*starts[1:], len(lines)], strict=True):
        body = [line for index, line in enumerate(lines[start:end], start) if index != head]
        pieces.append(Piece(lines[start].number, lines[head].text, _joined(body)))
    return pieces


def _filled(text: str) -> list[_Line]:
    lines: list[_Line] = []
    gap = 0
    for number, written in enumerate(text.split("\n"), start=1):
        if line := written.strip():
            lines.append(_Line(line, number, gap if lines else 0))
            gap = 0
        else:
            gap += 1
    return lines


def _heads(lines: Sequence[_Line]) -> list[tuple[int, int]]:
    """For each scraped article the position where it begins and that of its headline."""
    usual = Counter(line.gap for line in lines[1:] if line.gap).most_common(1)
    wide = (usual[0][0] if usual else 1) + 1
    heads: list[tuple[int, int]] = []
    index = 0
    silent = False  # whether the article begun last has said nothing yet
    while index < len(lines):
        again = _repeated_at(lines, index) if index == 0 or (lines[index].gap and not silent) else None
        start = None if again is None else _start(lines, index, again, wide=wide)
        if again is not None and start is not None:
            heads.append((start, index))
            index, silent = again, True
        elif _is_sentence(lines[index].text):
            silent = False
        index += 1
    return heads


def _repeated_at(lines: Sequence[_Line], index: int) -> int | None:
    """Where the line comes back as a headline does, if it does."""
    line = lines[index]
    if not _is_headline(line.text):
        return None
    key = title_key(line.text)
    again = None
    for later in range(index + 1, min(index + 1 + _HEAD, len(lines))):
        if title_key(lines[later].text[: _MAX_HEADLINE + 10]) == key:
            if sum(map(_is_prose, _once(lines[index + 1 : later]))) > 1:
                break
            again = later
    return again


def _start(lines: Sequence[_Line], head: int, again: int, *, wide: int) -> int | None:
    """Where the article begins whose headline is at `head`, if it begins one at all."""
    for start in range(head, max(-1, head - _PREFACE - 1), -1):
        if start != head and (_is_prose(lines[start].text) or _ends_sentence(lines[start].text)):
            break
        if start == head == 0 or lines[start].gap >= wide:
            return start
    between = [line.text for line in lines[head + 1 : again]]
    controls = any(dropped.rule in _HEAD_BOILERPLATE for dropped in drop_boilerplate(between)[1])
    captions = any(line == after and len(line) >= _CAPTION for line, after in pairwise(between))
    return head if controls or captions else None


def _is_headline(line: str) -> bool:
    # Scripts that put no spaces between words are counted by characters.
    long_enough = len(line.split()) >= _MIN_WORDS or (len(line) >= 2 * _MIN_WORDS and not line.isascii())
    if len(line) > _MAX_HEADLINE or not long_enough or _ends_sentence(line):
        return False
    return not (line.startswith(_OPENING) and line.endswith(_CLOSING))


def _ends_sentence(line: str) -> bool:
    return line.endswith(_ENDS_OF_SENTENCE) and not _ABBREVIATION.search(line[-10:])


def _is_prose(line: str) -> bool:
    return len(line) >= _PROSE and line.rstrip("\"”’'»)").endswith((".", "!", "?", "。"))


def _is_sentence(line: str) -> bool:
    return len(line) >= _SENTENCE and line.rstrip("\"”’'»)").endswith((".", "!", "?", "。"))


def _once(lines: Sequence[_Line]) -> list[str]:
    counts = Counter(line.text for line in lines)
    return [text for text, count in counts.items() if count == 1]


def _is_substantial(lines: Sequence[_Line]) -> bool:
    return any(_is_prose(line.text) for line in lines) or sum(len(line.text) for line in lines) > 3 * _PROSE


def _single(lines: Sequence[_Line]) -> Piece:
    """Give one article; its title is a first line that stands alone, is short and ends no sentence."""
    first = lines[0]
    alone = len(lines) > 1 and (lines[1].gap > 0 or len(lines[1].text) > max(len(first.text), _PROSE))
    if alone and len(first.text) <= _MAX_HEADLINE and not _ends_sentence(first.text):
        return Piece(first.number, first.text, _joined(lines[1:]))
    return Piece(first.number, "", _joined(lines))


def _joined(lines: Sequence[_Line]) -> str:
    """Put lines back together, paragraphs parted by one empty line."""
    return "".join(("\n\n" if line.gap else "\n") + line.text for line in lines).strip("\n")


def dated(lines: Iterable[str]) -> str | None:
    """Give the date that stands at the head of a document with little else on its line.

    >>> dated(["Ferry leaves", "Skerra, 4 June 2024", "It was built in 1999."])
    '4 June 2024'
    """
    dates: list[tuple[str, bool]] = []
    for line in islice((one for one in lines if one.strip()), _LINES):
        found = _DATE.search(line[:_LONGEST])
        beside = len(line) - len(found[0]) if found else 0
        if found and beside <= _BESIDE and not _OTHER.search(line) and iso_date(found[0]):
            dates.append((found[0], _SAYS_SO.search(line) is not None))
    if len({iso_date(date) for date, _ in dates}) > 1:  # a table, a chronicle: only one that says what it is counts
        dates = [one for one in dates if one[1]][:1]
    return dates[0][0] if dates else None


def headed(text: str) -> tuple[str | None, tuple[str, ...]]:
    """The date and the authors that stand below a title, in lines that say little else, before the first sentence.

    >>> headed("By Ana Petri and Bo Roe\\nTuesday, 28 November 2026\\n\\nThe ferry left. It sank on 4 May 2020.")
    ('28 November 2026', ('Ana Petri', 'Bo Roe'))
    >>> headed("Flood of 3 May 2024 remembered\\n\\nThe bridge opened on 12 August 1961.")
    (None, ())
    """
    filled = (line for line in text.split("\n") if line.strip())
    short = takewhile(lambda line: len(line) <= _LONGEST and not _is_sentence(line), filled)
    head = list(islice(short, _BELOW_TITLE))
    apart = [(line, _DATE.sub("", line).strip(_BETWEEN)) for line in head]
    bylines = (_BYLINE.fullmatch(rest) for _, rest in apart)
    authors = next((byline[1] for byline in bylines if byline), "")
    date = dated(line for line, rest in apart if not _TELLS.search(rest) or _SAYS_SO.search(rest))
    return date, tuple(re.split(_AND, authors)) if authors else ()


def plausible_title(written: str) -> bool:
    """Whether a file's title may be one and not the name of a file or a template."""
    return _NO_TITLE.fullmatch(written.strip()) is None


def says(text: str, words: str) -> bool:
    """Whether a text holds these words in this order, whatever stands between them of spaces and marks."""
    wanted, held = (" ".join(_WORD.findall(one.casefold())) for one in (words, text))
    return bool(wanted) and f" {wanted} " in f" {held} "
