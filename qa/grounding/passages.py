"""Takes a claim before its evidence, gives the passages around the sentences that may support it."""

from __future__ import annotations

from qa.grounding.mismatches import Case

__all__ = ["passages_of"]


def passages_of(case: Case, *, words: int) -> list[str]:
    """One passage of each text that has a likely sentence: as many sentences around its best as `words` allow.

    Likelier sentences of the same text are taken in before their neighbours, in the order of the text.
    """
    by_text: dict[int, list[int]] = {}
    for row in case.chosen:
        by_text.setdefault(case.sentences[row].index, []).append(row)
    return [_around(case, rows, words=words) for rows in by_text.values()]


def _around(case: Case, rows: list[int], *, words: int) -> str:
    index = case.sentences[rows[0]].index
    near = sorted(
        (row for row, sentence in enumerate(case.sentences) if sentence.index == index and row not in rows),
        key=lambda row: (abs(row - rows[0]), row),
    )
    kept = [rows[0]]
    used = len(case.sentences[rows[0]].text.split())
    for row in [*rows[1:], *near]:
        used += len(case.sentences[row].text.split())
        if used > words:
            break
        kept.append(row)
    return " ".join(case.sentences[row].text for row in sorted(kept))
