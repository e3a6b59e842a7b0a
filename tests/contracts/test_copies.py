"""A withdrawal and copies of the article it names: named, or taken back with it, over every store (see conftest)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from embeddings.cleaning.identity import page_keys
from embeddings.corpus import Corpus
from embeddings.encoders import HashingEncoder
from embeddings.ingest import IngestReport, ingest
from embeddings.parsers.jsonl import parse_record
from embeddings.types import Where

URL = "https://daily.example/mayor"
SAME = "http://m.daily.example/mayor/?utm_source=feed"
TEXT = "The mayor of Odda opened the new library on Tuesday. It holds 40,000 books and cost 12 million crowns."
LONGER = f"{TEXT} The old one closed in 2019 after a flood."
OTHER = "A bakery in Torsby bakes with acorn flour again. Its mill had stood still since the war, the owner said."
LATER = "2999-01-01T00:00:00Z"


class Archive:
    """A corpus and what arrives in it."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus

    def send(self, *records: dict[str, Any], within: tuple[str, ...] | None = None) -> IngestReport:
        raw = [parse_record(json.dumps(one).encode(), origin=f"request:{n}") for n, one in enumerate(records, 1)]
        return ingest(raw, corpus=self.corpus, encoder=HashingEncoder(), within=within)

    def states(self) -> dict[str, str]:
        """Of every article, what holds of it."""
        held = self.corpus.scan(where=Where(), after=None, limit=99)
        return {one.id: one.embargoed_until or one.status for one in held}


@pytest.fixture
def archive(open_corpus: Callable[..., Corpus]) -> Archive:
    """The feed's article, the desk's of that page in more words, a copy in each of two collections, and two others."""
    found = Archive(open_corpus(identity=HashingEncoder.identity))
    report = found.send(
        {"url": URL, "title": "Library", "text": TEXT},
        {"id": "desk", "url": SAME, "title": "Library opens", "text": LONGER},
        {"id": "agency", "collection": "wire", "text": TEXT},
        {"url": SAME, "collection": "city", "title": "Library", "text": LONGER},
        {"id": "wrong", "collection": "wire", "url": URL, "title": "Acorns", "text": OTHER},
        {"id": "far", "url": "https://daily.example/other", "text": OTHER},
    )
    assert not report.rejected
    return found


def feeds(archive: Archive, home: str = "default") -> str:
    """The id of the article that has none of its own."""
    (found,) = (
        one.id for one in archive.corpus.scan(where=Where(collection=home), after=None, limit=99) if len(one.id) == 20
    )
    return found


def test_copies_that_go_on_being_shown_are_named_wherever_they_are(archive: Archive) -> None:
    """Over addresses of one page, other words and other collections; a page with a wrong address is no copy."""
    (told,) = archive.send({"url": URL, "status": "withheld"}).articles
    (note,) = told.notes
    assert note.startswith("the same story is held as ")
    named = {"desk", "wire!agency", f"{feeds(archive, 'city')} (in city)"}
    assert set(note.removeprefix("the same story is held as ").partition(", too, where")[0].split(", ")) == named
    assert [one for one, state in archive.states().items() if state != "usable"] == [told.id]
    (again,) = archive.send({"url": URL, "status": "withheld"}).articles
    assert (again.outcome, again.notes) == ("unchanged", told.notes), "told once, it would be forgotten"


@pytest.mark.parametrize("named", [{"url": SAME}, {"id": "desk"}, {"id": "agency", "collection": "wire"}])
def test_a_notice_that_speaks_for_copies_takes_them_back_and_brings_them_back(
    archive: Archive, named: dict[str, str]
) -> None:
    reached = {"desk", feeds(archive), "wire!agency", feeds(archive, "city")}  # copies of copies, too
    for state, said in (("withheld", {"status": "withheld"}), ("usable", {"status": "usable"}), (LATER, {})):
        record = {**named, **(said or {"embargoed_until": LATER}), "copies": True}
        report = archive.send(record)
        assert {one.id for one in report.articles} == reached
        assert {one.outcome for one in report.articles} == {"updated"}
        assert {one.origin for one in report.articles} == {"request:1"}
        assert all(one.notes for one in report.articles[1:])
        assert {one for one, now in archive.states().items() if now == state} >= reached
        assert {archive.states()[one] for one in ("wire!wrong", "far")} == {"usable"}
        assert {one.outcome for one in archive.send(record).articles} == {"unchanged"}


def test_what_is_out_of_reach_is_neither_named_nor_touched(archive: Archive) -> None:
    mine = ("default",)
    (told,) = archive.send({"url": URL, "status": "withheld"}, within=mine).articles
    assert told.notes == (
        "the same story is held as desk, too, where this does not hold: say it of that as well, or send `copies`",
    )
    report = archive.send({"url": URL, "status": "canceled", "copies": True}, within=mine)
    assert {one.id for one in report.articles} == {told.id, "desk"}
    assert archive.states()["wire!agency"] == archive.states()[feeds(archive, "city")] == "usable"


def test_an_address_that_only_articles_with_ids_have_names_them(archive: Archive) -> None:
    """Nothing is held under the link itself: the desk gave its article an id."""
    page = "https://daily.example/roof"
    archive.send({"id": "roof", "url": page, "title": "Roof", "text": f"{OTHER} The roof is new."})
    (refused,) = archive.send({"url": page, "status": "withheld"}).rejected
    assert refused.reason.endswith("; articles of that page are roof: name these, or send `copies`")
    (told,) = archive.send({"url": page, "status": "withheld", "copies": True}).articles
    assert (told.id, archive.states()["roof"]) == ("roof", "withheld")


