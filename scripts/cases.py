"""Send small inputs that once failed, and say kind by kind which come out right.

A case is a JSON object with `id`, `how`, `input` and `expected`, alone in a file or one a line (`.jsonl`).
`case_senders.py` sends it as `how` says; what comes back is right where the judge of the case says so
(`case_judges.py`), or where it equals `expected`. A case that nobody can judge counts as wrong: write its judge.

    python scripts/cases.py [FOLDER …] [--verbose] [--only WORD]
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from case_judges import judge_of
from case_senders import SENDERS


def cases_in(folder: Path) -> Iterator[dict[str, Any]]:
    """The cases of a folder, in order of their files; what is no case (no `how`) is left out."""
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.jsonl")]):
        text = path.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
        yield from (row for row in rows if "how" in row)


def outcome(case: dict[str, Any]) -> tuple[bool, Any]:
    """Whether a case comes out right, and what came out."""
    send, judge = SENDERS.get(case["how"]), judge_of(case)
    if send is None or judge is None:
        return False, f"nobody can {'send' if send is None else 'judge'} it: see scripts/cases.py"
    got = send(case)
    return judge(got), got


def main() -> int:
    """Print the table; 1 where a case is wrong, or where there is none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("../shared/cases")])
    parser.add_argument("--verbose", action="store_true", help="show what came of each case that is not right")
    parser.add_argument("--only", default="", metavar="WORD", help="send those whose id holds this word")
    given = parser.parse_args()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for case in (case for folder in given.folders for case in cases_in(folder) if given.only in case["id"]):
        right, got = outcome(case)
        counts[case["how"]][not right] += 1
        if not right:
            print(f"wrong  {case['id']}: expected {case['expected']}")
            print(f"       got {got}" if given.verbose else f"       got {_brief(got)}", flush=True)
    print(f"{'right':>5} {'wrong':>5}")
    for how, (good, bad) in sorted(counts.items()):
        print(f"{good:>5} {bad:>5}  {how}")
    good, bad = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    print(f"{good:>5} {bad:>5}  of {good + bad}")
    return 1 if bad or not good else 0


def _brief(got: Any) -> str:
    """What came out, in one line."""
    if isinstance(got, dict) and "answer_mode" in got:
        short = (got["short_answer"] or {}).get("text")
        return f"{got['abstain_reason'] or got['answer']!r}, short {short!r}, {got['support_score']:.2f}"
    return f"{str(got)[:300]}"


if __name__ == "__main__":
    sys.exit(main())
