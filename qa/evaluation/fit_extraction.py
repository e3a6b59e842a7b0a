"""Fits the networks of `qa.extractive` and their calibration on SQuAD files; writes `qa/extractive/reader.json`.

    python -m qa.evaluation.fit_extraction --out qa/extractive/reader.json SQUAD.json [SQUAD.json …]

Every question is asked over all paragraphs, through the retrieval and the sentence selection that the service
runs, so that the networks see what they will see. Reported figures come from cross-validation by article.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import Encoder, load
from embeddings.types import Vectors, Where
from qa.evaluation.memo import MemoEncoder, indexed
from qa.evaluation.squad import SquadQuestion, f1, read_squad
from qa.evaluation.training import fit_network, rounded
from qa.extractive.alignment import read_question
from qa.extractive.expectation import expectation_of
from qa.extractive.network import Calibration, Network, Reader, lead
from qa.extractive.reading import SENTENCE_LIMIT, Prepared, prepare
from qa.extractive.selection import pick_sentences
from qa.extractive.sentence_features import SENTENCE_FEATURES
from qa.extractive.span_features import SPAN_FEATURES, span_features
from qa.retrieval import Depth, retrieve
from qa.types import Evidence

__all__ = ["Example", "main"]

_FOLDS = 4
_SERVICE_ANSWERABLE = 0.8
"""Share of questions in service that the corpus answers: an assumption, stated so that it can be changed."""
_COST_OF_WRONG = 1.5
"""What a wrong answer costs, where a right one gains 1 and a refusal nothing."""
_NEARLY_RIGHT = 0.85
"""Token F1 from which a span counts as a right one."""
_EPOCHS = 20
_SENTENCE_UNITS = 24
_SPAN_UNITS = 32


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One question with the rows of its sentences, and of the spans of the sentence that holds the answer."""

    group: str
    answerable: bool
    rows: Vectors
    holds: npt.NDArray[np.bool_]
    span_rows: Vectors
    span_f1: npt.NDArray[np.float32]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the fit from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("squad", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    parser.add_argument("--answerable-per-file", type=int, default=4000, help="bounds the time on files without traps")
    options = parser.parse_args(arguments)
    encoder = MemoEncoder(load(options.encoder))
    examples = [example for path in options.squad for example in _examples(path, encoder, options.answerable_per_file)]
    reader = _fit(examples, provenance=f"{', '.join(path.name for path in options.squad)}; n={len(examples)}")
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(reader), indent=1))


