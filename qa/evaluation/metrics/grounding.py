"""Metrics of citations, and word-overlap baselines.

Source: citation recall and precision of ALCE (Gao, Yen, Yu and Chen, "Enabling Large Language Models to Generate Text
with Citations", 2023, arXiv 2305.14627, section 4). Recall of a claim: all its citations together support it, and it
has any. Precision of a citation: its claim is supported, and the citation either supports it alone or is needed, that
is, without it the others do not support the claim. ALCE averages both over the claims and citations of an answer,
then over answers. Minimality is ours and stricter: no citation of a supported claim can be left out.

A cited span is exact where invariant 1 of this project holds: `text[start:end] == cited words`, for the version that
the citation pins. Overlap of words is the floor of grounding: no support checker may do worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from qa.language.words import words_of

Supports = Callable[[str, Sequence[str]], bool]
"""Whether texts, taken together, say what a claim says."""
Span = tuple[int, int]


class ClaimCitations(msgspec.Struct, frozen=True, kw_only=True):
    """What the citations of one claim are worth."""

    recalled: bool
    precise: tuple[bool, ...]
    """Of each citation, in order."""
    minimal: bool | None
    """None where the claim is not supported: nothing to be minimal about."""


def judge_citations(claim: str, *, cited: Sequence[str], supports: Supports) -> ClaimCitations:
    """Judge one claim with the words of each of its citations.

    >>> both = lambda claim, texts: {"a", "b"} <= set(texts)
    >>> judge_citations("ab", cited=["a", "b"], supports=both).precise
    (True, True)
    >>> judge_citations("ab", cited=["a", "b", "c"], supports=both).precise
    (True, True, False)
    """
    recalled = bool(cited) and supports(claim, cited)
    if not recalled:
        return ClaimCitations(recalled=False, precise=(False,) * len(cited), minimal=None)
    if len(cited) == 1:
        return ClaimCitations(recalled=True, precise=(True,), minimal=True)
    needed = [not supports(claim, [*cited[:n], *cited[n + 1 :]]) for n in range(len(cited))]
    precise = tuple(needed[n] or supports(claim, [text]) for n, text in enumerate(cited))
    return ClaimCitations(recalled=True, precise=precise, minimal=all(needed))


def is_exact_span(text: str | None, start: int, end: int, *, words: str) -> bool:
    """Whether `words` are exactly the characters from `start` to `end`; False where the text is not known.

    >>> is_exact_span("125,000 people", 0, 7, words="125,000"), is_exact_span("125,000 people", 1, 8, words="125,000")
    (True, False)
    """
    # Python would count negative offsets from the end and cut those behind it.
    return text is not None and 0 <= start < end <= len(text) and text[start:end] == words


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two half-open spans share a character."""
    return max(one[0], other[0]) < min(one[1], other[1])


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
