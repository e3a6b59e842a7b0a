"""What a reader's log-odds are worth: the probability that its best answer is right, and where to decline.

A calibration belongs to one reader, named by its hash; with another it is refused. The features come of the reading
and of words alone, so that the encoder that retrieves can be changed without touching them.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from qa.errors import SettingsError

__all__ = ["FILE_NAME", "GENERAL", "Calibration", "Clues", "Features", "calibration_beside", "read_calibration"]

FILE_NAME = "sourceline-reader.json"
"""Where a named model's own calibration lies, in its folder."""


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the best answer of a question; by default, what it is where nothing speaks against it."""

    logit: float
    """Log-odds of its sentence, by all its clues."""
    lead: float = 4.0
    """How far the next sentence with another answer lies behind, in log-odds; 8 at most."""
    words: float = 3.0
    """Words of the answer; 15 at most."""


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the best sentence of a passage, before passages are compared."""

    logit: float
    """Log-odds, of the reader, of all words in it against no answer in the passage."""
    retrieval: float = 0.0
    """Logarithm of the passage's retrieval score; 0 for the first of both lists."""
    share: float = 1.0
    """Of all the passage's spans, what probability lies on its best one."""
    sentence: float = 1.0
    """Share of the question's words that stand in it or in the title."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fitted by `qa.training.calibrate_reader`, or general."""

    reader: str
    """Identity of the reader it belongs to; empty for the general one."""
    weights: dict[str, float]
    """By feature; what is not named weighs nothing."""
    bias: float
    threshold: float
    """Below this probability the answer is an abstention."""
    ranking: dict[str, float] = {}
    """What the log-odds of a passage's best sentence are made of, by `Clues`; what is not named weighs nothing."""
    ranking_bias: float = 0.0
    fitted_on: str = ""

    def log_odds(self, clues: Clues) -> float:
        """That the best sentence of a passage holds the answer: by this, passages are put in order."""
        return float(self.ranking_bias + sum(weight * getattr(clues, name) for name, weight in self.ranking.items()))

    def probability(self, features: Features) -> float:
        """That the best answer is right, 0 to 1."""
        total = self.bias + sum(weight * getattr(features, name) for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


GENERAL = Calibration(
    reader="", weights={"logit": 1.0}, bias=0.0, threshold=0.5, ranking={"logit": 1.0, "retrieval": 1.0}
)
"""For readers that nobody calibrated: their own odds of an answer against none, as they were trained to tell them."""


def read_calibration(path: Path) -> Calibration:
    """Read one. Raises SettingsError where it cannot be used."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path} is no calibration of a reader ({error}); fit it again") from None
    known = {*Features.__struct_fields__, *Clues.__struct_fields__}
    if unknown := (found.weights.keys() | found.ranking.keys()) - known:
        raise SettingsError(f"{path} weighs {', '.join(sorted(unknown))}, which no reading has; fit it again")
    return found


def calibration_beside(folder: Path, *, reader: str) -> Calibration:
    """The calibration in a model's folder, the general one where there is none.

    Raises SettingsError where it belongs to other weights: a threshold fitted for them would decline wrongly.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return GENERAL
    found = read_calibration(path)
    if found.reader != reader:
        raise SettingsError(
            f"{path} was fitted for {found.reader!r}, but the model there is {reader!r}; fit it again, or remove it "
            "to use the model's own odds"
        )
    return found
