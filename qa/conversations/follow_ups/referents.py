"""What earlier turns spoke of: takes turns, gives the person, the place and the topic a follow-up may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.language.phrases import Name, names, topics
from qa.language.question_words import TITLES, tokens
from qa.types import Turn

__all__ = ["ROLES", "SEPARATOR", "is_person", "person", "place", "topic", "topics_of", "without_topic"]

SEPARATOR = ": "
"""Parts the topic from the question where it could only be put in front."""

_MOST_TOPICS = 3
_DEMONYM = re.compile(r"[a-z](?:ian|ean|ish|ese|ican|ani|aqi|ench|utch|reek|wiss|rabs?|ians)$")
ROLES = TITLES | frozenset(
    "owner master spokesman spokeswoman leader lawyer winner loser player striker scorer author founder researcher"
    " scientist doctor suspect victim candidate successor deputy head boss manager director engineer officer captain"
    " pilot driver teacher singer actor actress artist musician writer journalist champion king heir".split()
)


def person(turns: Sequence[Turn]) -> str | None:
    """Whom `he` or `she` means: whom the last question was about, else whom its answer names."""
    for turn in reversed(turns):
        found = next(_persons(turn), None)
        if found is not None:
            return found
    return None


def place(turns: Sequence[Turn]) -> str | None:
    """Where `there` is: the last question's only name, or the name of it that stands after a preposition of place."""
    for turn in reversed(turns):
        named = names(_asked(turn))
        placed = [name for name in named if name.placed]
        if len(placed) == 1:
            return placed[0].text
        if len(named) == 1:
            return named[0].text
    return None


def topic(turns: Sequence[Turn]) -> str | None:
    """What the last question that had a topic was about, in its own words."""
    for turn in reversed(turns):
        if found := topics_of(turn):
            return ", ".join(found)
    return None


def topics_of(turn: Turn) -> Sequence[str]:
    """The things a turn is about: those that were put in front of its question, else its noun phrases."""
    head, parted, _ = turn.resolved_query.partition(SEPARATOR)
    if parted:
        return [head]
    return topics(turn.resolved_query)[:_MOST_TOPICS]


def without_topic(resolved: str) -> str:
    """A resolved question without the topic that was put in front of it.

    >>> without_topic("the Osprey Bridge: who built it?")
    'who built it?'
    """
    _, parted, rest = resolved.partition(SEPARATOR)
    return rest if parted else resolved


def is_person(phrase: str) -> bool:
    """Whether a phrase says by its form that it means a person: a title before a name, or a role.

    >>> is_person("Judge Amara Fielding"), is_person("the Osprey Bridge")
    (True, False)
    """
    return _is_role(phrase) or any(name.person for name in names(phrase))


def _is_demonym(name: str) -> bool:
    """Whether a single capitalised word is rather the adjective of a country: nobody is called Colombian."""
    return " " not in name and _DEMONYM.search(name) is not None


def _persons(turn: Turn) -> Iterator[str]:
    """Candidates, the best first."""
    asked = _asked(turn)
    words = [token.low for token in tokens(asked)]
    inside = names(asked)
    answered = names(turn.answer) if turn.answer_mode != "abstained" else ()
    fresh = [name for name in answered if all(_last(name) != _last(other) for other in inside)]
    if _asks_for_person(words):
        if turn.short_answer:
            yield from (name.text for name in names(f"it is {turn.short_answer}") if not _is_demonym(name.text))
        yield from (name.text for name in fresh if name.person)
        yield from (name.text for name in fresh if not name.placed and " " in name.text)
    people = {_last(name) for name in answered if name.person}
    yield from (name.text for name in inside if name.person or _last(name) in people)
    yield from (name.text for name in inside if not name.placed and _like_a_person(asked, name))
    yield from (phrase for phrase in topics(asked) if _is_role(phrase))
    yield from (name.text for name in fresh if name.person)


def _asks_for_person(words: Sequence[str]) -> bool:
    if set(words) & {"who", "whom", "whose", "who's"}:
        return True
    return len(words) > 1 and words[0] in {"which", "what"} and any(word in ROLES for word in words[1:3])


def _like_a_person(asked: str, name: Name) -> bool:
    """A name without `the` before it that owns something or stands beside a verb: as near as form alone comes."""
    if _is_demonym(name.text):
        return False
    before = asked[: name.start].split()
    return not before or before[-1].casefold() not in {"the", "of"}


def _is_role(phrase: str) -> bool:
    words = [token.low for token in tokens(phrase)]
    return any(word in ROLES for word in words)


def _last(name: Name) -> str:
    return name.text.split()[-1].casefold()


def _asked(turn: Turn) -> str:
    head, parted, rest = turn.resolved_query.partition(SEPARATOR)
    return f"{rest} {head}" if parted else turn.resolved_query
