"""Which sentences the form of a question rules out: others do it to others, or it is another event of several.

Who does what to whom is told for plain sentences; what is not plain is left alone. Of several events, the past or the
next one, the second year, the whole or its first round, a reader takes the time, the winner or the figure of the one
for that of the other: "six were found alive, and two are still missing". Each rule strikes only what its form betrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.language.quantities import ORDINALS, quantities_of
from qa.language.question_words import PRONOUNS
from qa.language.words import Word, families, negated, stems, words_of
from qa.reading import AnswerSpan

__all__ = [
    "does_something_else",
    "ends_the_other_way",
    "exchanges_roles",
    "has_it_done_to_the_doer",
    "is_another_in_turn",
    "is_of_a_part",
    "is_of_another_tense",
    "is_only_denied",
    "is_the_one_asked_about",
    "is_the_value_before",
    "of_that_state",
]


# --- Who does what to whom
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
_NO_GAME = (
    r"(?! (?:his|her|their|its|an?|one|two|three|four|five|only|just|both|all|most|some|many|early|twice|once|ground"
    r"|\d[\d,.]* ?(?:%|[a-z]+)|the (?:first|second|third|opening|toss|backing|support|right|lead|nomination|primary)"
    r"|contact|control|power|money|interest|weight|sight)\b)"
)
"""What is won or lost in a contest that does not end it, and besides one."""
_WINS = rf"(?:(?:won|wins?|winning)\b{_NO_GAME}|beat|beats|beaten|defeat(?:s|ed)|triumphed)"
_LOSES = (
    rf"(?:(?:lost|loses?|losing|conceded|concedes)\b{_NO_GAME}"
    r"|(?:was|were) (?:narrowly )?(?:beaten|defeated|voted out)\b)"
)
_TURNED = r"\b(?:and|but|before|then|yet|though|although|while)\b[^;]*?\b"
_ENDED = (
    (
        re.compile(r"(?:who|which [a-z]+) (?:has |have )?(?:won|wins)\b", re.IGNORECASE),
        _LOSES,
        re.compile(_TURNED + r"(?:w[io]n|wins|winning|beat|took|take|prevailed|recovered|came back|rallied)\b"),
    ),
    (
        re.compile(rf"(?:who|which [a-z]+) (?:has |have )?(?:lost|loses)\b{_NO_GAME}", re.IGNORECASE),
        _WINS,
        re.compile(_TURNED + r"(?:lost|loses?|losing|defeated|beaten|fell|failed)\b"),
    ),
)
"""Who won, or lost, is asked for, and what whoever ended the other way did, unless he turned it round."""
_VICTORY = re.compile(r"\b(?:w[io]n|wins|winning|beat|beaten|defeat(?:s|ed)|triumph\w*|victor\w*|took|regained)\b")
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


_NOT_BEFORE = re.compile(r"\b(?:until|till)\b", re.IGNORECASE)


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
    for asks, other, turned in _ENDED:
        if asks.match(question) and (found := re.match(rf"(?: [a-z]+ly)? {other}", tail)):
            return turned.search(tail, found.end()) is None
    asked = _DID_WIN.match(question)
    if asked is None or _VICTORY.search(sentence):
        return False
    return re.search(rf"{re.escape(asked['name'].split()[-1])}(?: [a-z]+ly)? {_LOSES}", sentence) is not None


def is_only_denied(question: str, sentence: str) -> bool:
    """Whether a sentence says nothing of the question's verb but that it is not so.

    >>> is_only_denied("When did Ada Renn resign?", "On Monday Renn said that she would not resign.")
    True
    """
    asked = _DONE.match(question)
    if asked is None or any(negated(question, words_of(question))):
        return False
    if _NOT_BEFORE.search(sentence):
        return False  # "did not close until May"
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


# --- Which of several events
_ASKS_BACK = re.compile(r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) (?:did|was|were)\b", re.IGNORECASE)
_ASKS_AHEAD = re.compile(
    r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) will\b.*?\b(?P<verb>[a-z]+)\b(?: again)?\W*$", re.IGNORECASE
)
_OF_A_PLAN = re.compile(
    r"\b(?:expect|suppos|schedul|plan|due\b|going to|meant to|set to|will\b|would\b|predict|propos|announc|say|said)",
    re.IGNORECASE,
)
"""A question about the past that may ask for what was yet to come."""
_AHEAD = re.compile(
    r"\b(?:will|shall|is to|are to|is due|are due|is set to|are set to|is expected to|plans? to|ha(?:s|ve) until)\b"
)
_EVER_SINCE = re.compile(
    r"\b(?:has|have) (?:also )?(?:been|had|held|led|run|lived|worked)\b[^.;]*\bsince (?:[a-z]+ ){0,2}$"
)
_TURNS = {"first": 1, **ORDINALS}
_CLAUSE = re.compile(r"[;:—–]| (?:and|but|who|which) ")
_ASKS_WHO_WON = re.compile(
    r"(?:who|which [a-z]+) (?:has |have )?(?:won|wins)\b|who was (?:re-?)?elected\b", re.IGNORECASE
)
_PARTS = r"(?:round|half|leg|set|heat|stage|quarter|period|game|frame|ballot)"
_WINS_A_PART = re.compile(
    rf" (?:has |have |narrowly )?(?:won|wins|leads|led|took|takes) (?:in )?the (?:[\w-]+ )?{_PARTS}\b(?! and the)"
)
_A_PART = re.compile(rf"\b{_PARTS}\b", re.IGNORECASE)
_ASKS_FOR_NOW = re.compile(
    r"(?:how (?:many|much|high|low)\b|(?:to|what is|what['’]s) (?:the |what |which )?)"
    r"(?!.*\b(?:before|from|first|original|previous|former|earlier|initial|used to|by how)\w*\b)",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:correct|lower|rais|revis|increas|reduc|cut|ris|rose|fell|fall|grow|grew|climb|drop|chang|up|down)",
    re.IGNORECASE,
)
_FROM = re.compile(r"\bfrom (?:the |about |around |an? |some |minus )*$")
_TO_FIGURE = re.compile(r"\bto (?:about |around |an? |some |minus )*[$£€]?\d")
_STATE = re.compile(
    r"how many [^?]*?\b(?:(?:are|is|remain)(?: still| now| currently| being| believed| feared)* (?P<state>[a-z]{4,})"
    r"|(?:voted|were|was) (?P<side>for|against)\b)",
    re.IGNORECASE,
)
_COUNTED_CLAUSE = re.compile(
    r"[;:](?!\d)|,(?!\d)(?: (?:and|but|while))?|\b(?:and|but|while|after|though|as)\b", re.IGNORECASE
)


def is_of_another_tense(question: str, sentence: str, start: int) -> bool:
    """Whether words at `start` tell when something will be, and the question asks when it was, or the other way round.

    >>> told = "It is closed and will open again on May 3."
    >>> is_of_another_tense("When did it open?", told, 36), is_of_another_tense("When will it open?", told, 36)
    (True, False)
    """
    head = sentence[:start]
    if _ASKS_BACK.match(question) and not _OF_A_PLAN.search(question):
        return _AHEAD.search(_CLAUSE.split(head)[-1]) is not None or _lasts_otherwise(question, sentence, head)
    asked = _ASKS_AHEAD.match(question)
    if asked is None or _AHEAD.search(sentence):
        return False
    verb = _bare(next(iter(words_of(asked["verb"])), None))
    told = [word for word in words_of(sentence) if word.text.endswith("ed") and _bare(word) == verb]
    return bool(verb and told)


def _lasts_otherwise(question: str, sentence: str, head: str) -> bool:
    """Whether a time is that since when something has been so, of which the question says no word but names."""
    asked = {word.stem for word in words_of(question) if not (word.stop or word.capital)}
    return _EVER_SINCE.search(head) is not None and not asked & stems(sentence)


def _bare(word: Word | None) -> str:
    """The stem of a verb, "open" of "reopened"."""
    if word is None:
        return ""
    return word.stem.removeprefix("re") if len(word.stem) >= len("reopen") else word.stem


def is_another_in_turn(question: str, sentence: str) -> bool:
    """Whether a sentence tells of the first year where the second was asked for, and of no second.

    >>> is_another_in_turn("How many in the second year?", "In the first year there were 4.")
    True
    """
    asked = _turns(question)
    if not asked:
        return False
    said = _turns(sentence)
    return any(
        turn not in {one for one, same in said if same == noun} and any(same == noun for _, same in said)
        for turn, noun in asked
    )


def _turns(text: str) -> set[tuple[str, str]]:
    """The ordinals of a text, each with the stem of the word behind it."""
    found = set()
    for word, after in pairwise(words_of(text)):
        low = word.text.casefold()
        turn = low.rstrip("stndrh") if low[:1].isdigit() else str(_TURNS.get(low, ""))
        if turn and turn != low and not after.stop:
            found.add((turn, after.stem))
    return found


def is_of_a_part(question: str, sentence: str, end: int) -> bool:
    """Whether the words that end at `end` are who won a round, or a half, and the question asks who won.

    >>> is_of_a_part("Who won the election?", "Ada Roe won the first round on Sunday.", 7)
    True
    """
    if not _ASKS_WHO_WON.match(question) or _A_PART.search(question):
        return False
    return _WINS_A_PART.match(sentence, end) is not None


def is_the_value_before(question: str, sentence: str, start: int) -> bool:
    """Whether the figure at `start` is what another one came from, and the question asks for how it is.

    >>> told = "The toll was corrected from 31 to 23."
    >>> is_the_value_before("How many were hurt?", told, told.index("31"))
    True
    """
    head = sentence[:start]
    if not _ASKS_FOR_NOW.match(question) or not _FROM.search(head) or not _CHANGED.search(head):
        return False
    return _TO_FIGURE.search(sentence) is not None


def of_that_state(question: str, text: str, spans: Sequence[AnswerSpan]) -> tuple[AnswerSpan, ...]:
    """Spans without figures beside that of the state asked for, where a span has that one.

    A sentence is taken clause by clause: where the one that has the word of the state ("missing") has a figure of its
    own, the figures of its other clauses count something else.

    >>> told = "Six were found alive, and two are still missing."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many are missing?", told, (AnswerSpan(0, 3, 2.0), AnswerSpan(26, 29, 1.0)))]
    ['two']
    >>> told = "Nine members voted against it and twelve for it."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many members voted for it?", told, (AnswerSpan(0, 4, 2.0), AnswerSpan(34, 40, 1.0)))]
    ['twelve']
    """
    asked = _STATE.match(question)
    if asked is None or (asked["state"] and words_of(asked["state"])[0].stop):
        return tuple(spans)
    state = re.compile(rf"\b{asked['side'] or asked['state']}\b", re.IGNORECASE)
    kept = list(spans)
    for start, end in split_sentences(text):
        clauses = [(a, b) for a, b in _clauses(text, start, end) if quantities_of(text[a:b])]
        own = [(a, b) for a, b in clauses if state.search(text[a:b])]
        if len(clauses) > 1 and any(_within(one, own) for one in kept):
            kept = [one for one in kept if _within(one, own) or not _within(one, [(start, end)])]
    return tuple(kept)


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    edges = [start, *(match.start() for match in _COUNTED_CLAUSE.finditer(text, start, end)), end]
    return list(pairwise(edges))


def _within(span: AnswerSpan, places: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start and span.end <= end for start, end in places)
