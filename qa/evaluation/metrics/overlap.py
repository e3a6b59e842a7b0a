"""The floors of grounding: what counting shared words, and no more, makes of a claim and its document."""

from __future__ import annotations

from collections.abc import Sequence

from qa.language.words import words_of

__all__ = ["absent_words", "ngram_overlap", "span_f1", "subset_f1"]

Span = tuple[int, int]


def ngram_overlap(response: str, document: str, *, n: int) -> float:
    """Share of the response's word n-grams that stand in the document (ROUGE-n precision, Lin, 2004).

    >>> ngram_overlap("the mayor resigned", "The mayor won.", n=1)
    0.6666666666666666
    """
    ours, theirs = _ngrams(response, n), set(_ngrams(document, n))
    return sum(gram in theirs for gram in ours) / len(ours) if ours else 1.0


def absent_words(response: str, document: str) -> tuple[Span, ...]:
    """Spans of the response's words that the document does not have: the floor of span detection.

    >>> absent_words("The mayor resigned.", "The mayor won.")
    ((10, 18),)
    """
    theirs = {word.text.casefold() for word in words_of(document)}
    return tuple((word.start, word.end) for word in words_of(response) if word.text.casefold() not in theirs)


def span_f1(predicted: Sequence[Sequence[Span]], marked: Sequence[Sequence[Span]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of characters, all responses pooled (as RAGTruth and LettuceDetect count).

    >>> span_f1([[(0, 4)]], [[(2, 6)]])
    (0.5, 0.5, 0.5)
    """
    ours = [_characters(spans) for spans in predicted]
    theirs = [_characters(spans) for spans in marked]
    common = sum(len(one & other) for one, other in zip(ours, theirs, strict=True))
    said, wanted = sum(map(len, ours)), sum(map(len, theirs))
    precision, recall = common / said if said else 0.0, common / wanted if wanted else 0.0
    return precision, recall, 2 * common / (said + wanted) if said + wanted else 1.0


def subset_f1(predicted: frozenset[int], accepted: Sequence[frozenset[int]]) -> float:
    """Best F1 of a set of sentences against the accepted sets (as WiCE scores supporting sentences).

    >>> subset_f1(frozenset({1, 2}), [frozenset({1}), frozenset({3})])
    0.6666666666666666
    """
    return max(
        (2 * len(predicted & one) / (len(predicted) + len(one)) if one else 0.0 for one in accepted), default=0.0
    )


def _ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    words = [word.text.casefold() for word in words_of(text)]
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _characters(spans: Sequence[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}
