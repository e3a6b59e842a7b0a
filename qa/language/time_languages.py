"""Times in questions that are not in English: "am 3. Mai", "hace dos semanas", "la semaine dernière", "вчера", "去年".

A language is a table of words in `time_languages.toml`; how they are read is the same for all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache, partial
from importlib.resources import files

import msgspec

from embeddings.month_names import MONTHS_BY_LANGUAGE
from qa.language.time_rules import ANY_YEAR, RECENT_DAYS, Asked, DateRange, Rule, month_end, rule, whole, year_of

_Read = Callable[[re.Match[str], Asked], DateRange | None]


class _Tongue(msgspec.Struct, frozen=True, kw_only=True):
    """How one language says when: patterns with `{n}` for a number and `{unit}` for a unit of time."""

    days: Mapping[str, int]
    """Words for a day, by how far it is from today."""
    units: Mapping[str, str]
    """Patterns of the words for a unit, by the unit."""
    numbers: str
    """One to ten."""
    ago: str
    last: str
    this: str
    since_last: str = ""
    """The last so many."""
    before_month: str
    """Words that stand before a month, so that it is one and no name."""
    year: str
    """What stands between a month and its year."""
    before_year: str = ""
    """Words that stand before a year, where others than before a month."""
    sure: str
    """Of the words before a month or a year those that are words of no other language, and no names."""
    counted: str
    """What a number that looks like a year may count: "2000 personas"."""
    capitals: bool = False
    """Whether months and weekdays are written with a capital inside a sentence, where others have names: Mars."""
    weekdays: str = ""
    """Monday to Sunday, parted by blanks."""
    before_day: str = ""
    """Words that stand before a weekday."""


@cache
def _tongues() -> Mapping[str, _Tongue]:
    told = files("qa.language").joinpath("time_languages.toml").read_bytes()
    return msgspec.toml.decode(told, type=dict[str, _Tongue])


_MISTAKABLE = frozenset({"hier", "hoy", "ayer", "mars"})
"""Words of one language that are others of another, or names."""
_TOLD_BY_ENGLISH = re.compile(
    r"\b(?:the|of|and|are|were|did|does|has|have|who|what|when|where|why|how|which|many|much|to|for)\b", re.IGNORECASE
)
"""Small words of English alone: "was", "in", "is", "do" and "on" are of other languages, too."""
_MONEY = r" ?[€$£¥%]"
_LENGTHS = {"day": 1, "week": 7, "month": 30, "year": 365}


@cache
def rules_for(language: str | None) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules of a language, by distance from now and by the calendar.

    Where nobody knows which it is, those of all whose words are unmistakable: short questions and headings name a time
    and tell little of their language, and most are English or names ("Peugeot 2008 recall").
    """
    if language in _WIDE_LANGUAGES:
        return _WIDE_RULES, _WIDE_DATES
    if language is not None:
        return _rules_of(language) if language in _tongues() else ((), ())
    both = [_rules_of(one, sure=True) for one in _tongues()]
    return (
        (*_WIDE_RULES, *(one for distance, _ in both for one in distance)),
        (*_WIDE_DATES, *(one for _, calendar in both for one in calendar)),
    )


def language_of_times(question: str, language: str | None) -> str | None:
    """The language to read times by: none where a question is taken for English by words that others share.

    >>> language_of_times("Was geschah gestern?", "en") is None, language_of_times("What was said?", "en")
    (True, 'en')
    """
    return None if language == "en" and not _TOLD_BY_ENGLISH.search(question) else language


