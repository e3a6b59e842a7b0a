"""Takes a draft of which nothing was borne out, gives a smaller request: a few exact sentences, to be said again.

Small models lose labels and run facts together where they read whole passages. Found without them, the sentences that
matter leave them nothing to find: what is left to do is to say one of them in answer to the question. What they make
of it is checked as any other draft, against the passages that the sentences stand in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

import prompts
from qa.generation.attempt import Attempt, Request
from qa.generation.prompt import Source, estimate, new_fence
from qa.generation.refusals import NOTHING
from qa.generation.sanitize import plain_line
from qa.generation.verification import Quoted, is_order
from qa.generators.generator import Message
from qa.reading.read import SentenceAt
from qa.types import Evidence

__all__ = ["LIKELY", "Restating", "load_restating", "pick", "quoted", "second_request", "seconds_for"]

LIKELY = 8
"""Sentences of the reader's that are looked at; some of them are orders, or stand in passages that did not fit."""
_READERS, _NEAREST = 4, 2
"""Sentences given: the reader's best, and those nearest to what was dropped. Of 108 sample questions, one of the
reader's four best sentences held the answer for 78 %, of its six best for 83 %."""
_SHORTEST, _LONGEST = 20, 500
"""Characters of a sentence that can be said again in one."""
_TOKENS = 120
"""For two sentences, and the words around them that small models like to add."""
_CHARACTERS = 4 * _TOKENS
_WRITING = 8
"""How many characters a model on a CPU reads in the time in which it writes one (1.5 billion weights of four bits, one
core: 17 ms a token read, 140 ms a token written)."""
_NO_PREMISE = ""
"""The question is not told to the checker here. What is said again needs no name that stands in the question alone, and
a question may assert what is false: small models repeat it."""
_ECHO = re.compile(
    r"^\W*(?:sentences?\s+\d\b\W*(?:(?:says?|states?)(?:\s+that)?\s+)?)?(?:\d?\W*\(published [\d-]+\)\W*)"
    r"|^\W*sentences?\s+\d\b\W*(?:(?:says?|states?)(?:\s+that)?\s+)?|\s*[\[(](?:sentences?\s+)?\d(?:\s*,\s*\d)*[\])]",
    re.IGNORECASE,
)
"""Numbers and dates of the list, as models repeat them."""


class Restating(msgspec.Struct, frozen=True):
    """The messages of a second request, as templates."""

    system: prompts.Prompt
    user: prompts.Prompt

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """What each is called and which version it is."""
        return {prompt.name: prompt.fingerprint for prompt in (self.system, self.user)}


def load_restating() -> Restating:
    """Read them. Raises PromptError."""
    return Restating(prompts.load("restate_system"), prompts.load("restate_user"))


def quoted(sentences: Sequence[SentenceAt], evidence: Sequence[Evidence]) -> list[Quoted]:
    """Sentences of the evidence as words of their articles."""
    return [
        Quoted(stored=evidence[one.evidence].stored, start=one.start, end=one.end, text=one.text) for one in sentences
    ]


def second_request(
    templates: Restating, *, after: Attempt, likely: Sequence[Quoted], as_of: str, window: int
) -> Request | None:
    """What a model is asked after a draft in vain; None where nothing is likely to answer. `window` is in tokens."""
    first = after.request
    picked = pick(likely, after.nearest, sources=first.sources) if likely else []
    while picked:
        asked = _messages(templates, picked, question=first.question, as_of=as_of)
        if sum(estimate(message.content) for message in asked) <= window - _TOKENS:
            return Request(
                messages=asked,
                sources=[source for source in first.sources if any(_holds(source, one) for one in picked)],
                label=first.label,
                question=_NO_PREMISE,
                max_tokens=_TOKENS,
                deadline=first.deadline,
                echo=_ECHO,
            )
        picked = picked[:-1]
    return None


def pick(likely: Sequence[Quoted], nearest: Sequence[Quoted], *, sources: Sequence[Source]) -> list[Quoted]:
    """A few sentences of the sources: those likely to answer, best first, then those a dropped sentence comes near.

    Each place once. An order is none: it could support nothing.
    """
    best = list(_usable(likely, sources))[:_READERS]
    near = [one for one in _usable(nearest, sources) if not any(_overlap(one, other) for other in best)]
    return [*best, *near[:_NEAREST]]


def seconds_for(request: Request, *, after: Attempt) -> float:
    """How long a second draft may take, from the time of the first: by what there is to read and to write.

    A second that is begun and not finished makes whoever asks wait for nothing, so it is reckoned as long as it may be.
    """
    first = after.request.size + _WRITING * after.written
    return after.seconds * (request.size + _WRITING * _CHARACTERS) / first


def _usable(found: Sequence[Quoted], sources: Sequence[Source]) -> Iterator[Quoted]:
    seen: list[Quoted] = []
    for one in found:
        fits = _SHORTEST <= len(one.text) <= _LONGEST and not is_order(one.text)
        if fits and any(_holds(source, one) for source in sources) and not any(_overlap(one, other) for other in seen):
            seen.append(one)
            yield one


def _holds(source: Source, words: Quoted) -> bool:
    return _article(source) == _article(words) and source.start <= words.start and words.end <= source.end


def _overlap(one: Quoted, other: Quoted) -> bool:
    return _article(one) == _article(other) and one.start < other.end and other.start < one.end


def _article(item: Source | Quoted) -> tuple[str, str]:
    return item.stored.passage.article_id, item.stored.passage.article_version


def _messages(templates: Restating, picked: Sequence[Quoted], *, question: str, as_of: str) -> list[Message]:
    """Fill in the templates. The sentences are fenced by a word that nobody who wrote them can have known."""
    lines = [f"{number}. {_published(one)}{plain_line(one.text)}" for number, one in enumerate(picked, start=1)]
    user = templates.user.render(
        fence=new_fence(), sentences="\n".join(lines), question=plain_line(question), as_of=as_of, nothing=NOTHING
    )
    return [
        Message(role="system", content=templates.system.render(nothing=NOTHING)),
        Message(role="user", content=user),
    ]


def _published(words: Quoted) -> str:
    day = (words.stored.published_at or "")[:10]
    return f"(published {day}) " if day else ""
