"""Words that turn a true sentence into a false one, where one takes the place of the other."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXCHANGES", "HEDGES", "UNITS"]

EXCHANGES: tuple[tuple[str, str], ...] = (
    ("most", "few"), ("many", "few"), ("both", "neither of"), ("always", "rarely"), ("often", "never"),
    ("usually", "seldom"), ("first", "last"), ("more than", "less than"), ("at least", "at most"), ("over", "under"),
    ("increased", "decreased"), ("increase", "decrease"), ("rose", "fell"), ("before", "after"), ("won", "lost"),
    ("largest", "smallest"), ("highest", "lowest"), ("higher", "lower"), ("larger", "smaller"), ("oldest", "newest"),
    ("best", "worst"), ("north", "south"), ("northern", "southern"), ("eastern", "western"), ("east", "west"),
    ("father", "brother"), ("son", "nephew"), ("daughter", "sister"), ("mother", "aunt"), ("opened", "closed"),
    ("accepted", "rejected"), ("approved", "refused"), ("supported", "opposed"), ("began", "ended"),
    ("joined", "left"), ("bought", "sold"), ("early", "late"), ("public", "private"), ("success", "failure"),
    ("successful", "unsuccessful"), ("allowed", "forbidden"), ("confirmed", "denied"), ("men", "women"),
    ("male", "female"), ("arrived", "departed"), ("with", "without"), ("half", "a third"),
)  # fmt: skip
HEDGES: Mapping[str, str] = {
    "may": "will", "might": "will", "could": "will", "plans to": "has begun to", "likely": "certainly",
    "alleged": "proven", "reportedly": "certainly", "expected to": "certain to", "suggests": "proves",
    "is considered": "is proven to be", "proposed": "adopted", "some": "all", "several": "hundreds of",
    "nearly": "more than",
}  # fmt: skip
UNITS: tuple[tuple[str, str], ...] = (
    ("days", "weeks"), ("months", "years"), ("hours", "minutes"), ("miles", "kilometers"), ("feet", "meters"),
    ("million", "billion"), ("thousand", "million"), ("percent", "points"), ("km", "miles"), ("metres", "feet"),
    ("tons", "pounds"), ("kg", "tons"), ("acres", "hectares"), ("weeks", "months"), ("seconds", "minutes"),
)  # fmt: skip
