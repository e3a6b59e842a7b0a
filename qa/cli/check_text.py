"""Takes the report of a check, gives it as text for a terminal: each sentence by its line, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from qa.cli.terminal import plain, shortened

if TYPE_CHECKING:
    from qa.checking.values import CheckedSentence, CheckReport, SourceWords

__all__ = ["lay_out"]

_STYLES = {"supported": "green", "partly_supported": "yellow", "unsupported": "red", "contradicted": "bold red"}
_FAINT, _QUOTE = "dim", "italic"
_SHOWN = 300
"""Characters of a sentence, or of a quotation, at most; `--json` has all of them."""


def lay_out(report: CheckReport, *, text: str, name: str, against: Sequence[Path] = ()) -> Text:
    """A block for each sentence, `NAME:LINE:COLUMN` first, then the counts; nothing of it can control the terminal."""
    found = Text()
    for sentence in report.sentences:
        found.append_text(_block(sentence, text=text, name=name, against=against)).append("\n")
    counts = report.summary
    return found.append(
        f"{counts.sentences} sentences: {counts.supported} supported, {counts.partly_supported} in part, "
        f"{counts.unsupported} not, {counts.contradicted} contradicted, {counts.not_judged} not judged"
    )


def _block(sentence: CheckedSentence, *, text: str, name: str, against: Sequence[Path]) -> Text:
    line = text.count("\n", 0, sentence.start) + 1
    column = sentence.start - (text.rfind("\n", 0, sentence.start) + 1) + 1
    block = Text(f"{plain(name)}:{line}:{column}: " if name else f"{line}:{column}: ", style=_FAINT)
    if sentence.verdict is None:
        block.append(f"not judged ({sentence.not_judged})\n", style=_FAINT)
        return block.append(f"    {shortened(sentence.text, _SHOWN)}\n", style=_FAINT)
    block.append(f"{sentence.verdict} {sentence.support_score:.2f}\n", style=_STYLES[sentence.verdict])
    block.append(f"    {shortened(sentence.text, _SHOWN)}\n")
    for difference in sentence.differences:
        block.append(f"    - {shortened(difference.note, _SHOWN)}\n", style=_STYLES[sentence.verdict])
    for words in sentence.citations or sentence.nearest[:1]:
        block.append("    " if sentence.citations else "    nearest: ").append(_quoted(words), style=_QUOTE)
        block.append(f" {_about(words, against)}\n", style=_FAINT)
    return block


def _about(words: SourceWords, against: Sequence[Path]) -> str:
    """Where quoted words are from: the file, or title, source, date, page and link of the article."""
    if words.against_index is not None:
        return f"{plain(str(against[words.against_index]))}, from character {words.start_char_index}"
    page = f"p. {words.page}" if words.page else ""
    parts = (
        words.title or words.article_id or "",
        words.source,
        (words.published_at or "")[:10],
        page,
        words.url or "",
    )
    return " — ".join(shortened(part, 200) for part in parts if part)


def _quoted(words: SourceWords) -> str:
    return f"“{shortened(words.cited_text, _SHOWN)}”"
