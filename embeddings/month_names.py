"""The names of months, by language, and of the days of the week. No other module knows them.

`month_names.txt` is what dates of publication are read by: add a language there. The English names apart are for
texts and questions in English (`qa.language.dates`, names, sentences).
"""

from collections.abc import Mapping
from typing import Final

from embeddings.runtime import word_lists

ENGLISH_MONTHS: Final = tuple(
    "January February March April May June July August September October November December".split()
)
ENGLISH_SHORT_MONTHS: Final = tuple("Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec".split())
CAPITAL_SHORT_MONTHS: Final = tuple("JAN FEB MAR APR AUG SEPT OCT NOV DEC".split())
"""As wires in capitals write them before a number."""
ENGLISH_WEEKDAYS: Final = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
SHORT_WEEKDAY: Final = r"mon|tues?|wed|thur?s?|fri|sat|sun"
"""Their short forms, in small letters, as a pattern."""
GERMAN_MONTHS: Final = tuple(
    "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember".split()
)
GERMAN_SHORT_MONTHS: Final = tuple("Jan Jän Feb Mrz Apr Jun Jul Aug Sept Sep Okt Nov Dez".split())
ENGLISH_MONTH_NUMBERS: Final[Mapping[str, int]] = {
    name.lower(): number
    for number, month in enumerate(ENGLISH_MONTHS, start=1)
    for name in (month, *ENGLISH_SHORT_MONTHS)
    if name[:3] == month[:3]
}
"""By their names and short forms, in small letters."""
ENGLISH_WEEKDAY_NUMBERS: Final[Mapping[str, int]] = {
    name.lower(): number for number, name in enumerate(ENGLISH_WEEKDAYS)
}
"""Monday is 0."""
MONTHS_BY_LANGUAGE: Final = word_lists("embeddings", "month_names.txt")
"""By ISO 639-1 code: the months in order, parted by commas, each with its cases and short forms."""
MONTHS: Final[Mapping[str, int]] = {
    name: number
    for months in MONTHS_BY_LANGUAGE.values()
    for number, names in enumerate(months.split(","), start=1)
    for name in names.split()
}
"""The number of a month by its case-folded name, in any of these languages."""


def weekday_of(word: str) -> int:
    """The number of an English weekday by its name or a short form of it, Monday being 0."""
    return next(
        number for day, number in ENGLISH_WEEKDAY_NUMBERS.items() if day.startswith(word.casefold().rstrip(".")[:3])
    )
