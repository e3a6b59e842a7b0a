"""Embargo, withdrawal and correction over HTTP: in answers, searches, pages, starters and the history, by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from qa.server.run import load
from qa.settings import Settings

OPEN = "The harbour of Velda reopened on Monday. About 4,200 people work there."
QUESTION = "When did the harbour of Velda reopen?"
SECRET = "The mayor of Velda resigned on Sunday evening after a row over the harbour."
ON_SECRET = "When did the mayor of Velda resign?"


class Clock:
    """What the service takes for the time."""

    now = datetime(2024, 6, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(
    serve: Callable[..., AbstractContextManager[httpx.Client]], settings: Settings, clock: Clock
) -> Iterator[httpx.Client]:
    with serve(settings, load=partial(load, now=clock)) as found:
        send(found, id="harbour", title="Harbour reopens", text=OPEN, published_at="2024-06-03", section="City")
        yield found


def send(client: httpx.Client, **article: Any) -> Any:
    response = client.post("/api/articles", json=article)
    assert response.status_code == 200, response.text
    return response.json()["articles"][0]


def ask(client: httpx.Client, question: str, **more: Any) -> Any:
    response = client.post("/api/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return response.json()


def shown(client: httpx.Client) -> str:
    """All that a reader gets of the mayor, in one text."""
    answer = ask(client, ON_SECRET, store=True)
    found = client.post("/api/search", json={"question": ON_SECRET}).json()
    article = client.get("/api/articles/mayor")
    page = client.get("/articles/mayor")
    assert article.status_code == page.status_code
    starters = client.get("/api/starters").json()
    listed = client.get("/api/articles").json()
    kept = client.get(f"/api/conversations/{answer['conversation_id']}").json()
    texts = (answer["answer"], answer["search_results"], found["search_results"], article.text, page.text, starters)
    return repr((*texts, listed, kept["turns"][0]["answer"]["search_results"]))


def test_an_embargo_holds_everywhere_until_its_moment(client: httpx.Client, clock: Clock) -> None:
    send(client, id="mayor", title="Mayor resigns", text=SECRET, embargoed_until="2024-06-04T14:30:00+02:00")
    for word in ("resigned", "Mayor", "row"):
        assert word not in shown(client)
    assert client.get("/api/articles/mayor", params={"kept_back": True}).json()["text"] == SECRET
    listed = client.get("/api/articles", params={"kept_back": True}).json()["articles"]
    assert [(one["id"], one["embargoed_until"]) for one in listed] == [
        ("harbour", None),
        ("mayor", "2024-06-04T12:30:00Z"),
    ]
    clock.now = datetime(2024, 6, 4, 12, 30, tzinfo=UTC)
    assert ask(client, ON_SECRET)["citations"][0]["cited_text"] == SECRET
    assert shown(client).count(SECRET) >= 4


def test_a_question_about_the_future_ends_no_embargo(client: httpx.Client) -> None:
    send(client, id="mayor", title="Mayor resigns", text=SECRET, embargoed_until="2024-06-04T14:30:00+02:00")
    assert "resigned" not in repr(ask(client, ON_SECRET, as_of="2030-01-01"))


def test_a_kept_answer_no_longer_shows_what_was_withdrawn_and_says_why(client: httpx.Client) -> None:
    answer = ask(client, QUESTION, store=True)
    assert answer["answer_mode"] == "extractive"
    send(client, id="harbour", status="withheld")
    (turn,) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert turn["answer"]["abstain_reason"] == "source_withdrawn"
    assert turn["answer"]["answer"] == "An article that this answer quoted has been withdrawn by its publisher."
    assert turn["source_state"] == client.get(f"/api/answers/{answer['id']}").json()["source_state"] == "withdrawn"
    assert turn["answer"]["citations"] == turn["answer"]["claims"] == turn["answer"]["search_results"] == []
    changes = client.get(f"/api/answers/{answer['id']}/changes").json()
    assert changes["state"] == "withdrawn"
    assert [one["state"] for one in changes["articles"]] == ["withdrawn"]
    for told in (turn, changes, ask(client, "And how many work there?", conversation_id=answer["conversation_id"])):
        assert "Monday" not in repr(told)
        assert "4,200" not in repr(told)
    assert "withdrawn by its publisher" in client.get("/api/articles/harbour").json()["detail"]
    version = answer["citations"][0]["article_version"]
    assert client.get("/api/articles/harbour", params={"version": version}).status_code == 404
    assert client.get("/api/articles", params={"kept_back": True, "status": "withheld"}).json()["articles"]
    assert client.get("/health/ready").json()["articles"] == 0
    send(client, id="harbour", text=OPEN, status="usable")
    (turn, *_) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert (turn["answer"], turn["source_state"]) == (answer, None)


def test_a_withdrawal_that_speaks_for_copies_reaches_answers_histories_and_collections(client: httpx.Client) -> None:
    link = {"title": "Mayor resigns", "text": SECRET, "url": "https://velda.example/mayor"}
    feeds = send(client, **link)
    send(client, **link | {"id": "desk", "text": f"{SECRET} Nobody follows him yet."})
    send(client, **link | {"id": "agency", "collection": "wire", "url": None})
    kept = {home: ask(client, ON_SECRET, store=True, collection=home) for home in ("default", "wire")}
    assert all("Sunday" in one["answer"] for one in kept.values())
    told = send(client, id=feeds["id"], status="withheld")
    assert all(name in told["notes"][0] for name in ("the same story is held as ", "desk", "wire!agency"))
    assert "Sunday" in ask(client, ON_SECRET)["answer"]
    body = {"url": "http://m.velda.example/mayor?utm_source=feed", "status": "withheld", "copies": True}
    report = client.post("/api/articles", json=[{"id": "calm", "text": "The sea at Velda is calm."}, body]).json()
    outcomes = {one["id"]: (one["item"], one["outcome"]) for one in report["articles"]}
    both = dict.fromkeys(("desk", "wire!agency"), (2, "updated"))
    assert outcomes == {"calm": (1, "added"), feeds["id"]: (2, "unchanged"), **both}
    job = client.get(f"/api/jobs/{report['job_id']}").json()
    assert (job["items"], job["done"], len(job["results"])) == (2, 2, 4)
    assert "Sunday" not in repr(ask(client, ON_SECRET))
    for home, answer in kept.items():
        (turn,) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
        assert turn["answer"]["abstain_reason"] == "source_withdrawn", home


def test_an_embargo_that_comes_late_is_told_in_the_history(client: httpx.Client) -> None:
    answer = ask(client, QUESTION, store=True)
    send(client, id="harbour", text=OPEN, embargoed_until="2024-06-05T00:00:00Z")
    (turn,) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert turn["answer"]["answer"].endswith("is under embargo and cannot be shown yet.")
    assert turn["source_state"] == "embargo"


def test_an_answer_says_what_was_corrected_since(client: httpx.Client) -> None:
    answer = ask(client, QUESTION, store=True)
    path = f"/api/answers/{answer['id']}/changes"
    before = client.get(path).json()
    assert (before["state"], before["articles"][0]["quotes_stand"]) == ("current", True)
    corrected = OPEN.replace("Monday", "Tuesday") + " The port said so."
    send(client, id="harbour", title="Harbour reopens", text=corrected, published_at="2024-06-03")
    found = client.get(path).json()
    assert found["state"] == "corrected"
    (article,) = found["articles"]
    assert article["article_version"] == answer["citations"][0]["article_version"] != article["current_version"]
    assert (article["quotes_stand"], article["citation_ids"]) == (False, ["c1"])
    first, last = article["changes"]
    assert (first["before"], first["after"], first["quoted"]) == (
        "The harbour of Velda reopened on Monday.",
        "The harbour of Velda reopened on Tuesday.",
        True,
    )
    assert (last["before"], last["after"], last["quoted"]) == ("", "The port said so.", False)
    for change in (first, last):
        assert corrected[change["after_start_char_index"] : change["after_end_char_index"]] == change["after"]
        assert OPEN[change["before_start_char_index"] : change["before_end_char_index"]] == change["before"]
    (turn,) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert (turn["corrected_since"], turn["corrected_citation_ids"]) == (True, ["c1"])
    assert turn["answer"] == answer
    alone = client.get(f"/api/answers/{answer['id']}").json()
    assert (alone["corrected_since"], alone["corrected_citation_ids"]) == (True, ["c1"])


def test_a_corrected_title_is_told_though_the_text_is_the_same(client: httpx.Client) -> None:
    answer = ask(client, QUESTION, store=True)
    send(client, id="harbour", title="Harbour of Velda reopens", text=OPEN, published_at="2024-06-03", section="City")
    found = client.get(f"/api/answers/{answer['id']}/changes").json()
    (article,) = found["articles"]
    assert (found["state"], article["state"], article["quotes_stand"]) == ("corrected", "corrected", True)
    assert (article["title_before"], article["title"]) == ("Harbour reopens", "Harbour of Velda reopens")
    assert (article["changes"], article["changes_omitted"]) == ([], 0)
    (turn,) = client.get(f"/api/conversations/{answer['conversation_id']}").json()["turns"]
    assert (turn["corrected_since"], turn["answer"]) == (True, answer)


def test_only_kept_answers_of_ones_own_have_changes(client: httpx.Client, check_problem: Callable[..., Any]) -> None:
    answer = ask(client, QUESTION)
    problem = check_problem(client.get(f"/api/answers/{answer['id']}/changes"), "not-found")
    assert "store: true" in problem.detail


def test_questions_are_narrowed_by_section_language_and_author(client: httpx.Client) -> None:
    send(client, id="b", title="B", text=f"{OPEN} B.", section="Sport", language="en-GB", authors=["Bo Ek"])

    def used(**filters: Any) -> set[str]:
        found = client.post("/api/search", json={"question": QUESTION, "filters": filters}).json()["search_results"]
        listed = client.get("/api/articles", params=filters).json()["articles"]
        assert {one["id"] for one in listed} >= {one["article_id"] for one in found}
        return {one["id"] for one in listed}

    assert used() == {"harbour", "b"}
    assert used(section=["City", "Nowhere"]) == {"harbour"}
    assert used(language=["en"]) == {"b"}
    assert used(author=["Bo Ek"]) == {"b"}
    assert used(author=["Bo"]) == set()


def test_questions_to_begin_with_are_made_anew_when_one_article_takes_the_place_of_another(
    client: httpx.Client,
) -> None:
    """The numbers of articles and passages stay the same then."""
    newest = client.get("/api/starters").json()["archive"]["newest"]
    assert [one["article_id"] for one in newest] == ["harbour"]
    response = client.post(
        "/api/articles",
        json=[{"id": "harbour", "status": "canceled"}, {"id": "other", "title": "Other", "text": f"{OPEN} Other."}],
    )
    assert response.status_code == 200
    newest = client.get("/api/starters").json()["archive"]["newest"]
    assert [one["article_id"] for one in newest] == ["other"]
