"""Resolves the pronouns of a follow-up from the last answer and the article that it cited.

A place is nobody and nothing that acts: "it" after "What sank off Hallow?" is what sank.
"""

import re
from collections.abc import Iterator

from qa.conversations.referents import asked_at, is_person, topics_of
from qa.language.question_words import AUXILIARIES, FUNCTION_WORDS, WH_WORDS, names, topics
from qa.language.time_expressions import without_period
from qa.language.words import tokens
from qa.types import Turn

SEVERAL = ""
"""Instead of a thing: there are several that it may be."""
_PLACING = frozenset("in at near off around outside inside across".split())
_READ = 6_000
"""Characters of the cited articles in which people and places are looked for."""
_PHRASE = re.compile(
    r"^(?:(?:an?|the|one)\s+)(?P<what>[^,;]+?)(?=$|,|;|\s+(?:of|in|on|at|from|with|near|off|to|for)\s)", re.IGNORECASE
)
_EVENT = re.compile(
    r"^(?:(?:and|but|so)\s+)?(?P<asks>when|where|on (?:what|which) day)(?: exactly)?\s+"
    r"(?:(?:did|does)\s+(?:it|that|this|all this)\s+(?:happen|occur|take place)|(?:was|is)\s+(?:that|this))\s*\?*$",
    re.IGNORECASE,
)
_OPEN = frozenset("what which who".split())
_ASKS_FIGURE = frozenset("many much old far long big".split())
_MOST_WORDS = 5


def event_asked(asked: str, turn: Turn) -> str | None:
    """When or where the event of the last answer was, in words that can be read; None where no event is asked for.

    After "What sank off Hallow?", "When did it happen?" is read as "When was what sank off Hallow?"; a question for a
    figure would be answered with it again, so its answer's sentence is put instead.
    """
    found = _EVENT.match(asked)
    if found is None or turn.answer_mode == "abstained":
        return None
    wh = "When" if found["asks"].casefold() != "where" else "Where"
    before = turn.resolved_query.rstrip("?. ")
    words = [token.low for token in tokens(before)]
    if words and words[0] in _OPEN and not _ASKS_FIGURE & set(words[1:2]):
        return f"{wh} was {before[:1].lower()}{before[1:]}?"
    said = without_period(turn.answer, as_of=asked_at(turn)).rstrip(".")
    return f"{wh} was it that {said[:1].lower()}{said[1:]}?"


def places_of(*texts: str) -> frozenset[str]:
    """The names, case-folded, that stand behind a preposition of place somewhere in these texts.

    >>> sorted(places_of("What sank off Hallow?", "Velda Orrin spoke in Tamsin."))
    ['hallow', 'tamsin']
    """
    return frozenset(
        name.text.casefold()
        for text in texts
        for name in names(text[:_READ])
        if not name.person and _PLACING & set(text[: name.start].casefold().split()[-1:])
    )


def someone(turn: Turn, background: str, *, places: frozenset[str]) -> str | None:
    """The only person of the last answer, else the only one of its article: "Captain Orme"; None where several are."""
    said = turn.answer if turn.answer_mode != "abstained" else ""
    for text in (said, background[:_READ]):
        people = {
            name.text.split()[-1].casefold(): name.text
            for name in reversed(names(text))
            if name.person and name.text.casefold() not in places
        }
        if people:
            return next(iter(people.values())) if len(people) == 1 else None
    return None


def something(turn: Turn, *, places: frozenset[str]) -> str | None:
    """The thing that `it` stands for: what the last answer gave to "What sank?", else the only topic of its question.

    Several topics are put in front of a question together; None where there is nothing but people and places.
    """
    words = [token.low for token in tokens(turn.resolved_query)]
    gave = next(_answered(turn, places), None)
    if gave and words[0] in {"what", "which"} and not AUXILIARIES & set(words):
        return gave
    about = [one for one in topics_of(turn) if one.casefold() not in places and not is_person(one)]
    return SEVERAL if len(about) > 1 else about[0] if about else gave


def things(turn: Turn) -> str | None:
    """What `they` stands for: several things that the last answer gave, else the only plural topic of its question."""
    short = (turn.short_answer or "").strip()
    words = short.split()
    if 0 < len(words) <= _MOST_WORDS and _is_plural(words[-1]) and words[-1].islower() and not short[0].isdigit():
        return short[:1].lower() + short[1:] if not names(f"about {short}") else short
    about = [
        one for one in _whole_topics(turn.resolved_query) if one.rsplit(maxsplit=1)[-1].islower() and _is_plural(one)
    ]
    return about[0] if len(about) == 1 else None


def _answered(turn: Turn, places: frozenset[str]) -> Iterator[str]:
    """The last answer's words as a thing already named, where they are one: "a painting" is the painting now."""
    short = (turn.short_answer or "").strip()
    if not short:
        return
    before = re.search(rf"\b(?:an?|the|one)\s+(?={re.escape(short)})", turn.answer, re.IGNORECASE)
    found = _PHRASE.match(f"{before[0]}{short}" if before else short)
    if found and len(found["what"].split()) <= _MOST_WORDS and not is_person(found["what"]):
        yield f"the {found['what']}"
    bare = [name.text for name in names(f"about {short}")] == [short]
    if bare and short.casefold() not in places and not is_person(short):
        yield short


def _whole_topics(question: str) -> Iterator[str]:
    """Topics, a bare name with the noun behind it: "Ravel bikes"."""
    for one in topics(question):
        rest = question[question.index(one) + len(one) :].split()[:1]
        noun = rest[0].strip("?.,") if rest else ""
        joined = names(f"about {one}") and noun.islower() and noun.isalpha() and noun not in FUNCTION_WORDS | WH_WORDS
        yield f"{one} {noun}" if joined and _is_plural(noun) else one


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith(("ss", "'s", "’s", "us", "is"))
