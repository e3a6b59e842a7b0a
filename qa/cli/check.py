"""`qa check`: checks any text against files or the stored articles, sentence by sentence.

On a terminal each sentence stands by its line, with what differs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from rich.text import Text

from embeddings.errors import UnreadableFile
from qa.cli.terminal import console, load_encoder, opened, plain, print_json, read_settings, shortened, waiting
from qa.errors import InvalidText

if TYPE_CHECKING:
    from embeddings.types import Article
    from qa.checking import CheckedSentence, CheckReport, SourceWords, TextToCheck

_BELOW, _NOTHING = 100, 101
_STDIN = "-"
_STYLES = {"supported": "green", "partly_supported": "yellow", "unsupported": "red", "contradicted": "bold red"}
_FAINT, _QUOTE = "dim", "italic"
_AS_WRITTEN = frozenset({None, ".txt", ".md"})
"""Kinds of files whose lines and columns an editor shows; None: of no kind that is read."""
_MOST_REFUSED = 3
_SHOWN = 300
"""Characters of a sentence, or of a quotation, at most; `--json` has all of them."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Check against the text of this file; may be repeated. Without it, the stored articles are searched.",
)
@click.option("--question", default="", help="What the text answers: what stands in it needs no source.")
@click.option("--as-of", metavar="DATE", help="Later articles are not used.")
@click.option("--collection", help="Only use articles of this collection.")
@click.option("--source", multiple=True, help="Only use this source; may be repeated.")
@click.option("--after", metavar="DATE", help="Only use articles published at or after this date.")
@click.option("--before", metavar="DATE", help="Only use articles published before this date.")
@click.option(
    "--fail-below",
    type=click.FloatRange(0, 1),
    metavar="SCORE",
    help="Fail for a contradicted sentence, and for one that scores less.  [default: for each that is not supported]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, as POST /api/check gives it.")
@click.pass_context
def check(
    context: click.Context,
    file: Path,
    against: tuple[Path, ...],
    question: str,
    as_of: str | None,
    collection: str | None,
    source: tuple[str, ...],
    after: str | None,
    before: str | None,
    fail_below: float | None,
    as_json: bool,
) -> None:
    """Check a text (a file of any kind `qa ingest` reads, or - for standard input) against its sources.

    Ends with 0 where every sentence that claims something holds, 100 where one does not, or could not be judged (it is
    too long, or a table), 101 where nothing in the text claims anything, 1 or 2 on an error.
    """
    text = _draft_in(file)
    sources = [(path, source) for path in against for source in _sources_in(path)]
    asked = _asked(
        text=text,
        against=[source for _, source in sources],
        question=question,
        as_of=as_of,
        collection=collection,
        filters={"source": source, "published_after": after, "published_before": before},
    )
    with waiting("checking"):
        report = _report(asked)
    if as_json:
        print_json(report)
    else:
        name = "" if str(file) == _STDIN else str(file)
        console().print(_lay_out(report, text=text, name=name, against=[path for path, _ in sources]))
    context.exit(_verdict(report, fail_below))


def _verdict(report: CheckReport, fail_below: float | None) -> int:
    """The exit code."""
    if not report.complete or any(_fails(sentence, fail_below) for sentence in report.sentences):
        return _BELOW
    return 0 if any(sentence.verdict for sentence in report.sentences) else _NOTHING


def _fails(sentence: CheckedSentence, fail_below: float | None) -> bool:
    if sentence.verdict is None or sentence.support_score is None:
        return False
    if fail_below is None:
        return sentence.verdict != "supported"
    return sentence.verdict == "contradicted" or sentence.support_score < fail_below


def _draft_in(path: Path) -> str:
    """The text to check. Raises UnreadableFile."""
    articles = _articles_in(path)
    if articles is None:
        return _text_of(path)
    if len(articles) > 1:
        raise UnreadableFile(f"{path} holds {len(articles):,} articles; check one text at a time")
    return articles[0].text


def _sources_in(path: Path) -> Sequence[Mapping[str, str | None]]:
    """The texts of a file to check against: each article of it. Raises UnreadableFile."""
    articles = _articles_in(path)
    if articles is None:
        return [{"text": _text_of(path)}]
    return [{"text": one.text, "title": one.title, "published_at": one.published_at} for one in articles]


def _articles_in(path: Path) -> Sequence[Article] | None:
    """What the parsers of `qa ingest` make of a file; None for one that counts as it is written. Raises UnreadableFile
    where it holds nothing that can be read."""
    from embeddings import parsers
    from embeddings.cleaning.article import clean
    from embeddings.types import Rejected

    if str(path) == _STDIN or parsers.suffix_of(path.name) in _AS_WRITTEN:
        return None
    found = list(parsers.read(path))
    refused = [f"{one.origin}: {one.reason}" for one in found if isinstance(one, Rejected)]
    if refused or not found:
        raise UnreadableFile("; ".join(refused[:_MOST_REFUSED]) or f"{path} holds no text")
    return [clean(one) for one in found if not isinstance(one, Rejected)]


def _text_of(path: Path) -> str:
    """A text as it is, every character in its place. Raises UnreadableFile for what is none."""
    content = sys.stdin.buffer.read() if str(path) == _STDIN else path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UnreadableFile(f"{path} is no text in UTF-8; save it as plain text, or name it for what it is")
    return text


def _asked(**given: object) -> TextToCheck:
    """Hold what was given against the limits of a check. Raises InvalidText."""
    import msgspec

    from qa.checking import TextToCheck

    try:
        return msgspec.convert(given, TextToCheck)
    except msgspec.ValidationError as error:
        raise InvalidText(f"this cannot be checked: {error}") from None


def _report(asked: TextToCheck) -> CheckReport:
    import asyncio

    from qa.assembly import assemble

    settings = read_settings()
    encoder = load_encoder(settings)
    assembly = assemble(settings, encoder=encoder)
    if asked.against:
        return asyncio.run(assembly.checks_against(None).check(asked))
    with opened(settings, encoder, read_only=True) as corpus:
        return asyncio.run(assembly.checks_against(corpus).check(asked))


def _lay_out(report: CheckReport, *, text: str, name: str, against: Sequence[Path] = ()) -> Text:
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
