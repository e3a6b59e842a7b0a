"""Numbers that tell a sentence that answers from one that only shares the topic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.extractive.alignment import Alignment, ReadQuestion
from qa.extractive.candidates import Candidate, SpanKind
from qa.extractive.expectation import KINDS, AnswerKind
from qa.extractive.families import families
from qa.extractive.words import Word, is_name

__all__ = ["FITTING", "SENTENCE_FEATURES", "Context", "asked_nouns", "inside", "sentence_features", "unit_similarity"]

_Row = npt.NDArray[np.float32]
_Floats = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]

FITTING: Mapping[AnswerKind, Collection[SpanKind]] = {
    "number": {"number", "quantity"},
    "quantity": {"quantity", "number"},
    "date": {"date"},
    "person": {"name"},
    "place": {"name"},
    "name": {"name", "quote"},
}
"""Which forms of span can answer which kind of question."""

SENTENCE_FEATURES = (
    "cosine", "soft_mean", "soft_min", "soft_second_min", "exact_share", "near_share", "known_share", "unknown",
    "name_share", "name_known_share", "plain_soft_mean", "plain_soft_min", "plain_exact_share", "matter_soft_mean",
    "matter_soft_min", "family_met", "family_missing", "numbers_unknown", "fitting", "fitting_ask", "fitting_unit",
    "ask_max", "passage_cosine", "passage_score", "passage_rank", "length", "question_length", "position",
    "starts_with_pronoun",
    *(f"kind_{kind}" for kind in KINDS),
)  # fmt: skip
_PRONOUNS = frozenset({"he", "she", "it", "they", "this", "that", "these", "those", "his", "her", "their"})
_NEAR = 0.62
"""Cosine of two contextual word vectors from which they tend to mean the same."""
_FAMILY = 0.8
_UNIT_REACH = 3
"""How many words behind a number may name what it counts."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds a sentence: it may name what the sentence only points at."""

    stems: frozenset[str]
    """Stems of the article's title and of the passage the sentence stands in."""
    passage_cosine: float
    """Cosine of that passage and the question."""
    passage_score: float
    """Fused rank score of that passage, 1 at most."""
    passage_rank: int
    """Its place in the evidence, from 0."""
    before: frozenset[str]
    """Stems of the sentence before it in the passage: what a pronoun at its start most likely stands for."""
    position: int
    """Index of the sentence in its passage."""


def sentence_features(
    question: ReadQuestion, sentence: Alignment, candidates: Sequence[Candidate], context: Context
) -> _Row:
    """One row of `SENTENCE_FEATURES` for a sentence."""
    values = (
        _coverage(question, sentence, context)
        | _expected(question, sentence, candidates)
        | _surroundings(question, sentence, context)
    )
    return np.array([values[name] for name in SENTENCE_FEATURES], np.float32)


def inside(sentence: Alignment, candidate: Candidate) -> list[int]:
    """Indices of the words of a sentence that lie in a candidate."""
    return [i for i, w in enumerate(sentence.words) if w.start >= candidate.start and w.end <= candidate.end]


def asked_nouns(question: ReadQuestion) -> list[int]:
    """Indices, among the question's content words, of the nouns in its question phrase (`how many people`)."""
    start, end = question.expectation.phrase
    return [i for i, word in enumerate(question.expectation.content) if start <= word.start < end]


def unit_similarity(question: ReadQuestion, sentence: Alignment, last: int) -> float:
    """How near the words just behind a candidate's last word are to the noun asked for."""
    nouns = asked_nouns(question)
    behind = _soft(sentence)[nouns, last : last + 1 + _UNIT_REACH]
    return float(behind.max()) if behind.size else 0.0


