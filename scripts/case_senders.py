"""Sends one case the way its `how` says, gives what came back. Every kind is a function in `SENDERS`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from embeddings import encoders, parsers
from embeddings.chunking.sentences import split_sentences
from embeddings.cleaning.article import clean_with_notes
from embeddings.cleaning.titles import clean_title
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.errors import InputError
from embeddings.parsers.jsonl import parse_record
from embeddings.types import RawArticle, Rejected
from qa.assembly import Assembly, assemble
from qa.language.dates import Period
from qa.language.time_expressions import period_of
from qa.server.app import create_app
from qa.server.parts import Parts
from qa.server.service import Service
from qa.settings import Settings

__all__ = ["SENDERS"]

Case = Mapping[str, Any]
Articles = list[dict[str, Any]]

_SATURDAY = datetime(2026, 11, 28, 10, tzinfo=UTC)
_PATIENT_SECONDS = 600.0
"""A case is right or wrong whatever else this machine does."""
_HELD = {
    "id": "held",
    "title": "Power cut in Nordal",
    "text": "A substation fire left 12,000 homes in Nordal without power on Sunday evening, Voltnett said.",
    "published_at": "2026-11-22",
}
"""What the service holds where a case asks it and brings no articles."""


def read_files(case: Case) -> Articles:
    """Write the files of a case and read them; bytes are given as Latin-1 text."""
    found: Articles = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in case["input"]["files"].items():
            path = Path(folder, name)
            path.write_bytes(text.encode("latin-1") if all(ord(sign) < 256 for sign in text) else text.encode())
            found += map(_cleaned, parsers.read(path))
    return found


def split(case: Case) -> list[str]:
    """Split a text into sentences."""
    text = case["input"]["text"]
    return [text[start:end] for start, end in split_sentences(text)]


def titles(case: Case) -> list[str]:
    """Clean titles, each with the sites it is from."""
    return [clean_title(title, sites=sites) for title, sites in case["input"]]


def records(case: Case) -> Articles:
    """Send every value of a field that lists several, one article each."""
    fields = case["input"]
    if "articles" in fields:
        rows = fields["articles"]
    else:
        rows = [{"published_at": date} for date in fields.get("published_at", [])]
        rows += [{name: value} for name, value in fields.items() if isinstance(value, str)]
    sent = [json.dumps({"text": "The bridge was closed on Monday.", **row}).encode() for row in rows]
    return [_cleaned(parse_record(one, origin=f"item {number}")) for number, one in enumerate(sent, start=1)]


def periods(case: Case) -> dict[str, Period | None]:
    """Read expressions of time on a Saturday."""
    return {phrase: period_of(phrase, as_of=_SATURDAY) for phrase in case["input"]["phrases"]}


def ask(case: Case) -> dict[str, Any]:
    """Send articles to an empty service, then a question."""
    sent = case["input"]
    with _service(sent["articles"]) as client:
        question = {name: sent[name] for name in ("question", "as_of") if name in sent}
        return dict(client.post("/api/ask", json={**question, "mode": "extractive"}).raise_for_status().json())


def arrive(case: Case) -> dict[str, Any]:
    """Send articles one request after the other; give the reports, and what is held at the end."""
    sent = case["input"]
    text = "The toll on the Osk bridge is 4.50 crowns, the operator said on Monday."
    rows = sent.get("in_order") or [{"title": "Toll", "text": text, "url": url} for url in sent["same_text_under"]]
    with _service(()) as client:
        replies = [client.post("/api/articles", json=row).raise_for_status().json() for row in rows]
        listed = client.get("/api/articles").raise_for_status().json()["articles"]
        held = [client.get(f"/api/articles/{one['id']}").raise_for_status().json() for one in listed]
    return {"reports": [reply["articles"][0] for reply in replies], "held": held}


def request(case: Case) -> list[tuple[int, dict[str, str], str]]:
    """Send one request; status, headers and body, and of a GET with an ETag those of the conditional one after it."""
    sent = case["input"]
    with _service((_HELD,)) as client:
        version = client.get("/api/articles/held").raise_for_status().json()["version"]
        path = sent["path"].replace("ID", "held").replace("=V", f"={version}")
        if sent.get("method") == "GET":
            first = client.get(path)
            replies = [first, client.get(path, headers={"If-None-Match": first.headers.get("etag", "")})]
        else:
            body = bytes.fromhex(sent.get("raw_hex_prefix", "")) + json.dumps(sent["body"]).encode()
            replies = [client.post(path, content=body, headers={"Content-Type": "application/json"})]
    return [(reply.status_code, dict(reply.headers), reply.text) for reply in replies]


SENDERS: Mapping[str, Callable[[Case], Any]] = {
    "qa ingest FILES (bytes given as latin-1 text)": read_files,
    "embeddings.sentences.split_sentences": split,
    "clean_title(title, sites=host)": titles,
    "POST /api/articles or qa ingest x.jsonl": records,
    "POST /api/articles, then POST /api/ask": ask,
    "POST /api/articles": arrive,
    "POST /api/articles one after another": arrive,
    "HTTP": request,
    "qa.time_expressions.period_of, as_of 2026-11-28": periods,
    "qa.time_expressions.period_of, as_of 2026-11-28 (a Saturday)": periods,
}


@contextmanager
def _service(articles: Sequence[Mapping[str, Any]]) -> Iterator[TestClient[Any]]:
    """The service over a store of its own; what is costly to load is loaded once."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder, "data"), deadline_seconds=_PATIENT_SECONDS)
        app = create_app(Service(settings, load=_parts))
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            if articles:
                client.post("/api/articles", json=list(articles)).raise_for_status()
            yield client


def _parts(settings: Settings) -> Parts:
    assembly = _assembly()
    corpus = EmbeddedCorpus.open(settings.data_dir, identity=assembly.encoder.identity)
    return Parts(corpus=corpus, encoder=assembly.encoder, answering=assembly.over(corpus))


@cache
def _assembly() -> Assembly:
    settings = Settings(data_dir=Path("unused"))
    return assemble(settings, encoder=encoders.load(settings.encoder))


def _cleaned(item: RawArticle | Rejected) -> dict[str, Any]:
    try:
        if isinstance(item, Rejected):
            return {"rejected": item.reason}
        cleaned = clean_with_notes(item)
    except InputError as error:
        return {"rejected": str(error)}
    article = cleaned.article
    fields = ("id", "title", "text", "source", "url", "published_at", "language", "authors")
    return {field: getattr(article, field) for field in fields} | {"notes": cleaned.notes, "raw": item}
