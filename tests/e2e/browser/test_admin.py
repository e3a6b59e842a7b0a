"""The page for whoever runs the service: a key, what there is, an article taken back, a review, the export; and axe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

Read = Callable[..., Any]

KEY = "operator-key-0123456789"
LOOK = "looking-key-0123456789"
PATIENCE = 60_000
"""Milliseconds in which also a busy machine stores an article."""
BRIDGE = "How long will the Osprey Bridge be closed?"
UNKNOWN = "Who invented the telescope?"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Desk:
    """A service with a key, two articles and two questions that were kept."""

    def __init__(self, url: str, bridge: dict[str, Any]) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {KEY}"})
        withheld = {"id": "gone", "text": "It is not so.", "source": "Ostara Daily", "status": "withheld"}
        self.client.post("/api/articles", json=[bridge, withheld, {"text": ""}]).raise_for_status()
        self.answered, self.declined = self.ask(BRIDGE), self.ask(UNKNOWN)
        feedback = {"verdict": "down", "reasons": ["incomplete"], "comment": "Galileo?"}
        self.client.post(f"/api/answers/{self.declined['id']}/feedback", json=feedback).raise_for_status()

    def ask(self, question: str) -> Any:
        return self.client.post("/api/ask", json={"question": question, "store": True}).raise_for_status().json()


@pytest.fixture(scope="module")
def desk(begin_service: Callable[..., Any], bridge: dict[str, Any]) -> Iterator[Desk]:
    looking = hashlib.sha256(LOOK.encode()).hexdigest()
    service = begin_service(QA_API_KEYS=f"desk:{KEY},look:sha256:{looking}:admin")
    found = Desk(service.url, bridge)
    yield found
    found.client.close()
    service.kill()


@pytest.fixture
def page(read: Read, desk: Desk) -> Page:
    """The page before anybody has typed a key."""
    found: Page = read(desk.url, reduced_motion="reduce").page
    found.goto(f"{desk.url}/admin")
    return found


def enter(page: Page, key: str = KEY) -> None:
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")


def heading(page: Page, name: str) -> None:
    """Wait for a view; it has the focus, so that a screen reader goes on from there."""
    expect(page.get_by_role("heading", level=2, name=name)).to_be_focused(timeout=PATIENCE)


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    heading(page, name)


def test_from_a_declined_question_to_the_review_and_the_export(page: Page, desk: Desk, tmp_path: Path) -> None:
    expect(page.get_by_label("API key")).to_be_focused()
    enter(page, "some-other-key-0123456789")
    expect(page.get_by_role("alert")).to_have_text("This is not a key of this service.")
    enter(page)
    heading(page, "Questions")
    expect(page.locator(".legend")).to_have_text("1 answered1 declined1 thumbed down")
    page.get_by_label("Outcome").select_option("Declined")
    (row,) = page.locator("tbody tr").filter(has_text=UNKNOWN).all()
    expect(row).to_contain_text("Declined: no match")
    expect(row).to_contain_text("Not good: incompleteGalileo?")
    row.get_by_role("link").click()
    heading(page, UNKNOWN)
    expect(page.locator(".opinion")).to_contain_text("The reader found it not good: incomplete. Galileo?")
    page.get_by_role("group", name="Accuracy").get_by_label("No issue").check()
    page.get_by_role("group", name="Do the articles answer").get_by_label("No", exact=True).check()
    page.get_by_label("Note").fill("Nothing on it here.")
    page.get_by_role("button", name="Save the review").click()
    expect(page.locator(".told")).to_contain_text("Saved")

    page.go_back()
    heading(page, "Questions")
    page.get_by_label("Outcome").select_option("Answered")
    page.get_by_role("link", name=BRIDGE).click()
    heading(page, BRIDGE)
    page.get_by_role("button", name="Source 1").click()
    page.keyboard.press("Enter")  # the focus is on what opens the article at the quoted words
    expect(page.locator("mark")).to_have_text(desk.answered["citations"][0]["cited_text"])
    page.get_by_role("group", name="Sourcing").get_by_label("Some").check()
    page.get_by_role("group", name="Do the articles answer").get_by_label("Yes").check()
    page.get_by_role("group", name="Words that answer").get_by_role("checkbox").first.check()
    page.get_by_label("Right short answers").fill("16 months\nsixteen months\n")
    page.get_by_role("button", name="Save the review").click()
    expect(page.locator(".told")).to_contain_text("by desk")

    go(page, "Reviews")
    expect(page.locator("tbody tr").first).to_contain_text("sourcing: some issues")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
    expect(page.locator(".told")).to_have_text("Saved.")
    saved.value.save_as(tmp_path / "reviews.jsonl")
    declined, answered = map(json.loads, (tmp_path / "reviews.jsonl").read_text().splitlines())
    assert (declined["question"], declined["answerable"]) == (UNKNOWN, False)
    assert answered["answers"] == ["16 months", "sixteen months"]
    assert answered["gold"][0]["text"] == desk.answered["citations"][0]["cited_text"]


def test_what_is_wrong_with_a_review_is_said_and_nothing_lost(page: Page) -> None:
    enter(page)
    heading(page, "Questions")
    page.get_by_role("link", name=BRIDGE).click()
    heading(page, BRIDGE)
    page.get_by_role("group", name="Do the articles answer").get_by_label("No", exact=True).check()
    page.get_by_label("Right short answers").fill("never")
    page.get_by_role("button", name="Save the review").click()
    expect(page.locator(".told")).to_contain_text("Not saved: the review cannot be kept like this")
    expect(page.get_by_label("Right short answers")).to_have_value("never")


def test_articles_jobs_and_keys_are_there_and_the_key_is_nowhere_else(page: Page) -> None:
    enter(page)
    heading(page, "Questions")
    go(page, "Articles")
    row = page.locator("tbody tr").filter(has_text="Ostara Daily")
    expect(row.locator("td").nth(1)).to_have_text("1")
    row.get_by_role("link").click()
    heading(page, "Ostara Daily")
    expect(page.locator("tbody tr")).to_contain_text("withheld")
    page.locator("tbody tr").get_by_role("link").click()
    expect(page.get_by_role("region", name="Its text")).to_have_text("It is not so.")
    go(page, "Jobs")
    expect(page.locator("tbody tr")).to_contain_text("2 added, 1 rejected")
    page.locator("tbody tr").get_by_role("link").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Job of")
    expect(page.get_by_text("done, sent by desk: 3 of 3 done: 2 added, 1 rejected")).to_be_visible()
    expect(page.locator("tbody tr").last).to_contain_text("rejected")
    go(page, "Keys")
    expect(page.locator("tbody tr")).to_have_text(
        ["deskask, add and delete articles, this pageall", "lookthis pageall"]
    )
    assert page.evaluate("[Object.values(sessionStorage), Object.keys(localStorage), document.cookie]") == [
        [KEY],
        [],
        "",
    ]
    assert KEY not in page.content() + page.url
    page.reload()
    heading(page, "Keys")
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("API key")).to_be_focused()
    assert page.evaluate("sessionStorage.length") == 0
    assert page.locator("tbody tr").count() == 0


def reach(page: Page, label: str) -> None:
    """Go on with the tab key until a control has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('label, a, button')?.textContent ?? ''").startswith(label):
            return
    pytest.fail(f"{label!r} is not reached with the tab key")


