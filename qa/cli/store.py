"""`qa store`, `qa index`, `qa backup` and `qa restore`: copy, verify, rebuild, measure and back up the store.

The index is derived, the store holds the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from qa.cli.terminal import load_encoder, opened, plain, print_json, read_settings
from qa.errors import SettingsError

if TYPE_CHECKING:
    from embeddings.integrity import Finding, Stats
    from embeddings.opening import Backup, CopyReport, KeptCorpus
    from embeddings.types import Article, Place
    from qa.conversations.migration import RecordsReport
    from qa.settings import Settings

_NOT_VERIFIED = 1
_MOST_NAMED = 20
_PAGE = 64
_ROUNDS = 10
_SOUND = "Everything is as it was stored."
_SOUND_BUT_BEHIND = (
    f"{_SOUND} The files of the index are behind it, as they are while a service runs: that holds what is newer in "
    "memory."
)


@click.group()
def store() -> None:
    """Move articles from one store to another: a folder, or a database on a PostgreSQL server."""


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--articles-only", is_flag=True, help="Leave out conversations, feedback and reviews.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def copy(context: click.Context, source: str, target: str, articles_only: bool, as_json: bool) -> None:
    """Copy every article with its versions, passages and vectors, then conversations, feedback and reviews.

    Nothing is encoded. In the end the two are compared.

    FROM and TO are folders or addresses (postgresql://...); the words QA_DATA_DIR and QA_STORE stand for what these
    settings say, so that no password need stand here. FROM may serve meanwhile. The same command goes on after an
    interruption. Exit code 1: the two are not the same; what differs is told.
    """
    from embeddings.opening import active_identity, open_corpus
    from embeddings.opening import copy as bring_over

    settings = read_settings()
    there, here = _place(target, settings), _place(source, settings)
    if there == here:
        raise click.UsageError("FROM and TO are the same store")
    identity = active_identity(here)
    if identity is None:
        raise click.UsageError(f"there is nothing in {here}")
    with (
        closing(open_corpus(here, identity=identity, read_only=True)) as read,
        closing(open_corpus(there, identity=identity)) as written,
    ):
        report = bring_over(read, written, progress=lambda seen: click.echo(f"{seen:,} articles", err=True))
    records = None if articles_only else _copied_records(here, there)
    if as_json:
        import msgspec

        print_json({**msgspec.structs.asdict(report), "records": records})
    else:
        _print(report, records)
    context.exit(0 if report.verified and (records is None or records.verified) else _NOT_VERIFIED)


def _copied_records(here: Place, there: Place) -> RecordsReport:
    """Bring conversations, feedback and reviews over, where there are any."""
    from qa.conversations.migration import RecordsReport, copy_records, open_source, open_target

    source = open_source(here)
    if source is None:
        return RecordsReport()
    with closing(source), closing(open_target(there)) as target:
        return copy_records(source, target)


def _place(text: str, settings: Settings) -> Place:
    """What a word on the command line means."""
    import msgspec

    from embeddings.types import is_server

    if text == "QA_STORE":
        if not settings.store:
            raise click.UsageError("QA_STORE is not set")
        return settings.place
    if is_server(text):
        return msgspec.structs.replace(settings.place, server=text, replicas=())
    folder = settings.data_dir if text == "QA_DATA_DIR" else Path(text)
    return msgspec.structs.replace(settings.place, server="", folder=folder)


def _print(report: CopyReport, records: RecordsReport | None) -> None:
    click.echo(f"copied     {report.copied:>7,} articles; {report.target.articles:,} are there now")
    click.echo(f"searches   {report.searches:>7,}: {report.alike:.1%} of the first passages are the same")
    if records is not None:
        click.echo(
            f"and        {records.turns:>7,} answers of conversations, {records.feedback:,} verdicts, "
            f"{records.reviews:,} reviews"
        )
    for name in report.left_out[:_MOST_NAMED]:
        click.echo(f"left out: {name!r} is damaged or not encoded; ingest it again (`qa index verify`)", err=True)
    if len(report.left_out) > _MOST_NAMED:
        click.echo(f"... and {len(report.left_out) - _MOST_NAMED:,} more; --json lists all", err=True)
    for count, what in (
        (report.different, "articles are not the same in both, or in the target alone"),
        (report.versions_missing, "earlier versions are missing in the target"),
        (records.different if records else 0, "answers, verdicts or reviews are in one of them alone, or not the same"),
    ):
        if count:
            click.echo(f"{count:,} {what}", err=True)
    same = report.verified and (records is None or records.verified)
    click.echo("Both hold the same." if same else "The two are NOT the same.")


@click.group()
def index() -> None:
    """Check, remake or measure the index. It is derived: the store holds the truth."""


@index.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Compare everything stored with its hashes, and the index with the store; exit 1 where something is damaged."""
    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        findings = corpus.verify()
    damaged = [finding for finding in findings if finding.kind != "index_outdated"]
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            click.echo(_line(finding))
        click.echo(f"{len(damaged)} damaged" if damaged else _SOUND if not findings else _SOUND_BUT_BEHIND)
    context.exit(1 if damaged else 0)


@index.command()
def rebuild() -> None:
    """Make the index again from the store; articles without passages of the configured encoder are encoded first."""
    from embeddings.ingest import index_articles

    settings = read_settings()
    encoder = load_encoder(settings)
    with opened(settings, encoder) as corpus:
        for _ in range(_ROUNDS):  # what services change meanwhile is left to the next one
            index_articles(_incomplete(corpus), corpus=corpus, encoder=encoder, write=corpus.encode_anew)
            if {each.identity for each in corpus.stats().generations if each.active} <= {encoder.identity}:
                break
        corpus.rebuild()
        stats = corpus.stats()
    click.echo(_summary(stats))


@index.command()
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def stats(as_json: bool) -> None:
    """Say how much is stored and how large it is."""
    settings = read_settings()
    with opened(settings, load_encoder(settings), read_only=True) as corpus:
        measured = corpus.stats()
    if as_json:
        print_json(measured)
    else:
        click.echo(_summary(measured))


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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Copy what QA_DATA_DIR keeps into a new folder, also while the service runs.

    That is articles, conversations, feedback, and how far feeds and watched folders were read; indexes are made again,
    keys for visitors' tokens anew.
    """
    from embeddings.opening import back_up
    from qa.conversations.database import FILE as CONVERSATIONS
    from qa.sources.ledger import FILE as SOURCES

    settings = read_settings()
    _require_folder(settings)
    # What speaks of articles before these: nothing is noted as read, or cited, that the copy does not hold.
    _told("backed up", back_up(settings.data_dir, folder, names=(SOURCES, CONVERSATIONS, "store.db")))


def _require_folder(settings: Settings) -> None:
    """Raise SettingsError where the articles are not in the folder."""
    if settings.store:
        raise SettingsError(
            "QA_STORE names a server: back it up with its own tools (pg_dump, pg_basebackup; docs/postgresql.md). For "
            "the folder in QA_DATA_DIR, run this without QA_STORE"
        )


def _told(what: str, made: Backup) -> None:
    """Say which files were copied."""
    for file in made.files:
        click.echo(f"{what} {file.name} ({file.size / 1e6:,.1f} MB)")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put what `qa backup` copied into QA_DATA_DIR, which must be empty of it; hashes are checked first."""
    from embeddings.opening import restore as put_back

    settings = read_settings()
    _require_folder(settings)
    _told("restored", put_back(folder, settings.data_dir))
