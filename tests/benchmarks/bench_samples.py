"""The labelled questions about the sample articles: answered, right, rightly declined; prints JSON.

    python tests/benchmarks/bench_samples.py [--list] [FILE_OR_FOLDER …]

Further files are ingested beside the samples, as distraction. `--list` adds every question that went wrong. Every
question is answered whatever its support; `thresholds` says what declining below each would give.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.parsers import find, read
from qa.answering import ABSTENTION, Answerer
from qa.evaluation import Prediction
from qa.evaluation.dataset import example_of_seed
from qa.evaluation.measures import Observed, observe
from qa.evaluation.replies import reply
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Answer, Question

READER = load_reader()
_NONE = 1e-9
"""Every answer has more support; 0 would stand for the reader's own threshold."""

MEASURES = (
    "answer.answered",
    "answer.right",
    "answer.right_when_answered",
    "answer.containment",
    "answer.exact_match.has_answer",
    "answer.f1.has_answer",
    "abstention.precision",
    "abstention.recall",
)


def ask_all(paths: list[Path], encoder_name: str, threads: int) -> dict[str, Answer]:
    encoder = load(encoder_name, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        corpus = EmbeddedCorpus.open(Path(folder), identity=encoder.identity)
        try:
            ingest((item for path in find(paths) for item in read(path)), corpus=corpus, encoder=encoder)
            willing = Settings(answer_threshold=_NONE)
            answerer = Answerer(reader=READER, corpus=corpus, encoder=encoder, settings=willing)
            asked = {q.id: Question(question=q.question, as_of=q.as_of) for q in seeds.questions()}
            return {name: answerer.ask(question) for name, question in asked.items()}
        finally:
            corpus.close()


def declining_below(threshold: float, answers: dict[str, Answer]) -> dict[str, Answer]:
    """The same answers, those with less support taken back."""
    return {
        name: answer
        if answer.support_score >= threshold
        else msgspec.structs.replace(
            answer, answer=ABSTENTION, answer_mode="abstained", claims=(), citations=(), short_answer=None
        )
        for name, answer in answers.items()
    }


def observed(answers: dict[str, Answer]) -> list[Observed]:
    """What `qa evaluate score` sees of each, without the grounding."""
    found = []
    for example in map(example_of_seed, seeds.questions()):
        prediction = Prediction(example_id=example.id, started_at="", latency_ms=0.0, answer=answers[example.id])
        found.append(observe(example, prediction, reply=reply(prediction, {}), judgements=()))
    return found


def scores(answers: dict[str, Answer]) -> dict[str, object]:
    """Means of what was observed, under the names that `qa evaluate` gives them."""
    every = observed(answers)
    means = {}
    for name in MEASURES:
        values = [value for one in every for value in one.values.get(name, ())]
        means[name] = {"mean": round(sum(values) / max(len(values), 1), 4), "n": len(values)}
    return means


def wrong(answers: dict[str, Answer]) -> list[dict[str, object]]:
    """What a person would look at: every question not answered rightly."""
    return [
        {
            "question": one.example.question,
            "wanted": one.example.answers,
            "answer": answers[one.example.id].answer,
            "short": short.text if (short := answers[one.example.id].short_answer) else None,
            "support": answers[one.example.id].support_score,
        }
        for one in observed(answers)
        if not one.right
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("more", nargs="*", type=Path)
    parser.add_argument("--list", action="store_true", dest="listed")
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    began = time.process_time()
    given = ask_all([seeds.articles_dir(), *options.more], options.encoder, options.threads)
    threshold = load_reader().calibration.threshold
    answers = declining_below(threshold, given)
    totals = [answer.timings_ms["total"] for answer in given.values()]
    report = {
        "bench": "samples",
        "python": platform.python_version(),
        "threshold": threshold,
        "scores": scores(answers),
        "thresholds": [
            {"threshold": at, "scores": scores(declining_below(at, given))}
            for at in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
        ],
        "milliseconds": {f"p{at}": round(float(np.percentile(totals, at)), 1) for at in (50, 95)},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    json.dump(report | ({"wrong": wrong(answers)} if options.listed else {}), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
