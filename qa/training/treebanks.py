"""Sentences of CoNLL-U files (Universal Dependencies) as trees over our own words.

A treebank cuts finer than we do: "don't" is two of its tokens, "West-Coast" three, and punctuation is a token that is
no word of ours. A word of ours takes the place in the tree of the highest of its tokens. As its head has a
higher one always, what comes out has no circle, whatever was joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.chunking.sentences import split_sentences
from embeddings.encoders import Encoder
from qa.evaluation.benchmarks.grounding_sets import GroundingRow
from qa.evaluation.types import InvalidDataset
from qa.grounding import Provenance
from qa.grounding.aligned import Judged, judge
from qa.grounding.features import word_features
from qa.grounding.tree_comparison import grammar_for
from qa.language.words import Word, words_of

__all__ = [
    "ClaimExample",
    "Token",
    "Treebank",
    "TreebankSentence",
    "claims_of",
    "edited_words",
    "over_words",
    "read_examples",
    "read_treebank",
    "relation_name",
]


ROOT = -1
_TOLD_APART = frozenset("acl:relcl aux:pass compound:prt csubj:pass nmod:poss nsubj:pass obl:agent".split(" "))
"""Subtypes of relations that say who does what; all others count as what they are subtypes of."""

Span = tuple[int, int]


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A syntactic word as the treebank cuts it: `start` and `end` are those of what is written there."""

    start: int
    end: int
    head: int
    """Place of its head among the tokens, -1 for the root."""
    relation: str


class TreebankSentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with the tree that people drew over it."""

    text: str
    words: tuple[Word, ...]
    heads: tuple[int, ...]
    """For each word the place of its head, -1 for the one root."""
    relations: tuple[str, ...]


class Treebank(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences of one or more files, each text once."""

    sentences: tuple[TreebankSentence, ...]
    left_out: int
    """Sentences without a text, or not cut where we cut, or without any word."""


def read_treebank(paths: Sequence[Path]) -> Treebank:
    """Read files, and all `*.conllu` files below folders.

    Raises InvalidDataset where there is none, or one is no CoNLL-U, or a tree of it is none.
    """
    found: dict[str, TreebankSentence] = {}
    left_out = 0
    for path in _files(paths):
        for sentence in _sentences(path):
            if sentence is None:
                left_out += 1
            else:
                found.setdefault(sentence.text, sentence)
    return Treebank(sentences=tuple(found.values()), left_out=left_out)


def over_words(text: str, tokens: Sequence[Token]) -> TreebankSentence | None:
    """The tree over our words; None where a word of ours is the rest of a token that another word has already.

    A token without a word of ours (punctuation, most symbols) goes, and what hung on it hangs on its head.
    Raises ValueError where the tokens are no tree.
    """
    if tokens and sum(token.head == ROOT for token in tokens) != 1:
        raise ValueError("it does not have exactly one root")
    words = words_of(text)
    owners = [_owner(token, words) for token in tokens]
    depths = [len(list(_above(place, tokens))) for place in range(len(tokens))]
    highest: dict[int, int] = {}
    for place in sorted(range(len(tokens)), key=depths.__getitem__):
        if (owner := owners[place]) is not None:
            highest.setdefault(owner, place)
    if not words or len(highest) < len(words):
        return None
    top = min(range(len(words)), key=lambda word: depths[highest[word]])
    # Where the root itself went, the highest word that is left becomes it, and others that hung on it come below.
    heads = tuple(ROOT if word == top else _head(highest[word], tokens, owners, top) for word in range(len(words)))
    relations = tuple(
        "root" if head == ROOT else relation_name(tokens[highest[word]].relation) for word, head in enumerate(heads)
    )
    return TreebankSentence(text=text, words=words, heads=heads, relations=relations)


def relation_name(relation: str) -> str:
    """The relation as the parser knows it: without most subtypes.

    >>> [relation_name(name) for name in ("nsubj:pass", "nsubj:outer", "obl:agent", "obl:tmod")]
    ['nsubj:pass', 'nsubj', 'obl:agent', 'obl']
    """
    return relation if relation in _TOLD_APART else relation.partition(":")[0]


def _owner(token: Token, words: Sequence[Word]) -> int | None:
    """The first of our words that a token shares characters with."""
    return next((place for place, word in enumerate(words) if word.start < token.end and token.start < word.end), None)


def _above(place: int, tokens: Sequence[Token]) -> Iterator[int]:
    """The tokens from a token's head up to the root."""
    for _ in tokens:
        place = tokens[place].head
        if place == ROOT:
            return
        yield place
    raise ValueError(f"the heads of token {place + 1} lead in a circle")


def _head(place: int, tokens: Sequence[Token], owners: Sequence[int | None], top: int) -> int:
    """The word of the nearest token above that is part of one; never the own, whose highest token this is."""
    return next((owner for above in _above(place, tokens) if (owner := owners[above]) is not None), top)


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        own = sorted(path.rglob("*.conllu")) if path.is_dir() else [path] if path.is_file() else []
        if not own:
            raise InvalidDataset(f"{path}: no CoNLL-U file; name a *.conllu file, or a folder with such files")
        found += own
    return found


