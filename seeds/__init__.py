"""Sample articles and labelled questions, written for this project (see README.md beside this file).

The package is a leaf: it knows where its own files are and what a labelled question looks like, no more.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

__all__ = ["GoldQuote", "Kind", "SeedDraft", "SeedQuestion", "articles_dir", "drafts", "questions"]

Kind = Literal[
    "single",
    "multi",
    "time",
    "unanswerable",
    "conflict",
    "correction",
    "short_number",
    "short_date",
    "short_name",
    "short_place",
]
"""What makes a question hard, or what sort of short answer it asks for."""


class GoldQuote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of one article that answer a question, or one part of it."""

    article: str
    """Title of the cleaned article."""
    quote: str
    """A sentence or clause, character for character as it stands in the cleaned article."""
    part: int = 1
    """Quotes of the same part are alternatives; a full answer needs one quote of every part."""


class SeedQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with what a good answer to it says and cites."""

    id: str
    question: str
    as_of: str | None
    """ISO 8601 date the question is asked on; None where the date does not matter."""
    answerable: bool
    """False: the articles do not say, and the right answer is to abstain."""
    answers: tuple[str, ...]
    """Acceptable short answers, each found word for word in one of the gold quotes."""
    gold: tuple[GoldQuote, ...]
    kinds: tuple[Kind, ...]


def articles_dir() -> Path:
    """Folder of the sample articles, noise and all, in a checkout as in an installed wheel."""
    return Path(str(resources.files(__name__).joinpath("articles")))


def questions() -> tuple[SeedQuestion, ...]:
    """All labelled questions, in file order.

    Raises msgspec.ValidationError naming the field where a line is not a question.
    """
    lines = resources.files(__name__).joinpath("questions.jsonl").read_bytes()
    return tuple(msgspec.json.Decoder(SeedQuestion).decode_lines(lines))


class SeedDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence such as a model might write in answer to a question, and whether the articles say so."""

    question: str
    kind: str
    """`true`, or how it goes wrong: most of its words stand in the articles even so."""
    text: str

    @property
    def supported(self) -> bool:
        """Whether a careful reader finds it in the articles."""
        return self.kind == "true"


def drafts() -> tuple[SeedDraft, ...]:
    """All labelled drafts; the support checker is fitted on them."""
    lines = resources.files(__name__).joinpath("drafts.jsonl").read_bytes()
    return tuple(msgspec.json.Decoder(SeedDraft).decode_lines(lines))
