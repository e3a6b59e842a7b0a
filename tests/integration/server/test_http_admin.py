"""What whoever runs the service sees and does: jobs, articles by source, questions, reviews, keys, and its audit."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from qa.access.keys import EVERYTHING, Key, Scope, parse_keys
from qa.evaluation import GoldSpan
from qa.evaluation.dataset import read_dataset
from qa.settings import Settings
from qa.sources.ledger import Feed, Ledger

Check = Callable[..., Any]

TEXT = "The harbour of Velda reopened on Monday. About 4,200 people work there."
QUESTION, FOLLOW_UP, UNKNOWN = (
    "When did the harbour of Velda reopen?",
    "How many people work there?",
    "Who invented the telescope?",
)
KEY = "operator-key-0123456789"
TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture
def client(serve: Any, settings: Settings) -> Iterator[httpx.Client]:
    with serve(settings) as found:
        yield found


def read(client: httpx.Client, path: str, **query: Any) -> Any:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def send(client: httpx.Client, *articles: dict[str, Any]) -> Any:
    return client.post("/api/articles", json=list(articles)).raise_for_status().json()


def harbour(**said: Any) -> dict[str, Any]:
    return {"id": "harbour", "title": "Harbour reopens", "text": TEXT, "source": "Post", "published_at": TODAY, **said}


def ask(client: httpx.Client, question: str = QUESTION, **more: Any) -> Any:
    asked = {"question": question, "store": True, **more}
    return client.post("/api/ask", json=asked).raise_for_status().json()


def test_an_ingest_is_a_job_with_a_result_for_each_item(client: httpx.Client, check_problem: Check) -> None:
    untitled = {"title": " ", "id": "pier", "text": ""}
    report = send(client, harbour(), untitled, harbour(id="quay", text="The quay is new.", published_at="soon"))
    job = read(client, f"/api/jobs/{report['job_id']}")
    assert (job["state"], job["by"], job["items"], job["done"]) == ("done", "open", 3, 3)
    assert job["outcomes"] == {"added": 2, "rejected": 1}
    assert [(one["item"], one["outcome"], one["article_id"]) for one in job["results"]] == [
        (1, "added", "harbour"),
        (2, "rejected", None),
        (3, "added", "quay"),
    ]
    assert [one["name"] for one in job["results"]] == ["Harbour reopens", "pier", "Harbour reopens"]
    assert report["rejected"][0]["name"] == "pier"
    assert "text" in job["results"][1]["detail"]
    assert "soon" in job["results"][2]["detail"]
    assert job["begun_at"] <= job["ended_at"]
    send(client, harbour())
    refused = client.post("/api/articles", json=[{"text": ""}, {"title": "only"}])
    check_problem(refused, "nothing-usable")
    assert [one.get("name") for one in refused.json()["errors"]] == [None, "only"]
    listed = read(client, "/api/jobs", limit=2)
    assert [one["state"] for one in listed["jobs"]] == ["failed", "done"]
    assert listed["jobs"][0]["outcomes"] == {"rejected": 2}
    assert listed["jobs"][1]["outcomes"] == {"unchanged": 1}
    (first,) = read(client, "/api/jobs", before=listed["next"])["jobs"]
    assert {**first, "results": job["results"], "results_omitted": 0} == job
    assert [one["detail"] for one in read(client, "/api/jobs", state="failed")["jobs"]] == [refused.json()["detail"]]
    check_problem(client.get("/api/jobs/job_none"), "not-found")


def test_jobs_outlive_the_service_and_one_cut_off_says_so(serve: Any, settings: Settings) -> None:
    from qa.conversations.database import Database

    with serve(settings) as client:
        job = read(client, f"/api/jobs/{send(client, harbour())['job_id']}")
    database = Database.open(settings.data_dir)
    with database.writing() as db:
        cut = json.dumps({**job, "id": "job_cut", "state": "running", "ended_at": None})
        db.execute(
            "INSERT INTO ingests (id, sender, service, state, job) VALUES ('job_cut', '', '', 'running', ?)", (cut,)
        )
    database.close()
    with serve(settings) as client:
        assert read(client, f"/api/jobs/{job['id']}") == job
        found = read(client, "/api/jobs/job_cut")
        assert found == {**job, "id": "job_cut", "state": "interrupted", "ended_at": None, "detail": found["detail"]}
        assert "Send the rest again" in found["detail"]


def test_articles_are_counted_by_source_and_day_those_kept_back_too(client: httpx.Client) -> None:
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    send(
        client,
        harbour(),
        harbour(id="quay", text="The quay is new.", published_at=yesterday),
        harbour(id="mayor", text="The mayor went.", embargoed_until="2999-01-01T00:00:00Z"),
        harbour(id="old", text="It was long ago.", source="Weekly", published_at="2001-01-01"),
    )
    found = read(client, "/api/admin/corpus", days=2)
    assert (found["articles"], found["kept_back"], found["days"]) == (4, 1, [yesterday, TODAY])
    post, weekly = found["sources"]
    assert (post["source"], post["articles"], post["kept_back"]) == ("Post", 3, 1)
    assert post["days"] == [{"day": yesterday, "articles": 1}, {"day": TODAY, "articles": 2}]
    assert (weekly["latest"], weekly["days"], weekly["kept_back"]) == ("2001-01-01", [], 0)


def test_an_article_is_found_by_id_link_and_words_also_where_readers_are_not_shown_it(client: httpx.Client) -> None:
    link = "https://post.example/harbour"
    send(
        client,
        harbour(url=link, collection="sport"),
        harbour(id="mayor", title="Mayor gone", text="The mayor resigned.", status="withheld"),
        harbour(id="quay", text="The quay is new.", embargoed_until="2999-01-01T00:00:00Z"),
    )

    def found(text: str, **query: Any) -> list[str]:
        return [one["id"] for one in read(client, "/api/admin/articles", find=text, **query)["articles"]]

    assert found("sport!harbour") == found(" harbour ") == ["sport!harbour"]
    assert found(f"{link}?utm_source=mail") == ["sport!harbour"]
    assert found(f"{client.base_url}/articles/mayor?version=1&start=0") == ["mayor"]
    assert found("the mayor has resigned") == ["mayor"], "of others no word is there"
    assert found("quay") == ["quay"]
    assert len(found("dredging vessels", limit=2)) == 2, "nothing has these words: what is nearest"


def test_the_copies_of_an_article_are_named_before_and_after_they_are_taken_back(
    client: httpx.Client, check_problem: Check
) -> None:
    send(client, harbour(), harbour(id="agency", collection="wire"), harbour(id="quay", text="The quay is new."))
    before = read(client, "/api/admin/articles/harbour")
    assert before["article"]["text"] == TEXT
    assert [(one["id"], one["collection"], one["status"]) for one in before["copies"]] == [
        ("wire!agency", "wire", "usable")
    ]
    send(client, {"id": "harbour", "status": "withheld", "copies": True})
    after = read(client, "/api/admin/articles/harbour")
    assert (after["article"]["status"], after["copies"][0]["status"]) == ("withheld", "withheld")
    assert read(client, "/api/admin/articles/agency")["copies"][0]["id"] == "harbour", "also by the id it was given"
    assert read(client, "/api/admin/articles/quay")["copies"] == []
    check_problem(client.get("/api/admin/articles/none"), "not-found")
    send(client, harbour(collection="sport"), harbour(collection="wire"))
    check_problem(client.get("/api/admin/articles/none!harbour"), "not-found")


def test_sources_say_what_is_wrong_with_them(client: httpx.Client, settings: Settings) -> None:
    assert read(client, "/api/admin/sources") == {"sources": [], "writes": "open"}
    ledger = Ledger.open(settings.data_dir)
    ledger.add(Feed(url="https://a.example/feed", due=60.0, failures=2, trouble="no feed there"))
    ledger.add(Feed(url="https://b.example/feed", state="gone"))
    ledger.heard("https://b.example/feed", kind="feed", at=0.0, brought=True)
    ledger.heard("/srv/export", kind="folder", at=1.0, brought=False)
    ledger.close()
    folder, waiting, gone = read(client, "/api/admin/sources")["sources"]
    assert (folder["name"], folder["kind"], folder["asked_at"], folder["brought_at"]) == (
        "/srv/export",
        "folder",
        "1970-01-01T00:00:01Z",
        None,
    )
    assert (waiting["trouble"], waiting["failures"], waiting["due_at"]) == ("no feed there", 2, "1970-01-01T00:01:00Z")
    assert (gone["state"], gone["brought_at"], gone["due_at"]) == ("gone", "1970-01-01T00:00:00Z", None)


def test_questions_are_counted_and_listed_by_how_they_came_out(client: httpx.Client) -> None:
    send(client, harbour())
    answered, declined = ask(client), ask(client, UNKNOWN)
    passing = ask(client, store=False)
    for answer, verdict in ((answered, "up"), (declined, "down"), (passing, "down")):
        body = {"verdict": verdict, "reasons": ["wrong"], "comment": "no"}
        client.post(f"/api/answers/{answer['id']}/feedback", json=body).raise_for_status()
    before, today = read(client, "/api/admin/days", days=2)["days"]
    assert today == {"day": TODAY, "answered": 1, "declined": 1, "up": 1, "down": 2}
    assert (before["answered"], before["down"]) == (0, 0)

    def listed(**query: Any) -> list[str]:
        return [one["answer_id"] for one in read(client, "/api/admin/questions", **query)["questions"]]

    assert listed() == [declined["id"], answered["id"]]
    assert listed(outcome="answered", day=TODAY) == [answered["id"]]
    assert listed(outcome="declined") == [declined["id"]]
    assert listed(outcome="down") == [passing["id"], declined["id"]]
    assert listed(outcome="down", day="2001-01-01") == listed(day="2001-01-01") == []
    first = read(client, "/api/admin/questions", outcome="down", limit=1)
    assert listed(outcome="down", before=first["next"]) == [declined["id"]]
    (lost,) = first["questions"]
    assert (lost["kept"], lost["question"], lost["verdict"], lost["comment"]) == (False, QUESTION, "down", "no")
    opened = read(client, f"/api/admin/answers/{passing['id']}")
    assert (opened["kept"], opened["review"], opened["feedback"]["reasons"]) == (None, None, ["wrong"])


def test_an_answer_of_anybody_is_shown_as_its_reader_would_see_it_now(
    client: httpx.Client, check_problem: Check
) -> None:
    send(client, harbour())
    answer = ask(client)
    shown = read(client, f"/api/admin/answers/{answer['id']}")
    assert shown["kept"]["answer"] == {**answer, "conversation_id": None}
    send(client, harbour(status="withheld"))
    shown = read(client, f"/api/admin/answers/{answer['id']}")["kept"]
    assert shown["answer"]["abstain_reason"] == "source_withdrawn"
    assert "4,200" not in json.dumps(shown)
    check_problem(client.get("/api/admin/answers/none"), "not-found")


def review(answer: Any, **more: Any) -> dict[str, Any]:
    (cited,) = answer["citations"]
    names = ("article_id", "article_version", "start_char_index", "end_char_index")
    quote = {name: cited[name] for name in names}
    return {"criteria": {"accuracy": "no_issue"}, "answerable": True, "answers": ["Monday"], "quotes": [quote], **more}


def exported(client: httpx.Client, folder: Path) -> tuple[Any, int]:
    response = client.get("/api/admin/dataset").raise_for_status()
    assert response.headers["content-type"].startswith("application/x-ndjson")
    path = folder / "reviews.jsonl"
    path.write_bytes(response.content)
    examples = read_dataset(path).examples if response.content else ()
    return examples, int(response.headers["sourceline-left-out"])


def test_reviews_become_a_dataset_that_evaluation_reads(client: httpx.Client, tmp_path: Path) -> None:
    send(client, harbour())
    first = ask(client)
    second = ask(client, FOLLOW_UP, conversation_id=first["conversation_id"])
    declined = ask(client, UNKNOWN)
    for answer, said in (
        (first, review(first, must_not_say=["Tuesday"], note="good")),
        (second, review(second, answers=["4,200"], criteria={"context": "some_issues"})),
        (declined, {"answerable": False}),
    ):
        path = f"/api/admin/answers/{answer['id']}/review"
        saved = client.post(path, json=said).raise_for_status().json()
        assert read(client, f"/api/admin/answers/{answer['id']}")["review"] == saved
    assert saved["reviewer"] == ""
    (one, other, third), left_out = exported(client, tmp_path)
    cited = first["citations"][0]
    assert (one.question, one.asked_at, one.answerable, one.answers) == (QUESTION, first["as_of"], True, ("Monday",))
    assert (one.must_not_say, one.tags, one.group) == (("Tuesday",), ("reviewed", "accuracy:no_issue"), "harbour")
    words = cited["cited_text"]
    assert one.gold == (GoldSpan(article_id="harbour", text=words, start=0, end=len(words)),)
    assert (other.conversation, other.tags[1]) == ((QUESTION,), "context:some_issues")
    assert (third.answerable, third.gold, third.conversation, left_out) == (False, (), (), 0)
    again = review(first, answerable=None, quotes=[])
    client.post(f"/api/admin/answers/{first['id']}/review", json=again).raise_for_status()
    assert len(read(client, "/api/admin/reviews")["reviews"]) == 3
    assert exported(client, tmp_path)[0][0].gold == ()
    assert [one["reviewed"] for one in read(client, "/api/admin/questions")["questions"]] == [True, True, True]


def test_a_dataset_follows_corrections_and_holds_nothing_that_was_taken_back(
    client: httpx.Client, tmp_path: Path
) -> None:
    send(client, harbour())
    answer = ask(client)
    client.post(f"/api/admin/answers/{answer['id']}/review", json=review(answer)).raise_for_status()
    send(client, harbour(text=f"Correction below. {TEXT}"))
    (moved,), _ = exported(client, tmp_path)
    assert (moved.gold[0].start, moved.gold[0].text) == (18, answer["citations"][0]["cited_text"])
    send(client, harbour(text="The harbour of Velda reopened on Tuesday."))
    assert exported(client, tmp_path) == ((), 1), "the words stand there no longer"
    send(client, harbour())
    assert len(exported(client, tmp_path)[0]) == 1
    send(client, harbour(status="withheld"))
    assert exported(client, tmp_path) == ((), 1)
    client.delete(f"/api/conversations/{answer['conversation_id']}").raise_for_status()
    assert exported(client, tmp_path) == ((), 0), "whoever erases a conversation erases its reviews"


def test_a_review_that_cannot_be_meant_is_refused(client: httpx.Client, check_problem: Check) -> None:
    send(client, harbour())
    answer = ask(client)
    path = f"/api/admin/answers/{answer['id']}/review"
    good = review(answer)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**good, "answerable": False}, "answerable"),
        ({**good, "answers": [" "]}, "answers"),
        ({**good, "quotes": [{**good["quotes"][0], "end_char_index": 9_999}]}, "quotes[0]"),
        ({**good, "quotes": [{**good["quotes"][0], "article_id": "none"}]}, "quotes[0]"),
    ]
    for body, field in wrong:
        (fault,) = check_problem(client.post(path, json=body), "invalid-request").errors
        assert fault.field == field
    check_problem(client.post(path, json={**good, "criteria": {"style": "no_issue"}}), "invalid-request")
    check_problem(client.post("/api/admin/answers/none/review", json=good), "not-found")
    assert read(client, f"/api/admin/answers/{answer['id']}")["review"] is None
    check_problem(client.get("/api/admin/questions", params={"day": "2024-02-30"}), "invalid-request")


def test_a_key_for_ingesting_follows_its_own_jobs_and_administers_nothing(
    serve: Any, settings: Settings, check_problem: Check
) -> None:
    entries = [
        str(msgspec.structs.replace(key, scope=scope))
        for key, scope in ((_key("desk", KEY), EVERYTHING), (_key("feeds", f"{KEY}1"), Scope(may=("ingest",))))
    ]
    with serve(msgspec.structs.replace(settings, api_keys=",".join(entries))) as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        of_desk = send(client, harbour())["job_id"]
        client.headers["authorization"] = f"Bearer {KEY}1"
        own = send(client, harbour(id="quay"))["job_id"]
        assert [one["id"] for one in read(client, "/api/jobs")["jobs"]] == [own]
        assert read(client, f"/api/jobs/{own}")["by"] == "feeds"
        check_problem(client.get(f"/api/jobs/{of_desk}"), "not-found")
        for path in ("corpus", "sources", "days", "questions", "answers/a", "reviews", "dataset", "keys"):
            check_problem(client.get(f"/api/admin/{path}"), "not-allowed")
        check_problem(client.post("/api/admin/answers/a/review", json={}), "not-allowed")
        client.headers["authorization"] = f"Bearer {KEY}"
        assert [one["id"] for one in read(client, "/api/jobs")["jobs"]] == [own, of_desk]
        assert read(client, "/api/admin/keys")["keys"][1] == {"name": "feeds", "may": ["ingest"], "collections": None}


def _key(name: str, secret: str) -> Key:
    (found,) = parse_keys(f"{name}:{secret}")
    return found


def audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    lines = [record.message for record in caplog.records if record.message.startswith("audit ")]
    return [json.loads(line.removeprefix("audit ")) for line in lines]


def test_keys_are_named_and_every_act_leaves_one_line_without_a_word(
    serve: Any, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    origin = "https://news.example"
    with_keys = msgspec.structs.replace(settings, api_keys=f"desk:{KEY},web:{KEY}1", allowed_origins=origin)
    with caplog.at_level(logging.INFO, logger="qa"), serve(with_keys) as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        everything = {"may": ["ask", "ingest", "admin"], "collections": None}
        keys = [{"name": name, **everything} for name in ("desk", "web")]
        assert read(client, "/api/admin/keys") == {"open": False, "keys": keys}
        job = send(client, harbour())["job_id"]
        answer = ask(client)
        client.post(f"/api/admin/answers/{answer['id']}/review", json=review(answer)).raise_for_status()
        exported(client, settings.data_dir)
        withheld = send(client, {"id": "harbour", "status": "withheld"})["job_id"]
        client.post("/api/tokens", json={"origin": origin}).raise_for_status()
        client.delete("/api/articles/harbour").raise_for_status()
        client.delete("/api/articles/harbour")
        by = {"by": "desk"}
        assert read(client, "/api/jobs")["jobs"][0]["by"] == "desk"
    assert audited(caplog) == [
        {"act": "keys_loaded", "by": "settings", "keys": ["desk", "web"]},
        {"act": "articles_added", **by, "job_id": job, "outcomes": {"added": 1}},
        {"act": "review_saved", **by, "answer_id": answer["id"]},
        {"act": "reviews_exported", **by, "rows": 1},
        {"act": "rights_changed", **by, "article_id": "harbour", "status": "withheld"},
        {"act": "articles_added", **by, "job_id": withheld, "outcomes": {"updated": 1}},
        {"act": "token_made", **by, "origin": origin},
        {"act": "article_deleted", **by, "article_id": "harbour"},
    ]
    assert KEY not in caplog.text
    assert "Velda" not in "".join(record.message for record in caplog.records if "audit" in record.message)
