"""`GET /v1/models`: the names under which OpenAI's clients may ask."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath

from qa.server.auth.permissions import READING_WITH_A_KEY
from qa.server.openai.error_responses import errors
from qa.server.openai.models import Model, ModelList, known, listed

__all__ = ["list_models", "retrieve_model"]


@get(
    "/models",
    operation_id="list_models",
    summary="List models",
    response_description="Names that can be asked for.",
    tags=["openai"],
    responses=errors(),
    opt=READING_WITH_A_KEY,
)
async def list_models() -> ModelList:
    """`sourceline` answers as `POST /api/ask` does; `-links` puts links into the text, `-extractive` asks no model."""
    return listed()


@get(
    "/models/{model:str}",
    operation_id="retrieve_model",
    summary="Look a model up",
    response_description="It exists.",
    tags=["openai"],
    responses=errors("not-found"),
    opt=READING_WITH_A_KEY,
)
async def retrieve_model(model: FromPath[str]) -> Model:
    """One name that can be asked for."""
    known(model)
    return Model(id=model)
