"""`/api/articles` over a real store: put, list, get with version, delete; acknowledged means stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from embeddings.types import Article
from qa.server.wire import AddReport, ArticlePage
from qa.settings import Settings

NDJSON = {"content-type": "application/x-ndjson"}
IDS = ["a", "_", "A.b-c_d~e", "urn:news:2024,06@x=1+2", "a..", "x" * 200]
NO_IDS = ["", ".", "a b", "a/b", "a%2Fb", "日本", "x" * 201]


def article(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"a{number:03}", "title": f"Title {number}", "text": f"Text of article number {number}.", **more}


def add(client: httpx.Client, body: Any) -> AddReport:
    response = client.post("/api/articles", json=body)
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=AddReport)


def test_one_article_a_list_and_lines(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        assert [(one.id, one.outcome) for one in add(client, article(1)).articles] == [("a001", "added")]
        assert [one.item for one in add(client, [article(2), article(3)]).articles] == [1, 2]
        lines = "\r\n\n".join(json.dumps(article(number)) for number in (4, 5))
        response = client.post("/api/articles", content=lines, headers=NDJSON)
        assert [(one["id"], one["item"]) for one in response.json()["articles"]] == [("a004", 1), ("a005", 3)]
        assert [one["id"] for one in client.get("/api/articles").json()["articles"]] == [
            "a001", "a002", "a003", "a004", "a005",
        ]  # fmt: skip


def test_an_article_comes_back_with_its_canonical_text(client: httpx.Client) -> None:
    response = client.get("/api/articles/harbour")
    found = msgspec.json.decode(response.content, type=Article)
    assert found.version == hashlib.sha256(found.text.encode()).hexdigest()
    assert found.title == "Harbour reopens after storm"
    assert (found.source, found.published_at, found.authors) == ("Velda Post", "2024-06-04", ("Ines Marlow",))


def test_old_versions_stay_readable_and_the_new_one_is_current(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        first = add(client, article(1)).articles[0]
        assert add(client, article(1)).articles[0].outcome == "unchanged"
        second = add(client, article(1, text="Another text altogether, longer than before.")).articles[0]
        assert (second.outcome, second.version != first.version) == ("updated", True)
        assert client.get("/api/articles/a001").json()["version"] == second.version
        assert client.get("/api/articles/a001").json()["current_version"] == second.version
        old = client.get("/api/articles/a001", params={"version": first.version}).json()
        assert (old["version"], old["current_version"]) == (first.version, second.version)
        assert old["text"] == "Text of article number 1."


def test_unknown_articles_and_versions(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    check_problem(client.get("/api/articles/nothing"), "not-found")
    check_problem(client.get("/api/articles/harbour", params={"version": "0" * 64}), "not-found")
    check_problem(client.delete("/api/articles/nothing"), "not-found")


def test_deleted_means_gone(serve: Any, settings: Settings, check_problem: Callable[..., Any]) -> None:
    with serve(settings) as client:
        version = add(client, article(1)).articles[0].version
        add(client, article(2))
        response = client.delete("/api/articles/a001")
        assert (response.status_code, response.content) == (204, b"")
        check_problem(client.get("/api/articles/a001"), "not-found")
        check_problem(client.get("/api/articles/a001", params={"version": version}), "not-found")
        check_problem(client.delete("/api/articles/a001"), "not-found")
        found = client.post("/api/search", json={"question": "Text of article number 1."}).json()["search_results"]
        assert {result["article_id"] for result in found} == {"a002"}


@pytest.mark.parametrize("article_id", IDS)
def test_an_article_can_be_put_got_and_deleted(
    client: httpx.Client, check_problem: Callable[..., Any], article_id: str
) -> None:
    add(client, {"id": article_id, "text": f"A text for {article_id} alone."})
    address = f"/api/articles/{quote(article_id)}"
    response = client.get(address)
    assert response.status_code == 200, response.text
    assert response.json()["id"] == article_id
    assert client.delete(address).status_code == 204
    check_problem(client.get(address), "not-found")


@pytest.mark.parametrize("article_id", NO_IDS)
def test_ids_that_would_not_fit_into_an_address(
    client: httpx.Client, check_problem: Callable[..., Any], article_id: str
) -> None:
    response = client.post("/api/articles", json={"id": article_id, "text": "A text."})
    (fault,) = check_problem(response, "nothing-usable").errors
    assert "id" in fault.detail
    if article_id not in ("", "."):  # these lead to the list
        slug = "no-such-route" if article_id == "a/b" else "not-found"
        check_problem(client.get(f"/api/articles/{quote(article_id)}"), slug)


def test_pages_show_every_article_once(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        add(client, [article(number) for number in range(25)])
        seen: list[str] = []
        after: str | None = None
        sizes = []
        while True:
            params = {"limit": 10} if after is None else {"limit": 10, "after": after}
            page = msgspec.json.decode(client.get("/api/articles", params=params).content, type=ArticlePage)
            seen += [one.id for one in page.articles]
            sizes.append(len(page.articles))
            if page.next is None:
                break
            after = page.next
        assert seen == [f"a{number:03}" for number in range(25)]
        assert sizes == [10, 10, 5]
        full = client.get("/api/articles", params={"limit": 25}).json()
        assert (len(full["articles"]), full["next"]) == (25, None)


def test_lists_can_be_filtered(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        add(
            client,
            [
                article(1, source="Post", published_at="2024-01-01"),
                article(2, source="Times", published_at="2024-02-01"),
                article(3, source="Post", published_at="2024-03-01", collection="other"),
            ],
        )

        def ids(**params: Any) -> list[str]:
            return [one["id"] for one in client.get("/api/articles", params=params).json()["articles"]]

        assert ids(source="Post") == ["a001", "other!a003"]
        assert ids(source=["Post", "Times"]) == ["a001", "a002", "other!a003"]
        assert ids(collection="other") == ["other!a003"]
        assert ids(published_after="2024-02-01", published_before="2024-03-01") == ["a002"]


def test_bad_dates_in_a_list_are_the_callers_fault(client: httpx.Client) -> None:
    response = client.get("/api/articles", params={"published_after": "next Tuesday"})
    assert response.status_code == 422, response.text


def test_some_good_some_bad(client: httpx.Client) -> None:
    report = add(client, [article(900), {"title": "no text"}, 7, article(901, authors=7), article(902), {"text": ""}])
    assert [one.item for one in report.articles] == [1, 5]
    assert [(fault.item, fault.field) for fault in report.rejected] == [
        (2, "text"), (3, None), (4, "authors"), (6, None),
    ]  # fmt: skip
    for one in report.articles:
        client.delete(f"/api/articles/{one.id}")


@pytest.mark.parametrize("body", [[], [7], [{"title": "no text"}], {"text": ""}, {"text": " \n\t "}, "text", None, 7])
def test_nothing_usable(client: httpx.Client, check_problem: Callable[..., Any], body: Any) -> None:
    response = client.post("/api/articles", content=json.dumps(body), headers={"content-type": "application/json"})
    problem = check_problem(response, "nothing-usable")
    if body != []:
        assert [fault.item for fault in problem.errors] == [1]


def test_fields_nobody_reads_are_told(client: httpx.Client) -> None:
    """So that `pubished_at` is noticed; and what `GET` gave may be sent back."""
    whole = client.get("/api/articles/harbour").json()
    report = add(client, {**whole, "pubished_at": "2024-06-04"})
    assert report.articles[0].ignored_fields == ("current_version", "pubished_at", "version")
    assert report.articles[0].outcome == "unchanged"


def test_what_takes_the_place_of_another_by_its_words_is_noted(client: httpx.Client) -> None:
    text = "The weir of Orrin broke on Monday night. The council puts the damage at {} crowns."
    one, corrected, another = (
        {"title": "Weir", "published_at": "2024-06-04", "text": text.format(damage)}
        for damage in ("320,000", "230,000", "nine")
    )
    assert add(client, one).articles[0].notes == ()
    (report,) = add(client, corrected).articles
    assert (report.outcome, "it replaces 'Weir'" in report.notes[0]) == ("updated", True)
    (report,) = add(client, another).articles
    assert (report.outcome, "both are kept" in report.notes[0]) == ("added", True)


def test_a_correction_that_names_only_some_of_what_it_changes_is_noted_as_no_more_than_one(
    client: httpx.Client,
) -> None:
    text = "The library of Orrin opens on Sundays from {} March. The council pays {} crowns a year for the staff of {}."
    page = {"title": "Library", "published_at": "2024-06-04", "url": "https://orrin.example/library"}
    assert add(client, {**page, "text": text.format(7, "212,000", "five")}).articles[0].outcome == "added"
    corrected = (
        text.format(14, "221,000", "five") + " Correction: An earlier version gave a wrong cost, 212,000 crowns."
    )
    (report,) = add(client, {**page, "text": corrected}).articles
    assert (report.outcome, report.notes) == ("updated", ())
    (report,) = add(client, {**page, "text": corrected.replace("14 March", "21 April").replace("five", "six")}).articles
    assert (report.outcome, "more than a correction differs" in report.notes[0]) == ("updated", True)


def test_what_could_not_be_read_is_noted(client: httpx.Client) -> None:
    report = add(
        client, {"id": "noted", "text": "The weir broke.", "published_at": "06/04/2024", "url": "orrin.example"}
    )
    link, date = report.articles[0].notes
    assert "'orrin.example'" in link
    assert "'06/04/2024' may be two days" in date
    assert add(client, {"id": "noted", "text": "The weir broke.", "date": "4.6.2024"}).articles[0].notes == ()
    assert client.get("/api/articles/noted").json()["published_at"] == "2024-06-04"


def test_too_many_items(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    check_problem(client.post("/api/articles", content=b"1\n" * 10_001, headers=NDJSON), "invalid-request")


def test_only_so_many_errors_are_listed(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    problem = check_problem(client.post("/api/articles", json=[1] * 5000), "nothing-usable")
    assert len(problem.errors) == 100
    assert "100 of 5,000" in problem.detail


def test_acknowledged_articles_are_there_after_a_restart(serve: Any, settings: Settings) -> None:
    with serve(settings) as client:
        version = add(client, article(1)).articles[0].version
        add(client, article(2))
        client.delete("/api/articles/a002")
    with serve(settings) as client:
        assert [one["id"] for one in client.get("/api/articles").json()["articles"]] == ["a001"]
        assert client.get("/api/articles/a001").json()["version"] == version
        assert client.get("/health/ready").json()["articles"] == 1
