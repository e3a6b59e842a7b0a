"""The type of answer that a question wants, and whether words have that type.

Wanted are a few words, a list, a sentence, or the sentence that decides. A reader is drawn to what stands beside the
words asked about: "How much did it cost to build?" is not answered by a year, nor "How far is it?" by weeks. Each
rule strikes what cannot be an answer, and nothing that it is not sure of.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from embeddings.chunking.sentences import split_sentences
from embeddings.month_names import ENGLISH_SHORT_MONTHS
from qa.language.quantities import NUMBER_WORDS, quantities_of
from qa.language.question_words import is_date_word
from qa.language.words import stems, words_of

Fits = Callable[[str], bool]
"""Whether words may answer."""
_COUNTED = re.compile(
    r"\bhow many\b|\b(?:what|which) (?:percentage|per ?cent|proportion)\b|\bwhat number of\b", re.IGNORECASE
)
_PEOPLE = re.compile(
    r"\bhow many (?:[\w-]+ ){0,2}?(?:people|persons|men|women|children|workers|passengers|residents|soldiers|civilians"
    r"|students|patients|victims)\b",
    re.IGNORECASE,
)
_DEATHS = re.compile(
    r"\b(?:how many|what number of)\b(?:(?!\b(?:after|before|when|since|until|while)\b).)*"
    r"\b(?:die|died|dead|deaths|killed|perished|drowned|lost their lives)\b",
    re.IGNORECASE,
)
_OF_DEATHS = re.compile(
    r"\b(?:di(?:e|ed|es|ing)|dead\w*|deaths?|kill\w*|fatal\w*|toll|perish\w*|drown\w*|lives|life|bod(?:y|ies)|casualt\w*"
    r"|murder\w*|slain|slaughter\w*|massacre\w*|execut\w*|victims?|lost|losses|suicides?|shot|assassinat\w*"
    r"|genocide|holocaust|claim\w*|buried|remains|corpses?|starv\w*|surviv\w*|graves?)\b",
    re.IGNORECASE,
)
_AHEAD = re.compile(r"^(?:when|(?:in|on|by) (?:what|which) (?:year|date|day|month)) will\b", re.IGNORECASE)
_AGE = re.compile(r"^how old (?:is|are|was|were)\b", re.IGNORECASE)
_COST = re.compile(
    r"\bhow much\b(?! (?:time|points?)\b).*\b(?:costs?|pay|pays|paid|worth|price|priced|fined?|spen[dt]|sell|sold|earn"
    r"|donate[ds]?)\b|\bhow much money\b|\b(?:what|which) (?:sum|amount of money)\b",
    re.IGNORECASE,
)
OFFICES = (
    "mayor|president|head|chief executive|director|leader|governor|king|queen|coach|captain|chairman|chairwoman|ceo"
    "|owner|secretary|chancellor|manager|editor|spokes[a-z]+"
)
"""Offices that somebody is asked for by, as alternatives of a pattern."""
_OFFICE = re.compile(
    rf"^who (?:is|was) (?:the )?(?:current |new |former |first )?(?:{OFFICES}"
    r"|(?:[a-z]+ )?minister|founder)\b(?: (?:of|at|in|for)\b)?.*(?-i:[A-Z])",
    re.IGNORECASE,
)
"""Asked with a name in capitals: who writes none may read texts without."""
_HOLDS_OFFICE = re.compile(
    r"who (?:is|was|'s|’s) (?:the )?(?:current |new |former |first |acting )?(?:(?!vice\b)[a-z]+ )?"
    r"(?P<office>mayor|vice president|vice chair|president|governor|king|queen|coach|minister|chancellor|ceo|editor)\b"
    r".*(?-i:[A-Z])",
    re.IGNORECASE,
)
_HOLDERS = {
    "vice president": "vice.president|deputy",
    "vice chair": "vice.chair|deputy",
    "president": "presiden|head|leader",
    "ceo": r"chief|\bceo\b|head|boss",
    "coach": "coach|manager|train",
    "king": "king|reign|throne|monarch|crown",
    "queen": "queen|reign|throne|monarch|crown",
    "minister": "minister|premier|secretary",
}
"""Words that tell of an office where its own is not said."""
_NAMED = re.compile(
    r"^(?:in |at |for |to |from )?(?:which|what) (?:other |two |three |four |big |large |major )?(?:compan(?:y|ies)"
    r"|countr(?:y|ies)|airlines?|automakers?|carmakers?|banks?|universit(?:y|ies)|newspapers?|broadcasters?|networks?"
    r"|(?:football |soccer |basketball |baseball )?teams?|clubs?|cit(?:y|ies)|retailers?|firms?|nations?|provinces?"
    r"|states?|actors?|actress(?:es)?|senators?|presidents?|players?|prisons?|jails?|hospitals?|airports?|stadiums?"
    r"|museums?|theat(?:re|er)s?)\b(?! of\b)",
    re.IGNORECASE,
)
"""What is asked for has a name; asked with a capital, as above."""
_HEADS = re.compile(
    r"\b(?:people|persons|passengers|visitors|workers|residents|employees|men|women|children|students|soldiers|seats"
    r"|homes|houses|cars|vehicles)\b",
    re.IGNORECASE,
)
_THINGS = re.compile(
    r"\d[\d,.]* (?:[a-z]+ )?(?:houses|homes|buildings|cars|vehicles|buses|trucks|trains|flights|planes|boats|ships"
    r"|seats|shops|stores|schools|hospitals|trees|books|villages|towns|cities|countries|states|streets|apartments|flats|rooms"
    r"|goals|points|shots|companies|districts)\b",
    re.IGNORECASE,
)
_HEADS_ALONE = re.compile(
    r"\b(?:people|persons|passengers|visitors|workers|residents|employees|men|women|children|students|soldiers)\b",
    re.IGNORECASE,
)
_DISTANCE = re.compile(
    r"\bhow (?:far|tall|deep|wide)\b(?= (?:is|are|was|were|from)\b)(?!.*\b(?:into|apart|back|out)\b)", re.IGNORECASE
)
_WEIGHT = re.compile(r"\bhow heavy\b|\bhow much (?:did|does|do) .{1,60} weigh\b", re.IGNORECASE)
_MOMENT = re.compile(
    r"^(?:when (?:is|are|was|were|did|does|do|will|has|have|had|should|can|could|would)"
    r"|(?:(?:in|on|since|by) )?(?:what|which) (?:year|date|month|century)"
    r" (?:is|are|was|were|did|do|does|will|has|had))\b",
    re.IGNORECASE,
)
_NO_TIME = re.compile(r"(?:(?:at )?(?:the )?age (?:of )?|aged )?\d\d?|9/11", re.IGNORECASE)
"""An age, or what is left of one; a day of a month comes with the month. The name of a day's attacks."""
_LASTING = re.compile(r"^(?:for )?how long (?:is|are|was|were|did|do|does|will|would|can|could)\b", re.IGNORECASE)
_AMOUNTS = frozenset(NUMBER_WORDS) | frozenset(
    "abundance all alone another any billion billions both countless couple double dozen dozens each "
    "every everybody everyone few fifth fifths first free half handful hundred hundreds indefinitely lone "
    "lot lots majority many million millions more most multi multiple never no nobody none nothing often "
    "once one only pair quarter quarters range repeatedly same scores series several single some tenth "
    "third thirds thousand thousands trillion triple twice".split()
)
_TIMES = frozenset(
    "after afternoon age ago already annually as at autumn back before birth century childhood christmas "
    "currently daily dawn day days decade decades during dusk earlier easter eighties end eve evening eventually "
    "every fall fifties following forties halloween hour hours immediately infancy last late later middle "
    "midnight midsummer midwinter millennium minute minutes moment month monthly months morning never next night "
    "nights nineties noon now once past present previously quarter ramadan recently retirement season second "
    "seconds seventies since sixties soon spring start subsequently summer sunrise sunset teens thanksgiving then "
    "thirties time times today tomorrow tonight twenties until upon week weekday weekend weekends weekly weeks "
    "when whenever while winter year yearly years yesterday".split()
).union(map(str.lower, ENGLISH_SHORT_MONTHS))
_YEAR = re.compile(r"(?:1[0-9]|20)\d\d")
Kind = Literal["words", "list", "sentence", "decision"]
"""`words`: who, when, how many; `list`: several such; `sentence`: why, how, what was said; `decision`: yes, no."""
WHOLE: frozenset[Kind] = frozenset({"sentence", "decision"})
"""What is asked so is answered by a sentence, whatever the words found in it."""
_DECISION = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)(?:n['’]t)?\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_LIST = re.compile(
    r"(?:name|list)\b(?! of)"
    r"|(?:which|what)(?: \w+)? (?!was\b|is\b|has\b|does\b|this\b)[a-z]{3,}(?<!s)s\b(?! (?:the|a|an)\b)"
    r"|who (?:are|were) the\b|what are the\b|what were the\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"\bwhy\b|\bhow (?:do|does|did|is|are|was|were|can|could|will|would|has|have|had|come|should|to)\b"
    r"|\bwhat (?:happened|happens)\b"
    r"|\bwhat (?:did|does|do|has|have) .{2,60}? (?:say|said|think|claim|warn|argue|respond|reply|tell"
    r"|admit(?:ted)?|den(?:y|ied)|explain(?:ed)?|recall(?:ed)?|confess(?:ed)?|complain(?:ed)?|promised?|predict(?:ed)?)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:reasons?|arguments?|explanation|excuse|criticism|complaint|advice|warning|message"
    r"|reproach|assurance|conclusion|reaction)\b",
    re.IGNORECASE,
)


def type_test(question: str) -> Fits | None:
    """What tells words of the wrong type for a question; None where any will do.

    >>> fits = type_test("How much did it cost to build the ferry?")
    >>> fits("1997"), fits("about 40 million crowns")
    (False, True)
    """
    asked = _asking(question)
    if _OFFICE.search(asked):
        told = stems(question)
        return lambda words: any(word.capital and not word.stop and word.stem not in told for word in words_of(words))
    if _NAMED.match(asked) and not question.islower():
        return _has_name
    return next((fits for pattern, fits in _TESTS if pattern.search(asked)), None)


def what_it_tells(question: str) -> Fits | None:
    """What tells sentences that tell of something else; None where any will do.

    >>> tells = what_it_tells("How many people died in the fire?")
    >>> tells("It drove 1,900 people from their homes."), tells("Three bodies were found.")
    (False, True)
    """
    asked = _asking(question)
    if office := _HOLDS_OFFICE.match(asked):
        name = office["office"].casefold()
        said = re.compile(_HOLDERS.get(name, name), re.IGNORECASE)
        return lambda sentence: said.search(sentence) is not None
    return (lambda sentence: _OF_DEATHS.search(sentence) is not None) if _DEATHS.search(asked) else None


@lru_cache(maxsize=128)
def _asking(question: str) -> str:
    """The sentence that asks, where others lead to it."""
    text = question.strip()
    spans = split_sentences(text)
    return text[slice(*spans[-1])] if len(spans) > 1 and text.endswith("?") else text


def asks_ahead(question: str) -> bool:
    """Whether it asks when something will be."""
    return _AHEAD.match(_asking(question)) is not None


def is_past(words: str, *, published: str | None) -> bool:
    """Whether words name a year, and none that was not over when they were published.

    >>> is_past("August 12, 1961", published="2024-06-04"), is_past("July 1", published="2024-06-04")
    (True, False)
    """
    years = _YEAR.findall(words)
    return bool(years) and published is not None and max(years) < published[:4]


def _has_name(words: str) -> bool:
    return any(character.isupper() or character.isdigit() for character in words)


def _is_amount(words: str) -> bool:
    return any(character.isdigit() for character in words) or not _AMOUNTS.isdisjoint(_said(words))


def _is_head_count(words: str) -> bool:
    """An amount, and not first one of hectares, crowns, years or houses."""
    if _THINGS.search(words) and not _HEADS_ALONE.search(words):
        return False
    unit = next((found.unit for found in quantities_of(words)), None)
    return _is_amount(words) and (unit is None or unit.kind == "share")


def _is_age(words: str) -> bool:
    """No mere ordinal: whoever is the third of her kind is no age. No bare year, either."""
    found = quantities_of(words)
    return not _YEAR.fullmatch(words.strip()) and (not found or any(not one.ordinal for one in found))


def _is_sum(words: str) -> bool:
    found = quantities_of(words)
    if found and _HEADS.search(words) and not any(one.unit for one in found):
        return False
    other = all(one.unit is not None and one.unit.kind not in {"money", "share"} for one in found)
    return _is_amount(words) and not (_YEAR.fullmatch(words.strip()) or (found and other))


def _is_distance(words: str) -> bool:
    units = [found.unit for found in quantities_of(words) if found.unit]
    near = [unit for unit in units if unit.kind == "length" or unit.name in {"min", "h"}]
    return bool(near) or not units


def _is_weight(words: str) -> bool:
    """In pounds, which are money elsewhere, too."""
    units = [found.unit for found in quantities_of(words) if found.unit]
    return _is_amount(words) and all(unit.kind == "mass" or unit.name == "GBP" for unit in units)


def _is_time(words: str) -> bool:
    if _NO_TIME.fullmatch(words.strip()):
        return False
    said = _said(words)
    if any(character.isdigit() for character in words) or len(said) > 3:
        return True
    return any(word in _TIMES or is_date_word(word) for word in said)


def _said(words: str) -> list[str]:
    return [part for word in words_of(words) for part in word.text.casefold().split("-")]


_TESTS: tuple[tuple[re.Pattern[str], Fits], ...] = (
    (_COST, _is_sum),
    (_PEOPLE, _is_head_count),
    (_COUNTED, _is_amount),
    (_AGE, _is_age),
    (_DISTANCE, _is_distance),
    (_WEIGHT, _is_weight),
    (_MOMENT, _is_time),
    (_LASTING, lambda words: _YEAR.fullmatch(words.strip()) is None),
)
"""The first whose pattern a question has counts."""


def kind_of(question: str) -> Kind:
    """Tell it from the question's own words.

    >>> kind_of("How many people live in Derna?"), kind_of("Why did the dam break?")
    ('words', 'sentence')
    >>> kind_of("Did the senate pass the bill?"), kind_of("Which countries voted against?")
    ('decision', 'list')
    >>> kind_of("A probe hit a rock to find out how to turn it. What is its name?")
    'words'
    """
    asked = _asking(question)
    if _DECISION.match(asked):
        return "words" if _ALTERNATIVE.search(asked) else "decision"
    if _SENTENCE.search(asked):
        return "sentence"
    return "list" if _LIST.match(asked) else "words"
