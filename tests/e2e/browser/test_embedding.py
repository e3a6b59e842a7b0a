"""In other people's pages: aggressive styles, strict policies, another framework, three forms, narrow, enlarged."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.slow

Read = Callable[..., Any]
QUESTION = "How long will the Osprey Bridge be closed?"

STYLES = """
html { font-size: 3px; }
* {
  color: red !important; font: 700 40px/3 monospace !important; letter-spacing: 1em !important;
  text-transform: uppercase !important; text-align: right !important; visibility: hidden !important;
  opacity: 0.1 !important; transform: rotate(9deg) !important; display: inline !important; filter: blur(9px) !important;
  pointer-events: none !important; user-select: none !important; white-space: nowrap !important;
  word-spacing: 2em !important; direction: rtl !important; cursor: wait !important;
}
button, p, div, span, textarea, article, h2, h3, ol, li { border: 9px solid red !important; margin: 50px !important; }
dialog, .root, .card, .answer, .chip { display: none !important; }
"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/host.css"></head><body><h1>Host</h1><div id="place"></div>{scripts}</body></html>"""
FRAMEWORK = """
const { h, render, Component } = preact;
class App extends Component {
  state = { tick: 0, place: false };
  componentDidMount() { window.app = this; }
  render() {
    const chat = h("sourceline-chat", { mode: "inline", heading: `Tick ${this.state.tick}`, endpoint: "SERVICE" });
    return h("div", { style: { height: "600px" } }, this.state.place ? h("section", { key: 1 }, chat) : chat);
  }
}
window.events = [];
for (const name of ["submit", "completed", "source", "reset"])
  document.addEventListener(`sourceline-${name}`, (event) => events.push([name, event.detail.question ?? null]));
render(h(App), document.getElementById("place"));
"""


class Host:
    """A site on another origin; `files` by path: media type, content, content policy."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, str, str]] = {}
        host = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                kind, content, policy = host.files.get(self.path, ("text/plain", "", ""))
                body = content.encode()
                self.send_response(200 if self.path in host.files else 404)
                self.send_header("content-type", f"{kind}; charset=utf-8")
                if policy:
                    self.send_header("content-security-policy", policy)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, scripts: str, *, policy: str = "", styles: str = "") -> None:
        self.files["/"] = ("text/html", PAGE.replace("{scripts}", scripts), policy)
        self.files["/host.css"] = ("text/css", styles, "")


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    found = Host()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(120)


@pytest.fixture(scope="module")
def embedded(begin_service: Callable[..., Any], host: Host, bridge: dict[str, Any]) -> Any:
    """A service whose chat the host may show."""
    service = begin_service(QA_ALLOWED_ORIGINS=host.url)
    service.add(bridge)
    while not httpx.get(f"{service.url}/api/starters", timeout=120).json()["complete"]:
        time.sleep(0.2)  # else a page asks again for what has been found since
    return service


@pytest.fixture
def visit(read: Read, host: Host, embedded: Any) -> Callable[..., Any]:
    def visit(**choices: Any) -> Any:
        reader = read(host.url, friends=[embedded.url], **choices)
        reader.page.goto(host.url)
        return reader

    return visit


def strict(service: str) -> str:
    return (
        f"default-src 'none'; script-src {service}; style-src 'self'; connect-src {service}; "
        "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'"
    )


def test_a_hostile_page_changes_nothing_in_it(visit: Any, host: Host, embedded: Any) -> None:
    tag = f'<script src="{embedded.url}/widget.js" data-mode="inline" data-target="#place"></script>'
    host.put(tag, policy=strict(embedded.url), styles=STYLES)
    reader = visit()
    reader.ask(QUESTION)
    found = reader.chat.locator(".answer").evaluate(
        """answer => { const style = getComputedStyle(answer), host = getComputedStyle(answer.getRootNode().host);
        return [style.fontSize, style.letterSpacing, style.textTransform, style.direction, style.visibility,
          style.pointerEvents, style.whiteSpace, style.cursor,
          host.display, host.opacity, host.transform, host.filter]}"""
    )
    assert found == [
        *("18px", "normal", "none", "ltr", "visible", "auto", "pre-line", "auto"),
        *("block", "1", "none", "none"),
    ]
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.highlighted() != []


