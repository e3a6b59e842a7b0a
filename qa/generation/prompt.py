"""Takes a question and the texts to answer it from, gives the messages for the model."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import msgspec

import prompts
from qa.generation.context import Source, estimate
from qa.generation.refusals import NOTHING
from qa.generation.sanitize import plain_line
from qa.generators.generator import Document, Message

__all__ = ["Prompts", "load_prompts", "messages", "new_fence", "prompt_tokens"]

_FENCE_BYTES = 6
_FRAME_TOKENS = 60
"""For what a chat template puts around messages, and for the values of the small places."""


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
    templates: Prompts, *, question: str, as_of: str, sources: Sequence[Source], label: str, limit: int
) -> list[Message]:
    """Fill in the templates. Sources in the text are fenced by a word that nobody who wrote them can have known."""
    if templates.source is None:
        return _with_documents(templates, question=question, as_of=as_of, sources=sources, label=label, limit=limit)
    fence = new_fence()
    shared = {"limit": str(limit), "nothing": NOTHING}
    blocks = [
        templates.source.render(
            fence=fence,
            label=f"{label}{number}",
            title=_title(source),
            published=_published(source),
            text=source.text,
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
    templates: Prompts, *, question: str, as_of: str, sources: Sequence[Source], label: str, limit: int
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


def _title(source: Source) -> str:
    return plain_line(source.stored.title) or "(no title)"


def _published(source: Source) -> str:
    told = (plain_line(source.stored.source), (source.stored.published_at or "")[:10])
    return "Published: " + (", ".join(part for part in told if part) or "unknown")
