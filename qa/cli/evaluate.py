"""`qa evaluate`: asks a dataset's questions, converts other projects' files, lets a model judge claims.

What a command needs it loads when it runs.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from qa.cli.evaluate_models import checker, reader
from qa.cli.evaluate_scores import compare, gate, report, score
from qa.cli.terminal import questions_shown, read_settings
from qa.evaluation import Example, InvalidDataset, RunRefused, TargetFailed
from qa.evaluation.dataset import EXPORTS, read_dataset, select, write_lines
from qa.evaluation.judge import append_opinions, ask_judge, claims_to_judge, judge_name, read_opinions
from qa.evaluation.run import RunOutcome, make_manifest
from qa.evaluation.run import run as ask_all
from qa.evaluation.run_folder import RunFolder, read_run
from qa.evaluation.targets import Address, Asking, respondent

if TYPE_CHECKING:
    from qa.settings import Settings

_SOME_FAILED = 3
_FORMATS = ("squad", "realtimeqa", "ragas", "deepeval", "csv", "dataset", "seeds")
_TOOLS = ("dataset", "promptfoo", "inspect")
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_WRITTEN = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group()
def evaluate() -> None:
    """Measure how good answers are: run a dataset, score the run, compare it, gate a release."""


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
    return asyncio.run(_run(plan, address, asking, read_settings()))


async def _run(plan: _Plan, address: Address, asking: Asking, settings: Settings) -> RunOutcome:
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
            questions_shown(total=len(examples), done=len(folder.finished)) as progress,
        ):
            return await ask_all(
                examples, respondent=asked, folder=folder, jobs=plan.jobs, ranked=asking.ranked, progress=progress
            )


def _token(name: str | None) -> str:
    if name is None:
        return ""
    if not os.environ.get(name):
        raise click.UsageError(f"--token-from {name}: there is no such environment variable, or it is empty")
    return os.environ[name]


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds a claim.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Claims under way at once.")
def judge(run: Path, timeout: float, jobs: int) -> None:
    """Ask the model of QA_LLM_BASE_URL whether the cited words say what each claim says.

    What it answers lies in the run's folder; `qa evaluate score` then reports it by names of its own, `judge.…`, with
    how often the support checker agrees. Claims that were judged already by the same model and prompts are not asked
    again.
    """
    asked, failed = asyncio.run(_judged(run, read_settings(), timeout, jobs))
    click.echo(f"{asked:,} claims asked, {failed:,} without a reply; score the run again to see them", err=True)
    if failed:
        sys.exit(_SOME_FAILED)


async def _judged(folder: Path, settings: Settings, timeout: float, jobs: int) -> tuple[int, int]:
    from qa.generators import load_generator

    generator = load_generator(settings)
    if generator is None or not settings.llm_model:
        raise click.UsageError("there is no model to ask: set QA_LLM_BASE_URL and QA_LLM_MODEL")
    try:
        known = read_opinions(folder)
        same = known.supported if known.judge == judge_name(generator) else {}
        claims = claims_to_judge(read_run(folder), known=same.keys())
        failed = await ask_judge(
            claims,
            generator=generator,
            seconds=timeout,
            jobs=min(jobs, settings.llm_concurrency),
            told=lambda opinion: append_opinions(folder, [opinion]),
        )
    finally:
        await generator.close()
    return len(claims), failed


@click.command()
@click.argument("sources", nargs=-1, required=True, type=_EXISTING)
@click.option("--from", "form", type=click.Choice(_FORMATS), required=True, help="Format of the files given.")
@click.option("--to", "tool", type=click.Choice(_TOOLS), default="dataset", show_default=True, help="What to write.")
@click.option("--out", type=_WRITTEN, required=True, help="File to write; of a dataset, one question a line.")
@click.option("--articles", type=_WRITTEN, help="Where to write the articles that come along, for `qa ingest`.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The service that promptfoo is to ask.")
def convert(sources: tuple[Path, ...], form: str, tool: str, out: Path, articles: Path | None, url: str) -> None:
    """Turn datasets of other projects into one that `qa evaluate run` takes, or that promptfoo or Inspect takes.

    Formats: SQuAD 1.1 and 2.0; RealTimeQA (`*_qa.jsonl` with `*_gcs.jsonl`); rows of ragas and of deepeval; CSV or
    TSV with columns named like the dataset's fields; this project's own datasets (`dataset`, such as the export of
    reviews) and labelled questions (`seeds`).
    """
    from qa.evaluation.convert import FORMATS

    converted = FORMATS[form](sources)
    for note in converted.notes:
        click.echo(f"qa: note: {note}", err=True)
    if tool == "dataset":
        _write_checked(out, converted.examples)
        written = len(converted.examples)
    else:
        written = _export(out, converted.examples, tool=tool, url=url)
    click.echo(f"{written:,} questions written to {out}", err=True)
    if articles is not None:
        if not converted.articles:
            click.echo(f"qa: warning: no articles come with {form} files; {articles} is empty", err=True)
        write_lines(articles, converted.articles)
        click.echo(f"{len(converted.articles):,} articles written to {articles}", err=True)


def _export(out: Path, examples: Sequence[Example], *, tool: str, url: str) -> int:
    """Write what another tool takes, say what it cannot know of it, and give how many questions are in it."""
    exported = EXPORTS[tool](examples, url)
    for note in exported.notes:
        click.echo(f"qa: note: {note}", err=True)
    out.write_bytes(exported.content)
    return exported.questions


def _write_checked(out: Path, examples: Sequence[Example]) -> None:
    """Write what `qa evaluate run` will take, or nothing: a file that stood there before is then left as it was."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "question"
        write_lines(draft, examples)
        try:
            read_dataset(draft)
        except InvalidDataset as error:
            raise InvalidDataset(f"{out} was not written; by number of question:\n{error}") from None
    write_lines(out, examples)


for command in (run, score, judge, report, compare, gate, convert, reader, checker):
    evaluate.add_command(command)
