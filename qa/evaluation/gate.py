"""Takes scores and limits, gives which limits hold; what was not measured holds none of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from qa.evaluation.catalogue import METRICS, metric
from qa.evaluation.errors import InvalidThreshold
from qa.evaluation.types import Scores

__all__ = ["Check", "Kind", "Limit", "check", "limit_of", "read_limits"]

Kind = Literal["min", "max", "max-regression"]


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
    if not _is_known(measured, n):
        message = f"{limit.metric} was not measured"
    elif limit.kind == "max-regression" and (before is None or not math.isfinite(before)):
        message = f"{limit.metric} was not measured in the baseline"
    else:
        holds, wanted = _holds(limit, measured or 0.0, before or 0.0)
        message = f"{limit.metric} is {measured:.4f} (n = {n}), {wanted}"
    return Check(limit=limit, measured=measured, n=n, baseline=before, holds=holds, message=message)


def _is_known(measured: float | None, n: int) -> bool:
    return measured is not None and math.isfinite(measured) and n > 0


def _holds(limit: Limit, measured: float, before: float) -> tuple[bool, str]:
    tolerance = 1e-9  # 0.3 read from a file and 0.3 computed are the same limit
    if limit.kind == "min":
        return measured >= limit.value - tolerance, f"at least {limit.value:g} is wanted"
    if limit.kind == "max":
        return measured <= limit.value + tolerance, f"at most {limit.value:g} is wanted"
    lost = before - measured if metric(limit.metric).higher_is_better else measured - before
    return lost <= limit.value + tolerance, f"the baseline has {before:.4f}, at most {limit.value:g} may be lost"
