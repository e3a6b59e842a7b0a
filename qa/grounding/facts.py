"""Says whether a quantity or date of the evidence bears out one of a claim, however each is written."""

from __future__ import annotations

from collections.abc import Sequence

from qa.grounding.dates import Moment, agree
from qa.grounding.quantities import Quantity

__all__ = ["bears_out", "comparable", "dated", "same_value", "units_clash"]

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


def same_value(claimed: Quantity, said: Quantity) -> bool:
    """Whether the numbers agree as measures, units converted and rounding allowed for."""
    one, other = _measure(claimed, said)
    if one == other:
        return True
    if claimed.unit is not None and said.unit is not None and claimed.unit.name != said.unit.name:
        return _near(one, other, _CONVERTED)
    if claimed.bound == "about" or said.bound == "about":
        return _near(one, other, _ABOUT)
    if claimed.bound == "least":
        return one <= other <= one * (1 + _BEYOND)
    if claimed.bound == "most":
        return one * (1 - _BEYOND) <= other <= one
    return claimed.digits >= 2 and claimed.value >= 1000 and _rounds_to(other, one, claimed.digits)


def units_clash(claimed: Quantity, said: Quantity) -> bool:
    """Whether both are measures, of things that do not convert into each other."""
    one, other = claimed.unit, said.unit
    if one is None or other is None:
        # "61.3" may stand for "61.3 percent", but "5 percent" is never plain "5".
        only = one or other
        return only is not None and only.kind in {"share", "points"} and claimed.value != said.value and one is not None
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
