"""What people expect of a chat, in a real browser against the real service."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from embeddings.types import Article

Read = Callable[..., Any]
BRIDGE = "How long will the Osprey Bridge be closed?"
DECLINED: dict[str, Any] = {"answer_mode": "abstained", "abstain_reason": "weak_match", "claims": (), "citations": ()}
KITES = "How many visitors did the kite festival of Ostara draw?"


def test_a_conversation_goes_on_survives_a_reload_and_ends(read: Read, service: Any) -> None:
    reader = read().visit()
    reader.ask(BRIDGE)
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    live = reader.highlighted()
    reader.chat.get_by_role("button", name="Back to the answer").click()
    reader.ask("And how many steel hangers have cracks?")
    found = reader.page.evaluate("Object.entries(localStorage)")
    assert [name for name, _ in found] == [f"sourceline:conversation:{service.url}"]
    (conversation,) = [value for _, value in found]
    assert len(httpx.get(f"{service.url}/api/conversations/{conversation}").json()["turns"]) == 2

    reader.ask("Who won the chess championship in Lima?").locator(".starter").wait_for()
    before = reader.chat.locator(".turn").all_inner_texts()
    reader.page.reload()
    reader.last.locator(".starter").wait_for()
    assert reader.chat.locator(".turn").all_inner_texts() == before
    reader.chat.locator(".answer .chip").first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() == live != []

    reader.chat.get_by_role("button", name="New conversation").click()
    assert reader.chat.locator(".turn").count() == 0
    assert reader.chat.locator(".welcome").is_visible()
    reader.page.reload()
    reader.chat.locator(".welcome").wait_for()
    assert reader.chat.locator(".turn").count() == 0


def test_an_edited_question_takes_the_place_of_what_follows(read: Read, service: Any) -> None:
    reader = read().visit()
    reader.ask(BRIDGE)
    reader.ask("And how many steel hangers have cracks?")
    reader.ask(KITES)
    notice = reader.chat.locator(".composer .narrowed")
    edit = reader.chat.get_by_role("button", name="Edit the question")
    edit.nth(1).click()
    assert reader.input.input_value() == "And how many steel hangers have cracks?"
    assert notice.inner_text() == "Replaces “And how many steel hangers have cracks?” and what follows it ✕"
    assert reader.chat.get_by_role("status").inner_text() == notice.inner_text()
    notice.click()
    assert notice.is_hidden()
    only = reader.chat.get_by_role("button", name="Passages only")
    only.click()
    edit.nth(1).click()
    assert only.get_attribute("aria-pressed") == "false", "passages alone would take nothing's place"
    reader.send("How many ferries will run at the Osprey Bridge?")
    reader.last.locator(".actions").wait_for()
    asked = [BRIDGE, "How many ferries will run at the Osprey Bridge?"]
    assert reader.chat.locator(".question").all_inner_texts() == asked
    assert notice.is_hidden()
    reader.page.reload()
    reader.last.locator(".actions").wait_for()
    assert reader.chat.locator(".question").all_inner_texts() == asked
    conversation = reader.page.evaluate("Object.values(localStorage)[0]")
    kept = [one["answer"] for one in httpx.get(f"{service.url}/api/conversations/{conversation}").json()["turns"]]
    assert kept[3]["replaces"] == kept[1]["id"]
    reader.ask(KITES)
    assert reader.chat.locator(".question").all_inner_texts() == [*asked, KITES]


def test_a_question_to_begin_with_is_asked_by_a_click(read: Read, scripted: Any, answering: Any) -> None:
    compose, unfold = answering
    article = Article(id="a", version="v", title="T", text="It opens in June.")
    scripted.starters = [f"Question {number}?" for number in range(8)]
    scripted.script = lambda request: unfold(compose([article.text], article, question=request["question"]))
    reader = read(scripted.url).visit()
    starters = reader.chat.locator(".starter")
    starters.first.wait_for()
    assert starters.all_inner_texts() == scripted.starters[:6]
    starters.nth(1).click()
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".question").inner_text() == "Question 1?"
    assert reader.chat.locator(".welcome").is_hidden()


def test_the_service_offers_questions_that_it_answers(read: Read, service: Any) -> None:
    offered = [one["question"] for one in httpx.get(f"{service.url}/api/starters", timeout=60).json()["starters"]]
    reader = read().visit()
    if not offered:
        assert reader.chat.locator(".starters").is_hidden()
        return
    reader.chat.locator(".starter").first.click()
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".question").inner_text() == offered[0]
    assert reader.last.locator(".answer .chip").count()


def test_a_conversation_that_was_erased_is_begun_anew(read: Read, service: Any) -> None:
    reader = read().visit()
    reader.ask(BRIDGE)
    conversation = reader.page.evaluate("Object.values(localStorage)[0]")
    httpx.delete(f"{service.url}/api/conversations/{conversation}").raise_for_status()
    turn = reader.ask(KITES)
    assert "12,000" in turn.locator(".answer").inner_text()
    assert reader.page.evaluate("Object.values(localStorage)[0]") != conversation


def test_a_conversation_that_cannot_be_read_just_now_is_kept(read: Read) -> None:
    reader = read().visit()
    reader.ask(BRIDGE)
    kept = reader.page.evaluate("Object.entries(localStorage)")
    reader.page.route("**/api/conversations/**", lambda route: route.fulfill(status=503, json={"status": 503}))
    reader.page.reload()
    problem = reader.chat.locator(".problem[data-kind=busy]")
    problem.wait_for()
    assert reader.page.evaluate("Object.entries(localStorage)") == kept
    reader.page.unroute("**/api/conversations/**")
    problem.get_by_role("button", name="Try again").click()
    reader.last.locator(".actions").wait_for()
    assert reader.chat.locator(".question").all_inner_texts() == [BRIDGE]
    assert reader.chat.locator(".problem").count() == 0


def test_an_abstention_says_why_and_shows_the_nearest_passages(read: Read) -> None:
    reader = read().visit()
    turn = reader.ask("Who won the chess championship in Lima?")
    assert turn.locator(".mode").inner_text() == "No answer in these articles"
    assert turn.locator(".why").inner_text()
    assert turn.get_by_role("button", name="Copy with sources").count() == 0
    # Nothing that was read shares a word with the question: it is folded away, and can be had.
    passages = turn.locator(".passage")
    assert not passages.first.is_visible()
    turn.locator(".passages summary").click()
    passages.first.get_by_role("button").first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted()


def test_feedback_is_stored_with_its_comment(read: Read, service: Any) -> None:
    reader = read().visit()
    turn = reader.ask(BRIDGE)
    turn.get_by_role("button", name="Not helpful").click()
    wrong = turn.get_by_role("button", name="Wrong")
    assert wrong.evaluate("one => one.getRootNode().activeElement === one"), "no keyboard comes up on a phone"
    for reason in ("Incomplete", "Out of date", "Incomplete"):
        turn.get_by_role("button", name=reason).click()
    turn.locator(".comment textarea").fill("It does not say when it reopens. <b>Bold</b> 🪁")
    turn.get_by_role("button", name="Send").click()
    turn.get_by_text("Your feedback was stored").wait_for()
    stored = httpx.get(f"{service.url}/api/feedback").json()["feedback"][0]
    assert stored["reasons"] == ["outdated"]
    assert (stored["verdict"], stored["comment"]) == ("down", "It does not say when it reopens. <b>Bold</b> 🪁")


def test_an_answer_is_copied_with_its_sources(read: Read) -> None:
    reader = read()
    reader.may_copy().visit()
    turn = reader.ask(BRIDGE)
    beside = turn.get_by_role("button", name="Copy link")
    before = beside.bounding_box()
    turn.get_by_role("button", name="Copy as Markdown").click()
    turn.get_by_role("button", name="Copied").wait_for()
    assert beside.bounding_box() == pytest.approx(before, abs=1), "a second click does not hit another button"
    text = reader.page.evaluate("navigator.clipboard.readText()")
    assert (
        "\n\n- \\[1\\] [Osprey Bridge to shut](https://example.org/bridge), Kelmar Dispatch, 14 June 2024\n  > " in text
    )
    turn.get_by_role("button", name="Copy with sources").click()
    turn.locator(".actions button", has_text="Copied").first.wait_for()
    reader.page.wait_for_function("async start => (await navigator.clipboard.readText()).startsWith(start)", arg=BRIDGE)
    text = reader.page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(f"{BRIDGE}\n\n16\n\nThe Osprey Bridge will be closed")
    assert re.search(r"said\. \[1\]", text)
    assert "[1] Osprey Bridge to shut, Kelmar Dispatch, 14 June 2024, https://example.org/bridge" in text


def test_a_source_that_is_silent_for_longer_than_usual_is_told_of(read: Read, begin_service: Any) -> None:
    days = [datetime.now(UTC).date() - timedelta(days=ago) for ago in range(9, 16)]
    own = begin_service(QA_ORIGIN_TOKENS="true", QA_ALLOWED_ORIGINS="{url}")
    own.add(
        *(
            {"id": f"a{day}", "text": f"On {day} it rained.", "source": "Kelmar Post", "published_at": str(day)}
            for day in days
        )
    )
    reader = read(own.url).visit()
    late = reader.chat.locator(".late")
    late.wait_for()
    assert late.inner_text() == "Kelmar Post: newest article 9 days ago, longer ago than usual."
    own.add(
        {"id": "today", "text": "It rains.", "source": "Kelmar Post", "published_at": str(datetime.now(UTC).date())}
    )
    reader.page.reload()
    reader.chat.locator(".archive").wait_for()
    assert late.is_hidden()


def test_a_source_that_was_corrected_since_says_so(read: Read, begin_service: Any) -> None:
    own = begin_service()
    said = {"id": "wall", "title": "Harbour Wall in Senn to Be Rebuilt", "source": "Senn Gazette"}
    text = "The council of Senn voted on Thursday to rebuild the harbour wall at a cost of {} million crowns."
    own.add({**said, "text": text.format(38)})
    reader = read(own.url).visit()
    reader.ask("How much will the harbour wall in Senn cost?")
    told = reader.last.locator(".sources .corrected")
    assert told.count() == 0
    own.add({**said, "text": text.format(83)})
    reader.page.reload()
    told.wait_for()
    assert told.all_inner_texts() == ["Corrected later"]
    assert "38 million" in reader.last.locator(".answer").inner_text(), "what was answered stands"
    told_of_changes(reader)
    told_that_it_is_older(reader)
    link = reader.may_copy().last.get_by_role("button", name="Copy link")
    link.click()
    reader.last.get_by_role("button", name="Copied", exact=True).wait_for()
    passed_on = reader.page.evaluate("navigator.clipboard.readText()")
    reader.page.evaluate("localStorage.clear()")
    reader.page.goto("about:blank")
    reader.page.goto(passed_on)
    told_of_changes(reader)
    reader.last.get_by_role("button", name="Copy with sources").click()
    reader.last.get_by_role("button", name="Copied", exact=True).wait_for()
    text = reader.page.evaluate("navigator.clipboard.readText()")
    assert f"\n\n{OLDER}\n\n" in text
    here = "article=wall&version="
    assert f"[1] Harbour Wall in Senn to Be Rebuilt, Senn Gazette, Corrected later, {own.url}/#{here}" in text
    reader.last.get_by_role("button", name="Copy as Markdown").click()
    reader.page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('**')")
    text = reader.page.evaluate("navigator.clipboard.readText()")
    assert f"[Harbour Wall in Senn to Be Rebuilt]({own.url}/#{here}" in text
    assert "), Senn Gazette, Corrected later\n" in text


OLDER = "Corrected since: what stands here is from an older version of the article."


def told_that_it_is_older(reader: Any) -> None:
    """Above the few words, which are not called sure, and in the article, which leads to its current version."""
    lead = reader.last.locator(".lead")
    assert lead.inner_text().split("\n")[0] == OLDER
    assert lead.locator(".large").count() == 0
    assert reader.last.locator(".sureness").all_inner_texts() == [OLDER]
    reader.chips.first.click()
    notice = reader.chat.locator(".article .older")
    notice.wait_for()
    assert notice.inner_text() == f"{OLDER} Show the current version"
    assert reader.chat.locator(".unseen[role=status]").text_content() == OLDER, "those who hear it are told"
    assert "38 million" in reader.highlighted()[0]
    notice.get_by_role("button", name="Show the current version").click()
    notice.wait_for(state="detached")
    reader.chat.locator(".article-body", has_text="83 million").wait_for()
    reader.chat.get_by_role("button", name="Back to the answer").click()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "canceled"}, "An article this answer quoted has been withdrawn by its publisher."),
        ({"embargoed_until": "2999-01-01T00:00:00Z"}, "An article this answer quoted is under embargo"),
        (None, "An article this answer quoted has been removed since."),
    ],
    ids=["withdrawn", "embargo", "removed"],
)
def test_an_answer_whose_source_is_gone_says_what_became_of_it(
    read: Read, begin_service: Any, change: dict[str, str] | None, why: str
) -> None:
    own = begin_service()
    own.add({"id": "wall", "title": "Harbour Wall", "text": "The harbour wall in Senn will cost 38 million crowns."})
    reader = read(own.url).visit()
    reader.ask("How much will the harbour wall in Senn cost?")
    if change:
        own.add({"id": "wall", **change})
    else:
        httpx.delete(f"{own.url}/api/articles/wall").raise_for_status()
    reader.page.reload()
    reader.last.locator(".why").wait_for()
    assert reader.last.locator(".mode").inner_text() == "This answer can no longer be shown"
    assert reader.last.locator(".why").inner_text().startswith(why)


def test_a_source_without_an_address_is_copied_with_a_link_to_it_here(read: Read, begin_service: Any) -> None:
    own = begin_service()
    own.add({"id": "wall", "title": "Harbour Wall", "text": "The harbour wall in Senn will cost 38 million crowns."})
    reader = read(own.url).may_copy().visit()
    turn = reader.ask("How much will the harbour wall in Senn cost?")
    said = turn.locator(".sources .byline").inner_text()
    for name, form in (
        ("Copy with sources", "Harbour Wall, {said}, {link}\n"),
        ("Copy as Markdown", "[Harbour Wall]({link}), {said}\n"),
    ):
        turn.get_by_role("button", name=name).click()
        turn.get_by_role("button", name="Copied", exact=True).wait_for()
        text = reader.page.evaluate("navigator.clipboard.readText()")
        (link,) = re.findall(rf"{re.escape(own.url)}/#article=wall[^\s)]+", text)
        assert form.format(said=said, link=link) in text
        turn.get_by_role("button", name=name).wait_for()
    reader.page.goto("about:blank")
    reader.page.goto(link)
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert "38 million" in reader.highlighted()[0]


def told_of_changes(reader: Any) -> None:
    """What the source said and says is told when it is asked for, by keys alone, and to those who listen."""
    changes = reader.last.locator(".sources .changes")
    changes.wait_for()
    place = changes.locator("[role=status]")
    assert place.text_content() == "", "nothing is asked for that nobody wants to see"
    summary = changes.locator("summary")
    assert summary.inner_text() == "What changed"
    summary.focus()
    reader.page.keyboard.press("Enter")
    changes.locator("ins").wait_for()
    assert [one.split("\n") for one in changes.locator("p").all_inner_texts()] == [
        ["Before", "The council of Senn voted on Thursday to rebuild the harbour wall at a cost of 38 million crowns."],
        ["Now", "The council of Senn voted on Thursday to rebuild the harbour wall at a cost of 83 million crowns."],
    ]
    assert changes.get_by_role("status").inner_text().count("million") == 2
    reader.page.keyboard.press("Enter")
    changes.locator("ins").wait_for(state="hidden")


def test_the_first_screen_leads_to_an_article_and_back_to_earlier_conversations(read: Read) -> None:
    reader = read().visit()
    archive = reader.chat.locator(".archive")
    archive.wait_for()
    assert archive.inner_text().startswith("3 articles · 3 sources · 7 April 2024 – 14 June 2024 (newest ")
    newest = reader.chat.locator(".newest .starter")
    assert newest.first.inner_text() == "Osprey Bridge to shut"
    newest.first.click()
    reader.chat.get_by_role("button", name="Ask about this article").click()
    assert reader.chat.locator(".article").is_hidden()
    chips = reader.chat.locator(".composer .narrowed")
    assert chips.all_inner_texts() == ["Only: Osprey Bridge to shut ✕"]
    with reader.page.expect_request("**/api/ask") as sent:
        reader.ask(BRIDGE)
    assert sent.value.post_data_json["filters"] == {"article_ids": ["bridge"]}
    before = reader.last.locator(".understood, .answer, .sources").all_inner_texts()
    assert before[0] == "Only: Osprey Bridge to shut ✕", "the answer says what it was narrowed to"
    reader.chat.get_by_role("button", name="New conversation").click()
    assert chips.count() == 0, "what narrows is not carried over unseen"
    reader.page.reload()
    reader.chat.locator(".earlier .starter", has_text=BRIDGE).click()
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".understood, .answer, .sources").all_inner_texts() == before
    top = "one => one.getBoundingClientRect().top - one.closest('.scroller').getBoundingClientRect().top"
    assert reader.last.locator(".question").evaluate(top) >= 0, "the question stands below the header"


def test_what_is_offered_follows_the_filters(read: Read, scripted: Any, answering: Any) -> None:
    """Asked with the filters of the moment, and taken back when they change."""
    compose, unfold = answering
    article = Article(id="a", version="v", title="T", text="It opens in June.")
    scripted.articles["a"] = article
    scripted.starters = ["Who opens it?"]
    scripted.script = lambda request: unfold(
        compose([article.text], article, **{**DECLINED, "question": request["question"]})
    )
    body = (
        '<script src="/widget/sourceline-chat.js" data-mode="inline" data-article="a" data-collection="desk"></script>'
    )
    page = f'<!doctype html><html lang="en"><title>Host</title><h1>Host</h1>{body}'
    reader = read(scripted.url)
    script = scripted.widget.files[scripted.widget.script.rpartition("/")[2]].content
    reader.page.route(
        "**/widget/sourceline-chat.js", lambda route: route.fulfill(content_type="text/javascript", body=script)
    )
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    reader.visit("/host")
    reader.chat.locator(".starter").first.wait_for()
    assert scripted.queries == [{"collection": ["desk"], "article_ids": ["a"]}], "never for all articles"
    reader.ask("When?")
    reader.last.locator(".starter").wait_for()
    scripted.starters = ["Who closes it?"]
    reader.chat.locator(".composer .narrowed").click()
    assert reader.last.locator(".starter").count() == 0
    reader.chat.get_by_role("button", name="New conversation").click()
    reader.chat.locator(".welcome .starter").first.wait_for()
    assert {"collection": ["desk"]} in scripted.queries
    assert scripted.queries[-1] == {"collection": ["desk"], "article_ids": ["a"]}, "it begins as the page wants it"


def test_a_new_conversation_begins_at_its_top(read: Read) -> None:
    reader = read(viewport={"width": 375, "height": 400}).visit()
    for question in (BRIDGE, KITES):
        reader.ask(question)
    scroller = reader.chat.locator(".scroller")
    assert scroller.evaluate("one => one.scrollTop") > 0
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    only = reader.chat.get_by_role("button", name="Passages only")
    only.click()
    reader.chat.get_by_role("button", name="New conversation").click()
    assert reader.chat.locator(".filters").is_hidden(), "the first screen needs the room"
    assert only.get_attribute("aria-pressed") == "false", "it asks, as one that nobody has used"
    assert scroller.evaluate("one => one.scrollTop") == 0
    top = "one => one.getBoundingClientRect().top - one.closest('.scroller').getBoundingClientRect().top"
    assert reader.chat.locator(".intro").evaluate(top) >= 0


def test_a_link_to_a_question_asks_it_once(read: Read) -> None:
    reader = read().visit("/?from=mail#q=How+long+will+the+Osprey+Bridge+be+closed%3F")
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".question").inner_text() == BRIDGE
    assert reader.page.url == reader.base + "/?from=mail", "a reload does not ask again"


def test_filters_narrow_what_is_cited(read: Read) -> None:
    reader = read().visit()
    reader.chat.get_by_role("button", name="Filters").click()
    source = reader.chat.locator(".filters select")
    source.locator("option", has_text="Ostara Daily").wait_for(state="attached")
    source.select_option("Ostara Daily")
    reader.chat.get_by_label("From").fill("2024-04-01")
    reader.chat.get_by_label("To").fill("2024-04-07")
    assert reader.chat.get_by_role("button", name="Filters (3)").is_visible()
    with reader.page.expect_request("**/api/ask") as sent:
        turn = reader.ask(KITES)
    assert sent.value.post_data_json["filters"] == {
        "source": ["Ostara Daily"],
        "published_after": "2024-04-01",
        "published_before": "2024-04-08",
    }
    assert "12,000" in turn.locator(".answer").inner_text()
    narrowed = "Ask without: Ostara Daily, From: 1 April 2024, To: 7 April 2024"
    reader.ask(BRIDGE).get_by_role("button", name=narrowed).click()
    reader.chat.locator(".turn").nth(2).locator(".answer .chip").first.wait_for()
    assert reader.chat.get_by_role("button", name="Filters", exact=True).is_visible()
    reader.chat.locator(".turn").nth(2).locator(".actions").wait_for()
    source.select_option("Ostara Daily")
    reader.chat.get_by_role("button", name="Clear filters").click()
    with reader.page.expect_request("**/api/ask") as sent:
        reader.ask(KITES)
    assert "filters" not in sent.value.post_data_json


def test_fifty_turns_stay_in_order(read: Read, service: Any, long_form: bool) -> None:
    """Asked one by one in the long form; else the service is asked directly, and the chat restores them."""
    questions = [BRIDGE, KITES, "How many steel hangers have cracks?", "كم يبلغ عدد سكان مدينة عين سرحة؟"]
    asked = [questions[number % len(questions)] for number in range(50)]
    reader = read().visit()
    reader.ask(asked[0])
    conversation = reader.page.evaluate("Object.values(localStorage)[0]")
    for question in asked[1:49]:
        if long_form:
            reader.ask(question)
        else:
            body = {"question": question, "conversation_id": conversation}
            httpx.post(f"{service.url}/api/ask", json=body).raise_for_status()
    reader.page.reload()
    reader.chat.locator(".turn").nth(48).locator(".actions").wait_for()
    reader.ask(asked[49])
    assert reader.chat.locator(".question").all_inner_texts() == asked
    # The last question stands at the top of the visible part, whatever came before.
    offset = reader.last.locator(".question").evaluate(
        "one => one.getBoundingClientRect().top - one.closest('.scroller').getBoundingClientRect().top"
    )
    assert 0 <= offset < 60
