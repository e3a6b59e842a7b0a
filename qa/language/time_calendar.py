"""Times told by the calendar: dates in every usual way to write them, months, quarters, seasons, years, decades.

A question asks about a stretch of days, and what it leaves open is decided: "in May" is the last one. `dates` reads
what a claim says, and leaves open what it leaves open. So there are two readers, of one calendar.
"""

import re
from datetime import date, timedelta

from qa.language.quantities import ORDINALS
from qa.language.time_rules import (
    ANY_YEAR,
    MONTH,
    Asked,
    DateRange,
    Rule,
    month_end,
    month_of,
    months_on,
    rule,
    year_of,
)

_AHEAD = timedelta(days=180)
"""A day without a year that lies less than this ahead is the coming one."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month each begins in, north of the equator."""
_ORDINALS = {"first": 1} | dict(ORDINALS)
_TENS = {"noughties": 0, "aughts": 0} | {
    f"{tens}ies": number
    for tens, number in zip("twent thirt fort fift sixt sevent eight ninet".split(), range(20, 100, 10), strict=True)
}


def _month(match: re.Match[str], asked: Asked) -> DateRange:
    month = month_of(match["month"])
    year = year_of(month, asked, match["year"])
    return _part(DateRange(date(year, month, 1), month_end(year, month)), match["part"])


def _which_month(match: re.Match[str], asked: Asked) -> DateRange:
    """ "Last May" is the last one that is over, "this May" that of this year, "next May" the first to begin."""
    month, which, today = month_of(match["month"]), match["which"].casefold(), asked.today
    if which == "next":
        year = today.year + (month <= today.month)
    else:
        year = today.year - (which.endswith(("last", "past")) and month >= today.month)
    return DateRange(date(year, month, 1), month_end(year, month))


def _part(whole: DateRange, part: str | None) -> DateRange:
    """The early, middle or late third of a month or a year; months are read generously."""
    if not part:
        return whole
    days = (whole.last - whole.first).days + 1
    third, spare = days // 3, 5 if days < 40 else 0
    low = part.casefold().rstrip("- ").removeprefix("the ")
    if low.startswith(("early", "start", "beginning")):
        return DateRange(whole.first, whole.first + timedelta(days=third - 1 + spare))
    if low.startswith("mid"):
        edge = timedelta(days=third - spare)
        return DateRange(whole.first + edge, whole.last - edge)
    return DateRange(whole.last - timedelta(days=third - 1 + spare), whole.last)


def _day(match: re.Match[str], asked: Asked) -> DateRange:
    """A day of a month; where no year is named, the one nearest before, or less than half a year ahead."""
    word = match["day"].casefold()
    month, day = month_of(match["month"]), _ORDINALS.get(word) or int(re.sub(r"\D", "", word))
    if match["year"]:
        year = int(match["year"])
    else:
        year = asked.today.year - (date(asked.today.year, month, day) > asked.today + _AHEAD)
    last = re.sub(r"\D", "", match["last"] or "") or str(day)
    return DateRange(date(year, month, day), date(year, month, max(day, int(last))))


def _day_alone(match: re.Match[str], asked: Asked) -> DateRange:
    """ "On the 5th": of this month, or of the last where this month's is to come."""
    today, day = asked.today, int(match["day"])
    month = months_on(today.year, today.month, -1 if day > today.day and not asked.ahead else 0)
    return DateRange(month.replace(day=day), month.replace(day=day))


def _iso(match: re.Match[str], _: Asked) -> DateRange:
    year, month = int(match["year"]), int(match["month"])
    if not match["day"]:
        return DateRange(date(year, month, 1), month_end(year, month))
    return DateRange(date(year, month, int(match["day"])), date(year, month, int(match["day"])))


def _slashed(match: re.Match[str], _: Asked) -> DateRange:
    """ "03/08/2026" is read day first, as most of the world writes it, unless only month first makes it a date."""
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    year += 2000 if year < 100 else 0
    day, month = (first, second) if second <= 12 else (second, first)
    return DateRange(date(year, month, day), date(year, month, day))


def _quarter(match: re.Match[str], asked: Asked) -> DateRange:
    return _share(match, asked, 3)


def _half(match: re.Match[str], asked: Asked) -> DateRange:
    return _share(match, asked, 6)


def _share(match: re.Match[str], asked: Asked, months: int) -> DateRange:
    """A quarter or a half of the year named, else the last one that has begun."""
    word = match["nth"].casefold()
    nth = 12 // months if word in {"last", "final"} else int(word) if word.isdigit() else _ORDINALS[word]
    start = nth * months - months + 1
    year = match["year"]
    number = (
        asked.today.year - 1
        if year and year.casefold() == "last year"
        else year_of(start, asked, year if year and year.isdigit() else None)
    )
    end = months_on(number, start, months - 1)
    return DateRange(date(number, start, 1), month_end(end.year, end.month))


