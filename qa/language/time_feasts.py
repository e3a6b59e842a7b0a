"""Times told by a feast or a holiday: "since Easter", "on Labor Day", "at Christmas last year"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from qa.language.time_rules import ANY_YEAR, Asked, DateRange, Rule, rule

_Day = Callable[[int], date]


def _on(month: int, day: int) -> _Day:
    return lambda year: date(year, month, day)


def _easter(year: int) -> date:
    """The Sunday of Easter in the West, by the reckoning of Meeus, Jones and Butcher.

    >>> _easter(2024), _easter(2026)
    (datetime.date(2024, 3, 31), datetime.date(2026, 4, 5))
    """
    golden, (century, rest) = year % 19, divmod(year, 100)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - shift + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _from_easter(days: int) -> _Day:
    return lambda year: _easter(year) + timedelta(days=days)


def _nth(month: int, weekday: int, nth: int) -> _Day:
    """The nth such weekday of a month; below zero the last one."""

    def read(year: int) -> date:
        if nth < 0:
            end = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
            return end - timedelta(days=(end.weekday() - weekday) % 7)
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))

    return read


_FEASTS: Mapping[str, tuple[_Day, int]] = {
    "christmas eve": (_on(12, 24), 1),
    "christmas day": (_on(12, 25), 1),
    "christmas": (_on(12, 24), 3),
    "boxing day": (_on(12, 26), 1),
    "new year's eve": (_on(12, 31), 1),
    "new year's day": (_on(1, 1), 1),
    "new year's": (_on(1, 1), 1),
    "new year": (_on(1, 1), 1),
    "epiphany": (_on(1, 6), 1),
    "valentine's day": (_on(2, 14), 1),
    "st patrick's day": (_on(3, 17), 1),
    "may day": (_on(5, 1), 1),
    "juneteenth": (_on(6, 19), 1),
    "the fourth of july": (_on(7, 4), 1),
    "independence day": (_on(7, 4), 1),
    "bastille day": (_on(7, 14), 1),
    "halloween": (_on(10, 31), 1),
    "all saints' day": (_on(11, 1), 1),
    "ash wednesday": (_from_easter(-46), 1),
    "palm sunday": (_from_easter(-7), 1),
    "maundy thursday": (_from_easter(-3), 1),
    "good friday": (_from_easter(-2), 1),
    "easter sunday": (_easter, 1),
    "easter monday": (_from_easter(1), 1),
    "easter": (_from_easter(-2), 4),
    "ascension day": (_from_easter(39), 1),
    "pentecost": (_from_easter(49), 2),
    "whitsun": (_from_easter(49), 2),
    "martin luther king day": (_nth(1, 0, 3), 1),
    "presidents' day": (_nth(2, 0, 3), 1),
    "memorial day": (_nth(5, 0, -1), 1),
    "labor day": (_nth(9, 0, 1), 1),
    "labour day": (_nth(9, 0, 1), 1),
    "thanksgiving": (_nth(11, 3, 4), 4),
}
"""The first day in a year, and the length in days."""
_NAMES = "|".join(sorted(_FEASTS, key=len, reverse=True)).replace("'", "['’]")


def _feast(match: re.Match[str], asked: Asked) -> DateRange:
    """The feast of the year named, else the last one that has begun; the next one where what is to come is asked."""
    begins, days = _FEASTS[match["feast"].casefold().replace("’", "'")]
    year, which = asked.today.year, (match["which"] or "").casefold()
    if match["year"]:
        year = int(match["year"])
    elif which == "next" or (asked.ahead and which != "last"):
        year += begins(year) + timedelta(days=days - 1) < asked.today
    elif which != "this":
        year -= begins(year) > asked.today
    first = begins(year)
    return DateRange(first, first + timedelta(days=days - 1))


RULES: tuple[Rule, ...] = (
    rule(
        r"(?:on|at|over|since|before|after|until|by|during|around|from|to|and|for|ahead of)"
        rf" (?P<core>(?P<which>)(?:the )?(?P<feast>{_NAMES})(?: (?:holidays?|weekend|break))?"
        rf"(?:,? (?:of |in )?(?P<year>{ANY_YEAR}))?)",
        _feast,
    ),
    rule(rf"(?P<core>(?P<which>)(?P<feast>{_NAMES}),? (?:of |in )?(?P<year>{ANY_YEAR}))", _feast),
    rule(rf"(?P<core>(?P<which>last|this|next) (?P<feast>{_NAMES})(?P<year>))", _feast),
)
