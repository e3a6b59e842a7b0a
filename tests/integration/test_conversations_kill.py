"""kill -9 while turns are added: every acknowledged turn is there afterwards, whole and in order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from qa.conversations.database import Database
from qa.conversations.history import Bounds, History
from qa.types import Answer, Usage

PROGRAM = Path(__file__).with_name("conversation_writer.py")
KILLS = int(os.environ.get("KILLS", "3"))
TEMPLATE = Answer(
    id="",
    conversation_id=None,
    question="",
    resolved_query="Who?",
    as_of="2024-06-04T00:00:00Z",
    answer="Words. 🏆 " * 300,
    answer_mode="extractive",
    fallback_reason=None,
    abstain_reason=None,
    short_answer=None,
    claims=(),
    citations=(),
    conflicts=(),
    search_results=(),
    support_score=0.5,
    usage=Usage(),
    timings_ms={"total": 0.5},
)


def test_nothing_acknowledged_is_lost(tmp_path: Path, repo: Path) -> None:
    draw = random.Random(5)
    acknowledged = -1
    for _ in range(KILLS):
        # The turn after the last acknowledged one may be there or not: a new conversation begins where that is unsure.
        first = acknowledged + 10 - (acknowledged + 10) % 5
        acknowledged = killed_after(draw.uniform(0.05, 0.5), tmp_path, first, repo)
        assert acknowledged >= first, "it was killed before it wrote anything"
        database = Database.open(tmp_path)
        history = History(database, bounds=Bounds(turns=10**6, conversations=10**6, size=10**12))
        found = {}
        for conversation in history.page(owner="", before=None, limit=10**6)[0]:
            turns, _ = history.turns(conversation.id, owner="", after=0, limit=10)
            assert [t.answer.id for t in turns] == sorted((t.answer.id for t in turns), key=lambda i: int(i.split()[1]))
            assert len(turns) == conversation.turns
            found.update({int(turn.asked_at): turn.answer for turn in turns})
        database.close()
        for number in range(first, acknowledged + 1):
            assert found[number] == msgspec.structs.replace(
                TEMPLATE, id=f"ans {number}", conversation_id=f"conv {number // 5}", question=f"question {number}" * 40
            )
        assert set(found) & set(range(first, first + 100_000)) <= set(range(first, acknowledged + 2))


def killed_after(seconds: float, folder: Path, first: int, repo: Path) -> int:
    """Run a writer, kill it `seconds` after its first turn; the last turn it acknowledged."""
    environment = os.environ | {"PYTHONPATH": str(repo)}
    command = [sys.executable, str(PROGRAM), str(folder), str(first), msgspec.json.encode(TEMPLATE).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline()]
        time.sleep(seconds)
        writer.kill()
        said += writer.stdout.readlines()
    return max(int(line) for line in said if line.endswith("\n") and line.strip())