@cache
def _rules_of(language: str, *, sure: bool = False) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Compiled when a question first needs them; the sure ones are those of unmistakable words."""
    tongue = _tongues()[language]
    return tuple(_distances(tongue, sure=sure)), tuple(_dates(language, tongue, sure=sure))


def _small(read: _Read) -> _Read:
    """Read only what has no capital inside a sentence: Mars is a planet, and Heute a newspaper."""

    def reading(match: re.Match[str], asked: Asked) -> DateRange | None:
        group = "month" if "month" in match.re.groupindex else "core"
        named = match.start(group) and match[group][0].isupper() and not match.string.isupper()
        return None if named else read(match, asked)

    return reading


def _distances(tongue: _Tongue, *, sure: bool) -> Iterator[Rule]:
    counted = rf"(?P<count>\d{{1,3}}|{'|'.join(tongue.numbers.split())})"
    named = {"n": counted, "unit": f"(?:{'|'.join(tongue.units.values())})"}
    for words, distance in tongue.days.items():
        if not (sure and words in _MISTAKABLE):
            yield rule(rf"(?P<core>{words})", _small(partial(_day_off, distance)))
    for pattern, read in ((tongue.ago, _ago), (tongue.last, _last), (tongue.this, _this), (tongue.since_last, _past)):
        if pattern:
            yield rule(rf"(?P<core>{pattern.format(**named)})", partial(read, tongue))
    for number, weekday in enumerate(tongue.weekdays.split()):
        on_day: _Read = partial(_weekday, number)
        yield rule(rf"(?:{tongue.before_day}) (?P<core>{weekday})", on_day if tongue.capitals else _small(on_day))


def _day_off(days: int, _: re.Match[str], asked: Asked) -> DateRange:
    day = asked.today + timedelta(days=days)
    return DateRange(day, day, recent=days <= 0)


def _weekday(number: int, _: re.Match[str], asked: Asked) -> DateRange:
    day = asked.today - timedelta(days=(asked.today.weekday() - number) % 7)
    return DateRange(day, day, recent=True)


def _ago(tongue: _Tongue, match: re.Match[str], asked: Asked) -> DateRange:
    unit, length = _unit_and_days(tongue, match)
    if unit == "year":
        return DateRange(*whole(unit, asked.today, -length // 365))
    middle, slack = asked.today - timedelta(days=length), timedelta(days=_LENGTHS[unit] // 2)
    return DateRange(middle - slack, min(middle + slack, asked.today), length <= RECENT_DAYS)


def _last(tongue: _Tongue, match: re.Match[str], asked: Asked) -> DateRange:
    unit, _ = _unit_and_days(tongue, match)
    return DateRange(*whole(unit, asked.today, -1), recent=unit != "year")


def _this(tongue: _Tongue, match: re.Match[str], asked: Asked) -> DateRange:
    unit, _ = _unit_and_days(tongue, match)
    first, end = whole(unit, asked.today, 0)
    if unit == "week":
        first = min(first, asked.today - timedelta(days=7))
    return DateRange(first, end if asked.ahead else asked.today, recent=True)


def _past(tongue: _Tongue, match: re.Match[str], asked: Asked) -> DateRange:
    _, length = _unit_and_days(tongue, match)
    return DateRange(asked.today - timedelta(days=length), asked.today, length <= RECENT_DAYS)


def _unit_and_days(tongue: _Tongue, match: re.Match[str]) -> tuple[str, int]:
    """The unit of time that an expression names, and how many days so many of it are."""
    unit = next(
        unit
        for unit, pattern in tongue.units.items()
        if re.search(rf"(?<![^\W\d_])(?:{pattern})(?![^\W\d_])", match["core"], re.IGNORECASE)
    )
    word = match.groupdict().get("count") or "1"
    forms = enumerate(tongue.numbers.split(), start=1)
    count = int(word) if word.isdigit() else next(at for at, one in forms if re.fullmatch(one, word, re.IGNORECASE))
    return unit, count * _LENGTHS[unit]


def _dates(language: str, tongue: _Tongue, *, sure: bool) -> Iterator[Rule]:
    """Days, months and years told by the calendar."""
    months = _months(language, short=not sure)
    read: _Read = partial(_month, months)
    read = read if tongue.capitals else _small(read)
    named = rf"(?P<month>{'|'.join(sorted(months, key=len, reverse=True))})\.?"
    year = rf"(?:{tongue.year}(?P<year>{ANY_YEAR}))?"

    no_bars = rf"(?!(?:{'|'.join(_MISTAKABLE)})\b)" if sure else ""
    yield rule(rf"(?P<core>(?P<day>[0-3]?\d)(?:\.|º|er)? (?:de )?{no_bars}{named}{year})", partial(_day, months))
    before_month = tongue.sure if sure else tongue.before_month
    before_year = tongue.sure if sure else tongue.before_year or tongue.before_month
    yield rule(rf"(?:{before_month}) (?P<core>{named}{year})", read)
    if sure:
        yield rule(rf"(?:{tongue.before_month}) (?P<core>{named}{year[:-1]})", read)
    counted = rf"(?! (?:(?-i:[A-ZÄÖÜ])|(?:{tongue.counted})\b)|{_MONEY})"
    yield rule(rf"(?:{before_year}) (?P<core>(?P<year>{ANY_YEAR})){counted}", _year)
    yield rule(rf"(?P<core>(?P<month>{'|'.join(name for name in months if len(name) > 4)}){year[:-1]})", read)


def _months(language: str, *, short: bool) -> Mapping[str, int]:
    """The months by their names, and by short forms, which are words of other languages: "11 out of 12"."""
    told = enumerate((names.split() for names in MONTHS_BY_LANGUAGE[language].split(",")), start=1)
    return {name: number for number, names in told for name in names if short or name == names[0] or len(name) > 3}


def _day(months: Mapping[str, int], match: re.Match[str], asked: Asked) -> DateRange:
    return _dated(asked, match["year"], months[match["month"].casefold()], int(match["day"]))


def _month(months: Mapping[str, int], match: re.Match[str], asked: Asked) -> DateRange:
    return _dated(asked, match["year"], months[match["month"].casefold()])


def _year(match: re.Match[str], asked: Asked) -> DateRange:
    return _dated(asked, match["year"])


def _wide(match: re.Match[str], asked: Asked) -> DateRange:
    """A day, a month or a year as Chinese and Japanese write it."""
    return _dated(asked, match["year"], int(match["month"] or 0), int(match["day"] or 0))


def _dated(asked: Asked, year: str | None, month: int = 0, day: int = 0) -> DateRange:
    """A year, a month or a day; without a year the last one, or the next where what is to come is asked."""
    of = year_of(month, asked, year)
    if not month:
        return DateRange(date(of, 1, 1), date(of, 12, 31))
    if not day:
        return DateRange(date(of, month, 1), month_end(of, month))
    this = date(of, month, day)
    if not year and this > asked.today and not asked.ahead:
        this = this.replace(year=this.year - 1)
    return DateRange(this, this)


def _wide_word(match: re.Match[str], asked: Asked) -> DateRange:
    word = match["core"]
    unit, offset = _WIDE_WORDS[word]
    first, last = whole(unit, asked.today, offset)
    return DateRange(first, min(last, asked.today) if offset <= 0 else last, recent=unit != "year")


_WIDE_WORDS: Mapping[str, tuple[str, int]] = {
    word: (unit, offset)
    for unit, offset, words in (
        ("day", 0, "今天 今日"),
        ("day", -1, "昨天 昨日 어제"),
        ("day", -2, "前天 一昨日 그저께"),
        ("week", 0, "本周 这周 這週 今週"),
        ("week", -1, "上周 上週 上星期 先週 지난주"),
        ("month", 0, "本月 这个月 這個月 今月"),
        ("month", -1, "上个月 上個月 上月 先月 지난달"),
        ("year", 0, "今年"),
        ("year", -1, "去年 昨年 작년"),
        ("year", -2, "前年 一昨年 재작년"),
    )
    for word in words.split()
}
_WIDE_RULES: tuple[Rule, ...] = (
    Rule(pattern=re.compile(rf"(?P<core>{'|'.join(sorted(_WIDE_WORDS, key=len, reverse=True))})"), read=_wide_word),
)
_WIDE_DATES: tuple[Rule, ...] = (
    Rule(
        pattern=re.compile(
            rf"(?P<core>(?:(?P<year>{ANY_YEAR}) ?[年년] ?)?(?P<month>1[0-2]|[1-9]) ?[月월]"
            r"(?: ?(?P<day>[0-3]?\d) ?[日号號일])?)"
        ),
        read=_wide,
    ),
    Rule(pattern=re.compile(rf"(?P<core>(?P<year>{ANY_YEAR}) ?[年년](?P<month>)(?P<day>))"), read=_wide),
)
_WIDE_LANGUAGES = frozenset({"zh", "ja", "ko"})
