"""Takes a drafted sentence and the sources, gives it judged: what supports it, in the exact words of an article."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from embeddings.types import Article, StoredPassage
from qa.generation.citation_markers import resolve
from qa.generation.clause_coverage import speaks_of_all
from qa.generation.context import Source
from qa.generation.injection import is_order
from qa.generation.sanitize import plain
from qa.grounding.checker import Context, Mismatch, Support, SupportChecker, SupportingSpan
from qa.language.words import words_of
from qa.types import Verdict

__all__ = ["Judged", "Quoted", "is_fragment", "judge"]


class Quoted(msgspec.Struct, frozen=True, kw_only=True):
    """Words of an article, held against the stored article: `article.text[start:end] == text`."""

    stored: StoredPassage
    start: int
    end: int
    text: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted sentence after its check."""

    text: str
    """Plain text without markers; empty where the sentence is none, or holds what no answer may."""
    verdict: Verdict
    score: float
    quotes: tuple[Quoted, ...]
    """The words that support it, best first; empty unless something does."""
    unresolved: int
    """Its markers that name no source."""
    inexact: int = 0
    """Quotes withheld because the stored article no longer has them there."""
    nearest: tuple[Quoted, ...] = ()
    """The words of the sources nearest to it, best first, whether or not they support it."""
    mismatches: tuple[Mismatch, ...] = ()
    """What the sources do not say, or say otherwise; places in `text`."""


def judge(
    sentence: str,
    *,
    label: str,
    sources: Sequence[Source],
    checker: SupportChecker,
    question: str,
    article: Callable[[str, str], Article | None],
) -> Judged:
    """Check a sentence against the sources it names, and where those do not support it, against all of them.

    A marker is thus a hint where to look first, and never makes a citation by itself. Blocking.
    """
    marked = resolve(sentence, label=label, sources=len(sources))
    text = plain(marked.text, sources=[source.text for source in sources])
    if text is None or is_fragment(text):
        return Judged(text="", verdict="unsupported", score=0.0, quotes=(), unresolved=marked.unresolved)
    support, among = _support(text, marked.sources, sources, checker, question)
    nearest = tuple(_quoted(span, among[span.index]) for span in support.spans)
    quotes = nearest if support.verdict in _SUPPORTING else ()
    inexact = sum(not _is_exact(quote, article) for quote in quotes)
    # Quotes bear a sentence out together: without one of them, or with one that is an order, nothing does.
    known = " ".join([question, *(quote.stored.title for quote in quotes)])
    borne_out = (
        quotes
        and not inexact
        and not any(is_order(quote.text) for quote in quotes)
        and speaks_of_all(text, [quote.text for quote in quotes], known=known)
    )
    return Judged(
        text=text,
        verdict=support.verdict if borne_out or support.verdict not in _SUPPORTING else "unsupported",
        score=support.score,
        quotes=quotes if borne_out else (),
        unresolved=marked.unresolved,
        inexact=inexact,
        nearest=nearest,
        mismatches=support.mismatches,
    )


_LEAST_WORDS = 3
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts that put no spaces between words: Thai, Lao, Japanese, Chinese."""
_SUPPORTING: frozenset[Verdict] = frozenset({"supported", "partly_supported"})


def is_fragment(text: str) -> bool:
    """Whether a text is a word or two, which say nothing that could be borne out: "1,214."."""
    return len(words_of(text)) < _LEAST_WORDS and not _UNSPACED.search(text)


def _support(
    text: str, named: Sequence[int], sources: Sequence[Source], checker: SupportChecker, question: str
) -> tuple[Support, Sequence[Source]]:
    """The judgement, and the sources that the indexes of its spans refer to."""
    cited = [sources[index] for index in named]
    if cited and len(cited) < len(sources):
        support = _check(text, cited, checker, question)
        if support.verdict == "supported":
            return support, cited
    return _check(text, sources, checker, question), sources


def _check(text: str, sources: Sequence[Source], checker: SupportChecker, question: str) -> Support:
    contexts = [Context(title=source.stored.title, published_at=source.stored.published_at) for source in sources]
    return checker.check(text, [source.text for source in sources], question=question, contexts=contexts)


def _quoted(span: SupportingSpan, source: Source) -> Quoted:
    words = source.text[span.start : span.end]
    start = source.start + span.start + len(words) - len(words.lstrip())
    words = words.strip()
    return Quoted(stored=source.stored, start=start, end=start + len(words), text=words)


def _is_exact(quote: Quoted, article: Callable[[str, str], Article | None]) -> bool:
    found = article(quote.stored.passage.article_id, quote.stored.passage.article_version)
    return found is not None and quote.text != "" and found.text[quote.start : quote.end] == quote.text
