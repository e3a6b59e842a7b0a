"""The intent of a question (an answer, the latest on a topic, small talk), and the questions it consists of."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Literal

import msgspec

from qa.conversations.follow_ups import resolve
from qa.language.question_words import AUXILIARIES, FUNCTION_WORDS, WH_WORDS
from qa.language.words import Token, tokens
from qa.types import Turn

_Kind = Literal["question", "latest", "small_talk"]


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants."""

    kind: _Kind
    topic: str
    """What it is about: of "What is the latest on the treaty?" the treaty; else the question without its greeting."""
    newest: bool
    """Whether of several answers the newest is meant: "now", "the latest", or the present tense without a time."""


_THANKS = (
    r"thanks?(?: you)?|many thanks|thank(?:s| you) (?:so|very) much|thanks a (?:lot|million|bunch)|thx|ty|cheers"
    r"|danke|merci|gracias|grazie|much appreciated|i appreciate (?:it|that)"
)
_GREETING = (
    r"hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day|night)|hallo|hola|bonjour|salut|ciao"
    r"|(?:good)?bye|see you(?: later| soon)?|welcome"
)
_ASSENT = (
    r"ok(?:ay)?|great|cool|nice|perfect|awesome|excellent|wonderful|good|good (?:job|work|one)|well done|nice one"
    r"|got it|i see|understood|alright|sure|yes|no|yeah|yep|nope|wow|lol|haha|sorry|never ?mind|no problem|interesting"
    r"|that'?s (?:great|all|fine|helpful|good)|that helps?"
)
_ABOUT_US = (
    r"how are you(?: doing)?(?: today)?|how do you do|what'?s up|how'?s it going|who are you|what are you"
    r"|what(?:'| i)?s your name|are you (?:a |an )?(?:bot|robot|human|ai|real|there)"
    r"|what (?:can|could|do) you (?:do|help(?: me)? with|know)(?: for me)?|how (?:can|could) you help(?: me)?"
    r"|how do you work|can you help(?: me)?|help(?: me)?|tell me a joke|test|testing|i love you|who made you"
    r"|nice to meet you|have a (?:nice|good|great) (?:day|one|weekend|evening)"
)
_TAIL = (
    r"(?: (?:there|again|everyone|all|sir|madam|mate|bot|sourceline|for (?:your|the|that|all)(?: \w+){0,3}|then"
    r"|please|so much|very much|a lot))*"
)
_SMALL = re.compile(rf"(?:(?:{_THANKS}|{_GREETING}|{_ASSENT}|{_ABOUT_US}){_TAIL}[\s,.!?:;)(\-–—…]*)+", re.IGNORECASE)
_OPENING = re.compile(rf"(?:(?:{_THANKS}|{_GREETING}|ok(?:ay)?|great|please){_TAIL}[,.!:]+\s*)+(?=\S)", re.IGNORECASE)
_LONGEST_SMALL = 120
"""Longer words are a question, and trying them as small talk takes more time than their length grows."""

_NEWS = (
    r"(?:news|updates?|developments?|word|information|info|headlines?|reports?|stories|coverage|situation"
    r"|state of play)"
)
_ON = r"(?:on|about|regarding|concerning|with|from|in|of|around|for)"
_NEW = r"(?:very )?(?:latest|newest|most recent|new|recent)"
_TELL = r"(?:what(?:'s|’s| is| are)|tell me|give me|show me)"
_HAVE = r"(?:(?:is|are) there |have you got |do you have |got )?"
_TOPIC = r"(?P<topic>.+)"
_KEYWORDS = re.compile(rf"(?P<topic>[^?]+?),? (?:latest(?: {_NEWS})?|news|updates?)", re.IGNORECASE)
_LATEST = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:{_TELL} |i want )?(?:the )?(?:latest|newest|most recent)(?: {_NEWS})? {_ON} {_TOPIC}",
        rf"{_HAVE}(?:an?|any|some|more) (?:{_NEW} )?{_NEWS} {_ON} {_TOPIC}",
        rf"{_TELL} (?:the |some |any )?(?:{_NEW} )?(?:news|updates?|developments?) {_ON} {_TOPIC}",
        rf"what(?:'s|’s| is) (?:new|happening|going on|the news) (?:with|in|on|at|about|around) {_TOPIC}",
        rf"what (?:has|have) (?:happened|changed) (?:lately|recently) (?:with|in|to|at|around) {_TOPIC}",
        r"what (?:has|have) (?:happened|changed) (?:with|in|to|at|around) (?P<topic>.+?) (?:lately|recently)",
        rf"(?:how|where) do (?:things|matters) stand (?:with|on|in|at) {_TOPIC}",
        rf"what(?:'s|’s| is) the (?:current |latest )?(?:status|state) of {_TOPIC}",
        rf"(?:latest|newest|recent) {_NEWS} {_TOPIC}",
        rf"(?:news|updates?) (?:on|about|regarding|from) {_TOPIC}",
        rf"(?:bring|catch|get) me up to (?:date|speed) {_ON} {_TOPIC}",
    )
)
_ASKS = re.compile(
    r"(?:who|what|which|when|where|why|how|is|are|was|were|do|does|did|has|have|will|can)\b", re.IGNORECASE
)
_NEWEST = re.compile(
    r"\b(?:latest|newest|most recent(?:ly)?|current(?:ly)?|now(?:adays)?|at the moment|at present|these days|so far"
    r"|still|up to date)\b",
    re.IGNORECASE,
)
_PRESENT = re.compile(
    r"(?:who|what|which|where|how|whose)\b[^?]*?\b(?P<verb>is|are|does|do|was|were|did|has|have|had|will|would)\b"
    r"|(?P<first>is|are|does|do)\b",
    re.IGNORECASE,
)


