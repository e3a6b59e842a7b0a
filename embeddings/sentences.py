"""Takes a canonical text, gives the spans of its sentences.

Rules, not a model: a stop ends a sentence unless the word before it is an abbreviation, an initial or a list label,
or what follows goes on in lower case. Measured against sentencex on the hand-labelled cases of the tests
(`tests/benchmarks/bench_sentences.py`): sentencex keeps whole quotations as one sentence, parts "10 p.m." from its
day and hangs opening quotation marks on the sentence before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["split_sentences"]

Span = tuple[int, int]

_PARAGRAPH_BREAK = re.compile(r"\n[^\S\n]*\n\s*")
_LIST_LINE = re.compile(r"\n(?=[^\S\n]*(?:[•▪►◦‣*–—-]|\d{1,3}[.)])\s)")
_STOP = re.compile(
    r"""
    (?<![.!?…‼‽⁇⁈⁉؟۔।॥։።။។])  # a run of marks is tried once, not from each of its characters
    (?P<mark> \.(?:\s\.)+ | [.!?…‼‽⁇⁈⁉؟۔।॥։።။។]++ )
    (?P<close> ["'”’»›)\]}]* (?: [\u00a0\u202f\x20]?[”»](?=\s|$) )? (?:\[\d{1,3}\])* )
    (?=\s|$)
    | (?P<wide> [。！？｡]+ [」』”’）】》]* )
    """,
    re.VERBOSE,
)
_NEXT = re.compile(r"""\s*(?P<open>["“”„‘'«‹(\[{¿¡•▪►◦‣*–—-]*)\s*(?P<word>\S{0,40})""")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_WORD_BEFORE = re.compile(r"""[^\s("“„‘'«\[/–—-]*$""")
_WINDOW = 400
"""How far, in characters, an open bracket or quotation mark is looked for: keeps every decision O(1)."""

_NEVER_LAST = frozenset(
    "Mr Mrs Ms Mx Dr Prof Gen Maj Col Lt Sgt Cpl Pvt Capt Cmdr Adm Brig Gov Rep Reps Sen Sens Rev Hon Pres Supt Insp "
    "Det Amb Messrs Mme Mlle Ste Mt Ft Hr Sra Dra v vs e.g i.e cf ca approx est avg Avg viz z.B u.a bzw".split()
)
"""A name, a number or the rest of the phrase always follows."""

_BEFORE_NUMBER = frozenset(
    "No Nos no nos Art art arts Sec sec Fig fig figs p pp para paras ch vol Vol vols op "
    "Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec".split()
)
"""Abbreviations when a number follows, words like any other when none does."""

_MAYBE_LAST = frozenset(
    "Inc Corp Co Cos Ltd Bros Jr Sr LLC Ph.D St Ave Blvd Rd Sq Hwy Bldg Dept Univ Assn Assoc Intl al "
    "Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev Okla Ore Pa "
    "Tenn Tex Va Vt Wash Wis Wyo".split()
)
"""Abbreviations that also end sentences: they do where the next word is one that opens sentences."""

_AFTER_CLOCK = frozenset(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec "
    "Eastern Central Mountain Pacific Greenwich GMT UTC BST CET CEST EET MSK IST ET EST EDT CT CST CDT MT MST MDT "
    "PT PST PDT".split()
)
_OPENERS = frozenset(
    "The A An He She It They We I You This That These Those There Here His Her Its Their Our My Your In On At But And "
    "Or So If When While After Before As For From With By To Of No Not Some Many Most All Both Each Several Another "
    "One Two Three What Who Why How Where Which Then Now Once Since Because Although Though However Meanwhile Later "
    "Still Yet Also Other Others More About Under Over During Despite According Only Even Just Until Among Let Do Did "
    "Is Are Was Were Has Have Had Will Would Can Could Should Officials Police Authorities Prosecutors Investigators "
    "Residents Critics Supporters Analysts Experts Researchers Scientists Shares Nearly More Every Nobody None".split()
)
_CRIES = frozenset({"Yahoo", "Jeopardy", "E", "Wham", "Mamma"})
"""Names spelt with an exclamation mark."""

_CLOCK = frozenset({"a.m", "p.m", "A.M", "P.M"})
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]|[A-ZÀ-ÖØ-Þ\u0621-\u064a]")
_LABEL = re.compile(r"\d{1,3}|[A-Za-z]|[ivxIVX]{2,5}")
_CAPITAL_ALL_THE_SAME = re.compile(r"[a-z]{1,2}[A-Z]|https?://|www\.")
_SAYING = re.compile(
    r"\s+(?:[^\W\d_a-z][\w.'’-]*\s+){1,4}"
    r"(?:said|says|asked|asks|added|told|wrote|writes|tweeted|replied|shouted|yelled|recalled|joked)\b"
)


def split_sentences(text: str) -> tuple[Span, ...]:
    """Find the sentences of a canonical text: trimmed, in order, disjoint, never across a paragraph break.

    Every character that is not white space lies in exactly one of them. Takes time linear in the text.

    >>> split_sentences("Dr. Bo came at 9 p.m. Monday. “Good.”")
    ((0, 29), (30, 37))
    """
    return tuple(
        span
        for block_start, block_end in _blocks(text)
        for start, end in _cut(text, block_start, block_end)
        for span in _trimmed(text, start, end)
    )


def _blocks(text: str) -> Iterator[Span]:
    """Paragraphs, and within them the lines of a list."""
    start = 0
    for match in _PARAGRAPH_BREAK.finditer(text):
        yield from _lines(text, start, match.start())
        start = match.end()
    yield from _lines(text, start, len(text))


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    for match in _LIST_LINE.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """Consecutive raw spans that make up one block."""
    first = _LETTER_OR_DIGIT.search(text, start, end)
    for stop in _STOP.finditer(text, start, end):
        if first is None:
            break
        if first.start() < stop.start() and _ends(text, start, first.start(), stop, end):
            yield start, stop.end()
            start = stop.end()
            first = _LETTER_OR_DIGIT.search(text, start, end)
    yield start, end


def _ends(text: str, start: int, first: int, stop: re.Match[str], end: int) -> bool:
    """Whether the sentence running from `start` (its first letter or digit at `first`) ends at this stop."""
    if stop["wide"]:
        return True
    following = _NEXT.match(text, stop.end(), end)
    if following is None or not following["word"]:
        return True
    word = following["word"]
    if word[0] in ",;:" or (word[0].islower() and not _CAPITAL_ALL_THE_SAME.match(word)):
        return False
    if _in_brackets(text, first, stop, end) or _short_cry(text, start, stop):
        return False
    mark = stop["mark"]
    if mark != ".":
        return not _goes_on(text, first, stop, word)
    return _full_stop_ends(text, first, stop.start(), following)


def _full_stop_ends(text: str, first: int, at: int, next_word: re.Match[str]) -> bool:
    """Whether a single full stop is one, given the word before it and the word after it."""
    following = next_word["word"]
    match = _WORD_BEFORE.search(text, max(first, at - 30), at)
    word = match[0] if match else ""
    if at - len(word) == first and _LABEL.fullmatch(word):
        return False
    if word in _NEVER_LAST:
        return False
    if word in _BEFORE_NUMBER:
        return not following[0].isdigit()
    if word in _CLOCK:
        return following[0].isalpha() and following.rstrip(".,;:)") not in _AFTER_CLOCK
    if word in _MAYBE_LAST or _INITIALS.fullmatch(word):
        return _opens_sentence(following) and not any(dash in next_word["open"] for dash in "-–—")
    return True


def _opens_sentence(word: str) -> bool:
    """Whether a word is one that opens sentences: `It's` and `The,` are, the initial `A.` is not."""
    return re.split(r"['’]", word.rstrip(",:;"), maxsplit=1)[0] in _OPENERS


def _goes_on(text: str, first: int, stop: re.Match[str], following: str) -> bool:
    """Whether a sentence goes on after `!`, `?` or dots: in a name, or with who said it."""
    if stop["mark"] == "!" and not stop["close"]:
        match = _WORD_BEFORE.search(text, max(first, stop.start() - 30), stop.start())
        return match is not None and match[0] in _CRIES and not _opens_sentence(following)
    quoted = any(mark in stop["close"] for mark in "\"'”’»")
    return quoted and _SAYING.match(text, stop.end(), stop.end() + _WINDOW) is not None


def _in_brackets(text: str, first: int, stop: re.Match[str], end: int) -> bool:
    """Whether the stop stands in brackets that were opened in the middle of its sentence and close soon after."""
    low = max(first, stop.start() - _WINDOW)
    opened = text.rfind("(", low, stop.start())
    if opened < 0 or text.rfind(")", opened, stop.start()) >= 0 or ")" in stop["close"]:
        return False
    return text.find(")", stop.end(), min(end, stop.end() + _WINDOW)) >= 0


def _short_cry(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether the stop stands inside a quotation after one or two words of it, as in "No! Never!" and the like."""
    low = max(start, stop.start() - _WINDOW)
    curly, straight = text.rfind("“", low, stop.start()), text.rfind('"', low, stop.start())
    opened = max(curly, straight)
    if opened < 0 or stop["close"] or text.rfind("”", opened, stop.start()) >= 0:
        return False
    if opened == straight and opened > low and not (text[opened - 1].isspace() or text[opened - 1] in "([—–"):
        return False
    return len(text[opened : stop.start()].split(maxsplit=3)) < 3


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without white space at its ends; nothing for white space alone."""
    inner = text[start:end]
    begin = start + len(inner) - len(inner.lstrip())
    finish = start + len(inner.rstrip())
    if begin < finish:
        yield begin, finish
