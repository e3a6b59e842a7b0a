"""Embargo, withdrawal and correction: which state an article is in, and that nothing of it is shown meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from embeddings import parsers
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.ingest import IngestReport, ingest
from embeddings.parsers.jsonl import parse_record
from embeddings.types import Article, RawArticle, Rejected, Where
from embeddings.usable_corpus import UsableCorpus, kept_back

URL = "https://daily.example/mayor"
WHOLE = (
    "The mayor of Odda opened the new library on Tuesday. It holds 40,000 books and cost 12 million crowns. "
    "The old one closed in 2019 after a flood."
)
SUMMARY = "The mayor of Odda opened the new library on Tuesday …"


class Archive:
    """A corpus, what arrives in it, and a clock."""

    def __init__(self, corpus: EmbeddedCorpus) -> None:
        self.corpus = corpus
        self.now = datetime(2024, 6, 4, 12, tzinfo=UTC)
        self.usable = UsableCorpus(corpus, now=lambda: self.now)

    def send(self, **record: Any) -> IngestReport:
        """One JSON record, as a request or a line of a file holds it."""
        raw = parse_record(json.dumps(record).encode(), origin="request:1")
        return ingest([raw], corpus=self.corpus, encoder=HashingEncoder())

    def outcome(self, **record: Any) -> str:
        return self.send(**record).articles[0].outcome

    def read(self, path: Path) -> IngestReport:
        return ingest(parsers.read(path), corpus=self.corpus, encoder=HashingEncoder())

    @property
    def held(self) -> list[Article]:
        return list(self.corpus.scan(where=Where(), after=None, limit=99))

    def shown(self) -> set[str]:
        """Ids of what every way of reading shows; they must agree."""
        everywhere = Where()
        listed = {article.id for article in self.usable.scan(where=everywhere, after=None, limit=99)}
        vector = HashingEncoder().encode_query("library")
        hits = self.usable.search(vector, "mayor library", k=50, where=everywhere)
        for ranked in (hits.dense, hits.lexical):
            found = self.usable.passages([hit.key for hit in ranked])
            assert {passage.passage.article_id for passage in found.values()} == listed
        assert {article.id for article in self.usable.overview(everywhere, newest=99).newest} == listed
        assert self.usable.count(everywhere).articles == len(listed)
        assert {one.id for one in self.held if self.usable.get(one.id)} == listed
        assert {one.id for one in self.held if self.usable.get(one.id, version=one.version)} == listed
        return listed


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    corpus = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity)
    yield Archive(corpus)
    corpus.close()


def test_an_embargo_holds_until_its_moment_and_ends_by_itself(archive: Archive) -> None:
    archive.send(id="a", text=WHOLE, embargoed_until="2024-06-04T15:00:00+02:00")
    archive.send(id="b", text=f"{WHOLE} More.")
    assert archive.shown() == {"b"}
    assert archive.usable.why_not("a") == "embargo"
    archive.now = datetime(2024, 6, 4, 12, 59, 59, 999_999, tzinfo=UTC)
    assert archive.shown() == {"b"}
    archive.now = datetime(2024, 6, 4, 13, tzinfo=UTC)
    assert archive.shown() == {"a", "b"}
    archive.now = datetime(2024, 6, 4, 12, tzinfo=UTC)
    assert archive.shown() == {"b"}, "a filter that was remembered let it through"


@pytest.mark.parametrize("status", ["withheld", "canceled", "cancelled"])
def test_a_withdrawal_holds_for_every_version(archive: Archive, status: str) -> None:
    archive.send(id="a", text=WHOLE)
    archive.send(id="a", text=f"{WHOLE} More.")
    (second,) = archive.held
    assert archive.outcome(id="a", text=f"{WHOLE} Most.", status=status) == "updated"
    assert archive.shown() == set()
    assert archive.corpus.get("a", version=second.version) is not None
    assert archive.usable.get("a", version=second.version) is None
    assert archive.usable.why_not("a") == "withdrawn"
    assert archive.outcome(id="a", text=f"{WHOLE} Most.", status="usable") == "updated"
    assert archive.shown() == {"a"}
    assert archive.usable.get("a", version=second.version) == second


@pytest.mark.parametrize("named", [{"id": "a"}, {"url": URL}, {"url": "http://www.daily.example/mayor/?utm_source=x"}])
def test_a_notice_without_a_text_takes_back_what_it_names(archive: Archive, named: dict[str, str]) -> None:
    archive.send(**({"id": "a"} if "id" in named else {"url": URL}), title="Library", text=WHOLE)
    (held,) = archive.held
    assert archive.outcome(**named, status="canceled") == "updated"
    (article,) = archive.held
    assert (article.status, article.text, article.title) == ("canceled", WHOLE, "Library")
    assert archive.shown() == set()
    assert archive.outcome(**named, status="canceled") == "unchanged"
    assert article.id == held.id


@pytest.mark.parametrize("named", [{"id": "a"}, {"url": URL}])
def test_a_notice_without_a_text_sets_and_lifts_an_embargo_and_brings_back(
    archive: Archive, named: dict[str, str]
) -> None:
    archive.send(**named, title="Library", text=WHOLE)
    (held,) = archive.held
    for said, shown in (
        ({"embargoed_until": "2999-01-01T00:00:00Z"}, set[str]()),
        ({"embargoed_until": "2024-01-01T00:00:00Z"}, {held.id}),
        ({"status": "withheld"}, set[str]()),
        ({"status": "usable"}, {held.id}),
    ):
        assert archive.outcome(**named, **said) == "updated"
        assert archive.shown() == shown
    (article,) = archive.held
    assert (article.text, article.title, article.version) == (WHOLE, "Library", held.version)
    (refused,) = archive.send(id="b", embargoed_until="2999-01-01T00:00:00Z").rejected
    assert "it says an embargo until 2999-01-01T00:00:00Z without a text, of an article that is not" in refused.reason


@pytest.mark.parametrize("named", [{"id": "a"}, {"url": URL}])
def test_a_notice_without_a_text_sets_the_terms_and_nothing_else(archive: Archive, named: dict[str, str]) -> None:
    archive.send(**named, title="Library", text=WHOLE, embargoed_until="2999-01-01T00:00:00Z")
    (held,) = archive.held
    (told,) = archive.send(**named, usage_terms="Not for resale.").articles
    assert (told.outcome, told.notes) == ("updated", ())
    assert archive.held == [msgspec.structs.replace(held, usage_terms="Not for resale.")]
    (refused,) = archive.send(id="b", usage_terms="Not for resale.").rejected
    assert "it says on what terms it may be used without a text, of an article that is not held" in refused.reason


@pytest.mark.parametrize("named", [{"id": "desk"}, {"url": URL}])
def test_a_copy_under_another_id_that_goes_on_being_shown_is_named(archive: Archive, named: dict[str, str]) -> None:
    """A feed brought it by its link, the desk by an id: taken back under one name, it stands under the other."""
    archive.send(url=URL, title="Library", text=WHOLE)
    archive.send(id="desk", url=URL, title="Library", text=WHOLE)
    archive.send(id="else", collection="wire", text=WHOLE)
    (told,) = archive.send(**named, status="withheld").articles
    (copy,) = archive.shown() - {"wire!else"}
    (note,) = told.notes
    assert note.startswith(f"the same text is held as {copy}, wire!else, too, where this does not hold: say it of that")
    archive.send(id="else", collection="wire", status="withheld")
    (told,) = archive.send(id=copy, status="withheld").articles
    assert (told.notes, archive.shown()) == ((), set())


@pytest.mark.parametrize("named", [{"id": "b"}, {"url": "https://daily.example/other"}, {}])
def test_a_notice_that_names_nothing_held_is_refused_with_a_reason(archive: Archive, named: dict[str, str]) -> None:
    archive.send(id="a", text=WHOLE)
    (refused,) = archive.send(**named, status="withheld").rejected
    assert "it says withheld without a text, of an article that is not held" in refused.reason
    assert archive.shown() == {"a"}


@pytest.mark.parametrize("named", [{"id": "a"}, {"url": URL}, {"title": "Library", "published_at": "2024-06-03"}, {}])
def test_what_says_nothing_of_its_state_lifts_neither_embargo_nor_withdrawal(
    archive: Archive, named: dict[str, str]
) -> None:
    """A feed or an export read again knows nothing of what an editor decided."""
    said = {"status": "withheld", "embargoed_until": "2999-01-01T00:00:00Z", "usage_terms": "Not in Norway."}
    archive.send(**named, text=WHOLE, **said)
    assert archive.outcome(**named, text=WHOLE) in {"unchanged", "duplicate"}
    if named:
        assert archive.outcome(**named, text=f"{WHOLE} More was said.") == "updated"
    (article,) = archive.held
    kept = {name: getattr(article, name) for name in said}
    assert kept == said
    assert archive.shown() == set()


def test_the_same_text_under_no_name_is_taken_back_with_the_article_that_holds_it(archive: Archive) -> None:
    archive.send(id="a", text=WHOLE)
    assert archive.outcome(text=WHOLE, title="Other", status="canceled") == "updated"
    assert archive.shown() == set()


def test_an_older_version_replaces_nothing_but_its_withdrawal_holds(archive: Archive) -> None:
    archive.send(id="a", text=WHOLE, published_at="2024-06-04")
    older = {"id": "a", "text": "The mayor will open it.", "published_at": "2024-06-01"}
    assert archive.outcome(**older) == "unchanged"
    assert archive.shown() == {"a"}
    assert archive.outcome(**older, status="withheld") == "updated"
    (article,) = archive.held
    assert (article.text, article.status, article.published_at) == (WHOLE, "withheld", "2024-06-04")
    assert archive.outcome(**older, status="usable") == "unchanged"
    assert archive.shown() == set()


@pytest.mark.parametrize("until", ["next week", "2024-06-04", "2024-06-04T10:30:00", "99999-01-01T00:00:00Z"])
def test_an_embargo_that_cannot_be_told_is_refused(archive: Archive, until: str) -> None:
    (refused,) = archive.send(id="a", text=WHOLE, embargoed_until=until).rejected
    assert "write it with its time zone" in refused.reason


def test_a_state_that_is_not_known_is_refused_and_one_that_is_no_word_passed_over(archive: Archive) -> None:
    (refused,) = archive.send(id="a", text=WHOLE, status="draft").rejected
    assert "'draft' is none of usable, withheld and canceled" in refused.reason
    assert archive.outcome(id="a", text=WHOLE, status=200) == "added"
    assert archive.shown() == {"a"}


def test_fields_travel_from_json_and_csv_to_the_article(archive: Archive, tmp_path: Path) -> None:
    record = {"section": "City", "usage_terms": "Online only.", "embargoed_until": "2024-06-04T10:00:00+02:00"}
    archive.send(id="a", text=WHOLE, **record)
    table = tmp_path / "a.csv"
    table.write_text(
        "id,text,Section,Usage terms,embargoed_until,status\n"
        f'b,"{WHOLE} More.",City,Online only.,2024-06-04T08:00:00Z,withheld\n'
        "a,,,,,canceled\n"
    )
    assert not archive.read(table).rejected
    first, second = archive.held
    for article in (first, second):
        said = (article.section, article.usage_terms, article.embargoed_until)
        assert said == ("City", "Online only.", "2024-06-04T08:00:00Z")
    assert (first.status, second.status) == ("canceled", "withheld")


def test_the_state_is_of_the_article_given(archive: Archive) -> None:
    archive.send(id="a", text=WHOLE, embargoed_until="2024-06-04T13:00:00Z")
    (article,) = archive.held
    assert kept_back(article, at=archive.now) == "embargo"
    assert kept_back(article, at=datetime(2024, 6, 4, 13, tzinfo=UTC)) is None


# Feeds and the articles that they summarise.

FEED = """<rss version="2.0"><channel><title>Daily</title><item><title>{title}</title><link>{url}</link>
<pubDate>{date}</pubDate><description>{text}</description></item></channel></rss>"""
LONG = f"{WHOLE} " + " ".join(f"Reader number {n} borrowed a book about the sea." for n in range(30))


@pytest.fixture
def feed(tmp_path: Path, archive: Archive) -> Any:
    def read(text: str, *, title: str = "Library opens", date: str = "Tue, 04 Jun 2024 10:00:00 GMT") -> IngestReport:
        path = tmp_path / "feed.xml"
        path.write_text(FEED.format(title=title, url=URL, text=text, date=date))
        return archive.read(path)

    return read


def test_a_summary_never_takes_the_place_of_the_article(archive: Archive, feed: Any) -> None:
    archive.send(url=URL, title="Library opens", text=LONG, published_at="2024-06-04")
    for title in ("Library opens", "Something else altogether"):
        (told,) = feed(SUMMARY, title=title, date="Wed, 05 Jun 2024 10:00:00 GMT").articles
        assert told.outcome == "unchanged"
        assert "it is a feed's summary of the article held, which stays" in told.notes
    (article,) = archive.held
    assert (article.text, article.summary_only, article.published_at) == (LONG, False, "2024-06-04")


def test_the_article_takes_the_place_of_its_summary_whatever_the_dates_say(archive: Archive, feed: Any) -> None:
    assert feed(SUMMARY).articles[0].outcome == "added"
    assert archive.held[0].summary_only
    assert feed("Odda's mayor opens a library; read more").articles[0].outcome == "updated"
    outcome = archive.outcome(url=URL, title="New library for Odda", text=LONG, published_at="2024-06-03")
    assert outcome == "updated"
    (article,) = archive.held
    assert (article.text, article.summary_only) == (LONG, False)
    assert feed(SUMMARY).articles[0].outcome == "unchanged"


def test_a_feed_that_holds_whole_articles_brings_their_new_versions(archive: Archive, feed: Any) -> None:
    assert [feed(text).articles[0].outcome for text in (LONG, LONG, f"{LONG} It rained.")] == [
        "added",
        "unchanged",
        "updated",
    ]
    assert not archive.held[0].summary_only


# Stores made before these rules.


def older_store(folder: Path) -> None:
    """Take from a store the columns that it lacked before there were rights."""
    with sqlite3.connect(folder / "store.db") as db:
        db.execute("DROP INDEX restricted")
        for column in ("section", "language", "status", "embargoed"):
            db.execute(f"ALTER TABLE articles DROP COLUMN {column}")
    db.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_an_older_store_is_read_and_written_as_it_is(tmp_path: Path, read_only: bool) -> None:
    folder = tmp_path / "data"
    corpus = EmbeddedCorpus.open(folder, identity=HashingEncoder.identity)
    raw = RawArticle(id="a", text=WHOLE, language="en-GB")
    ingest([raw], corpus=corpus, encoder=HashingEncoder())
    corpus.close()
    older_store(folder)
    corpus = EmbeddedCorpus.open(folder, identity=HashingEncoder.identity, read_only=read_only)
    archive = Archive(corpus)
    assert archive.shown() == {"a"}
    english = corpus.scan(where=Where(languages=("en",)), after=None, limit=9)
    assert [article.id for article in english] == ["a"]
    writer = corpus
    if read_only:
        writer = EmbeddedCorpus.open(folder, identity=HashingEncoder.identity)
    ingest([RawArticle(id="a", text="", status="withheld")], corpus=writer, encoder=HashingEncoder())
    assert archive.shown() == set(), "what another process withdrew is shown"
    assert [found for found in writer.verify() if found.kind != "index_outdated"] == []
    corpus.close()
    writer.close()


def test_a_withdrawal_survives_a_restart_and_is_verified(archive: Archive, tmp_path: Path) -> None:
    archive.send(id="a", text=WHOLE, status="canceled")
    archive.corpus.close()
    with sqlite3.connect(tmp_path / "data/store.db") as db:
        db.execute("UPDATE articles SET status = 'usable'")
    db.close()
    corpus = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity)
    (finding,) = corpus.verify()
    assert "state" in finding.detail
    assert UsableCorpus(corpus).get("a") is None
    corpus.close()


def test_a_rejected_record_is_no_notice() -> None:
    refused = parse_record(b'{"status": "usable", "id": "a", "section": "city"}', origin="x")
    assert isinstance(refused, Rejected)
    assert "`text`; without it, `id` or `url` with nothing but `status`, `embargoed_until` or" in refused.reason
    assert isinstance(parse_record(b'{"status": "usable", "id": "a", "title": "Library"}', origin="x"), Rejected)
    assert isinstance(parse_record(b'{"embargoed_until": "2999-01-01T00:00:00Z", "title": "a"}', origin="x"), Rejected)