def test_a_text_that_comes_with_its_withdrawal_takes_its_copies_back(archive: Archive) -> None:
    record = {"url": URL, "title": "Library", "text": f"{TEXT} It opens at nine.", "status": "withheld", "copies": True}
    report = archive.send(record, {"id": "new", "url": URL, "title": "Library", "text": TEXT})
    states = archive.states()
    assert {states[one] for one in (feeds(archive), "desk", feeds(archive, "city"))} == {"withheld"}
    assert states["new"] == "usable", "what comes later speaks for itself"
    assert len(report.articles) == 4


def test_copies_of_one_request_are_found(archive: Archive) -> None:
    page = "https://daily.example/pier"
    text = "The pier of Odda is closed from Monday. Two of its 31 piles are cracked, the harbour master said."
    report = archive.send(
        {"id": "one", "url": page, "text": text},
        {"id": "two", "collection": "wire", "url": page, "text": text},
        {"id": "one", "status": "withheld", "copies": True},
    )
    assert not report.rejected
    assert {archive.states()[one] for one in ("one", "wire!two")} == {"withheld"}


def test_copies_of_one_request_are_found_by_their_text_alone(archive: Archive) -> None:
    """All of them, in each collection: none is written yet when the last line takes them back."""
    text = "The pier of Odda is closed from Monday. Two of its 31 piles are cracked, the harbour master said."
    report = archive.send(
        {"id": "one", "text": text},
        {"id": "two", "text": text},
        {"id": "three", "collection": "wire", "text": text},
        {"id": "four", "text": text},
        {"id": "four", "status": "withheld", "copies": True},
    )
    assert not report.rejected
    assert {archive.states()[one] for one in ("one", "two", "wire!three", "four")} == {"withheld"}


def test_a_story_told_anew_at_its_address_is_a_copy_whenever_it_was_dated(archive: Archive) -> None:
    page = "https://daily.example/pier"
    text = "The pier of Odda is closed from Monday. Two of its 31 piles are cracked, the harbour master {} said."
    archive.send(
        {"url": page, "title": "Pier", "text": text.format("Vera Lund"), "published_at": "2024-05-01"},
        {"id": "pier", "url": page, "title": "Pier", "text": text.format("Nora Ek"), "published_at": "2024-05-09"},
    )
    (told,) = archive.send({"id": "pier", "status": "withheld"}).articles
    assert told.notes, "the other one goes on being shown"
    archive.send({"url": page, "status": "withheld", "copies": True})
    assert "usable" not in {
        one.status for one in archive.corpus.scan(where=Where(), after=None, limit=99) if one.url and "pier" in one.url
    }


def test_a_text_that_many_hold_is_asked_for_once(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "This story was withdrawn" may stand in a thousand: each of them asked for all others took minutes."""
    many = ({"id": f"stub{n}", "url": f"https://daily.example/{n}", "text": OTHER} for n in range(30))
    archive.send(*many)
    asked: list[None] = []
    holders = archive.corpus.holders

    def counted(versions: Collection[str], *, collection: str | None) -> Mapping[str, tuple[str, ...]]:
        asked.extend([None] if collection is None else [])
        return holders(versions, collection=collection)

    monkeypatch.setattr(archive.corpus, "holders", counted)
    (told,) = archive.send({"id": "stub1", "status": "withheld"}).articles
    assert "and 26 more" in told.notes[0]
    assert len(asked) == 1


def test_an_earlier_version_brings_no_copies_back(archive: Archive) -> None:
    """It is dated before the one that was taken back, which stays so."""
    archive.send({"id": "agency", "collection": "wire", "text": TEXT, "published_at": "2024-05-02"})
    archive.send({"id": "agency", "collection": "wire", "status": "withheld", "copies": True})
    earlier = {"id": "agency", "collection": "wire", "text": f"{TEXT} It opens at nine.", "published_at": "2024-05-01"}
    archive.send({**earlier, "status": "usable", "copies": True})
    assert {archive.states()[one] for one in ("wire!agency", feeds(archive), "desk")} == {"withheld"}
    (told,) = archive.send({**earlier, "embargoed_until": LATER}).articles
    assert (told.outcome, archive.states()["wire!agency"]) == ("updated", LATER), "it may be shown no sooner"


def test_another_word_under_the_name_says_nothing_of_copies(archive: Archive) -> None:
    (told,) = archive.send({"id": "desk", "status": "withheld", "copies": 12}).articles
    assert told.id == "desk"
    assert archive.states()[feeds(archive)] == "usable"


def test_pages_are_known_whatever_their_address() -> None:
    assert page_keys(URL) == page_keys("https://www.daily.example/mayor/")
    assert page_keys("https://daily.example/") == page_keys(None) == ()


@pytest.mark.parametrize("link", [URL, f"{URL}?mod=rss"])
def test_a_notice_finds_an_article_at_another_form_of_its_link(archive: Archive, link: str) -> None:
    """Also the other way round, and at the link itself; one that names another page finds nothing."""
    archive.send({"url": "https://daily.example/ferry?cid=social", "title": "Ferry", "text": OTHER})
    for url in (link, "https://daily.example/ferry", "https://daily.example/ferry?cid=social"):
        report = archive.send({"url": url, "status": "withheld"})
        assert not report.rejected, url
    assert archive.send({"url": f"{URL}?topic=facebook", "status": "withheld"}).rejected
