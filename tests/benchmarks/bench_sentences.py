"""Sentence splitting: share of the hand-labelled cases cut exactly right, and megabytes per second; prints JSON.

    python tests/benchmarks/bench_sentences.py

sentencex is measured beside it where it is installed.
"""

from __future__ import annotations

import json
import platform
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

from embeddings.chunking.sentences import split_sentences

Splitter = Callable[[str], tuple[tuple[int, int], ...]]
LABELLED_CASES = runpy.run_path(str(Path(__file__).parents[1] / "unit/embeddings/chunking/test_sentences.py"))[
    "labelled_cases"
]


def by_sentencex() -> Splitter | None:
    try:
        from sentencex import get_sentence_boundaries
    except ImportError:
        return None

    def split(text: str) -> tuple[tuple[int, int], ...]:
        spans = []
        for boundary in get_sentence_boundaries("en", text):
            sentence: str = boundary["text"]
            start = boundary["start_index"] + len(sentence) - len(sentence.lstrip())
            if sentence.strip():
                spans.append((start, start + len(sentence.strip())))
        return tuple(spans)

    return split


def measure(split: Splitter) -> dict[str, object]:
    cases = list(LABELLED_CASES())
    right: dict[str, list[bool]] = {}
    for section, text, spans in cases:
        right.setdefault(section, []).append(split(text) == spans)
    text = "\n\n".join(text for _, text, _ in cases) * 200
    began = time.perf_counter()
    split(text)
    seconds = time.perf_counter() - began
    return {
        "cases": {section: {"n": len(found), "right": sum(found)} for section, found in right.items()},
        "accuracy": round(sum(map(sum, right.values())) / len(cases), 3),
        "megabytes_per_second": round(len(text.encode()) / seconds / 1e6, 2),
    }


def main() -> None:
    splitters = {"sourceline": split_sentences, "sentencex": by_sentencex()}
    report = {name: measure(split) for name, split in splitters.items() if split is not None}
    json.dump({"bench": "sentences", "python": platform.python_version(), **report}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
