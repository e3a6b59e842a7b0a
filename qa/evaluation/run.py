"""Takes examples and a respondent, gives a prediction for each as it comes: the first of the two stages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from qa.evaluation.errors import TargetFailed
from qa.evaluation.run_folder import RunFolder
from qa.evaluation.targets.target import Reply, Respondent
from qa.evaluation.types import CitedArticle, Example, Prediction
from qa.language.timestamps import stamp
from qa.types import Answer

__all__ = ["RunOutcome", "predict", "run"]


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of `run` did."""

    asked: int
    failed: int
    skipped: int
    """Answered by an earlier call."""


async def run(
    examples: Sequence[Example],
    *,
    respondent: Respondent,
    folder: RunFolder,
    jobs: int = 1,
    ranked: int = 10,
    progress: Callable[[Prediction], None] = lambda _: None,
) -> RunOutcome:
    """Ask every example that has no answer yet, `jobs` at a time, and write each prediction as it comes."""
    waiting = [example for example in examples if example.id not in folder.finished]
    queue = iter(waiting)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for example in queue:
            prediction, articles = await predict(example, respondent=respondent, ranked=ranked, keeps=folder.keeps)
            folder.add(prediction, articles)
            failed += prediction.failure is not None
            progress(prediction)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, min(jobs, len(waiting)))):
                group.create_task(work())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None  # the first one ended the others
    folder.finish(stamp(datetime.now(UTC)))
    return RunOutcome(asked=len(waiting), failed=failed, skipped=len(examples) - len(waiting))


async def predict(
    example: Example,
    *,
    respondent: Respondent,
    ranked: int = 10,
    keeps: Callable[[str, str], bool] = lambda _id, _version: False,
) -> tuple[Prediction, list[CitedArticle]]:
    """Ask one example; a failure is a prediction too. Also gives the cited articles, but for those kept already."""
    started_at = stamp(datetime.now(UTC))
    try:
        reply = await respondent.ask(example)
        results = await respondent.search(_standing_alone(example, reply)) if ranked else None
        articles = await _cited_articles(reply, respondent, keeps)
    except TargetFailed as error:
        return Prediction(example_id=example.id, started_at=started_at, latency_ms=0.0, failure=error.failure), []
    prediction = Prediction(
        example_id=example.id,
        started_at=started_at,
        latency_ms=round(reply.latency_ms, 2),
        answer=reply.answer,
        foreign=reply.foreign,
        ranked=results,
    )
    return prediction, articles


def _standing_alone(example: Example, reply: Reply) -> Example:
    """A follow-up as it was understood: searched for as it was put, nothing would be found that it is about."""
    if reply.answer is None or not example.conversation:
        return example
    return msgspec.structs.replace(example, question=reply.answer.resolved_query)


async def _cited_articles(
    reply: Reply, respondent: Respondent, keeps: Callable[[str, str], bool]
) -> list[CitedArticle]:
    found = []
    for article_id, version in _named(reply.answer):
        if not keeps(article_id, version):
            article = await respondent.article(article_id, version=version)
            if article is not None:
                found.append(article)
    return found


def _named(answer: Answer | None) -> Iterable[tuple[str, str]]:
    """Article versions an answer points into, each once."""
    if answer is None:
        return ()
    named = [(citation.article_id, citation.article_version) for citation in answer.citations]
    if answer.short_answer is not None:
        named.append((answer.short_answer.article_id, answer.short_answer.article_version))
    return dict.fromkeys(named)
