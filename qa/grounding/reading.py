"""Takes texts, gives their sentences read for what can be checked: words, quantities, dates, names, polarity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from embeddings.sentences import split_sentences
from qa.extractive.words import Word, words_of
from qa.grounding.dates import Moment, moments_of, resolved
from qa.grounding.names import Name, names_of
from qa.grounding.polarity import negated
from qa.grounding.protocol import Context
from qa.grounding.quantities import Quantity, quantities_of

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
    background: frozenset[str] = frozenset()
    """Case-folded words of the title, of the sentences before it and of the next: what its pronouns may point at."""

    @property
    def stems(self) -> frozenset[str]:
        """Stems of its words that carry matter."""
        return frozenset(word.stem for word in self.words if not word.stop)


def read_claim(text: str, *, lower: frozenset[str]) -> Sentence:
    """Read a claim; `lower` are the words that the evidence writes small."""
    return _read(text, 0, 0, 0, None, frozenset(), lower)


def read_evidence(texts: Sequence[str], contexts: Sequence[Context], *, lower: frozenset[str]) -> tuple[Sentence, ...]:
    """Cut the evidence into sentences and read each; what stands before a sentence is its background."""
    found: list[Sentence] = []
    for index, text in enumerate(texts):
        context = contexts[index] if index < len(contexts) else Context()
        background = frozenset(word.text.casefold() for word in words_of(context.title))
        spans = split_sentences(text)
        folded = [frozenset(word.text.casefold() for word in words_of(text[start:end])) for start, end in spans]
        for place, (start, end) in enumerate(spans):
            near = background.union(*folded[place + 1 : place + 2])
            found.append(_read(text[start:end], index, start, place, _day(context.published_at), near, lower))
            background |= folded[place]
    return tuple(found)


def lower_words(texts: Sequence[str]) -> frozenset[str]:
    """Words that the texts also write without a capital."""
    return frozenset(word.text for text in texts for word in words_of(text) if word.text.islower())


def _read(
    text: str,
    index: int,
    start: int,
    place: int,
    published: date | None,
    background: frozenset[str],
    lower: frozenset[str],
) -> Sentence:
    words = words_of(text)
    moments = moments_of(text)
    return Sentence(
        index=index,
        start=start,
        end=start + len(text),
        text=text,
        place=place,
        words=words,
        negated=negated(text, words),
        quantities=tuple(
            q for q in quantities_of(text) if not any(m.start < q.end and q.start < m.end for m in moments)
        ),
        moments=tuple(full for moment in moments for full in resolved(moment, published)),
        names=names_of(text, lower=lower),
        background=background,
    )


def _day(published_at: str | None) -> date | None:
    try:
        return date.fromisoformat(published_at[:10]) if published_at else None
    except ValueError:
        return None
