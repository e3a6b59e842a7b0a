"""Fits the networks and thresholds of the aligned checker on grounding sets; says what its limits strike.

    python -m qa.training.fit_checker --out qa/grounding/checker.json FOLDER
    python -m qa.training.fit_checker FOLDER

The first fits and writes, the second prints the limits of what was written.

Only one half of the documents is read (`GroundingRow.part`); `qa evaluate checker` reports on the other. What is
printed, and what thresholds are chosen by, was predicted for documents that the networks had not seen.
"""

from __future__ import annotations

import argparse
import hashlib
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import numpy.typing as npt

import seeds
from embeddings.encoders import load
from qa.evaluation.benchmarks import put_before
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, SetName, read_sets
from qa.evaluation.metrics.confidence import auroc, balanced_credit, best_threshold
from qa.evaluation.metrics.grounding import span_f1
from qa.evaluation.targets.target import CachingEncoder
from qa.grounding.aligned import CheckerWeights, Judged, Network, judge, probability, struck
from qa.grounding.claim_evidence import quotation
from qa.grounding.features import CLAIM_FEATURES, WORD_FEATURES, claim_features
from qa.grounding.tree_comparison import Rivalled, grammar_for
from qa.training.treebanks import ClaimExample, claims_of, read_examples

__all__ = ["main", "say_limits"]


_FOLDS = 4
_WEIGHT: Mapping[str, float] = {"summedits": 1.5, "cliff": 1.5, "qags-cnndm": 1.0, "qags-xsum": 1.5, "wice": 0.5}
"""What a set counts, whatever its size: those of news, and those with more documents, more."""
_WORD_UNITS = 12
_WORD_FITS = 2
_WORD_EPOCHS = 15
_WORD_PENALTY = 1.0
_CLAIM_FITS = 3
_CLAIM_EPOCHS = 60
_CLAIM_SHAPES = ((8, 5.0), (6, 20.0))
"""Units and penalty: the looser fits see small edits, the tighter ones carry over better where examples are few."""
_KEPT_TEXTS = 2_000
"""Token vectors kept while rows of one document follow each other."""
_Floats = npt.NDArray[np.float32]


class _Fitted(msgspec.Struct, frozen=True):
    word: Network
    claim: Network

    def doubts(self, example: ClaimExample) -> _Floats:
        return probability(self.word.logits(example.word_rows))

    def logit(self, example: ClaimExample) -> float:
        return float(self.claim.logits(_row(example, self.doubts(example))[None, :])[0])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the fit from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    options = parser.parse_args(arguments)
    encoder = CachingEncoder(load(options.encoder), limit=_KEPT_TEXTS)
    if options.out is None:
        say_limits(options.folder, encoder)
        return
    rows = [row for row in read_sets(options.folder) if row.part == "fit"]
    examples = read_examples(rows, encoder=encoder, told=lambda n: print(f"{n} of {len(rows)} rows", flush=True))
    weights = fit(rows, examples, provenance=f"half of the documents of {', '.join(get_args(SetName))}; n={len(rows)}")
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=1) + b"\n")


def fit(rows: Sequence[GroundingRow], examples: Sequence[ClaimExample], *, provenance: str) -> CheckerWeights:
    """Fit both networks; choose thresholds by what folds of documents say of each other."""
    doubts: dict[int, _Floats] = {}
    logits = np.zeros(len(examples))
    for fold in range(_FOLDS):
        fitted = _fit([example for example in examples if _fold(example.group) != fold])
        for at, example in enumerate(examples):
            if _fold(example.group) == fold:
                doubts[at] = fitted.doubts(example)
                logits[at] = fitted.logit(example)
    slope, shift = _calibrated(examples, logits)
    scores = {
        (example.group, example.text): float(probability(np.array([slope * logit + shift]))[0]) * struck(example.judged)
        for example, logit in zip(examples, logits, strict=True)
    }
    by_set = {name: _responses([row for row in rows if row.set == name], scores) for name in get_args(SetName)}
    thresholds = {name: best_threshold(own, truth) for name, (own, truth) in by_set.items()}
    for name, (own, truth) in by_set.items():
        credit = balanced_credit([score >= thresholds[name] for score in own], truth).mean()
        print(f"{name}: n={len(own)}, AUROC {auroc(own, truth):.3f}, BAcc {credit:.3f} at {thresholds[name]:.3f}")
    final = _fit(examples)
    return CheckerWeights(
        word=final.word,
        claim=msgspec.structs.replace(
            final.claim,
            output=tuple(round(slope * weight, 4) for weight in final.claim.output),
            output_bias=slope * final.claim.output_bias + shift,
        ),
        threshold=round(_shared_threshold(by_set), 4),
        doubtful=_doubtful(examples, doubts),
        by_set={name: round(value, 4) for name, value in thresholds.items()},
        provenance=provenance,
    )


