"""Numbers that tell an answering sentence from one that only shares the topic, and an answer's words from the rest."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.extractive.alignment import Alignment, ReadQuestion
from qa.extractive.candidates import Candidate
from qa.extractive.expectation import AnswerKind
from qa.extractive.words import is_name

__all__ = ["SENTENCE_FEATURES", "SPAN_FEATURES", "Context", "sentence_features", "span_features"]

Row = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]

_KINDS: tuple[AnswerKind, ...] = (
    "number", "quantity", "date", "person", "place", "name", "thing", "explanation", "yes_no",
)  # fmt: skip
_SPAN_KINDS = ("number", "quantity", "date", "name", "quote", "phrase")
_FITTING = {
    "number": {"number", "quantity"},
    "quantity": {"quantity", "number"},
    "date": {"date"},
    "person": {"name"},
    "place": {"name"},
    "name": {"name", "quote"},
}

SENTENCE_FEATURES = (
    "cosine", "soft_mean", "soft_min", "soft_second_min", "exact_share", "near_share", "context_share",
    "context_missing", "name_share", "name_context_share", "plain_soft_mean", "plain_soft_min", "plain_exact_share",
    "number_missing", "fitting_candidates", "fitting_ask", "ask_max", "passage_cosine", "passage_score",
    "passage_rank", "length", "question_length", "position", "starts_with_pronoun",
    *(f"kind_{kind}" for kind in _KINDS),
)  # fmt: skip
SPAN_FEATURES = (
    "fits", "ask_mean", "ask_max", "overlap", "soft_overlap", "proximity", "nearest", "words", "characters", "starts",
    "after_of", "capital_share", "digit_share", "whole_run", "preposition_before", "comma_after", "head_inside",
    *(f"{kind}_{span}" for kind in _KINDS for span in _SPAN_KINDS),
)  # fmt: skip
_PRONOUNS = frozenset({"he", "she", "it", "they", "this", "that", "these", "those", "his", "her", "their"})
_NEAR = 0.62


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
    position: int
    """Index of the sentence in its passage."""


def sentence_features(
    question: ReadQuestion, sentence: Alignment, candidates: Sequence[Candidate], context: Context
) -> Row:
    """One row of `SENTENCE_FEATURES` for a sentence."""
    content = question.expectation.content
    best = _row_max(sentence.similarity)
    exact: _Flags = (
        np.asarray(sentence.same_stem.any(axis=1)) if sentence.same_stem.size else np.zeros(len(content), np.bool_)
    )
    known = np.array([hit or word.stem in context.stems for word, hit in zip(content, exact, strict=True)], np.bool_)
    names = np.array([is_name(word) or word.number for word in content], np.bool_)
    numbers = np.array([word.number for word in content], np.bool_)
    ordered = np.sort(np.where(exact, 1.0, best)) if len(best) else np.ones(1)
    fitting = _fitting(question, sentence, candidates)
    kind = question.expectation.kind
    soft = np.where(exact, 1.0, best)
    return np.array(
        [
            sentence.cosine,
            _mean(soft, empty=0.5),
            ordered[0],
            ordered[1] if len(ordered) > 1 else ordered[0],
            _mean(exact, empty=0.5),
            _mean(exact | (best > _NEAR), empty=0.5),
            _mean(known, empty=0.5),
            float((~known).sum()),
            _mean(exact[names], empty=1.0),
            _mean(known[names], empty=1.0),
            _mean(soft[~names], empty=0.7),
            float(soft[~names].min()) if (~names).any() else 0.7,
            _mean(exact[~names], empty=0.5),
            float((~known[numbers]).sum()) if numbers.any() else 0.0,
            min(len(fitting), 4) / 4.0,
            max(fitting, default=0.0),
            float(sentence.ask_similarity.max()) if sentence.ask_similarity.size else 0.0,
            context.passage_cosine,
            context.passage_score,
            min(context.passage_rank, 8) / 8.0,
            np.log1p(len(sentence.words)) / 4.0,
            len(content) / 10.0,
            min(context.position, 8) / 8.0,
            float(bool(sentence.words) and sentence.words[0].stem in _PRONOUNS),
            *(float(kind == name) for name in _KINDS),
        ],
        np.float32,
    )


def span_features(question: ReadQuestion, text: str, sentence: Alignment, candidate: Candidate) -> Row:
    """One row of `SPAN_FEATURES` for a candidate of a sentence."""
    inside = [i for i, word in enumerate(sentence.words) if word.start >= candidate.start and word.end <= candidate.end]
    words = [sentence.words[i] for i in inside]
    stems = {word.stem for word in question.expectation.content}
    kind = question.expectation.kind
    before = [word for word in sentence.words if word.end <= candidate.start][-1:]
    proximity, nearest = _proximity(sentence, inside)
    ask = sentence.ask_similarity[inside] if inside else np.zeros(1)
    soft = sentence.similarity[:, inside] if inside and sentence.similarity.size else np.zeros((1, 1))
    return np.array(
        [
            float(candidate.kind in _FITTING.get(kind, ())),
            float(ask.mean()),
            float(ask.max()),
            _mean(np.array([word.stem in stems for word in words], np.bool_), empty=0.0),
            float(soft.max(axis=0).mean()),
            proximity,
            nearest,
            len(words) / 5.0,
            (candidate.end - candidate.start) / 30.0,
            float(candidate.start == 0),
            float(bool(before) and before[0].text.casefold() == "of"),
            _mean(np.array([word.capital for word in words], np.bool_), empty=0.0),
            _mean(np.array([word.number for word in words], np.bool_), empty=0.0),
            float(_whole_run(sentence, inside)),
            float(bool(before) and before[0].text.casefold() in {"in", "at", "by", "on", "to", "from", "near", "as"}),
            float(text[candidate.end : candidate.end + 1] in {",", ".", ";"}),
            float(_head_inside(question, words)),
            *(float(kind == k and candidate.kind == s) for k in _KINDS for s in _SPAN_KINDS),
        ],
        np.float32,
    )


def _fitting(question: ReadQuestion, sentence: Alignment, candidates: Sequence[Candidate]) -> list[float]:
    """Similarity to the question phrase of each candidate of the expected kind that the question does not name."""
    wanted: Collection[str] = _FITTING.get(question.expectation.kind, ())
    stems = {word.stem for word in question.expectation.content}
    scores = []
    for candidate in candidates:
        if candidate.kind not in wanted:
            continue
        inside = [i for i, w in enumerate(sentence.words) if w.start >= candidate.start and w.end <= candidate.end]
        if inside and not any(sentence.words[i].stem in stems for i in inside):
            scores.append(float(sentence.ask_similarity[inside].max()))
    return scores


def _proximity(sentence: Alignment, inside: Sequence[int]) -> tuple[float, float]:
    """How near a candidate stands to the words that the question's words meet: weighted mean, and best."""
    if not inside or not sentence.similarity.size:
        return 0.0, 0.0
    scores = np.where(sentence.same_stem, 1.0, sentence.similarity).copy()
    scores[:, list(inside)] = -1.0
    where, weight = scores.argmax(axis=1), np.maximum(scores.max(axis=1), 0.0)
    distance = np.minimum(np.abs(where - inside[0]), np.abs(where - inside[-1]))
    near = weight / (1.0 + distance)
    return float(near.sum() / max(weight.sum(), 1e-6)), float(near.max())


def _whole_run(sentence: Alignment, inside: Sequence[int]) -> bool:
    """Whether the words just outside are function words or absent, so that no name or number is cut in two."""
    if not inside:
        return False
    outside = [i for i in (inside[0] - 1, inside[-1] + 1) if 0 <= i < len(sentence.words)]
    return not any(is_name(sentence.words[i]) or sentence.words[i].number for i in outside)


def _head_inside(question: ReadQuestion, words: Sequence[object]) -> bool:
    """Whether the noun behind `which` or `what` is part of the candidate (`which division` - Third Division)."""
    start, end = question.expectation.phrase
    heads = {word.stem for word in question.expectation.content if start <= word.start < end}
    return any(getattr(word, "stem", None) in heads for word in words)


def _row_max(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return matrix.max(axis=1) if matrix.size else np.zeros(matrix.shape[0], np.float32)


def _mean(values: _Flags | npt.NDArray[np.float32], *, empty: float) -> float:
    return float(values.mean()) if values.size else empty
