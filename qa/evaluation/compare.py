"""Compares a scored run with another and with limits: what differs, whether by chance, what fails.

What was not measured holds no limit.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from qa.evaluation import Example, ExampleScores, InvalidThreshold, Manifest, Outcome, Scores
from qa.evaluation.metrics import METRICS, metric
from qa.evaluation.metrics.statistics import Difference, Pair, compare_all

FLIPPED_BY = "answer.right"
Verdict = str
"""`better`, `worse`, or `no sure difference`."""
Kind = Literal["min", "max", "max-regression"]


class MetricDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, each run's mean over the examples it has the metric for; claims and citations by example."""

    metric: str
    baseline: float
    candidate: float
    difference: Difference
    """Candidate - baseline."""
    verdict: Verdict


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """An example that was right in one run and not in the other."""

    example_id: str
    question: str
    baseline: Outcome
    candidate: Outcome


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Candidate against baseline."""

    schema_version: int
    baseline: str
    candidate: str
    seed: int
    warnings: tuple[str, ...]
    changed: Mapping[str, tuple[str, str]]
    """Settings, options and versions that differ, with both values."""
    paired: int
    metrics: tuple[MetricDifference, ...]
    fixed: tuple[Flip, ...]
    broken: tuple[Flip, ...]


def compare_runs(
    baseline: tuple[Manifest, Scores], candidate: tuple[Manifest, Scores], *, examples: Sequence[Example], seed: int = 0
) -> Comparison:
    """Pair the examples of both runs by id and compare; deterministic for a seed."""
    before = {one.example_id: one for one in baseline[1].examples}
    after = {one.example_id: one for one in candidate[1].examples}
    pairs = [(before[name], after[name]) for name in before if name in after]
    questions = {one.id: one.question for one in examples}
    flips = [_flip(one, other, questions) for one, other in pairs if _is_flip(one, other)]
    return Comparison(
        schema_version=candidate[1].schema_version,
        baseline=baseline[0].run_id,
        candidate=candidate[0].run_id,
        seed=seed,
        warnings=tuple(_warnings(baseline, candidate, len(pairs))),
        changed=_changed(baseline[0], candidate[0]),
        paired=len(pairs),
        metrics=tuple(_differences(pairs, seed)),
        fixed=tuple(flip for flip in flips if flip.candidate == "right"),
        broken=tuple(flip for flip in flips if flip.baseline == "right"),
    )


def _differences(pairs: Sequence[tuple[ExampleScores, ExampleScores]], seed: int) -> list[MetricDifference]:
    """Of every metric that both runs have; each run's mean is over the examples it has the metric for."""
    before, after = ({name for pair in pairs for name in pair[side].values} for side in range(2))
    names = before & after
    known = [name for name in METRICS if name in names] + sorted(names - METRICS.keys())
    columns = [(_column(pairs, 1, name), _column(pairs, 0, name)) for name in known]
    found = compare_all(columns, groups=[one.group for one, _ in pairs], seed=seed) if columns else []
    return [_difference(*row) for row in zip(known, columns, found, strict=True)]


def _column(pairs: Sequence[tuple[ExampleScores, ExampleScores]], side: int, name: str) -> list[float | None]:
    return [pair[side].values.get(name) for pair in pairs]


def _difference(name: str, columns: Pair, found: Difference) -> MetricDifference:
    after, before = ([value for value in column if value is not None] for column in columns)
    gain = found.mean if metric(name).higher_is_better else -found.mean
    return MetricDifference(
        metric=name,
        baseline=round(sum(before) / len(before), 6),
        candidate=round(sum(after) / len(after), 6),
        difference=found,
        verdict="no sure difference" if not found.is_sure else "better" if gain > 0 else "worse",
    )


def _is_flip(one: ExampleScores, other: ExampleScores) -> bool:
    return (
        FLIPPED_BY in one.values
        and FLIPPED_BY in other.values
        and (one.outcome == "right") != (other.outcome == "right")
    )


def _flip(one: ExampleScores, other: ExampleScores, questions: Mapping[str, str]) -> Flip:
    name = one.example_id
    return Flip(example_id=name, question=questions.get(name, ""), baseline=one.outcome, candidate=other.outcome)


def _warnings(one: tuple[Manifest, Scores], other: tuple[Manifest, Scores], paired: int) -> list[str]:
    found = []
    if one[0].dataset_sha256 != other[0].dataset_sha256:
        found.append(f"the runs used different datasets ({one[0].dataset} and {other[0].dataset})")
    if one[0].corpus != other[0].corpus:
        found.append("the runs searched different articles")
    alone = max(len(one[1].examples), len(other[1].examples)) - paired
    if alone:
        found.append(f"{paired} examples are in both runs and compared; {alone} of the larger run are not")
    if one[1].scorer != other[1].scorer:
        found.append("the runs were scored by different scorers: score both again")
    return found


