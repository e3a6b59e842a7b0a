"""What the shipped checker's log-odds are worth: a probability, and from where on a claim counts as supported."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from qa.errors import SettingsError

__all__ = ["CheckerCalibration", "read_calibration"]


class CheckerCalibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fitted by `qa.training.calibrate_checker` for one file of weights."""

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


def read_calibration(path: Path) -> CheckerCalibration:
    """Read one. Raises SettingsError where it cannot be used."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=CheckerCalibration)
    except OSError as error:
        raise SettingsError(f"cannot read {path} ({error.strerror}); `make train-checker` makes it") from None
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is no calibration of a checker ({error}); fit it again") from None
