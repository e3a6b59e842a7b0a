"""Claims on news written by people who had not seen a checker, half of them false: how many are shown; prints JSON.

    python tests/benchmarks/bench_blind_claims.py [--checker NAME] [--answers | --documents DATA]

The claims are kept packed and are not to be read by whoever works on a checker: only totals are printed. `--answers`
takes those on the sample articles, 196 true and 280 false ones as a model might answer a question: a second reader,
who did not see the labels, gave all of them the same. `--documents` takes the claims on real news under DATA that no
checker is trained on, one in five of them: a second reader gave 240 of 240 the same.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from qa.evaluation.metrics.statistics import mean
from qa.grounding import Provenance, load_checker
from qa.training.written_examples import document_claims

FOLDER = Path(__file__).parent
ONE_IN = 5
"""Of the claims on real news, for time; odd, since true ones and false ones follow each other."""


class Claim(msgspec.Struct, frozen=True):
    """One line of the file."""

    article: int
    published_at: str
    title: str
    evidence: tuple[str, ...]
    question: str
    claim: str
    label: bool
    kind: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checker", default="", help="as QA_SUPPORT_CHECKER")
    parser.add_argument("--answers", action="store_true", help="those on the sample articles")
    parser.add_argument("--documents", type=Path, metavar="DATA", help="those on real news whose texts are under DATA")
    given = parser.parse_args()
    checker = load_checker(given.checker)
    bench = "documents" if given.documents else "blind_answers" if given.answers else "blind_claims"
    claims = held_out(given.documents) if given.documents else packed(bench)
    begun = time.process_time()
    shown = []
    for each in claims:
        contexts = [Provenance(title=each.title, published_at=each.published_at)] * len(each.evidence)
        support = checker.check(each.claim, each.evidence, question=each.question, contexts=contexts)
        shown.append(support.verdict == "supported")
    report: dict[str, object] = {
        "bench": bench,
        "checker": checker.identity,
        "milliseconds_per_claim": round(1000 * (time.process_time() - begun) / len(claims), 1),
    }
    for label, name in ((False, "false_shown"), (True, "true_shown")):
        own = [
            (float(past), str(each.article)) for past, each in zip(shown, claims, strict=True) if each.label == label
        ]
        found = mean([value for value, _ in own], groups=[group for _, group in own])
        report[name] = {"share": found.value, "low": found.low, "high": found.high, "n": len(own)}
    every, past = (Counter(each.kind for each in chosen) for chosen in (claims, _of(claims, shown)))
    report["shown_by_kind"] = {kind: f"{past[kind]} of {number}" for kind, number in sorted(every.items())}
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def packed(name: str) -> list[Claim]:
    """The claims of one file beside this one."""
    return msgspec.json.Decoder(Claim).decode_lines(gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()))


def held_out(data: Path) -> list[Claim]:
    """Claims on real news that are held out, the whole text being their evidence."""
    articles: dict[str, int] = {}
    return [
        Claim(
            article=articles.setdefault(text, len(articles)),
            published_at="",
            title="",
            evidence=(text,),
            question="",
            claim=one.claim,
            label=one.label == "supported",
            kind=one.label,
        )
        for one, text in itertools.islice(document_claims(data, held_out=True), 0, None, ONE_IN)
    ]


def _of(claims: list[Claim], shown: list[bool]) -> list[Claim]:
    return [each for each, past in zip(claims, shown, strict=True) if past]


if __name__ == "__main__":
    main()
