"""The words that number and measure: number words, scales, and units with what they are worth in a common one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["MONEY_SIGNS", "MULTIPLES", "NUMBER_WORDS", "ORDINALS", "SCALES", "UNITS", "Unit"]


class Unit(msgspec.Struct, frozen=True):
    """A unit of measure: units of one kind convert into each other by their size."""

    kind: str
    """What is measured: time, length, money …; each currency is its own kind of money by its `name`."""
    size: float
    name: str


NUMBER_WORDS: Mapping[str, int] = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * tens
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
ORDINALS: Mapping[str, int] = {
    word: value
    for value, word in enumerate(
        "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        start=2,
    )
}
"""From "second" on: "first" is too often no number ("first of all")."""
SCALES: Mapping[str, float] = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "thousands": 1e3,
    "million": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "million's": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "trillion": 1e12,
    "tn": 1e12,
    "dozen": 12.0,
}
MULTIPLES: Mapping[str, int] = {"twice": 2, "double": 2, "triple": 3}

_SIZES = (
    ("time", "s", 1.0, "second seconds sec secs"),
    ("time", "min", 60.0, "minute minutes min mins"),
    ("time", "h", 3600.0, "hour hours hr hrs"),
    ("time", "d", 86400.0, "day days"),
    ("time", "week", 7 * 86400.0, "week weeks"),
    ("time", "month", 365.25 / 12 * 86400.0, "month months"),
    ("time", "year", 365.25 * 86400.0, "year years yr yrs"),
    ("time", "decade", 3652.5 * 86400.0, "decade decades"),
    ("time", "century", 36525 * 86400.0, "century centuries"),
    ("length", "mm", 0.001, "mm millimeter millimeters millimetre millimetres"),
    ("length", "cm", 0.01, "cm centimeter centimeters centimetre centimetres"),
    ("length", "m", 1.0, "m meter meters metre metres"),
    ("length", "km", 1000.0, "km kilometer kilometers kilometre kilometres"),
    ("length", "inch", 0.0254, "inch inches"),
    ("length", "ft", 0.3048, "ft foot feet"),
    ("length", "yd", 0.9144, "yard yards"),
    ("length", "mi", 1609.344, "mile miles"),
    ("length", "nmi", 1852.0, "nautical_mile nautical_miles"),
    ("mass", "g", 1.0, "g gram grams gramme grammes"),
    ("mass", "kg", 1000.0, "kg kilo kilos kilogram kilograms"),
    ("mass", "t", 1e6, "ton tons tonne tonnes"),
    ("mass", "lb", 453.592, "lb lbs pound_weight"),
    ("mass", "oz", 28.3495, "oz ounce ounces"),
    ("area", "m2", 1.0, "square_meter square_meters square_metre square_metres"),
    ("area", "ha", 1e4, "hectare hectares"),
    ("area", "acre", 4046.86, "acre acres"),
    ("area", "km2", 1e6, "square_kilometer square_kilometers square_kilometre square_kilometres square_km"),
    ("area", "mi2", 2.59e6, "square_mile square_miles"),
    ("area", "ft2", 0.092903, "square_foot square_feet"),
    ("volume", "l", 1.0, "liter liters litre litres"),
    ("volume", "m3", 1000.0, "cubic_meter cubic_meters cubic_metre cubic_metres"),
    ("volume", "gal", 3.78541, "gallon gallons"),
    ("volume", "barrel", 158.987, "barrel barrels"),
    (
        "speed",
        "km/h",
        1.0,
        "km/h kph kmh kilometers_per_hour kilometres_per_hour km_per_hour km_an_hour kilometers_an_hour",
    ),
    ("speed", "mph", 1.609344, "mph miles_per_hour miles_an_hour"),
    ("speed", "knot", 1.852, "knot knots"),
    ("power", "W", 1.0, "watt watts"),
    ("power", "kW", 1e3, "kw kilowatt kilowatts"),
    ("power", "MW", 1e6, "mw megawatt megawatts"),
    ("power", "GW", 1e9, "gw gigawatt gigawatts"),
    ("temperature C", "C", 1.0, "°_c celsius degrees_celsius"),
    ("temperature F", "F", 1.0, "°_f fahrenheit degrees_fahrenheit"),
    ("share", "%", 0.01, "% percent per_cent pct"),
    ("points", "pp", 1.0, "percentage_point percentage_points"),
)
_MONEY = (
    ("USD", "$ dollar dollars usd"),
    ("EUR", "€ euro euros eur"),
    ("GBP", "£ pound pounds sterling gbp"),
    ("JPY", "¥ yen"),
    ("INR", "₹ rupee rupees"),
    ("RUB", "₽ ruble rubles rouble roubles"),
    ("cent", "cent cents penny pence"),
    *((name, f"{name} {name}s") for name in "crown franc peso dinar dirham lira rand rial riyal shekel krona".split()),
    ("CNY", "yuan renminbi"),
    ("KRW", "won_korean"),
)
UNITS: Mapping[str, Unit] = {
    word.replace("_", " "): Unit(kind, size, name) for kind, name, size, words in _SIZES for word in words.split()
} | {word: Unit("money", 1.0, name) for name, words in _MONEY for word in words.split()}
MONEY_SIGNS: Mapping[str, Unit] = {sign: UNITS[sign] for sign in "$€£¥₹₽"}
