"""`qa evaluate judge`: a language model's opinion of every claim of a run, kept apart from the checker's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import read_settings

if TYPE_CHECKING:
    from qa.settings import Settings

__all__ = ["judge"]

_SOME_FAILED = 3


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
    import asyncio

    asked, failed = asyncio.run(_judged(run, read_settings(), timeout, jobs))
    click.echo(f"{asked:,} claims asked, {failed:,} without a reply; score the run again to see them", err=True)
    if failed:
        sys.exit(_SOME_FAILED)


async def _judged(folder: Path, settings: Settings, timeout: float, jobs: int) -> tuple[int, int]:
    from qa.evaluation.model_judge import ask_judge, claims_to_judge, judge_name
    from qa.evaluation.opinions import append_opinions, read_opinions
    from qa.evaluation.run_folder import read_run
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
