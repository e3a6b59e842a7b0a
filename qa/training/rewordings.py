"""Says a sentence in other words, or a part of it; only changes that are certain to keep its sense.

Beside them stand the words that turn a true sentence into a false one, where one takes the place of the other.
"""

import random
import re
from collections.abc import Callable, Mapping

from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_WEEKDAYS

NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
NAME = re.compile(r"(?<!^)(?<![.\"“] )\b[A-Z][\w-]+[a-z](?:(?: (?:of|de|van|von))? [A-Z][\w'’-]*[a-z])*")
NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,-])\d+(?:\.\d+)?(?![\w-]|[.,]\d)")
_SYNONYMS: Mapping[str, str] = {
    "about": "around",
    "almost": "nearly",
    "began": "started",
    "began to": "started to",
    "began in": "started in",
    "more than": "over",
    "less than": "under",
    "approximately": "roughly",
    "large": "big",
    "purchased": "bought",
    "received": "got",
    "however,": "",
    "also ": "",
    "died": "passed away",
    "was killed": "lost his or her life",
    "currently": "now",
    "because of": "due to",
    "near": "close to",
    "located in": "situated in",
    "children": "kids",
    "film": "movie",
    "said": "stated",
    "told": "informed",
    "announced": "made known",
    "resigned": "stepped down",
    "won": "was the winner of",
    "for example,": "",
    "but": "yet",
    "although": "though",
    "such as": "like",
    "required": "needed",
    "attempted": "tried",
    "in order to": "to",
    "company": "firm",
    "doctors": "physicians",
    "police officers": "officers of the police",
    "vessel": "ship",
    "injured": "hurt",
    "percent": "%",
    "per cent": "%",
    "U.S.": "United States",
    "United States": "US",
    "UK": "United Kingdom",
    "United Kingdom": "UK",
}
_SYNONYM = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, _SYNONYMS), key=len, reverse=True))})(?!\w)")
_LEADING = re.compile(
    r"^((?:In|On|At|During|After|Before|Since|By|Until) [^,;]{3,50}), (?=[A-Z][^,]{20,}$|the |he |she |it )"
)
_FULL_NAME = re.compile(r"\b[A-Z][a-z]+ (?:[A-Z]\. )?([A-Z][a-z]{3,})\b(?! [A-Z])")
_FORMS: Mapping[str, str] = {
    " is not ": " isn't ",
    " was not ": " wasn't ",
    " did not ": " didn't ",
    " has not ": " hasn't ",
}
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


def reworded(sentence: str, rng: random.Random, *, most: int = 3) -> str:
    """The sentence with up to `most` changes that keep its sense; unchanged where none can be made."""
    text = sentence
    for change in rng.sample(_CHANGES, k=rng.randint(1, most)):
        made = change(text, rng)
        text = made if len(made.split()) >= 4 else text
    return re.sub(r" {2,}", " ", text).strip()


