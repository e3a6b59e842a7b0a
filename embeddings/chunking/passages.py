"""Cuts an article into passages: spans sized for one embedding, cut at natural pauses.

A passage is a run of whole sentences. Cuts fall at paragraph ends where that costs little, hardly ever right after
a heading, and leave passages of even size; a sentence longer than the encoder reads is cut into pieces first.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article, Passage, passage_id

Count = Callable[[Sequence[str]], list[int]]
Span = tuple[int, int]
_TARGET_TOKENS = 192
_OVERLAP_SENTENCES = 1
_VERSION = 1
"""To be raised with every change here or in `sentences` that cuts some article differently."""
RECIPE = f"{_VERSION}/{_TARGET_TOKENS}/{_OVERLAP_SENTENCES}"
"""Names the way of cutting. An article whose passages were cut by another recipe is cut and encoded anew."""
_TITLE_SHARE = 8
"""The title gets at most this part (one in so many) of what the encoder reads."""
_LEAST_TOKENS = 32
_CHARACTERS_PER_TOKEN = 8
"""Bounds a passage in characters too: a tokenizer may lump a wall of emoji into one token."""
_SENTENCE_CUT, _LINE_CUT, _PIECE_CUT, _HEADING_CUT = 0.08, 0.04, 0.3, 1.0
"""What a cut costs that is not at a paragraph's end, beside the square of how far, relatively, a passage misses its
target size: 0.08 is a passage 28 % off."""
_HEADING_CHARACTERS = 80
_PAUSES = (
    re.compile(r"""[,;:—–)\]"”’»]\s+|\s+(?=[—–(\["“‘«])"""),
    re.compile(r"\s+"),
    re.compile(r"[、，；：。！？,;)）」』/]+"),
)
"""Where to cut, best first: after a clause, between words, after punctuation that no space follows."""
_JOINER = "\u200d"


class _Unit(msgspec.Struct, frozen=True):
    """A sentence, or a piece of one that is longer than the encoder reads."""

    start: int
    end: int
    weight: int
    """In tokens."""
    cut_cost: float
    """Of a cut right after it."""


def encoder_title(title: str, *, max_tokens: int, count: Count) -> str:
    """The head of a title, cut between words, that leaves most of an encoder's window to the passage."""
    room = max_tokens // _TITLE_SHARE
    special = count([""])[0]
    head = " ".join(title.split())[: room * _CHARACTERS_PER_TOKEN]

    def fits(texts: Sequence[str]) -> list[bool]:
        return [size - special <= room for size in count(texts)]

    if fits([head])[0]:
        return head
    words = head.split(" ")[: room + 1]
    heads = [" ".join(words[:length]) for length in range(len(words), 0, -1)]
    fitting = [shorter for shorter, fine in zip(heads, fits(heads), strict=True) if fine]
    if fitting:
        return fitting[0]
    first, last = cut_to_fit(head, (0, len(head)), fits=fits)[0]
    return head[first:last]


def encoder_input(title: str, text: str) -> str:
    """What the encoder reads for a passage: `title` (from `encoder_title`) as context, then its words.

    The title is for the encoder alone; a passage's span and text never contain it.
    """
    return f"{title}\n{text}" if title else text


def split(
    article: Article,
    *,
    max_tokens: int,
    count: Count,
    target_tokens: int = _TARGET_TOKENS,
    overlap_sentences: int = _OVERLAP_SENTENCES,
) -> tuple[Passage, ...]:
    """Cut an article into passages of about `target_tokens`, title and special tokens not counted.

    `count` gives the length of texts in the encoder's own tokens, special tokens included. Each passage begins
    with the last `overlap_sentences` sentences of the one before, as long as they are short. Every sentence lies
    whole in some passage unless it alone is longer than the encoder reads; no passage, with its title, is longer
    than `max_tokens`.
    """
    if max_tokens < _LEAST_TOKENS:
        raise ValueError(
            f"an encoder that reads {max_tokens} tokens is too short for passages: {_LEAST_TOKENS} at least"
        )
    title = encoder_title(article.title, max_tokens=max_tokens, count=count)
    special, context = count(["", encoder_input(title, "")])
    room = max_tokens - context
    units = _units(article.text, room=room, special=special, count=count)
    target = max(1, min(target_tokens, room))
    runs = _with_overlap(units, _runs(units, target=target, room=room), overlap_sentences, target=target, room=room)
    spans = [(units[first].start, units[last].end) for first, last in runs]
    spans = _counted(article.text, spans, units, lambda text: encoder_input(title, text), max_tokens, count)
    return tuple(_passage(article, span) for span in spans)