def _coverage(question: ReadQuestion, sentence: Alignment, context: Context) -> dict[str, float]:
    """How much of what the question is about the sentence, or its surroundings, takes up."""
    content = question.expectation.content
    names = _flags(is_name(word) or word.number for word in content)
    # "He", "It" or "They" at the start stands for a name in the sentence before: that name counts as written.
    meant = names & _flags(word.stem in context.before for word in content) & _starts_with_pronoun(sentence.words)
    soft = np.where(meant, np.float32(1.0), _row_max(_soft(sentence)))
    exact = meant | (_row_max(sentence.same_stem.astype(np.float32)) > 0)
    met = exact | (_row_max(sentence.same_family.astype(np.float32)) > 0)
    familiar = _flags(word.stem in families() for word in content)
    known = exact | _flags(word.stem in context.stems for word in content)
    asked = np.isin(np.arange(len(content)), asked_nouns(question))
    ordered = np.sort(soft) if soft.size else np.ones(1, np.float32)
    return {
        "soft_mean": _mean(soft, empty=0.5),
        "soft_min": float(ordered[0]),
        "soft_second_min": float(ordered[min(1, len(ordered) - 1)]),
        "exact_share": _mean(exact, empty=0.5),
        "near_share": _mean(soft > _NEAR, empty=0.5),
        "known_share": _mean(known, empty=0.5),
        "unknown": float((~known).sum()),
        "name_share": _mean(exact[names], empty=1.0),
        "name_known_share": _mean(known[names], empty=1.0),
        "plain_soft_mean": _mean(soft[~names], empty=0.7),
        "plain_soft_min": _least(soft[~names]),
        "plain_exact_share": _mean(exact[~names], empty=0.5),
        "matter_soft_mean": _mean(soft[~names & ~asked], empty=0.7),
        "matter_soft_min": _least(soft[~names & ~asked]),
        "family_met": _mean(met[familiar], empty=0.5),
        "family_missing": float((~met[familiar]).sum()),
        "numbers_unknown": float((~known & _flags(word.number for word in content)).sum()),
    }


def _expected(question: ReadQuestion, sentence: Alignment, candidates: Sequence[Candidate]) -> dict[str, float]:
    """Whether the sentence holds something of the kind asked for that the question does not name itself."""
    wanted = FITTING.get(question.expectation.kind, ())
    stems = {word.stem for word in question.expectation.content}
    ask, unit = [0.0], [0.0]
    for candidate in candidates:
        if candidate.kind not in wanted:
            continue
        words = inside(sentence, candidate)
        if words and not any(sentence.words[i].stem in stems for i in words):
            ask.append(float(sentence.ask_similarity[words].max()))
            unit.append(unit_similarity(question, sentence, words[-1]))
    return {
        "fitting": min(len(ask) - 1, 4) / 4.0,
        "fitting_ask": max(ask),
        "fitting_unit": max(unit),
        "ask_max": float(sentence.ask_similarity.max()) if sentence.ask_similarity.size else 0.0,
    }


def _surroundings(question: ReadQuestion, sentence: Alignment, context: Context) -> dict[str, float]:
    kind = question.expectation.kind
    return {
        "cosine": sentence.cosine,
        "passage_cosine": context.passage_cosine,
        "passage_score": context.passage_score,
        "passage_rank": min(context.passage_rank, 8) / 8.0,
        "length": float(np.log1p(len(sentence.words))) / 4.0,
        "question_length": len(question.expectation.content) / 10.0,
        "position": min(context.position, 8) / 8.0,
        "starts_with_pronoun": float(_starts_with_pronoun(sentence.words)),
        **{f"kind_{name}": float(kind == name) for name in KINDS},
    }


def _starts_with_pronoun(words: Sequence[Word]) -> bool:
    return bool(words) and words[0].text.casefold() in _PRONOUNS


def _soft(sentence: Alignment) -> _Floats:
    """Similarity of words, 1 for two forms of one word, at least `_FAMILY` within one family."""
    kin = np.where(sentence.same_family, np.maximum(sentence.similarity, np.float32(_FAMILY)), sentence.similarity)
    return np.where(sentence.same_stem, np.float32(1.0), kin)


def _row_max(matrix: _Floats) -> _Floats:
    return np.asarray(matrix.max(axis=1), np.float32) if matrix.size else np.zeros(matrix.shape[0], np.float32)


def _flags(values: Iterable[bool]) -> _Flags:
    return np.fromiter(values, np.bool_)


def _mean(values: _Flags | _Floats, *, empty: float) -> float:
    return float(values.mean()) if values.size else empty


def _least(values: _Floats) -> float:
    return float(values.min()) if values.size else 0.7