def test_an_article_and_its_copy_are_taken_back_and_restored_by_keyboard(
    page: Page, desk: Desk, bridge: dict[str, Any]
) -> None:
    copy = {**bridge, "id": "agency-bridge", "collection": "agency", "url": None, "source": "Agency"}
    desk.client.post("/api/articles", json=copy).raise_for_status()
    enter(page)
    go(page, "Articles")
    reach(page, "Find an article")
    page.keyboard.type(bridge["title"])
    page.keyboard.press("Enter")
    heading(page, "Articles found")
    row = page.locator("tbody tr").filter(has_text="Agency")
    expect(row).to_contain_text("see it")
    reach(page, bridge["title"])
    page.keyboard.press("Enter")
    heading(page, bridge["title"])
    copies = page.get_by_role("region", name="Copies").locator("tbody tr")
    expect(copies).to_contain_text("see it", timeout=PATIENCE)
    expect(page.get_by_label("Also of its 1 copy")).to_be_checked()

    reach(page, "See it")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    told = page.locator(".told")
    expect(told).to_have_text("Saved. Readers do not see the article; 1 copy is not shown.", timeout=PATIENCE)
    expect(page.locator(".state")).to_have_text("Readers: withheld", timeout=PATIENCE)
    expect(copies).to_contain_text("withheld", timeout=PATIENCE)
    assert desk.ask(BRIDGE)["abstain_reason"] is not None
    expect(page.locator("#state")).to_have_text(
        "Saved. Readers do not see the article; 1 copy is not shown.", timeout=PATIENCE
    )

    page.get_by_label("See it", exact=True).check()
    page.get_by_label("Embargo until").fill("2999-01-01T09:00")
    page.get_by_label("Embargo until").press("Enter")
    expect(page.locator(".state")).to_contain_text("2999, 09:00", timeout=PATIENCE)
    expect(copies).to_contain_text("embargo until", timeout=PATIENCE)
    page.get_by_label("Embargo until").fill("")
    page.get_by_role("button", name="Save").press("Enter")
    expect(told).to_have_text("Saved. Readers see the article; 1 copy is shown.", timeout=PATIENCE)
    page.get_by_role("button", name="Save").press("Enter")
    expect(told).to_have_text("Nothing has been changed.", timeout=PATIENCE)
    assert desk.ask(BRIDGE)["short_answer"]["text"] == desk.answered["short_answer"]["text"]


