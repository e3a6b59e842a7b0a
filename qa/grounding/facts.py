"""Says whether a quantity or date of the evidence bears out one of a claim, however each is written."""

from __future__ import annotations

from collections.abc import Sequence

from qa.language.dates import Moment, agree
from qa.language.quantities import Quantity

__all__ = ["bears_out", "comparable", "counted", "dated", "same_parts", "same_value", "units_clash"]

_CONVERTED = 0.02
"""Relative difference that converting and rounding may bring."""
_ABOUT = 0.06
"""Relative difference that "about" may hide."""
_BEYOND = 0.5
"""How far above the floor, or below the ceiling, of a claim a number may lie and still be what is meant."""


def bears_out(claimed: Quantity, said: Quantity) -> bool:
    """Whether a text that says one quantity supports a claim of the other.

    A claim may be vaguer than its source ("about 600,000" for 597,412, "more than 20" for 23) but not sharper.
    """
    if claimed.ordinal != said.ordinal or units_clash(claimed, said):
        return False
    return same_value(claimed, said) and not _bounds_clash(claimed, said)


def counted(claimed: Quantity, said: Sequence[Quantity]) -> bool:
    """Whether one of the quantities of a sentence bears out a claimed one.

    Where the sentence has the very unit of the claim, other units are not converted: "87 miles" beside "140 km" says
    how many miles were meant.
    """
    same = [q for q in said if claimed.unit is not None and q.unit is not None and q.unit.name == claimed.unit.name]
    return any(bears_out(claimed, q) for q in same or said)


def same_value(claimed: Quantity, said: Quantity) -> bool:
    """Whether the numbers agree as measures, units converted and rounding allowed for."""
    one, other = _measure(claimed, said)
    if one == other:
        return True
    if claimed.unit is not None and said.unit is not None and claimed.unit.name != said.unit.name:
        return _near(one, other, _CONVERTED)
    if claimed.bound == said.bound and claimed.bound in {"least", "most"}:
        return False
    if claimed.bound == "about" or (said.bound == "about" and claimed.digits <= said.digits):
        return _near(one, other, _ABOUT) and (claimed.digits != said.digits or claimed.bound != said.bound)
    if claimed.bound == "least":
        return one <= other <= one * (1 + _BEYOND)
    if claimed.bound == "most":
        return one * (1 - _BEYOND) <= other <= one
    return claimed.digits >= 2 and claimed.value >= 1000 and _rounds_to(other, one, claimed.digits)


def units_clash(claimed: Quantity, said: Quantity) -> bool:
    """Whether both are measures, of things that do not convert into each other."""
    one, other = claimed.unit, said.unit
    if one is None or other is None:
        # "up from 54 to 61.3 percent": a number may leave its unit to the next.
        return False
    return one.kind != other.kind or (one.kind == "money" and one.name != other.name)


def comparable(claimed: Quantity, said: Quantity) -> bool:
    """Whether one could stand in the other's place: the same kind of measure, or both bare counts."""
    one, other = claimed.unit, said.unit
    if claimed.ordinal != said.ordinal:
        return False
    return (one.kind if one else None) == (other.kind if other else None)


def dated(claimed: Moment, said: Sequence[Moment]) -> bool:
    """Whether one of these dates bears out a claimed one."""
    return any(agree(claimed, moment) for moment in said)


def _measure(claimed: Quantity, said: Quantity) -> tuple[float, float]:
    one, other = claimed.unit, said.unit
    if one is not None and other is not None and one.kind == other.kind and one.name != other.name:
        return claimed.value * one.size, said.value * other.size
    if {one.kind if one else "", other.kind if other else ""} == {"share", ""}:
        # "half of" is 50 percent.
        return (
            claimed.value * (one.size if one and said.value <= 1 else 1.0),
            said.value * (other.size if other and claimed.value <= 1 else 1.0),
        )
    return claimed.value, said.value


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _rounds_to(value: float, rounded: float, digits: int) -> bool:
    """Whether a number, rounded to so many digits, is the other."""
    return value != 0 and float(f"{value:.{max(digits - 1, 0)}e}") == rounded


def _bounds_clash(claimed: Quantity, said: Quantity) -> bool:
    return {claimed.bound, said.bound} == {"least", "most"}


def same_parts(claimed: Moment, said: Moment) -> bool:
    """Whether both name the same parts of a date, so that one can stand in the other's place."""
    parts = ("year", "month", "day", "weekday", "minutes")
    return any(getattr(claimed, part) is not None and getattr(said, part) is not None for part in parts)
