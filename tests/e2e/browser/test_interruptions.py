"""An answer that does not come, or not whole: the chat says so, keeps what was checked, and offers a way on."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from embeddings.types import Article
from qa.types import Event

pytestmark = pytest.mark.slow

Read = Callable[..., Any]
SENTENCES = [f"Sentence number {number} of the report stands here." for number in range(1, 30)]
TEXT = " ".join(SENTENCES)
ARTICLE = Article(
    id="report", version=hashlib.sha256(TEXT.encode()).hexdigest(), title="Report", text=TEXT, source="Desk"
)


@pytest.fixture
def paced(scripted: Any, answering: Any) -> Any:
    """A service that streams one sentence every 40 ms, and goes on for good after half of them until it is let go."""
    compose, unfold = answering
    scripted.articles["report"] = ARTICLE
    scripted.let_go = threading.Event()

    def script(request: dict[str, Any]) -> Iterator[Event | bytes]:
        for number, event in enumerate(unfold(compose(SENTENCES, ARTICLE, question=request["question"]))):
            time.sleep(0.04)
            yield event
            while number > len(SENTENCES) // 2 and not scripted.let_go.wait(0.04):
                yield b": still there\n\n"

    scripted.script = script
    return scripted


def test_stop_keeps_what_was_checked_and_asks_again(read: Read, paced: Any) -> None:
    reader = read(paced.url).visit()
    reader.send("What does the report say?")
    reader.last.locator(".sentence").nth(2).wait_for()
    reader.chat.get_by_role("button", name="Stop").click()
    reader.last.get_by_text("Stopped. What stands here was checked.").wait_for()
    kept = reader.last.locator(".sentence").count()
    assert 3 <= kept < len(SENTENCES)
    paced.let_go.set()
    time.sleep(0.3)
    assert reader.last.locator(".sentence").count() == kept
    reader.last.get_by_role("button", name="Try again").click()
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".sentence").count() == len(SENTENCES)
    assert reader.chat.locator(".turn").count() == 1
    assert reader.page.evaluate("document.activeElement.localName") == "sourceline-chat"


def test_a_service_killed_in_the_middle_of_an_answer_and_back(
    read: Read, begin_service: Callable[..., Any], faulty_model: Any
) -> None:
    """The real service, killed while its model is writing, started again on the same port."""
    faulty_model.compose = lambda _: "The bridge stays closed for 16 months [1]. " * 20
    faulty_model.pace = 0.2
    service = begin_service(QA_LLM_BASE_URL=faulty_model.address(), QA_LLM_MODEL="good")
    service.add({"id": "b", "title": "Bridge", "text": "The Osprey Bridge stays closed for 16 months. Ferries run."})
    reader = read(service.url).visit()
    reader.send("How long does the Osprey Bridge stay closed?")
    reader.last.locator(".mode", has_text=re.compile("Reading|Writing|checked")).wait_for()
    service.kill()
    problem = reader.last.locator(".problem")
    problem.wait_for()
    assert problem.get_attribute("data-kind") == "interrupted"
    reader.last.get_by_role("button", name="Try again").click()
    reader.last.locator(".problem[data-kind=unreachable]").wait_for()
    faulty_model.pace = 0.0
    service.start()
    reader.last.get_by_role("button", name="Try again").click()
    reader.last.locator(".actions").wait_for()
    assert "16 months" in reader.last.locator(".answer").inner_text()


@pytest.mark.parametrize(("status", "said"), [(429, "Too many questions"), (503, "busy or just starting")])
def test_a_service_that_asks_for_patience_is_given_it(read: Read, scripted: Any, status: int, said: str) -> None:
    scripted.script = lambda _: iter([status])
    scripted.problem_headers = {"retry-after": "2"}
    reader = read(scripted.url).visit()
    reader.send("What?")
    reader.last.get_by_text(said).wait_for()
    button = reader.last.locator(".problem button")
    assert re.fullmatch(r"Try again in [12] s", button.inner_text())
    assert button.is_disabled()
    reader.last.get_by_role("button", name="Try again", exact=True).click()
    for _ in range(300):
        reader.page.wait_for_timeout(100)
        if len(scripted.asked) > 1:
            break
    assert len(scripted.asked) == 2


@pytest.fixture
def keyed(begin_service: Callable[..., Any]) -> Callable[..., Any]:
    """Begin a service with keys, whose page may ask."""
    return partial(begin_service, QA_API_KEYS="operator-key-of-the-tests", QA_ALLOWED_ORIGINS="{url}")


def test_a_visitor_who_asks_too_much_is_told_when_to_go_on(read: Read, keyed: Callable[..., Any]) -> None:
    """The real budget of the real service: one question a minute, about."""
    reader = read(keyed(QA_VISITOR_RATE="12").url).visit()
    for _ in range(4):
        reader.send("What?")
        reader.last.locator(".actions, .problem").first.wait_for()
    assert reader.last.locator(".problem").get_attribute("data-kind") == "limited"
    assert "Try again in" in reader.last.locator(".problem button").inner_text()


def test_an_expired_token_is_renewed_and_the_conversation_kept(read: Read, keyed: Callable[..., Any]) -> None:
    service = keyed()
    body = {"ttl_seconds": 8}
    minted = httpx.post(f"{service.url}/api/tokens", json=body, headers={"origin": service.url}).json()
    expires = time.monotonic() + 8.5
    name = f"sourceline:token:{service.url}"
    reader = read(service.url)
    reader.before_pages(f"sessionStorage.getItem({name!r}) ?? sessionStorage.setItem({name!r}, {minted['token']!r})")
    answers: list[tuple[str, int]] = []
    reader.page.on("response", lambda one: answers.append((one.url.removeprefix(service.url), one.status)))
    reader.visit()
    reader.ask("What?")
    assert [status for path, status in answers if path == "/api/ask"] == [200]
    reader.page.wait_for_timeout(1000 * max(0.0, expires - time.monotonic()))
    answers.clear()
    reader.ask("What else?")
    assert answers == [("/api/ask", 401), ("/api/tokens", 200), ("/api/ask", 200)]
    reader.page.reload()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert reader.chat.locator(".turn").count() == 2


def test_offline_is_said_and_over_when_it_is_over(read: Read) -> None:
    reader = read().visit()
    reader.page.context.set_offline(True)
    reader.chat.locator(".offline").wait_for()
    reader.send("How long will the Osprey Bridge be closed?")
    reader.last.locator(".problem[data-kind=offline]").wait_for()
    reader.page.context.set_offline(False)
    reader.chat.locator(".offline").wait_for(state="hidden")
    reader.last.get_by_role("button", name="Try again").click()
    reader.last.locator(".actions").wait_for()


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([b'event: error\ndata: {"status": 504, "detail": "late"}\n\n'], "slow"),
        ([b": keep-alive\n\n"], "interrupted"),
        ([b"event: answer\ndata: {broken\n\n"], "interrupted"),
        ([500], "failed"),
        ([422], "invalid"),
    ],
)
def test_every_way_to_fail_has_its_words(read: Read, scripted: Any, events: list[Any], kind: str) -> None:
    scripted.script = lambda _: iter(events)
    reader = read(scripted.url).visit()
    reader.send("What?")
    problem = reader.last.locator(".problem")
    problem.wait_for()
    assert problem.get_attribute("data-kind") == kind
    assert reader.chat.get_by_role("button", name="Ask", exact=True).is_visible()


def test_events_in_pieces_are_put_together(read: Read, scripted: Any, answering: Any) -> None:
    """Cut inside of characters and of line ends."""
    compose, unfold = answering
    from msgspec.json import encode

    article = Article(id="a", version="v", title="T", text="Ωμέγα 😀 港 ends. More.")
    answer = compose(["Ωμέγα 😀 港 ends.", "More."], article)
    events = [(event.__struct_config__.tag, event) for event in unfold(answer)]
    wire = b"\xef\xbb\xbf: hello\r\n\r\n" + b"".join(
        b"event: %b\r\nid: 1\r\ndata: %b\r\n\r\n" % (name.encode(), encode(event.answer if name == "answer" else event))
        for name, event in events
    )
    scripted.script = lambda _: (wire[place : place + 1] for place in range(len(wire)))
    reader = read(scripted.url).visit()
    turn = reader.ask("What?")
    assert "".join(turn.locator(".answer").inner_text().split()) == "Ωμέγα😀港ends.1More.1"


def test_a_link_to_another_question_ends_the_one_that_is_being_answered(read: Read, paced: Any) -> None:
    reader = read(paced.url).visit()
    reader.send("What does the report say?")
    reader.last.locator(".sentence").first.wait_for()
    reader.page.evaluate("location.hash = '#q=And%20the%20other%20report%3F'")
    reader.chat.get_by_role("heading", name="And the other report?").wait_for()
    reader.last.locator(".sentence").first.wait_for()
    assert [one["question"] for one in paced.asked] == ["What does the report say?", "And the other report?"]
    assert reader.chat.locator(".turn").count() == 1
    paced.let_go.set()
    reader.last.locator(".actions").wait_for()
    assert reader.chat.get_by_role("button", name="Ask", exact=True).is_visible()


def test_stopping_ends_the_request(read: Read, paced: Any) -> None:
    before = threading.active_count()
    reader = read(paced.url).visit()
    for _ in range(3):
        reader.send("What does the report say?")
        reader.last.locator(".sentence").first.wait_for()
        reader.chat.get_by_role("button", name="Stop").click()
        reader.last.get_by_text("Stopped").wait_for()
    deadline = time.monotonic() + 120
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before + 1


def test_where_keys_are_set_a_token_is_got_before_anything_is_asked(read: Read, keyed: Callable[..., Any]) -> None:
    """At the service's own page, which says so; elsewhere one request is refused first."""
    service = keyed()
    reader = read(service.url)
    refused: list[str] = []
    reader.page.on("response", lambda one: refused.append(one.url) if one.status >= 400 else None)
    reader.visit()
    reader.chat.locator(".archive").wait_for()
    assert refused == []
    host = '<!doctype html><html lang="en"><title>Host</title><script src="/widget.js" data-mode="inline"></script>'
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=host))
    reader.page.evaluate("sessionStorage.clear()")
    reader.visit("/host")
    reader.chat.locator(".archive").wait_for()
    assert refused == [f"{service.url}/api/starters"]
