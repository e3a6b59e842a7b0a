"""Takes the names that a classifier gives its outcomes, tells which of them says that evidence supports a claim."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

__all__ = ["Roles", "marking_role", "roles_of"]

_AGAINST = re.compile(r"contradict|refut|\bfalse\b|disagree")
_NOT = re.compile(
    r"\b(?:not|no|non)\b|\b(?:un|in|non|not)(?=support|faithful|consisten|factual|grounded|attributable|entail)"
    r"|halluc|neutral|unknown|\bnei\b"
)
_FOR = re.compile(r"entail|support|consisten|faithful|factual|grounded|attributable|\btrue\b|\byes\b")
_NUMBERED = re.compile(r"label_(\d+)")


class Roles(msgspec.Struct, frozen=True):
    """Which output says what; None for one that the classifier does not have."""

    supported: int
    contradicted: int | None = None


def roles_of(labels: Sequence[str]) -> Roles:
    """Of a classifier of a claim with its evidence.

    Two outcomes without names are read as their authors use them: the second says that the claim is supported.
    Raises ValueError naming the labels where they do not tell.
    """
    names = [_plain(label) for label in labels]
    if len(names) == 1:
        return Roles(0)
    if len(names) == 2 and all(_NUMBERED.fullmatch(label.lower()) for label in labels):
        return Roles(1)
    against = [at for at, name in enumerate(names) if _AGAINST.search(name)]
    rest = [at for at, name in enumerate(names) if at not in against and not _NOT.search(name)]
    meant = [at for at in rest if _FOR.search(names[at])]
    if len(meant) == 1 and len(against) <= 1:
        return Roles(meant[0], against[0] if against else None)
    raise ValueError(
        f"classifies into {', '.join(labels)}; which of these says that the evidence supports the claim cannot be "
        "told. Name one of them 'entailment' or 'supported' (id2label in its config.json), or give it one output alone"
    )


def marking_role(labels: Sequence[str]) -> int:
    """Of a classifier of words: the output that marks one as unsupported.

    Raises ValueError naming the labels where they do not tell.
    """
    if len(labels) == 2:
        if all(_NUMBERED.fullmatch(label.lower()) for label in labels):
            return 1
        marked = [at for at, label in enumerate(labels) if _NOT.search(_plain(label)) or _AGAINST.search(_plain(label))]
        if len(marked) == 1:
            return marked[0]
    raise ValueError(
        f"marks words as {', '.join(labels)}; which of these means unsupported cannot be told. It needs two labels, "
        "one of them named 'unsupported' or 'hallucinated' (id2label in its config.json)"
    )


def _plain(label: str) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)).strip().lower()
