"""A corpus on a real server, in a schema of its own, and made-up articles."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Place


@pytest.fixture(scope="session")
def made(repo: Path) -> Any:
    """What the contract tests make articles with."""
    spec = importlib.util.spec_from_file_location("made_articles", repo / "tests" / "contracts" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["made_articles"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Made()


@pytest.fixture
def schema() -> str:
    return f"test_{uuid4().hex}"


@pytest.fixture
def open_corpus(postgres_server: Any, made: Any, schema: str) -> Iterator[Callable[..., PostgresCorpus]]:
    """Opens the same corpus again and again, as another process would."""
    opened: list[PostgresCorpus] = []
    opening = partial(PostgresCorpus.open, Place(server=postgres_server.url(), schema=schema, timeout=300))

    def open_it(**more: Any) -> PostgresCorpus:
        opened.append(opening(**{"identity": made.identity} | more))
        return opened[-1]

    yield open_it
    for corpus in opened:
        corpus.close()