def _season(match: re.Match[str], asked: Asked) -> DateRange | None:
    """A season of the year it begins in; "last" is the last one that is over, else the last one that has begun. "How
    often does it sail in winter?" asks of every one."""
    if not match["year"] and not match["which"] and _EVERY_YEAR.search(match.string):
        return None
    begins, today = _SEASONS[match["season"].casefold()], asked.today
    which = (match["which"] or "").casefold()
    if match["year"]:
        return _season_of(int(match["year"]), begins)
    if which == "this":
        running = begins == 12 and today.month <= 2
        return _season_of(today.year - running, begins)
    seasons = [_season_of(today.year + offset, begins) for offset in (-3, -2, -1, 0, 1)]
    if which == "next" or asked.ahead:
        return next(season for season in seasons if season.first > today)
    if which == " before last":
        return [season for season in seasons if season.last < today][-2]
    if which in {"last", "past", "this past"}:
        return next(season for season in reversed(seasons) if season.last < today)
    return next(season for season in reversed(seasons) if season.first <= today)


_EVERY_YEAR = re.compile(
    r"^(?!.*\b(?:did|was|were|will|had)\b)(?:.*\bhow often|.*\bdo(?:es)?|(?:is|are) the)\b"
    r".* in (?:spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)
"""What is done, in the present, in a season that is not said to be one: "in winter", not "in the winter"."""


def _season_of(year: int, begins: int) -> DateRange:
    end = months_on(year, begins, 2)
    return DateRange(date(year, begins, 1), month_end(end.year, end.month))


def _year(match: re.Match[str], _: Asked) -> DateRange:
    year = int(match["year"])
    return _part(DateRange(date(year, 1, 1), date(year, 12, 31)), match["part"])


def _short_year(match: re.Match[str], asked: Asked) -> DateRange:
    year = 2000 + int(match["year"])
    year -= 100 * (year > asked.today.year)
    return DateRange(date(year, 1, 1), date(year, 12, 31))


def _years(match: re.Match[str], _: Asked) -> DateRange | None:
    first, last = int(match["first"]), int(match["second"])
    last += first // 100 * 100 if last < 100 else 0
    return DateRange(date(first, 1, 1), date(last, 12, 31)) if first <= last else None


def _months(match: re.Match[str], asked: Asked) -> DateRange:
    """Between two months, the later one the last that has begun where no year is named."""
    first, second = month_of(match["first"]), month_of(match["second"])
    year = year_of(second, asked, match["year"])
    return DateRange(date(year - (first > second), first, 1), month_end(year, second))


def _decade(match: re.Match[str], asked: Asked) -> DateRange | None:
    """ "In the 70s" is none where degrees or ages are asked of; "in the '70s" and "in the early 70s" are."""
    bare = re.fullmatch(r"\d0s", match["decade"], re.IGNORECASE) and not match["part"]
    if bare and _MEASURED.search(match.string, max(0, match.start() - 80), match.end() + 40):
        return None
    tens = match["decade"].casefold().lstrip("'’")
    start = _TENS[tens] if tens in _TENS else int(tens.rstrip("s").rstrip("'’"))
    if start < 100:
        start += 1900 if 2000 + start > asked.today.year else 2000
    third = {"early": (0, 3), "mid": (3, 6), "late": (6, 9)}.get((match["part"] or "").casefold().rstrip("- "), (0, 9))
    return DateRange(date(start + third[0], 1, 1), date(start + third[1], 12, 31))


_MEASURED = re.compile(
    r"\b(?:temperatures?|thermometers?|degrees?|fahrenheit|celsius|highs|lows|how (?:old|hot|warm|cold|cool)"
    r"|ages?|aged)\b|°",
    re.IGNORECASE,
)
"""What is told in tens without being a decade."""


def _century(match: re.Match[str], asked: Asked) -> DateRange:
    running = (asked.today.year - 1) // 100 + 1
    named = {"this": running, "last": running - 1}.get(match["nth"].casefold())
    start = ((named or int(match["nth"])) - 1) * 100 + 1
    return DateRange(date(start, 1, 1), date(start + 99, 12, 31))


_PART = r"(?P<part>early |mid-? ?|late |(?:the )?(?:start|beginning|middle|end) of )?"
_BEFORE_MONTH = r"(?:in|during|of|for|by|until|till|since|after|before|from|through|and|to|than)"
_IN_MONTH = rf"(?:^|{_BEFORE_MONTH} )"
"""Without such a word, "Article 5/2024" and "resolution 2023/12" are numbers."""
_AND_YEAR = rf"(?:,? (?:of )?(?P<year>{ANY_YEAR}))"
_NAMED = rf"(?P<month>{MONTH})"
_NUMBER = r"(?P<day>[0-3]?\d(?:st|nd|rd|th)?)"
_UP_TO = r"(?: ?(?:-|–|to|and) ?(?P<last>[0-3]?\d(?:st|nd|rd|th)?))?"
_COUNTED = (
    r"(?! (?:people|homes|houses|cases|men|women|children|workers|soldiers|villages|schools|cities|dollars|euros|pounds"
    r"|miles|metres|meters|kilometres|km|tonnes|tons|times|jobs|votes|seats|hours|days|words)\b)"
)
_OF_YEAR = rf"(?:,? (?:of )?(?P<year>{ANY_YEAR}|(?:last|this) year))?"
_NO_GAME = r"(?! (?:of|in) (?:the|a) (?:game|match|final|season|race))"
_CLOCK = r"(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_SOME_YEAR = r"(?:last|this|next|that) year"
_SEASON = r"(?P<season>spring|summer|autumn|winter)"
_FIGURE = (
    r"(?:[a-z-]+ ){0,3}?(?:inflation|rates?|figures?|sales|output|data|totals?|exports?|imports?|deficit|surplus"
    r"|unemployment|index|numbers?|report|readings?|rain(?:fall)?|prices?|profits?|orders|visitors|temperatures?)\b"
)
"""Whose month is named: April, May and June are first names and last names, too."""

RULES: tuple[Rule, ...] = (
    rule(rf"{_BEFORE_MONTH} (?P<core>{_PART}{_NAMED}{_AND_YEAR}?)(?! [0-3]?\d\b)", _month),
    rule(rf"(?P<core>{_PART}{_NAMED}{_AND_YEAR})", _month),
    rule(rf"(?P<core>(?P<part>){_NAMED}(?P<year>))(?=['’]s {_FIGURE})", _month),
    rule(rf"(?P<core>(?P<part>early |mid-? ?|late ){_NAMED}(?P<year>))(?! [0-3]?\d\b)", _month),
    rule(rf"(?P<core>(?P<which>last|next|this|this past|this last) {_NAMED})(?! [0-3]?\d\b)", _which_month),
    rule(rf"(?P<core>{_NAMED} (?:the )?{_NUMBER}{_UP_TO}(?:,? (?P<year>{ANY_YEAR}))?)(?![:,.]\d)", _day),
    rule(
        rf"(?P<core>(?:the )?(?P<day>[0-3]?\d(?:st|nd|rd|th)?|{'|'.join(_ORDINALS)}){_UP_TO} (?:of )?{_NAMED}"
        rf"(?:,? (?P<year>{ANY_YEAR}))?)",
        _day,
    ),
    rule(r"(?:on|since|before|after|until|by) (?P<core>the (?P<day>[0-3]?\d)(?:st|nd|rd|th))(?=[?.,;]|$)", _day_alone),
    rule(rf"(?P<core>(?P<year>{ANY_YEAR})[-/](?P<month>[01]\d)[-/](?P<day>[0-3]\d){_CLOCK})", _iso),
    rule(rf"{_IN_MONTH}(?P<core>(?P<year>{ANY_YEAR})[-/](?P<month>[01]\d)(?P<day>))(?![-/]\d)", _iso),
    rule(rf"(?P<core>{_NUMBER}(?P<last>)-{_NAMED}-(?P<year>{ANY_YEAR}))", _day),
    rule(r"(?P<core>(?P<first>[0-3]?\d)/(?P<second>[0-3]?\d)/(?P<year>\d\d))", _slashed),
    rule(r"(?P<core>(?P<year>20\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d))", _iso),
    rule(rf"{_IN_MONTH}(?P<core>(?P<month>0?[1-9]|1[0-2])[/.](?P<year>{ANY_YEAR})(?P<day>))(?![./]\d)", _iso),
    rule(rf"(?P<core>(?P<first>[0-3]?\d)(?P<mark>[-./])(?P<second>[0-3]?\d)(?P=mark)(?P<year>{ANY_YEAR}))", _slashed),
    rule(rf"(?P<core>q(?P<nth>[1-4])(?:[ ,/-]+(?P<year>{ANY_YEAR}))?)", _quarter),
    rule(rf"(?P<core>(?P<year>{ANY_YEAR})[ -]?q(?P<nth>[1-4]))", _quarter),
    rule(rf"(?P<core>(?P<nth>[1-4])q(?:[ ,/-]*(?P<year>{ANY_YEAR}))?)", _quarter),
    rule(
        rf"(?P<core>(?:the )?(?P<nth>first|second|third|fourth|last|final)[- ]quarter,? (?:of )?(?P<year>{ANY_YEAR}))",
        _quarter,
        needs="quarter",
    ),
    rule(
        r"(?P<core>(?:in|of|for|during|since|after|before|until|by) the"
        rf" (?P<nth>first|second|third|fourth|final) quarter{_OF_YEAR}){_NO_GAME}",
        _quarter,
        needs="quarter",
    ),
    rule(
        r"(?P<core>(?P<nth>first|second|third|fourth)[- ]quarter(?P<year>))"
        r"(?= (?:results|profit|earnings|sales|revenue|growth|gdp|figures|loss))",
        _quarter,
        needs="quarter",
    ),
    rule(rf"(?P<core>the (?P<nth>first|second) half of (?P<year>{ANY_YEAR}|(?:last|this|the) year))", _half),
    rule(rf"(?P<core>(?:the )?(?P<nth>first|second) half (?P<year>{ANY_YEAR}))", _half),
    rule(rf"(?P<core>h(?P<nth>[12])[ /-]?(?P<year>{ANY_YEAR}))", _half),
    rule(r"(?:in|of|for|during|since) (?P<core>h(?P<nth>[12])(?P<year>))", _half),
    rule(
        r"(?P<core>(?P<which>this past|this|last|past|next) (?P<season>spring|summer|autumn|fall|winter)(?P<year>))",
        _season,
    ),
    rule(rf"(?P<core>the {_SEASON}(?P<year>)(?P<which> before last))", _season),
    rule(
        rf"(?:in|during|since|before|after|until|over|of) (?P<core>(?P<which>)(?:the )?{_SEASON}"
        rf"(?: (?:of )?(?P<year>{ANY_YEAR})(?:[-/–]\d\d(?:\d\d)?)?)?)(?! (?:of|in)\b(?! {_SOME_YEAR}))",
        _season,
    ),
    rule(
        rf"(?P<core>(?P<which>)(?:the )?(?P<season>spring|summer|autumn|fall|winter)(?: of)? (?P<year>{ANY_YEAR})"
        r"(?:[-/–]\d\d(?:\d\d)?)?)",
        _season,
    ),
    rule(
        rf"(?:in|during|of|for|since|before|after|until|till|by|from|to|through|throughout|than|and|or|both)"
        rf" (?<!class of )(?P<core>(?:the year )?{_PART}(?P<year>{ANY_YEAR})){_COUNTED}(?!['’]?s\b)",
        _year,
    ),
    rule(rf"(?P<core>(?P<part>early |mid-? ?|late )(?P<year>{ANY_YEAR}))", _year),
    rule(rf"(?P<core>(?P<part>)(?:the )?(?:(?:fiscal|financial)(?: year)? |fy ?)(?P<year>{ANY_YEAR}))", _year),
    rule(rf"(?P<core>(?P<part>)(?:the )?(?P<year>{ANY_YEAR}) (?:fiscal|financial|calendar) year)", _year),
    rule(r"(?:in|since|of|from|until|before|after) (?P<core>['’](?P<year>\d\d))(?!s)", _short_year),
    rule(
        rf"(?P<core>(?:between|from|(?:in )?the years) (?P<first>{ANY_YEAR}) (?:and|to|until|through)"
        rf" (?P<second>{ANY_YEAR}))",
        _years,
    ),
    rule(
        rf"(?:in|from|during|for|of|over) (?P<core>(?:the )?(?P<first>{ANY_YEAR}) ?[-–/] ?(?P<second>{ANY_YEAR}|\d\d))"
        r"(?![-/]\d)",
        _years,
    ),
    rule(
        rf"(?P<core>(?:between|from) (?P<first>{MONTH}) (?:and|to|until|through) (?P<second>{MONTH}){_AND_YEAR}?)",
        _months,
    ),
    rule(
        rf"(?P<core>(?:the )?(?P<part>early |mid-? ?|late )?"
        rf"(?P<decade>(?:1[5-9]|20)\d0['’]?s|(?:['’]|(?<=the )|(?<=the early )|(?<=the late ))\d0s|{'|'.join(_TENS)}))",
        _decade,
    ),
    rule(r"(?P<core>(?:the )?(?P<nth>1[5-9]|2[01])(?:st|th)[- ]century)", _century, needs="century"),
    rule(r"(?P<core>(?:the )?(?P<nth>this|last) century)", _century, needs="century"),
)
