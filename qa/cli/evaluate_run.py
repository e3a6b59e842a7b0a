"""`qa evaluate run`: ask every question of a dataset, write what came back."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import read_settings
from qa.cli.question_progress import shown
from qa.evaluation.errors import RunRefused, TargetFailed

if TYPE_CHECKING:
    from qa.evaluation.run import RunOutcome
    from qa.evaluation.targets.open import Address
    from qa.evaluation.targets.target import Asking
    from qa.settings import Settings

__all__ = ["run"]

_SOME_FAILED = 3


@click.command()
@click.argument("dataset", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of this run.")
@click.option("--url", default="", help="Base URL of a running service; without it, this process answers itself.")
@click.option("--openai-url", default="", help="Base URL (…/v1) of an OpenAI-compatible server to ask instead.")
@click.option("--model", default="", help="Model to ask of that server.")
@click.option("--token-from", metavar="NAME", help="Environment variable with the key or token to send.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=120.0, show_default=True, help="Seconds a question.")
@click.option("--mode", type=click.Choice(["auto", "generated", "extractive"]), default="auto", show_default=True)
@click.option("--collection", help="Only use articles of this collection.")
@click.option("--ranked", type=click.IntRange(0, 50), default=10, show_default=True, help="Search results to keep.")
@click.option("--ignore-asked-at", is_flag=True, help="Ask everything as of now.")
@click.option("--filter", "filters", multiple=True, metavar="KEY=PATTERN", help="id, group, tag, question, answerable.")
@click.option("--limit", type=click.IntRange(min=1), help="Draw so many of the questions.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw; also sent to a model.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Questions under way at once.")
@click.option(
    "--resume", is_flag=True, help="Go on with the run in the folder, if one is there; ask again what failed."
)
def run(
    dataset: Path,
    out: Path,
    url: str,
    openai_url: str,
    model: str,
    token_from: str | None,
    timeout: float,
    mode: str,
    collection: str | None,
    ranked: int,
    ignore_asked_at: bool,
    filters: tuple[str, ...],
    limit: int | None,
    seed: int,
    jobs: int,
    resume: bool,
) -> None:
    """Ask every question of a dataset and write predictions with a manifest; nothing is scored yet.

    Exit codes: 0 every question was answered or declined, 1 the run broke off, 2 wrong use, 3 some questions failed.
    """
    import msgspec

    from qa.evaluation.targets.open import Address
    from qa.evaluation.targets.target import Asking

    if url and openai_url:
        raise click.UsageError("--url and --openai-url exclude each other")
    if openai_url and not model:
        raise click.UsageError("--openai-url needs --model")
    given = {"mode": mode, "use_asked_at": not ignore_asked_at, "collection": collection, "ranked": ranked}
    asking = msgspec.convert(given, Asking)
    address = Address(url=url, openai_url=openai_url, model=model, token=_token(token_from), timeout=timeout)
    plan = _Plan(dataset=dataset, out=out, filters=filters, limit=limit, seed=seed, jobs=jobs, resume=resume)
    try:
        outcome = _ran(plan, address, asking)
    except KeyboardInterrupt:
        click.echo(f"qa: what was answered is in {out}; the same command with --resume goes on", err=True)
        raise
    click.echo(f"{outcome.asked:,} asked, {outcome.failed:,} failed, {outcome.skipped:,} done before: {out}", err=True)
    if outcome.failed:
        click.echo(f"qa: {outcome.failed:,} questions failed, see {out}; --resume asks them again", err=True)
        sys.exit(_SOME_FAILED)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the command line says of the run itself."""

    dataset: Path
    out: Path
    filters: tuple[str, ...]
    limit: int | None
    seed: int
    jobs: int
    resume: bool

    def selection(self) -> dict[str, str]:
        return {"filter": " ".join(sorted(self.filters)), "limit": "" if self.limit is None else str(self.limit)}


def _ran(plan: _Plan, address: Address, asking: Asking) -> RunOutcome:
    import asyncio

    return asyncio.run(_run(plan, address, asking, read_settings()))


async def _run(plan: _Plan, address: Address, asking: Asking, settings: Settings) -> RunOutcome:
    from qa.evaluation.dataset import read_dataset
    from qa.evaluation.manifest import make_manifest
    from qa.evaluation.run import run as ask_all
    from qa.evaluation.run_folder import RunFolder
    from qa.evaluation.selection import select
    from qa.evaluation.targets.open import respondent

    dataset = read_dataset(plan.dataset)
    examples = select(dataset.examples, filters=plan.filters, limit=plan.limit, seed=plan.seed)
    async with respondent(address, asking=asking, seed=plan.seed, settings=settings) as asked:
        try:
            facts = await asked.facts()
        except TargetFailed as error:
            raise RunRefused(f"{address.url or address.openai_url} does not answer: {error}") from None
        manifest = make_manifest(
            dataset, examples, facts=facts, asking=asking, selection=plan.selection(), seed=plan.seed
        )
        with (
            RunFolder.open(plan.out, manifest, examples, resume=plan.resume) as folder,
            shown(total=len(examples), done=len(folder.finished)) as progress,
        ):
            return await ask_all(
                examples,
                respondent=asked,
                folder=folder,
                jobs=plan.jobs,
                ranked=asking.ranked,
                progress=progress,
            )


def _token(name: str | None) -> str:
    if name is None:
        return ""
    if not os.environ.get(name):
        raise click.UsageError(f"--token-from {name}: there is no such environment variable, or it is empty")
    return os.environ[name]
