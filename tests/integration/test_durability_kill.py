"""kill -9 while articles are put, changed, deleted and index files saved: nothing acknowledged is lost.

What was acknowledged is remembered here, outside the killed process. After every kill the same folder is opened
again; an article whose write was under way may be in its old or its new state, whole, and nothing else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.errors import StoreBusy
from embeddings.types import Where

PROGRAM = Path(__file__).with_name("durability_writer.py")
EVERYTHING = Where()

STEPS = [
    "begun",
    "before commit",
    "after commit",
    *(
        f"{when} {name}"
        for name in ("vectors", "terms", "manifest.json")
        for when in ("before writing", "before renaming", "after renaming")
    ),
]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """The module that the killed process runs, for what its articles are."""
    spec = importlib.util.spec_from_file_location("durability_writer", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Victims:
    """Starts writing processes and remembers what they acknowledged."""

    def __init__(self, folder: Path, repo: Path) -> None:
        self.folder = folder
        self.certain: dict[str, str | None] = {}
        """Article and the seed of its acknowledged text; None where its deletion was acknowledged."""
        self.possible: dict[str, str | None] = {}
        """What a write that was under way would have made of it."""
        environment = os.environ | {"PYTHONPATH": str(repo)}
        self.parent = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(
        self,
        seed: int,
        *,
        step: str | None = None,
        occurrence: int = 1,
        after: float | None = None,
        batches: int = 1000,
    ) -> int:
        """Run one writer to its end, killing it `after` seconds of work; its exit code."""
        job = {"folder": str(self.folder), "seed": seed, "step": step, "occurrence": occurrence, "batches": batches}
        assert self.parent.stdin is not None
        self.parent.stdin.write(json.dumps(job) + "\n")
        self.parent.stdin.flush()
        self.possible = {}
        timer = None
        for event in self.events():
            if "started" in event and after is not None:
                timer = threading.Timer(after, os.kill, (event["started"], signal.SIGKILL))
                timer.start()
            elif "begins" in event:
                self.possible = dict(event["begins"])
            elif "acknowledged" in event:
                self.certain |= self.possible
                self.possible = {}
            elif "ended" in event:
                if timer is not None:
                    timer.cancel()
                return int(event["ended"])
        raise AssertionError("the writing program ended by itself")

    def events(self) -> Iterator[dict[str, Any]]:
        assert self.parent.stdout is not None
        for line in self.parent.stdout:
            yield json.loads(line)

    def close(self) -> None:
        assert self.parent.stdin is not None
        assert self.parent.stdout is not None
        self.parent.stdin.close()
        self.parent.wait(timeout=240)
        self.parent.stdout.close()


@pytest.fixture
def victims(tmp_path: Path, repo: Path) -> Iterator[Victims]:
    made = Victims(tmp_path / "corpus", repo)
    yield made
    made.close()


def settle(victims: Victims, writer: ModuleType) -> None:
    """Prove that the corpus holds what was acknowledged, then take what it holds of the rest as certain."""
    corpus = EmbeddedCorpus.open(victims.folder, identity=writer.IDENTITY, read_only=True)
    for name in writer.NAMES:
        held = corpus.get(name)
        allowed = {victims.certain.get(name), victims.possible.get(name, victims.certain.get(name))}
        expected = {seed: writer.article(name, seed) if seed else None for seed in allowed}
        assert held in expected.values(), f"{name} is neither what was acknowledged nor what was under way"
        victims.certain[name] = next(seed for seed, article in expected.items() if article == held)
    current = [writer.article(name, seed) for name, seed in victims.certain.items() if seed]
    expected_passages = {
        (each.passage.id, each.passage.text) for article in current for each in writer.indexed(article).passages
    }
    hits = corpus.search(writer.vector("x"), " ".join(writer.WORDS), k=1000, where=EVERYTHING)
    for found in (hits.dense, hits.lexical):
        stored = corpus.passages([hit.key for hit in found])
        passages = [(each.passage.id, each.passage.text) for each in stored.values()]
        assert len(found) == len(passages) == len(expected_passages)
        assert set(passages) == expected_passages
    for article in current[:3]:
        line = article.text.split("\n", maxsplit=1)[0]
        best = corpus.search(writer.vector(line), "", k=1, where=EVERYTHING).dense[0]
        assert best.score == pytest.approx(1, abs=1e-6)
        assert corpus.passages([best.key])[best.key].passage.text == line
    assert corpus.count(EVERYTHING).passages == len(expected_passages)
    assert {finding.kind for finding in corpus.verify()} <= {"index_outdated", "index_damaged"}
    corpus.close()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kills_at_every_step(victims: Victims, writer: ModuleType) -> None:
    kills = 0
    for turn in range(2):
        for number, step in enumerate(STEPS):
            code = victims.run(seed=100 * turn + number, step=step, occurrence=1 + turn * 2)
            kills += code == -signal.SIGKILL
            settle(victims, writer)
    assert kills == 2 * len(STEPS), "a step was never reached"


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kills_at_any_moment(victims: Victims, writer: ModuleType) -> None:
    draw = random.Random(2024)
    kills, longest = 0, 0.25
    for number in range(24):
        certain = dict(victims.certain)
        kills += victims.run(seed=1000 + number, after=draw.uniform(0.0, longest)) == -signal.SIGKILL
        if victims.certain:  # before, there may be no store to open
            settle(victims, writer)
        longest *= 2 if victims.certain == certain else 1  # a busy machine comes to nothing in so little time
    assert kills >= 20
    assert sum(seed is not None for seed in victims.certain.values()) > 5, "the writers were killed before they wrote"


def test_a_second_writing_process_is_told_who_writes_and_readers_go_on(victims: Victims, writer: ModuleType) -> None:
    assert victims.run(seed=1, batches=4) == 0
    corpus = EmbeddedCorpus.open(victims.folder, identity=writer.IDENTITY)
    with pytest.raises(StoreBusy, match=rf"process {os.getpid()} .*POST /api/articles"):
        EmbeddedCorpus.open(victims.folder, identity=writer.IDENTITY)
    assert victims.run(seed=2) == 1, "the other process could write too"
    reader = EmbeddedCorpus.open(victims.folder, identity=writer.IDENTITY, read_only=True)
    told = writer.article("new", "words")
    corpus.replace([writer.indexed(told)])
    assert reader.get("new") == told
    corpus.close()
    assert victims.run(seed=3, batches=1) == 0, "a reader must not keep a writer out"
    reader.close()


def test_a_reading_process_sees_each_article_whole_while_another_writes(victims: Victims, writer: ModuleType) -> None:
    assert victims.run(seed=1, batches=1) == 0
    reader = EmbeddedCorpus.open(victims.folder, identity=writer.IDENTITY, read_only=True)
    background = threading.Thread(target=victims.run, kwargs={"seed": 2, "batches": 60})
    background.start()
    states = set()
    while background.is_alive():
        hits = reader.search(writer.vector("x"), " ".join(writer.WORDS), k=1000, where=EVERYTHING)
        assert {hit.key for hit in hits.dense} == {hit.key for hit in hits.lexical}
        states.add(frozenset(hit.key for hit in hits.dense))
        for name in writer.NAMES[:5]:
            where = Where(article_ids=(name,))
            found = reader.search(writer.vector("x"), "", k=100, where=where).dense
            stored = reader.passages([hit.key for hit in found])
            for version in {each.passage.article_version for each in stored.values()}:
                whole = reader.get(name, version=version)
                if whole is not None:  # it may have been deleted meanwhile
                    assert len(stored) == len(whole.text.split("\n"))
    background.join()
    assert len(states) > 3, "the reader never saw the writer's work"
    reader.close()