def test_a_launcher_opens_over_a_hostile_page_and_gives_the_focus_back(visit: Any, host: Host, embedded: Any) -> None:
    host.put(f'<script src="{embedded.url}/widget.js"></script>', policy=strict(embedded.url), styles=STYLES)
    reader = visit()
    launcher = reader.chat.locator("button.launcher")
    assert launcher.inner_text() == "Ask a question"
    box = launcher.bounding_box()
    assert abs(box["x"] + box["width"] - (1200 - 20)) < 2, "it stands in its corner, whatever the page is turned to"
    assert abs(box["y"] + box["height"] - (800 - 20)) < 2
    launcher.click()
    dialog = reader.chat.get_by_role("dialog")
    dialog.wait_for()
    assert launcher.inner_text() == "Close"
    backdrop = dialog.evaluate("dialog => getComputedStyle(dialog, '::backdrop').backgroundColor")
    assert backdrop == "rgba(0, 0, 0, 0)", "the page beside the panel stays as it is"
    assert reader.input.evaluate("input => input.getRootNode().activeElement === input")
    reader.ask(QUESTION)
    reader.chips.first.click()
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    reader.page.mouse.move(5, 5)  # a pointer that rests on a chip opens its card again, sooner or later
    for _ in range(2):
        reader.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert launcher.evaluate("button => button.getRootNode().activeElement === button")
    assert launcher.get_attribute("aria-expanded") == "false"
    assert launcher.inner_text() == "Ask a question"


def test_the_panel_opens_by_a_key_as_its_page_says_and_is_called_and_placed_as_it_says(
    visit: Any, host: Host, embedded: Any
) -> None:
    attributes = 'data-shortcut="ctrl-k" data-launcher-text="Ask the desk" data-position="left" data-heading="The desk"'
    words = 'data-placeholder="What of it?" data-starters="Who built it?|Who paid?" data-lang="de"'
    host.put(f'<script src="{embedded.url}/widget.js" {attributes} {words}></script>')
    reader = visit()
    launcher = reader.chat.get_by_role("button", name="Ask the desk")
    launcher.wait_for()
    assert launcher.bounding_box()["x"] < 100
    reader.page.keyboard.press("Control+k")
    reader.input.wait_for()
    assert reader.input.get_attribute("placeholder") == "What of it?"
    assert reader.input.evaluate("input => input.getRootNode().activeElement === input")
    assert reader.chat.locator(".title").inner_text() == "The desk"
    assert reader.chat.locator(".starters .starter").all_inner_texts()[:2] == ["Who built it?", "Who paid?"]
    assert reader.chat.locator(".composer .strong").inner_text() == "Fragen"
    reader.page.keyboard.press("Escape")
    assert reader.page.evaluate("document.querySelector('sourceline-chat').shadowRoot.activeElement?.textContent") == (
        "Ask the desk"
    )


def test_a_panel_that_nobody_opens_asks_nothing(visit: Any, host: Host, embedded: Any) -> None:
    host.put(f'<script src="{embedded.url}/widget.js"></script>')
    reader = visit()
    launcher = reader.chat.locator("button.launcher")
    assert launcher.inner_text() == "Ask a question"
    launcher.wait_for()
    reader.page.wait_for_timeout(300)
    assert [url for url in reader.requests if "/api/" in url] == []
    with reader.page.expect_response("**/api/starters"):
        launcher.click()
    launcher.click()
    launcher.click()
    reader.page.wait_for_timeout(300)
    assert [url for url in reader.requests if "/api/" in url] == [f"{embedded.url}/api/starters"]


def test_readers_of_a_page_that_is_not_listed_are_told_what_to_set(visit: Any, host: Host, embedded: Any) -> None:
    host.put(f'<script src="{embedded.url}/widget.js" data-mode="inline"></script>')
    reader = visit()
    other = host.url.replace("127.0.0.1", "localhost")
    reader.places.add(urlsplit(other).netloc)
    reader.page.goto(other)
    reader.send(QUESTION)
    problem = reader.last.locator(".problem[data-kind=unlisted]")
    problem.wait_for()
    assert "QA_ALLOWED_ORIGINS" in problem.inner_text()
    assert other in problem.inner_text()
    assert all("CORS policy" in one for one in reader.complaints)
    reader.complaints.clear()


