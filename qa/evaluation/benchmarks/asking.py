"""Takes examples and the service of this process, gives scored runs; predictions are kept by what decides them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from qa.evaluation.dataset import Dataset
from qa.evaluation.manifest import make_manifest
from qa.evaluation.run import run
from qa.evaluation.run_folder import FinishedRun, RunFolder, examples_hash, read_run
from qa.evaluation.targets.in_process import InProcess
from qa.evaluation.targets.target import Asking
from qa.evaluation.types import Example, Prediction
from qa.settings import Settings
from qa.types import SearchResult

__all__ = ["Bench", "asked", "joined", "ranked"]


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What every yardstick works with."""

    encoder: Encoder
    settings: Settings
    cache: Path
    told: bool = True
    """Whether to print how far it is."""

    def tell(self, text: str) -> None:
        """Say what goes on."""
        if self.told:
            print(text, flush=True)


def asked(examples: Sequence[Example], *, corpus: Corpus, bench: Bench, name: str) -> FinishedRun:
    """Ask every example as of its own date; what the same code answered over the same articles before is kept."""
    return asyncio.run(_asked(examples, corpus, bench, name))


def ranked(
    examples: Sequence[Example], *, corpus: Corpus, bench: Bench, asking: Asking, settings: Settings
) -> dict[str, tuple[SearchResult, ...]]:
    """By example, what the search ranks, best first."""
    return asyncio.run(_ranked(examples, corpus, bench.encoder, asking, settings))


def joined(run: FinishedRun, other: FinishedRun, examples: Sequence[Example]) -> FinishedRun:
    """A run over `examples`, each with its prediction in `other`, else in `run`."""
    predictions = {**run.predictions, **other.predictions}
    return FinishedRun(
        manifest=run.manifest,
        examples=tuple(examples),
        predictions={example.id: predictions[example.id] for example in examples},
        articles={**run.articles, **other.articles},
        predictions_sha256=hashlib.sha256((run.predictions_sha256 + other.predictions_sha256).encode()).hexdigest(),
    )


async def _asked(examples: Sequence[Example], corpus: Corpus, bench: Bench, name: str) -> FinishedRun:
    asking = Asking(ranked=0)
    service = InProcess(corpus=corpus, encoder=bench.encoder, settings=bench.settings, asking=asking)
    try:
        dataset = Dataset(name=name, sha256=examples_hash(examples), examples=tuple(examples))
        facts = await service.facts()
        manifest = make_manifest(dataset, examples, facts=facts, asking=asking, selection={}, seed=0)
        folder = bench.cache / "runs" / f"{name}-{manifest.fingerprint[:16]}"
        count = 0

        def tell(_: Prediction) -> None:
            nonlocal count
            count += 1
            if count % 50 == 0:
                bench.tell(f"  {name}: {count:,} of {len(examples):,} questions")

        with RunFolder.open(folder, manifest, examples, resume=True) as opened:
            await run(examples, respondent=service, folder=opened, ranked=0, progress=tell)
        return read_run(folder)
    finally:
        await service.close()


async def _ranked(
    examples: Sequence[Example], corpus: Corpus, encoder: Encoder, asking: Asking, settings: Settings
) -> dict[str, tuple[SearchResult, ...]]:
    service = InProcess(corpus=corpus, encoder=encoder, settings=settings, asking=asking)
    try:
        return {example.id: await service.search(example) or () for example in examples}
    finally:
        await service.close()
