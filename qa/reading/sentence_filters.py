"""Filters sentences about another event than the question, or with the opposite of what it asks.

A reader takes the time, the winner or the figure of one event (the past or the next one, the second year, one round)
for that of another: "six were found alive, and two are still missing". Each rule removes only what its form gives away.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from embeddings.chunking.sentences import split_sentences
from qa.language.quantities import ORDINALS, quantities_of
from qa.language.words import Word, negated, stems, words_of
from qa.reading import AnswerSpan

_ASKS_BACK = re.compile(r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) (?:did|was|were)\b", re.IGNORECASE)
_ASKS_AHEAD = re.compile(
    r"(?:when|(?:in|on) (?:what|which) (?:year|month|day)) will\b.*?\b(?P<verb>[a-z]+)\b(?: again)?\W*$", re.IGNORECASE
)
_OF_A_PLAN = re.compile(
    r"\b(?:expect|suppos|schedul|plan|due\b|going to|meant to|set to|will\b|would\b|predict|propos|announc|say|said)",
    re.IGNORECASE,
)
"""A question about the past that may ask for a plan."""
_AHEAD = re.compile(
    r"\b(?:will|shall|is to|are to|is due|are due|is set to|are set to|is expected to|plans? to|ha(?:s|ve) until)\b"
)
_EVER_SINCE = re.compile(
    r"\b(?:has|have) (?:also )?(?:been|had|held|led|run|lived|worked)\b[^.;]*\bsince (?:[a-z]+ ){0,2}$"
)
_TURNS = {"first": 1, **ORDINALS}
_ASKS_A_PLACE = re.compile(
    r"(?:who|which [a-z]+) (?:came|finished|placed|was|ended|ran) (?:in )?(?P<place>second|third|fourth|fifth|last)\b",
    re.IGNORECASE,
)
_PLACED = re.compile(
    r"\b(?:silver|bronze|runners?-up|behind|ahead of|followed|podium|places?|placed|bottom|[2-5](?:nd|rd|th))\b"
)
"""What tells of others than the winner."""
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
    """Whether words at `start` say when something will be, and the question asks when it was, or the reverse.

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
    """Whether a time is the beginning of a state that the question does not mention."""
    asked = {word.stem for word in words_of(question) if not (word.stop or word.capital)}
    return _EVER_SINCE.search(head) is not None and not asked & stems(sentence)


def _bare(word: Word | None) -> str:
    """The stem of a verb, "open" of "reopened"."""
    if word is None:
        return ""
    return word.stem.removeprefix("re") if len(word.stem) >= len("reopen") else word.stem


def is_another_in_turn(question: str, sentence: str) -> bool:
    """Whether a sentence is about the first year when the question asks for the second, and names no second.

    >>> is_another_in_turn("How many in the second year?", "In the first year there were 4.")
    True
    >>> is_another_in_turn("Who came second in the race?", "Ada Roe won the race.")
    True
    """
    place = _ASKS_A_PLACE.match(question)
    if place and not (_PLACED.search(sentence) or place["place"].casefold() in sentence.casefold()):
        return True
    asked = _turns(question)
    if not asked:
        return False
    said = _turns(sentence)
    return any(
        turn not in {one for one, same in said if same == noun} and any(same == noun for _, same in said)
        for turn, noun in asked
    )


def _turns(text: str) -> set[tuple[str, str]]:
    """The ordinals of a text, each with the stem of the next word."""
    found = set()
    for word, after in pairwise(words_of(text)):
        low = word.text.casefold()
        turn = low.rstrip("stndrh") if low[:1].isdigit() else str(_TURNS.get(low, ""))
        if turn and turn != low and not after.stop:
            found.add((turn, after.stem))
    return found


def is_of_a_part(question: str, sentence: str, end: int) -> bool:
    """Whether the words that end at `end` won only a round or a half, and the question asks who won.

    >>> is_of_a_part("Who won the election?", "Ada Roe won the first round on Sunday.", 7)
    True
    """
    if not _ASKS_WHO_WON.match(question) or _A_PART.search(question):
        return False
    return _WINS_A_PART.match(sentence, end) is not None


def is_the_value_before(question: str, sentence: str, start: int) -> bool:
    """Whether the figure at `start` is the earlier value of another one, and the question asks for the present one.

    >>> told = "The toll was corrected from 31 to 23."
    >>> is_the_value_before("How many were hurt?", told, told.index("31"))
    True
    """
    head = sentence[:start]
    if not _ASKS_FOR_NOW.match(question) or not _FROM.search(head) or not _CHANGED.search(head):
        return False
    return _TO_FIGURE.search(sentence) is not None


