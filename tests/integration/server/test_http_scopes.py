"""Keys with a scope and tokens for one collection, over HTTP: what each opens, and what is said where it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from embeddings.types import RawArticle
from qa.answers import ABSTENTION
from qa.settings import Settings
from qa.sources.delivery import ToService
from qa.sources.fetching import NotDelivered

Serve = Callable[..., AbstractContextManager[httpx.Client]]

SCOPES = {
    "all": "",
    "asks": ":ask",
    "ingests": ":ingest",
    "admins": ":admin",
    "world": ":ask+ingest+admin:world",
    "both": ":ask+ingest:sport+world",
}
ORIGINS = "https://news.example,https://sport.example,https://all.example"
MAPPED = "https://news.example=world,https://sport.example=sport,https://all.example=*"
HARBOUR = "The harbour of Velda reopened on Monday. About 4,200 people work there."
PIER = "The pier of Odda is closed from Monday. Two of its 31 piles are cracked, a diver found."
MATCH = "The harbour club of Velda won the cup on Sunday. Its keeper Tobin saved three shots."


def settings_of(folder: Path, scopes: dict[str, str], **more: Any) -> Settings:
    hashes = {name: hashlib.sha256(f"key-of-{name}-0123456789".encode()).hexdigest() for name in scopes}
    return Settings(
        data_dir=folder,
        encoder="hashing",
        reader="words",
        visitor_rate=0,
        api_keys=",".join(f"{name}:sha256:{hashes[name]}{scope}" for name, scope in scopes.items()),
        **{"allowed_origins": ORIGINS, "origin_collections": MAPPED} | more,
    )


def key(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer key-of-{name}-0123456789"}


@pytest.fixture(scope="module")
def client(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serve(settings_of(tmp_path_factory.mktemp("data"), SCOPES)) as found:
        articles = [
            {"id": "harbour", "title": "Harbour", "text": HARBOUR, "collection": "world"},
            {"id": "match", "title": "Cup", "text": MATCH, "collection": "sport"},
        ]
        found.post("/api/articles", json=articles, headers=key("all")).raise_for_status()
        yield found


def test_a_key_takes_back_copies_where_it_may_write_and_learns_of_no_others(client: httpx.Client) -> None:
    sent = [{"id": "pier", "title": "Pier", "text": PIER, "collection": home} for home in ("world", "sport")]
    client.post("/api/articles", json=sent, headers=key("all")).raise_for_status()
    notice = {"id": "pier", "collection": "world", "status": "withheld"}
    for more in ({}, {"copies": True}):
        report = client.post("/api/articles", json={**notice, **more}, headers=key("world")).raise_for_status()
        assert [one["id"] for one in report.json()["articles"]] == ["world!pier"]
        assert "sport" not in report.text
    assert client.get("/api/articles/sport!pier", headers=key("all")).status_code == 200
    report = client.post("/api/articles", json={**notice, "copies": True}, headers=key("both")).raise_for_status()
    assert {one["id"] for one in report.json()["articles"]} == {"world!pier", "sport!pier"}
    assert client.get("/api/articles/sport!pier", headers=key("all")).status_code == 404


def page(client: httpx.Client, origin: str, *, by: str | None = None, **wanted: Any) -> httpx.Response:
    """Ask for a token, as the page itself or with a key."""
    if by is None:
        return client.post("/api/tokens", json=wanted, headers={"origin": origin})
    return client.post("/api/tokens", json={"origin": origin, **wanted}, headers=key(by))


def visitor(client: httpx.Client, origin: str, **wanted: Any) -> dict[str, str]:
    token = page(client, origin, **wanted).raise_for_status().json()["token"]
    return {"origin": origin, "authorization": f"Bearer {token}"}


def found(client: httpx.Client, by: dict[str, str], **more: Any) -> set[str]:
    """Ids of the articles that a search of the harbour gives."""
    asked = {"question": "What happened at the harbour of Velda?", **more}
    response = client.post("/api/search", json=asked, headers=by)
    assert response.status_code == 200, response.text
    return {one["article_id"] for one in response.json()["search_results"]}


CHAT = {"model": "sourceline", "messages": [{"role": "user", "content": "Who?"}]}
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/api/ask", {"question": "Who works there?"}, {"asks"}),
    ("POST", "/api/search", {"question": "Who works there?"}, {"asks"}),
    ("POST", "/api/check", {"text": "It reopened.", "against": [{"text": HARBOUR}]}, {"asks"}),
    ("POST", "/v1/chat/completions", CHAT, {"asks"}),
    ("GET", "/v1/models", None, {"asks"}),
    ("GET", "/api/starters", None, {"asks"}),
    ("GET", "/api/conversations", None, {"asks"}),
    ("POST", "/api/tokens", {"origin": "https://all.example"}, {"asks"}),
    ("GET", "/api/articles/harbour", None, {"asks", "ingests", "admins"}),
    ("GET", "/api/articles", None, {"ingests", "admins"}),
    ("POST", "/api/articles", {"id": "new", "text": "It rained in Velda."}, {"ingests"}),
    ("DELETE", "/api/articles/new", None, {"ingests"}),
    ("GET", "/api/feedback", None, {"admins", "world"}),
    ("GET", "/metrics", None, {"admins"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "opens"), ROUTES)
def test_a_key_opens_what_it_may_do(
    client: httpx.Client, check_problem: Any, method: str, path: str, body: Any, opens: set[str]
) -> None:
    names = ["asks", "ingests", "admins"] + ["world"] * (path in {"/api/feedback", "/metrics"})
    for name in names:
        response = client.request(method, path, json=body, headers=key(name))
        if name in opens:
            assert response.status_code < 300, (name, response.text)
        else:
            detail = check_problem(response, "not-allowed").detail
            assert f"the key {name} may " in detail
            assert "this needs a key that may " in detail
    assert client.request(method, path, json=body, headers=key("all")).status_code in {200, 204, 404}


def test_a_question_without_a_collection_searches_what_the_key_reads(client: httpx.Client, check_problem: Any) -> None:
    assert found(client, key("all")) == found(client, key("both")) == {"world!harbour", "sport!match"}
    assert found(client, key("world")) == found(client, key("both"), collection="world") == {"world!harbour"}
    for other in ("sport", "no-such"):
        refused = client.post("/api/ask", json={"question": "Who won?", "collection": other}, headers=key("world"))
        told = check_problem(refused, "not-allowed").detail
        assert told.startswith(
            f"what was shown opens the collection world and not {other!r}: name one of these or none"
        )
        listed = client.get("/api/articles", params={"collection": other}, headers=key("world"))
        check_problem(listed, "not-allowed")


def test_a_collection_without_articles_is_named_to_whoever_may_ask_it(client: httpx.Client) -> None:
    def told(collection: str, **more: object) -> tuple[str, str]:
        asked = {"question": "Who won the cup?", "collection": collection, **more}
        answer = client.post("/api/ask", json=asked, headers=key("all")).raise_for_status().json()
        return answer["answer"], answer["abstain_reason"]

    assert told("wrold") == ("There are no articles in the collection 'wrold'.", "empty_corpus")
    assert told("sport", filters={"source": ["Nobody"]}) == (ABSTENTION, "empty_corpus")
    assert told("world")[0] == ABSTENTION


def test_a_token_reads_its_collection_alone(client: httpx.Client, check_problem: Any) -> None:
    assert found(client, visitor(client, "https://news.example")) == {"world!harbour"}
    assert found(client, visitor(client, "https://sport.example")) == {"sport!match"}
    assert found(client, visitor(client, "https://all.example")) == {"world!harbour", "sport!match"}
    assert found(client, visitor(client, "https://all.example", by="world")) == {"world!harbour"}
    assert found(client, visitor(client, "https://all.example", by="both", collection="sport")) == {"sport!match"}
    assert found(client, visitor(client, "https://news.example", by="both")) == {"world!harbour"}, "that of its origin"
    assert page(client, "https://news.example", by="all", collection="sport").json()["collection"] == "sport"
    mine = visitor(client, "https://news.example")
    check_problem(
        client.post("/api/ask", json={"question": "Who won?", "collection": "sport"}, headers=mine), "not-allowed"
    )
    check_problem(client.get("/api/articles/match", headers=mine), "not-found")


def test_nobody_gets_a_token_for_more_than_he_may_read(client: httpx.Client, check_problem: Any) -> None:
    check_problem(page(client, "https://sport.example", by="world", collection="sport"), "not-allowed")
    assert page(client, "https://sport.example", by="world").json()["collection"] == "world"
    said = check_problem(page(client, "https://all.example", by="both"), "invalid-request")
    assert "sport, world" in said.errors[0].detail
    check_problem(page(client, "https://news.example", collection="sport"), "invalid-request")
    assert page(client, "https://news.example", collection="world").status_code == 200


def test_a_visitor_has_other_conversations_in_each_collection(client: httpx.Client, check_problem: Any) -> None:
    asked = {"question": "How many people work at the harbour of Velda?", "store": True}
    one, other = (
        visitor(client, "https://all.example", by="all", subject="ann", collection=name) for name in ("world", "sport")
    )
    kept = client.post("/api/ask", json=asked, headers=one).json()
    assert kept["citations"]
    place = f"/api/conversations/{kept['conversation_id']}"
    assert client.get(place, headers=one).status_code == 200
    check_problem(client.get(place, headers=other), "not-found")
    link = client.post(f"/api/answers/{kept['id']}/link", headers=one).json()
    shared = f"/api/answers/{kept['id']}?sig={link['sig']}"
    for name in ("all", "world", "both"):
        assert client.get(shared, headers=key(name)).json()["answer"]["citations"] == kept["citations"]
    assert client.get(shared, headers=visitor(client, "https://news.example")).status_code == 200
    check_problem(client.get(shared, headers=visitor(client, "https://sport.example")), "not-found")
    check_problem(client.get(shared.replace(".world", ".sport"), headers=key("all")), "not-found")


def test_two_collections_hold_the_same_id(client: httpx.Client, check_problem: Any) -> None:
    """Each tenant's key acts on its own article; whoever reads both is asked which is meant."""
    for name, text in (("world", HARBOUR), ("sport", MATCH)):
        article = {"id": "front", "text": text, "title": "Front page", "collection": name}
        for outcome in ("added", "unchanged"):
            (one,) = client.post("/api/articles", json=article, headers=key("both")).json()["articles"]
            assert (one["id"], one["outcome"]) == (f"{name}!front", outcome)
    for by in (key("world"), visitor(client, "https://news.example")):
        assert client.get("/api/articles/front", headers=by).json()["text"] == HARBOUR
        check_problem(client.get("/api/articles/sport!front", headers=by), "not-found")
        check_problem(client.get("/api/articles/front", params={"collection": "sport"}, headers=by), "not-allowed")
        assert found(client, by, filters={"article_ids": ["front"]}) == {"world!front"}
    ambiguous = client.get("/api/articles/front", headers=key("both"))
    assert "sport!front, world!front" in check_problem(ambiguous, "ambiguous-id").detail
    for named in (
        {"path": "/api/articles/front", "params": {"collection": "sport"}},
        {"path": "/api/articles/sport!front"},
    ):
        read = client.get(named["path"], params=named.get("params"), headers=key("both")).json()
        assert (read["id"], read["text"], read["collection"]) == ("sport!front", MATCH, "sport")
    check_problem(client.delete("/api/articles/front", headers=key("both")), "ambiguous-id")
    client.delete("/api/articles/front", headers=key("world")).raise_for_status()
    check_problem(client.delete("/api/articles/front", headers=key("world")), "not-found")
    assert client.get("/api/articles/front", headers=key("both")).json()["text"] == MATCH, "there is only one left"
    client.delete("/api/articles/front", params={"collection": "sport"}, headers=key("both")).raise_for_status()


