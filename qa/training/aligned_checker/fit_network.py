"""Fits one small network to rows of features: what every fit in this package ends with."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qa.grounding.aligned import Network

__all__ = ["averaged", "fit_network", "rounded"]


def fit_network(
    rows: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.bool_],
    features: tuple[str, ...],
    *,
    units: int,
    epochs: int,
    alpha: float = 1e-2,
    batch_size: int = 1024,
    early_stopping: bool = True,
    weights: npt.NDArray[np.floating[Any]] | None = None,
    seed: int = 0,
) -> Network:
    """One hidden layer over standardised features; always the same for the same input.

    `weights` says what each row counts; `alpha` is the penalty on large weights.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    # A feature that never varied in the data must not weigh anything when it varies in service.
    scale = np.where(spread > 1e-4, spread, 1e6)
    model: Any = MLPClassifier(
        (units,), alpha=alpha, batch_size=batch_size, early_stopping=early_stopping, random_state=seed, max_iter=epochs
    )
    with warnings.catch_warnings():
        # Stopping after so many epochs is the point: few examples are soon learnt by heart.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((rows - mean) / scale, labels, sample_weight=weights)
    return Network(
        features=features,
        mean=rounded(mean),
        scale=rounded(scale),
        hidden=tuple(rounded(row) for row in model.coefs_[0]),
        hidden_bias=rounded(model.intercepts_[0]),
        output=rounded(model.coefs_[1][:, 0]),
        output_bias=float(model.intercepts_[1][0]),
    )


def averaged(networks: Sequence[Network]) -> Network:
    """One network whose log-odds are the mean of theirs: few examples make single fits chancy.

    All must have been fitted to the same rows, so that they standardise alike.
    """
    first, share = networks[0], 1.0 / len(networks)
    return Network(
        features=first.features,
        mean=first.mean,
        scale=first.scale,
        hidden=tuple(
            tuple(weight for network in networks for weight in network.hidden[row])
            for row in range(len(first.features))
        ),
        hidden_bias=tuple(bias for network in networks for bias in network.hidden_bias),
        output=rounded(np.array([weight * share for network in networks for weight in network.output])),
        output_bias=sum(network.output_bias for network in networks) * share,
    )


def rounded(values: npt.NDArray[np.floating[Any]]) -> tuple[float, ...]:
    """To four digits: enough, and short in a file."""
    return tuple(round(float(value), 4) for value in values)
