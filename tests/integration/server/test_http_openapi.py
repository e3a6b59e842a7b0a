"""The OpenAPI document against the application, and the page that shows it against its own content policy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from qa.server.wire import ArticleIn
from qa.types import Question, SearchQuestion

ERRORS = {False: ("application/problem+json", "Problem"), True: ("application/json", "ErrorEnvelope")}
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> Any:
    response = client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    return response.json()


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_routes(document: Any) -> None:
    assert {operation["operationId"]: (method, path) for method, path, operation in operations(document)} == {
        "ask": ("post", "/api/ask"),
        "get_token": ("post", "/api/tokens"),
        "search": ("post", "/api/search"),
        "check": ("post", "/api/check"),
        "list_articles": ("get", "/api/articles"),
        "get_article": ("get", "/api/articles/{article_id}"),
        "add_articles": ("post", "/api/articles"),
        "delete_article": ("delete", "/api/articles/{article_id}"),
        "list_starters": ("get", "/api/starters"),
        "list_conversations": ("get", "/api/conversations"),
        "get_conversation": ("get", "/api/conversations/{conversation_id}"),
        "delete_conversation": ("delete", "/api/conversations/{conversation_id}"),
        "answer_changes": ("get", "/api/answers/{answer_id}/changes"),
        "get_answer": ("get", "/api/answers/{answer_id}"),
        "link_answer": ("post", "/api/answers/{answer_id}/link"),
        "give_feedback": ("post", "/api/answers/{answer_id}/feedback"),
        "list_feedback": ("get", "/api/feedback"),
        "list_jobs": ("get", "/api/jobs"),
        "get_job": ("get", "/api/jobs/{job_id}"),
        "find_articles": ("get", "/api/admin/articles"),
        "read_article": ("get", "/api/admin/articles/{article_id}"),
        "corpus_by_source": ("get", "/api/admin/corpus"),
        "list_sources": ("get", "/api/admin/sources"),
        "question_days": ("get", "/api/admin/days"),
        "list_questions": ("get", "/api/admin/questions"),
        "read_answer": ("get", "/api/admin/answers/{answer_id}"),
        "save_review": ("post", "/api/admin/answers/{answer_id}/review"),
        "list_reviews": ("get", "/api/admin/reviews"),
        "export_reviews": ("get", "/api/admin/dataset"),
        "list_keys": ("get", "/api/admin/keys"),
        "list_models": ("get", "/v1/models"),
        "retrieve_model": ("get", "/v1/models/{model}"),
        "create_chat_completion": ("post", "/v1/chat/completions"),
        "create_response": ("post", "/v1/responses"),
        "live": ("get", "/health/live"),
        "ready": ("get", "/health/ready"),
    }


def test_every_reference_resolves_and_every_schema_is_used(document: Any) -> None:
    named = set(re.findall(r'"\$ref":\s*"#/components/schemas/(\w+)"', json.dumps(document)))
    assert named == set(document["components"]["schemas"])


CHECKED = {"TextToCheck", "SentText"}
REVIEWED = {"ReviewIn", "Criteria", "QuotedWords"}


def test_unknown_fields_are_refused_where_the_document_says_so(document: Any) -> None:
    closed = {
        n for n, schema in document["components"]["schemas"].items() if schema.get("additionalProperties") is False
    }
    assert closed == {
        "Narrowing",
        "Question",
        "SearchQuestion",
        "Filters",
        "FeedbackIn",
        "TokenRequest",
        *CHECKED,
        *REVIEWED,
    }


def test_every_operation_is_documented(document: Any) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        for name in re.findall(r"{(\w+)}", path):
            assert {"name": name, "in": "path", "required": True}.items() <= operation["parameters"][0].items()
        for status, response in operation["responses"].items():
            assert response["description"]
            if int(status) >= 400:
                media, name = ERRORS[path.startswith("/v1")]
                schema = {"$ref": f"#/components/schemas/{name}"}
                assert response["content"] == {media: {"schema": schema}}, (method, path, status)
            elif method != "delete" and status != "304":
                media = "application/x-ndjson" if path == "/api/admin/dataset" else "application/json"
                assert "$ref" in response["content"][media]["schema"], (method, path)


@pytest.mark.parametrize("type_", [Question, SearchQuestion, ArticleIn], ids=lambda type_: type_.__name__)
def test_examples_can_be_sent(document: Any, type_: type) -> None:
    (example,) = document["components"]["schemas"][type_.__name__]["examples"]
    msgspec.convert(example, type_, strict=True)


def test_the_body_of_articles_may_be_one_a_list_or_lines(document: Any) -> None:
    content = document["paths"]["/api/articles"]["post"]["requestBody"]["content"]
    one, many = content["application/json"]["schema"]["anyOf"]
    assert one == many["items"] == {"$ref": "#/components/schemas/ArticleIn"}
    assert "application/x-ndjson" in content


@pytest.mark.parametrize("path", ["/api/ask", "/api/articles", "/api/articles/harbour", "/health/live", "/docs"])
def test_options_tell_every_method(client: httpx.Client, path: str) -> None:
    allowed = client.options(path).headers["allow"]
    assert allowed == ", ".join(sorted(client.request("PATCH", path).headers["allow"].split(", ")))


def test_the_stream_is_described(document: Any) -> None:
    content = document["paths"]["/api/ask"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}
    named = [one["$ref"].rpartition("/")[2] for one in content["text/event-stream"]["schema"]["anyOf"]]
    assert set(named) <= set(document["components"]["schemas"])


def test_dates_are_described_as_dates(document: Any) -> None:
    schemas = document["components"]["schemas"]
    more = (("TextToCheck", "as_of"), ("SentText", "published_at"))
    for name, field in (("Question", "as_of"), ("Filters", "published_after"), ("Filters", "published_before"), *more):
        formats = [one.get("format") for one in schemas[name]["properties"][field]["anyOf"]]
        assert formats == ["date", "date-time", None]


def test_parameters_say_their_bounds(document: Any) -> None:
    parameters = {one["name"]: one for one in document["paths"]["/api/articles"]["get"]["parameters"]}
    dates = {"published_after", "published_before"}
    states = {"status", "kept_back"}
    assert (
        set(parameters) == {"limit", "after", "collection", "source", "section", "language", "author"} | dates | states
    )
    for name in ("published_after", "published_before"):
        assert [one["format"] for one in parameters[name]["schema"]["anyOf"]] == ["date", "date-time"]
    limit = parameters["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)


class Page(HTMLParser):
    """What a page loads, and whether it brings code or style inline."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.inline += [name for name in found if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in found):
            self.inline.append(tag)
        self.loads += [value for name in ("src", "href") if (value := found.get(name))]


