"""Follow-ups about the sample articles: resolved rightly, left alone rightly, answered with and without; prints JSON.

    python tests/benchmarks/bench_follow_ups.py [--list] [--also QUESTIONS.jsonl …] [--beside STORE]

Every case is a conversation of two questions, both really asked. `--also` takes questions that stand alone, one JSON
object a line with `question`: how many of them are touched when they follow some sample question.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.parsers import find, read
from embeddings.runtime import at_once
from qa.answering import Answerer
from qa.answers import turn_of
from qa.conversations.follow_ups import FollowUps
from qa.evaluation.metrics.statistics import compare, wilson
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Question, Turn

READER = load_reader()


CASES = Path(__file__).parents[1] / "integration" / "follow_ups.jsonl"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    asked: str
    answered: str
    question: str
    kind: str
    holds: tuple[str, ...]
    answers: tuple[str, ...]
    as_of: str | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    case: Case
    resolved: str
    exact: bool
    right: bool
    right_unresolved: bool


def run_case(case: Case, answerer: Answerer, follow_ups: FollowUps) -> Result:
    turn = turn_of(answerer.ask(Question(question=case.asked, as_of=case.as_of)))
    resolved = resolved_by(follow_ups, case.question, turn)
    if case.kind == "self_contained":
        exact = resolved == case.question
    else:
        exact = all(words.casefold() in resolved.casefold() for words in case.holds)
    return Result(
        case=case,
        resolved=resolved,
        exact=exact,
        right=is_right(case, answerer, [turn]),
        right_unresolved=is_right(case, answerer, []),
    )


def resolved_by(follow_ups: FollowUps, question: str, turn: Turn) -> str:
    return asyncio.run(follow_ups(question, history=[turn], by_model=False, run=at_once)).query


def is_right(case: Case, answerer: Answerer, turns: Sequence[Turn]) -> bool:
    asked = Question(question=case.question, as_of=case.as_of)
    answer = answerer.ask(asked, history=turns).answer.casefold().replace("’", "'")
    return any(text.casefold() in answer for text in case.answers)


def touched(paths: Sequence[Path], answerer: Answerer, follow_ups: FollowUps) -> dict[str, object]:
    """Questions that stand alone, each after a sample question; those of one set after an unrelated one."""
    report: dict[str, object] = {}
    turns = [turn_of(answerer.ask(Question(question=q.question, as_of=q.as_of))) for q in seeds.questions()[::3]]
    sets = {"samples": [q.question for q in seeds.questions()]}
    sets |= {path.name: [json.loads(line)["question"] for line in path.read_text().splitlines()] for path in paths}
    for name, questions in sets.items():
        after = [(question, turns[(7 * number) % len(turns)]) for number, question in enumerate(questions)]
        changed = [
            [question, found]
            for question, turn in after
            if (found := resolved_by(follow_ups, question, turn)) != question
        ]
        report[name] = {
            "n": len(questions),
            "touched": len(changed),
            "share": share(len(changed), len(questions)),
            "some": changed[:12],
        }
    return report


def share(part: int, whole: int) -> list[float]:
    return [round(value, 4) for value in (part / max(whole, 1), *wilson(part, whole))]


def summary(results: Sequence[Result]) -> dict[str, object]:
    asked = [r for r in results if r.case.kind != "self_contained"]
    alone = [r for r in results if r.case.kind == "self_contained"]
    right, unresolved = [float(r.right) for r in asked], [float(r.right_unresolved) for r in asked]
    gain = compare(right, unresolved, groups=list(map(str, range(len(asked)))))
    return {
        "follow_ups": len(asked),
        "resolved": share(sum(r.exact for r in asked), len(asked)),
        "right": share(sum(r.right for r in asked), len(asked)),
        "right_unresolved": share(sum(r.right_unresolved for r in asked), len(asked)),
        "gain": [round(value, 4) for value in (gain.mean, gain.low, gain.high)],
        "self_contained": len(alone),
        "left_alone": share(sum(r.exact for r in alone), len(alone)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", dest="listed")
    parser.add_argument("--also", nargs="*", type=Path, default=[])
    parser.add_argument("--beside", type=Path, help="a filled store: its articles, copied, lie beside the samples")
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    options = parser.parse_args()
    encoder = load(options.encoder, threads=1)
    cases = msgspec.json.Decoder(Case).decode_lines(CASES.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        store = Path(shutil.copytree(options.beside, Path(folder) / "store")) if options.beside else Path(folder)
        corpus = EmbeddedCorpus.open(store, identity=encoder.identity)
        try:
            ingest(
                (item for path in find([seeds.articles_dir()]) for item in read(path)), corpus=corpus, encoder=encoder
            )
            follow_ups = FollowUps(corpus)
            answerer = Answerer(reader=READER, corpus=corpus, encoder=encoder, settings=Settings(), resolve=follow_ups)
            results = [run_case(case, answerer, follow_ups) for case in cases]
            alone = touched(options.also, answerer, follow_ups)
        finally:
            corpus.close()
    report = {"bench": "follow_ups", "python": platform.python_version(), **summary(results), "touched": alone}
    listed = [[r.case.asked, r.case.question, r.resolved, r.exact, r.right, r.right_unresolved] for r in results]
    json.dump(report | ({"cases": listed} if options.listed else {}), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