def _examples(path: Path, encoder: Encoder, limit: int) -> list[Example]:
    """Ask every question of a file over all its paragraphs."""
    articles, questions = read_squad(path)
    if len(questions) > limit and all(question.answers for question in questions):
        questions = questions[:: -(-len(questions) // limit)]
    with tempfile.TemporaryDirectory() as folder, indexed(articles, encoder, Path(folder)) as corpus:
        examples = []
        for number, question in enumerate(questions):
            vector = encoder.encode_query(question.question)
            evidence = retrieve(corpus, text=question.question, vector=vector, where=Where(), depth=Depth())
            examples.append(_example(question, evidence, encoder))
            if number % 500 == 0:
                print(f"{path.name}: {number} of {len(questions)} questions", flush=True)
    return examples


def _example(question: SquadQuestion, evidence: Sequence[Evidence], encoder: Encoder) -> Example:
    expectation = expectation_of(question.question)
    picked = pick_sentences(expectation, evidence, limit=SENTENCE_LIMIT)
    asked, *vectors = encoder.encode_tokens([question.question, *(sentence.text for sentence in picked)])
    read = read_question(asked, expectation)
    prepared = prepare(read, picked, vectors, evidence)
    holds = np.array([_holds(question, item, evidence) for item in prepared], np.bool_)
    spans, right = [np.zeros((0, len(SPAN_FEATURES)), np.float32)], [np.zeros(0, np.float32)]
    for item in (item for item, held in zip(prepared, holds, strict=True) if held):
        text, accepted = item.sentence.text, [answer for answer, _ in question.answers]
        spans.append(np.stack([span_features(read, text, item.alignment, span) for span in item.candidates]))
        right.append(np.array([f1(text[span.start : span.end], accepted) for span in item.candidates], np.float32))
        break
    return Example(
        group=question.group,
        answerable=bool(question.answers),
        rows=np.stack([item.features for item in prepared]),
        holds=holds,
        span_rows=np.concatenate(spans),
        span_f1=np.concatenate(right),
    )


def _holds(question: SquadQuestion, item: Prepared, evidence: Sequence[Evidence]) -> bool:
    """Whether a sentence is the one, of the right paragraph, in which an accepted answer stands."""
    sentence = item.sentence
    if evidence[sentence.evidence].stored.passage.article_id != question.article_id:
        return False
    return any(sentence.start <= at and at + len(text) <= sentence.end for text, at in question.answers)


def _fit(examples: Sequence[Example], *, provenance: str) -> Reader:
    """Fit both networks, calibrate on held-out folds, print what was reached."""
    folds = _folds([example.group for example in examples])
    held_out: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(examples)
    chosen_f1: list[float] = []
    for fold in range(_FOLDS):
        seen = [example for example, f in zip(examples, folds, strict=True) if f != fold]
        sentence, span = _sentence_network(seen), _span_network(seen)
        for number, example in enumerate(examples):
            if folds[number] == fold:
                held_out[number] = sentence.logits(example.rows)
                if len(example.span_f1):
                    chosen_f1.append(float(example.span_f1[span.logits(example.span_rows).argmax()]))
    calibration = _calibrate(examples, held_out, folds)
    print(f"short answer, given the right sentence: F1 {np.mean(chosen_f1):.3f}, n={len(chosen_f1)}")
    return Reader(
        sentence=_sentence_network(examples),
        span=_span_network(examples),
        calibration=calibration,
        provenance=provenance,
    )


def _folds(groups: Sequence[str]) -> list[int]:
    names = sorted(set(groups))
    return [names.index(group) % _FOLDS for group in groups]


def _sentence_network(examples: Sequence[Example]) -> Network:
    rows = np.concatenate([example.rows for example in examples])
    holds = np.concatenate([example.holds for example in examples])
    return fit_network(rows, holds, SENTENCE_FEATURES, units=_SENTENCE_UNITS, epochs=_EPOCHS)


def _span_network(examples: Sequence[Example]) -> Network:
    rows = np.concatenate([example.span_rows for example in examples])
    right = np.concatenate([example.span_f1 for example in examples]) > _NEARLY_RIGHT
    return fit_network(rows, right, SPAN_FEATURES, units=_SPAN_UNITS, epochs=_EPOCHS)


def _calibrate(
    examples: Sequence[Example], held_out: Sequence[npt.NDArray[np.float32]], folds: Sequence[int]
) -> Calibration:
    """Logistic regression on the best sentence of each question, scored by networks that had not seen its article.

    What is printed was predicted for articles that the regression had not seen either.
    """
    rows = np.stack([_top_row(e, logits) for e, logits in zip(examples, held_out, strict=True)])
    right = np.array([bool(e.holds[logits.argmax()]) for e, logits in zip(examples, held_out, strict=True)])
    spread = rows.std(axis=0)
    mean, scale = rows.mean(axis=0), np.where(spread > 1e-4, spread, 1e6)
    standard = (rows - mean) / scale
    probability = np.zeros(len(examples))
    for fold in range(_FOLDS):
        unseen = np.array(folds) == fold
        probability[unseen] = _logistic(standard[~unseen], right[~unseen]).predict_proba(standard[unseen])[:, 1]
    threshold = _threshold(np.mean([example.answerable for example in examples]))
    _report(examples, right, probability, threshold)
    model = _logistic(standard, right)
    return Calibration(
        mean=rounded(mean),
        scale=rounded(scale),
        weights=rounded(model.coef_[0]),
        bias=float(model.intercept_[0]),
        threshold=threshold,
    )


def _logistic(rows: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1, max_iter=500).fit(rows, right)


def _report(
    examples: Sequence[Example], right: npt.NDArray[np.bool_], probability: npt.NDArray[np.float64], threshold: float
) -> None:
    from sklearn.metrics import roc_auc_score

    answerable = np.array([example.answerable for example in examples])
    print(f"n={len(right)}, answerable {answerable.mean():.3f}")
    print(f"AUROC of being right {roc_auc_score(right, probability):.3f}")
    print(f"right sentence first, answerable only: {right[answerable].mean():.3f}")
    for cut in sorted({0.2, 0.3, 0.4, 0.5, 0.6, threshold}):
        given = probability >= cut
        print(
            f"  threshold {cut}: answered {given.mean():.3f}, of those right {right[given].mean():.3f}; "
            f"answerable answered {given[answerable].mean():.3f}, "
            f"unanswerable declined {(~given)[~answerable].mean():.3f}"
        )


def _threshold(answerable: np.floating[Any]) -> float:
    """Where answering pays, carried over from service to the mix of questions that was fitted on.

    Answering gains 1 when right and costs `_COST_OF_WRONG` when wrong, so it pays from c / (1 + c). The fitted
    probability is that of a set with far more trick questions than a service sees; odds carry over by the ratio of
    the two base rates (Saerens et al., "Adjusting the Outputs of a Classifier to New a Priori Probabilities", 2002).
    """
    fitted_odds = float(answerable) / (1.0 - float(answerable))
    service_odds = _SERVICE_ANSWERABLE / (1.0 - _SERVICE_ANSWERABLE)
    odds = _COST_OF_WRONG * fitted_odds / service_odds
    return round(odds / (1.0 + odds), 3)


def _top_row(example: Example, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """What calibration sees of a question: its best sentence's log-odds, lead and features."""
    best, *others = np.sort(logits)[::-1]
    ahead = lead(float(best), float(others[0]) if others else float(best) - 5.0)
    return np.concatenate([[best, ahead], example.rows[logits.argmax()]])


if __name__ == "__main__":
    main()