def test_the_page_loads_only_its_own_files_and_nothing_inline(client: httpx.Client) -> None:
    response = client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    page = Page()
    page.feed(response.text)
    assert page.inline == []
    assert all(re.match(r"/[^/]", address) for address in page.loads), page.loads
    kinds = {}
    for address in page.loads:
        found = client.get(address)
        assert found.status_code == 200, address
        kinds[address.rpartition(".")[2]] = found.headers
    assert kinds["js"]["content-type"] == "text/javascript; charset=utf-8"
    assert kinds["css"]["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in kinds["js"]["cache-control"]


def test_the_page_can_only_make_text(repo: Path) -> None:
    script = (repo / "qa" / "server" / "page" / "docs.js").read_text()
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|setHTML|https?:", script
    )


@pytest.mark.skipif(NODE is None, reason="needs node to run the page's script")
def test_the_page_shows_every_route(client: httpx.Client, repo: Path, tmp_path: Path) -> None:
    """The script runs in node on a handful of fake elements; every route and schema must be on the page."""
    (tmp_path / "openapi.json").write_text(client.get("/openapi.json").text)
    runner = tmp_path / "run.js"
    runner.write_text(_FAKE_PAGE.replace("SCRIPT", json.dumps(str(repo / "qa/server/page/docs.js"))))
    done = subprocess.run([str(NODE), runner], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    for word in ("Answer a question from the articles", "/api/articles/{article_id}", "DELETE", "SearchAnswer", "422"):
        assert word in shown
    assert "cannot be shown" not in shown
    assert "undefined" not in shown


_FAKE_PAGE = """
const fs = require("node:fs");
class Node {
  constructor(name) { this.name = name; this.children = []; this.classList = { toggle() {}, add() {} }; }
  append(...more) { this.children.push(...more); }
  setAttribute() {}
  addEventListener() {}
  set textContent(text) { this.children = [text]; }
  get text() { return this.children.map((one) => one instanceof Node ? one.text : String(one)).join(" "); }
}
const byId = {};
globalThis.document = {
  createElement: (name) => new Node(name),
  getElementById: (id) => (byId[id] ??= new Node(id)),
};
globalThis.fetch = async () => ({ json: async () => JSON.parse(fs.readFileSync("openapi.json", "utf8")) });
(0, eval)(fs.readFileSync(SCRIPT, "utf8"));
setTimeout(() => console.log(Object.values(byId).map((one) => one.text).join("\\n")), 50);
"""
