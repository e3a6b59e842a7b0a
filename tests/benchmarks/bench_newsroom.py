"""Questions on real news by somebody who saw no code: what is answered rightly, wrongly, declined; prints JSON.

    python tests/benchmarks/bench_newsroom.py --data ../shared/data [--cache FOLDER] [--answers FILE]

150 questions, 65 of them without an answer: they take for true what an article denies or only plans, ask for another
figure or person than it tells, for what nobody said, or for what no article is about. Whoever works on the reader is
not to read them: only totals are printed, unless `--answers` names a file. They are asked of the small pool of
RealTimeQA, whose articles must be there. A long answer is right if most of its words stand in the first sentence
quoted: the file holds them in alphabetical order, and no text of the articles.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

import msgspec

from embeddings import encoders
from qa.evaluation import Example
from qa.evaluation.benchmarks import Bench, asked
from qa.evaluation.benchmarks.realtimeqa import news_corpus
from qa.evaluation.metrics.answers import f1, normalise
from qa.evaluation.metrics.confidence import auroc
from qa.evaluation.targets import CachingEncoder
from qa.settings import from_environment
from qa.types import Answer

QUESTIONS = Path(__file__).parent / "newsroom_questions.jsonl"
SHORT = "plain"
NEARLY_RIGHT = 0.5
"""Token F1 from which a short answer is right."""
MOST = 0.7
"""Share of a long answer's words from which a sentence holds it."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file."""

    question: str
    kind: str
    url: str
    """Of the article that answers, or that comes near."""
    answers: tuple[str, ...] = ()
    """Accepted ones, longer ones as their words; none where nothing answers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, default=Path(".cache/yardsticks"), help="vectors and predictions")
    parser.add_argument("--answers", type=Path, help="write what was answered here")
    given = parser.parse_args()
    settings = from_environment(os.environ)
    encoder = CachingEncoder(encoders.load(settings.encoder, threads=settings.threads))
    bench = Bench(encoder=encoder, settings=settings, cache=given.cache)
    questions = msgspec.json.Decoder(Asked).decode_lines(QUESTIONS.read_bytes())
    examples = [
        Example(id=str(number), question=one.question, group=one.url, answers=one.answers)
        for number, one in enumerate(questions)
    ]
    pool = given.data / "realtimeqa/articles-small.jsonl.gz"
    with news_corpus(pool, encoder=encoder, cache=given.cache) as corpus:
        run = asked(examples, corpus=corpus, bench=bench, name="newsroom")
    answers = [run.predictions[example.id].answer for example in examples]
    outcomes = [outcome(one, answer) for one, answer in zip(questions, answers, strict=True)]
    json.dump(report(questions, answers, outcomes), sys.stdout, indent=2)
    sys.stdout.write("\n")
    if given.answers:
        shown = zip(questions, answers, outcomes, strict=True)
        given.answers.write_bytes(b"\n".join(msgspec.json.encode(line(*each)) for each in shown) + b"\n")


def outcome(one: Asked, answer: Answer | None) -> str:
    """What became of one: declined, right or wrong. Where nothing answers, declining is right."""
    if answer is None or answer.answer_mode == "abstained":
        return "declined"
    said = answer.answer if one.kind == "list" else answer.claims[0].text
    short = answer.short_answer.text if answer.short_answer else ""
    told = any(f1(short, [each]) >= NEARLY_RIGHT or holds(said, each, one.kind) for each in one.answers)
    return "right" if told else "wrong"


def holds(said: str, accepted: str, kind: str) -> bool:
    """Whether a sentence holds an answer: all words of a short one, most of a longer one."""
    words, told = normalise(accepted).split(), set(normalise(said).split())
    share = sum(word in told for word in words) / max(len(words), 1)
    return share >= (1.0 if kind == SHORT else MOST)


def report(questions: list[Asked], answers: list[Answer | None], outcomes: list[str]) -> dict[str, object]:
    kinds = {
        kind: dict(Counter(found for one, found in zip(questions, outcomes, strict=True) if one.kind == kind))
        for kind in dict.fromkeys(one.kind for one in questions)
    }
    able = [found for one, found in zip(questions, outcomes, strict=True) if one.answers]
    unable = [found for one, found in zip(questions, outcomes, strict=True) if not one.answers]
    sure = [answer.support_score if answer else 0.0 for answer in answers]
    return {
        "bench": "newsroom",
        "answerable": {"n": len(able), **Counter(able)},
        "without an answer": {"n": len(unable), **Counter(unable)},
        "auroc, answerable or not": auroc(sure, [bool(one.answers) for one in questions]),
        "by kind": kinds,
    }


def line(one: Asked, answer: Answer | None, found: str) -> dict[str, object]:
    said = {"short": answer.short_answer, "answer": answer.answer, "sure": answer.support_score} if answer else {}
    return {"question": one.question, "kind": one.kind, "outcome": found, "accepted": one.answers, **said}


if __name__ == "__main__":
    main()
