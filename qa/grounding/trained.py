"""The trained support checker: one trained network reads a claim with the evidence chosen for it; figures veto.

The likeliest sentences are found by their words, and read with their neighbours, then without. Of several texts, each
is read alone, and the likeliest sentences of all of them together: a claim may join what two articles say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from qa.grounding.case import case_of, quotation
from qa.grounding.checker import Context, Mismatch, Support
from qa.grounding.mismatches import Case
from qa.grounding.passages import passages_of
from qa.grounding.shipped import Outcome, ShippedNetwork
from qa.grounding.spans import supporting_rows, supporting_spans
from qa.grounding.verdict import verdict_of
from qa.grounding.vetoes import doubts, vetoes
from qa.language.words import words_of

__all__ = ["TrainedChecker", "as_written", "best_outcome", "premises"]

_WORDS = 130
"""Of a passage: what the network was trained on."""
_TEXTS = 2
"""Texts that are read alone, those with the likeliest sentences."""
_SURE = 3.0
"""Log-odds from which no further text is read."""
_VETOED = 0.3
"""What is left of the score of a claim with a figure or a name that stands nowhere."""
_CONTRADICTED = 0.5


class TrainedChecker:
    """See the module; calls may come from any thread, one at a time."""

    def __init__(self, *, threads: int = 0, folder: Path | None = None) -> None:
        """Nothing is loaded before the first claim; `folder` holds other weights than those that ship."""
        self._network = ShippedNetwork(threads=threads, folder=folder)

    @cached_property
    def identity(self) -> str:
        """Name and hash of the weights."""
        return self._network.calibration.checker

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Context] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        if quoted := quotation(claim, evidence):
            return quoted
        case = case_of(claim, evidence, question=question, contexts=contexts)
        spans, share = supporting_spans(case) if case else ((), 0.0)
        if case is None or not spans:  # whatever the network thinks, there is nothing to cite
            return Support(verdict="unsupported", score=0.0, spans=())
        calibration = self._network.calibration
        outcome = best_outcome(self._network, as_written(case), premises(case, contexts))
        if outcome is None:
            return Support(verdict="unsupported", score=0.0, spans=spans)
        found = vetoes(case)
        score = calibration.probability(outcome.log_odds) * (_VETOED if found else 1.0)
        if not found and score < calibration.threshold:
            found = doubts(case) or _contradicted(case, outcome)
        verdict = verdict_of(score, share, found, threshold=calibration.threshold)
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=found)


def best_outcome(network: ShippedNetwork, claim: str, texts: Iterator[str]) -> Outcome | None:
    """What the text that supports a claim best makes of it; None where the claim is too long to be read."""
    best: Outcome | None = None
    read: set[str] = set()
    for text in texts:
        if text in read:
            continue
        read.add(text)
        outcome = network.judge(claim, text)
        if outcome is None:
            return None
        if best is None or outcome.log_odds > best.log_odds:
            best = outcome
        if best.log_odds >= _SURE:
            break
    return best


def as_written(case: Case) -> str:
    """The claim, its figures spelt as the evidence spells the same ones: that "118406" is "118,406" is arithmetic."""
    text = case.claim.text
    for claimed in sorted(case.claim.quantities, key=lambda quantity: -quantity.start):
        written = [
            case.sentences[row].text[said.start : said.end]
            for row in case.chosen
            for said in case.sentences[row].quantities
            if said.value == claimed.value and said.ordinal == claimed.ordinal
        ]
        if written and text[claimed.start : claimed.end] not in written:
            text = f"{text[: claimed.start]}{written[0]}{text[claimed.end :]}"
    return text


def premises(case: Case, contexts: Sequence[Context]) -> Iterator[str]:
    """What the claim is read with: passages of single texts, sentences of several, and what it would be cited with."""
    passages = passages_of(case, words=_WORDS)
    indices = list(dict.fromkeys(case.sentences[row].index for row in case.chosen))
    for index, passage in list(zip(indices, passages, strict=True))[:_TEXTS]:
        yield _titled(case, contexts[index].title if index < len(contexts) else "", passage)
    if len(indices) > 1:
        yield " ".join(case.sentences[row].text for row in sorted(case.chosen))
    yield " ".join(case.sentences[row].text for row in sorted(supporting_rows(case)))


def _titled(case: Case, title: str, passage: str) -> str:
    """The passage after its title, where only that has a word of the claim."""
    ours, theirs, named = ({word.stem for word in words if not word.stop} for words in (
        case.claim.words, words_of(passage), words_of(title)
    ))  # fmt: skip
    return f"{title.rstrip('.')}. {passage}" if (ours & named) - theirs else passage


def _contradicted(case: Case, outcome: Outcome) -> tuple[Mismatch, ...]:
    """The whole claim, with the sentence it is closest to, where the network finds that its text says otherwise."""
    if outcome.contradicted < _CONTRADICTED:
        return ()
    said = case.sentences[case.chosen[0]].text
    return (Mismatch(kind="meaning", start=0, end=len(case.claim.text), found=said),)