def intent_of(question: str) -> Intent:
    """What kind of question it is, by its form alone.

    >>> intent_of("What is the latest on the Veldany dam?").topic
    'the Veldany dam'
    >>> intent_of("Thank you very much!").kind
    'small_talk'
    """
    folded = " ".join(question.split())
    if len(folded) <= _LONGEST_SMALL and _SMALL.fullmatch(folded):
        return Intent(kind="small_talk", topic=folded, newest=False)
    opening = _OPENING.match(folded[:_LONGEST_SMALL])
    rest = folded[opening.end() :] if opening else folded
    bare = rest.rstrip(" ?.!")
    patterns = _LATEST if _ASKS.match(bare) else (*_LATEST, _KEYWORDS)
    found = next((match for pattern in patterns if (match := pattern.fullmatch(bare))), None)
    if found:
        return Intent(kind="latest", topic=found["topic"], newest=True)
    return Intent(kind="question", topic=rest, newest=_NEWEST.search(rest) is not None or _is_present(rest))


def _is_present(question: str) -> bool:
    found = _PRESENT.match(question)
    verb = found and (found["verb"] or found["first"])
    return bool(verb and verb.casefold() in {"is", "are", "does", "do"})


_LONGEST_SUBJECT = 10
"""Words from "how many" to the verb: "How many homes in the north of Veldany lost power, and who …"."""
_TOLD = re.compile(
    r"(?:(?:please )?(?:(?:can|could|would|will) you (?:please )?)?(?:tell|show) (?:me|us)(?: please)?,?"
    r"|i(?:['’]d| would)? (?:like|want|need) to know|do you know)"
    r" (?=(?:who|what|when|where|why|how|which)\b)",
    re.IGNORECASE,
)
"""What makes an indirect question, whose further parts have their verb at the end."""
_MOST = 4
"""So many parts are told apart; who asks more gets the rest as one."""
_SENTENCE = re.compile(r"(?<=\?)[\"”’)]*\s+")
_AND = re.compile(
    r",?\s+(?:and|or|as well as|plus)\s+(?:also\s+)?|[,;]\s+(?=(?:who|what|when|where|why|how|which|whose)\b)",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"(?P<first>who|what|when|where|why|how)(?:,? and | or )(?P<second>who|what|when|where|why|how)(?P<rest> .+)",
    re.IGNORECASE,
)
_QUOTES = re.compile('["“”]')
_PERSONS = frozenset("he she him her his hers they them their".split())
_MEASURES = frozenset("many much old long far often big high large soon tall deep heavy fast likely".split())
_VERBS = frozenset(
    "won lost led leads runs ran owns owned paid pays built made said says died replaced replaces wrote founded scored"
    " beat killed caused happened signed voted plays played heads headed succeeded became took takes opened started"
    " bought sold follows followed comes came lives lived works worked".split()
)
"""After who or what, with no auxiliary: enough to see a question of its own."""


def parts_of(question: str) -> tuple[str, ...]:
    """The questions that one asks, in order, each to be answered by itself; the question alone where it asks one thing.

    What a later part leaves out ("and who built it?") is put in from the parts before it, where that can be done
    soundly. A part that points at whom an earlier one asks for ("Who won and how old is she?") is left as it is: the
    answer to the earlier one resolves it, like a follow-up.

    >>> parts_of("Who won the Veldany Cup? What did the new stadium cost?")
    ('Who won the Veldany Cup?', 'What did the new stadium cost?')
    >>> parts_of("Who signed the truce and when it began?")
    ('Who signed the truce and when it began?',)
    """
    folded = " ".join(question.split())
    pieces = [part for sentence in _sentences(folded) for part in _joined(sentence)]
    parts: list[str] = []
    for piece in [*pieces[: _MOST - 1], " ".join(pieces[_MOST - 1 :])]:
        if piece:
            parts.append(_whole(piece, parts))
    return tuple(dict.fromkeys(parts))


