"""Judges claims: does the evidence support the claim, and with which words?

Here is the seam of support checkers, and how a score and mismatches make a verdict. `load_checker` opens a checker by
name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
import numpy as np

from embeddings.runtime import open_session, open_tokenizer
from qa.errors import SettingsError
from qa.types import Verdict

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

_SUPPORTED = 0.6
_PARTLY = 0.6
"""Share of the threshold from which a claim on the same matter counts as supported in part."""
_SAME_MATTER = 0.5
"""Share of a claim's words from which its evidence speaks of the same matter, so that it can contradict it."""
MOST_TOKENS = 384
"""Length of the shipped network's input; longer evidence is cut at its end."""
_CLAIM_TOKENS = 160


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a text of evidence besides its words."""

    title: str = ""
    """Pronouns in the text may refer to names in it."""
    published_at: str | None = None
    """ISO 8601; "Tuesday" and "June 4" in the text are days near it."""


class SupportingSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The words that support a claim: `evidence[index][start:end]`, one sentence or a few that follow each other."""

    index: int
    start: int
    end: int
    score: float
    """How well these words alone support the claim, 0 to 1."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the claim that the evidence does not say, or says differently."""

    kind: Literal["number", "unit", "date", "name", "negation", "quantifier", "meaning"]
    start: int
    end: int
    """Span in the claim."""
    found: str = ""
    """What the evidence says instead, if anything."""


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one claim."""

    verdict: Verdict
    score: float
    """Calibrated probability that the evidence supports the whole claim."""
    spans: tuple[SupportingSpan, ...]
    """Best first; empty where nothing supports it."""
    mismatches: tuple[Mismatch, ...] = ()


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """A network's opinion of one claim, in log-odds against all other outcomes."""

    supported: float
    """That the text supports it."""
    contradicted: float
    """That the text contradicts it."""


def chance(log_odds: float) -> float:
    """The probability, 0 to 1."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, log_odds))))


def mean_odds(found: Sequence[Odds]) -> Odds:
    """The mean of several readings."""
    return Odds(
        supported=sum(one.supported for one in found) / len(found),
        contradicted=sum(one.contradicted for one in found) / len(found),
    )


class SupportChecker(Protocol):
    """Judges whether evidence supports a claim; blocking CPU work, deterministic."""

    @property
    def identity(self) -> str:
        """Name and version, for the answer's metadata: equal identity means equal judgements."""

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence against texts; offsets in the result refer to the texts as given.

        `question` is the question that the claim answers: it may have the names that the claim only refers to.
        `contexts`, if given, has the provenance of each text, in order.
        """


def verdict_of(score: float, share: float, mismatches: Sequence[Mismatch], *, threshold: float = _SUPPORTED) -> Verdict:
    """Contradicted if the evidence is about the same matter and says otherwise; else by the score."""
    if any(mismatch.found for mismatch in mismatches) and share >= _SAME_MATTER:
        return "contradicted"
    if mismatches:
        return "unsupported"
    if score >= threshold:
        return "supported"
    return "partly_supported" if score >= _PARTLY * threshold and share >= _SAME_MATTER else "unsupported"


# --- The network that ships
class ShippedNetwork:
    """One long-lived session over the weights, and their calibration."""

    def __init__(self, *, threads: int = 0, folder: Path | None = None) -> None:
        """Nothing is loaded before the first claim. `threads` of 0 means one per core; `folder` holds other weights."""
        self._threads = threads
        if folder is None:
            with as_file(files("qa.grounding").joinpath("weights")) as own:
                folder = Path(own)
        self._folder = folder

    @cached_property
    def calibration(self) -> CheckerCalibration:
        """What the log-odds mean, fitted for exactly these weights."""
        return _read_calibration(self._folder / "checker.json")

    def judge(self, claim: str, text: str) -> Odds | None:
        """Judge one claim against one text; None if the claim is too long for the network."""
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
        return Odds(
            supported=float(logits[0] - np.logaddexp(logits[1], logits[2])),
            contradicted=float(logits[1] - np.logaddexp(logits[0], logits[2])),
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
    """Identity of its checker: the name, and the SHA-256 of the network."""
    slope: float = 1.0
    bias: float = 0.0
    threshold: float = 0.5
    """Probability from which a claim counts as supported."""
    fitted_on: str = ""

    def probability(self, log_odds: float) -> float:
        """That the evidence supports the claim, 0 to 1."""
        return chance(self.slope * log_odds + self.bias)


def _read_calibration(path: Path) -> CheckerCalibration:
    """Read a calibration. Raises SettingsError if it cannot be used."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CheckerCalibration)
    except OSError as error:
        raise SettingsError(f"cannot read {path} ({error.strerror}); `make train-checker` makes it") from None
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is no calibration of a checker ({error}); fit it again") from None


def load_checker(name: str, *, threads: int = 0) -> SupportChecker:
    """The shipped network for an empty name, `lexical` for shared words alone, else a model by its name or path.

    Raises EncoderError if no such model is on this machine, SettingsError if the network has no calibration.
    """
    if name == "lexical":
        from qa.grounding.mismatches import LexicalChecker

        return LexicalChecker()
    if name in {"", "trained"}:
        from qa.grounding.trained import TrainedChecker

        checker = TrainedChecker(threads=threads)
        _ = checker.identity  # missing weights are an error now, not at the first claim
        return checker
    from qa.grounding.cross_encoder import CrossEncoderChecker

    return CrossEncoderChecker(name, threads=threads)
