"""Takes the events of an answer, gives its text in pieces, each with the links of the citations it brings.

Clients show this text as Markdown. What Markdown would take for a link, an image or HTML stands in an article as plain
words, so it is made to stay that: a space keeps the brackets apart.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise

import msgspec

from qa.answers import CAVEATS
from qa.types import Answer, AnswerEvent, Citation, ClaimEvent, Event

__all__ = ["CitedText", "Link", "Piece", "fold", "inert", "joined", "pieces"]

_ACTIVE = re.compile(r"(?<=\])(?=[(\[:])|(?<=<)(?=[A-Za-z/!?])")
"""Where a Markdown link, image or reference, or a tag, holds together."""

Address = Callable[[Citation], str]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One citation as a link for the words `text[start:end]`, in code points."""

    url: str
    title: str
    start: int
    end: int


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text; the last one says what answer it belongs to."""

    text: str
    links: tuple[Link, ...] = ()
    answer: Answer | None = None


class CitedText:
    """Writes one answer."""

    def __init__(self, *, address: Address, in_text: bool) -> None:
        """`in_text`: also write the links into the text, after each sentence."""
        self._address = address
        self._in_text = in_text
        self._read = 0
        self._length = 0
        self._numbers: dict[str, tuple[int, str]] = {}

    def claim(self, event: ClaimEvent) -> Piece:
        """The text of one sentence, with what parts it from the one before; one that is not supported says so."""
        claim = event.claim
        gap = claim.start - self._read
        parting = " " if gap == 1 else "\n" * gap  # sentences stand a space apart, paragraphs an empty line
        words, moved = inert(claim.text)
        begin = self._length + len(parting)
        links = tuple(self._link(one, begin, claim.start, moved) for one in event.citations)
        for one, link in zip(event.citations, links, strict=True):
            self._numbers.setdefault(one.id, (len(self._numbers) + 1, link.url))
        text = parting + words + CAVEATS[claim.verdict] + (self._written(claim.citation_ids) if self._in_text else "")
        self._read = claim.end
        self._length += len(text)
        return Piece(text=text, links=links)

    def rest(self, answer: Answer) -> Piece:
        """What follows the last claim: everything, where nothing was claimed."""
        text, _ = inert(answer.answer[self._read :])
        return Piece(text=text, answer=answer)

    def _link(self, citation: Citation, begin: int, start: int, moved: Callable[[int], int]) -> Link:
        return Link(
            url=self._address(citation),
            title=citation.title,
            start=begin + moved(citation.start - start),
            end=begin + moved(citation.end - start),
        )

    def _written(self, citation_ids: tuple[str, ...]) -> str:
        known = [self._numbers[one] for one in citation_ids if one in self._numbers]
        return "".join(f" [{number}]({_in_brackets(url)})" for number, url in known)


def inert(text: str) -> tuple[str, Callable[[int], int]]:
    """The same words, none of them Markdown links, images or HTML; and where an offset has moved to.

    >>> inert("See ![x](https://example.org/x.png) <b>now</b>, a < b [2024].")[0]
    'See ![x] (https://example.org/x.png) < b>now< /b>, a < b [2024].'
    """
    places = [found.start() for found in _ACTIVE.finditer(text)]
    edges = [0, *places, len(text)]
    plain = " ".join(text[start:end] for start, end in pairwise(edges))
    return plain, lambda offset: offset + bisect_left(places, offset)


async def pieces(events: AsyncGenerator[Event, None], text: CitedText) -> AsyncGenerator[Piece, None]:
    """The text of an answer as it is made; the first piece is empty and says that there will be one."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ClaimEvent):
                yield text.claim(event)
            elif isinstance(event, AnswerEvent):
                yield text.rest(event.answer)
            else:
                yield Piece(text="")


async def fold(found: AsyncGenerator[Piece, None]) -> Piece:
    """All pieces in one."""
    async with aclosing(found):
        return joined([piece async for piece in found])


def joined(every: Sequence[Piece]) -> Piece:
    """All pieces in one; the last one, where there is one, says what answer they belong to."""
    links = tuple(link for piece in every for link in piece.links)
    return Piece(text="".join(piece.text for piece in every), links=links, answer=every[-1].answer if every else None)


def _in_brackets(url: str) -> str:
    """A link as it may stand between round brackets."""
    return url.replace("(", "%28").replace(")", "%29")