def _changed(one: Manifest, other: Manifest) -> dict[str, tuple[str, str]]:
    flat = [_flat(one), _flat(other)]
    names = sorted(flat[0].keys() | flat[1].keys())
    both = {name: (flat[0].get(name, ""), flat[1].get(name, "")) for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def _flat(manifest: Manifest) -> dict[str, str]:
    """What decides a run's answers, by dotted name."""
    named = {
        name: getattr(manifest, name) for name in ("options", "settings", "encoder", "prompts", "versions", "corpus")
    }
    flat = {f"{part}.{name}": value for part, values in named.items() for name, value in values.items()}
    return flat | {
        "git_revision": manifest.git_revision,
        "dataset_sha256": manifest.dataset_sha256,
        "target": " ".join(filter(None, (manifest.target.kind, manifest.target.url, manifest.target.model))),
    }


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must hold."""

    metric: str
    kind: Kind
    """At least, at most, or no worse than the baseline by more than."""
    value: float


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and whether it holds."""

    limit: Limit
    measured: float | None
    n: int
    baseline: float | None
    holds: bool
    message: str


def limit_of(text: str, *, kind: Kind) -> Limit:
    """Read `metric=value`. Raises InvalidThreshold.

    >>> limit_of("answer.f1=0.3", kind="min").value
    0.3
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidThreshold(f"{text!r} is no limit: write metric=value, such as answer.f1=0.30")
    return _limit(name, kind, value)


def read_limits(path: Path) -> list[Limit]:
    """Read a TOML file with tables `min`, `max` and `max-regression` of metric = value. Raises InvalidThreshold."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidThreshold(f"{path} is no TOML file: {error}") from None
    kinds: tuple[Kind, ...] = ("min", "max", "max-regression")
    if unknown := sorted(tables.keys() - set(kinds)):
        raise InvalidThreshold(f"{path}: {', '.join(unknown)} means nothing here; the tables are {', '.join(kinds)}")
    limits = []
    for kind in kinds:
        table = tables.get(kind, {})
        if not isinstance(table, dict):
            raise InvalidThreshold(f'{path}: {kind} must be a table, such as [{kind}] with lines "answer.f1" = 0.30')
        limits += [_limit(name, kind, value) for name, value in table.items()]
    return limits


def check(scores: Scores, limits: Sequence[Limit], *, baseline: Scores | None = None) -> list[Check]:
    """Check every limit. A metric that is missing, empty or not finite fails, in the run as in its baseline."""
    measured = {one.metric: (one.value, one.n) for one in scores.scores}
    before = {one.metric: one.value for one in baseline.scores} if baseline else {}
    return [_check(limit, *measured.get(limit.metric, (None, 0)), before.get(limit.metric)) for limit in limits]


def _limit(name: str, kind: Kind, value: object) -> Limit:
    if name not in METRICS:
        family = name.partition(".")[0]
        near = [known for known in METRICS if name and (name in known or known.startswith(family))]
        raise InvalidThreshold(f"{name!r} is no metric; there are {', '.join(near or METRICS)}")
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidThreshold(f"the limit of {name} is {value!r}; it must be a number")
    if kind == "max-regression" and number < 0:
        raise InvalidThreshold(f"the regression allowed for {name} is {value!r}; it must be 0 or more")
    return Limit(metric=name, kind=kind, value=number)


def _check(limit: Limit, measured: float | None, n: int, before: float | None) -> Check:
    holds = False
    if measured is None or not math.isfinite(measured) or n <= 0:
        message = f"{limit.metric} was not measured"
    elif limit.kind == "max-regression" and (before is None or not math.isfinite(before)):
        message = f"{limit.metric} was not measured in the baseline"
    else:
        holds, wanted = _holds(limit, measured, before or 0.0)
        message = f"{limit.metric} is {measured:.4f} (n = {n}), {wanted}"
    return Check(limit=limit, measured=measured, n=n, baseline=before, holds=holds, message=message)


def _holds(limit: Limit, measured: float, before: float) -> tuple[bool, str]:
    tolerance = 1e-9  # 0.3 read from a file and 0.3 computed are the same limit
    if limit.kind == "min":
        return measured >= limit.value - tolerance, f"at least {limit.value:g} is wanted"
    if limit.kind == "max":
        return measured <= limit.value + tolerance, f"at most {limit.value:g} is wanted"
    lost = before - measured if metric(limit.metric).higher_is_better else measured - before
    return lost <= limit.value + tolerance, f"the baseline has {before:.4f}, at most {limit.value:g} may be lost"
