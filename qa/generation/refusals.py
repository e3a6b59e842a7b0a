"""Recognises a model that says the sources do not answer: an answer too, but no statement of fact.

News itself tells what was not said ("Police gave no details"): that is a statement like any other. What sets the two
apart is who is silent: the sources as such, or the model itself; not somebody that the sources tell of. In doubt a
sentence is taken for news, since the check that follows drops what nothing supports.
"""

from __future__ import annotations

import re

__all__ = ["NOTHING", "declines"]

NOTHING = "NOT IN THE SOURCES"
"""What the prompt asks a model to write where the sources do not answer."""

_NAMED = r"(?:(?:news )?(?:sources?|articles?|passages?|excerpts?|snippets?)|context)"
"""What a model calls the material as a whole; reporters seldom do, and never a context."""
_ANY = rf"(?:{_NAMED}|texts?|documents?|information|evidence|materials?|sentences?|quotations?|content)"
"""What news may speak of as well."""
_GIVEN = r"(?:provided|given|above|supplied|cited|quoted|listed|following)"
_WHICH = r"(?:the|these|this|those|your|all|both|any of the|either of the|neither of the|none of the)"
_THEM = rf"(?:{_WHICH} (?:{_GIVEN} {_ANY}|{_ANY} {_GIVEN}|available {_NAMED}|{_NAMED})|these sentences)"
"""The material, so called that nothing else can be meant."""
_MARKS = r"(?:\s*[\[(][^\])]{0,20}[\])])*"
_SAY = (
    r"(?:say|state|mention|specif|provid|contain|includ|g[ai]ve|answer|indicat|tell|report|disclos|reveal|address|name|"
    r"offer|discuss|describ|identif|explain|list|clarif|make|ha[vs]e?\b|speak|cover|confirm|detail|suggest|refer)"
)
_HOW = r"(?:(?:\w+ly|even|actually|in fact) )?"
_NOT = r"(?:do(?:es)? not|don[’']t|doesn[’']t|cannot|can[’']t|never)"
_DID_NOT = r"(?:did not|didn[’']t)"
_NONE = r"(?:no|not enough|not any|insufficient|too little|hardly any)"
_DETAILS = r"(?:information|mention|details?)"
_KNOWN = r"(?:information|mention|details?|data|indication|answer|evidence|reference|statement)"
_SILENT = (
    rf"(?:{_HOW}{_NOT} {_HOW}{_SAY}\w*|{_HOW}{_SAY}\w* (?:{_NONE} (?:\w+ ){{0,2}}{_KNOWN}|nothing)"
    r"|(?:is|are) (?:silent|unclear|not clear))\b"
)
_BEFORE = r"(?:^\W*|[,;:]\s+|\b(?:but|because|since|as|and|however|though|although|if)\s+)"
_SPOKEN = r"(?:mentioned|stated|specified|given|provided|found|included|answered|available|disclosed|contained|said)"
_SOURCES_ARE_SILENT = re.compile(
    rf"{_BEFORE}{_THEM}{_MARKS}\s+(?:{_SILENT}|{_DID_NOT} {_HOW}{_SAY})"
    rf"|^\W*the text{_MARKS}\s+{_SILENT}"
    rf"|{_BEFORE}(?:none of {_THEM}|(?:none of|neither of|no|neither) (?:the )?{_NAMED}){_MARKS}\s+{_HOW}{_SAY}"
    rf"|{_BEFORE}nothing in {_THEM}"
    rf"|\bnot (?:{_HOW})?(?:{_SPOKEN} )?(?:anywhere )?(?:in|by|from|within) (?:any of )?(?:{_THEM}|the text\b)"
    rf"|\b(?:cannot|can[’']t|could not) be (?:\w+ ){{1,2}}(?:from|by|with|based on|using|in) (?:{_THEM}|the text\b)"
    rf"|{_NONE} (?:\w+ ){{0,2}}{_KNOWN}\b[^.]*\bin {_THEM}",
    re.IGNORECASE,
)
_ONLY_THE_SOURCE = re.compile(rf"^\W*the sources?{_MARKS}\s+{_DID_NOT}\b", re.IGNORECASE)
"""Reporters have sources too, and tell what these did not say."""
_THERE_IS_NONE = re.compile(
    rf"{_BEFORE}there (?:is|are|isn[’']t|aren[’']t) (?:{_NONE}|any) (?:\w+ ){{0,2}}{_DETAILS}\b"
    rf"|^\W*{_NONE} (?:\w+ ){{0,2}}{_DETAILS}\b[^.]{{0,60}}\b(?:is|are) {_SPOKEN}\b"
    rf"|^\W*{_NONE} (?:\w+ ){{0,2}}{_KNOWN}(?: (?:{_SPOKEN}|to answer\b.*))?\W*$"
    r"|^\W*(?:not (?:mentioned|stated|specified|known|given|provided)|unknown|unclear|n/a)\W*$"
    r"|^\W*the (?:question|answer)\b[^.]{0,60}\b(?:cannot be|can[’']t be|could not be|is not|isn[’']t) "
    r"(?:answered|determined|given|provided|stated|mentioned|found|available|known|clear|specified)\b",
    re.IGNORECASE,
)
_SAID_BY_SOMEBODY = re.compile(
    rf"\b(?:said|says|told|added|reported|announced|wrote)\b|\baccording to (?!{_THEM})|\b(?:so far|yet|immediate)\b",
    re.IGNORECASE,
)
_SORRY = r"(?:(?:(?:i am|i[’']m|we are) )?(?:very )?sorry,? (?:but )?|unfortunately,? )"
_CANNOT = r"(?: (?:cannot|can[’']t|could not|couldn[’']t|am unable to|am not able to)|[’']m (?:unable|not able) to)"
_FIRST_PERSON = re.compile(
    rf"^[^\w\"“'‘]*(?:{_SORRY}?(?:"
    rf"(?:i|we){_CANNOT} (?:answer|assist|provide|comply|determine|help (?:you|with)|find (?:it|this|that|any|the)\b)"
    rf"|(?:i|we)(?: do not|n[’']t| don[’']t| did not| didn[’']t) (?:have|see|find) "
    rf"(?:(?:access|enough|any|sufficient|the|that|specific|further) )*(?:{_KNOWN}|context|to answer)\b"
    r"|(?:i|we) (?:do not|don[’']t) know\W*$|(?:unable|not able) to (?:answer|determine)\b|as an ai\b"
    r"|(?:it is|it[’']s) (?:not possible|impossible) to (?:say|answer|determine|tell)\b[^.]*\b"
    rf"(?:{_THEM}|the text|this question|the question)\b)"
    rf"|{_SORRY}(?:(?:the|that|this|no|there is no) (?:question|information|mention|answer|is not)\b)"
    r"|(?:(?:i am|i[’']m) )?sorry\W*$)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\W*(?:answer\W+)?(?:it is |this is |that is )?not in the sources\b", re.IGNORECASE)


def declines(sentence: str) -> bool:
    """Whether a sentence speaks of what the sources do not say, or refuses.

    >>> declines("NOT IN THE SOURCES."), declines("The provided sources do not mention his age.")
    (True, True)
    >>> declines("The ministry did not say who was to blame."), declines("Police gave no details of the suspects.")
    (False, False)
    """
    if _TOKEN.match(sentence) or _FIRST_PERSON.match(sentence):
        return True
    if _SOURCES_ARE_SILENT.search(sentence):
        return _ONLY_THE_SOURCE.match(sentence) is None
    return _THERE_IS_NONE.search(sentence) is not None and _SAID_BY_SOMEBODY.search(sentence) is None
