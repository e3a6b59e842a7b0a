"""Takes a parsed claim and the sentences it rests on, gives whether somebody else says it there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.grounding.reading import Sentence as Read
from qa.grounding.syntax.bonds import Bond
from qa.grounding.syntax.ties import Sentence, kindred

__all__ = ["SAYS", "other_speaker"]

SAYS = re.compile(
    r"sa(?:y|ys|id|ying)|t(?:ell|ells|old)|according|claim(?:s|ed)?|call(?:s|ed)|th(?:inks?|ought)|believ(?:e|es|ed)"
    r"|announc(?:e|es|ed)|stat(?:es|ed)|add(?:s|ed)|warn(?:s|ed)?|promis(?:e|es|ed)|accus(?:e|es|ed)|alleg(?:e|es|ed)"
    r"|found|report(?:s|ed)?|den(?:y|ies|ied)|argu(?:e|es|ed)|insist(?:s|ed)?|admit(?:s|ted)?|confirm(?:s|ed)?"
    r"|estimat(?:e|es|ed)|wrote|writes?",
    re.IGNORECASE,
)
"""Verbs that have a speaker."""
_ACCORDING = re.compile(r"\baccording to\b", re.IGNORECASE)
_BEHIND = 5
_POINTING = frozenset({"he", "she", "they", "it", "who", "i", "we"})


def other_speaker(claim: Sentence, evidence: Sequence[tuple[Read, Sentence]]) -> int | None:
    """The word of the claim for who says it, if the sentence of what is said has somebody else say something.

    A sentence without a speaker tells nothing: it may go on with what the one before it began.
    """
    for bond in claim.bonds:
        if not _is_speech(claim, bond) or claim.words[bond.dependent].stop:
            continue
        read, said = _where_it_is_said(claim, bond.head, evidence)
        theirs = [said.words[word] for word in _speakers(read, said)]
        if not theirs or any(word.text.lower() in _POINTING for word in theirs):
            continue
        known = [*theirs, *(said.words if _ACCORDING.search(read.text) else ())]
        if not any(kindred(claim.words[bond.dependent], word) for word in known):
            return bond.dependent
    return None


def _where_it_is_said(claim: Sentence, verb: int, evidence: Sequence[tuple[Read, Sentence]]) -> tuple[Read, Sentence]:
    """The best sentence that has the word at the heart of what is said; the best of all where none has."""
    hearts = [claim.words[bond.dependent] for bond in claim.bonds if bond.head == verb and bond.role == "ccomp"]
    for pair in evidence:
        if any(kindred(heart, word) for heart in hearts for word in pair[1].words):
            return pair
    return evidence[0]


def _speakers(read: Read, said: Sentence) -> list[int]:
    return [*(bond.dependent for bond in said.bonds if _is_speech(said, bond)), *_named_after(read, said)]


def _named_after(read: Read, said: Sentence) -> list[int]:
    """Names right behind a verb of saying: "said engineer Ruth Amadi", which ends many a sentence of news."""
    found: list[int] = []
    for verb, word in enumerate(said.words):
        if not SAYS.fullmatch(word.text):
            continue
        for at in range(verb + 1, min(verb + 1 + _BEHIND, len(said.words))):
            if set(read.text[word.end : said.words[at].start]) & set(".,;:!?"):
                break
            if said.words[at].capital and not said.words[at].stop:
                found.append(at)
    return found


def _is_speech(sentence: Sentence, bond: Bond) -> bool:
    return bond.role == "subject" and bool(SAYS.fullmatch(sentence.words[bond.head].text))
