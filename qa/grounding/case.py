"""Takes a claim with its evidence as they are given, gives them read and set against each other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from qa.grounding.checker import Context, Support, SupportingSpan
from qa.grounding.mismatches import Case
from qa.grounding.reading import lower_words, read_claim, read_evidence
from qa.grounding.selection import cover, pick
from qa.language.words import words_of

__all__ = ["SENTENCE_LIMIT", "case_of", "quotation"]

SENTENCE_LIMIT = 4
"""Sentences of evidence that are looked at closely: with the claim, at most five encodings."""
_FEW_NAMES = 0.15
"""Share of sentences with a name below which a text is taken to write names small."""
_LEAST_QUOTED = 3
"""Words from which a claim that stands in the evidence word for word counts as a quotation."""
_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\n": " "})


def case_of(claim: str, evidence: Sequence[str], *, question: str, contexts: Sequence[Context]) -> Case | None:
    """Set a claim before its evidence; None where either has no words."""
    sentences = read_evidence(evidence, contexts)
    read = read_claim(claim, lower=lower_words(sentences))
    if not read.words or not sentences:
        return None
    coverage = cover(read, sentences)
    titles = " ".join(context.title for context in contexts)
    return Case(
        claim=read,
        sentences=sentences,
        coverage=coverage,
        chosen=pick(coverage, sentences, limit=SENTENCE_LIMIT),
        small=sum(bool(sentence.names) for sentence in sentences) <= _FEW_NAMES * len(sentences),
        known=frozenset(word.text.casefold() for word in words_of(f"{question} {titles}")),
    )


def quotation(claim: str, evidence: Sequence[str]) -> Support | None:
    """Full support for a claim that is a quotation: whole sentences, or all of a few words, of one text."""
    bare = claim.strip().strip("\"“”'‘’ ").rstrip(".!?… ")
    plain = _plain(bare)
    if len(words_of(plain)) < _LEAST_QUOTED:
        return None
    for index, text in enumerate(evidence):
        at = _find(_plain(text), plain)
        if at is not None and _stands_alone(text, at, at + len(plain)):
            span = SupportingSpan(index=index, start=at, end=_through_stop(text, at + len(plain)), score=1.0)
            return Support(verdict="supported", score=1.0, spans=(span,))
    return None


def _plain(text: str) -> str:
    """Quotation marks, dashes and spaces of one kind; every character stays in its place."""
    folded = unicodedata.normalize("NFC", text)
    return (folded if len(folded) == len(text) else text).translate(_SAME)


def _find(text: str, wanted: str) -> int | None:
    match = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text)
    return match.start() if match else None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the words begin and end where a sentence does: part of one may say something else ("not" before it)."""
    before, after = text[:start].rstrip(" \"“‘'("), text[end:].lstrip("\"”’' )")
    begins = not before.strip() or before[-1] in ".!?…:\n" or text[:start].endswith("\n")
    return begins and (not after.strip() or after[0] in ".!?…\n" or bool(re.match(r"\s*[.!?\n]", text[end:])))


def _through_stop(text: str, end: int) -> int:
    match = re.compile(r"[.!?…]+[\"”’']?").match(text, end)
    return match.end() if match else end
