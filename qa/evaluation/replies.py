"""One form for what a prediction said and cited, whether our own reply or an OpenAI-compatible one.

A link may point at words of a page (`#:~:text=…`), as in "URL Fragment Text Directives" (WICG draft, 2023):
`[prefix-,]start[,end][,-suffix]`, percent-encoded.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.cleaning.identity import normalised_url
from qa.answers import ABSTENTION
from qa.evaluation import CitedArticle, ForeignAnswer, ForeignCitation, Prediction
from qa.evaluation.metrics.answers import is_exact_span, overlaps
from qa.types import Answer, Citation, SearchResult, ShortAnswer

Articles = Mapping[tuple[str, str], CitedArticle]
"""By id and version."""
_DECLINED = re.compile(
    r"\A\W*(?:i(?:'m| am) sorry|sorry|i (?:do not|don't|cannot|can't) (?:know|answer|find)|"
    r"(?:the|no) (?:articles?|sources?|context|documents?|passages?)\b[^.]{0,40}\b(?:not?|answers?)\b)",
    re.IGNORECASE,
)
"""How models decline: in their first words, saying that they or the sources cannot."""
_SERVED = re.compile(r"/api/articles/([^/?#]+)\?version=([0-9a-f]{64})(?:[#&]|$)")
"""Where this project's own server links to for an article that has no address."""
_DIRECTIVE = re.compile(r"#.*?:~:(?:[^#]*&)?text=([^&]+)")


class Cited(msgspec.Struct, frozen=True, kw_only=True):
    """One citation."""

    article_id: str | None
    url: str | None
    title: str
    published_at: str | None
    text: str
    """The cited words; the whole article, where it is known, of a foreign server that names only its address."""
    span: tuple[int, int] | None
    exact: bool | None
    """None where no exact words were claimed."""
    article: CitedArticle | None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with its citations."""

    text: str
    start: int
    cited: tuple[Cited, ...]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    text: str
    short: str | None
    declined: bool
    claims: tuple[Said, ...]
    citations: tuple[Cited, ...]
    short_exact: bool | None
    confidence: float | None
    retrieved: tuple[SearchResult, ...]


def reply(prediction: Prediction, articles: Articles) -> Reply | None:
    """What was said; None where asking failed."""
    if prediction.answer is not None:
        return _native(prediction.answer, articles)
    if prediction.foreign is not None:
        return _foreign(prediction.foreign, articles)
    return None


def served_as(url: str) -> tuple[str, str] | None:
    """Id and version in a link to an article that a Sourceline serves itself; None for any other link."""
    found = _SERVED.search(url)
    return (unquote(found[1]), found[2]) if found else None


def _native(answer: Answer, articles: Articles) -> Reply:
    cited = {citation.id: _cited(citation, articles) for citation in answer.citations}
    short = answer.short_answer
    return Reply(
        text=answer.answer,
        short=short.text if short else None,
        declined=answer.answer_mode == "abstained",
        claims=tuple(
            Said(text=claim.text, start=claim.start, cited=tuple(cited[n] for n in claim.citation_ids if n in cited))
            for claim in answer.claims
        ),
        citations=tuple(cited.values()),
        short_exact=_exact(short, articles, short.text) if short else None,
        confidence=answer.support_score,
        retrieved=answer.search_results,
    )


def _cited(citation: Citation, articles: Articles) -> Cited:
    return Cited(
        article_id=citation.article_id,
        url=citation.url,
        title=citation.title,
        published_at=citation.published_at,
        text=citation.cited_text,
        span=(citation.start_char_index, citation.end_char_index),
        exact=_exact(citation, articles, citation.cited_text),
        article=articles.get((citation.article_id, citation.article_version)),
    )


def _exact(quoted: Citation | ShortAnswer, articles: Articles, words: str) -> bool:
    article = articles.get((quoted.article_id, quoted.article_version))
    text = article.text if article else None
    return is_exact_span(text, quoted.start_char_index, quoted.end_char_index, words=words)


def _foreign(answer: ForeignAnswer, articles: Articles) -> Reply:
    by_url = {normalised_url(one.url): one for one in articles.values() if one.url}
    placed = [(one, _named(one, by_url, articles)) for one in answer.citations]
    declined = not answer.text.strip() or (
        not answer.citations and (answer.text.strip() == ABSTENTION or bool(_DECLINED.match(answer.text)))
    )
    return Reply(
        text=answer.text,
        short=None,
        declined=declined,
        # Where the words of no source are known, nothing can be said about the claims: not that they are unsupported.
        claims=_sentences(answer.text, placed) if articles and not declined else (),
        citations=tuple(cited for _, cited in placed),
        short_exact=None,
        confidence=None,
        retrieved=(),
    )


def _named(citation: ForeignCitation, by_url: Mapping[str | None, CitedArticle], articles: Articles) -> Cited:
    served = served_as(citation.url)
    article = by_url.get(normalised_url(citation.url)) or (articles.get(served) if served else None)
    span = words_pointed_at(citation.url, article.text) if article else None
    return Cited(
        article_id=article.id if article else None,
        url=citation.url,
        title=citation.title or (article.title if article else ""),
        published_at=article.published_at if article else None,
        text=article.text[slice(*span)] if article and span else article.text if article else "",
        span=span,
        exact=None,
        article=article,
    )


def _sentences(text: str, placed: Sequence[tuple[ForeignCitation, Cited]]) -> tuple[Said, ...]:
    """Sentences as claims; a citation belongs to those its words touch, without a place to all."""
    return tuple(
        Said(
            text=text[start:end],
            start=start,
            cited=tuple(
                cited
                for citation, cited in placed
                if citation.start is None
                or citation.end is None
                or overlaps((start, end), (citation.start, citation.end))
            ),
        )
        for start, end in split_sentences(text)
    )


def words_pointed_at(url: str, text: str) -> tuple[int, int] | None:
    """The span of the words that a link points at; None where it points at none, or they are not in the text.

    >>> words_pointed_at("https://news.example/1#:~:text=was%20shut,on%20Monday", "It was shut by six on Monday.")
    (3, 28)
    """
    found = _DIRECTIVE.search(url)
    if not found:
        return None
    parts = found[1].split(",")
    before = unquote(parts.pop(0)[:-1]) if len(parts) > 1 and parts[0].endswith("-") else ""
    if len(parts) > 1 and parts[-1].startswith("-"):
        parts.pop()
    start, *ends = (unquote(part) for part in parts)
    first = _found(start, text, _found(before, text, 0)[1] if before else 0)
    last = _found(ends[0], text, first[1]) if ends else first
    return (first[0], last[1]) if first[0] >= 0 and last[0] >= 0 and start else None


def _found(words: str, text: str, after: int) -> tuple[int, int]:
    """Where words first stand, spaces of any kind and number being the same; (-1, after) where they do not."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    match = re.compile(pattern, re.IGNORECASE).search(text, after) if pattern else None
    return match.span() if match else (-1, after)
