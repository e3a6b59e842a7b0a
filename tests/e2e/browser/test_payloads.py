"""More than two thousand attempts to smuggle markup or addresses into the chat: all of them stay text."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from embeddings.types import Article
from qa.types import AlsoReported, Conflict, SearchResult

Read = Callable[..., Any]

EVIL = "//evil.example"
TAGS = [
    "<script>{js}</script>",
    "<img src=x onerror={js}>",
    "<img src=https:{evil}/p.png>",
    "<svg onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><animate onbegin={js} attributeName=x dur=1s>",
    "<iframe srcdoc='<script>{js}</script>'></iframe>",
    "<iframe src=javascript:{js}></iframe>",
    "<object data=javascript:{js}></object>",
    "<embed src=https:{evil}/e>",
    "<link rel=stylesheet href=https:{evil}/s.css>",
    "<style>@import 'https:{evil}/s.css';*{{background:url(https:{evil}/b)}}</style>",
    "<base href=https:{evil}/>",
    "<meta http-equiv=refresh content='0;url=https:{evil}'>",
    "<form action=https:{evil}><button autofocus onfocus={js}>x</button></form>",
    "<video><source onerror={js}></video>",
    "<audio src=https:{evil}/a autoplay>",
    "<details open ontoggle={js}>x</details>",
    "<marquee onstart={js}>x</marquee>",
    "<math><mtext><table><mglyph><style><img src onerror={js}>",
    "<template shadowrootmode=open><script>{js}</script></template>",
    "<a href=javascript:{js}>click</a>",
    "<a href='data:text/html,<script>{js}</script>'>click</a>",
    "<input onfocus={js} autofocus>",
    "<body onload={js}>",
    "<sourceline-chat mode=launcher></sourceline-chat>",
    "<!--<img src=x onerror={js}>-->",
    "<![CDATA[<script>{js}</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror={js}>'>",
    "<x style=animation-name:x onanimationstart={js}>",
]
MARKDOWN = [
    "![x](https:{evil}/p.png)",
    "![x][r]\n\n[r]: https:{evil}/p.png",
    "[click](javascript:{js})",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "<https:{evil}>",
    "`<script>{js}</script>`",
    "$\\href{{javascript:{js}}}{{x}}$",
    "${{{js}}}",
    "{{{{constructor.constructor('{js}')()}}}}",
    "&lt;script&gt;{js}&lt;/script&gt;",
    "javascript:{js}",
    '" onmouseover={js} x="',
    "' onfocus={js} autofocus '",
    "</q></blockquote></article><script>{js}</script>",
    "\u202e<script>{js}</script>\u202c",
    "＜script＞{js}＜/script＞",
]
ENCODINGS: list[Callable[[str], str]] = [
    lambda text: text,
    lambda text: text.upper().replace("ALERT", "alert"),
    lambda text: text.replace("<", "<\x00"),
    lambda text: text.replace("javascript:", "java\tscript:").replace("script", "scr\nipt", 1),
    lambda text: "".join(f"&#{ord(one)};" for one in text),
    lambda text: "".join(f"%{one:02x}" for one in text.encode()),
    lambda text: f"Harmless words 🪁 before. {text} And after.",
    lambda text: text * 3,
]
URLS = [
    "javascript:{js}",
    "JaVaScRiPt:{js}",
    "java\tscript:{js}",
    " javascript:{js}",
    "\x01javascript:{js}",
    "data:text/html,<script>{js}</script>",
    "vbscript:{js}",
    "blob:https:{evil}/x",
    "file:///etc/passwd",
    "ftp:{evil}/x",
    "{evil}/no-scheme",
    "https:evil.example\\@x",
    "https://user:password@evil.example/",
    "view-source:https:{evil}",
    "https://exa mple",
    "https://",
    "about:blank",
    "http:javascript:{js}",
    "\u2028javascript:{js}",
    "javascript\u003a{js}",
]
JS = "window.broken=1"
ALLOWED = {
    *("main", "header", "h1", "h2", "div", "slot", "button", "p", "article", "span", "section", "form", "textarea"),
    *("label", "select", "option", "input", "blockquote", "ol", "ul", "li", "bdi", "details", "summary", "a"),
    "mark",
}
"""Every kind of element that the widget makes."""


def payloads() -> list[str]:
    """Each template in each form; in the long form, in each pair of forms."""
    plain = [template.format(js=JS, evil=EVIL) for template in (*TAGS, *MARKDOWN)]
    once = [encode(one) for one, encode in itertools.product(plain, ENCODINGS)]
    if not os.environ.get("LONG"):
        return once
    return [encode(one) for one, encode in itertools.product(once, ENCODINGS) if len(one) < 500]


def urls() -> list[str]:
    return [template.format(js=JS, evil=EVIL) for template in URLS]


def check(reader: Any, place: str = "*") -> None:
    """Only the widget's own elements, none of them active, and links to nowhere but the web; in this place alone."""
    found = reader.page.evaluate(
        """place => { const root = document.querySelector("sourceline-chat").shadowRoot;
        const all = [...root.querySelectorAll(place)];
        return {
          tags: [...new Set(all.map(one => one.localName))],
          handlers: all.filter(one => [...one.attributes].some(a => a.name.startsWith("on"))).length,
          links: all.filter(one => one.matches("[href], [src], [action], [data], [srcdoc], [style*=url]")).map(one =>
            one.getAttribute("href") ?? one.outerHTML),
          broken: window.broken ?? 0,
          widgets: document.querySelectorAll("sourceline-chat").length,
        }; }""",
        place,
    )
    assert set(found["tags"]) <= ALLOWED
    assert (found["handlers"], found["broken"], found["widgets"]) == (0, 0, 1)
    assert [one for one in found["links"] if not one.startswith(("https://example.org/", "http://example.org/"))] == []