def test_a_key_for_all_deletes_no_other_article_of_the_same_id(client: httpx.Client, check_problem: Any) -> None:
    for name in ("default", "sport"):
        article = {"id": "back", "text": MATCH, "collection": name}
        client.post("/api/articles", json=article, headers=key("all")).raise_for_status()
    assert client.get("/api/articles/back", headers=key("all")).json()["collection"] == "default", "as it is cited"
    told = check_problem(client.delete("/api/articles/back", headers=key("all")), "ambiguous-id").detail
    assert "default!back, sport!back" in told
    client.delete("/api/articles/default!back", headers=key("all")).raise_for_status()
    assert client.get("/api/articles/back", headers=key("all")).json()["id"] == "sport!back"
    client.delete("/api/articles/sport!back", headers=key("all")).raise_for_status()


def test_what_is_under_embargo_elsewhere_makes_no_id_ambiguous(client: httpx.Client, check_problem: Any) -> None:
    kept_back = {"id": "soon", "text": HARBOUR, "collection": "world", "embargoed_until": "2999-01-01T00:00:00Z"}
    client.post("/api/articles", json=kept_back, headers=key("both")).raise_for_status()
    told = check_problem(client.get("/api/articles/soon", headers=key("both")), "not-found").detail
    assert told == "no article 'soon'", "as if there were none"
    shown = {"id": "soon", "text": MATCH, "collection": "sport"}
    client.post("/api/articles", json=shown, headers=key("both")).raise_for_status()
    assert client.get("/api/articles/soon", headers=key("both")).json()["id"] == "sport!soon"
    check_problem(client.get("/api/articles/soon", params={"kept_back": True}, headers=key("both")), "ambiguous-id")
    for name in ("world", "sport"):
        client.delete(f"/api/articles/{name}!soon", headers=key("both")).raise_for_status()


