"""`qa evaluate convert`: other projects' datasets as this project's JSON Lines."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    from qa.evaluation.types import Example

__all__ = ["convert"]

_FORMATS = ("squad", "realtimeqa", "ragas", "deepeval", "csv", "seeds")
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_WRITTEN = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, required=True, type=_EXISTING)
@click.option("--from", "form", type=click.Choice(_FORMATS), required=True, help="Format of the files given.")
@click.option("--out", type=_WRITTEN, required=True, help="Dataset to write, one question a line.")
@click.option("--articles", type=_WRITTEN, help="Where to write the articles that come along, for `qa ingest`.")
def convert(sources: tuple[Path, ...], form: str, out: Path, articles: Path | None) -> None:
    """Turn datasets of other projects into one that `qa evaluate run` takes.

    Formats: SQuAD 1.1 and 2.0; RealTimeQA (`*_qa.jsonl` with `*_gcs.jsonl`); rows of ragas and of deepeval; CSV or
    TSV with columns named like the dataset's fields; this project's own labelled questions.
    """
    from qa.evaluation.convert.formats import FORMATS
    from qa.evaluation.dataset import write_lines

    converted = FORMATS[form](sources)
    for note in converted.notes:
        click.echo(f"qa: note: {note}", err=True)
    _write_checked(out, converted.examples)
    click.echo(f"{len(converted.examples):,} questions written to {out}", err=True)
    if articles is not None:
        if not converted.articles:
            click.echo(f"qa: warning: no articles come with {form} files; {articles} is empty", err=True)
        write_lines(articles, converted.articles)
        click.echo(f"{len(converted.articles):,} articles written to {articles}", err=True)


def _write_checked(out: Path, examples: Sequence[Example]) -> None:
    """Write what `qa evaluate run` will take, or nothing: a file that stood there before is then left as it was."""
    from qa.evaluation.dataset import read_dataset, write_lines
    from qa.evaluation.errors import InvalidDataset

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "question"
        write_lines(draft, examples)
        try:
            read_dataset(draft)
        except InvalidDataset as error:
            raise InvalidDataset(f"{out} was not written; by number of question:\n{error}") from None
    write_lines(out, examples)
