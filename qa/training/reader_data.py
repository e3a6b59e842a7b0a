"""Windows to train a reader: a question with a passage as it sees them, and where the answer is.

In service a question meets the passages that retrieval holds for nearest, nearly all of them about the same matter
and without the answer. A reader that saw each passage alone tells answers from no answers, and is as sure of words of
the right kind in a neighbour as of the answer. So each question is also given beside passages that are near it and do
not answer it, and these are weighed against each other (Clark and Gardner 2018, "shared normalization"; Karpukhin et
al. 2020, hard negatives of the retriever's own).
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from embeddings.encoders import Encoder

if TYPE_CHECKING:
    from tokenizers import Tokenizer


CONTEXT_TOKENS = (110, 220)
"""The longest stretch of a text in a window is drawn between these: at most what the service cuts passages to, and
less on average, since reading twice as many shorter stretches in the same time teaches more."""
QUESTION_TOKENS = 48
TITLE_TOKENS = 24
TITLE_MARK = "|"
"""Parts a title from the text that it stands before."""
Neighbours = list[tuple[int, ...]]
"""For each row, in order, the rows whose contexts lie near its question and do not hold the answer; empty for none."""
UNTIED = {
    "squad2_train",
    "squad1_train_sample",
    "squad1_train_prefix",
    "squadshifts_new_wiki",
    "nq_dev_oracle",
    "qed_dev_nq",
    "written_news",
    "written_news_further",
    "asked_documents",
}
"""Sources whose questions say what they are about, and can be asked of any passage."""
LOOKED_AT, KEPT, BLOCK = 40, 12, 512


class Span(msgspec.Struct, frozen=True):
    """Words of a context."""

    text: str
    answer_start: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the training files; other fields are passed over."""

    question: str
    context: str
    answers: tuple[Span, ...] = ()
    plausible_answers: tuple[Span, ...] = ()
    """What a careless reader would take, in an unanswerable one."""
    is_impossible: bool = False
    source: str = ""
    group: str = ""
    fold: int | None = None


class Window(msgspec.Struct, frozen=True):
    """Token ids of one input, and the answer's first and last place in it; both 0, the first token, where none is."""

    ids: tuple[int, ...]
    context: int
    """Where the text begins; what stands before it cannot be the answer."""
    first: int
    last: int
    second: int
    """Where the second segment begins: the title, or the text."""


SHARES: Mapping[str, float] = {
    "squad2_unansq_train_matched": 3.0,
    "written_news": 10.0,
    "written_news_further": 10.0,
    "asked_documents": 20.0,
    "fairytaleqa": 0.5,
    "mined_answer_sentence_removed": 0.25,
    "mined_same_article": 0.7,
    "mined_pool_lexical": 0.8,
    "squadshifts_amazon": 0.4,
    "squadshifts_reddit": 0.4,
}
"""How often the rows of a source come in one epoch. Questions that were written to have no answer teach most about
declining; an answer whose sentence was removed can survive in other words."""


def rows_of(path: Path) -> Iterator[Row]:
    """Read one file of questions, gzipped JSON Lines."""
    with gzip.open(path, "rb") as lines:
        decoder = msgspec.json.Decoder(Row)
        for line in lines:
            yield decoder.decode(line)


def share_of(row: Row) -> float:
    """How often a row comes in one epoch, on average."""
    if row.source == "squad2_unansq_pairs" and row.is_impossible:
        return 3.0
    return SHARES.get(row.source, 1.0)


def title_of(row: Row) -> str:
    """The title that the groups of some sources hold: `squad2_train:TITLE:0`, `nq:TITLE`, `written:TITLE`."""
    kind, _, rest = row.group.partition(":")
    if kind == "squad2_train":
        return rest.rpartition(":")[0].replace("_", " ")
    return rest if kind in {"nq", "written"} else ""


class Tokens(msgspec.Struct, frozen=True):
    """A row in tokens."""

    row: Row
    question: tuple[int, ...]
    title: tuple[int, ...]
    context: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    breaks: tuple[int, ...]
    """Tokens that begin a sentence, roughly: those after a full stop."""


def tokens_of(rows: Iterable[Row], tokenizer: Tokenizer) -> list[Tokens]:
    """Cut rows into tokens, each text once."""
    kept = list(rows)
    texts = list(dict.fromkeys(row.context for row in kept))
    encoded = dict(zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True))
    short = list(dict.fromkeys([row.question for row in kept] + [title_of(row) for row in kept] + [TITLE_MARK]))
    ids = {
        text: tuple(each.ids)
        for text, each in zip(short, tokenizer.encode_batch(short, add_special_tokens=False), strict=True)
    }
    stops = {tokenizer.token_to_id(mark) for mark in ".?!"}
    made = []
    for row in kept:
        context = encoded[row.context]
        title = title_of(row)
        made.append(
            Tokens(
                row,
                ids[row.question][:QUESTION_TOKENS],
                (*ids[title][:TITLE_TOKENS], *ids[TITLE_MARK]) if title else (),
                tuple(context.ids),
                tuple(context.offsets),
                (0, *(i + 1 for i, token in enumerate(context.ids[:-1]) if token in stops)),
            )
        )
    return made


def _place(tokens: Tokens, span: Span) -> tuple[int, int] | None:
    """First and last token of a span; None where tokens do not cover it."""
    start, end = span.answer_start, span.answer_start + len(span.text)
    inside = [i for i, (left, right) in enumerate(tokens.offsets) if right > start and left < end]
    return (inside[0], inside[-1]) if inside else None


