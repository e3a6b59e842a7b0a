"""Takes one example with its prediction and scores, gives what a report shows of it, cut into marked pieces."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qa.evaluation.relevance import gold_articles, gold_key
from qa.evaluation.replies import Articles, Cited, Reply, Said, reply
from qa.evaluation.types import ClaimScore, Example, ExampleScores, Prediction
from qa.types import SearchResult

__all__ = ["Piece", "QuestionView", "Quotation", "Retrieved", "view"]

_AROUND = 320
"""Characters of the article shown on either side of cited words."""
_PASSAGE = 320


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A run of text and how it is marked."""

    text: str
    kind: str = ""
    numbers: tuple[int, ...] = ()
    """Of the citations that stand at its end."""


class Quotation(msgspec.Struct, frozen=True, kw_only=True):
    """Cited words where they stand in their article."""

    number: int
    about: str
    url: str
    pieces: tuple[Piece, ...]
    fault: str
    """What is wrong with it; empty where the words are exact."""


class Retrieved(msgspec.Struct, frozen=True, kw_only=True):
    """One search result."""

    about: str
    text: str
    is_gold: bool


class QuestionView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of one question."""

    example: Example
    scores: ExampleScores
    answer: tuple[Piece, ...]
    short: str
    failure: str
    quotations: tuple[Quotation, ...]
    retrieved: tuple[Retrieved, ...]


def view(example: Example, scores: ExampleScores, *, prediction: Prediction | None, articles: Articles) -> QuestionView:
    """What is shown of one question."""
    said = reply(prediction, articles) if prediction else None
    failure = "" if said else "it was not asked"
    if prediction is not None and prediction.failure is not None:
        failure = f"{prediction.failure.kind}: {prediction.failure.message}"
    results = (prediction.ranked if prediction else None) or (said.retrieved if said else ())
    return QuestionView(
        example=example,
        scores=scores,
        answer=_answer(said, scores.claims) if said else (),
        short=(said.short or "") if said else "",
        failure=failure,
        quotations=tuple(_quotation(n, one) for n, one in enumerate(said.citations, start=1)) if said else (),
        retrieved=_retrieved(results, gold_articles(example)),
    )


def _answer(said: Reply, judged: Sequence[ClaimScore]) -> tuple[Piece, ...]:
    """The answer with its claims marked by verdict and followed by the numbers of their citations."""
    if not said.claims:
        return (Piece(text=said.text),)
    pieces: list[Piece] = []
    done = 0
    for claim, score in zip(said.claims, judged, strict=False):
        pieces.append(Piece(text=said.text[done : claim.start]))
        done = claim.start + len(claim.text)
        pieces.append(Piece(text=claim.text, kind=score.verdict, numbers=_numbers(claim, said.citations)))
    pieces.append(Piece(text=said.text[done:]))
    return tuple(piece for piece in pieces if piece.text)


def _numbers(claim: Said, citations: Sequence[Cited]) -> tuple[int, ...]:
    return tuple(number for number, one in enumerate(citations, start=1) if one in claim.cited)


def _quotation(number: int, cited: Cited) -> Quotation:
    about = " — ".join(filter(None, (cited.title or cited.article_id, (cited.published_at or "")[:10])))
    fault = ""
    if cited.article is None:
        fault = "the cited article version is not among what the run kept: nothing shows that it says so"
    elif cited.span is None:
        fault = "it names the article, and no words of it"
    elif cited.exact is False:
        fault = "these are not the words at the cited place of the article"
    return Quotation(number=number, about=about, url=cited.url or "", pieces=_in_article(cited), fault=fault)


def _in_article(cited: Cited) -> tuple[Piece, ...]:
    """The cited words between those around them; unmarked where no words are known to be meant."""
    if cited.article is None or cited.span is None:
        return (Piece(text=_shortened(cited.text, 2 * _AROUND)),)
    text, (start, end) = cited.article.text, cited.span
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    # Not from the middle of a word, unless the article has no spaces there.
    first = first if first == 0 else (text.find(" ", first, start) + 1 or first)
    last = last if last == len(text) else max(text.rfind(" ", end, last), end)
    pieces = (
        Piece(text=("… " if first else "") + text[first:start]),
        Piece(text=text[start:end], kind="cited"),
        Piece(text=text[end:last] + (" …" if last < len(text) else "")),
    )
    return tuple(piece for piece in pieces if piece.text)


def _retrieved(results: Sequence[SearchResult], gold: frozenset[str]) -> tuple[Retrieved, ...]:
    return tuple(
        Retrieved(
            about=" — ".join(filter(None, (one.title or one.article_id, one.source, (one.published_at or "")[:10]))),
            text=_shortened(one.text, _PASSAGE),
            is_gold=bool(gold_key(one, gold) or any(gold_key(other, gold) for other in one.also_reported_by)),
        )
        for one in results
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rpartition(" ")[0] + " …"
