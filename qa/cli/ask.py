"""`qa ask`: put a question to the corpus, read the answer with its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, opened, read_settings
from qa.cli.terminal import console, waiting
from qa.errors import InvalidQuestion

if TYPE_CHECKING:
    from embeddings.corpus import Corpus
    from qa.assembly import Assembly
    from qa.types import Answer, Question

__all__ = ["ask"]


@click.command()
@click.argument("question")
@click.option("--as-of", metavar="DATE", help="Answer as if asked on this day; later articles are not used.")
@click.option("--collection", help="Only use articles of this collection.")
@click.option("--source", multiple=True, help="Only use this source; may be repeated.")
@click.option("--section", multiple=True, help="Only use this section; may be repeated.")
@click.option("--language", multiple=True, help="Only use this language, en with en-gb; may be repeated.")
@click.option("--author", multiple=True, help="Only use articles by this author; may be repeated.")
@click.option("--after", metavar="DATE", help="Only use articles published at or after this date.")
@click.option("--before", metavar="DATE", help="Only use articles published before this date.")
@click.option(
    "--mode",
    type=click.Choice(["auto", "generated", "extractive"]),
    default="auto",
    show_default=True,
    help="Let the model write, where one is set up, or only quote.",
)
@click.option("--max-citations", type=click.IntRange(1, 10), default=3, show_default=True, help="Sources at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, as POST /api/ask gives it.")
def ask(
    question: str,
    as_of: str | None,
    collection: str | None,
    source: tuple[str, ...],
    section: tuple[str, ...],
    language: tuple[str, ...],
    author: tuple[str, ...],
    after: str | None,
    before: str | None,
    mode: str,
    max_citations: int,
    as_json: bool,
) -> None:
    """Answer a question from the stored articles, with the exact words each statement rests on."""
    listed = {"source": source, "section": section, "language": language, "author": author}
    filters = {**listed, "published_after": after, "published_before": before}
    asked = _question(
        question=question,
        as_of=as_of,
        collection=collection,
        filters=filters,
        mode=mode,
        max_citations=max_citations,
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
    import asyncio

    from qa.assembly import assemble

    settings = read_settings()
    encoder = load_encoder(settings)
    with opened(settings, encoder, read_only=True) as corpus:
        return asyncio.run(_asked(question, corpus, assemble(settings, encoder=encoder, checks=False)))


async def _asked(question: Question, corpus: Corpus, assembly: Assembly) -> Answer:
    """The answer; a generator belongs to one event loop and is closed on it."""
    from qa.answers import fold

    try:
        return await fold(assembly.over(corpus).events(question))
    finally:
        if assembly.generator is not None:
            await assembly.generator.close()
