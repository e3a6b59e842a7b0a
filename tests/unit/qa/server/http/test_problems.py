"""The table of problems: every error has its row, and only harmless words leave the service."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest
from litestar.exceptions import HTTPException, NotAuthorizedException, ValidationException

from embeddings import errors as offline
from qa import errors as online
from qa.server import errors
from qa.server.http.problems import KINDS, kind_of


def raised_by(module: ModuleType) -> list[type[Exception]]:
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Exception) and cls.__module__ == module.__name__
    ]


@pytest.mark.parametrize("cls", [*raised_by(offline), *raised_by(online), *raised_by(errors)])
def test_every_error_has_a_row(cls: type[Exception]) -> None:
    # A model's failure never gets as far as a response: the answer is made without it.
    kind = kind_of(cls("said", reason="model_failed") if cls is online.GeneratorFailed else cls("said"))
    root = cls in {
        online.QAError,
        online.SettingsError,
        online.GeneratorFailed,
        errors.ServerError,
        errors.RequestError,
    }
    assert (kind.slug == "internal-error") == root
    if issubclass(
        cls, errors.RequestError | offline.InputError | online.InvalidQuestion | online.InvalidText | online.NotFound
    ):
        assert 400 <= kind.status < 500 or cls is errors.RequestError
    else:
        assert kind.status >= 500


def test_a_bug_is_an_internal_error_that_says_nothing() -> None:
    kind = kind_of(ZeroDivisionError("/srv/secret"))
    assert (kind.slug, kind.status, kind.shown) == ("internal-error", 500, False)


@pytest.mark.parametrize("cls", raised_by(offline))
def test_words_about_files_stay_inside(cls: type[Exception]) -> None:
    assert kind_of(cls("/srv/secret")).shown == issubclass(cls, offline.InputError)


def test_the_nearest_class_decides() -> None:
    class Special(offline.StoreBusy):
        pass

    assert kind_of(Special()).slug == "store-busy"


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (HTTPException(status_code=404), "no-such-route"),
        (HTTPException(status_code=405), "method-not-allowed"),
        (HTTPException(status_code=413), "body-too-large"),
        (NotAuthorizedException(), "bad-request"),
        (HTTPException(status_code=500), "internal-error"),
        (ValidationException(), "invalid-request"),
    ],
)
def test_errors_of_the_framework(error: Exception, slug: str) -> None:
    assert kind_of(error).slug == slug


def test_rows_are_well_formed() -> None:
    for slug, kind in KINDS.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert slug == kind.slug
        assert kind.title
        assert kind.meaning.endswith(".")
        assert (kind.retry_after is not None) == (kind.status == 503)
