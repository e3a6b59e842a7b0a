"""A step that fails, one after the other until none does: the old state or the new one, and work goes on."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.errors import StoreError
from embeddings.types import Where

EVERYTHING = Where()


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """Makes articles and vectors without a model."""
    spec = importlib.util.spec_from_file_location("durability_writer", Path(__file__).with_name("durability_writer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FailingDisk:
    """Fails the n-th step from when it is armed."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.failed = ""

    def __call__(self, step: str) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            self.failed = step
            raise OSError(f"no space left ({step})")

    def arm(self, number: int) -> None:
        self.left, self.failed = number, ""

    def disarm(self) -> None:
        self.left = None


def found(corpus: EmbeddedCorpus, writer: ModuleType) -> set[str]:
    hits = corpus.search(writer.vector("x"), " ".join(writer.WORDS), k=1000, where=EVERYTHING)
    assert {hit.key for hit in hits.dense} == {hit.key for hit in hits.lexical}
    stored = corpus.passages([hit.key for hit in hits.dense])
    assert len(stored) == len(hits.dense)
    return {each.passage.text for each in stored.values()}


def lines(*texts: str) -> set[str]:
    return {line for text in texts for line in text.split("\n")}


def test_writing_fails_at_any_step_between_two_articles_or_not_at_all(writer: ModuleType, tmp_path: Path) -> None:
    disk = FailingDisk()
    corpus = EmbeddedCorpus.open(tmp_path / "corpus", identity=writer.IDENTITY, fault=disk)
    old = [writer.article(name, "old") for name in writer.NAMES[:3]]
    new = [writer.article(name, "new") for name in writer.NAMES[:3]]
    steps = []
    for number in range(1, 100):
        disk.disarm()
        corpus.replace([writer.indexed(each) for each in old])
        disk.arm(number)
        with suppress(StoreError):
            corpus.replace([writer.indexed(each) for each in new])
            assert not disk.failed, "the failure went unnoticed"
        steps.append(disk.failed)
        held = [corpus.get(each.id) for each in new]
        changed = held.count(None) or sum(now == after for now, after in zip(held, new, strict=True))
        assert held == [*new[:changed], *old[changed:]], "articles are written in order, whole"
        assert found(corpus, writer) == lines(*(each.text for each in held if each))
        if not disk.failed:
            assert changed == 3
            break
    assert steps == ["begun", "before commit", "after commit"] * 3 + [""]
    corpus.close()


@pytest.mark.parametrize("existing", [True, False])
def test_index_files_that_cannot_be_saved_cost_time_and_nothing_else(
    writer: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture, existing: bool
) -> None:
    told = [writer.article(name, "told") for name in writer.NAMES]
    steps = []
    for number in range(1, 100):
        disk = FailingDisk()
        corpus = EmbeddedCorpus.open(tmp_path / str(number), identity=writer.IDENTITY, fault=disk)
        if existing:
            corpus.replace([writer.indexed(each) for each in told[:5]])
            corpus.checkpoint()
        corpus.replace([writer.indexed(each) for each in told])
        caplog.clear()
        disk.arm(number)
        with caplog.at_level(logging.WARNING):
            corpus.checkpoint()
        assert bool(disk.failed) == ("could not be saved" in caplog.text)
        disk.disarm()
        reader = EmbeddedCorpus.open(tmp_path / str(number), identity=writer.IDENTITY, read_only=True)
        assert found(reader, writer) == lines(*(each.text for each in told))
        reader.close()
        corpus.close()
        reader = EmbeddedCorpus.open(tmp_path / str(number), identity=writer.IDENTITY, read_only=True)
        assert reader.verify() == [], "closing saved what could not be saved before"
        reader.close()
        steps.append(disk.failed)
        if not disk.failed:
            break
    assert len(steps) == 10


def test_a_folder_that_cannot_be_written_is_still_read(writer: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    corpus = EmbeddedCorpus.open(folder, identity=writer.IDENTITY)
    told = writer.article("article 1", "told")
    corpus.replace([writer.indexed(told)])
    corpus.close()
    calls: list[Callable[[EmbeddedCorpus], object]] = [
        lambda reader: reader.replace([writer.indexed(told)]),
        lambda reader: reader.delete(Where(article_ids=("article 1",))),
        lambda reader: reader.rebuild(),
        lambda reader: reader.checkpoint(),
    ]
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.suffix not in (".db-shm", ".db-wal")
    }
    reader = EmbeddedCorpus.open(folder, identity=writer.IDENTITY, read_only=True)
    for call in calls:
        with pytest.raises(StoreError, match="reading only"):
            call(reader)
    assert found(reader, writer) == lines(told.text)
    assert reader.stats().generations[0].passages == len(lines(told.text))
    reader.close()
    assert {path: path.stat().st_mtime_ns for path in before} == before