def of_that_state(question: str, text: str, spans: Sequence[AnswerSpan]) -> tuple[AnswerSpan, ...]:
    """The spans without figures of other states than the one asked for, or what did the opposite, if one span has that.

    Sentences are compared clause by clause: if the clause with the word of the state ("missing") has its own figure,
    the figures of other clauses count something else.

    >>> told = "Six were found alive, and two are still missing."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many are missing?", told, (AnswerSpan(0, 3, 2.0), AnswerSpan(26, 29, 1.0)))]
    ['two']
    >>> told = "Nine members voted against it and twelve for it."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "How many members voted for it?", told, (AnswerSpan(0, 4, 2.0), AnswerSpan(34, 40, 1.0)))]
    ['twelve']
    >>> told = "Rents rose in Orrin and fell in Velda."
    >>> [told[one.start : one.end] for one in of_that_state(
    ...     "Where did rents fall?", told, (AnswerSpan(14, 19, 2.0), AnswerSpan(32, 37, 1.0)))]
    ['Velda']
    """
    asked = _STATE.match(question)
    if asked and not (asked["state"] and words_of(asked["state"])[0].stop):
        state = re.compile(rf"\b{asked['side'] or asked['state']}\b", re.IGNORECASE)
        return _of_clauses(
            text, spans, lambda said: state.search(said) is not None, lambda said: bool(quantities_of(said))
        )
    asks = words_of(question)
    sides = [side for pair in _STEMS[:-1] for side in (pair, pair[::-1]) if any(word.stem in side[0] for word in asks)]
    own, other = (frozenset[str]().union(*(side[place] for side in sides)) for place in (0, 1))
    if not own or own & other or any(negated(question, asks)):
        return tuple(spans)
    return _of_clauses(
        text, spans, lambda said: bool(own & stems(said)), lambda said: bool((own | other) & stems(said))
    )


def _of_clauses(
    text: str, spans: Sequence[AnswerSpan], own: Callable[[str], bool], rival: Callable[[str], bool]
) -> tuple[AnswerSpan, ...]:
    """The spans without those in rival clauses of a sentence that has a span in a clause of its own."""
    kept = list(spans)
    for start, end in split_sentences(text):
        told = [clause for clause in _clauses(text, start, end) if rival(text[clause[0] : clause[1]])]
        meant = [(first, last) for first, last in told if own(text[first:last])]
        if any(_within(one, meant) for one in kept):
            others = [clause for clause in told if clause not in meant]
            kept = [
                one for one in kept if _within(one, meant) or not any(a < one.end and one.start < b for a, b in others)
            ]
    return tuple(kept)


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    edges = [start, *(match.start() for match in _COUNTED_CLAUSE.finditer(text, start, end)), end]
    return list(pairwise(edges))


def _within(span: AnswerSpan, places: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start and span.end <= end for start, end in places)


# --- Who won and who lost
_NO_GAME = (
    r"(?! (?:his|her|their|its|an?|one|two|three|four|five|only|just|both|all|most|some|many|early|twice|once|ground"
    r"|\d[\d,.]* ?(?:%|[a-z]+)|the (?:first|second|third|opening|toss|backing|support|right|lead|nomination|primary)"
    r"|contact|control|power|money|interest|weight|sight)\b)"
)
"""Things won or lost that do not end a contest."""
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
"""A question who won (or lost), words for the opposite, and words that turn it round again."""
_VICTORY = re.compile(r"\b(?:w[io]n|wins|winning|beat|beaten|defeat(?:s|ed)|triumph\w*|victor\w*|took|regained)\b")
_DID_WIN = re.compile(
    r"(?:when|where|by how much) (?:did|does|has|had|will) (?:the )?"
    r"(?-i:(?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)) win\b",
    re.IGNORECASE,
)


_BEATEN = re.compile(r"(?: [a-z]+ly)? (?:beats?|defeat(?:s|ed)) (?:the )?(?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)")
_BEATER = re.compile(
    r"(?: [a-z]+ly)? (?:lost\b[^.;:]*? to|(?:was|were) (?:narrowly )?(?:beaten|defeated) by) (?:the )?"
    r"(?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)"
)


def on_the_other_side(question: str, sentence: str, end: int) -> tuple[int, int] | None:
    """The place of the one who lost, where who lost is asked and the words that end at `end` beat him; or the reverse.

    >>> told = "Petra Lind beat Jana Roos on Sunday."
    >>> start, end = on_the_other_side("Who lost the final?", told, 10)
    >>> told[start:end], on_the_other_side("Who won the final?", told, 10)
    ('Jana Roos', None)
    """
    wants = next(
        (shape for (asks, _, _), shape in zip(_ENDED, (_BEATER, _BEATEN), strict=True) if asks.match(question)), None
    )
    found = wants.match(sentence, end) if wants else None
    return found.span("name") if found else None