def test_the_page_of_a_service_with_keys_says_what_to_set(read: Read, begin_service: Callable[..., Any]) -> None:
    service = begin_service(QA_API_KEYS="operator-key-of-the-tests")
    reader = read(service.url).visit()
    problem = reader.chat.locator(".welcome .problem[data-kind=unlisted]")
    problem.wait_for()
    assert service.url in problem.inner_text()
    reader.send("What?")
    reader.last.get_by_text("This page may not ask").wait_for()


def test_the_tag_is_put_together_on_a_page_that_shows_the_chat(read: Read, axe: str) -> None:
    reader = read()
    with reader.page.expect_response("**/widget") as sent:
        reader.visit("/widget")
    policy = sent.value.headers["content-security-policy"]
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    page = reader.page
    page.evaluate(
        "window.refused = []; addEventListener('securitypolicyviolation', (one) => refused.push(one.violatedDirective))"
    )
    page.get_by_label("Look").select_option("contrast")
    page.get_by_label("Title", exact=True).fill('Ask "us"')
    page.locator("#tag").get_by_text("Ask &quot;us").wait_for()  # with each letter, before the field is left
    page.get_by_label("Colour").fill("#7a1f3d")
    page.get_by_label("Language").select_option("de")
    reader.chat.get_by_role("button", name="Fragen", exact=True).wait_for()
    assert page.locator("#tag").inner_text() == (
        f'<script src="{reader.base}/widget.js" data-mode="inline" data-look="contrast" data-lang="de"'
        ' data-accent="#7a1f3d" data-heading="Ask &quot;us&quot;"></script>'
    ), "nothing that a strict policy refuses, such as a style"
    assert reader.chat.locator(".title").inner_text() == 'Ask "us"'
    reader.chat.locator(".archive").wait_for()
    assert (
        reader.chat.locator(".archive").inner_text().startswith("3 Artikel · 3 Quellen · 7. April 2024 – 14. Juni 2024")
    )
    style = reader.chat.locator(".ask").evaluate("one => getComputedStyle(one).backgroundColor")
    assert style == "rgb(122, 31, 61)"
    page.get_by_label("Colour").fill("red")
    page.keyboard.press("Tab")
    assert "data-accent" not in page.locator("#tag").inner_text(), "what is no colour of six digits is left out"
    assert page.evaluate("refused") == []
    assert page.evaluate("document.querySelectorAll('style, [style]').length") == 0
    page.evaluate(f"window.axe || (() => {{ {axe} }})()")
    found = page.evaluate("async () => (await axe.run(document)).violations.map(one => one.id + one.nodes[0].target)")
    assert found == []


def test_a_button_in_the_corner_is_shown_in_a_frame_of_its_own(read: Read) -> None:
    page = read().visit("/widget").page
    page.get_by_label("Form").select_option("launcher")
    frame = page.frame_locator("#corner")
    frame.get_by_role("button", name="Ask a question").press("Enter")
    frame.locator(".archive").wait_for()
    assert page.locator("sourceline-chat").count() == 0, "nothing lies over the choices"
    own = page.get_by_label("Your own buttons")
    own.fill("#ask-us")
    assert page.locator("#tag").inner_text().endswith(' data-mode="launcher" data-opener="#ask-us"></script>')
    frame.get_by_role("button", name="Ask a question").wait_for()  # stands for the page's own, which are not here
    page.get_by_label("Form").select_option("inline")
    page.locator("#preview .archive").wait_for()
    assert own.is_hidden()
    assert page.locator("#tag").inner_text().endswith(' data-mode="inline"></script>'), "what it has no button for"
    assert page.locator("#corner").is_hidden()


