"""The trained support checker: a network reads the claim with its likeliest evidence; figures may veto.

The network is the bundled encoder fine-tuned to judge claims, int8, run by ONNX Runtime; no torch. What it was trained
on, and how well it does, stands in `weights/MODEL_CARD.md`. The likeliest sentences are found by their words, and read
three times: without their neighbours, far from what only distracts; with a few, which say who "he" is; and with many.
Each counts a third.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from qa.grounding import Mismatch, Odds, Provenance, ShippedNetwork, Support, mean_odds, verdict_of
from qa.grounding.claim_evidence import (
    ClaimEvidence,
    passages_of,
    quotation,
    supporting_rows,
    supporting_spans,
    to_judge,
)
from qa.grounding.mismatches import doubts, vetoes
from qa.language.dates import Moment
from qa.language.words import words_of

_WORDS, _MOST_WORDS = 60, 160
"""Of a passage of neighbours, and of one that says whom and what the article is about. Each hides another kind of
error: chosen on three sets of claims on which the three readings together told true from false better than two."""
_TEXTS = 2
"""Texts that are read with neighbours, those with the likeliest sentences; the better one counts."""
_VETOED = 0.3
"""What is left of the score of a claim with a figure or a name that stands nowhere."""
_CONTRADICTED = 0.85
"""Log-odds from which a refused claim is said to be contradicted: probability .7. From .5 on, two thirds of the refused
true claims of two sets that nobody fitted on were; from here on, a quarter, and half of the refused false ones (three
quarters)."""


class TrainedChecker:
    """See the module; calls may come from several threads at once."""

    def __init__(self, network: ShippedNetwork | None = None, *, threads: int = 0) -> None:
        """Nothing is loaded before the first claim; `network`, where one is open already or has other weights."""
        self._network = network or ShippedNetwork(threads=threads)

    @cached_property
    def identity(self) -> str:
        """Name and hash of the weights."""
        return self._network.calibration.checker

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        case = to_judge(claim, evidence, question=question, contexts=contexts)
        if isinstance(case, Support):
            return case
        spans, share = supporting_spans(case)
        if not spans:  # whatever the network thinks, there is nothing to cite
            return Support(verdict="unsupported", score=0.0, spans=())
        written = as_written(case)
        if quoted := quotation(written, evidence):
            return quoted
        calibration = self._network.calibration
        odds = odds_of(self._network, written, case, contexts)
        if odds is None:
            return Support(verdict="unsupported", score=0.0, spans=spans)
        found = vetoes(case)
        score = calibration.probability(odds.supported) * (_VETOED if found else 1.0)
        if not found and score < calibration.threshold:
            found = doubts(case) or _contradicted(case, odds)
        verdict = verdict_of(score, share, found, threshold=calibration.threshold)
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=found)


def odds_of(network: ShippedNetwork, claim: str, case: ClaimEvidence, contexts: Sequence[Provenance]) -> Odds | None:
    """What the network makes of a claim `as_written`, read narrow and wide; None where it is too long."""
    widths = premises(case, contexts)
    texts = dict.fromkeys(text for width in widths for text in width)
    read = {text: odds for text in texts if (odds := network.judge(claim, text))}
    if not read:
        return None
    best = [max((read[text] for text in width), key=lambda one: one.supported) for width in widths]
    return mean_odds(best)


def as_written(case: ClaimEvidence) -> str:
    """The claim, its figures and days spelt as the evidence spells the same ones: "17 June" is "June 17"."""
    text = case.claim.text
    for start, end, words in sorted(_spellings(case), reverse=True):
        text = f"{text[:start]}{words}{text[end:]}"
    return text


def _spellings(case: ClaimEvidence) -> Iterator[tuple[int, int, str]]:
    """Spans of the claim that the evidence spells otherwise, with its words."""
    said = [case.sentences[row] for row in case.chosen]
    days = [moment for moment in case.claim.moments if moment.start >= 0 and moment.day is not None]
    for day in days:
        written = [
            one.text[other.start : other.end]
            for one in said
            for other in one.moments
            if other.start >= 0 and _same_day(day, other)
        ]
        if written and case.claim.text[day.start : day.end] not in written:
            yield day.start, day.end, written[0]
    for claimed in case.claim.quantities:
        if any(day.start <= claimed.start < day.end for day in days):
            continue
        found = [
            (one, other)
            for one in said
            for other in one.quantities
            if other.value == claimed.value and other.ordinal == claimed.ordinal
        ]
        if not found:
            continue
        alike = [(one, other) for one, other in found if claimed.unit and other.unit == claimed.unit]
        end = claimed.unit_end if alike else claimed.end
        written = [one.text[other.start : other.unit_end if alike else other.end] for one, other in alike or found]
        if case.claim.text[claimed.start : end] not in written:
            yield claimed.start, end, written[0]


def _same_day(claimed: Moment, said: Moment) -> bool:
    return (claimed.day, claimed.month) == (said.day, said.month) and claimed.year in {None, said.year}


def premises(case: ClaimEvidence, contexts: Sequence[Provenance]) -> list[tuple[str, ...]]:
    """What the claim is read with, narrow to wide; of the texts of one width the best counts.

    First what it would be cited with, then that among its neighbours, then most of the article around it, under its
    title. Where it rests on sentences of several texts, these are all its neighbours: a claim may join what two
    articles say.
    """
    cited = sorted(supporting_rows(case))
    bare = (_joined(case, cited),)
    if len({case.sentences[row].index for row in cited}) > 1:
        return [bare, (_joined(case, sorted(case.chosen)),)]
    indices = list(dict.fromkeys(case.sentences[row].index for row in case.chosen))[:_TEXTS]
    titles = [contexts[at].title.rstrip(".") if at < len(contexts) else "" for at in indices]
    near, wide = (passages_of(case, words=words) for words in (_WORDS, _MOST_WORDS))
    return [
        bare,
        tuple(_titled(case, title, passage) for title, passage in zip(titles, near, strict=False)),
        tuple(f"{title}. {passage}" if title else passage for title, passage in zip(titles, wide, strict=False)),
    ]


def _joined(case: ClaimEvidence, rows: Sequence[int]) -> str:
    return " ".join(case.sentences[row].text for row in rows)


def _titled(case: ClaimEvidence, title: str, passage: str) -> str:
    """The passage after its title, where only that has a word of the claim."""
    ours, theirs, named = ({word.stem for word in words if not word.stop} for words in (
        case.claim.words, words_of(passage), words_of(title)
    ))  # fmt: skip
    return f"{title.rstrip('.')}. {passage}" if (ours & named) - theirs else passage


def _contradicted(case: ClaimEvidence, odds: Odds) -> tuple[Mismatch, ...]:
    """The whole claim, with the sentence it is closest to, where the network finds that its text says otherwise."""
    if odds.contradicted < _CONTRADICTED:
        return ()
    said = case.sentences[case.chosen[0]].text
    return (Mismatch(kind="meaning", start=0, end=len(case.claim.text), found=said),)