def ends_the_other_way(question: str, sentence: str, end: int) -> bool:
    """Whether the words that end at `end` lost and the question asks who won, or the reverse; or the question asks when
    somebody won, and the sentence says only that he lost.

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


# --- The opposite
_EXCEPTED = re.compile(
    r"\b(?:except|excluding|apart from|other than|but not|all but|save for|with the exception)\b", re.IGNORECASE
)
"""In such a sentence, what is affirmed of all others is denied of one."""
_STATES = (
    ("open opened opens reopened", "close closed closes shut"),
    ("accept accepted accepts", "reject rejected rejects refused"),
    ("approve approved approves", "reject rejected rejects"),
    ("allow allowed allows permitted", "ban banned bans forbidden prohibited"),
    ("support supported supports", "oppose opposed opposes"),
    ("convicted guilty", "acquitted innocent"),
    ("alive survived", "dead died killed"),
    ("built constructed erected", "demolished destroyed razed"),
    ("founded established", "dissolved disbanded"),
    ("hired appointed", "fired dismissed sacked"),
    ("arrested jailed", "released freed"),
    ("married", "divorced"),
    (
        "rise rises rising rose risen increase increased climb climbed grow grew grown gain gained jumped soared",
        "fall falls fell fallen drop dropped decline declined decrease decreased shrank sank slid plunged",
    ),
    ("run runs running operate operates operating sail sails sailing", "cancelled canceled suspended halted"),
    ("for", "against"),
)
_STEMS = tuple(tuple(frozenset(word.stem for word in words_of(side)) for side in pair) for pair in _STATES)
_WITHOUT = re.compile(r"\bwithout\b", re.IGNORECASE)
_LACKS = re.compile(
    r"\b(?:(?:is|are|was|were|been|went|go(?:es)?) (?:out|cut)|none|lost|lack(?:s|ed|ing)?|yet to)\b", re.IGNORECASE
)
_ASKS_HOW_MANY = re.compile(r"\bhow many [a-z]", re.IGNORECASE)
_VOTED_AGAINST = re.compile(r"\bvot(?:e[ds]?|ing) against\b", re.IGNORECASE)
_VOTED_FOR = re.compile(
    r"(?<!the )(?<!a )\bvot(?:e[ds]?|ing)\b(?: (?P<tally>[\w-]+ to [\w-]+),?)? (?:for|yes|in favou?r"
    r"|to (?!\d|(?:block|reject|oppose|strike|scrap|kill|halt|stop|end|repeal|overturn|cancel|veto|defeat|remove)\b))",
    re.IGNORECASE,
)
_NAYS = re.compile(
    r"\b(?:against|oppos\w+|reject\w+|nor?|not|nays?|otherwise|nobody|none|refus\w+|declin\w+|dissent\w*)\b|n['’]t\b",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_UNTIL = re.compile(r"\b(?:until|till)\b", re.IGNORECASE)
_LEAST_SHARED = 0.5
"""Share of the question's words that a sentence must have before its denial counts."""
_LEAST_OF_A_STATE = 0.34
"""The same if the question ends with the state: "Which pool is still closed?" asks of nothing else."""


def says_the_opposite(question: str, sentence: str) -> bool:
    """Whether it affirms what the question denies, or is about closed ones when the question asks for open ones."""
    if _VOTED_AGAINST.search(question) and (found := _VOTED_FOR.search(sentence)) and not _NAYS.search(sentence):
        return not (found["tally"] and _ASKS_HOW_MANY.search(question))
    asked, said = words_of(question), words_of(sentence)
    content = [word for word in asked if not word.stop]
    ends = content and any(content[-1].stem in one | other for one, other in _STEMS)
    told = {word.stem for word in content}
    least = _LEAST_OF_A_STATE if ends else _LEAST_SHARED
    if len(told & {word.stem for word in said}) < least * len(told):
        return False
    asked_not, said_not = negated(question, asked), negated(sentence, said)
    denied = next((word for word, no in zip(asked, asked_not, strict=True) if no and not word.stop), None)
    stems = {word.stem: no for word, no in zip(said, said_not, strict=True)}
    if denied is not None:
        lacking = _WITHOUT.search(question) and (
            any(said_not) or _LACKS.search(sentence)
        )  # "a power cut left 900 homes without electricity"
        affirmed = stems.get(denied.stem) is False and not lacking and not _EXCEPTED.search(sentence)
        return affirmed and not _opposed({word.stem for word in asked}, set(stems))
    if question[:4].casefold() == "when" and _UNTIL.search(sentence):
        return False  # "closed until April" says when it opens
    return not _ALTERNATIVE.search(question) and any(_tells_other_state(word, stems) for word in asked)


def _opposed(asked: set[str], said: set[str]) -> bool:
    return any((asked & one and said & other) or (asked & other and said & one) for one, other in _STEMS)


def _tells_other_state(word: Word, stems: dict[str, bool]) -> bool:
    """Whether a sentence has the opposite of a word, not denied, but neither the word nor a synonym."""
    for one, other in (*_STEMS[:-1], *((b, a) for a, b in _STEMS[:-1])):
        if word.stem in one and not one & stems.keys():
            return any(stems.get(stem) is False for stem in other)
    return False
