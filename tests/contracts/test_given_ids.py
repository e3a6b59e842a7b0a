"""Ids that publishers give count within a collection: several may give the same, over every store (see conftest)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

import pytest

from embeddings.cleaning.identity import MAX_ID, article_id
from embeddings.corpus import Corpus, meant, the_one
from embeddings.encoders import HashingEncoder
from embeddings.errors import AmbiguousId
from embeddings.indexing import index_articles
from embeddings.ingest import IngestedArticle, IngestReport, ingest
from embeddings.types import Article, RawArticle, Where, article_version
from embeddings.usable_corpus import UsableCorpus

MATCH = "The harbour club of Velda won the cup on Sunday. Its keeper Tobin saved three shots."
LATER = "The harbour club of Velda won the cup on Sunday. Its keeper Tobin saved four shots."
FLOOD = "The river Orva burst its banks at Velda on Monday. About 4,200 people left their homes."
COLLECTIONS = ("default", "sport", "world")
IDS = ("m-7", "sport!m-7", "world!m-7")


@pytest.fixture
def corpus(open_corpus: Callable[..., Corpus]) -> Corpus:
    return open_corpus(identity=HashingEncoder.identity)


def sent(corpus: Corpus, *items: RawArticle, collection: str = "default") -> IngestReport:
    return ingest(items, corpus=corpus, encoder=HashingEncoder(), collection=collection)


def put(corpus: Corpus, text: str, *, collection: str = "default", **said: Any) -> tuple[str, str]:
    """Ingest one article; its id and what became of it."""
    (one,) = sent(corpus, RawArticle(text=text, collection=collection, **{"id": "m-7"} | said)).articles
    assert one.collection == collection
    return one.id, one.outcome


def before(corpus: Corpus, name: str, text: str, **said: Any) -> None:
    """Store an article as programs did that kept every given id as it was."""
    article = Article(id=name, version=article_version(text), title="", text=text, **said)
    index_articles([article], corpus=corpus, encoder=HashingEncoder())


def called(corpus: Corpus, name: str, *within: str) -> list[str]:
    return list(meant(corpus, [name], within=within or None)[name])


def test_three_collections_hold_one_id_and_each_its_own_article(corpus: Corpus) -> None:
    for _ in range(2):
        outcomes = [
            put(corpus, text, collection=home) for home, text in zip(COLLECTIONS, (MATCH, LATER, FLOOD), strict=True)
        ]
        if _ == 0:
            assert outcomes == [(name, "added") for name in IDS]
    assert outcomes == [(name, "unchanged") for name in IDS], "the same again"
    assert [corpus.get(name).text for name in IDS] == [MATCH, LATER, FLOOD]  # type: ignore[union-attr]
    assert put(corpus, LATER, collection="world") == ("world!m-7", "updated")
    assert corpus.get("world!m-7", version=article_version(FLOOD)).text == FLOOD  # type: ignore[union-attr]
    assert corpus.get("sport!m-7", version=article_version(FLOOD)) is None, "nor has it another's versions"
    put(corpus, "", collection="sport", status="canceled")
    assert [corpus.get(name).status for name in IDS] == ["usable", "canceled", "usable"]  # type: ignore[union-attr]
    assert corpus.delete(Where(article_ids=("m-7",))) == 1
    assert corpus.homes([*IDS, "none", "x\ud800", "x\0"]) == {"sport!m-7": "sport", "world!m-7": "world"}


def test_an_id_is_understood_as_it_was_given_and_as_it_came_back(corpus: Corpus) -> None:
    put(corpus, MATCH, collection="sport")
    assert put(corpus, MATCH, collection="sport", id="sport!m-7") == ("sport!m-7", "unchanged")
    (one,) = sent(corpus, RawArticle(id="sport!m-7", text=LATER)).articles
    assert (one.id, one.outcome, one.collection) == ("sport!m-7", "updated", "sport"), "it says where it belongs"
    report = sent(corpus, RawArticle(id="sport!m-7", text=FLOOD, collection="world"))
    assert "names another collection than 'world'" in report.rejected[0].reason
    longest = ("c" * 100, "i" * 200)
    name, _ = put(corpus, FLOOD, collection=longest[0], id=longest[1])
    assert len(name) == MAX_ID
    assert corpus.get(name) is not None


def test_names_mean_the_articles_of_the_collections_that_are_read(corpus: Corpus) -> None:
    for home in COLLECTIONS:
        put(corpus, FLOOD, collection=home)
    assert called(corpus, "m-7") == list(IDS)
    assert called(corpus, "m-7", "world") == called(corpus, "world!m-7") == ["world!m-7"]
    assert called(corpus, "default!m-7") == ["m-7"]
    assert called(corpus, "world!m-7", "sport") == called(corpus, "m-7", "elsewhere") == called(corpus, "m\ud800") == []
    with pytest.raises(AmbiguousId, match="default!m-7, sport!m-7, world!m-7"):
        the_one("m-7", meant(corpus, ["m-7"], within=None)["m-7"])
    assert UsableCorpus(corpus).called("m-7") == "m-7", "the article that has it in full"
    two = UsableCorpus(corpus, within=("sport", "world"))
    with pytest.raises(AmbiguousId, match="2 articles have the id 'm-7'"):
        two.called("m-7")
    put(corpus, "", collection="sport", status="withheld")
    assert two.called("m-7") == "world!m-7", "what is kept back is not told of"
    assert UsableCorpus(corpus, within=("sport",)).called("m-7") == "sport!m-7"
    with pytest.raises(AmbiguousId):
        UsableCorpus(corpus, within=("sport", "world"), kept_back=True).called("m-7")


def test_filters_take_given_ids_where_no_article_has_them_in_full(corpus: Corpus) -> None:
    for home in COLLECTIONS:
        put(corpus, FLOOD, collection=home)

    def found(*names: str, within: tuple[str, ...] | None = None, collection: str | None = None) -> list[str]:
        where = Where(article_ids=names, collection=collection)
        return [one.id for one in UsableCorpus(corpus, within=within).scan(where=where, after=None, limit=9)]

    assert found("m-7") == ["m-7"]
    assert found("m-7", within=("sport", "world")) == ["sport!m-7", "world!m-7"]
    assert found("m-7", collection="sport") == found("m-7", within=("sport",)) == ["sport!m-7"]
    assert (
        found("m-7", within=("elsewhere",))
        == found("none")
        == found("m-7", within=("sport",), collection="world")
        == []
    )


def test_a_store_of_before_keeps_its_ids(corpus: Corpus) -> None:
    before(corpus, "m-7", MATCH, collection="sport")
    assert put(corpus, MATCH, collection="sport") == ("m-7", "unchanged")
    assert put(corpus, LATER, collection="sport") == ("m-7", "updated")
    assert put(corpus, LATER, collection="sport", id="sport!m-7") == ("m-7", "unchanged")
    assert put(corpus, FLOOD, collection="world") == ("world!m-7", "added")
    for outcome in ("added", "unchanged"):
        assert put(corpus, FLOOD) == ("default!m-7", outcome), "it would overwrite that of sport"
    assert called(corpus, "m-7", "sport") == called(corpus, "sport!m-7") == ["m-7"]
    assert called(corpus, "m-7", "default") == ["default!m-7"]
    corpus.delete(Where(article_ids=("m-7",)))
    assert put(corpus, FLOOD) == ("default!m-7", "unchanged"), "nor does it change its id when the other goes"
    assert put(corpus, MATCH, collection="sport") == ("sport!m-7", "added")


def test_no_given_id_is_one_that_another_collection_derives(corpus: Corpus) -> None:
    """Else whoever knows an address could learn whether another collection holds what it opens."""
    page = "https://wire.example/velda/cup"
    derived = article_id(collection="sport", url=page, title="", origin="", version="")
    for outcome in ("added", "unchanged"):
        assert put(corpus, FLOOD, id=derived) == (f"default!{derived}", outcome)
    assert put(corpus, MATCH, collection="sport", id=None, url=page) == (derived, "added")
    assert put(corpus, MATCH, collection="sport", id=derived, url=page) == (derived, "unchanged"), "sent back"
    assert put(corpus, "", collection="sport", id=derived, status="withheld") == (derived, "updated")
    before(corpus, own := article_id(collection="world", url=page, title="", origin="", version=""), FLOOD)
    for outcome in ("added", "unchanged"):
        assert put(corpus, MATCH, collection="world", id=None, url=page) == (f"world!{own}", outcome)


def history(draw: random.Random, collection: str) -> list[tuple[Literal["put", "delete"], RawArticle]]:
    """Acts of one publisher: every kind of article under few names, and deletions."""
    acts: list[tuple[Literal["put", "delete"], RawArticle]] = []
    for _ in range(10):
        given = draw.choice(["a", "b", "0" * 20])
        link, title = draw.choice([None, "https://wire.example/a"]), draw.choice(["Cup", "Flood"])
        article = RawArticle(
            id=draw.choice([given, None]),
            text=draw.choice([MATCH, LATER, FLOOD]),
            title=title,
            url=link,
            collection=collection,
            origin="request:1",
        )
        acts.append((draw.choice(["put", "put", "put", "delete"]), article))
    return acts


def done(corpus: Corpus, act: str, article: RawArticle) -> Any:
    """What its publisher is told."""
    reach = (article.collection or "",)
    if act == "put":
        report = ingest([article], corpus=corpus, encoder=HashingEncoder(), within=reach)
        return [told(one) for one in report.articles], report.rejected
    found = meant(corpus, [article.id or "a"], within=reach)[article.id or "a"]
    return list(found), [corpus.delete(Where(article_ids=(one,))) for one in found]


def told(one: IngestedArticle) -> tuple[str, str, str, tuple[str, ...]]:
    return one.id, one.version, one.outcome, one.notes


def test_what_becomes_of_an_article_never_depends_on_other_collections(corpus: Corpus) -> None:
    """Ids, outcomes and notes are those of a collection that is alone, and the same in every store."""
    for number in range(3):
        draw = random.Random(f"given ids {number}")
        acts = {name: history(draw, name) for name in ("default", "sport", "world")}
        turns = [name for name, of_one in acts.items() for _ in of_one]
        draw.shuffle(turns)
        alone: dict[str, list[Any]] = {}
        for name, of_one in acts.items():
            alone[name] = [done(corpus, *act) for act in of_one]
            corpus.delete(Where(collection=name))
        beside: dict[str, list[Any]] = {name: [] for name in acts}
        for name in turns:
            beside[name].append(done(corpus, *acts[name][len(beside[name])]))
        assert beside == alone, number
        held = corpus.scan(where=Where(), after=None, limit=99)
        assert {one.collection for one in held} <= acts.keys()
        for name in acts:
            corpus.delete(Where(collection=name))
