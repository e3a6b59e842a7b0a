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
from embeddings.readers import find, read
from qa.answering import ABSTENTION, Answerer
from qa.evaluation.samples import is_right, score
from qa.extractive.network import load_reader
from qa.settings import Settings
from qa.types import Answer, Question


def ask_all(paths: list[Path], encoder_name: str, threads: int) -> dict[str, Answer]:
    encoder = load(encoder_name, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        corpus = EmbeddedCorpus.open(Path(folder), identity=encoder.identity)
        try:
            ingest((item for path in find(paths) for item in read(path)), corpus=corpus, encoder=encoder)
            answerer = Answerer(corpus=corpus, encoder=encoder, settings=Settings())
            willing = msgspec.structs.replace(load_reader().calibration, threshold=0.0)
            answerer._reader = msgspec.structs.replace(load_reader(), calibration=willing)
            asked = {q.id: Question(question=q.question, as_of=q.as_of) for q in seeds.questions()}
            return {name: answerer.ask(question) for name, question in asked.items()}
        finally:
            corpus.close()


def declining_below(threshold: float, answers: dict[str, Answer]) -> dict[str, Answer]:
    """The same answers, those with less support taken back."""
    return {
        name: answer
        if answer.support_score >= threshold
        else msgspec.structs.replace(answer, answer=ABSTENTION, claims=(), citations=(), short_answer=None)
        for name, answer in answers.items()
    }


def wrong(answers: dict[str, Answer]) -> list[dict[str, object]]:
    """What a person would look at: every question not answered rightly."""
    return [
        {
            "question": question.question,
            "wanted": question.answers,
            "answer": answers[question.id].answer,
            "short": short.text if (short := answers[question.id].short_answer) else None,
            "support": answers[question.id].support_score,
        }
        for question in seeds.questions()
        if (not is_right(question, answers[question.id]) if question.answerable else answers[question.id].claims)
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
        **msgspec.to_builtins(score(seeds.questions(), answers)),
        "thresholds": [
            {"threshold": at, **msgspec.to_builtins(score(seeds.questions(), declining_below(at, given)))}
            for at in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
        ],
        "milliseconds": {f"p{at}": round(float(np.percentile(totals, at)), 1) for at in (50, 95)},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    json.dump(report | ({"wrong": wrong(answers)} if options.listed else {}), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