def leans_on_an_answer(part: str) -> bool:
    """Whether a part points at a person whom only the answer to an earlier one names."""
    return bool(_PERSONS & {token.low for token in tokens(part)})


def _whole(piece: str, parts: Sequence[str]) -> str:
    """A part with what it leaves out; as it is where it repeats the part before it or points at the answer of one."""
    words = [token.low for token in tokens(piece)]
    content = {word for word in words if word not in FUNCTION_WORDS}
    repeats = bool(parts) and bool(content) and content <= {token.low for token in tokens(parts[-1])}
    answered = any(tokens(part)[0].low in {"who", "which", "whose"} for part in parts if tokens(part))
    if repeats or (answered and _PERSONS & set(words)):
        return piece
    return resolve(piece, [_turn(part) for part in parts])


def _sentences(text: str) -> Sequence[str]:
    """The questions of a text; a statement stays with the question that it leads to."""
    found = [piece for piece in _SENTENCE.split(text) if any(character.isalnum() for character in piece)]
    asked = [piece for piece in found if intent_of(piece).kind != "small_talk"]
    if any(len(_QUOTES.findall(piece)) % 2 for piece in asked):
        return [text]  # a question inside a quotation
    if any(not piece.rstrip('"”’) ').endswith("?") for piece in asked[1:]):
        return [text]  # something is said after the question: what it adds is not for us to say
    return asked or [text]


def _joined(sentence: str) -> Sequence[str]:
    """Take "A and B?" apart where B is a question by its own form."""
    pair = _PAIR.fullmatch(sentence)
    if pair and tokens(pair["rest"])[0].low in AUXILIARIES:
        rest = pair["rest"]
        return [f"{pair['first']}{rest}", f"{pair['second'].capitalize()}{rest}"]
    told = _TOLD.match(sentence)
    asked = f"{sentence[told.end()].upper()}{sentence[told.end() + 1 :]}" if told else sentence
    for match in _AND.finditer(asked):
        left, right = asked[: match.start()], asked[match.end() :]
        # Behind a bare comma "who" rather begins a clause: "How old is Ada Renn, who chairs the union?"
        asks = partial(_asks, told=told is not None, any_verb=bool(match[0].strip(" ,;")))
        if asks(tokens(left), opening=True) and asks(tokens(right), opening=False):
            return [f"{left.rstrip(' ,?')}?", *_joined(f"{right[:1].upper()}{right[1:].rstrip(' .?')}?")]
    return [sentence]


def _asks(words: Sequence[Token], *, opening: bool, told: bool, any_verb: bool) -> bool:
    """Whether words are a question by form; behind "Tell me" also an indirect one, "what the new stadium cost"."""
    low = {word.low for word in words}
    indirect = told and len(words) > 2 and words[0].low in WH_WORDS and not low & (_PERSONS | {"it", "its"})
    return _is_question(words, opening=opening, any_verb=any_verb) or (
        indirect and not (opening and any(word.low in WH_WORDS for word in words[1:]))
    )


def _is_question(words: Sequence[Token], *, opening: bool, any_verb: bool) -> bool:
    """Whether words are a question by form: a question word with an auxiliary or a verb close after it.

    With `any_verb`, whatever has a meaning of its own is one behind *who*: "Who chairs the union?".

    The first part must hold no second question word: "Did he say who paid and who won?" asks one thing.
    """
    if len(words) < 3:
        return False
    asks = [at for at, word in enumerate(words) if word.low in WH_WORDS]
    if words[0].low in AUXILIARIES:
        return opening and not asks
    at = 1 if words[0].low in {"in", "on", "at", "by", "for", "to", "with", "from", "of", "since"} else 0
    if words[at].low not in WH_WORDS or (opening and any(other > at for other in asks)):
        return False
    low = [word.low for word in words[at + 1 : at + _LONGEST_SUBJECT]]
    if words[at].low in {"who", "what"} and (low[0] in _VERBS or low[0].endswith("ed")):
        return True
    if any_verb and words[at].low == "who" and not words[at + 1].capital and low[0] not in FUNCTION_WORDS:
        return True
    if low[0] in AUXILIARIES:
        return True
    measured = words[at].low == "how" and low[0] in _MEASURES
    near = low[1:] if measured and opening else low[1:4]
    return (measured or words[at].low in {"which", "what", "whose"}) and any(
        word in AUXILIARIES | _VERBS for word in near
    )


def _turn(part: str) -> Turn:
    return Turn(question=part, resolved_query=part, answer="", answer_mode="abstained", as_of="")
