"""A process that adds turns to conversations until it is killed; run by `test_conversations_kill`.

Says on stdout, after each turn, which one is on disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from qa.conversations.database import Database
from qa.conversations.history import Bounds, History
from qa.types import Answer

__all__: list[str] = []


def main() -> None:
    folder, first, template = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    answer = msgspec.json.decode(template, type=Answer)
    database = Database.open(folder)
    history = History(database, bounds=Bounds(turns=10**6, conversations=10**6, size=10**12))
    for number in range(first, first + 100_000):
        conversation = f"conv {number // 5}"
        turn = msgspec.structs.replace(
            answer, id=f"ans {number}", conversation_id=conversation, question=f"question {number}" * 40
        )
        history.append(turn, at=str(number), owner="", begin=number % 5 == 0)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