def rounded(written: str, rng: random.Random, *, after: str = "") -> tuple[str, str] | None:
    """A number said less exactly: one way that is true of it, and one that is not.

    `after` is what follows it. None where it is small, looks like a year, or is below 100 and no noun follows that it
    counts.
    """
    value = float(written.replace(",", ""))
    counts = re.match(rf" (?!{'|'.join(ENGLISH_MONTHS)}|million|billion|per)[a-z]{{4,}}", after)
    if value < (10 if counts else 100) or value != int(value) or (1_500 < value < 2_100 and "," not in written):
        return None
    step = 10 ** max(1, len(str(int(value))) - 2)
    above = int(value // step * step) + step
    below = above - step if value % step else above - 2 * step
    near = round(value / step) * step
    far = near + rng.choice([-4, -3, 3, 4, 6]) * step
    true = [f"more than {below:,}", f"fewer than {above:,}"]
    false = [f"more than {above:,}", f"fewer than {below:,}"]
    if near != value and abs(near - value) <= 0.1 * value:
        true += [f"about {near:,}", f"around {near:,}"] + ([f"nearly {near:,}"] if near > value else [])
    if far > 0:
        false += [f"about {far:,}", f"around {far:,}"]
    return (rng.choice(true), rng.choice(false)) if below > 0 else None


def _cut(pattern: str, by: str = "") -> Callable[[str, random.Random], str]:
    compiled = re.compile(pattern)
    return lambda text, _: compiled.sub(by, text, count=1)


def _synonym(text: str, rng: random.Random) -> str:
    found = list(_SYNONYM.finditer(text))
    if not found:
        return text
    chosen = rng.choice(found)
    other = _SYNONYMS[chosen.group()]
    before = text[: chosen.start()].rstrip(" ") if other == "%" else text[: chosen.start()]
    return before + other + text[chosen.end() :]


def _last(text: str, rng: random.Random) -> str:
    """What stands first, last: "In May, it rained." becomes "It rained in May."."""
    del rng
    match = _LEADING.match(text)
    if not match or not text.endswith("."):
        return text
    rest = text[match.end() : -1]
    return f"{rest[:1].upper()}{rest[1:]} {match[1][:1].lower()}{match[1][1:]}."


def _first(text: str, rng: random.Random) -> str:
    """A date that stands last, first."""
    del rng
    match = re.search(
        rf" ((?:in|on) (?:(?:{'|'.join(ENGLISH_MONTHS + ENGLISH_WEEKDAYS)})(?: \d{{1,2}})?,? ?)?(?:\d{{4}})?)\.$", text
    )
    if not match or len(match[1]) < 6 or not re.match(r"(The|He|She|It|They|A|An) ", text):
        return text
    return f"{match[1][:1].upper()}{match[1][1:]}, {text[:1].lower()}{text[1 : match.start()]}."


def _digits(text: str, rng: random.Random) -> str:
    """Numbers in words become digits, small digits words."""
    if rng.random() < 0.5:
        return re.sub(
            rf"\b({'|'.join(NUMBER_WORDS)})\b(?!-)", lambda match: str(NUMBER_WORDS.index(match[1]) + 2), text
        )
    return re.sub(
        r"(?<![\w.,$£€-])([2-9]|1[0-6])(?= [a-z]{3,})(?! (?:million|billion|percent|per|am|pm))",
        lambda match: NUMBER_WORDS[int(match[1]) - 2],
        text,
    )


def _round(text: str, rng: random.Random) -> str:
    for match in NUMBER.finditer(text):
        if (found := rounded(match.group(), rng, after=text[match.end() :])) and not re.search(
            r"(?:than|about|nearly|least|most|[$£€])\W*$", text[: match.start()]
        ):
            return text[: match.start()] + found[0] + text[match.end() :]
    return text


def _surname(text: str, rng: random.Random) -> str:
    del rng
    return _FULL_NAME.sub(lambda match: match[1] if match[1] not in ENGLISH_MONTHS else match[0], text, count=1)


def _owner(text: str, rng: random.Random) -> str:
    """ "Peru's capital" becomes "the capital of Peru"."""
    del rng
    return re.sub(
        r"\b([A-Z][a-z]+)['’]s ([a-z]{4,})(?= (?:was|is|were|are|in|has|had)\b)", r"the \2 of \1", text, count=1
    )


def _form(text: str, rng: random.Random) -> str:
    del rng
    for long, short in _FORMS.items():
        text = text.replace(long, short)
    return text


_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _cut(r"\s\([^()]*\)"),
    _cut(r"(?<=[a-z]), (?:who|which|where) [^,]{3,60}, (?=[a-z])", " "),
    _cut(r"(?<=[a-z]), (?:an?|the) [a-z][^,]{3,60}, (?=[a-z])", " "),
    _cut(r", (?:which|who|where|whose|while|although) [^,]{5,90}\.$", "."),
    _cut(r", [a-z]+ing [^,]{5,90}\.$", "."),
    _cut(r", and (?:he|she|it|they|the) [^,]{8,120}\.$", "."),
    _cut(r"^(?:However|Moreover|Furthermore|Additionally|Thus|Therefore|Meanwhile|Finally), (?=\S)"),
    _cut(r"(?<=\d),(?=\d{3}\b)"),
    _cut(rf"\b({'|'.join(ENGLISH_MONTHS)}) (\d{{1,2}}),? (?=\d{{4}})", r"\2 \1 "),
    _cut(rf"\b(\d{{1,2}}) ({'|'.join(ENGLISH_MONTHS)}) (?=\d{{4}})", r"\2 \1, "),
    _synonym,
    _synonym,
    _last,
    _first,
    _digits,
    _round,
    _round,
    _surname,
    _owner,
    _form,
)
