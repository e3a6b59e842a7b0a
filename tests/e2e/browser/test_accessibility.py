"""For everybody: axe-core in every state, the keyboard alone, and what a screen reader is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import msgspec
import pytest

from embeddings.types import Article
from qa.language.dates import UnderstoodPeriod
from qa.types import AlsoReported, Conflict, Generation, SearchResult, ShortAnswer

Read = Callable[..., Any]
QUESTION = "How long will the Osprey Bridge be closed?"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ARTICLE = Article(id="a", version="v", title="Bridge", text="It closes in July. It opens in June.", source="Desk")


def violations(reader: Any, axe: str, rules: list[str] = RULES) -> list[str]:
    """What axe-core finds in the page as it stands."""
    if not reader.page.evaluate("Boolean(window.axe)"):
        reader.page.evaluate(f"(() => {{ {axe} }})()")
    found: list[str] = reader.page.evaluate(
        """async values => (await axe.run(document, { resultTypes: ["violations"], runOnly: { values } })).violations
          .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target} ${node.failureSummary}`))""",
        rules,
    )
    return found


@pytest.fixture
def everything(scripted: Any, answering: Any) -> Any:
    """Answers with all that an answer can have, by question."""
    compose, unfold = answering
    scripted.articles["a"] = ARTICLE
    scripted.starters = ["When does it close?", "When does it open?"]
    about = {"article_id": "b", "article_version": "v", "source": "Wire", "url": None, "published_at": "2024-06-01"}
    passage = {
        "start_char_index": 0,
        "end_char_index": 22,
        "score": 1.0,
        "passage_id": "p",
        "text": ARTICLE.text[:22],
    }
    also = (AlsoReported(title="Bridge closes", **about),)
    place = {**about, "article_id": "a", "title": "Bridge", "also_reported_by": also}
    results = (SearchResult(**place, **passage),)
    answers = {
        "generated": {
            "generation": Generation(model="small-1", prompts={}, checker="aligned"),
            "resolved_query": "When does the bridge close in June?",
            "understood_period": UnderstoodPeriod(start="2024-06-01", end="2024-07-01", words="in June"),
            "period_kept": False,
            "stale_citation_ids": ("c1", "c2"),
            "conflicts": (
                Conflict(citation_ids=("c1", "c2"), note="July here, June there.", values=("July", "June"), later="c2"),
            ),
        },
        "fallback": {"answer_mode": "extractive", "fallback_reason": "model_timed_out"},
        "quoted": {
            "answer_mode": "extractive",
            "short_answer": ShortAnswer(
                text="July", article_id="a", article_version="v", start_char_index=13, end_char_index=17
            ),
        },
        "disagreeing": {
            "answer_mode": "extractive",
            "conflicts": (
                Conflict(citation_ids=("c1", "c2"), note="They differ.", values=("July", "June"), later="c2"),
            ),
        },
        "abstained": {"answer_mode": "abstained", "abstain_reason": "weak_match", "claims": (), "citations": ()},
    }

    scripted.follow_ons = [{"question": "Who closes it?", "quote": "The mayor closes it."}]
    scripted.go_on = Event()

    def written() -> Iterator[Any]:
        """Held while the model writes its second sentence."""
        answer = compose(["It closes in July.", "It opens in June."], ARTICLE, search_results=results)
        claims = tuple(msgspec.structs.replace(claim, origin="model") for claim in answer.claims)
        opened, first, *others = unfold(msgspec.structs.replace(answer, claims=claims))
        yield from (opened, first)
        scripted.go_on.wait(120)
        yield from others

    def script(request: dict[str, Any]) -> Any:
        kind = request["question"]
        if kind == "writing":
            return written()
        if kind not in answers:
            return iter([int(kind)])
        answer = compose(["It closes in July.", "It opens in June."], ARTICLE, question=kind, search_results=results)
        return unfold(type(answer)(**{**{n: getattr(answer, n) for n in answer.__struct_fields__}, **answers[kind]}))

    scripted.script = script
    scripted.found = (results[0], msgspec.structs.replace(results[0], passage_id="q"))
    scripted.kept = compose(["It closes in July."], ARTICLE, question="generated")
    return scripted


class Walk:
    """Looks at each state in light and, for what depends on it, in the dark; notes what is wrong."""

    def __init__(self, reader: Any, axe: str) -> None:
        self.reader, self._axe = reader, axe
        self.found: dict[str, list[str]] = {}

    def look(self, state: str) -> None:
        page = self.reader.page
        self.found[state] = violations(self.reader, self._axe) + self.reader.sticking_out()
        page.emulate_media(color_scheme="dark")
        self.found[f"{state}, dark"] = violations(self.reader, self._axe, ["color-contrast"])
        page.emulate_media(color_scheme="light")


def test_nothing_is_wrong_in_any_state_light_or_dark(read: Read, everything: Any, axe: str) -> None:
    reader = read(everything.url, reduced_motion="reduce").visit()
    walk = Walk(reader, axe)
    reader.chat.locator(".starter").first.wait_for()
    walk.look("empty")
    answer(reader, walk)
    for question in ("fallback", "abstained"):
        anew(reader)
        reader.ask(question)
        walk.look(question)
    anew(reader)
    reader.send("writing")
    reader.last.locator(".sentence").wait_for()
    assert reader.last.locator(".being-read li").count() == 1
    walk.look("writing")
    everything.go_on.set()
    reader.last.locator(".actions").wait_for()
    reader.page.set_viewport_size({"width": 320, "height": 568})
    passages(reader, walk)
    everything.problem_headers = {"retry-after": "60"}
    anew(reader)
    reader.send("429")
    reader.last.locator(".problem").wait_for()
    walk.look("problem, narrow")
    reader.page.set_viewport_size({"width": 1200, "height": 800})
    reader.page.goto(f"{everything.url}/?other#answer=ans_1&sig=s&q=generated")
    reader.last.locator(".actions").wait_for()
    walk.look("somebody else's answer")
    assert {state: found for state, found in walk.found.items() if found} == {}
    assert len(walk.found) == 28


@pytest.mark.parametrize("look", ["", "plain", "contrast"])
def test_axe_finds_nothing_in_any_look_light_or_dark(read: Read, everything: Any, axe: str, look: str) -> None:
    """Over what is quoted: a short answer, and figures of sources that disagree."""
    reader = read(everything.url, reduced_motion="reduce").visit()
    reader.chat.evaluate("(chat, look) => chat.setAttribute('look', look)", look)
    walk = Walk(reader, axe)
    reader.ask("quoted").locator(".short").wait_for()
    reader.ask("disagreeing").locator(".lead .sides").wait_for()
    walk.look("quoted")
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    walk.look("article")
    assert {state: found for state, found in walk.found.items() if found} == {}


@pytest.mark.parametrize("look", ["", "contrast"])
@pytest.mark.parametrize("accent", ["#7a1f3d", "#ffd400", "#808080"])
def test_any_accent_can_be_read_light_or_dark(read: Read, everything: Any, axe: str, accent: str, look: str) -> None:
    reader = read(everything.url, reduced_motion="reduce").visit()
    reader.chat.evaluate(
        """(chat, [accent, look]) => {
          chat.setAttribute("look", look);
          chat.setAttribute("accent", accent);
          chat.after(chat); // colours are read when it is put into a page
        }""",
        [accent, look],
    )
    reader.ask("quoted").locator(".short").wait_for()
    reader.last.get_by_role("button", name="Not helpful").click()
    reader.last.get_by_role("button", name="Incomplete").click()
    found = contrasts(reader, axe)
    reader.chat.evaluate("chat => { chat.setAttribute('mode', 'launcher'); chat.after(chat); }")
    reader.chat.locator(".launcher:not(.root)").wait_for()
    assert found + contrasts(reader, axe) == []


def contrasts(reader: Any, axe: str) -> list[str]:
    """What is hard to read in light or in the dark."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        reader.page.emulate_media(color_scheme=scheme)
        found += violations(reader, axe, ["color-contrast"])
    return found


def anew(reader: Any) -> None:
    reader.chat.evaluate("chat => chat.reset()")


def answer(reader: Any, walk: Walk) -> None:
    """What a model wrote, the card of a citation, its article beside and over the answer, what one thinks of it."""
    reader.ask("generated")
    assert reader.last.locator(".notice").is_visible(), "a model wrote it"
    reader.last.locator(".next .starter").wait_for()
    assert reader.last.locator(".understood .narrowed").count() == 2, (
        "what it was understood as, and a period that was missed"
    )
    walk.look("generated")
    chip = reader.chat.locator(".chip").first
    chip.focus()
    assert reader.chat.locator(".card .around, .card .corrected").count() == 2
    walk.look("card")
    chip.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    walk.look("article beside")
    line = reader.chat.get_by_role("separator")
    line.press("ArrowLeft")
    assert line.get_attribute("aria-valuenow") == "55"
    walk.look("resized")
    reader.page.set_viewport_size({"width": 320, "height": 568})
    reader.chat.locator(".article[role=dialog]").wait_for()
    walk.look("article over")
    reader.page.keyboard.press("Escape")
    reader.last.get_by_role("button", name="Not helpful").click()
    reader.last.get_by_role("button", name="Incomplete").click()
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    walk.look("feedback and filters, narrow")
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    reader.page.set_viewport_size({"width": 1200, "height": 800})


def passages(reader: Any, walk: Walk) -> None:
    """Passages alone, and the way from one to the next."""
    anew(reader)
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send("bridge")
    reader.last.locator(".passage").nth(1).wait_for()
    walk.look("passages, narrow")
    reader.last.locator(".passage .source-title").first.click()
    reader.chat.get_by_text("1 / 2").wait_for()
    walk.look("from passage to passage, narrow")
    reader.page.keyboard.press("Escape")
    reader.chat.get_by_role("button", name="Passages only").click()


def test_axe_finds_nothing_in_arabic(read: Read, axe: str) -> None:
    reader = read(locale="ar").visit()
    assert reader.page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    reader.ask("كم يبلغ عدد سكان مدينة عين سرحة؟")
    assert violations(reader, axe) == []
    assert reader.chat.locator(".root").get_attribute("dir") == "rtl"
    assert reader.chat.locator(".mode").inner_text() == "اقتباس حرفي من المقالات"
    chat = reader.chat.locator(".chat").bounding_box()
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.chat.locator(".article").bounding_box()["x"] < chat["x"] + chat["width"] / 2, "the article is left"


def test_axe_finds_nothing_where_an_article_was_corrected_since(read: Read, begin_service: Any, axe: str) -> None:
    own = begin_service()
    text = "The harbour wall in Senn will cost {} million crowns."
    own.add({"id": "wall", "title": "Harbour Wall", "text": text.format(38)})
    reader = read(own.url).visit()
    reader.ask("How much will the harbour wall in Senn cost?")
    own.add({"id": "wall", "title": "Harbour Wall", "text": text.format(83)})
    reader.page.reload()
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.chips.first.click()
    reader.chat.locator(".older").wait_for()
    walk = Walk(reader, axe)
    walk.look("older")
    assert {state: found for state, found in walk.found.items() if found} == {}


def test_axe_finds_nothing_in_the_launcher(read: Read, axe: str) -> None:
    reader = read()
    page = (
        '<!doctype html><html lang="en"><title>Host</title><header>Host</header><main><h1>Host</h1></main>'
        '<script src="/widget.js"></script>'
    )
    reader.page.route("**/host", lambda route: route.fulfill(content_type="text/html", body=page))
    reader.visit("/host")
    states = [violations(reader, axe)]
    reader.chat.get_by_role("button", name="Ask a question").click()
    reader.ask(QUESTION)
    states.append(violations(reader, axe))
    assert states == [[], []]


def test_the_keyboard_alone_is_enough(read: Read) -> None:
    reader = read().visit()
    keys = reader.page.keyboard

    def focus() -> str:
        found: str = reader.page.evaluate(
            """() => { const one = document.querySelector("sourceline-chat").shadowRoot.activeElement;
            return one ? one.className || one.localName : document.activeElement.localName; }"""
        )
        return found

    def tab_to(wanted: str, key: str = "Tab") -> None:
        for _ in range(20):
            keys.press(key)
            if focus() == wanted:
                return
        raise AssertionError(f"{wanted} is not reached")

    keys.press("/")
    assert focus() == "textarea"
    keys.type(QUESTION)
    keys.press("Enter")
    reader.last.locator(".actions").wait_for()
    tab_to("chip", "Shift+Tab")
    assert reader.chat.locator(".card").is_visible()
    keys.press("ArrowRight")  # there is no other chip
    assert focus() == "chip"
    keys.press("Tab")  # into the card
    assert focus() == "plain"
    keys.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert focus() == "article-title"
    assert reader.highlighted()
    keys.press("Escape")
    assert focus() == "chip"
    assert not reader.chat.locator(".card").count()
    keys.press("Shift+Tab")
    keys.press("Tab")
    assert reader.chat.locator(".card").is_visible()
    keys.press("Escape")
    assert focus() == "chip"
    assert not reader.chat.locator(".card").count()
    while reader.page.evaluate(FOCUSED, "textContent") != "Not helpful":
        keys.press("Tab")
    keys.press("Enter")
    assert focus() == "narrowed", "the first reason"
    keys.press("Space")
    assert reader.page.evaluate(FOCUSED, "ariaPressed") == "true"
    tab_to("textarea")
    keys.type("Not so.")
    keys.press("Tab")
    keys.press("Enter")
    reader.last.get_by_text("Your feedback was stored").wait_for()
    keys.press("/")
    while reader.page.evaluate(FOCUSED, "textContent") != "Passages only":
        keys.press("Tab")
    keys.press("Space")
    keys.press("/")
    keys.type("steel hangers")
    keys.press("Enter")
    reader.last.locator(".passage").first.wait_for()


def test_who_comes_to_ask_can_write_at_once_and_go_up_to_the_numbers(read: Read) -> None:
    reader = read().visit()
    reader.page.wait_for_function("document.activeElement.localName === 'sourceline-chat'")
    reader.page.keyboard.type(QUESTION + "\n")
    reader.last.locator(".actions").wait_for()
    reader.page.keyboard.type("x")
    reader.page.keyboard.press("ArrowUp")
    assert reader.page.evaluate(FOCUSED, "localName") == "textarea", (
        "where something is written, it is a key of the box"
    )
    reader.page.keyboard.press("Delete")
    reader.page.keyboard.press("ArrowUp")
    assert reader.page.evaluate(FOCUSED, "className") == "chip"


def test_on_a_phone_no_keyboard_comes_up_over_what_there_is_to_read(read: Read, scripted: Any, answering: Any) -> None:
    compose, unfold = answering
    scripted.starters = ["When does it open?"]
    scripted.script = lambda _: unfold(compose(["It opens in June."], ARTICLE))
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    reader = read(scripted.url, **phone).visit()
    reader.chat.locator(".starter").first.wait_for()
    assert reader.page.evaluate("document.activeElement.localName") == "body"
    reader.chat.locator(".starter").first.tap()
    reader.last.locator(".actions").wait_for()
    assert reader.page.evaluate(FOCUSED, "className") == "scroller", "a question to begin with"
    reader.input.tap()
    reader.ask("When?")
    assert reader.page.evaluate(FOCUSED, "className") == "scroller", "one that was written"
    reader.last.get_by_role("button", name="Edit the question").tap()
    assert reader.page.evaluate(FOCUSED, "localName") == "textarea", "here one wants to write"
    reader.chat.locator(".new").tap()
    assert reader.page.evaluate(FOCUSED, "className") == "scroller", "a new conversation"


FOCUSED = "name => document.querySelector('sourceline-chat').shadowRoot.activeElement?.[name]"


def test_a_finished_answer_is_announced_once(read: Read, everything: Any) -> None:
    reader = read(everything.url).visit()
    reader.page.evaluate(
        """() => { window.heard = [];
        const root = document.querySelector("sourceline-chat").shadowRoot;
        window.live = [...root.querySelectorAll("[role=status], [role=alert], [role=log], [aria-live]")].length;
        new MutationObserver(() => heard.push(root.querySelector("[role=status]").textContent))
          .observe(root.querySelector("[role=status]"), { childList: true, characterData: true, subtree: true }); }"""
    )
    reader.ask("generated")
    assert reader.page.evaluate("live") == 1, "the streaming text is no live region"
    caveat = "Some of this is put in other words than its source; compare them."
    assert reader.page.evaluate("heard") == [
        "Searching the articles",
        f"{caveat} The sources disagree. Answer: It closes in July. It opens in June.",
    ]
    reader.ask("abstained")
    assert reader.page.evaluate("heard.slice(2)") == [
        "Searching the articles",
        "No clear answer in these articles. The articles found do not clearly answer this.",
    ]
    reader.last.get_by_role("button", name="Not helpful").click()
    reader.last.get_by_role("button", name="Send").click()
    reader.last.get_by_text("Your feedback was stored").wait_for()
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send("bridge")
    reader.last.locator(".passage").first.wait_for()
    reader.page.wait_for_function("heard.at(-1) === '2 passages found'")
    reader.chat.get_by_role("button", name="Passages only").click()
    reader.send("500")
    reader.last.locator(".problem").wait_for()
    reader.page.wait_for_function("heard.length === 9")
    assert reader.page.evaluate("heard.slice(4)") == [
        "Thank you. Your feedback was stored.",
        "Searching the articles",
        "2 passages found",
        "Searching the articles",
        "The service made a mistake. Try again; if it happens again, tell its owner.",
    ]


def test_motion_and_colours_follow_the_reader(read: Read) -> None:
    reader = read(reduced_motion="reduce", forced_colors="active").visit()
    reader.ask(QUESTION)
    moving = "one => getComputedStyle(one).animationName + getComputedStyle(one).transitionDuration"
    assert reader.chips.first.evaluate(moving) == "none0s"
    reader.chips.first.focus()
    assert reader.chat.locator(".card").evaluate("card => getComputedStyle(card).animationName") == "none"
    assert reader.chips.first.evaluate("chip => getComputedStyle(chip).borderStyle") == "solid"
