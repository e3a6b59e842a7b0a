"""Scores a finished run with a support checker: the same files give the same scores, byte for byte."""

from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from embeddings.types import article_version
from qa.evaluation import SCHEMA_VERSION, ClaimScore, Example, ExampleScores, Outcome, Score, Scores
from qa.evaluation.judge import NO_OPINIONS, Judgement, Opinions, judge
from qa.evaluation.measures import Observed, observe
from qa.evaluation.metrics import METRICS, metric
from qa.evaluation.metrics.confidence import abstention_f1, auroc, coverage_accuracy_area, expected_calibration_error
from qa.evaluation.metrics.statistics import Estimate, Floats, mean, percentile, resampled
from qa.evaluation.replies import Reply, reply
from qa.evaluation.run_folder import FinishedRun
from qa.grounding import Mismatch, SupportChecker

_DIGITS = 6
_PERCENTILES = (50, 90, 95, 99)


def score_run(
    run: FinishedRun,
    *,
    checker: SupportChecker,
    seed: int = 0,
    opinions: Opinions = NO_OPINIONS,
    told: Callable[[int], None] = lambda _: None,
) -> Scores:
    """Score every example of a run; those that were never asked, or failed, count as got wrong.

    `told` hears how many are done.
    """
    # An article whose text is not what its version says proves nothing.
    articles = {name: one for name, one in run.articles.items() if article_version(one.text) == one.version}
    observed: list[Observed] = []
    examples: list[ExampleScores] = []
    for number, example in enumerate(run.examples):
        told(number)
        prediction = run.predictions.get(example.id)
        said = reply(prediction, articles) if prediction else None
        judgements = _judged(said, example, checker, opinions)
        seen = observe(example, prediction, reply=said, judgements=judgements)
        observed.append(seen)
        examples.append(_example(seen, said, judgements))
    estimates = {
        **_means(observed, seed),
        **_abstention(observed, seed),
        **_confidence(observed, seed),
        **_latency(observed, seed),
    }
    known = [name for name in METRICS if name in estimates] + sorted(estimates.keys() - METRICS.keys())
    return Scores(
        schema_version=SCHEMA_VERSION,
        run_id=run.manifest.run_id,
        fingerprint=run.manifest.fingerprint,
        predictions_sha256=run.predictions_sha256,
        scorer={"sourceline": version("sourceline"), "support_checker": checker.identity, "seed": str(seed)}
        | ({"judge": opinions.judge} if opinions.judge else {}),
        scores=tuple(_score(name, estimates[name]) for name in known),
        examples=tuple(examples),
    )


def _judged(said: Reply | None, example: Example, checker: SupportChecker, opinions: Opinions) -> tuple[Judgement, ...]:
    if said is None or said.declined:
        return ()
    return judge(said, question=example.question, checker=checker, opinions=opinions)


def _means(observed: Sequence[Observed], seed: int) -> dict[str, Estimate]:
    """Metrics that are means over examples, claims or citations."""
    values: dict[str, list[float]] = {}
    groups: dict[str, list[str]] = {}
    for one in observed:
        for name, seen in one.values.items():
            values.setdefault(name, []).extend(seen)
            groups.setdefault(name, []).extend([one.group] * len(seen))
    return {name: mean(values[name], groups=groups[name], seed=seed) for name in values}


def _abstention(observed: Sequence[Observed], seed: int) -> dict[str, Estimate]:
    """Declining as a choice; only examples that say whether they can be answered, and were asked, tell."""
    known = [(one, one.example.answerable) for one in observed if one.answered or one.declined]
    told = [(one, answerable) for one, answerable in known if answerable is not None]
    sure = [(one.confidence, kind, one.group) for one, kind in told if one.confidence is not None]
    scores, kinds = np.asarray([row[0] for row in sure]), np.asarray([row[1] for row in sure], np.bool_)
    return {
        "abstention.f1": abstention_f1(
            [one.declined for one, _ in told],
            [kind for _, kind in told],
            groups=[one.group for one, _ in told],
            seed=seed,
        ),
        "abstention.auroc": resampled(
            lambda chosen: auroc(scores[chosen], kinds[chosen]), groups=[group for _, _, group in sure], seed=seed
        ),
    }


def _confidence(observed: Sequence[Observed], seed: int) -> dict[str, Estimate]:
    """How well the confidence of an answer tells whether it is right."""
    sure = [
        (one.confidence, one.right, one.group)
        for one in observed
        if one.answered and one.right is not None and one.confidence is not None
    ]
    scores, right = np.asarray([row[0] for row in sure]), np.asarray([row[1] for row in sure])
    groups = [group for _, _, group in sure]

    def over(measure: Callable[[Floats, Floats], float | None]) -> Estimate:
        return resampled(lambda chosen: measure(scores[chosen], right[chosen]), groups=groups, seed=seed)

    return {
        "confidence.auroc": over(lambda given, good: auroc(given, good == 1.0)),
        "confidence.coverage_accuracy_area": over(coverage_accuracy_area),
        "calibration.ece": over(expected_calibration_error),
    }


def _latency(observed: Sequence[Observed], seed: int) -> dict[str, Estimate]:
    taken = [(one.latency_ms, one.group) for one in observed if one.latency_ms is not None]
    milliseconds = np.asarray([one for one, _ in taken])
    groups = [group for _, group in taken]

    def over(share: int) -> Estimate:
        return resampled(lambda chosen: percentile(milliseconds[chosen], share), groups=groups, seed=seed)

    return {f"latency.p{share}_ms": over(share) for share in _PERCENTILES}


def _score(name: str, estimate: Estimate) -> Score:
    by_group = " by group" if estimate.groups < estimate.n else ""
    return Score(
        metric=name,
        value=estimate.value,
        n=estimate.n,
        low=estimate.low,
        high=estimate.high,
        method="" if estimate.method == "none" else estimate.method + by_group,
        unit=metric(name).unit,
    )


def _example(seen: Observed, said: Reply | None, judgements: Sequence[Judgement]) -> ExampleScores:
    return ExampleScores(
        example_id=seen.example.id,
        group=seen.group,
        values={name: round(sum(values) / len(values), _DIGITS) for name, values in seen.values.items()},
        outcome=_outcome(seen),
        confidence=seen.confidence,
        latency_ms=seen.latency_ms,
        claims=tuple(
            ClaimScore(
                text=claim.text,
                verdict=judgement.support.verdict,
                score=round(judgement.support.score, _DIGITS),
                cited_support=judgement.citations.recalled,
                precise=judgement.citations.precise,
                mismatches=tuple(_told(claim.text, one) for one in judgement.support.mismatches),
            )
            for claim, judgement in zip(said.claims if said else (), judgements, strict=False)
        ),
    )


def _outcome(seen: Observed) -> Outcome:
    if not (seen.answered or seen.declined):
        return "failed"
    if seen.right == 1.0:
        return "right"
    if seen.declined:
        return "declined" if seen.right is None else "missed"
    return "unjudged" if seen.right is None else "wrong"


def _told(claim: str, mismatch: Mismatch) -> str:
    there = f", found {mismatch.found}" if mismatch.found else ""
    return f"{mismatch.kind}: {claim[mismatch.start : mismatch.end]}{there}"