@pytest.mark.parametrize(
    ("locale", "title", "look", "direction"),
    [("ar-EG", "المحادثة في صفحاتك", "المظهر", "rtl"), ("ja", "あなたのページのチャット", "外観", "ltr")],
)
def test_the_page_that_makes_the_tag_speaks_the_readers_language(
    read: Read, axe: str, locale: str, title: str, look: str, direction: str
) -> None:
    reader = read(locale=locale).visit("/widget")
    assert reader.page.get_by_role("heading", level=1).inner_text() == reader.page.title() == title
    assert reader.page.locator("label:has([name=look]) span").inner_text() == look
    reader.chat.locator(".archive").wait_for()
    root = reader.chat.locator(".root")
    assert [root.get_attribute("dir"), reader.page.evaluate("document.documentElement.dir")] == [direction] * 2
    reader.page.evaluate(f"window.axe || (() => {{ {axe} }})()")
    found = reader.page.evaluate(
        "async () => (await axe.run(document)).violations.map(one => one.id + one.nodes[0].target)"
    )
    assert found == []


@pytest.mark.parametrize("colour", ["#7a1f3d", "red } .ask { display: none"])
def test_a_colour_by_attribute_passes_a_strict_policy(visit: Any, host: Host, embedded: Any, colour: str) -> None:
    tag = f'<script src="{embedded.url}/widget.js" data-mode="inline" data-accent="{colour}"></script>'
    host.put(tag, policy=strict(embedded.url))
    reader = visit()
    found = reader.chat.locator(".ask").evaluate("one => getComputedStyle(one).backgroundColor")
    assert (found == "rgb(122, 31, 61)") is (colour == "#7a1f3d")
    assert reader.chat.locator(".ask").is_visible()


def test_a_module_finds_its_service_and_shows(visit: Any, host: Host, embedded: Any) -> None:
    """`document.currentScript` is not set in a module."""
    host.put(f'<script type="module" src="{embedded.url}/widget.js" data-mode="inline" data-target="#place"></script>')
    reader = visit()
    reader.ask(QUESTION)
    assert reader.chat.count() == 1
    assert reader.chips.count() == 1


@pytest.mark.parametrize("kind", ["classic", "module"])
def test_a_bundled_script_asks_the_service_that_is_named(visit: Any, host: Host, embedded: Any, kind: str) -> None:
    """Where the bundle comes from is the page's own site, which knows nothing of questions."""
    script = httpx.get(f"{embedded.url}/widget.js", follow_redirects=True).text
    host.files["/bundle.js"] = ("text/javascript", script, "")
    module = ' type="module"' if kind == "module" else ""
    tag = f'<script{module} src="/bundle.js" data-mode="inline" data-target="#place" DATA></script>'
    host.put(tag.replace("DATA", f'data-endpoint="{embedded.url}"'))
    reader = visit()
    reader.ask(QUESTION)
    assert reader.chips.count() == 1
    host.put(tag.replace("DATA", ""))
    reader.page.goto(host.url)
    problem = reader.chat.locator(".problem[data-kind=nowhere]")
    problem.wait_for()
    assert "data-endpoint" in problem.inner_text()
    assert len([one for one in reader.complaints if "data-endpoint" in one]) == 1, "the console says it, too"
    assert [url for url in reader.requests if url.startswith(f"{host.url}/api")] == []
    reader.complaints.clear()


def test_questions_to_begin_with_are_about_the_article_of_the_page(visit: Any, host: Host, embedded: Any) -> None:
    """Of all articles they would be declined: only one is asked."""
    other = {"id": "ferry", "title": "Ferry", "text": "The Ostara Ferry in Velda was built in 1911.", "source": "Wire"}
    embedded.add(other)
    host.put(f'<script src="{embedded.url}/widget.js" data-mode="inline" data-article="ferry"></script>')
    reader = visit()
    starters = reader.chat.locator(".starters:not(.newest) .starter")
    starters.first.wait_for()
    offered = starters.all_inner_texts()
    assert offered == ["When was the Ostara Ferry in Velda built?"]
    starters.first.click()
    reader.last.locator(".actions").wait_for()
    assert reader.chips.count() == 1
    httpx.delete(f"{embedded.url}/api/articles/ferry").raise_for_status()