def test_articles_go_to_collections_of_the_key_only(client: httpx.Client, check_problem: Any) -> None:
    sent = [{"id": f"of-{name}", "text": HARBOUR + name, "collection": name} for name in ("world", "sport")]
    report = client.post("/api/articles", json=sent, headers=key("world")).json()
    assert [one["id"] for one in report["articles"]] == ["world!of-world"]
    detail = "it is for the collection sport; only world may be written to"
    assert report["rejected"] == [{"item": 2, "name": "of-sport", "detail": detail}]
    problem = check_problem(client.post("/api/articles", json=sent[1], headers=key("world")), "not-allowed")
    assert [one.item for one in problem.errors] == [1]
    unnamed = {"text": "It rained in Velda."}
    problem = check_problem(client.post("/api/articles", json=unnamed, headers=key("both")), "not-allowed")
    assert problem.detail == "it is for the collection default; only sport, world may be written to"
    client.delete("/api/articles/of-world", headers=key("world")).raise_for_status()


def test_feeds_go_on_after_what_their_key_may_not_send(client: httpx.Client) -> None:
    foreign = RawArticle(id="sport!match", text="The cup was never won by anybody in Velda.")
    address = str(client.base_url)
    told = ToService(address, key="key-of-world-0123456789", collection="world")([foreign])
    assert (told.outcomes, len(told.rejected)) == ({}, 1)
    with pytest.raises(NotDelivered, match="only world may be written to"):  # kept, until the key or the feed is mended
        ToService(address, key="key-of-world-0123456789", collection="sport")([foreign])


