"""The names under which clients choose how they are answered: a model's name in, a way of answering out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from qa.errors import NotFound

__all__ = ["MODELS", "Model", "ModelList", "Way", "known", "listed", "way_of"]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How to answer."""

    mode: Literal["auto", "extractive"] = "auto"
    links: bool = False
    """Write each citation into the text, as a Markdown link, for clients that show no annotations."""
    note: str | None = None
    """What the caller should know about it."""


MODELS: Mapping[str, Way] = {
    "sourceline": Way(),
    "sourceline-links": Way(links=True),
    "sourceline-extractive": Way(mode="extractive"),
    "sourceline-extractive-links": Way(mode="extractive", links=True),
}


_USUAL = "sourceline"


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model, as OpenAI lists it."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "sourceline"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /v1/models` gives."""

    data: tuple[Model, ...]
    object: Literal["list"] = "list"


def known(model: str) -> Way:
    """Look a model up. Raises NotFound."""
    found = MODELS.get(model)
    if found is None:
        raise NotFound(f"there is no model {model[:100]!r}; use {', '.join(MODELS)}")
    return found


def way_of(model: str) -> Way:
    """How to answer whoever asks for this model.

    Many clients can ask for models of other makers only (`gpt-4o`): they get the usual answer, with a note that says
    so. A name that begins like ours and is none of them is a mistake. Raises NotFound.
    """
    if model in MODELS or model.startswith(_USUAL):
        return known(model)
    note = f"There is no model {model[:100]!r} here: {_USUAL!r} answered. Names that can be asked for: GET /v1/models."
    return msgspec.structs.replace(MODELS[_USUAL], note=note)


def listed() -> ModelList:
    """Every model there is."""
    return ModelList(data=tuple(Model(id=name) for name in MODELS))