def _passage(article: Article, span: Span) -> Passage:
    start, end = span
    return Passage(
        id=passage_id(article.id, article.version, start, end),
        article_id=article.id,
        article_version=article.version,
        start=start,
        end=end,
        text=article.text[start:end],
    )


def _units(text: str, *, room: int, special: int, count: Count) -> list[_Unit]:
    """Sentences with their weights, the too long ones cut; all sentences are counted in one call."""

    def weigh(texts: Sequence[str]) -> list[int]:
        sizes = count(texts) if texts else []
        return [
            max(size - special, -(-len(one) // _CHARACTERS_PER_TOKEN)) for one, size in zip(texts, sizes, strict=True)
        ]

    def fits(texts: Sequence[str]) -> list[bool]:
        return [weight <= room for weight in weigh(texts)]

    sentences = split_sentences(text)
    weights = weigh([text[start:end] for start, end in sentences])
    units: list[_Unit] = []
    for index, ((start, end), weight) in enumerate(zip(sentences, weights, strict=True)):
        pieces = [(start, end)] if weight <= room else cut_to_fit(text, (start, end), fits=fits)
        sizes = [weight] if len(pieces) == 1 else weigh([text[a:b] for a, b in pieces])
        before = sentences[index - 1][1] if index else 0
        after = sentences[index + 1][0] if index + 1 < len(sentences) else len(text)
        costs = [_PIECE_CUT] * (len(pieces) - 1) + [_cut_cost(text, before, (start, end), after)]
        units += [_Unit(a, b, size, cost) for (a, b), size, cost in zip(pieces, sizes, costs, strict=True)]
    return units


def _cut_cost(text: str, before: int, sentence: Span, after: int) -> float:
    """What it costs to cut after a sentence, given the ends of its neighbours."""
    start, end = sentence
    gap = text[end:after]
    if "\n\n" not in gap:
        return _LINE_CUT if "\n" in gap else _SENTENCE_CUT
    alone = before == 0 or "\n\n" in text[before:start]
    heading = alone and end - start <= _HEADING_CHARACTERS and text[end - 1] not in '.!?…"”’)。！？؟'
    return _HEADING_CUT if heading else 0.0


def _runs(units: Sequence[_Unit], *, target: int, room: int) -> list[Span]:
    """Group units, first to last, so that the passages' cuts and sizes cost least; exact, by dynamic programming."""
    best = [0.0] + [float("inf")] * len(units)
    came_from = [0] * (len(units) + 1)
    for first in range(len(units)):
        size = 0
        for last in range(first, len(units)):
            size += units[last].weight
            if size > room and last > first:
                break
            miss = (size - target) / target
            cost = best[first] + miss * miss + units[last].cut_cost
            if cost < best[last + 1]:
                best[last + 1], came_from[last + 1] = cost, first
    runs = []
    stop = len(units)
    while stop:
        runs.append((came_from[stop], stop - 1))
        stop = came_from[stop]
    return runs[::-1]


def _with_overlap(
    units: Sequence[_Unit], runs: Sequence[Span], overlap: int, *, target: int, room: int
) -> Iterator[Span]:
    """Let each run begin with the end of the one before: whole units, a quarter of the target size at most."""
    for number, (first, last) in enumerate(runs):
        size = sum(unit.weight for unit in units[first : last + 1])
        most = min(target // 4, room - size)
        begin = first
        floor = max(first - overlap, runs[number - 1][0] + 1) if number else first
        while begin > floor and units[begin - 1].weight <= most:
            begin -= 1
            most -= units[begin].weight
        yield begin, last


def _counted(
    text: str, spans: Sequence[Span], units: Sequence[_Unit], wrap: Callable[[str], str], max_tokens: int, count: Count
) -> list[Span]:
    """Count every passage as the encoder will read it, and cut those in two that the estimate took for shorter.

    Tokens of neighbouring sentences do not add up exactly in every tokenizer.
    """
    starts = [unit.start for unit in units]
    done: list[Span] = []
    pending = list(spans)
    while pending:
        sizes = count([wrap(text[start:end]) for start, end in pending])
        long = [span for span, size in zip(pending, sizes, strict=True) if size > max_tokens and span[1] - span[0] > 1]
        done += [span for span in pending if span not in long]
        pending = [half for span in long for half in _two(text, span, starts, units)]
    return sorted(done)


def _two(text: str, span: Span, starts: Sequence[int], units: Sequence[_Unit]) -> list[Span]:
    """Cut a passage at the sentence end nearest its middle, or inside its only sentence."""
    start, end = span
    first, last = bisect_left(starts, start), bisect_left(starts, end) - 1
    if first >= last:
        return _halve(text, span)
    middle = (first + last) // 2
    return [(start, units[middle].end), (units[middle + 1].start, end)]


def cut_to_fit(text: str, span: Span, *, fits: Callable[[Sequence[str]], Sequence[bool]]) -> list[Span]:
    """Halve a span until `fits` accepts every piece; a single character is never cut.

    The pieces are in order, trimmed of white space and cover everything else. `fits` is called once per level of
    halving, with all the pieces of that level.
    """
    pending, done = [span], []
    while pending:
        verdicts = fits([text[start:end] for start, end in pending])
        judged = list(zip(pending, verdicts, strict=True))
        done += [piece for piece, fine in judged if fine or piece[1] - piece[0] == 1]
        pending = [half for (a, b), fine in judged if not fine and b - a > 1 for half in _halve(text, (a, b))]
    return sorted(done)


def _halve(text: str, span: Span) -> list[Span]:
    """Cut a span of two or more characters near its middle, at the best pause of its middle half."""
    start, end = span
    middle, quarter = (start + end) // 2, (end - start) // 4
    for pause in _PAUSES:
        cuts = [match.end() for match in pause.finditer(text, start + quarter, end - quarter)]
        inner = [cut for cut in cuts if start < cut < end and not _inside_character(text, cut, start)]
        if inner:
            return _trimmed_halves(text, span, min(inner, key=lambda cut: abs(cut - middle)))
    return _trimmed_halves(text, span, _between_characters(text, start, middle, quarter))


def _trimmed_halves(text: str, span: Span, cut: int) -> list[Span]:
    start, end = span
    halves = []
    for low, high in ((start, cut), (cut, end)):
        part = text[low:high]
        if part.strip():
            halves.append((low + len(part) - len(part.lstrip()), low + len(part.rstrip())))
    return halves


def _between_characters(text: str, start: int, middle: int, reach: int) -> int:
    """The place nearest to `middle` that splits no character as a reader sees it; `middle` if all of them do."""
    for distance in range(reach):
        for cut in (middle - distance, middle + distance):
            if not _inside_character(text, cut, start):
                return cut
    return middle


def _inside_character(text: str, cut: int, start: int) -> bool:
    """Whether a cut parts code points that readers see as one character: accents, emoji sequences, flags, Hangul.

    `start` is the last place before known to part none. Covers the common cases of
    https://www.unicode.org/reports/tr29/ by the standard library alone.
    """
    before, after = text[cut - 1], text[cut]
    if after < "\u0300":
        return before == _JOINER or (before == "\r" and after == "\n")
    if unicodedata.category(after) in {"Mn", "Me", "Mc"} or _JOINER in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, flag tags
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        flag = cut
        while flag > start and _is_flag_letter(text[flag - 1]):
            flag -= 1
        return (cut - flag) % 2 == 1
    return "\u1160" <= after <= "\u11ff" and ("\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3")


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
