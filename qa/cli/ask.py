"""`qa ask`: put a question to the corpus, read the answer with its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, opened, read_settings
from qa.cli.terminal import console, waiting
from qa.errors import InvalidQuestion

if TYPE_CHECKING:
    from qa.types import Answer, Question

__all__ = ["ask"]


@click.command()
@click.argument("question")
@click.option("--as-of", metavar="DATE", help="Answer as if asked on this day; later articles are not used.")
@click.option("--collection", help="Only use articles of this collection.")
@click.option("--source", multiple=True, help="Only use this source; may be repeated.")
@click.option("--after", metavar="DATE", help="Only use articles published at or after this date.")
@click.option("--before", metavar="DATE", help="Only use articles published before this date.")
@click.option("--max-citations", type=click.IntRange(1, 10), default=3, show_default=True, help="Sources at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, as POST /api/ask gives it.")
def ask(
    question: str,
    as_of: str | None,
    collection: str | None,
    source: tuple[str, ...],
    after: str | None,
    before: str | None,
    max_citations: int,
    as_json: bool,
) -> None:
    """Answer a question from the stored articles, with the exact words each statement rests on."""
    filters = {"source": source, "published_after": after, "published_before": before}
    asked = _question(
        question=question, as_of=as_of, collection=collection, filters=filters, max_citations=max_citations
    )
    with waiting("looking for an answer"):
        answer = _answer(asked)
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(answer))
        return
    from qa.cli.answer_text import lay_out

    console().print(lay_out(answer))


def _question(**given: object) -> Question:
    """Hold what was typed against the limits of a question. Raises InvalidQuestion."""
    import msgspec

    from qa.types import Question

    try:
        return msgspec.convert(given, Question)
    except msgspec.ValidationError as error:
        raise InvalidQuestion(f"the question cannot be used: {error}") from None


def _answer(question: Question) -> Answer:
    from qa.answering import Answerer

    settings = read_settings()
    encoder = load_encoder(settings)
    with opened(settings, encoder, read_only=True) as corpus:
        return Answerer(corpus=corpus, encoder=encoder, settings=settings).ask(question)