def _calibrated(examples: Sequence[ClaimExample], logits: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift that make log-odds of unseen documents come true (Platt, 1999), as many claims true as false."""
    from sklearn.linear_model import LogisticRegression

    truth = np.array([example.supported for example in examples], np.bool_)
    model = LogisticRegression(C=1e3).fit(logits[:, None], truth, sample_weight=_mass(examples))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _fit(examples: Sequence[ClaimExample]) -> _Fitted:
    """Both networks; the one of claims sees doubts of words by networks that had not seen its document."""
    doubts: dict[int, _Floats] = {}
    for fold in range(_FOLDS):
        word = _word_network([example for example in examples if _fold(example.group) != fold])
        for at, example in enumerate(examples):
            if _fold(example.group) == fold:
                doubts[at] = probability(word.logits(example.word_rows))
    rows = np.stack([_row(example, doubts[at]) for at, example in enumerate(examples)])
    labels = np.array([example.supported for example in examples], np.bool_)
    mass = _mass(examples)
    claim = _averaged(
        [
            _fit_network(
                rows,
                labels,
                CLAIM_FEATURES,
                units=units,
                epochs=_CLAIM_EPOCHS,
                alpha=penalty,
                batch_size=128,
                early_stopping=False,
                weights=mass,
                seed=seed,
            )
            for units, penalty in _CLAIM_SHAPES
            for seed in range(_CLAIM_FITS)
        ]
    )
    return _Fitted(_word_network(examples), claim)


def _word_network(examples: Sequence[ClaimExample]) -> Network:
    known = [(example.word_rows, example.word_wrong) for example in examples if example.word_wrong is not None]
    rows, labels = np.concatenate([own for own, _ in known]), np.concatenate([wrong for _, wrong in known])
    return _averaged(
        [
            _fit_network(
                rows,
                labels,
                WORD_FEATURES,
                units=_WORD_UNITS,
                epochs=_WORD_EPOCHS,
                alpha=_WORD_PENALTY,
                batch_size=256,
                early_stopping=False,
                seed=seed,
            )
            for seed in range(_WORD_FITS)
        ]
    )


def _mass(examples: Sequence[ClaimExample]) -> npt.NDArray[np.float64]:
    """What each claim counts: supported and unsupported ones of a set the same, sets by `_WEIGHT`; 1 on average."""
    counts = Counter((example.set, example.supported) for example in examples)
    mass = np.array([_WEIGHT[example.set] / counts[example.set, example.supported] for example in examples])
    return np.asarray(mass * len(mass) / mass.sum(), np.float64)


def _row(example: ClaimExample, doubts: _Floats) -> _Floats:
    judged = example.judged
    return claim_features(judged.case, judged.aligned, doubts, judged.mismatches)


def _responses(rows: Sequence[GroundingRow], scores: Mapping[tuple[str, str], float]) -> tuple[list[float], list[bool]]:
    """Score and truth of every response: it is as good as its worst sentence."""
    found = []
    for row in rows:
        texts = [row.response[start:end] for start, end in claims_of(row.response)]
        found.append(
            min((1.0 if quotation(text, [row.document]) else scores.get((row.group, text), 0.0)) for text in texts)
            if texts
            else 0.0
        )
    return found, [row.supported for row in rows]


def _shared_threshold(by_set: Mapping[SetName, tuple[list[float], list[bool]]]) -> float:
    """The one threshold that serves all sets best, each counting the same."""
    scores = [score for own, _ in by_set.values() for score in own]
    truth = [kind for _, kinds in by_set.values() for kind in kinds]
    mass = [1.0 / (sum(kinds) if kind else len(kinds) - sum(kinds)) for _, kinds in by_set.values() for kind in kinds]
    return best_threshold(scores, truth, weights=mass)


def _doubtful(examples: Sequence[ClaimExample], doubts: Mapping[int, _Floats]) -> float:
    """The doubt from which calling a word wrong marks the annotated characters best."""
    marked = [
        (example, doubts[at])
        for at, example in enumerate(examples)
        if example.word_wrong is not None and example.set == "cliff"
    ]

    def reached(cut: float) -> float:
        ours = [_spans(example, own >= cut) for example, own in marked]
        theirs = [_spans(example, example.word_wrong) for example, _ in marked]
        return span_f1(ours, theirs)[2]

    cuts = [round(0.05 * step, 2) for step in range(2, 19)]
    best = max(cuts, key=reached)
    print(f"annotated characters: F1 {reached(best):.3f} at doubt {best}")
    return best


def _spans(example: ClaimExample, chosen: npt.NDArray[np.bool_] | None) -> list[tuple[int, int]]:
    words = example.judged.case.claim.words
    flags = np.zeros(len(words), np.bool_) if chosen is None else chosen
    return [(word.start, word.end) for word, wrong in zip(words, flags, strict=True) if wrong]


def _fold(group: str) -> int:
    return hashlib.blake2b(group.encode(), digest_size=1, salt=b"fold").digest()[0] % _FOLDS


def _fit_network(
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
        mean=_rounded(mean),
        scale=_rounded(scale),
        hidden=tuple(_rounded(row) for row in model.coefs_[0]),
        hidden_bias=_rounded(model.intercepts_[0]),
        output=_rounded(model.coefs_[1][:, 0]),
        output_bias=float(model.intercepts_[1][0]),
    )


def _averaged(networks: Sequence[Network]) -> Network:
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
        output=_rounded(np.array([weight * share for network in networks for weight in network.output])),
        output_bias=sum(network.output_bias for network in networks) * share,
    )


def _rounded(values: npt.NDArray[np.floating[Any]]) -> tuple[float, ...]:
    """To four digits: enough, and short in a file."""
    return tuple(round(float(value), 4) for value in values)


# --- What each limit of an exchange strikes
_LIMITS = (0.0, 0.05, 0.1, 0.2, 0.3)


class _Read(msgspec.Struct, frozen=True):
    set: str
    supported: bool
    judged: Judged


def say_limits(folder: Path, encoder: CachingEncoder) -> None:
    """Print how many true and false sentences each limit of `qa.grounding.aligned` strikes: they are chosen by it.

    Of the labelled drafts about the sample articles, and of the fitting half of the grounding sets in the folder.
    """
    read = [*_drafts(encoder), *_sets(folder, encoder)]
    for name in dict.fromkeys(item.set for item in read):
        for supported in (True, False):
            own = [item.judged for item in read if (item.set, item.supported) == (name, supported)]
            print(f"{name}, {'true' if supported else 'false'}: n={len(own)}", *_struck(own), sep="\n  ", flush=True)


def _struck(judged: Sequence[Judged]) -> Iterator[str]:
    for kind in ("numbers", "names"):
        leads = [_lead(getattr(one.comparison, kind)) for one in judged if one.comparison]
        told = ", ".join(f"{sum(lead > limit for lead in leads)} at {limit}" for limit in _LIMITS)
        yield f"{kind}: {told}"
    yield f"any exchange, as shipped: {sum(bool(one.exchanged) for one in judged)}"


def _lead(facts: Sequence[Rivalled]) -> float:
    return max((fact.lead for fact in facts), default=-1.0)


def _drafts(encoder: CachingEncoder) -> Iterator[_Read]:
    grammar = grammar_for(encoder.identity)
    for draft, put in put_before(seeds.drafts(), encoder=encoder):
        found = judge(
            put.claim, put.evidence, encoder=encoder, grammar=grammar, question=put.question, contexts=put.contexts
        )
        if found and not quotation(put.claim, put.evidence):
            yield _Read("drafts", draft.supported, found)


def _sets(folder: Path, encoder: CachingEncoder) -> Iterator[_Read]:
    rows = [row for row in read_sets(folder) if row.part == "fit"]
    for example in read_examples(rows, encoder=encoder):
        yield _Read(example.set, example.supported, example.judged)


if __name__ == "__main__":
    main()
