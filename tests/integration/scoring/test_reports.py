"""Reports of a run, one of which is full of what articles, models and questions may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import msgspec
import pytest
from click.testing import CliRunner, Result

from embeddings.types import article_version
from qa.cli import program
from qa.evaluation import CitedArticle, Example, Failure, GoldSpan, Prediction
from qa.evaluation.reports.page import view
from qa.evaluation.run_folder import read_scored
from qa.types import Answer, Citation, Claim

WriteRun = Callable[..., Path]
HOSTILE = (
    "</style><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %} \" ' & \x00\x1b[31m \u202eevil"
)
HOSTILE_TEXT = f"It rained. {HOSTILE} It stopped & the mayor said no."


def qa(*arguments: object) -> Result:
    return CliRunner(env={"QA_SUPPORT_CHECKER": "lexical"}).invoke(
        program, [str(argument) for argument in arguments], prog_name="qa"
    )


class Page(HTMLParser):
    """What is markup in a page, and what is text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marked: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in {"meta", "circle", "line", "rect", "polyline", "br"}:
            self._open.append(tag)
        if tag == "mark":
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self._open:
            self.marked[-1] += data


@pytest.fixture(scope="module")
def run(write_run: WriteRun, honest: tuple[Prediction, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The honest run, but for one question that failed, one that is hostile throughout, and one never asked."""
    folder = write_run(tmp_path_factory.mktemp("reports") / "run", honest[:-1])
    article = CitedArticle(
        id="evil", version=article_version(HOSTILE_TEXT), title=HOSTILE, text=HOSTILE_TEXT, url=HOSTILE
    )
    example = Example(
        id=f"evil {HOSTILE}"[:200],
        question=HOSTILE,
        answerable=True,
        answers=(HOSTILE,),
        gold=(GoldSpan(title=HOSTILE, text=HOSTILE),),
        must_not_say=(HOSTILE,),
        tags=(HOSTILE,),
    )
    assert honest[0].answer is not None
    predictions = [
        Prediction(
            example_id=example.id, started_at="", latency_ms=1.0, answer=hostile_answer(honest[0].answer, article)
        ),
        Prediction(
            example_id=honest[0].example_id,
            started_at="",
            latency_ms=0.0,
            failure=Failure(kind="broken", message=HOSTILE),
        ),
    ]
    for name, values in (("examples", [example]), ("predictions", predictions), ("articles", [article])):
        with (folder / f"{name}.jsonl").open("ab") as file:
            file.writelines(msgspec.json.encode(value) + b"\n" for value in values)
    assert qa("evaluate", "score", folder).exit_code == 0
    return folder


def hostile_answer(answer: Answer, article: CitedArticle) -> Answer:
    start = article.text.index(HOSTILE)
    citation = Citation(
        id="c1",
        start=0,
        end=len(HOSTILE),
        article_id=article.id,
        article_version=article.version,
        title=article.title,
        source=HOSTILE,
        url=article.url,
        published_at=None,
        cited_text=HOSTILE,
        start_char_index=start,
        end_char_index=start + len(HOSTILE),
    )
    claim = Claim(text=HOSTILE, start=0, end=len(HOSTILE), verdict="supported", support_score=0.5, citation_ids=("c1",))
    results = tuple(msgspec.structs.replace(one, text=HOSTILE, title=HOSTILE) for one in answer.search_results)
    return msgspec.structs.replace(
        answer, answer=HOSTILE, claims=(claim,), citations=(citation,), short_answer=None, search_results=results
    )


@pytest.fixture(scope="module")
def html(run: Path) -> str:
    result = qa("evaluate", "report", run, "--format", "html", "--out", run / "report.html")
    assert result.exit_code == 0, result.output
    return (run / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_nothing_of_the_data_becomes_markup(html: str, page: Page) -> None:
    assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "link", "base", "form", "object"} == set()
    assert html.count("</style>") == 1
    assert html.count("<script") == 0
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
    assert "{{ 7*7 }}" in page.text, "text is not run as a template"
    assert "49" not in {word.strip() for word in page.text.split()}


def test_nothing_is_fetched(page: Page) -> None:
    links = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    assert links
    assert all(link is not None and link.startswith("#") for link in links)
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert {str(link)[1:] for link in links} <= targets
    (policy,) = (a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_style_names_nothing_to_fetch(html: str) -> None:
    style = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)


def test_cited_words_stand_out_in_their_article(page: Page, honest: tuple[Prediction, ...]) -> None:
    cited = [c.cited_text for one in honest[1:-1] if one.answer for c in one.answer.citations]
    assert len(cited) > 100
    shown = {" ".join(text.split()) for text in page.marked}
    assert {" ".join(text.split()) for text in cited} <= shown
    assert any("alert(1)" in text for text in page.marked)


def test_every_question_is_there_with_what_was_expected(run: Path, page: Page) -> None:
    found, scores = read_scored(run)
    words = " ".join(page.text.split())
    for example in found.examples:
        if example.question != HOSTILE:
            assert " ".join(example.question.split()) in words
        for answer in example.answers if example.question != HOSTILE else ():
            assert " ".join(answer.split()) in words
    assert "An abstention: the articles do not say." in words
    assert "it was not asked" in words
    assert "broken:" in words
    outcomes = {one.outcome for one in scores.examples}
    assert {tag.get("id") for name, tag in page.tags if name == "section"} >= outcomes == {"right", "failed", "wrong"}


def test_four_charts_are_drawn_and_described(page: Page) -> None:
    charts = [a for tag, a in page.tags if tag == "svg" and a.get("class") != "rate"]
    assert [a["aria-label"] for a in charts] == [
        "Accuracy by coverage",
        "Accuracy by confidence",
        "Questions by confidence",
        "Questions by latency",
    ]
    assert sum(tag == "rect" for tag, _ in page.tags) > 10
    points = next(a["points"] for tag, a in page.tags if tag == "polyline" and a["class"] == "curve")
    places = [tuple(map(float, pair.split(","))) for pair in (points or "").split()]
    assert len(places) > 3
    assert all(40 <= x <= 400 and 0 <= y <= 250 for x, y in places)


def test_a_short_report_shows_what_went_wrong_first_and_says_what_it_leaves_out(run: Path) -> None:
    result = qa("evaluate", "report", run, "--format", "html", "--questions", 3)
    assert result.stdout.count("<details>") == 3
    assert "more are not shown here" in result.stdout
    assert result.stdout.index('id="wrong"') < result.stdout.index('id="right"')


def test_a_citation_that_is_not_exact_says_so(
    run: Path, honest: tuple[Prediction, ...], examples: tuple[Example, ...]
) -> None:
    found, scores = read_scored(run)
    answer = honest[1].answer
    assert answer is not None
    moved = tuple(msgspec.structs.replace(c, start_char_index=c.start_char_index + 1) for c in answer.citations)
    broken = msgspec.structs.replace(honest[1], answer=msgspec.structs.replace(answer, citations=moved))
    shown = view(examples[1], scores.examples[1], prediction=broken, articles=found.articles)
    assert "not the words at the cited place" in shown.quotations[0].fault
    unknown = view(examples[1], scores.examples[1], prediction=honest[1], articles={})
    assert "not among what the run kept" in unknown.quotations[0].fault
    exact = view(examples[1], scores.examples[1], prediction=honest[1], articles=found.articles)
    assert [one.fault for one in exact.quotations] == [""] * len(exact.quotations)


def test_other_formats_hold_the_same_numbers(run: Path) -> None:
    _, scores = read_scored(run)
    document = json.loads(qa("evaluate", "report", run, "--format", "json").stdout)
    assert document["schema_version"] == 1
    assert document["scores"]["scores"] == json.loads(msgspec.json.encode(scores.scores))
    assert document["manifest"]["run_id"] == scores.run_id
    markdown = qa("evaluate", "report", run, "--format", "markdown").stdout
    console = qa("evaluate", "report", run).stdout
    for one in scores.scores:
        if one.value is not None and one.unit != "milliseconds":
            assert re.search(
                rf"^\| {re.escape(one.metric)} \| {one.value:.3f} \|.*\| {one.n} \|", markdown, re.MULTILINE
            )
            assert re.search(rf"^{re.escape(one.metric)} +{one.value:.3f} .* {one.n:,} ", console, re.MULTILINE)


def test_junit_counts_failures_and_errors(run: Path) -> None:
    suites = Xml.fromstring(qa("evaluate", "report", run, "--format", "junit").stdout)
    (suite,) = suites
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.attrib["tests"]) == 138
    assert len(suite.findall("testcase/error")) == int(suite.attrib["errors"]) == 2
    assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"]) == 1
    properties = {one.attrib["name"]: float(one.attrib["value"]) for one in suite.iter("property")}
    assert properties["run.failed"] == pytest.approx(2 / 138, abs=1e-6)
