"""Numbers that tell the words that answer from the other words of the sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qa.extractive.alignment import Alignment, ReadQuestion
from qa.extractive.candidates import SPAN_KINDS, Candidate
from qa.extractive.expectation import KINDS
from qa.extractive.sentence_features import FITTING, asked_nouns, inside, unit_similarity
from qa.extractive.words import Word, is_name

__all__ = ["SPAN_FEATURES", "span_features"]

SPAN_FEATURES = (
    "fits", "ask_mean", "ask_max", "overlap", "soft_overlap", "proximity", "nearest", "words", "characters", "starts",
    "after_of", "after_preposition", "before_mark", "capital_share", "digit_share", "whole_run", "noun_inside",
    "noun_soft", "unit_soft", *(f"{kind}_{span}" for kind in KINDS for span in SPAN_KINDS),
)  # fmt: skip
_PREPOSITIONS = frozenset({"in", "at", "by", "on", "to", "from", "near", "as"})


def span_features(
    question: ReadQuestion, text: str, sentence: Alignment, candidate: Candidate
) -> npt.NDArray[np.float32]:
    """One row of `SPAN_FEATURES` for a candidate of the sentence `text`."""
    indices = inside(sentence, candidate)
    values = (
        _form(text, sentence, candidate, indices) | _meeting(question, sentence, indices) | _kinds(question, candidate)
    )
    return np.array([values[name] for name in SPAN_FEATURES], np.float32)


def _form(text: str, sentence: Alignment, candidate: Candidate, indices: Sequence[int]) -> dict[str, float]:
    """What the candidate looks like and what stands around it."""
    words = [sentence.words[i] for i in indices]
    before = next((w.text.casefold() for w in reversed(sentence.words) if w.end <= candidate.start), "")
    return {
        "words": len(words) / 5.0,
        "characters": (candidate.end - candidate.start) / 30.0,
        "starts": float(candidate.start == 0),
        "after_of": float(before == "of"),
        "after_preposition": float(before in _PREPOSITIONS),
        "before_mark": float(text[candidate.end : candidate.end + 1] in {",", ".", ";"}),
        "capital_share": sum(word.capital for word in words) / max(len(words), 1),
        "digit_share": sum(word.number for word in words) / max(len(words), 1),
        "whole_run": float(_is_whole_run(sentence.words, indices)),
    }


def _meeting(question: ReadQuestion, sentence: Alignment, indices: Sequence[int]) -> dict[str, float]:
    """How the candidate's words meet the question's."""
    nothing = ("ask_mean", "ask_max", "overlap", "soft_overlap", "proximity", "nearest", "noun_inside", "noun_soft")
    if not indices:
        return {**dict.fromkeys(nothing, 0.0), "unit_soft": 0.0}
    columns = list(indices)
    ask = sentence.ask_similarity[columns]
    soft, same = sentence.similarity[:, columns], sentence.same_stem[:, columns]
    nouns = asked_nouns(question)
    proximity, nearest = _proximity(sentence, columns)
    return {
        "ask_mean": float(ask.mean()),
        "ask_max": float(ask.max()),
        "overlap": float(same.any(axis=0).mean()) if same.size else 0.0,
        "soft_overlap": float(soft.max(axis=0).mean()) if soft.size else 0.0,
        "proximity": proximity,
        "nearest": nearest,
        "noun_inside": float(same[nouns].any()),
        "noun_soft": float(soft[nouns].max()) if soft[nouns].size else 0.0,
        "unit_soft": unit_similarity(question, sentence, columns[-1]),
    }


def _kinds(question: ReadQuestion, candidate: Candidate) -> dict[str, float]:
    """The kind asked for crossed with the kind found."""
    asked = question.expectation.kind
    crossed = {f"{kind}_{span}": 0.0 for kind in KINDS for span in SPAN_KINDS}
    crossed[f"{asked}_{candidate.kind}"] = 1.0
    return {**crossed, "fits": float(candidate.kind in FITTING.get(asked, ()))}


def _proximity(sentence: Alignment, columns: Sequence[int]) -> tuple[float, float]:
    """How near a candidate stands to the words that the question's words meet: weighted mean, and best."""
    if not sentence.similarity.size:
        return 0.0, 0.0
    scores = np.where(sentence.same_stem, np.float32(1.0), sentence.similarity)
    scores[:, list(columns)] = -1.0
    where, weight = scores.argmax(axis=1), np.maximum(scores.max(axis=1), 0.0)
    distance = np.minimum(np.abs(where - columns[0]), np.abs(where - columns[-1]))
    near = weight / (1.0 + distance)
    return float(near.sum() / max(float(weight.sum()), 1e-6)), float(near.max())


def _is_whole_run(words: Sequence[Word], indices: Sequence[int]) -> bool:
    """Whether no name or number stands right beside the candidate, so that none is cut in two."""
    if not indices:
        return False
    beside = [i for i in (indices[0] - 1, indices[-1] + 1) if 0 <= i < len(words)]
    return not any(is_name(words[i]) or words[i].number for i in beside)
