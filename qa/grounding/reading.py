"""Takes texts, gives their sentences read for what can be checked: words, quantities, dates, names, polarity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.grounding.checker import Context
from qa.language.dates import Moment, moments_of, resolved
from qa.language.names import Name, names_of
from qa.language.polarity import negated
from qa.language.quantities import Quantity, quantities_of
from qa.language.words import Word, words_of

__all__ = ["Sentence", "lower_words", "read_claim", "read_evidence"]


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the evidence, or the claim; offsets inside are those of `text`."""

    index: int
    """Which text of the evidence it stands in."""
    start: int
    end: int
    text: str
    place: int
    """Its number among the sentences of that text."""
    words: tuple[Word, ...]
    negated: tuple[bool, ...]
    quantities: tuple[Quantity, ...]
    moments: tuple[Moment, ...]
    names: tuple[Name, ...]
    stems: frozenset[str]
    """Stems of its words that carry matter."""
    background: frozenset[str] = frozenset()
    """Case-folded words of the title, of the sentences before it and of the next: what its pronouns may point at."""


def read_claim(text: str, *, lower: frozenset[str]) -> Sentence:
    """Read a claim; `lower` are the words that the evidence writes small."""
    return _read(text, words_of(text), lower)


def read_evidence(texts: Sequence[str], contexts: Sequence[Context]) -> tuple[Sentence, ...]:
    """Cut the evidence into sentences and read each; what stands before a sentence is its background."""
    known = [*contexts, *(Context() for _ in range(len(texts) - len(contexts)))]
    return tuple(
        sentence if sentence.index == index else msgspec.structs.replace(sentence, index=index)
        for index, (text, context) in enumerate(zip(texts, known, strict=False))
        for sentence in _read_text(text, context)
    )


def lower_words(sentences: Sequence[Sentence]) -> frozenset[str]:
    """Words that sentences also write without a capital."""
    return frozenset(word.text for sentence in sentences for word in sentence.words if word.text.islower())


@lru_cache(maxsize=64)
def _read_text(text: str, context: Context) -> tuple[Sentence, ...]:
    """One text, read once for all the claims of an answer."""
    spans = list(split_sentences(text))
    words = [words_of(text[start:end]) for start, end in spans]
    lower = frozenset(word.text for own in words for word in own if word.text.islower())
    folded = [frozenset(word.text.casefold() for word in own) for own in words]
    background = frozenset(word.text.casefold() for word in words_of(context.title))
    found = []
    for place, (start, end) in enumerate(spans):
        sentence = _read(text[start:end], words[place], lower, _day(context.published_at))
        near = background.union(*folded[place + 1 : place + 2])
        found.append(msgspec.structs.replace(sentence, start=start, end=end, place=place, background=near))
        background |= folded[place]
    return tuple(found)


def _read(text: str, words: tuple[Word, ...], lower: frozenset[str], published: date | None = None) -> Sentence:
    moments = moments_of(text)
    return Sentence(
        index=0,
        start=0,
        end=len(text),
        text=text,
        place=0,
        words=words,
        negated=negated(text, words),
        quantities=tuple(
            q for q in quantities_of(text) if not any(m.start < q.end and q.start < m.end for m in moments)
        ),
        moments=tuple(full for moment in moments for full in resolved(moment, published)),
        names=names_of(text, words=words, lower=lower),
        stems=frozenset(word.stem for word in words if not word.stop),
    )


def _day(published_at: str | None) -> date | None:
    try:
        return date.fromisoformat(published_at[:10]) if published_at else None
    except ValueError:
        return None
