"""The trained support checker: one trained network reads a claim with the evidence chosen for it; figures veto.

The network is the bundled encoder fine-tuned to judge claims, int8, run by ONNX Runtime; no torch. What it was trained
on, and how well it does, stands in `weights/MODEL_CARD.md`. The likeliest sentences are found by their words, and read
three times: without their neighbours, far from what only distracts; with a few, which say who "he" is; and with many.
Each counts a third.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from embeddings.runtime import open_session, open_tokenizer
from qa.errors import SettingsError
from qa.grounding import Mismatch, Provenance, Support, verdict_of
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

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

__all__ = [
    "MOST_TOKENS",
    "CheckerCalibration",
    "Outcome",
    "ShippedNetwork",
    "TrainedChecker",
    "as_written",
    "outcome_of",
    "premises",
]

_WORDS, _MOST_WORDS = 60, 160
"""Of a passage of neighbours, and of one that says whom and what the article is about. Each hides another kind of
error: chosen on three sets of claims on which the three readings together told true from false better than two."""
_TEXTS = 2
"""Texts that are read with neighbours, those with the likeliest sentences; the better one counts."""
_VETOED = 0.3
"""What is left of the score of a claim with a figure or a name that stands nowhere."""
_CONTRADICTED = 0.7
"""Probability from which a refused claim is said to be contradicted. From .5 on, two thirds of the refused true claims
of two sets that nobody fitted on were; from here on, a quarter, and half of the refused false ones (three quarters)."""
MOST_TOKENS = 384
"""Of the whole input; longer evidence is cut at its end."""
_CLAIM_TOKENS = 160


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
        outcome = outcome_of(self._network, written, case, contexts)
        if outcome is None:
            return Support(verdict="unsupported", score=0.0, spans=spans)
        found = vetoes(case)
        score = calibration.probability(outcome.log_odds) * (_VETOED if found else 1.0)
        if not found and score < calibration.threshold:
            found = doubts(case) or _contradicted(case, outcome)
        verdict = verdict_of(score, share, found, threshold=calibration.threshold)
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=found)


def outcome_of(
    network: ShippedNetwork, claim: str, case: ClaimEvidence, contexts: Sequence[Provenance]
) -> Outcome | None:
    """What the network makes of a claim `as_written`, read narrow and wide; None where it is too long."""
    widths = premises(case, contexts)
    texts = dict.fromkeys(text for width in widths for text in width)
    read = {text: outcome for text in texts if (outcome := network.judge(claim, text))}
    if not read:
        return None
    best = [max((read[text] for text in width), key=lambda one: one.log_odds) for width in widths]
    return Outcome(
        log_odds=sum(outcome.log_odds for outcome in best) / len(best),
        contradicted=sum(outcome.contradicted for outcome in best) / len(best),
    )


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


def _contradicted(case: ClaimEvidence, outcome: Outcome) -> tuple[Mismatch, ...]:
    """The whole claim, with the sentence it is closest to, where the network finds that its text says otherwise."""
    if outcome.contradicted < _CONTRADICTED:
        return ()
    said = case.sentences[case.chosen[0]].text
    return (Mismatch(kind="meaning", start=0, end=len(case.claim.text), found=said),)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the network makes of one claim before one text."""

    log_odds: float
    """Of support against the two other outcomes together, as the network has them."""
    contradicted: float
    """Probability of contradiction, 0 to 1."""


class ShippedNetwork:
    """One long-lived session over weights and the calibration that belongs to them."""

    def __init__(self, *, threads: int = 0, folder: Path | None = None) -> None:
        """Nothing is loaded before the first claim. `threads` of 0 means one per core; `folder` holds other weights."""
        self._threads = threads
        if folder is None:
            with as_file(files("qa.grounding").joinpath("weights")) as own:
                folder = Path(own)
        self._folder = folder

    @cached_property
    def calibration(self) -> CheckerCalibration:
        """What its log-odds are worth, fitted for exactly these weights."""
        return _read_calibration(self._folder / "checker.json")

    def judge(self, claim: str, text: str) -> Outcome | None:
        """One claim before one text; None where the claim is longer than the network reads."""
        head = self._tokenizer.encode(claim, add_special_tokens=False).ids
        if len(head) > _CLAIM_TOKENS:
            return None
        cls, sep = self._marks
        front = [cls, *head, sep]
        body = self._tokenizer.encode(text, add_special_tokens=False).ids[: MOST_TOKENS - len(front) - 1]
        ids = np.array([[*front, *body, sep]], np.int64)
        kinds = (np.arange(ids.shape[1]) >= len(front)).astype(np.int64)[None, :]
        ((logits,),) = self._session.run(["logits"], {"input_ids": ids, "token_type_ids": kinds})
        logits = np.asarray(logits, np.float64)
        odds = np.exp(logits - logits.max())
        return Outcome(
            log_odds=float(logits[0] - np.logaddexp(logits[1], logits[2])),
            contradicted=float(odds[1] / odds.sum()),
        )

    @cached_property
    def _marks(self) -> tuple[int, int]:
        cls, sep = self._tokenizer.encode("").ids
        return cls, sep

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer(self._folder / "tokenizer.json")

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        sha256 = self.calibration.checker.rpartition(" ")[2]
        return open_session(self._folder / "checker.onnx", sha256=sha256, threads=self._threads)


class CheckerCalibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fitted by `qa.training.ship` for one file of weights."""

    checker: str
    """Identity of the checker it belongs to: its name and the SHA-256 of its network."""
    slope: float = 1.0
    bias: float = 0.0
    threshold: float = 0.5
    """Probability from which a claim counts as supported."""
    fitted_on: str = ""

    def probability(self, log_odds: float) -> float:
        """That the evidence supports the claim, 0 to 1."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.slope * log_odds + self.bias))))


def _read_calibration(path: Path) -> CheckerCalibration:
    """Read one. Raises SettingsError where it cannot be used."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CheckerCalibration)
    except OSError as error:
        raise SettingsError(f"cannot read {path} ({error.strerror}); `make train-checker` makes it") from None
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is no calibration of a checker ({error}); fit it again") from None
