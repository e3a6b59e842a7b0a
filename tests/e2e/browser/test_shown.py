"""What an answer is made of is shown as what it is: conflicts, copies of a story, doubts, quotations, reasons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from embeddings.types import Article
from qa.language.dates import UnderstoodPeriod
from qa.types import (
    AlsoReported,
    Answer,
    AnswerEvent,
    Conflict,
    Event,
    Filters,
    Generation,
    Origin,
    SearchResult,
    ShortAnswer,
)

Read = Callable[..., Any]
TEXT = "It closes in July.\n\nIt opens in June. The mayor said so."
ARTICLE = Article(
    id="a",
    version="v",
    title="Bridge <closed>",
    text=TEXT,
    source="Desk",
    url="https://example.org/b",
    published_at="2024-06-14T10:30:00Z",
)
COPY = Article(id="b", version="v", title="Bridge, a copy", text="The same.", source="Wire")
WRITTEN = "Written by a language model from the articles, each sentence checked against its source"
SENTENCES = ["It closes in July.", "It opens in June."]


def result(*, text: str, **changes: Any) -> SearchResult:
    """A passage of ARTICLE that begins where it begins."""
    return SearchResult(
        passage_id="p",
        article_id="a",
        article_version="v",
        title=ARTICLE.title,
        source="Desk",
        url=None,
        published_at=None,
        text=text,
        start_char_index=0,
        end_char_index=len(text),
        score=1.0,
        **changes,
    )


@pytest.fixture
def show(read: Read, scripted: Any, answering: Any) -> Callable[..., Any]:
    """Let a reader get an answer with these changes."""
    compose, unfold = answering
    scripted.articles |= {"a": ARTICLE, "b": COPY}

    def show(*, choices: dict[str, Any] | None = None, clock: bool = False, **changes: Any) -> Any:
        answer = compose(SENTENCES, ARTICLE)
        answer = Answer(**{**{name: getattr(answer, name) for name in answer.__struct_fields__}, **changes})
        scripted.script = lambda _: unfold(answer)
        reader = read(scripted.url, **(choices or {}))
        if clock:
            reader.with_clock()
        reader.visit()
        reader.ask(changes.get("question", "When?"))
        return reader

    return show


def test_sources_that_disagree_are_shown_together(show: Any) -> None:
    correction = Conflict(citation_ids=("c2",), note="It was June.", kind="correction")
    reader = show(conflicts=(Conflict(citation_ids=("c1", "c2"), note="One says July, the other June."), correction))
    box = reader.last.locator(".conflicts")
    assert box.locator(".label").all_inner_texts() == ["The sources disagree", "A correction puts it right"]
    assert "One says July, the other June." in box.inner_text()
    box.locator(".chip").nth(1).click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() == ["It opens in June."]
    assert reader.highlighted("sourceline-other") == ["It closes in July."], "the other quotation is marked too"


def test_on_a_phone_both_sides_stand_beside_each_other_above_what_is_quoted(show: Any) -> None:
    differ = Conflict(citation_ids=("c1", "c2"), note="They differ.", values=("in July", "in June"), later="c2")
    phone = {"viewport": {"width": 390, "height": 664}, "has_touch": True}
    reader = show(choices=phone, answer_mode="extractive", conflicts=(differ,))
    one, other = (side.bounding_box() for side in reader.last.locator(".sides li").all())
    assert one["y"] == other["y"]
    assert one["x"] + one["width"] < other["x"]
    assert other["y"] + other["height"] < reader.last.locator(".answer").bounding_box()["y"]
    assert other["y"] + other["height"] < reader.chat.locator(".composer").bounding_box()["y"]
    reader.chips.first.tap()
    assert reader.chat.locator(".card").evaluate("card => getComputedStyle(card).touchAction") == "pan-y pinch-zoom"


def test_from_right_to_left_each_side_stands_where_lines_begin(show: Any) -> None:
    differ = Conflict(citation_ids=("c1", "c2"), note="They differ.", values=("in July", "in June"))
    reader = show(choices={"locale": "ar"}, answer_mode="extractive", conflicts=(differ,))
    ends = reader.last.locator(".sides li").first.evaluate(
        """side => { const range = document.createRange();
        return [".value", "bdi", ".unbroken"].map(name => {
          range.selectNodeContents(side.querySelector(name));
          return Math.round(range.getBoundingClientRect().right);
        }) }"""
    )
    assert len(set(ends)) == 1, "value, source and day end at the same edge"


def test_an_arrow_with_another_key_is_left_to_the_browser(show: Any) -> None:
    """Alt and an arrow is its way back."""
    reader = show(answer_mode="extractive")
    reader.page.evaluate("addEventListener('keydown', event => (window.prevented = event.defaultPrevented))")
    reader.chips.first.focus()
    reader.page.keyboard.press("Alt+ArrowRight")
    assert not reader.page.evaluate("prevented")
    assert reader.chips.first.evaluate("chip => chip.getRootNode().activeElement === chip")
    reader.chips.first.press("Enter")
    place = reader.chat.locator(".article-bar .quiet")
    place.get_by_text("1 / 2").wait_for()
    reader.page.keyboard.press("Alt+ArrowRight")
    assert place.inner_text() == "1 / 2"
    reader.page.keyboard.press("ArrowRight")
    place.get_by_text("2 / 2").wait_for()


def test_numbers_are_written_as_the_reader_writes_them(show: Any) -> None:
    reader = show(choices={"locale": "ar-EG"}, search_results=(result(text=LONGER),) * 12)
    assert "١٢" in reader.last.locator("summary").inner_text()


def test_the_other_side_of_a_disagreement_is_a_source_too(show: Any, answering: Any) -> None:
    cited = answering[0](SENTENCES, COPY).citations[0]
    other = type(cited)(**{**{name: getattr(cited, name) for name in cited.__struct_fields__}, "id": "x1"})
    citations = (*answering[0](SENTENCES, ARTICLE).citations, other)
    reader = show(citations=citations, conflicts=(Conflict(citation_ids=("c1", "x1"), note="They differ."),))
    assert reader.last.locator(".conflicts .chip").all_inner_texts() == ["1", "2"]
    assert reader.last.locator(".sources .source-title").all_inner_texts() == [ARTICLE.title, COPY.title]


@pytest.mark.parametrize(
    ("today", "said"), [("2024-06-14", "today"), ("2024-06-17", "3 days ago"), ("2024-08-20", "2 months ago")]
)
def test_a_source_says_how_old_it_is(show: Any, today: str, said: str) -> None:
    reader = show(clock=True)
    reader.page.clock.set_fixed_time(f"{today}T12:00:00Z")
    reader.ask("And when?")
    assert (
        reader.last.locator(".sources .byline").inner_text().replace("\u00a0", " ") == f"Desk · 14 June 2024 · {said}"
    )


def test_a_question_can_be_changed_and_asked_again(show: Any, scripted: Any) -> None:
    reader = show(question="When does it close?")
    reader.last.get_by_role("button", name="Edit the question").click()
    assert reader.input.input_value() == "When does it close?"
    assert reader.input.evaluate("input => input.getRootNode().activeElement === input")
    reader.page.keyboard.press("ArrowLeft")
    reader.page.keyboard.type(" again")
    reader.page.keyboard.press("Enter")
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert scripted.asked[-1]["question"] == "When does it close again?"


def test_copies_of_a_story_are_named_once_and_can_be_read(show: Any) -> None:
    also = AlsoReported(
        article_id="b", article_version="v", title=COPY.title, source="Wire", url=None, published_at=None
    )
    found = result(text=TEXT, also_reported_by=(also,))
    reader = show(search_results=(found, found))
    sources = reader.last.locator(".sources li")
    assert sources.count() == 1, "two quotations of one article are one source"
    assert sources.locator(".also").inner_text() == "Also reported by Wire"
    sources.locator(".also button").click()
    reader.chat.get_by_text("The same.").wait_for()
    assert reader.chat.locator(".article-title").inner_text() == "Bridge, a copy"


def test_what_is_copied_names_each_source_once(show: Any, answering: Any) -> None:
    cited = answering[0](SENTENCES, COPY).citations[0]
    other = msgspec.structs.replace(cited, id="x1")
    reader = show(
        choices={"permissions": ["clipboard-read", "clipboard-write"]},
        citations=(*answering[0](SENTENCES, ARTICLE).citations, other),
        conflicts=(Conflict(citation_ids=("c1", "x1"), note="They differ."),),
    )
    texts = []
    for name in ("Copy with sources", "Copy as Markdown"):
        reader.last.get_by_role("button", name=name).click()
        reader.last.get_by_role("button", name="Copied").wait_for()
        texts.append(reader.page.evaluate("navigator.clipboard.readText()"))
        reader.last.get_by_role("button", name=name).wait_for()
    about = "Bridge <closed>, Desk, 14 June 2024, https://example.org/b"
    assert f"[1] {about}\n    “It closes in July.”\n    “It opens in June.”\n[2] " in texts[0]
    assert texts[1].count("https://example.org/b") == 1
    assert "\n  > It closes in July.\n  >\n  > It opens in June.\n- \\[2\\] " in texts[1]


def test_one_button_at_a_time_says_that_it_copied_and_a_short_answer_goes_with_it(show: Any) -> None:
    start = TEXT.index("July")
    short = ShortAnswer(
        text="July", article_id="a", article_version="v", start_char_index=start, end_char_index=start + 4
    )
    reader = show(question="When?", answer_mode="extractive", short_answer=short, support_score=0.9).may_copy()
    buttons = reader.last.locator(".actions [part=copy]")
    for number in (0, 1):
        buttons.nth(number).click()
        buttons.nth(number).and_(reader.last.get_by_text("Copied")).wait_for()
    assert buttons.all_inner_texts()[:2] == ["Copy with sources", "Copied"]
    assert reader.page.evaluate("navigator.clipboard.readText()").startswith("**When?**\n\n**July**\n\n")


def test_the_way_back_takes_away_what_lies_over_the_chat_and_nothing_else(show: Any) -> None:
    reader = show(choices={"has_touch": True, "viewport": {"width": 390, "height": 760}})
    page, article = reader.page, reader.chat.locator(".article")
    length = page.evaluate("history.length")
    page.evaluate("history.replaceState({ router: 7 }, '')")
    reader.chips.first.tap()
    reader.chips.first.tap()
    article.locator("p[dir]").first.wait_for()
    page.wait_for_function("length => history.length === length + 1", arg=length)
    assert page.evaluate("history.state.router") == 7, "what a router keeps there stays"
    page.go_back()
    article.wait_for(state="hidden")
    assert page.evaluate("history.state") == {"router": 7}
    reader.chips.first.tap()
    reader.chat.locator(".card").wait_for()
    page.wait_for_function("history.state.sourceline")
    page.go_back()
    reader.chat.locator(".card").wait_for(state="detached")
    reader.last.locator(".source-title").first.click()
    article.wait_for()
    article.get_by_role("button", name="Back to the answer").click()
    page.wait_for_function("!history.state.sourceline")
    assert page.evaluate("history.length") == length + 1, "no step is left to be taken twice"
    page.evaluate("history.pushState({ router: 8 }, '')")
    page.go_back()
    assert page.evaluate("history.state") == {"router": 7}
    page.set_viewport_size({"width": 1200, "height": 800})
    reader.chips.first.click()
    article.locator("p[dir]").first.wait_for()
    assert page.evaluate("history.state") == {"router": 7}, "beside the chat it hides nothing"


def test_the_way_back_closes_a_panel_that_covers_the_page(read: Read, scripted: Any, answering: Any) -> None:
    """From the topmost layer to the last; beside the page, a panel hides nothing."""
    compose, unfold = answering
    scripted.articles |= {"a": ARTICLE}
    scripted.script = lambda request: unfold(compose(SENTENCES, ARTICLE, question=request["question"]))
    reader = read(scripted.url, has_touch=True, viewport={"width": 390, "height": 760})
    page = reader.page
    script = f"<script src='{scripted.widget.script}'></script>"
    host = f"<!doctype html><html lang=en><title>Host</title><p>News</p>{script}"
    page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    page.goto(f"{scripted.url}/before")
    page.goto(f"{scripted.url}/host#sourceline-q=When%3F")
    panel, article = reader.chat.locator("dialog"), reader.chat.locator(".article")
    reader.last.locator(".actions").wait_for()
    page.wait_for_function("history.state?.sourceline")
    reader.last.locator(".source-title").first.click()
    article.locator("p[dir]").first.wait_for()
    page.wait_for_function("history.state.sourceline[1] === 2")
    page.go_back()
    article.wait_for(state="hidden")
    assert panel.is_visible()
    page.go_back()
    panel.wait_for(state="hidden")
    assert page.url == f"{scripted.url}/host", "the question is not asked again"
    reader.chat.get_by_role("button", name="Ask a question").tap()
    page.wait_for_function("history.state?.sourceline")
    reader.chat.get_by_role("button", name="Close", exact=True).last.tap()
    page.wait_for_function("!history.state?.sourceline")
    page.go_back()
    assert page.url == f"{scripted.url}/before", "no step is left to be taken twice"
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto(f"{scripted.url}/host")
    reader.chat.get_by_role("button", name="Ask a question").click()
    panel.wait_for()
    page.go_back()
    assert page.url == f"{scripted.url}/before"


def test_doubts_are_said_beside_the_sentence(show: Any, answering: Any) -> None:
    claims = answering[0](SENTENCES, ARTICLE).claims
    doubtful = type(claims[1])(
        **{**{name: getattr(claims[1], name) for name in claims[1].__struct_fields__}, "verdict": "unsupported"}
    )
    reader = show(claims=(claims[0], doubtful))
    assert reader.last.locator(".sentence").nth(0).locator(".verdict").count() == 0
    assert (
        reader.last.locator(".sentence").nth(1).locator(".verdict").inner_text().strip()
        == "(not supported by the articles)"
    )


@pytest.mark.parametrize(
    ("changes", "mode", "said"),
    [
        ({}, WRITTEN, None),
        (
            {"fallback_reason": "model_timed_out"},
            WRITTEN,
            "The language model took too long. So the answer ends early; all of it was checked.",
        ),
        ({"answer_mode": "extractive", "fallback_reason": "no_model"}, "Quoted word for word from the articles", None),
        (
            {"answer_mode": "extractive", "fallback_reason": "ungrounded"},
            "Quoted word for word from the articles",
            (
                "What the language model wrote was not supported by the articles. "
                "So these are the articles’ own sentences."
            ),
        ),
        (
            {"answer_mode": "abstained", "abstain_reason": "stale_only", "fallback_reason": "model_unreachable"},
            "No answer in these articles",
            "The language model could not be reached.",
        ),
    ],
)
def test_who_wrote_it_and_why_is_said(show: Any, changes: dict[str, Any], mode: str, said: str | None) -> None:
    reader = show(**changes)
    assert reader.last.locator(".mode").inner_text() == mode
    assert reader.last.locator(".fallback").all_inner_texts() == ([said] if said else [])
    quoted = reader.last.locator(".answer blockquote").count()
    assert quoted == (1 if changes.get("answer_mode") == "extractive" else 0)


def test_what_a_model_writes_says_so_to_people_and_programs(read: Read, scripted: Any, answering: Any) -> None:
    compose, unfold = answering
    answer = compose(["The bridge closes in July.", "It opens in June."], ARTICLE)
    origins: tuple[Origin, ...] = ("model", "quoted")
    claims = tuple(
        msgspec.structs.replace(claim, origin=origin) for claim, origin in zip(answer.claims, origins, strict=True)
    )
    written = Generation(model="small-1", prompts={}, checker="aligned")
    answer = msgspec.structs.replace(answer, claims=claims, generation=written)
    rest = threading.Event()

    def script(_: dict[str, Any]) -> Iterator[Event]:
        first, *others = (one for one in unfold(answer) if not isinstance(one, AnswerEvent))
        yield from (first, *others)
        rest.wait(60)
        yield AnswerEvent(answer=answer)

    scripted.script = script
    reader = read(scripted.url).may_copy().visit()
    reader.send("When?")
    notice = reader.last.locator(".notice")
    notice.wait_for()
    assert reader.last.locator(".actions").count() == 0, "it is said while the model writes"
    place = notice.bounding_box()
    rest.set()
    reader.last.locator(".actions").wait_for()
    assert notice.bounding_box() == place
    assert "AI text. It can be wrong" in notice.inner_text()
    assert reader.last.get_attribute("data-digital-source-type").endswith("/trainedAlgorithmicMedia")
    assert reader.last.get_attribute("data-model") == "small-1"
    found = reader.last.locator(".sentence").evaluate_all(
        "all => all.map(one => [one.dataset.origin, getComputedStyle(one, '::before').content])"
    )
    assert found == [["model", "none"], ["quoted", "open-quote"]], "what is quoted stands in quotation marks"
    for chip, origin in enumerate(["Written by a language model", "Word for word from the source"]):
        reader.chips.nth(chip).focus()
        reader.chat.locator(".card").get_by_text(origin).wait_for()
    reader.last.get_by_role("button", name="Copy as Markdown").click()
    reader.last.get_by_role("button", name="Copied").wait_for()
    assert "AI text. It can be wrong" in reader.page.evaluate("navigator.clipboard.readText()")


def test_while_a_model_writes_the_sources_stand_there_as_they_will_be_cited(
    read: Read, scripted: Any, answering: Any
) -> None:
    compose, unfold = answering
    answer = compose(["The bridge closes in July.", "It opens in June."], ARTICLE)
    other = msgspec.structs.replace(result(text="The same."), article_id="b", title=COPY.title, source="Wire")
    claims = tuple(msgspec.structs.replace(claim, origin="model") for claim in answer.claims)
    own = msgspec.structs.replace(result(text=TEXT), published_at=ARTICLE.published_at)
    answer = msgspec.structs.replace(answer, claims=claims, search_results=(other, own, own))
    steps = [threading.Event() for _ in range(4)]

    def script(_: dict[str, Any]) -> Iterator[Event]:
        for event, step in zip(unfold(answer), steps, strict=True):
            yield event
            step.wait(60)

    scripted.script = script
    reader = read(scripted.url).with_clock().visit()
    reader.send("When?")
    listed = reader.last.locator(".sources.being-read li")
    mode = reader.last.locator(".mode")
    mode.get_by_text("Reading 2 articles").wait_for()
    assert listed.count() == 0, "what is quoted at once would push them down"
    reader.page.clock.fast_forward(2500)
    assert mode.inner_text() == "Writing an answer; each sentence is checked before it is shown"
    assert listed.nth(0).inner_text().split("\n") == ["1", COPY.title, "", "Wire"]
    assert listed.nth(1).inner_text().split("\n")[:2] == ["2", ARTICLE.title]
    assert "Desk\u00a0· 14 June 2024\u00a0· " in listed.nth(1).inner_text()
    for number, step in enumerate(steps[:2]):
        step.set()
        reader.last.locator(".sentence").nth(number).wait_for()
        assert mode.inner_text() == f"Sentence {number + 1} is checked; the next one is being written"
        assert reader.chips.nth(number).inner_text() == "2", "the number that stands below"
        assert listed.count() == 2
    for step in steps[2:]:
        step.set()
    reader.last.locator(".actions").wait_for()
    assert listed.count() == 0
    before = reader.last.locator(".answer, .sources").all_inner_texts()
    assert [one for one in before[1].split("\n") if one][:3] == ["Sources", "2", ARTICLE.title]
    scripted.kept = answer
    reader.page.goto(f"{reader.base}/?again#answer=x&sig=y")
    reader.last.locator(".actions").wait_for()
    assert reader.last.locator(".answer, .sources").all_inner_texts() == before, "as it is kept, too"


def test_a_question_that_was_understood_otherwise_says_how_and_can_be_asked_as_typed(show: Any, scripted: Any) -> None:
    assert show(question="When?", resolved_query=" when? ").last.locator(".understood").is_hidden()
    reader = show(question="When?", resolved_query="When does the bridge close?")
    chip = reader.last.locator(".understood button")
    assert chip.inner_text() == "Understood as: When does the bridge close? ✕"
    assert chip.get_attribute("aria-label") == "Understood as: When does the bridge close?. Ask as typed: When?"
    chip.click()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert [(one["question"], one.get("as_written")) for one in scripted.asked[1:]] == [
        ("When?", None),
        ("When?", True),
    ]


EARLY_JUNE = UnderstoodPeriod(start="2024-06-03T00:00:00Z", end="2024-06-10T00:00:00Z", words="in early June")


NOT_KEPT = "This answer could not be stored. After a reload it is gone, and the next question cannot refer to it."


@pytest.mark.parametrize("abstains", [False, True])
def test_an_answer_that_could_not_be_stored_says_so(show: Any, scripted: Any, abstains: bool) -> None:
    kept = {"conversation_id": "c", "not_kept": True}
    declined = {"answer_mode": "abstained", "abstain_reason": "no_match", "claims": (), "citations": (), "answer": ""}
    reader = show(**kept, **(declined if abstains else {}))
    assert reader.last.locator("[part=not-kept]").inner_text() == NOT_KEPT
    assert NOT_KEPT.rstrip(".") in reader.chat.locator("[role=status]").inner_text()
    reader.last.locator("[part=edit]").click()
    assert reader.chat.locator("[part=replaces]").count() == 0, "nothing is there to replace"
    reader.input.press("Enter")
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert "replaces" not in scripted.asked[-1]


def test_an_answer_that_is_stored_says_nothing_of_it(show: Any) -> None:
    assert show(conversation_id="c").last.locator("[part=not-kept]").count() == 0


def test_a_period_that_was_not_kept_is_not_claimed(show: Any, scripted: Any) -> None:
    reader = show(question="What closed in early June?", understood_period=EARLY_JUNE, period_kept=False)
    chip = reader.last.locator(".understood button")
    assert chip.inner_text() == "Not limited to 3 June 2024 – 9 June 2024 ✕"
    chip.click()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert (scripted.asked[-1]["question"], scripted.asked[-1]["as_written"]) == ("What closed?", True)


def test_a_period_that_was_understood_can_be_left_out(show: Any, scripted: Any) -> None:
    reader = show(question="What closed in early June?", understood_period=EARLY_JUNE, period_kept=True)
    chip = reader.last.locator(".understood button")
    assert chip.inner_text() == "3 June 2024 – 9 June 2024 ✕"
    chip.click()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert [one["question"] for one in scripted.asked] == ["What closed in early June?", "What closed?"]
    assert scripted.asked[-1]["as_written"], "not as a follow-up of itself"
    assert reader.last.locator(".question").inner_text() == "What closed in early June?", "the heading stays"


def test_a_short_answer_stands_first_and_datelines_stay_out_of_sight(show: Any, answering: Any) -> None:
    text = "KELMAR (AP) — It closes in July."
    article = msgspec.structs.replace(ARTICLE, text=text)
    answer = answering[0]([text], article)
    start = text.index("July")
    short = ShortAnswer(
        text="July", article_id="a", article_version="v", start_char_index=start, end_char_index=start + 4
    )
    fields = {name: getattr(answer, name) for name in ("answer", "claims", "citations")}
    reader = show(answer_mode="extractive", short_answer=short, support_score=0.7, **fields)
    assert reader.last.locator(".short").inner_text() == "July"
    assert reader.last.locator(".answer .sentence").inner_text().startswith("It closes in July.")
    assert reader.highlighted("sourceline-key") == ["July"]
    assert reader.last.locator(".sureness").inner_text().startswith("This probably answers")
    reader.chips.first.hover()
    assert reader.chat.locator(".card-words").inner_text() == "It closes in July."
    said = reader.chat.locator("[role=status]").text_content()
    assert said.startswith("July. This probably answers")
    assert said.endswith("around it. Answer: It closes in July."), "no dateline is read out"
    copied = reader.last.locator(".answer").evaluate("answer => answer.textContent")
    assert text in copied, "the quotation itself is whole"


@pytest.mark.parametrize(
    ("score", "conflicts", "elsewhere", "first", "large", "said"),
    [
        (0.7, 0, 2, True, False, "This probably answers"),
        (0.8, 0, 0, True, True, "This probably answers"),
        (0.95, 0, 1, True, True, "This probably answers"),
        (0.85, 0, 2, True, True, "The articles answer this clearly."),
        (0.69, 0, 3, False, False, "This answers the question more likely than not"),
        (0.5, 0, 0, False, False, "This answers the question more likely than not"),
        (0.49, 0, 0, False, False, "This may not answer"),
        (0.9, 1, 3, False, False, "This answers the question more likely than not"),
        (0.49, 1, 0, False, False, "This may not answer"),
    ],
)
def test_a_short_answer_is_first_where_it_is_likely_and_large_where_it_is_more_so(
    show: Any, score: float, conflicts: int, elsewhere: int, first: bool, large: bool, said: str
) -> None:
    start = TEXT.index("July")
    short = ShortAnswer(
        text="July",
        article_id="a",
        article_version="v",
        start_char_index=start,
        end_char_index=start + 4,
        elsewhere=elsewhere,
    )
    differ = (Conflict(citation_ids=("c1", "c2"), note="They differ."),) * conflicts
    reader = show(answer_mode="extractive", short_answer=short, support_score=score, conflicts=differ)
    assert reader.last.locator(".short").all_inner_texts() == ["July"] * first
    assert reader.last.locator(".short.large").count() == large
    assert "".join(reader.last.locator(".sureness").all_inner_texts()).startswith(said)
    assert reader.last.locator(".sureness").count() == 1
    assert reader.highlighted("sourceline-key") == ["July"], "in the sentence it is marked in any case"


def test_the_filters_of_an_answer_stand_by_it_and_can_be_taken_away(show: Any, scripted: Any) -> None:
    narrowed = Filters(source=("Desk",), language=("en",), published_before="2024-07-01", article_ids=("a",))
    found = result(text=TEXT)
    reader = show(filters=narrowed, search_results=(found,))
    assert reader.last.locator(".understood button").count() == 0, "what was asked is known here"
    scripted.kept = next(one.answer for one in scripted.script({}) if isinstance(one, AnswerEvent))
    reader.page.goto(f"{reader.base}/#answer=x&sig=y")
    chips = reader.last.locator(".understood button")
    chips.first.wait_for()
    assert chips.all_inner_texts() == [f"Only: {ARTICLE.title} ✕", "Desk ✕", "en ✕", "To: 30 June 2024 ✕"]
    assert chips.first.get_attribute("aria-label") == f"Ask without: Only: {ARTICLE.title}"
    chips.nth(1).click()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert scripted.asked[-1]["filters"] == {"published_before": "2024-07-01", "article_ids": ["a"]}
    assert scripted.asked[-1]["as_written"], "not as a follow-up of itself"
    asked = reader.chat.locator(".turn").nth(1).locator(".understood button").all_inner_texts()
    assert asked == [f"Only: {ARTICLE.title} ✕", "To: 30 June 2024 ✕"]


def test_an_answer_leads_on_to_what_it_has_not_told(show: Any, scripted: Any) -> None:
    scripted.follow_ons = [
        {"question": "When?", "quote": "Never."},
        {"question": "When does it open?", "quote": "It opens in June."},
        *({"question": f"Who said {number}?", "quote": f"{number} said so."} for number in range(4)),
    ]
    also = AlsoReported(
        article_id="b", article_version="v", title=COPY.title, source="Wire", url=None, published_at=None
    )
    reader = show(search_results=(result(text=TEXT, also_reported_by=(also,)),))
    offered = reader.last.locator(".next .starter")
    offered.nth(2).wait_for()
    assert reader.last.locator(".next .label").inner_text() == "Ask next"
    assert offered.all_inner_texts() == ["Who said 0?", "Who said 1?", "Who said 2?"]
    assert scripted.queries[-1] == {"about": ["a", "b"]}, "its articles, and those that tell the same"
    offered.first.click()
    reader.chat.locator(".turn").nth(1).locator(".next .starter").first.wait_for()
    assert reader.chat.locator(".turn").first.locator(".starter").count() == 0, "the conversation has gone on"
    assert reader.last.locator(".next .starter").all_inner_texts() == ["Who said 1?", "Who said 2?", "Who said 3?"]


def test_a_search_sets_apart_what_is_hardly_about_it(read: Read, scripted: Any) -> None:
    scripted.found = (result(text="It opens in June.", near=True), result(text="It rained.", near=False))
    reader = read(scripted.url).visit()
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send("When does it open?")
    reader.last.locator(".passage").first.wait_for()
    assert reader.last.locator(".mode").inner_text() == "One passage found"
    assert [one.is_visible() for one in reader.last.locator(".passage").all()] == [True, False]
    assert reader.last.locator("summary").inner_text() == "Farther from the question: 1"
    scripted.found = (result(text="It rained.", near=False),)
    reader.send("Who is king?")
    reader.last.locator("summary").wait_for()
    assert reader.last.locator(".mode").inner_text() == "Nothing that was found is about this question."
    assert not reader.last.locator(".passage").is_visible()


DATELINES = {
    "KELMAR (AP) — It closes.": 14,
    "KELMAR, Velda (Coastwire) -- It closes.": 29,
    "AIN SARHA, Dec. 3 (Agence du Sud) – It closes.": 36,
    "Kelmar, Dec. 3 (Xinhua) -- It closes.": 27,
    "Washington (CNN) It closes.": 17,
    "(CNN) It’s a winning streak.": 6,
    "(Coastwire) - It closes.": 14,
    "VELDA — “It closes,” she said.": 8,
    "Reuters — It closes.": 10,
    "New York CNN Business — It closes.": 24,
    "London CNN — It closes — and soon.": 13,
    "Washington, D.C. CNN — It closes.": 23,
    "KELMAR, Velda AP -- It closes.": 20,
    "CNN — the network — closes.": 0,
    "Her show on CNN — It closes.": 0,
    "On CNN — the network — it closes.": 0,
    "Five Big Words Before The CNN — It closes.": 0,
    "Apple (AAPL) CEO Tim Cook said so.": 0,
    "Jane Smith (Labour) — Elected with 12,400 votes — spoke.": 0,
    "SMITH (LAB) — 12,400": 0,
    "Nicola Roe (SNP) — The first to speak.": 0,
    "NATO — Europe's shield — met.": 0,
    "NATO — the alliance — met.": 0,
    "On Monday, June 3 — The day it closed.": 0,
    "COVID-19 — The disease spreads.": 0,
    "It closes — and soon.": 0,
    "The bridge (built in 1911) closes.": 0,
    "I — Oda Lindqvist — closed it.": 0,
}


def test_datelines_are_told_by_their_shape_and_no_word_of_a_sentence_is_hidden(
    read: Read, scripted: Any, answering: Any
) -> None:
    compose, unfold = answering
    article = msgspec.structs.replace(ARTICLE, text="\n\n".join(DATELINES))
    scripted.script = lambda _: unfold(compose(list(DATELINES), article))
    reader = read(scripted.url).visit()
    reader.ask("When?")
    hidden = reader.last.locator(".sentence").evaluate_all(
        "all => all.map(one => one.querySelector('.dateline')?.textContent ?? '')"
    )
    assert dict(zip(DATELINES, map(len, hidden), strict=True)) == DATELINES


LONGER = "It closes in July.\n\nIt opens again early in June. The mayor said so."


@pytest.mark.parametrize(
    ("question", "locale", "texts", "shown"),
    [
        (
            "When does the Osprey bridge open?",
            "en",
            ["When the Osprey Bridge opens\n\nOsprey Bridge: more.\n\nOsprey Bridge was built in 1931 by prisoners."],
            ["Osprey Bridge was built in 1931 by prisoners."],
        ),
        ("Who stabbed Salman Osprey?", "en", ["Crown Prince Salman Quillby approved all of it on Monday."], []),
        ("When does the Osprey bridge open?", "en", ["Where the road to the Osprey Bridge was to go and who paid"], []),
        (
            "When does the Osprey bridge open?",
            "en",
            ["Osprey Bridge’s cables were all replaced.", "Osprey Bridge’s cables were all replaced."],
            ["Osprey Bridge’s cables were all replaced."],
        ),
        (
            "How many people live in Velda?",
            "en",
            [
                "Not many people can say where they live in peace.",
                "Some people of Velda still live in the old tram depot.",
            ],
            ["Some people of Velda still live in the old tram depot."],
        ),
        (
            "What does the Harbour Cup final cost?",
            "en",
            ["Nobody knew that the Lantern Cup final was to be his last."],
            [],
        ),
        (
            "Wie viele Menschen wohnen in der Nähe von Velda?",
            "de",
            ["Hundert Menschen aus Velda schliefen in einer Schule."],
            ["Hundert Menschen aus Velda schliefen in einer Schule."],
        ),
        ("大桥何时重新开放？", "zh", ["昨天下雨。\n大桥将于六月重新开放通行。"], ["大桥将于六月重新开放通行。"]),
        ("पुल कब खुलेगा?", "hi", ["बारिश हुई।\nयह नया पुल अगले जून में खुलेगा।"], ["यह नया पुल अगले जून में खुलेगा।"]),
        (
            "متى يفتح الجسر؟",
            "ar",
            ["الطقس بارد.\nقال المدير إن الجسر سيغلق في يونيو."],
            ["قال المدير إن الجسر سيغلق في يونيو."],
        ),
    ],
)
def test_what_articles_do_say_is_said_in_sentences(
    show: Any, question: str, locale: str, texts: list[str], shown: list[str]
) -> None:
    found = [msgspec.structs.replace(result(text=text), article_id=f"n{at}") for at, text in enumerate(texts)]
    choices = {"locale": locale}
    reader = show(choices=choices, question=question, search_results=tuple(found), **DECLINED)
    told = reader.last.locator(".passages > ol blockquote")
    assert told.all_inner_texts() == shown
    rest = len(texts) - len(shown)
    assert reader.last.locator(".passages summary").count() == (rest > 0)


def test_what_was_found_is_not_said_to_have_been_read(show: Any) -> None:
    reader = show(search_results=(result(text=TEXT), result(text=LONGER)))
    assert reader.last.locator(".passages summary").inner_text() == "2 passages found"


def test_what_nothing_answers_gives_the_nearest_sentence_and_other_questions(show: Any, scripted: Any) -> None:
    scripted.starters = ["When does it open?"]
    found = result(text=LONGER)
    scripted.articles["a"] = msgspec.structs.replace(ARTICLE, text=LONGER)
    reader = show(
        question="Who said that it opens?",
        answer_mode="abstained",
        abstain_reason="weak_match",
        claims=(),
        citations=(),
        search_results=(found,),
    )
    assert reader.last.locator(".mode").inner_text() == "No clear answer in these articles"
    assert reader.last.locator(".why").inner_text() == "The articles found do not clearly answer this."
    assert reader.chat.get_by_role("status").inner_text().startswith("No clear answer in these articles. The articles")
    assert reader.last.locator(".passages .label").inner_text() == "What the articles do say"
    assert reader.last.locator(".passage blockquote").inner_text() == "It opens again early in June."
    reader.last.locator(".passage .source-title").click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() == ["It opens again early in June."]
    reader.page.keyboard.press("Escape")
    reader.last.locator(".starter").click()
    reader.chat.locator(".turn").nth(1).locator(".actions").wait_for()
    assert scripted.asked[-1]["question"] == "When does it open?"


def test_what_is_offered_instead_is_about_what_was_nearest(show: Any, scripted: Any) -> None:
    scripted.starters = ["Who sells kites?"]
    scripted.follow_ons = [{"question": "When does the bridge open?", "quote": "It opens in June."}]
    also = AlsoReported(
        article_id="c", article_version="v", title=COPY.title, source="Wire", url=None, published_at=None
    )
    found = (
        result(text=LONGER, also_reported_by=(also,)),
        msgspec.structs.replace(result(text="Kites."), article_id="b"),
    )
    asked = "Who said that it opens?"
    reader = show(question=asked, resolved_query=asked, search_results=found, **DECLINED)
    offered = reader.last.locator(".offered .starter")
    offered.first.wait_for()
    assert offered.all_inner_texts() == ["When does the bridge open?"]
    label = reader.last.locator(".offered .label")
    assert label.inner_text() == "Questions that are answered here"
    near = {"about": ["a", "c", "b"], "like": [asked]}
    assert near in scripted.queries, "what was found, the nearest first"
    scripted.follow_ons = []
    reader.ask(asked)
    offered.first.wait_for()
    assert offered.all_inner_texts() == ["Who sells kites?"], "better than nothing"
    assert label.inner_text() == "Other questions that are answered here"


DECLINED = {"answer_mode": "abstained", "abstain_reason": "weak_match", "claims": (), "citations": ()}


def test_a_declined_turn_offers_what_is_found_later(show: Any, scripted: Any) -> None:
    scripted.starters, scripted.complete = ["Who opens it?"], False
    reader = show(clock=True, question="Who opens it?", **DECLINED)
    offered = reader.last.locator(".starter")
    assert offered.count() == 0, "the question itself is no way on"
    for starters in (["Who opens it?", "When does it open?"], ["Who opens it?", *"ABCD"]):
        scripted.starters, scripted.complete = starters, len(starters) > 2
        reader.page.clock.fast_forward(4000)
        offered.nth(min(len(starters) - 2, 2)).wait_for()
        assert offered.all_inner_texts() == starters[1:4]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_had_no_questions_is_asked_again(show: Any, scripted: Any, status: int) -> None:
    scripted.starters = status
    reader = show(clock=status == 503, question="Who opens it?", **DECLINED)
    scripted.starters = ["When does it open?"]
    if status == 503:
        reader.page.clock.fast_forward(4000)
    else:
        reader.ask("Who closes it?")
    reader.last.locator(".starter").first.wait_for()
    assert reader.last.locator(".starter").all_inner_texts() == scripted.starters


def test_the_nearest_sentences_are_about_the_rarest_word_of_the_question(show: Any) -> None:
    told = [
        "If July is like May, ask me again, she said.",
        "The line was opened again in spring by the mayor.",
        "All trams are suspended until 4 December, they said.",
        "The lines of the north were long, they said.",
    ]
    found = [msgspec.structs.replace(result(text=text), article_id=text) for text in told]
    for asked in ("When will the tram run again?", "When will the tram line run?"):
        reader = show(question=asked, resolved_query=asked, search_results=(*found, *found[:1]), **DECLINED)
        near = reader.last.locator(".passages > ol blockquote").all_inner_texts()
        assert near == [told[2]]


def test_sentences_that_have_nothing_to_do_with_the_question_are_not_put_forward(show: Any) -> None:
    about = {"answer_mode": "abstained", "abstain_reason": "no_match", "claims": (), "citations": ()}
    found = (result(text="Which of them went there then?"), result(text="The mayor of Lima said so on Monday."))
    reader = show(question="Which mayor of Lima was it?", search_results=(*found, found[1]), **about)
    near = reader.last.locator(".passages > ol blockquote").all_inner_texts()
    assert near == ["The mayor of Lima said so on Monday."]
    why = reader.last.locator(".why").inner_text()
    assert why == "The articles found do not clearly answer this.", "nobody knows that they are about something else"
    assert reader.last.locator("summary").inner_text() == "2 more passages"


def test_what_sources_say_differently_stands_side_by_side(show: Any, answering: Any) -> None:
    cited = answering[0](SENTENCES, COPY).citations[0]
    earlier = msgspec.structs.replace(cited, id="x1", published_at="2024-06-01")
    conflict = Conflict(
        citation_ids=("x1", "c1"), note="They differ.", kind="correction", values=("June", "July"), later="c1"
    )
    reader = show(citations=(*answering[0](SENTENCES, ARTICLE).citations, earlier), conflicts=(conflict,))
    sides = reader.last.locator(".sides li")
    assert [one.split("\n")[0] for one in sides.all_inner_texts()] == ["June2", "July1"]
    assert "1 June 2024" in sides.nth(0).inner_text()
    assert sides.locator(".corrected").all_inner_texts() == ["The later report"]
    marked = reader.last.locator(".sources li").filter(has_text="Corrected later")
    assert marked.locator(".source-title").all_inner_texts() == [COPY.title]


def test_a_tap_shows_the_card_a_second_one_the_article(show: Any) -> None:
    reader = show(choices={"has_touch": True, "viewport": {"width": 390, "height": 760}})
    reader.chips.first.tap()
    card = reader.chat.locator(".card")
    assert card.locator(".card-words").inner_text() == "It closes in July."
    assert card.locator(".card-source").inner_text().startswith("Desk\u00a0· 14 June 2024\u00a0· ")
    assert reader.chat.locator(".article").is_hidden()
    reader.chips.first.tap()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() == ["It closes in July."]


@pytest.mark.parametrize(("width", "height"), [(375, 667), (1366, 650), (320, 256)])
def test_a_card_stays_within_the_window_whatever_room_its_chip_leaves(
    show: Any, answering: Any, width: int, height: int
) -> None:
    quoted = "It closes in July. " * 40
    answer = answering[0]([quoted], msgspec.structs.replace(ARTICLE, text=quoted))
    fields = {name: getattr(answer, name) for name in ("answer", "claims", "citations")}
    reader = show(choices={"viewport": {"width": width, "height": height}}, **fields)
    card = reader.chat.locator(".card")
    reader.chips.first.focus()
    card.locator(".card-actions").wait_for()
    for top in range(0, height, height // 5):
        at = reader.page.evaluate(PUT, top)
        box = card.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height
        assert box["height"] >= 180 or box["y"] + box["height"] <= at or box["y"] >= at
        button = card.get_by_role("button", name="Show in the article").bounding_box()
        assert button["y"] + button["height"] <= height, "in sight without scrolling"
    card.get_by_role("button", name="Show in the article").click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()


PUT = """top => {
  const root = document.querySelector("sourceline-chat").shadowRoot, chip = root.querySelector(".answer .chip");
  Object.assign(chip.style, { position: "fixed", insetBlockStart: `${top}px` });
  dispatchEvent(new Event("resize"));
  return chip.getBoundingClientRect().top + 12;
}"""


def test_a_card_shows_the_words_around_the_quotation(show: Any, answering: Any, scripted: Any) -> None:
    before, behind = "The 🪁 fair ended on Sunday. " * 9, " The mayor said so. " + "Ferries run until then. " * 9
    quoted = "KELMAR (AP) — It closes in July."
    article = msgspec.structs.replace(ARTICLE, text=f"{before}{quoted}{behind}It opens in June.")
    scripted.articles["a"] = article
    answer = answering[0]([quoted, "It opens in June."], article)
    parts = [(0, len(before) + len(quoted)), (len(before) + len(quoted), len(article.text))]
    results = tuple(
        msgspec.structs.replace(result(text=article.text[a:b]), start_char_index=a, end_char_index=b) for a, b in parts
    )
    fields = {name: getattr(answer, name) for name in ("answer", "claims", "citations")}
    reader = show(answer_mode="extractive", search_results=results, stale_citation_ids=("c1", "c2"), **fields)
    reader.chips.first.hover()
    card = reader.chat.locator(".card")
    assert card.locator("mark").text_content() == quoted, "to the letter"
    assert card.locator("mark").inner_text() == "It closes in July.", "the dateline is not shown"
    first, last = card.locator(".around").all_text_contents()
    assert first.startswith("… ")
    assert last.endswith(" …")
    text = f"{first[2:]}{quoted}{last[:-2]}"
    assert text in article.text
    assert len(text) > len(quoted) + 200
    assert card.locator(".corrected").inner_text() == "May be out of date"
    assert reader.last.locator(".sources .corrected").all_inner_texts() == ["May be out of date"]
    reader.chips.nth(1).focus()
    assert card.locator(".around").all_text_contents()[0].endswith("until then. ")
    assert card.locator(".around").count() == 1, "behind it the article ends"


def test_a_card_stays_while_the_pointer_is_on_it_and_goes_with_escape(show: Any) -> None:
    reader = show()
    card = reader.chat.locator(".card")
    reader.chips.first.hover()
    card.wait_for()
    card.hover()
    reader.page.wait_for_timeout(400)
    assert card.is_visible()
    reader.page.keyboard.press("Escape")
    assert card.count() == 0
    reader.chips.first.hover()
    card.wait_for()
    reader.page.mouse.move(5, 5)
    card.wait_for(state="detached")
    reader.chips.first.hover()
    card.hover()
    reader.ask("What else?")
    assert card.count() == 0, "what was asked before is out of sight"


def test_a_site_sets_its_colours_and_gives_tokens(
    read: Read, begin_service: Callable[..., Any], bridge: dict[str, Any]
) -> None:
    service = begin_service(
        QA_API_KEYS="operator-key-of-the-tests", QA_ALLOWED_ORIGINS="{url}", QA_ORIGIN_TOKENS="false"
    )
    key = {"authorization": "Bearer operator-key-of-the-tests"}
    httpx.post(f"{service.url}/api/articles", json=bridge, headers=key).raise_for_status()
    token = httpx.post(f"{service.url}/api/tokens", json={"origin": service.url}, headers=key).json()["token"]
    page = (
        '<!doctype html><html lang="en"><title>Host</title><link rel="stylesheet" href="/host.css"><h1>Host</h1>'
        '<script src="/widget.js" data-mode="inline" data-theme="dark" data-token-url="/token"></script>'
    )
    styles = "sourceline-chat { --sourceline-accent: rgb(200, 100, 50) } ::part(question) { color: rgb(1, 2, 3) }"
    reader = read(service.url)
    refused: list[str] = []
    reader.page.on("response", lambda response: refused.append(response.url) if response.status == 401 else None)
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    reader.page.route("**/host.css", lambda route: route.fulfill(content_type="text/css", body=styles))
    reader.page.route("**/token", lambda route: route.fulfill(json={"token": token}))
    reader.visit("/host")
    reader.ask("How long will the Osprey Bridge be closed?")
    style = "(one, name) => getComputedStyle(one)[name]"
    assert reader.chat.locator(".ask").evaluate(style, "backgroundColor") == "rgb(200, 100, 50)"
    assert reader.last.locator(".question").evaluate(style, "color") == "rgb(1, 2, 3)"
    assert reader.chat.locator(".root").evaluate(style, "colorScheme") == "dark"
    # The same by a function of the page's own.
    reader.page.evaluate(
        """token => { window.asked = 0; const chat = document.createElement("sourceline-chat");
        chat.tokenProvider = async () => { asked += 1; return token; };
        document.querySelector("sourceline-chat").replaceWith(chat); }""",
        token,
    )
    reader.last.locator(".actions").wait_for()  # the conversation is read again
    assert reader.page.evaluate("asked") == 1
    assert refused == [], "a page that gives tokens is asked for one first"


def test_what_is_pressed_looks_pressed_and_the_box_says_what_is_looked_for(show: Any) -> None:
    reader = show()
    only, filters = (reader.chat.get_by_role("button", name=name, exact=True) for name in ("Passages only", "Filters"))
    style = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color].join()"
    before = only.evaluate(style)
    filters.click()
    only.click()
    reader.page.mouse.move(5, 5)
    looks = [one.evaluate(style) for one in (only, filters)]
    assert len({before, *looks}) == 3, "neither pressed and open, nor pressed and not, look alike"
    assert reader.input.get_attribute("placeholder") == "Search"
    only.click()
    assert reader.input.get_attribute("placeholder") == "Ask about the news"


def test_a_narrow_panel_has_room_for_its_heading(read: Any, scripted: Any) -> None:
    reader = read(scripted.url, locale="de-DE", viewport={"width": 375, "height": 740})
    host = f"<!doctype html><html lang=de><title>Host</title><script src='{scripted.widget.script}'></script>"
    reader.page.route("**/host", lambda route: route.fulfill(body=host, content_type="text/html"))
    reader.page.goto(f"{scripted.url}/host#sourceline-q=Wann%3F")
    reader.last.locator(".question").wait_for()
    title = reader.chat.locator(".title")
    assert title.inner_text() == "Fragen Sie die Artikel"
    assert title.evaluate("one => one.scrollWidth <= one.clientWidth"), "none of it is cut off"
    assert reader.chat.get_by_role("button", name="Neues Gespräch", exact=True).is_visible()
    assert reader.chat.get_by_role("button", name="Schließen", exact=True).last.is_visible()


def test_an_unread_language_is_not_said_to_share_no_word_with_what_is_shown_below(show: Any) -> None:
    about = {"answer_mode": "abstained", "abstain_reason": "unread_language", "claims": (), "citations": ()}
    found = result(text="The mayor of Lima said so on Monday.")
    reader = show(question="Which mayor of Lima was it?", search_results=(found,), **about)
    assert reader.last.locator(".passage blockquote").inner_text() == found.text
    assert reader.last.locator(".mode").inner_text() == "No clear answer in these articles"
    assert "only sentences with its very words are found" in reader.last.locator(".why").inner_text()


def test_no_line_of_a_byline_ends_with_its_dot(read: Any, begin_service: Any) -> None:
    own = begin_service()
    about = {"title": "Bridge", "text": "It opens in June.", "source": "Desk", "published_at": "2023-11-27"}
    own.add({"id": "a", **about})
    reader = read(own.url, locale="en-US").visit()
    line = reader.chat.locator(".newest .byline").first
    line.wait_for()
    date, since = (line.locator(".unbroken").nth(at).bounding_box() for at in range(2))
    assert date["y"] < since["y"], "they do not fit into one line"
    assert not any(dot.is_visible() for dot in line.locator(".dot").all())
