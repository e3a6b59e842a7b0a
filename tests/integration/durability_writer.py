"""A process that writes to a corpus until it is killed; run by `test_durability_kill`.

Reads one JSON job a line, does each in a fork of its own, and says on stdout what it begins and what was
acknowledged. (A fork, because starting Python and loading FAISS takes a hundred times longer than the job.)
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import EncoderIdentity
from embeddings.types import (
    Article,
    EncodedPassage,
    IndexedArticle,
    Passage,
    Vector,
    Where,
    article_version,
    passage_id,
)

IDENTITY = EncoderIdentity(name="made", revision="1" * 64, dimension=16, max_tokens=64, normalised=True)
NAMES = [f"article {number}" for number in range(20)]
WORDS = ("river", "dam", "vote", "storm", "harbour", "court", "budget", "night")


def vector(text: str) -> Vector:
    """A unit vector that depends on the words alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    drawn = np.random.default_rng(seed).normal(size=IDENTITY.dimension)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def article(name: str, seed: str) -> Article:
    """A made-up article of a few lines, always the same for the same seed."""
    draw = random.Random(f"{name} {seed}")
    lines = [" ".join([name, seed, *draw.choices(WORDS, k=8)]) for _ in range(draw.randint(1, 6))]
    text = "\n".join(lines)
    return Article(id=name, version=article_version(text), title=f"{name} {seed}", text=text, source="made")


def indexed(told: Article) -> IndexedArticle:
    """Each line is a passage."""
    passages, start = [], 0
    for line in told.text.split("\n"):
        end = start + len(line)
        passage = Passage(
            id=passage_id(told.id, told.version, start, end),
            article_id=told.id,
            article_version=told.version,
            start=start,
            end=end,
            text=line,
        )
        passages.append(EncodedPassage(passage=passage, vector=vector(line)))
        start = end + 1
    return IndexedArticle(article=told, passages=tuple(passages), signature=b"signature")


def fault_at(step: str | None, occurrence: int) -> Callable[[str], None]:
    """Kill this very process when a step is reached for the n-th time."""
    left = [occurrence]

    def fault(name: str) -> None:
        if name == step:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return fault


def say(**event: object) -> None:
    """One line, written at once and whole."""
    os.write(1, (json.dumps(event) + "\n").encode())


def write_until_killed(folder: Path, seed: int, step: str | None, occurrence: int, batches: int) -> None:
    """Put, change and delete articles; the index files are saved now and then."""
    draw = random.Random(seed)
    corpus = EmbeddedCorpus.open(folder, identity=IDENTITY, fault=fault_at(step, occurrence))
    for batch in range(batches):
        if draw.random() < 0.25:
            name = draw.choice(NAMES)
            say(begins=[[name, None]])
            corpus.delete(Where(article_ids=(name,)))
        else:
            told = [article(name, f"{seed}-{batch}") for name in draw.sample(NAMES, 3)]
            say(begins=[[each.id, each.title.removeprefix(f"{each.id} ")] for each in told])
            corpus.replace([indexed(each) for each in told])
        say(acknowledged=True)
        if batch % 4 == 3:
            corpus.checkpoint()
    corpus.close()


def main() -> None:
    """Do one job after the other, each in a fork."""
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            write_until_killed(Path(job["folder"]), job["seed"], job["step"], job["occurrence"], job["batches"])
            os._exit(0)
        say(started=child)
        _, status = os.waitpid(child, 0)
        say(ended=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
