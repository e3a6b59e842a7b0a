"""What a follow-up may refer to: persons, places and topics of earlier turns, and the words to borrow.

"What about Tobruk?", "And in June?" and "Why?" borrow the words of the question before them.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from qa.language.dates import moment
from qa.language.question_words import AUXILIARIES, PARTICIPLES, TITLES, WH_WORDS, Name, is_date_word, names, topics
from qa.language.time_expressions import period_of, without_period
from qa.language.words import Token, tokens
from qa.types import Turn

SEPARATOR = ": "
"""Parts the topic from the question where it could only be put in front."""
_BETWEEN = ", "
_POINTS = re.compile(r"\b(?:that|this|those|these) [a-z]", re.IGNORECASE)
_MOST_TOPICS = 3
_DEMONYM = re.compile(r"[a-z](?:ian|ean|ish|ese|ican|ani|aqi|ench|utch|reek|wiss|rabs?|ians)$")
_ROLES = TITLES | frozenset(
    "owner master spokesman spokeswoman leader lawyer winner loser player striker scorer author founder researcher"
    " scientist doctor suspect victim candidate successor deputy head boss manager director engineer officer captain"
    " pilot driver teacher singer actor actress artist musician writer journalist champion king heir".split()
)
_ABOUT = re.compile(r"^(?:(?:and|but|so)\s+)?(?:what|how) about\s+(?P<what>.+?)\s*\??$", re.IGNORECASE)
_AND = re.compile(r"^(?:and|but)\s+(?P<what>[^?]+?)\s*\??$", re.IGNORECASE)
_PLACED = re.compile(r"^(?P<before>(?:in|on|at|for|from|by|since|to|of)\s+)?(?:the\s+)?(?P<what>.+)$", re.IGNORECASE)
_WH = re.compile(
    r"^(?:(?:and|but|so)\s+)?(?P<wh>(?:since|from|until|by|to|for|with|at|in|of)?\s*(?:why|when|where|who|whom|how"
    r"|how come|how (?:long|far|often|soon|much|many)|what time|which (?:day|year)))\s*\?*$",
    re.IGNORECASE,
)
_OWNS, _OWNER = re.compile(r"['’]s\b"), re.compile(r"['’]s$")
_LONGEST = 6
_BE = frozenset("is are was were am be".split())
_MODIFIERS = frozenset("vice deputy prime first foreign finance former acting current new next interim lord".split())


def person(
    turns: Sequence[Turn], *, pronouns: Collection[str] = (), never: Collection[str] = frozenset()
) -> str | None:
    """Whom `he` or `she` means: whom the last question was about, else whom its answer names; `never` one of these.

    Whom one of the `pronouns` stood for in the last question is meant again: "Whom did she beat? How old is she?"
    """
    if turns and pronouns and {token.low for token in tokens(turns[-1].question)} & set(pronouns):
        written = [name.text for name in names(turns[-1].resolved_query) if name.text not in turns[-1].question]
        if len(written) == 1:
            return written[0]
    for turn in reversed(turns):
        found = next((one for one in _persons(turn) if one.casefold() not in never), None)
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
            return _BETWEEN.join(found)
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


def topics_in_front(resolved: str) -> tuple[str, ...]:
    """The topics that were put in front of a question; none where the words there are no noun phrases, or where it
    points at something else: "the ferry: who leads that company?".

    >>> topics_in_front("the ferry, the tram: who paid?"), topics_in_front("A quick question: who paid?")
    (('the ferry', 'the tram'), ())
    """
    head, parted, rest = resolved.partition(SEPARATOR)
    phrases = tuple(head.split(_BETWEEN)) if parted and not _POINTS.search(rest) else ()
    return phrases if all(phrase.startswith("the ") and list(topics(phrase)) == [phrase] for phrase in phrases) else ()


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
    return len(words) > 1 and words[0] in {"which", "what"} and any(word in _ROLES for word in words[1:3])


def _like_a_person(asked: str, name: Name) -> bool:
    """A name without `the` before it that owns something or stands beside a verb: as near as form alone comes."""
    if _is_demonym(name.text):
        return False
    before = asked[: name.start].split()
    return not before or before[-1].casefold() not in {"the", "of"}


def _is_role(phrase: str) -> bool:
    words = [token.low for token in tokens(phrase)]
    return any(word in _ROLES for word in words)


def _last(name: Name) -> str:
    return name.text.split()[-1].casefold()


def _asked(turn: Turn) -> str:
    head, parted, rest = turn.resolved_query.partition(SEPARATOR)
    return f"{rest} {head}" if parted else turn.resolved_query


def exchanged(asked: str, turn: Turn) -> str | None:
    """Ask the last question about something else: a name, a month, a year.

    After "How many people live in Derna?", "What about Tobruk?" is "How many people live in Tobruk?".
    """
    found = _ABOUT.match(asked) or _AND.match(asked)
    if found is None or not _is_phrase(found["what"]):
        return None
    placed = _PLACED.match(found["what"])
    what = placed["what"] if placed else found["what"]
    before = turn.resolved_query
    if is_date_word(what.split()[-1]):
        return _another_date(before, found["what"], what)
    if _is_time(found["what"], turn):
        return _another_time(before, found["what"], turn)
    new = names(f"about {what}")
    if not new or new[0].text != what.removesuffix("'s"):
        return _another_role(before, what) or _another_topic(before, found["what"])
    old = _counterpart(before, new[0], (placed["before"] or "").strip().casefold() if placed else "")
    if old is None:
        return None
    owned = _OWNS.match(before, old.end) is not None
    return f"{before[: old.start]}{_OWNER.sub('', what) if owned else what}{before[old.end :]}"


def new_name(asked: str) -> str | None:
    """The name that a question asks about instead of the last one.

    >>> new_name("What about Tobruk?"), new_name("And in June?")
    ('Tobruk', None)
    """
    found = _ABOUT.match(asked) or _AND.match(asked)
    new = names(f"about {found['what']}") if found and _is_phrase(found["what"]) else ()
    return new[0].text if len(new) == 1 else None


def completed(asked: str, turn: Turn) -> str | None:
    """Ask the last question for another circumstance.

    After "How long will the Osprey Bridge be closed?", "Why?" is "Why will the Osprey Bridge be closed?"; after "Who
    was fined?", answered by a name, "How much?" is "How much was Otto Flim fined?".
    """
    found = _WH.match(asked)
    if found is None:
        return None
    head, parted, rest = turn.resolved_query.partition(SEPARATOR)
    before = rest if parted else head
    words = tokens(before)
    at = next((i for i, word in enumerate(words) if word.low in AUXILIARIES), None)
    whom = turn.short_answer or ""
    if at == 1 and words[0].low == "who" and not parted and any(name.text == whom for name in names(f"by {whom}")):
        wh = found["wh"].strip()
        return f"{wh[:1].upper()}{wh[1:]} {words[1].text} {whom}{before[words[1].end :].rstrip('?. ')}?"
    if at is None or (at > 0 and words[0].low == "who" and at == 1) or _is_predicate(words, at):
        return f"{turn.resolved_query.rstrip('?. ')} – {found['wh'].casefold()}?"
    lost = " ".join(
        w.text for w in words[:at] if w.low not in WH_WORDS | {"many", "much", "long", "far", "often", "of", "since"}
    )
    body = before[words[at].start :].rstrip("?. ")
    body = body if at else body[:1].lower() + body[1:]
    wh = found["wh"].strip()
    clause = f"{wh[:1].upper()}{wh[1:]} {_with(body, words[at].text, lost if at > 0 else '')}?"
    return f"{head}{SEPARATOR}{clause[:1].lower()}{clause[1:]}" if parted else clause


def is_short(asked: str) -> bool:
    """Whether a question has the form of one that only its conversation completes: "What about the roof?", "Why?"."""
    return _ABOUT.match(asked) is not None or _WH.match(asked) is not None


def _is_predicate(words: Sequence[Token], at: int) -> bool:
    """Whether what is asked for is all that is said of the subject: of "How far is it?" nothing is left for a "why"."""
    rest = [word.low for word in words[at + 1 :]]
    says_more = any(word.endswith(("ed", "ing", "en")) or word in PARTICIPLES for word in rest)
    return at > 0 and words[at].low in _BE and not says_more


def _with(body: str, auxiliary: str, lost: str) -> str:
    """The clause with what the question word took along: people who were killed, the money that somebody raised."""
    if not lost:
        return body
    if auxiliary.casefold() in _BE:
        return f"{auxiliary} {lost}{body[len(auxiliary) :]}"
    return f"{body} {lost}"


def _is_time(phrase: str, turn: Turn) -> bool:
    """Whether a phrase names a time and nothing else, such as "last year"."""
    period = period_of(phrase, as_of=asked_at(turn))
    return period is not None and period.words.casefold().removeprefix("in ") in {phrase.casefold(), f"in {phrase}"}


def _another_time(before: str, phrase: str, turn: Turn) -> str:
    return f"{without_period(before, as_of=asked_at(turn)).rstrip('?. ')} {phrase}?"


def asked_at(turn: Turn) -> datetime:
    """The moment a turn was asked at; now, where it is not told."""
    return moment(turn.as_of, field="as_of") if turn.as_of else datetime.now(UTC)


def _another_role(before: str, what: str) -> str | None:
    """Ask for another holder of a role: the vice president of whatever the last question asked the president of."""
    new = [token.low for token in tokens(what)]
    if not new or new[-1] not in _ROLES or names(f"about {what}"):
        return None
    words = tokens(before)
    at = next((i for i, word in enumerate(words) if word.low in _ROLES), None)
    if at is None:
        return None
    end = at
    while end + 1 < len(words) and words[end + 1].low in _ROLES and not words[end + 1].parted:
        end += 1
    start = at
    while start and words[start - 1].low in _MODIFIERS:
        start -= 1
    return f"{before[: words[start].start]}{what}{before[words[end].end :]}"


def _another_topic(before: str, what: str) -> str | None:
    """Ask the same of another thing with a name: the tram in Strand instead of the pool in Odrey."""
    old, new = topics(before), topics(f"about {what}")
    if len(old) != 1 or not new or not what.startswith(new[0]) or not (names(old[0]) and names(f"about {what}")):
        return None
    return before.replace(old[0], what, 1)


def _is_phrase(what: str) -> bool:
    """Whether words are a noun phrase and no clause."""
    low = [token.low for token in tokens(what)]
    return 0 < len(low) <= _LONGEST and not any(word in AUXILIARIES | WH_WORDS for word in low)


def _another_date(before: str, phrase: str, what: str) -> str:
    """The question with its date exchanged; at its end where it has none."""
    kind = what.rsplit(maxsplit=1)[-1].isdigit()
    for token in reversed(tokens(before)):
        if is_date_word(token.text) and token.text.isdigit() == kind:
            return f"{before[: token.start]}{what}{before[token.end :]}"
    inserted = phrase if phrase != what else f"in {what}"
    return f"{before.rstrip('?. ')} {inserted}?"


def _counterpart(before: str, new: Name, preposition: str) -> Name | None:
    """Which name of the last question the new one takes the place of."""
    old = [name for name in names(before) if name.text.casefold() != new.text.casefold()]
    if len(old) > 1 and preposition:
        old = [name for name in old if before[: name.start].casefold().split()[-1:] == [preposition]] or old
    return old[-1] if old else None
