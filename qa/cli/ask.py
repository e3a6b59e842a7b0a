"""`qa ask`: answers a question, with numbered sources.

On a terminal the words that answer stand out, and sources are numbered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import rich_click as click
from rich.text import Text

from qa.answers import CAVEATS, fold, told_of
from qa.cli.terminal import console, load_encoder, opened, plain, print_json, read_settings, shortened, waiting
from qa.errors import InvalidQuestion
from qa.tracing import part, tracing
from qa.types import Answer, Citation, Question, SearchResult, ShortAnswer

if TYPE_CHECKING:
    from embeddings.corpus import Corpus
    from qa.assembly import Assembly

_ANSWER, _QUOTE, _SHORT, _FAINT = "bold", "italic", "bold reverse", "dim"
_NEAREST = 3
_NEAREST_CHARACTERS = 240
_WHY = {
    "empty_corpus": "there are no articles to answer from; add some with `qa ingest PATH`",
    "no_match": "no article says anything near it",
    "weak_match": "what the articles say is not close enough to rely on",
    "unread_language": "the reader does not know the language of the question, and no sentence has its words",
}


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
        question=question, as_of=as_of, collection=collection, filters=filters, mode=mode, max_citations=max_citations
    )
    with waiting("looking for an answer"):
        answer = _answer(asked)
    if as_json:
        print_json(answer)
        return

    console().print(lay_out(answer, collection=collection))


def _question(**given: object) -> Question:
    """Hold what was typed against the limits of a question. Raises InvalidQuestion."""
    try:
        return msgspec.convert(given, Question)
    except msgspec.ValidationError as error:
        raise InvalidQuestion(f"the question cannot be used: {error}") from None


def _answer(question: Question) -> Answer:
    from qa.assembly import assemble

    settings = read_settings()
    encoder = load_encoder(settings)
    with (
        tracing(settings.otel_endpoint, texts=settings.otel_texts),
        opened(settings, encoder, read_only=True) as corpus,
    ):
        return asyncio.run(_asked(question, corpus, assemble(settings, encoder=encoder, checks=False)))


async def _asked(question: Question, corpus: Corpus, assembly: Assembly) -> Answer:
    """The answer; a generator belongs to one event loop and is closed on it."""
    try:
        with part("answer") as span:
            answer = await fold(assembly.over(corpus).events(question))
            span.tell(told_of(answer, texts=span.texts))
            return answer
    finally:
        if assembly.generator is not None:
            await assembly.generator.close()


def lay_out(answer: Answer, *, collection: str | None = None) -> Text:
    """Lay out an answer or an abstention; nothing of it can control the terminal."""
    if answer.answer_mode == "abstained":
        return _abstention(answer, collection=collection)
    text = _with_marks(answer)
    for number, citation in enumerate(answer.citations, start=1):
        text.append("\n\n").append_text(_source(number, citation, answer.short_answer))
    if answer.fallback_reason not in {None, "no_model"}:
        said = (
            "The model's draft ends early" if answer.answer_mode == "generated" else "Quoted, not written by the model"
        )
        text.append(f"\n\n{said} ({answer.fallback_reason}).", style=_FAINT)
    for conflict in answer.conflicts:
        text.append(f"\n\nSources disagree: {plain(conflict.note)}")
    return text


def _with_marks(answer: Answer) -> Text:
    """The answer, the short answer in it set off; a number after the words of each source, caveats where need be."""
    text = Text()
    done = 0
    caveats = [(claim.end, 0, CAVEATS[claim.verdict]) for claim in answer.claims]
    numbers = [(citation.end, number, f" [{number}]") for number, citation in enumerate(answer.citations, start=1)]
    short = _place_in_answer(answer)
    for end, _, mark in [*sorted([*caveats, *numbers]), (len(answer.answer), 0, "")]:
        text.append_text(_set_off(answer.answer, (done, end), short, _ANSWER))
        text.append(mark, style=_FAINT)
        done = max(done, end)
    return text


def _place_in_answer(answer: Answer) -> tuple[int, int]:
    """Where in the answer the short answer stands, by the citation it lies in; an empty span where it does not."""
    for citation in answer.citations:
        span = _place_in_quote(citation, answer.short_answer)
        words = citation.cited_text[slice(*span)]
        start = citation.start + span[0]
        if words and answer.answer[start : start + len(words)] == words:
            return start, start + len(words)
    return 0, 0


def _place_in_quote(citation: Citation, short: ShortAnswer | None) -> tuple[int, int]:
    """Where in the cited words the short answer stands; an empty span where it does not."""
    if short is None or (short.article_id, short.article_version) != (citation.article_id, citation.article_version):
        return 0, 0
    start = short.start_char_index - citation.start_char_index
    end = short.end_char_index - citation.start_char_index
    return (start, end) if 0 <= start < end <= len(citation.cited_text) else (0, 0)


def _set_off(text: str, span: tuple[int, int], short: tuple[int, int], style: str) -> Text:
    """The words of a span, those of the short answer among them in a style of their own."""
    start, end = span
    first, last = max(start, short[0]), min(end, short[1])
    if first >= last:
        return Text(plain(text[start:end]), style=style)
    return Text.assemble(
        (plain(text[start:first]), style), (plain(text[first:last]), _SHORT), (plain(text[last:end]), style)
    )


def _source(number: int, citation: Citation, short: ShortAnswer | None) -> Text:
    """Number, title, where and when it was published, then the exact words."""
    text = Text(f"[{number}] {_about(citation)}\n    “", style="")
    place = _place_in_quote(citation, short)
    quote = _set_off(citation.cited_text, (0, len(citation.cited_text)), place, _QUOTE)
    return text.append_text(quote).append("”")


def _abstention(answer: Answer, *, collection: str | None) -> Text:
    reason = _WHY.get(answer.abstain_reason or "", answer.abstain_reason or "no reason given")
    if answer.abstain_reason == "empty_corpus" and answer.filters is not None:
        reason = "no article is left by the filters; `qa articles list --json` shows them as stored"
    elif answer.abstain_reason == "empty_corpus" and collection is not None:
        reason = (
            f"no article is in the collection {plain(collection)!r}; `qa articles list --json` shows which there are"
        )
    text = Text.assemble(("No answer", _ANSWER), f": {reason} ({answer.abstain_reason}).")
    for result in answer.search_results[:_NEAREST]:
        text.append(f"\n\n    {_about(result)}\n    “{shortened(result.text, _NEAREST_CHARACTERS)}”", style=_FAINT)
    return text


def _about(shown: Citation | SearchResult) -> str:
    """Title, source, date and page on one line, the link below them."""
    page = f"p. {shown.page}" if shown.page else ""
    parts = (shown.title or shown.article_id, shown.source, (shown.published_at or "")[:10], page)
    line = " — ".join(shortened(part, 200) for part in parts if part)
    return f"{line}\n    {plain(shown.url)}" if shown.url else line
