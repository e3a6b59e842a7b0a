"""Takes evidence, gives the few dozen sentences worth reading closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from embeddings.sentences import split_sentences
from qa.extractive.expectation import Expectation
from qa.extractive.words import words_of
from qa.types import Evidence

__all__ = ["SentenceAt", "pick_sentences"]


class SentenceAt(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with its place: `article.text[start:end] == text`."""

    text: str
    start: int
    end: int
    evidence: int
    """Index of the evidence it was found in (the best-ranked one, where passages overlap)."""
    position: int
    """Index among the sentences of that passage."""
    before: str
    """The sentence before it in that passage; empty for the first."""


def pick_sentences(expectation: Expectation, evidence: Sequence[Evidence], *, limit: int) -> tuple[SentenceAt, ...]:
    """Keep the `limit` sentences that share most with the question, from passages in order of rank.

    Cheap on purpose (no encoding): shared word stems, then the passage's rank.
    """
    wanted = {word.stem: 1.5 if word.number or word.capital else 1.0 for word in expectation.content}
    sentences = _sentences(evidence)
    scored = sorted(sentences, key=lambda sentence: _priority(sentence, wanted, evidence), reverse=True)
    return tuple(sorted(scored[:limit], key=lambda sentence: (sentence.evidence, sentence.start)))


def _sentences(evidence: Sequence[Evidence]) -> list[SentenceAt]:
    """All sentences of all passages, each place of an article once."""
    seen: set[tuple[str, int, int]] = set()
    found = []
    for index, item in enumerate(evidence):
        passage = item.stored.passage
        before = ""
        for position, (start, end) in enumerate(split_sentences(passage.text)):
            text, previous = passage.text[start:end], before
            before = text
            place = (passage.article_id, passage.start + start, passage.start + end)
            if place in seen:
                continue
            seen.add(place)
            found.append(
                SentenceAt(text=text, start=place[1], end=place[2], evidence=index, position=position, before=previous)
            )
    return found


def _priority(sentence: SentenceAt, wanted: Mapping[str, float], evidence: Sequence[Evidence]) -> float:
    stems = {word.stem for word in words_of(sentence.text)}
    shared = sum(weight for stem, weight in wanted.items() if stem in stems)
    return shared / max(sum(wanted.values()), 1.0) + evidence[sentence.evidence].score - 0.02 * sentence.evidence