def test_a_key_that_may_not_ingest_sees_an_article_and_is_told_that_it_may_not_change_it(
    page: Page, desk: Desk
) -> None:
    enter(page, LOOK)
    heading(page, "Questions")
    page.goto(f"{desk.url}/admin#/article?id=gone")
    page.get_by_label("See it", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".told")).to_contain_text("Not changed: ", timeout=PATIENCE)
    expect(page.locator(".told")).to_contain_text("ingest", timeout=PATIENCE)
    expect(page.locator(".state")).to_have_text("Readers: withheld", timeout=PATIENCE)


def test_without_keys_the_page_opens_at_once(read: Read, service: Any) -> None:
    page = read(service.url).page
    page.goto(f"{service.url}/admin#/keys")
    heading(page, "Keys")
    expect(page.get_by_text("No keys are set")).to_be_visible()
    expect(page.get_by_role("button", name="Forget the key")).to_be_hidden()


def test_axe_finds_nothing_in_any_view_light_or_dark(page: Page, desk: Desk, axe: str) -> None:
    found = {"key": violations(page, axe)}
    enter(page)
    heading(page, "Questions")
    page.get_by_text("Day by day").click()
    found["Questions"] = violations(page, axe)
    for name in ("Articles", "Jobs", "Reviews", "Keys"):
        go(page, name)
        found[name] = violations(page, axe)
    page.goto(f"{desk.url}/admin#/find?text=bridge")
    heading(page, "Articles found")
    found["found"] = violations(page, axe)
    page.locator("tbody tr").get_by_role("link").first.click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".told")).to_have_text("Nothing has been changed.", timeout=PATIENCE)
    found["article"] = violations(page, axe)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{desk.url}/admin#/answer?id={desk.answered['id']}")
    heading(page, BRIDGE)
    page.get_by_role("button", name="Read it in the article").first.click()
    page.locator("mark").wait_for()
    found["answer"] = violations(page, axe)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert {view: faults for view, faults in found.items() if faults} == {}


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds in the page as it stands: by all rules, then in the dark, where only colours differ."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(f"() => {{ {axe} }}")
    found = faults(page, RULES)
    page.emulate_media(color_scheme="dark")
    found += faults(page, ["color-contrast", "link-in-text-block"])
    page.emulate_media(color_scheme="light")
    return found


def faults(page: Page, rules: list[str]) -> list[str]:
    found: list[str] = page.evaluate(
        """async rules => (await axe.run(document, { runOnly: rules, resultTypes: ["violations"] })).violations
          .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`))""",
        rules,
    )
    return found


def test_a_job_that_failed_says_of_how_many(page: Page, desk: Desk) -> None:
    assert desk.client.post("/api/articles", json={"text": 7}).status_code == 422
    enter(page)
    go(page, "Jobs")
    failed = page.locator("tbody tr", has_text="failed")
    expect(failed).to_contain_text("1 of 1")
