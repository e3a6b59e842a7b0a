"""What a language model thinks of claims, kept in a run's folder beside the predictions, so that scoring stays offline.

A model is no measuring instrument: its opinions are never mixed with the support checker's judgements. They are
reported by names of their own (`judge.…`), with the model and its prompts named, and with how often both agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

__all__ = ["NO_OPINIONS", "OPINIONS_FILE", "Opinion", "Opinions", "append_opinions", "opinion_key", "read_opinions"]

OPINIONS_FILE = "opinions.jsonl"


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, as one model sees it."""

    key: str
    """Of the claim, what it answers and what it cites: what was judged, wherever it occurs."""
    judge: str
    """Model and prompts."""
    supported: bool | None
    """None where the model said neither yes nor no."""


class Opinions(msgspec.Struct, frozen=True, kw_only=True):
    """Those of the judge that was asked last."""

    judge: str
    supported: Mapping[str, bool | None]
    """By key."""


NO_OPINIONS = Opinions(judge="", supported={})
"""Of a run that no model was asked about."""


def opinion_key(claim: str, cited: Sequence[str], *, question: str) -> str:
    """Name of what a judge is asked."""
    return hashlib.sha256(msgspec.json.encode([claim, list(cited), question])).hexdigest()[:32]


def read_opinions(folder: Path) -> Opinions:
    """The opinions in a run's folder; lines that were cut off or damaged are no opinions."""
    path = folder / OPINIONS_FILE
    if not path.exists():
        return NO_OPINIONS
    found: list[Opinion] = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            found.append(msgspec.json.decode(line, type=Opinion))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    judge = found[-1].judge if found else ""
    return Opinions(judge=judge, supported={one.key: one.supported for one in found if one.judge == judge})


def append_opinions(folder: Path, opinions: Sequence[Opinion]) -> None:
    """Add opinions, each on a line of its own even where the last one was cut off."""
    path = folder / OPINIONS_FILE
    torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("ab") as file:
        file.write((b"\n" if torn else b"") + b"".join(msgspec.json.encode(one) + b"\n" for one in opinions))
