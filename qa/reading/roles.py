"""Who does what to whom, in a question and in a sentence: strikes those who do something else, or have it done.

Told by the form of both, for plain sentences; what is not plain is left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from qa.language.question_words import PRONOUNS
from qa.language.words import Word, families, negated, words_of

__all__ = [
    "does_something_else",
    "ends_the_other_way",
    "exchanges_roles",
    "has_it_done_to_the_doer",
    "is_only_denied",
    "is_the_one_asked_about",
]

_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\b(?: \w+){0,3} by\b", re.IGNORECASE)
_DID = re.compile(r"\b(?:did|does|do|will|would|has|have|had|is|are|was|were)\b")
_WHERE = re.compile(r"\b(?:in|at|on|during|near)\b")
_ASKS_WHO = re.compile(
    r"(?:who|which [a-z]+(?: [a-z]+)?) (?!(?:do|does|did|will|would|has|have|had|can|could|is|are|was|were|be) )"
    r"(?P<verb>[a-z]+) (?=[A-Z])",
    re.IGNORECASE,
)
_ASKS_WHOM = re.compile(
    r"(?:who|whom|(?:which|what|how (?:many|much)) [a-z]+(?: [a-z]+)?) (?:did|does|do|will|would|has|have|had) ",
    re.IGNORECASE,
)
_DOER = re.compile(r"(?P<name>[A-Z][\w’'.-]+)(?: (?:has|have|had|will|would|also|later|then|[a-z]+ly))* $")
"""A name right before a verb: who does it."""
_OBJECT = re.compile(r" (?P<name>[A-Z][\w’'.-]+)")
"""A name right behind a verb: to whom it is done."""
_PAYS = frozenset(word.stem for word in words_of("pay pays paid offer offers offered bid bids"))
"""Of whoever pays for a company is told that he buys it."""
_NO_OBJECT = re.compile(r" (?:by|to|in|for|from|at|on|with)\b")
_NOT_THE_OBJECT = re.compile(r"[;:]|\b(?:by|with|for|from|to|in|at|on|that|who|which|when|after|before|and|but|said)\b")
"""Between a verb and a name, what makes the name no object of it."""
_MUTUAL = frozenset(
    word.stem
    for word in words_of(
        "marry married marries wed meet met face faced faces play played plays"
        " fight fought date dated divorce divorced join joined border borders resemble"
    )
)
"""Who does it to the other has it done by him, too."""
_BEAT = frozenset(word.stem for word in words_of("beat beats beaten defeat defeated"))
_BY = re.compile(r"\b(?P<verb>[a-z]+(?:ed|en|wn|de|ld|ght)) by (?:(?:the|a|an|former) )*$")
_WHO_DID = re.compile(r"who (?:has |had |have |also )?(?P<verb>[a-z]+)\b", re.IGNORECASE)
_WHO_DOES = re.compile(r"whom? (?!is\b|was\b|are\b|were\b)(?!.*\bor\b)", re.IGNORECASE)
_WHY_DID = re.compile(
    r"(?:why|how) (?:did|does|do|has|have|will|would) (?:the )?(?-i:(?P<agent>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*))"
    r" (?P<verb>[a-z]+) [\w’'\"“]",
    re.IGNORECASE,
)
_WINS = r"(?:won|wins?|winning|beat|beats|beaten|defeat(?:s|ed)|triumphed)"
_LOSES = r"(?:lost|loses?|losing|conceded|concedes|was (?:narrowly )?(?:beaten|defeated|voted out))"
_NO_GAME = r"(?! (?:his|her|their|its|a|an|one|two|three|contact|control|power|money|interest|weight|sight))"
_ENDED = (
    (re.compile(r"(?:who|which [a-z]+) (?:has |have )?(?:won|wins)\b", re.IGNORECASE), _LOSES + _NO_GAME),
    (re.compile(r"(?:who|which [a-z]+) (?:has |have )?(?:lost|loses)\b" + _NO_GAME, re.IGNORECASE), _WINS),
)
"""Who won, or lost, is asked for, and what whoever ended the other way did."""
_DID_WIN = re.compile(
    r"(?:when|where|by how much) (?:did|does|has|had|will) (?:the )?"
    r"(?-i:(?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)) win\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"(?:when|where|who|whom|(?:which|what|how (?:many|much)) [a-z]+) (?:did|does|do|has|have|had|was|were|is|are)\b"
    r".*?\b(?P<verb>[a-z]+)(?: (?:in|on|at|to|from|for|of|with|by|about)\b.*)?\?*$",
    re.IGNORECASE,
)
"""The last verb of a question, before what says where, when or with whom."""


class _Deed(msgspec.Struct, frozen=True):
    """Who does what to whom in a question; None for whom it asks for."""

    agent: str | None
    verb: Word
    patient: str | None


def exchanges_roles(question: str, sentence: str) -> bool:
    """Whether A does to B in the question what B does to A in the sentence: both active, the verb between the names."""
    if _PASSIVE.search(question) or _PASSIVE.search(sentence):
        return False
    deed = _deed(question)
    places = _places(deed, sentence) if deed else []
    if deed and deed.agent and not places and deed.verb.stem in _BEAT:
        return re.search(rf"{re.escape(deed.agent.split()[-1])}(?: [a-z]+)? lost\b", sentence) is not None
    if deed is None or len(places) != 1 or places[0].capital:
        return False
    head, tail = sentence[: places[0].start], sentence[places[0].end :]
    if deed.agent and deed.patient:
        agent, patient = deed.agent, deed.patient
        return patient in head and agent in tail and agent not in head and patient not in tail
    doer = _DOER.search(head)
    if doer is None:
        return False
    if deed.agent and deed.agent.split()[-1] not in sentence:
        return not _may_be(doer["name"], deed.agent)  # it is another one's
    if deed.verb.stem in _MUTUAL:
        return False
    if deed.patient:
        last = deed.patient.split()[-1]
        if last not in sentence and (other := _OBJECT.match(tail)):
            return not _may_be(other["name"], deed.patient)
        return doer["name"] == last and last not in tail and not _NO_OBJECT.match(tail)
    last = (deed.agent or "").split()[-1]
    return last not in head and last in tail and not _NOT_THE_OBJECT.search(tail[: tail.index(last)])


def has_it_done_to_the_doer(question: str, sentence: str) -> bool:
    """Whether "Why did A sue them?" meets a sentence in which somebody sued A, and A sues nobody.

    >>> has_it_done_to_the_doer("Why did Orel sue the herders?", "The herders, who sued Orel, were glad.")
    True
    """
    asked = _WHY_DID.match(question)
    if asked is None:
        return False
    agent = asked["agent"].split()
    forms = {asked["verb"].casefold() + ending for ending in ("", "s", "d", "ed")}
    done = rf" (?:the )?(?:{'|'.join(map(re.escape, agent))})\b"
    return any(
        word.text.casefold() in forms
        and re.match(done, sentence[word.end :])
        and not any(part in sentence[: word.start] for part in agent)
        for word in words_of(sentence)
    )


def _places(deed: _Deed, sentence: str) -> list[Word]:
    """The words of a sentence that are the verb or mean it; for two names also pay for and offer for of who buys."""
    said = words_of(sentence)
    found = [word for word in said if word.stem == deed.verb.stem]
    if found:
        return found
    pays = deed.agent and deed.patient and deed.verb.stem in _PAYS
    kin = families().get("buy" if pays else deed.verb.stem, frozenset())
    return [word for word in said if kin & families().get(word.stem, frozenset())]


def _may_be(doer: str, agent: str) -> bool:
    """Whether who does it may be the agent: a pronoun, initials, or the beginning of one of its words."""
    words = agent.split()
    short = "".join(word[0] for word in words)
    return doer.casefold() in PRONOUNS or doer.replace(".", "") == short or any(w[:3] == doer[:3] for w in words)


@lru_cache(maxsize=64)
def _deed(question: str) -> _Deed | None:
    """Of "How much did A offer for B?", "Whom did A beat?" or "Who beat B?", who does what to whom.

    >>> _deed("Who beat Tessa Brandt?").patient, _deed("Whom did Otto Prinz criticise?").agent
    ('Tessa Brandt', 'Otto Prinz')
    """
    words = words_of(question)
    runs: list[list[Word]] = []
    for word in words[1:]:
        if not word.capital or word.stop or word.number:
            continue
        if runs and question[runs[-1][-1].end : word.start] == " ":
            runs[-1].append(word)
        else:
            runs.append([word])
    if not runs:
        return None
    first = question[runs[0][0].start : runs[0][-1].end]
    if asked := _ASKS_WHO.match(question):
        verb = next((word for word in words if word.start == asked.start("verb")), None)
        told = asked.end() == runs[0][0].start and verb is not None and not verb.stop
        return _Deed(None, verb, first) if told and verb else None
    between = [word for word in words if word.start >= runs[0][-1].end and not word.stop]
    if not between or question[runs[0][-1].end : between[0].start] != " " or between[0].capital:
        return None
    if (asked := _ASKS_WHOM.match(question)) and asked.end() == runs[0][0].start:
        return _Deed(first, between[0], None)
    if len(runs) != 2 or not _DID.search(question[: runs[0][0].start]) or between[0].start >= runs[1][0].start:
        return None
    if _WHERE.search(question[between[0].end : runs[1][0].start]):
        return None
    return _Deed(first, between[0], question[runs[1][0].start : runs[1][-1].end])


def ends_the_other_way(question: str, sentence: str, end: int) -> bool:
    """Whether the words that end at `end` are who lost where the question asks who won, or the reverse; or it asks when
    somebody won of whom the sentence tells only that he lost.

    >>> ends_the_other_way("Who won the election?", "Ada Roe lost the election to Ida Gant.", 7)
    True
    """
    tail = sentence[end:]
    if any(asks.match(question) and re.match(rf"(?: [a-z]+ly)? {other}\b", tail) for asks, other in _ENDED):
        return True
    asked = _DID_WIN.match(question)
    if asked is None or re.search(rf"\b{_WINS}\b", sentence):
        return False
    return re.search(rf"{re.escape(asked['name'].split()[-1])}(?: [a-z]+ly)? {_LOSES}\b", sentence) is not None


def is_only_denied(question: str, sentence: str) -> bool:
    """Whether a sentence says nothing of the question's verb but that it is not so.

    >>> is_only_denied("When did Ada Renn resign?", "On Monday Renn said that she would not resign.")
    True
    """
    asked = _DONE.match(question)
    if asked is None or any(negated(question, words_of(question))):
        return False
    stem = _stem(asked["verb"])
    said = words_of(sentence)
    denied = [no for word, no in zip(said, negated(sentence, said), strict=True) if word.stem == stem]
    return bool(denied) and all(denied)


def does_something_else(question: str, sentence: str, start: int) -> bool:
    """Whether the words at `start` are who did another thing: of a draft "written by Roe that was leaked", who wrote.

    >>> does_something_else("Who leaked the draft?", "It is the draft written by Ada Roe that was leaked.", 27)
    True
    """
    done, asked = _BY.search(sentence[:start]), _WHO_DID.match(question)
    if done is None or asked is None:
        return False
    verb = _stem(asked["verb"])
    if verb in {word.stem for word in words_of(sentence[: done.start()])[-2:]}:
        return False  # "painted green by"
    return _stem(done["verb"]) != verb and any(word.stem == verb for word in words_of(sentence))


def _stem(verb: str) -> str:
    return next((word.stem for word in words_of(verb)), "")


def is_the_one_asked_about(question: str, words: str) -> bool:
    """Whether words that answer who did it are but the name of whom it was done to.

    >>> is_the_one_asked_about("Who beat Renn?", "Ada Renn"), is_the_one_asked_about("Who is Renn?", "Ada Renn")
    (True, False)
    """
    if not _WHO_DOES.match(question):
        return False
    told, asked = ([word for word in words_of(text) if not word.stop] for text in (words, question))
    return bool(told and asked) and told[-1].capital and asked[-1].capital and told[-1].stem == asked[-1].stem