@pytest.mark.parametrize("width", [320, 375])
def test_the_title_of_the_one_article_asked_leaves_room_for_the_button(
    visit: Any, host: Host, embedded: Any, width: int
) -> None:
    title = "Rain and a strike keep the ferry to the Outer Isles of Ostara in Velda for a third day"
    embedded.add(
        {"id": "isles", "title": title, "text": "The Isle Ferry in Velda was built in 1911.", "source": "Wire"}
    )
    host.put(f'<script src="{embedded.url}/widget.js" data-mode="inline" data-article="isles"></script>')
    reader = visit(viewport={"width": width, "height": 700})
    composer = reader.chat.locator(".composer-inner")
    chip = composer.locator("button.narrowed")
    chip.get_by_text("third day").wait_for()
    assert reader.sticking_out() == []
    outer = composer.bounding_box()
    for inner in (chip, reader.chat.get_by_role("button", name="Ask", exact=True)):
        box = inner.bounding_box()
        assert outer["x"] <= box["x"]
        assert box["x"] + box["width"] <= outer["x"] + outer["width"] + 1
    httpx.delete(f"{embedded.url}/api/articles/isles").raise_for_status()


def test_a_tag_in_the_head_finds_its_place(visit: Any, host: Host, embedded: Any) -> None:
    tag = f'<script src="{embedded.url}/widget.js" data-mode="inline" data-target="#place"></script>'
    host.files["/"] = ("text/html", PAGE.replace("</head>", f"{tag}</head>").replace("{scripts}", ""), "")
    reader = visit()
    reader.chat.wait_for()
    assert reader.chat.evaluate("chat => chat.parentElement.id") == "place"


def test_on_a_narrow_screen_the_panel_is_modal(visit: Any, host: Host, embedded: Any) -> None:
    host.put(f'<a href="#x">Host link</a><script src="{embedded.url}/widget.js"></script>')
    reader = visit(viewport={"width": 320, "height": 568})
    reader.chat.get_by_role("button", name="Ask a question").click()
    assert reader.chat.get_by_role("dialog").evaluate("dialog => dialog.matches(':modal')")
    for _ in range(12):  # the focus never gets out
        reader.page.keyboard.press("Tab")
        assert reader.page.evaluate("document.activeElement.localName") in {"sourceline-chat", "body"}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_panel_on_the_left_covers_a_narrow_screen_and_stands_left_on_a_wide_one(
    visit: Any, host: Host, embedded: Any, language: str
) -> None:
    host.put(f'<script src="{embedded.url}/widget.js" data-position="left" data-lang="{language}"></script>')
    reader = visit(viewport={"width": 375, "height": 667})
    launcher, panel = reader.chat.locator("button.launcher"), reader.chat.locator("dialog")
    launcher.click()
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 375, "height": 667}
    assert reader.sticking_out() == []
    reader.page.set_viewport_size({"width": 1200, "height": 800})
    reader.page.keyboard.press("Escape")
    launcher.click()
    boxes = [one.bounding_box() for one in (launcher, panel)]
    starts = [box["x"] if language == "en" else 1200 - box["x"] - box["width"] for box in boxes]
    assert starts == [pytest.approx(20, abs=1)] * 2, "at the side where lines begin"


def test_another_framework_may_render_and_move_it(visit: Any, host: Host, embedded: Any, preact: Path) -> None:
    host.files["/preact.js"] = ("text/javascript", preact.read_text(), "")
    host.files["/app.js"] = ("text/javascript", FRAMEWORK.replace("SERVICE", embedded.url), "")
    script = f'<script src="{embedded.url}/widget.js" data-mode="none"></script>'
    host.put(f'{script}<script src="/preact.js"></script><script src="/app.js"></script>')
    reader = visit()
    reader.ask(QUESTION)
    reader.page.evaluate("app.setState({ tick: 1 })")
    assert reader.chat.locator(".turn").count() == 1
    reader.page.evaluate("app.setState({ place: true })")  # taken out and put in anew: history comes back
    reader.last.locator(".actions").wait_for()
    reader.chips.first.click()
    reader.chat.get_by_role("button", name="New conversation").click()
    assert reader.page.evaluate("events.map(([name]) => name)") == ["submit", "completed", "source", "reset"]
    reader.page.evaluate("preact.render(null, document.getElementById('place'))")
    assert reader.chat.count() == 0


