"""`qa check`: hold any text against files or the stored articles, sentence by sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, opened, read_settings
from qa.cli.terminal import console, waiting

if TYPE_CHECKING:
    from qa.checking.values import CheckedSentence, CheckReport, TextToCheck

__all__ = ["check"]

_BELOW, _NOTHING = 100, 101
_STDIN = "-"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Check against this text; may be repeated. Without it, the stored articles are searched.",
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
    """Check a text (a file in UTF-8, or - for standard input) against its sources, sentence by sentence.

    Ends with 0 where every sentence that claims something holds, 100 where one does not, or could not be judged (it is
    too long, or a table), 101 where nothing in the text claims anything, 1 or 2 on an error.
    """
    text = _text_of(file)
    asked = _asked(
        text=text,
        against=[{"text": _text_of(path)} for path in against],
        question=question,
        as_of=as_of,
        collection=collection,
        filters={"source": source, "published_after": after, "published_before": before},
    )
    with waiting("checking"):
        report = _report(asked)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report))
    else:
        from qa.cli.check_text import lay_out

        console().print(lay_out(report, text=text, name="" if str(file) == _STDIN else str(file), against=against))
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


def _text_of(path: Path) -> str:
    """A text as it is, every character in its place. Raises UnreadableFile for what is none."""
    from embeddings.errors import UnreadableFile

    content = sys.stdin.buffer.read() if str(path) == _STDIN else path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UnreadableFile(f"{path} is no text in UTF-8; save it as plain text, or add its article by `qa ingest`")
    return text


def _asked(**given: object) -> TextToCheck:
    """Hold what was given against the limits of a check. Raises InvalidText."""
    import msgspec

    from qa.checking.values import TextToCheck
    from qa.errors import InvalidText

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