def window_of(tokens: Tokens, rng: random.Random, *, cls: int, sep: int) -> Window | None:
    """One window: a random stretch of whole sentences that holds the answer, or what only looks like one."""
    row = tokens.row
    spans = row.plausible_answers if row.is_impossible else row.answers
    place = _place(tokens, rng.choice(spans)) if spans else None
    if place is None and not row.is_impossible:
        return None
    begin, end = _stretch(tokens, place, rng)
    # Half of them without: most texts of the training files have no title.
    title = tokens.title if rng.random() < 0.6 else ()
    head = (cls, *tokens.question, sep)
    context = len(head) + len(title)
    ids = (*head, *title, *tokens.context[begin:end], sep)
    if row.is_impossible or place is None:
        return Window(ids, context, 0, 0, len(head))
    if place[1] >= end:
        return None
    return Window(ids, context, context + place[0] - begin, context + place[1] - begin, len(head))


def _stretch(tokens: Tokens, place: tuple[int, int] | None, rng: random.Random) -> tuple[int, int]:
    total, longest = len(tokens.context), rng.randint(*CONTEXT_TOKENS)
    if total <= longest:
        return 0, total
    first, last = place or (total, 0)
    fitting = [at for at in tokens.breaks if at <= first and last < at + longest and at < total - 30]
    begin = rng.choice(fitting) if fitting else max(0, min(first, last - longest // 2))
    ends = [at for at in tokens.breaks if last < at <= begin + longest and at > begin + longest // 2]
    return begin, ends[-1] if ends else min(total, begin + longest)


def epoch_of(rows: Sequence[Tokens], rng: random.Random, *, cls: int, sep: int) -> list[Window]:
    """The windows of one epoch: every row about as often as its source's share says, answers and stretches drawn."""
    windows = []
    for tokens in rows:
        share = share_of(tokens.row)
        for _ in range(int(share) + (rng.random() < share % 1)):
            window = window_of(tokens, rng, cls=cls, sep=sep)
            if window:
                windows.append(window)
    return windows


def other_sentences(rows: Sequence[Row], rng: random.Random, *, share: float) -> list[Row]:
    """Questions about one sentence, put beside another sentence about the same matter: they have no answer there."""
    by_group: dict[str, list[Row]] = {}
    for row in rows:
        by_group.setdefault(row.group, []).append(row)
    made = []
    for row in rows:
        if rng.random() > share:
            continue
        others = [other for other in by_group[row.group] if other.context != row.context]
        other = rng.choice(others or rows)
        if any(answer.text in other.context for answer in row.answers):
            continue
        made.append(msgspec.structs.replace(row, context=other.context, answers=(), is_impossible=True))
    return made


Group = tuple[Window, ...]
"""Windows of one question; where there are several, the first one alone holds the answer."""


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """How questions are put beside their neighbours in an epoch."""

    groups: int
    """Questions of an epoch that come with neighbours."""
    news: float = 2.0
    """How often those on invented news come so, each on average."""
    alone: float = 1.0
    """Share of an epoch's other windows, ..."""
    asked: float = 1.0
    """... and of those that questions on real news give."""
    size: int = 2
    """Neighbours of a question."""


def neighbours_of(rows: Sequence[Row], encoder: Encoder, cache: Path) -> Neighbours:
    """The nearest rows by the encoder that retrieves, nearest first; kept in `cache`, since it takes minutes."""
    if cache.is_file():
        return msgspec.json.decode(cache.read_bytes(), type=Neighbours)
    places = {row.context: number for number, row in enumerate(rows)}
    contexts = list(places)
    vectors = np.concatenate(
        [encoder.encode_passages(contexts[at : at + BLOCK]) for at in range(0, len(contexts), BLOCK)]
    )
    found: Neighbours = []
    for row in rows:
        if row.is_impossible or not row.answers or row.source not in UNTIED:
            found.append(())
            continue
        near = np.argsort(-(vectors @ encoder.encode_query(row.question)), kind="stable")[:LOOKED_AT]
        others = [contexts[number] for number in near if not _answers(contexts[number], row)]
        found.append(tuple(places[context] for context in others[:KEPT]))
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(msgspec.json.encode(found))
    return found


def _answers(context: str, row: Row) -> bool:
    folded = context.casefold()
    return context == row.context or any(answer.text.casefold() in folded for answer in row.answers)


def groups_of(
    tokens: Sequence[Tokens],
    neighbours: Neighbours,
    shape: Neighbourhood,
    rng: random.Random,
    *,
    cls: int,
    sep: int,
) -> list[Group]:
    """So many questions, each with its passage and some of its neighbours."""
    able = [number for number, near in enumerate(neighbours) if len(near) >= shape.size]
    made: list[Group] = []
    for number in rng.sample(able, min(shape.groups, len(able))):
        own = window_of(tokens[number], rng, cls=cls, sep=sep)
        if own is None or not own.first:
            continue
        drawn = rng.sample(neighbours[number], shape.size)
        others = [window_of(_asked_of(tokens[number], tokens[other]), rng, cls=cls, sep=sep) for other in drawn]
        made.append((own, *(other for other in others if other)))
    return made


def _asked_of(asked: Tokens, other: Tokens) -> Tokens:
    """The question of one row put to the passage of another, which does not answer it."""
    row = Row(question=asked.row.question, context=other.row.context, is_impossible=True)
    return msgspec.structs.replace(other, row=row, question=asked.question)