def _sentences(path: Path) -> Iterator[TreebankSentence | None]:
    from conllu import parse_incr
    from conllu.exceptions import ParseException

    read = 0
    try:
        with path.open(encoding="utf-8") as file:
            for rows in parse_incr(file):
                text = str(rows.metadata.get("text", ""))
                yield over_words(text, _tokens(text, rows))
                read += 1
    except (ParseException, ValueError) as error:
        raise InvalidDataset(f"{path}: sentence {read + 1} is no CoNLL-U: {error}") from None


def _tokens(text: str, rows: Sequence[Mapping[str, Any]]) -> list[Token]:
    """The syntactic words of a sentence, at their places in its text; none where the text is not theirs.

    Nodes of the enhanced graph (`8.1`) are not written and are passed over. Of a token that is written as one and read
    as several (`1-2`) each part gets its own characters, or, where the parts are not what is written, all of them.
    """
    parts = [row for row in rows if isinstance(row["id"], int)]
    if [row["id"] for row in parts] != list(range(1, len(parts) + 1)):
        raise ValueError("the numbers of its tokens do not count up from 1")
    joined = {row["id"][0]: row for row in rows if isinstance(row["id"], tuple) and row["id"][1] == "-"}
    found: list[Token] = []
    at = 0
    while len(found) < len(parts):
        place = len(found)
        written = joined.get(place + 1, parts[place])
        own = parts[place : written["id"][2]] if written is not parts[place] else [written]
        at += len(text[at:]) - len(text[at:].lstrip())
        if not text.startswith(written["form"], at):
            return []
        spans = _spans([part["form"] for part in own], written["form"], at)
        found += [_token(part, span, count=len(parts)) for part, span in zip(own, spans, strict=True)]
        at += len(written["form"])
    return found


def _spans(forms: Sequence[str], written: str, start: int) -> list[Span]:
    if "".join(forms) != written:
        return [(start, start + len(written))] * len(forms)
    ends = list(accumulate(map(len, forms), initial=start))
    return list(pairwise(ends))


def _token(row: Mapping[str, Any], span: Span, *, count: int) -> Token:
    head = row["head"]
    if head is None or not 0 <= head <= count:
        raise ValueError(f"token {row['id']} has no head in the sentence")
    return Token(start=span[0], end=span[1], head=head - 1, relation=row["deprel"])


# --- Rows of the grounding sets as the aligned checker reads them, labelled word by word
class ClaimExample(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of a response with what people said of it."""

    set: str
    group: str
    text: str
    supported: bool
    judged: Judged
    word_rows: npt.NDArray[np.float32]
    word_wrong: npt.NDArray[np.bool_] | None
    """For each word, whether it is wrong; None where nobody said which are."""


def claims_of(response: str) -> list[Span]:
    """Spans of the sentences of a response: each is a claim."""
    return list(split_sentences(response))


def read_examples(
    rows: Sequence[GroundingRow], *, encoder: Encoder, told: Callable[[int], None] = lambda _: None
) -> list[ClaimExample]:
    """Read every distinct sentence of these rows once; quotations, which need no weighing, are left out."""
    found: dict[tuple[str, str, bool], ClaimExample] = {}
    grammar = grammar_for(encoder.identity)
    for number, row in enumerate(sorted(rows, key=lambda row: (row.set, row.group))):
        told(number)
        wrong = _wrong(row)
        for span in claims_of(row.response):
            text = row.response[span[0] : span[1]]
            supported = row.supported or (wrong is not None and not any(_meets(span, other) for other in wrong))
            key = (row.group, text, supported)
            if key in found:
                continue
            contexts = [Provenance(title=row.title)]
            judged = judge(text, [row.document], encoder=encoder, grammar=grammar, question="", contexts=contexts)
            if judged is not None:
                found[key] = _example(row, span, supported, wrong, judged)
    return list(found.values())


def _example(
    row: GroundingRow, span: Span, supported: bool, wrong: tuple[Span, ...] | None, judged: Judged
) -> ClaimExample:
    marked = [(start - span[0], end - span[0]) for start, end in wrong or ()]
    words = judged.case.claim.words
    flags = np.array([any(w.start < end and start < w.end for start, end in marked) for w in words], np.bool_)
    known = supported or (wrong is not None and bool(flags.any()))
    return ClaimExample(
        set=row.set,
        group=row.group,
        text=row.response[span[0] : span[1]],
        supported=supported,
        judged=judged,
        word_rows=word_features(judged.case, judged.aligned, judged.mismatches),
        word_wrong=(flags & (not supported)) if known else None,
    )


def _wrong(row: GroundingRow) -> tuple[Span, ...] | None:
    """Where a response is wrong: as annotated, or where it was edited; None where nothing tells."""
    if row.supported:
        return ()
    if row.wrong:
        return row.wrong
    return edited_words(row.original, row.response) if row.original else None


def edited_words(original: str, edited: str) -> tuple[Span, ...] | None:
    """Spans of the words that an edit put in, or before which it took some out; None where there are none.

    >>> edited_words("The net margin rose.", "The net margin fell.")
    ((15, 19),)
    """
    before, after = words_of(original), words_of(edited)
    matcher = SequenceMatcher(None, [w.text for w in before], [w.text for w in after], autojunk=False)
    spans = []
    for kind, _, _, start, end in matcher.get_opcodes():
        if kind != "equal" and after:
            last = min(max(end, start + 1), len(after))
            first = min(start, last - 1)
            spans.append((after[first].start, after[last - 1].end))
    return tuple(spans) or None


def _meets(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