@pytest.fixture
def attacked(scripted: Any, answering: Any) -> Any:
    """Each question is a number: the batch of payloads that come back, in every field that is shown."""
    compose, unfold = answering
    every = payloads()
    batches = [every[place : place + 45] for place in range(0, len(every), 45)]
    scripted.used = []

    def script(request: dict[str, Any]) -> Iterator[Any]:
        number = int(request["question"].partition(" ")[0])
        batch = batches[number] if request["question"].endswith(" of the batches") else batches[number][:3]
        scripted.used += batch
        text = "\n\n".join(batch)
        addresses = itertools.cycle([*urls(), "https://example.org/fine"])
        scripted.articles[f"a{number}"] = Article(
            id=f"a{number}", version="v", title=batch[0], text=text, source=batch[-1], url=next(addresses)
        )
        answer = compose(batch, scripted.articles[f"a{number}"], question=request["question"])
        spread = [
            type(one)(**{**fields(one), "title": mark, "source": mark, "url": next(addresses)})
            for one, mark in zip(answer.citations, batch, strict=True)
        ]
        results = tuple(result(one, mark, next(addresses)) for one, mark in zip(spread, batch, strict=True))
        conflicts = tuple(Conflict(citation_ids=(one.id,), note=mark) for one, mark in zip(spread, batch, strict=True))
        changes = {"citations": tuple(spread), "search_results": results, "conflicts": conflicts}
        return unfold(type(answer)(**{**fields(answer), **changes, "resolved_query": batch[0]}))

    scripted.script = script
    scripted.batches = len(batches)
    return scripted


def fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__}


def result(cited: Any, mark: str, url: str) -> SearchResult:
    about = {"article_id": cited.article_id, "article_version": "v", "title": mark, "source": mark, "url": url}
    return SearchResult(
        **about,
        published_at=mark,
        passage_id="p",
        text=mark,
        start_char_index=0,
        end_char_index=1,
        score=1.0,
        also_reported_by=(AlsoReported(**about, published_at=mark),),
    )


def test_nothing_that_articles_and_models_say_becomes_markup(read: Read, attacked: Any) -> None:
    reader = read(attacked.url).visit()
    for number in range(attacked.batches):
        turn = reader.ask(f"{number} of the batches")
        turn.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        check(reader, ".turn:last-child *")
    shown = reader.chat.locator(".turn .sentence").all_text_contents()
    assert len(shown) == len(attacked.used) == len(payloads())
    links = 0
    for chip in reader.chat.locator(".turn").first.locator(".answer .chip").all()[: len(urls()) + 1]:
        chip.focus()  # each has another address
        check(reader, ".card *")
        links += reader.chat.locator(".card a").count()
    assert links == 1, "only the address of the web is a link"
    check(reader)
    reader.chips.first.press("Enter")
    reader.chat.locator(".article-body p[dir]").first.wait_for()
    check(reader)
    # Each payload was in nine places: sentence, quotation, two titles and sources, passage, conflict, article.
    count = len(payloads()) * 9
    assert count > 2000
    # Text is shown as it is, not cleaned: what the model wrote can be read.
    text = "".join("".join(shown).split())
    assert "<script>window.broken=1</script>" in text


def test_nothing_that_readers_write_becomes_markup(read: Read, attacked: Any) -> None:
    reader = read(attacked.url).visit()
    chosen = payloads()[:: len(payloads()) // 20]
    for payload in chosen:
        reader.ask(f"0 {payload}")
        check(reader)
    assert [" ".join(one.split()) for one in reader.chat.locator(".question").all_text_contents()] == [
        " ".join(f"0 {payload}".split()) for payload in chosen
    ]
    reader.last.get_by_role("button", name="Not helpful").click()
    reader.last.locator(".comment textarea").fill(" ".join(chosen)[:2000])
    reader.last.get_by_role("button", name="Send").click()
    reader.last.get_by_text("Your feedback was stored").wait_for()
    check(reader)
    event = b'event: error\ndata: {"status": 422, "detail": "<img src=x onerror=broken=1>"}\n\n'
    attacked.script = lambda _: iter([event])
    reader.send("<b>x</b>")
    reader.last.locator(".problem").wait_for()
    check(reader)


def test_stored_articles_and_questions_stay_text_in_the_real_service(
    read: Read, begin_service: Callable[..., Any]
) -> None:
    service = begin_service()
    every = payloads()[:60]
    service.add(
        *(
            {
                "id": f"x{number}",
                "title": f"Ferry {number} {mark}"[:200],
                "text": f"The ferry number {number} carries {number + 100} people {mark} on Mondays. More follows.",
                "source": f"Desk {mark}"[:100],
                "url": urls()[number % len(urls())],
            }
            for number, mark in enumerate(every)
        )
    )
    reader = read(service.url).visit()
    for number in (0, 5, 30):
        reader.ask(f"How many people does the ferry number {number} carry {every[number]}?")
        check(reader)
    reader.page.reload()
    reader.chat.locator(".turn").nth(2).locator(".actions").wait_for()
    check(reader)
