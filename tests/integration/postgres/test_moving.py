"""A corpus copied to a server and back: the same articles, versions, passages, vectors and searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.errors import StoreError
from embeddings.opening import active_identity, copy
from embeddings.postgres.corpus import PostgresCorpus
from embeddings.types import Held, Place, Where

OpenPostgres = Callable[..., PostgresCorpus]
EVERYTHING = Where()


@pytest.fixture
def source(tmp_path: Path, made: Any) -> Iterator[EmbeddedCorpus]:
    """Articles with earlier versions, one of them deleted, and what some are known by."""
    with closing(EmbeddedCorpus.open(tmp_path / "source", identity=made.identity)) as corpus:
        for turn in range(3):
            articles = [made.article(f"a{n}", f"a{n} storm {min(turn, n % 3)}\n{n} river") for n in range(90)]
            corpus.replace([msgspec.structs.replace(made.indexed(a), known_by=(f"page {a.id}",)) for a in articles])
        corpus.delete(Where(article_ids=("a7",)))
        yield corpus


def everything(corpus: EmbeddedCorpus | PostgresCorpus) -> list[Held]:
    """All that is held, vectors as bytes."""
    page = corpus.whole(after=None, limit=1000)
    assert page.left_out == ()
    return [
        msgspec.structs.replace(
            held,
            indexed=msgspec.structs.replace(
                held.indexed,
                passages=tuple((each.passage, each.vector.tobytes()) for each in held.indexed.passages),  # type: ignore[misc]
            ),
        )
        for held in page.held
    ]


def test_there_and_back_nothing_is_lost(
    source: EmbeddedCorpus, open_corpus: OpenPostgres, made: Any, tmp_path: Path
) -> None:
    server = open_corpus()
    there = copy(source, server)
    assert (there.copied, there.different, there.versions_missing, there.searches) == (89, 0, 0, 40)
    assert there.verified
    assert there.alike == 1
    assert everything(server) == everything(source)
    with closing(EmbeddedCorpus.open(tmp_path / "back", identity=made.identity)) as back:
        assert copy(server, back).verified
        assert everything(back) == everything(source)
        assert back.known(["page a3"]) == {"page a3": ("a3",)}
        assert back.get("a7") is None


class Broken(PostgresCorpus):
    """A target whose server goes away after some articles."""

    left = 2

    def take(self, articles: Any) -> None:
        if not self.left:
            raise StoreError("gone")
        self.left -= 1
        super().take(articles)


def test_an_interrupted_copy_goes_on_and_brings_what_changed(
    source: EmbeddedCorpus, open_corpus: OpenPostgres, made: Any
) -> None:
    server = open_corpus()
    server.__class__ = Broken
    server.left = 1  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="gone"):
        copy(source, server)
    assert server.count(EVERYTHING).articles == 64
    server.__class__ = PostgresCorpus
    made.put(source, made.article("a1", "quite another text"))
    report = copy(source, server)
    assert report.copied == 89 - 64 + 1
    assert report.verified
    assert copy(source, server).copied == 0


def test_what_differs_is_told(source: EmbeddedCorpus, open_corpus: OpenPostgres, made: Any, tmp_path: Path) -> None:
    server = open_corpus()
    made.put(server, made.article("only here", "calm"))
    report = copy(source, server)
    assert (report.different, report.verified) == (1, False)
    with closing(EmbeddedCorpus.open(tmp_path / "damaged", identity=made.identity)) as damaged:
        made.put(damaged, made.article("a", "storm"), made.article("b", "river"))
        with damaged._store.writing() as db:
            db.execute("UPDATE versions SET document = replace(document, 'storm', 'storn')")
        told = copy(damaged, server)
    assert (told.left_out, told.verified) == (("a",), False)


def test_the_encoder_of_a_store_is_known_without_loading_it(
    source: EmbeddedCorpus, open_corpus: OpenPostgres, made: Any, postgres_server: Any, schema: str, tmp_path: Path
) -> None:
    assert source.count(EVERYTHING).articles == 89
    made.put(open_corpus(identity=made.other), made.article("a", "storm"), identity=made.other)
    assert active_identity(Place(folder=tmp_path / "source")) == made.identity
    assert active_identity(Place(server=postgres_server.url(), schema=schema)) == made.other