BUNDLE = """
import { build } from "vite";
const [root, packages, source] = process.argv.slice(1);
const alias = {
  "react/jsx-runtime": `${packages}/preact/jsx-runtime/dist/jsxRuntime.mjs`,
  "react-dom": `${packages}/preact/compat/dist/compat.mjs`,
  react: `${packages}/preact/compat/dist/compat.mjs`,
  "preact/hooks": `${packages}/preact/hooks/dist/hooks.mjs`,
  preact: `${packages}/preact/dist/preact.mjs`,
  "sourceline-chat": `${source}/module.ts`,
};
const lib = { entry: `${root}/app.jsx`, formats: ["es"], fileName: () => "app.js" };
const define = { __WORDS__: '"json"' };
const output = { lib, outDir: `${root}/out` };
await build({ configFile: false, root, logLevel: "warn", resolve: { alias }, define, build: output });
"""
MAIN = """
import { render, createElement } from "react-dom";
window.answers = [];
const onAnswer = (detail) => answers.push(detail.answer_mode);
render(createElement(Ask, { article: "bridge", onAnswer }), document.getElementById("place"));
"""


def test_the_example_for_react_does_what_it_says(
    visit: Any, host: Host, embedded: Any, repo: Path, node_packages: Path, tmp_path: Path
) -> None:
    guide = (repo / "docs" / "chat.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```jsx\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "app.jsx").write_text(example.replace("https://answers.example", embedded.url) + MAIN)
    widget = repo / "qa" / "widget"  # what is evaluated finds its packages from where it runs
    command = ["node", "--input-type=module", "--eval", BUNDLE, tmp_path, node_packages, widget / "src"]
    done = subprocess.run(command, cwd=widget, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").iterdir():
        host.files[f"/{path.name}"] = ("text/javascript", path.read_text(), "")
    host.put('<script type="module" src="/app.js"></script>', styles="sourceline-chat { height: 600px }")
    reader = visit()
    reader.chat.locator(".composer .narrowed", has_text="Only: Osprey Bridge to shut").wait_for()
    reader.ask(QUESTION)
    assert reader.page.evaluate("answers") == ["extractive"]


@pytest.mark.parametrize(
    "choices",
    [
        {"viewport": {"width": 320, "height": 568}},
        {"viewport": {"width": 600, "height": 400}, "device_scale_factor": 2},
    ],
    ids=["320 px", "200 % zoom"],
)
def test_nothing_is_cut_off_where_there_is_little_room(read: Read, choices: dict[str, Any]) -> None:
    reader = read(**choices).visit()
    reader.ask(QUESTION)
    reader.ask("Who won the chess championship in Lima?")
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    assert reader.sticking_out() == []
    header = reader.chat.locator(".bar").evaluate("bar => [bar.scrollWidth - bar.clientWidth, bar.clientHeight]")
    assert header[0] <= 0, "the header sticks out"
    assert header[1] < 60, "the header is one line"
    reader.chat.get_by_role("button", name="Filters", exact=True).click()
    chip = reader.chat.locator(".chip").first
    chip.focus()
    box = reader.chat.locator(".card").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= choices["viewport"]["width"]
    assert box["y"] >= 0
    chip.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    assert reader.sticking_out() == []
    assert reader.chat.locator(".chat").evaluate("chat => chat.inert"), "the article lies over the chat"
    reader.chat.get_by_role("button", name="Back to the answer").click()
    assert not reader.chat.locator(".chat").evaluate("chat => chat.inert")


def test_large_type_is_followed(read: Read) -> None:
    reader = read().visit()
    reader.page.evaluate(
        "document.querySelector('sourceline-chat').style.setProperty('--sourceline-font-size', '32px')"
    )
    reader.ask(QUESTION)
    assert reader.chat.locator(".answer").evaluate("answer => getComputedStyle(answer).fontSize") == "36px"
    assert reader.sticking_out() == []
