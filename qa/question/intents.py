"""Takes a question, gives what kind it is: a question, a wish for the latest on a topic, or mere small talk."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

__all__ = ["Intent", "intent_of"]

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
    r"|what(?:'| i)?s your name|are you (?:a |an )?(?:bot|robot|human|ai|real|there)|what can you do(?: for me)?"
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
