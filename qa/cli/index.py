"""`qa index`: check, remake and measure what searching rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.opening import load_encoder, opened, read_settings
from qa.cli.terminal import plain

if TYPE_CHECKING:
    from embeddings.opening import KeptCorpus
    from embeddings.types import Article
    from embeddings.verification import Finding, Stats

__all__ = ["index"]

_PAGE = 64


@click.group()
def index() -> None:
    """Check, remake or measure the index. It is derived: the store holds the truth."""


@index.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Compare everything stored with its hashes, and the index with the store; exit 1 where something is damaged."""
    import msgspec

    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        findings = corpus.verify()
    damaged = [finding for finding in findings if finding.kind != "index_outdated"]
    if as_json:
        click.echo(msgspec.json.encode(findings))
    else:
        for finding in findings:
            click.echo(_line(finding))
        click.echo(f"{len(damaged)} damaged" if damaged else "Everything is as it was stored.")
    context.exit(1 if damaged else 0)


@index.command()
def rebuild() -> None:
    """Make the index again from the store; articles without passages of the configured encoder are encoded first."""
    from embeddings.ingest import index_articles

    settings = read_settings()
    encoder = load_encoder(settings)
    with opened(settings, encoder) as corpus:
        index_articles(_incomplete(corpus), corpus=corpus, encoder=encoder)
        corpus.rebuild()
        stats = corpus.stats()
    click.echo(_summary(stats))


@index.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def stats(as_json: bool) -> None:
    """Say how much is stored and how large it is."""
    import msgspec

    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        measured = corpus.stats()
    click.echo(msgspec.json.encode(measured) if as_json else _summary(measured))


def _incomplete(corpus: KeptCorpus) -> Iterator[Article]:
    """Articles that lack passages of the encoder the corpus was opened for, or were cut in another way."""
    from embeddings.ingest import fingerprint
    from embeddings.types import Where

    after = None
    while page := corpus.scan(where=Where(), after=after, limit=_PAGE):
        after = page[-1].id
        complete = corpus.fingerprints({article.id for article in page})
        for article in page:
            if complete.get(article.id) != fingerprint(article):
                click.echo(f"encoding {plain(article.title) or article.id}", err=True)
                yield article


def _line(finding: Finding) -> str:
    where, detail, remedy = (" ".join(plain(text).split()) for text in (finding.where, finding.detail, finding.remedy))
    return f"{finding.kind}: {where}: {detail}. What to do: {remedy}"


def _summary(stats: Stats) -> str:
    lines = [
        f"articles      {stats.articles:,} ({stats.versions:,} versions)",
        f"database      {stats.database_bytes / 1e6:,.1f} MB ({stats.engine})",
        f"index         {stats.index_bytes / 1e6:,.1f} MB",
    ]
    for generation in stats.generations:
        identity = generation.identity
        runtime = f"{identity.runtime}, " if identity.runtime else ""
        lines.append(
            f"{'searched' if generation.active else 'in the making':<14}{generation.passages:,} passages of "
            f"{generation.articles:,} articles by {identity.name} ({runtime}{identity.dimension} dimensions, "
            f"revision {identity.revision[:12]})"
        )
    return "\n".join(lines)