def test_counts_and_sources_are_those_of_the_caller(client: httpx.Client) -> None:
    for name, articles in (("all", 2), ("both", 2), ("world", 1)):
        assert client.get("/health/ready", headers=key(name)).json()["articles"] == articles
        if name != "all":
            assert "sources" not in client.get("/health/ready", headers=key(name)).json()


def test_a_scope_that_is_narrowed_holds_for_what_was_kept_and_given_out(
    serve: Serve, tmp_path: Path, check_problem: Any
) -> None:
    """What a key could read before is withheld from its history, and its tokens end."""
    asked = {"question": "How many people work at the harbour of Velda?", "store": True}
    open_to_all = {"origin_collections": ""}
    with serve(settings_of(tmp_path, {"desk": ""}, **open_to_all)) as client:
        for name, text in (("world", HARBOUR), ("sport", MATCH)):
            article = {"text": text, "collection": name}
            client.post("/api/articles", json=article, headers=key("desk")).raise_for_status()
        kept = client.post("/api/ask", json=asked, headers=key("desk")).json()
        assert kept["citations"]
        token = visitor(client, "https://news.example", by="desk", collection="world")
        own = visitor(client, "https://news.example")
    changed = {"origin_collections": "https://news.example=sport", "allowed_origins": "https://news.example"}
    with serve(settings_of(tmp_path, {"desk": ":ask:sport"}, **changed)) as client:
        (turn,) = client.get(f"/api/conversations/{kept['conversation_id']}", headers=key("desk")).json()["turns"]
        assert turn["answer"]["abstain_reason"] == "source_withdrawn"
        assert HARBOUR[:20] not in str(turn["answer"]["search_results"])
        changes = client.get(f"/api/answers/{kept['id']}/changes", headers=key("desk")).json()
        assert [one["state"] for one in changes["articles"]] == ["removed"]
        for gone in (token, own):
            check_problem(client.get("/api/starters", headers=gone), "unauthenticated")
        assert client.get("/api/starters", headers=key("desk")).json()["archive"]["articles"] == 1


def test_beside_keys_kept_to_collections_no_page_reads_all_unsaid(
    serve: Serve, tmp_path: Path, check_problem: Any, caplog: pytest.LogCaptureFixture
) -> None:
    unsaid = {"origin_collections": "", "allowed_origins": "https://news.example"}
    with serve(settings_of(tmp_path, {"all": ""}, **unsaid)) as client:
        before = visitor(client, "https://news.example")
        vouched = visitor(client, "https://news.example", by="all")
        assert client.get("/api/starters", headers=before).status_code == 200
    with serve(settings_of(tmp_path, {"all": "", "world": ":ask:world"}, **unsaid)) as client:
        assert "https://news.example=* for all" in caplog.text
        for by in (None, "all"):
            problem = check_problem(page(client, "https://news.example", by=by), "invalid-request")
            assert "QA_ORIGIN_COLLECTIONS" in problem.errors[0].detail
        for gone in (before, vouched):
            check_problem(client.get("/api/starters", headers=gone), "unauthenticated")
        for by in ("all", "world"):
            page(client, "https://news.example", by=by, collection="world").raise_for_status()
    said = {**unsaid, "origin_collections": "https://news.example=*"}
    with serve(settings_of(tmp_path, {"all": "", "world": ":ask:world"}, **said)) as client:
        assert page(client, "https://news.example").json()["collection"] is None
