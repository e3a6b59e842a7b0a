"""The reader alone on held-out questions that were written for training, each with its passage; prints JSON.

    python tests/benchmarks/bench_held_out.py --data ../shared/data [--reader NAME] [--limit 500]

Fold 0 of the questions on invented news and on the documents of DATA/support, which no training sees. Token F1 of the
words found where something answers, AUROC of the log-odds of any answer: of answerable or not, and of right or not.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from qa.evaluation.dataset import draw
from qa.evaluation.metrics.answers import f1
from qa.evaluation.metrics.confidence import auroc
from qa.reading import PassageText, Reader, load_reader
from qa.training.reader_data import Row, title_of
from qa.training.written_examples import document_rows, written_rows

HELD_OUT = 0
NEARLY_RIGHT = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--reader", default="", help="as QA_READER")
    parser.add_argument("--limit", type=int, default=500, help="questions drawn of each source")
    given = parser.parse_args()
    reader = load_reader(given.reader)
    rows = [row for row in (*written_rows(), *document_rows(given.data)) if row.fold == HELD_OUT]
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        told = row.answers or row.plausible_answers
        by_source.setdefault(row.source if told else f"{row.source}, version without the answer", []).append(row)
    report: dict[str, object] = {"bench": "held_out", "reader": reader.identity}
    for source, all_rows in sorted(by_source.items()):
        report[source] = measured(draw(all_rows, limit=given.limit), reader)
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


def measured(rows: Sequence[Row], reader: Reader) -> dict[str, float | None]:
    overlaps, odds = zip(*(read(row, reader) for row in rows), strict=True)
    able = [bool(row.answers) for row in rows]
    answered = [overlap for overlap, answerable in zip(overlaps, able, strict=True) if answerable]
    return {
        "n": len(rows),
        "token F1, answerable": sum(answered) / len(answered) if answered else None,
        "AUROC, answerable or not": auroc(odds, able),
        "AUROC, right or not": auroc(odds, [overlap >= NEARLY_RIGHT for overlap in overlaps]),
        "answer likelier than none": sum(one > 0 for one in odds) / len(odds),
    }


def read(row: Row, reader: Reader) -> tuple[float, float]:
    """Token F1 of the likeliest words, 0 where nothing answers, and the log-odds that any words answer."""
    (spans,) = reader.read(row.question, [PassageText(text=row.context, title=title_of(row))])
    if not spans:
        return 0.0, -math.inf
    words = row.context[spans[0].start : spans[0].end]
    most = max(span.logit for span in spans)
    odds = most + math.log(sum(math.exp(span.logit - most) for span in spans))
    return f1(words, [answer.text for answer in row.answers]) if row.answers else 0.0, odds


if __name__ == "__main__":
    main()
