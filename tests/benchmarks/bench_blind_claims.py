"""Claims on news written by people who had not seen a checker, half of them false: how many are shown; prints JSON.

    python tests/benchmarks/bench_blind_claims.py [--checker NAME] [--answers]

The claims are kept packed and are not to be read by whoever works on a checker: only totals are printed. `--answers`
takes those on the sample articles, 196 true and 280 false ones as a model might answer a question: a second reader,
who did not see the labels, gave all of them the same.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from qa.evaluation.metrics.statistics import mean
from qa.grounding import Provenance, load_checker

FOLDER = Path(__file__).parent


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
    given = parser.parse_args()
    checker = load_checker(given.checker)
    bench = "blind_answers" if given.answers else "blind_claims"
    claims = msgspec.json.Decoder(Claim).decode_lines(gzip.decompress((FOLDER / f"{bench}.jsonl.gz").read_bytes()))
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


def _of(claims: list[Claim], shown: list[bool]) -> list[Claim]:
    return [each for each, past in zip(claims, shown, strict=True) if past]


if __name__ == "__main__":
    main()
