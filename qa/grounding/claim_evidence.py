"""A claim with its evidence: reads both, compares them clause by clause, and finds the words that support the claim.

A claim that wrongly merges two true facts has every word of its sources. What gives it away: no single sentence, with
what its pronouns refer to, has all that one clause of the claim joins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from qa.grounding import Provenance, Support, SupportingSpan
from qa.grounding.evidence import AnalysedSentence, Coverage, cover, lower_words, pick, read_claim, read_evidence
from qa.language.names import NameWord, same_name
from qa.language.quantities import Quantity
from qa.language.question_words import clauses_of
from qa.language.words import words_of

_SENTENCE_LIMIT = 4
"""Sentences of evidence that are examined closely."""
_FEW_NAMES = 0.15
"""If fewer sentences than this share have a name, the text is taken to write names in lower case."""
_LEAST_QUOTED = 3
"""A claim of at least so many words that is in the evidence word for word is a quotation."""
_NEXT = 4
"""How many content words around a fact say what it is about."""
_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\n": " "})
_LEAST_WORDS = 3
_WORTH = 0.12
"""Share of the claim that another sentence must add to be cited too."""
_LEAST = 0.2
"""A sentence with less of the claim supports nothing."""


def set_against(
    claim: str, evidence: Sequence[str], *, question: str, contexts: Sequence[Provenance]
) -> ClaimEvidence | None:
    """Compare a claim with its evidence; None if either has no words."""
    sentences = read_evidence(evidence, contexts)
    read = read_claim(claim, lower=lower_words(sentences))
    if not read.words or not sentences:
        return None
    coverage = cover(read, sentences)
    titles = " ".join(context.title for context in contexts)
    return ClaimEvidence(
        claim=read,
        sentences=sentences,
        coverage=coverage,
        chosen=pick(coverage, sentences, limit=_SENTENCE_LIMIT),
        small=sum(bool(sentence.names) for sentence in sentences) <= _FEW_NAMES * len(sentences),
        known=frozenset(word.text.casefold() for word in words_of(f"{question} {titles}")),
    )


def to_judge(
    claim: str, evidence: Sequence[str], *, question: str, contexts: Sequence[Provenance]
) -> ClaimEvidence | Support:
    """A claim with its evidence; or the verdict, if it is clear without a model: a quotation, or no words."""
    if quoted := quotation(claim, evidence):
        return quoted
    case = set_against(claim, evidence, question=question, contexts=contexts)
    return Support(verdict="unsupported", score=0.0, spans=()) if case is None else case


def quotation(claim: str, evidence: Sequence[str]) -> Support | None:
    """Full support for a claim that quotes whole sentences of one text; None if it does not."""
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
    """The text with one kind of quotation marks, dashes and spaces; offsets stay the same."""
    folded = unicodedata.normalize("NFC", text)
    return (folded if len(folded) == len(text) else text).translate(_SAME)


def _find(text: str, wanted: str) -> int | None:
    match = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text)
    return match.start() if match else None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the words begin and end with a sentence: a part of one may say something else ("not" before it)."""
    before, after = text[:start].rstrip(" \"“‘'("), text[end:].lstrip("\"”’' )")
    begins = not before.strip() or before[-1] in ".!?…:\n" or text[:start].endswith("\n")
    return begins and (not after.strip() or after[0] in ".!?…\n" or bool(re.match(r"\s*[.!?\n]", text[end:])))


def _through_stop(text: str, end: int) -> int:
    match = re.compile(r"[.!?…]+[\"”’']?").match(text, end)
    return match.end() if match else end


class ClaimEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with its evidence."""

    claim: AnalysedSentence
    sentences: tuple[AnalysedSentence, ...]
    coverage: Coverage
    chosen: tuple[int, ...]
    """Rows that may support it, best first."""
    known: frozenset[str]
    """Case-folded words of the question and the titles."""
    small: bool
    """Whether the evidence writes everything in lower case, names too."""

    def clause_of(self, start: int) -> tuple[int, int]:
        """The clause of the claim at an offset."""
        return next((span for span in clauses(self.claim) if span[0] <= start < span[1]), (0, len(self.claim.text)))

    def around(self, start: int, end: int) -> npt.NDArray[np.bool_]:
        """The words of the clause around a fact, without the fact."""
        own = np.array([word.start < end and start < word.end for word in self.coverage.words], np.bool_)
        return inside(self.coverage, self.clause_of(start)) & ~own

    def near(self, start: int, end: int) -> npt.NDArray[np.bool_]:
        """The few words next to a fact, within its clause: they say what it is about."""
        around = self.around(start, end)
        gaps = np.array([min(abs(word.start - end), abs(start - word.end)) for word in self.coverage.words])
        if around.sum() <= _NEXT:
            return around
        return np.asarray(around & (gaps <= np.sort(gaps[around])[_NEXT - 1]), np.bool_)


def clauses(claim: AnalysedSentence) -> tuple[tuple[int, int], ...]:
    """Spans of the claim's clauses; a clause too short to say anything is joined to its neighbour."""
    found: list[tuple[int, int]] = []
    for start, end in clauses_of(claim.text):
        words = sum(1 for word in claim.words if start <= word.start < end and not word.stop)
        if found and (words < _LEAST_WORDS or _matter(claim, *found[-1]) < _LEAST_WORDS):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def inside(coverage: Coverage, span: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which of the claim's words are in a span of it."""
    return np.array([span[0] <= word.start < span[1] for word in coverage.words], np.bool_)


def _matter(claim: AnalysedSentence, start: int, end: int) -> int:
    return sum(1 for word in claim.words if start <= word.start < end and not word.stop)


def best_rows(coverage: Coverage, rows: Sequence[int], within: npt.NDArray[np.bool_]) -> list[int]:
    """The rows sorted by how much of a clause each sentence has, most first."""
    return sorted(rows, key=lambda row: (-coverage.share([row], within=within), row))


def supporting_spans(case: ClaimEvidence) -> tuple[tuple[SupportingSpan, ...], float]:
    """Spans of the supporting sentences, best first, and the share of the claim that they cover together."""
    rows = supporting_rows(case)
    return _spans(case, rows), case.coverage.share(rows)


def supporting_rows(case: ClaimEvidence) -> tuple[int, ...]:
    """The best sentence for the whole claim, then those that add enough, beginning with the best for each clause."""
    wanted = [case.chosen[0]] if case.chosen else []
    for span in clauses(case.claim):
        wanted += best_rows(case.coverage, case.chosen, inside(case.coverage, span))[:1]
    kept: list[int] = []
    for row in dict.fromkeys([*wanted, *case.chosen]):
        added = case.coverage.share([*kept, row]) - case.coverage.share(kept)
        if added >= (_WORTH if kept else _LEAST):
            kept.append(row)
    return tuple(kept)


def _spans(case: ClaimEvidence, rows: Sequence[int]) -> tuple[SupportingSpan, ...]:
    """One span for each sentence; neighbours share one."""
    found: list[SupportingSpan] = []
    for row in sorted(rows):
        sentence = case.sentences[row]
        score = round(case.coverage.share([row]), 4)
        last = found[-1] if found else None
        if last is not None and row - 1 in rows and last.index == sentence.index:
            found[-1] = msgspec.structs.replace(last, end=sentence.end, score=max(last.score, score))
        else:
            found.append(SupportingSpan(index=sentence.index, start=sentence.start, end=sentence.end, score=score))
    return tuple(sorted(found, key=lambda span: -span.score))


def passages_of(case: ClaimEvidence, *, words: int) -> list[str]:
    """One passage from each text with a likely sentence: as many sentences around the best as `words` allow.

    Other likely sentences of the text are added before neighbours; the passage keeps the order of the text.
    """
    by_text: dict[int, list[int]] = {}
    for row in case.chosen:
        by_text.setdefault(case.sentences[row].index, []).append(row)
    return [_around(case, rows, words=words) for rows in by_text.values()]


def _around(case: ClaimEvidence, rows: list[int], *, words: int) -> str:
    index = case.sentences[rows[0]].index
    near = sorted(
        (row for row, sentence in enumerate(case.sentences) if sentence.index == index and row not in rows),
        key=lambda row: (abs(row - rows[0]), row),
    )
    kept = [rows[0]]
    used = len(case.sentences[rows[0]].text.split())
    for row in [*rows[1:], *near]:
        used += len(case.sentences[row].text.split())
        if used > words:
            break
        kept.append(row)
    return " ".join(case.sentences[row].text for row in sorted(kept))


def has_name(case: ClaimEvidence, name: NameWord) -> bool:
    """Whether a name is anywhere in the evidence, the question or a title."""
    folded = name.text.casefold()
    return any(same_name(folded, word) for word in case.known) or any(
        any(same_name(name.text, other.text) for other in sentence.names)
        or any(folded == word.text.casefold() for word in sentence.words if case.small or not word.text.islower())
        for sentence in case.sentences
    )


def is_in_a_date(claimed: Quantity, sentence: AnalysedSentence) -> bool:
    """Whether a bare number of the claim is the year or the day of a date in the sentence."""
    return claimed.unit is None and any(claimed.value in {m.year, m.day} for m in sentence.moments)


def words_for(sentence: AnalysedSentence, quantity: Quantity) -> str:
    """The words of a sentence for one of its quantities, with the unit."""
    return sentence.text[quantity.start : quantity.unit_end]
