"""Office holders: questions that ask who holds an office now, and people who, says a text, left one.

A reader is drawn to the name beside the office, and that is often the name of somebody just dismissed.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from embeddings.runtime import compiled_late
from qa.language.words import words_of
from qa.reading import AnswerSpan
from qa.reading.answer_types import OFFICES

_OFFICE = (
    rf"(?:{OFFICES}|minister|premier|chair|ambassador|commissioner|principal|speaker|bishop|conductor|commander|trainer"
    r"|boss)"
)
_ASKS = re.compile(
    rf"who(?: currently| now)?(?: is|'s|’s)(?: currently| now)? (?!.*\b(?:former|first|outgoing)\b).*\b{_OFFICE}\b"
    rf"|who will be (?:the )?(?:next |new ).*\b{_OFFICE}\b"
    r"|who(?: currently| now)? (?:leads|heads|runs|coaches|manages|governs|chairs|edits|commands)\b",
    re.IGNORECASE,
)
_WORD = r"(?:[A-Z][\w-]+(?:['’](?!s\b)\w+)*|[A-Z]\.|O['’][A-Z]\w+)"
_NAME = re.compile(rf"{_WORD}(?: (?:{_WORD}|de|van|von|der|al|bin))*")
_REMOVED = (
    r"(?:dismiss(?:ed|es|ing)?|sack(?:ed|s|ing)?|fir(?:ed|es|ing)|oust(?:ed|s|ing)?|depos(?:ed|es|ing)|ax(?:ed|es|ing)"
    r"|remov(?:ed|es|ing)|replac(?:ed|es|ing|e)|succeed(?:ed|s|ing)?|unseat(?:ed|s|ing)?|topple[ds]?"
    r"|defeated|part(?:ed|s|ing)? (?:company|ways) with|(?:tak(?:es|e|ing)|took) over from|stepp?(?:ed|s|ing)? in for)"
)
_DEPARTURE = r"(?:departure|resignation|dismissal|death|retirement|exit|sacking|firing|ousting|removal|assassination)"
_LEFT = (
    r"(?:resign(?:s|ed)|step(?:s|ped) (?:down|aside)|st(?:ands|ood) down|quits?|retire[ds]|died|dies|passed away|left"
    r"|bow(?:s|ed) out|handed over|lost (?:the|his|her|their) (?:election|office|job|post|run-off)"
    r"|announced (?:his|her|their) (?:resignation|retirement)"
    r"|(?:does|did|do|will|is|would) not (?:run(?:ning)?|stand(?:ing)?|seek(?:ing)?)"
    r" (?:again|re-?election|another term))\b(?! (?:to|hospital|for)\b)"
)
_WAS_REMOVED = (
    r"(?:(?:is|was|were|been|being|gets|got)(?: also| later| then| [a-z]+ly)? (?:dismissed|sacked|fired|ousted|removed"
    r"|deposed|replaced|assassinated|succeeded|voted out|suspended|killed))\b"
)
_FORMER = r"(?:former|ex|outgoing|late|ousted|dismissed|sacked|deposed|retired|departed|predecessor|then)"
_OF_THEM = r"(?: (?!(?:by|and|but|as|with|that|after|when|to|on|in|for|at|from|because|over)\b)[\w’'-]+){0,6}"
"""Words between a verb and its object."""
_BEFORE = compiled_late(
    rf"(?:\b{_REMOVED}{_OF_THEM},? ?"
    rf"|\b{_DEPARTURE} of(?: [\w’'-]+){{0,5}},? ?"
    r"|\b(?:success(?:or|ion)|replacement) (?:to|of|for)(?: [\w’'-]+){0,5},? ?"
    rf"|\b{_FORMER}[ -](?:[a-z]+ ){{0,2}}{_OFFICE}\b(?: (?:of|at|in)(?: [\w’'-]+){{1,4}})?,? ?"
    rf"|\b(?:predecessor|ousted|dismissed|sacked|deposed|outgoing),? ?)$",
    re.IGNORECASE,
)
"""Text before a name that says that this person left."""
_BEHIND = compiled_late(
    r"(?:(?: (?:of|at|in|from) [A-Z][\w’'-]*(?: [A-Z][\w’'-]*){0,3})?,? ?\(?\d{0,3}\)?,?"
    r"|, (?:the |its |their |a |who )?[^,;.]{1,70},)?"
    rf"(?:,? who)?(?: (?:has|had|also|later|then|[a-z]+ly|on [A-Z]\w+day|in [A-Z]\w+))* (?:{_LEFT}|{_WAS_REMOVED})"
    rf"|['’]s?(?: [a-z]+){{0,2}} (?:{_DEPARTURE}|successor|replacement)\b"
)
"""Text after a name that says so."""
_NO_SUBJECT = re.compile(r"\b(?:of|at|for|in|with|from|by|to) $")
"""In "the wife of Leo Varn died", he did not die."""
_DEPUTY = re.compile(r"\b(?:deputy|vice|assistant)\b", re.IGNORECASE)
_IS_DEPUTY = compiled_late(
    rf"\b(?:deputy|vice|assistant)[ -](?:[a-z]+ ){{0,2}}{_OFFICE}\b(?: (?:of|at|in)(?: [\w’'-]+){{1,4}})?,? ?$",
    re.IGNORECASE,
)
_LOOKED_BACK = 100
"""How many characters before a name are read."""


def asks_holder(question: str) -> bool:
    """Whether a question asks who holds an office now.

    >>> asks_holder("Who is the coach of Tarn United?"), asks_holder("Who was the coach of Tarn United?")
    (True, False)
    """
    return _ASKS.match(question) is not None


@lru_cache(maxsize=128)
def who_left(text: str) -> frozenset[str]:
    """The last names, as stems, of people who left an office according to a text.

    >>> sorted(who_left("Holm Steel dismissed its director Ada Stern. Henrik Qvist takes over."))
    ['stern']
    """
    return frozenset(_last(match.group()) for match in _NAME.finditer(text) if _leaves(text, match)) - {""}


def still_in_office(question: str, text: str, spans: Sequence[AnswerSpan]) -> tuple[AnswerSpan, ...]:
    """The spans without deputies (unless asked for) and people who left, if another span is likelier than no answer."""
    gone, named = who_left(text), [*_NAME.finditer(text)]
    if not _DEPUTY.search(question):
        deputies = [one for one in named if _IS_DEPUTY.search(text[: one.start()][-_LOOKED_BACK:])]
        spans = [one for one in spans if not _overlaps(one, deputies)]
    kept = [one for one in spans if not _overlaps(one, [name for name in named if _last(name.group()) in gone])]
    return tuple(kept if any(one.logit > 0 for one in kept) else spans)


def _overlaps(span: AnswerSpan, named: Sequence[re.Match[str]]) -> bool:
    return any(span.start < name.end() and name.start() < span.end for name in named)


def _leaves(text: str, name: re.Match[str]) -> bool:
    head = text[: name.start()][-_LOOKED_BACK:]
    subject = _NO_SUBJECT.search(head) is None and _BEHIND.match(text, name.end()) is not None
    return subject or _BEFORE.search(head) is not None


def _last(name: str) -> str:
    return next((word.stem for word in reversed(words_of(name)) if not word.stop), "")
