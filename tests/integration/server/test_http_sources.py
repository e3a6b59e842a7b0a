"""Articles that sources send to a running service, and what the service says of how fresh its sources are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from embeddings import parsers
from embeddings.types import RawArticle
from qa.cli import program
from qa.settings import Settings
from qa.sources.delivery import ToService
from qa.sources.fetching import NotDelivered, SourceError
from qa.sources.ledger import Ledger

TEXT = "The harbour of Velda reopened on Monday. About 4,200 people work there, the port authority said."
KEY = "a-key-of-some-length"


def listed(client: httpx.Client) -> list[Any]:
    found: list[Any] = client.get("/api/articles", params={"kept_back": True, "limit": 200}).json()["articles"]
    return found


def test_a_file_sent_again_replaces_itself_as_with_an_ingest(client: httpx.Client, tmp_path: Path) -> None:
    deliver = ToService(str(client.base_url), key="", collection="folder")
    path = tmp_path / "notes.txt"
    outcomes = []
    for text in (TEXT, TEXT, f"{TEXT} It had been shut for days."):
        path.write_text(text)
        outcomes.append(dict(deliver([one for one in parsers.read(path) if isinstance(one, RawArticle)]).outcomes))
    assert outcomes == [{"added": 1}, {"unchanged": 1}, {"updated": 1}]
    assert [one["collection"] for one in listed(client) if one["collection"] == "folder"] == ["folder"]


def test_all_that_is_said_of_an_article_arrives(client: httpx.Client) -> None:
    raw = RawArticle(
        text=TEXT,
        title="Told",
        url="https://daily.example/told",
        published_at="2024-06-04T10:00:00Z",
        language="en",
        authors=("Bo Ek",),
        section="City",
        usage_terms="Online only.",
        embargoed_until="2024-06-05T10:00:00Z",
        status="withheld",
        summary_only=True,
        pages=(0, 41),
        origin="https://daily.example/feed entry/1",
    )
    told = ToService(str(client.base_url), key="", collection="default")([raw])
    assert told.outcomes == {"added": 1}
    assert told.brought
    (summary,) = [one for one in listed(client) if one["title"] == "Told"]
    article = client.get(f"/api/articles/{summary['id']}", params={"kept_back": True, "limit": 200}).json()
    for name in ("text", "url", "published_at", "language", "section", "usage_terms", "embargoed_until", "status"):
        assert article[name] == getattr(raw, name)
    assert (article["authors"], article["pages"], article["summary_only"]) == (["Bo Ek"], [0, 41], True)


def test_many_articles_go_in_several_requests(client: httpx.Client) -> None:
    many = [RawArticle(text=f"{TEXT} This is report {n}.", origin=f"entry/{n}") for n in range(70)]
    assert ToService(str(client.base_url), key="", collection="many")(many).outcomes == {"added": 70}


def test_each_refusal_names_where_the_article_was_read(client: httpx.Client) -> None:
    bad = {5: "/desk/five.md:7", 68: "/desk/more.jsonl:3"}
    many = [
        RawArticle(
            text=f"{TEXT} Here is report {n}.",
            embargoed_until="2999-01-01" if n in bad else None,
            origin=bad.get(n, f"/desk/{n}.txt:1"),
        )
        for n in range(70)
    ]
    told = ToService(str(client.base_url), key="", collection="named")(many)
    assert [reason.partition(": ")[0] for reason in told.rejected] == list(bad.values())
    assert told.outcomes == {"added": 68}
    (alone,) = ToService(str(client.base_url), key="", collection="named")([many[5]]).rejected
    assert alone.startswith("/desk/five.md:7: when the embargo '2999-01-01' ends cannot be told")


def test_what_is_to_be_known_of_an_article_comes_back(client: httpx.Client) -> None:
    """Copies that go on being shown are named, and what its parser could not read."""
    first, second = (RawArticle(text=f"{TEXT} So it was told twice.", id=name, origin=name) for name in ("one", "two"))
    deliver = ToService(str(client.base_url), key="", collection="copied")
    assert deliver([first, second]).notes == ()
    held_back = msgspec.structs.replace(first, status="withheld", notes=("its table was left out",))
    parser, copies = deliver([second, held_back]).notes
    assert parser == "one: note: its table was left out"
    assert copies.startswith("one: note: the same text is held as copied!two, too")


def test_a_running_service_takes_articles_back_for_the_command_line(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = "https://daily.example/taken-back"
    taken = [RawArticle(text=f"{TEXT} It was said on a pier.", url=url), RawArticle(text=f"{TEXT} By Ann.", id="ann")]
    assert ToService(str(client.base_url), key="", collection="back")(taken).outcomes == {"added": 2}
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("QA_SERVICE_URL", str(client.base_url))
    monkeypatch.setenv("QA_COLLECTION", "back")

    def withdraw(*arguments: str) -> Result:
        return CliRunner().invoke(program, ["articles", "withdraw", *arguments], prog_name="qa")

    told = withdraw("back!ann", url, "--status", "canceled")
    assert (told.exit_code, told.stdout) == (0, f"{client.base_url}: 2 updated\n")
    states = {one["id"]: one["status"] for one in listed(client) if one["collection"] == "back"}
    assert (states["back!ann"], set(states.values())) == ("canceled", {"canceled"})
    other = withdraw("ann", "nobody", "--status", "usable")
    assert (other.exit_code, other.stdout) == (1, f"{client.base_url}: 1 updated, 1 rejected\n")
    assert "names back!nobody" in other.stderr
    assert not (tmp_path / "none").exists()
    monkeypatch.delenv("QA_COLLECTION")
    assert withdraw("ann", "--status", "withheld").exit_code == 0, "as it finds it without a service"
    states = {one["id"]: one["status"] for one in listed(client) if one["collection"] == "back"}
    assert "withheld" in states.values(), states


def ingested(*arguments: str | Path) -> Result:
    return CliRunner().invoke(program, ["ingest", *map(str, arguments)], prog_name="qa")


def test_the_command_line_has_a_running_service_store_what_files_hold(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The report is that of one's own ingest: what became of each, where and why one was rejected, the exit code."""
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "page.md").write_text(f"# A page\n\n{TEXT} It is a page.\n")
    (folder / "wire.jsonl").write_text(
        "".join(f'{{"id": "wire-{n}", "text": "{TEXT} Report {n}."}}\n' for n in range(70))
        + '{"id": "held", "text": "Held.", "embargoed_until": "2999-01-01"}\n{"text": 3}\n'
    )
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("QA_SERVICE_URL", str(client.base_url))
    told = ingested(folder, "--collection", "wires", "--json")
    report = msgspec.json.decode(told.stdout)
    assert (told.exit_code, report["stopped"], len(report["articles"])) == (1, False, 71)
    assert {one["outcome"] for one in report["articles"]} == {"added"}
    assert report["passages_encoded"] >= 71
    assert {one["origin"].rpartition("/")[2] for one in report["rejected"]} == {"wire.jsonl:71", "wire.jsonl:72"}
    assert "2999-01-01" in next(one["reason"] for one in report["rejected"] if one["origin"].endswith(":71"))
    held = client.get("/api/articles", params={"collection": "wires", "limit": 200}).json()["articles"]
    assert len(held) == 71
    again = ingested(folder, "--collection", "wires")
    assert again.stdout.splitlines()[:2] == ["unchanged       71", "rejected         2"]
    assert f"{folder}/wire.jsonl:72: " in again.stderr
    assert not (tmp_path / "none").exists()


def test_an_ingest_that_the_service_cannot_take_says_what_to_do(
    serve: Callable[..., AbstractContextManager[httpx.Client]],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One article too large is rejected, and the others are stored; without a key, or a service, nothing is."""
    small, large = tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_text(TEXT)
    large.write_text(f"{TEXT} " * 400)
    with serve(msgspec.structs.replace(settings, api_keys=f"press:{KEY}", max_body_bytes=20_000)) as client:
        monkeypatch.setenv("QA_SERVICE_URL", str(client.base_url))
        refused = ingested(small)
        assert (refused.exit_code, "status 401" in refused.stderr) == (1, True), refused.stderr
        assert "QA_SERVICE_KEY" in refused.stderr
        monkeypatch.setenv("QA_SERVICE_KEY", KEY)
        told = ingested(large, small)
        assert told.exit_code == 1, told.stderr
        assert [line.split() for line in told.stdout.splitlines()[:2]] == [["added", "1"], ["rejected", "1"]]
        assert "large.txt:1: the body has more than" in told.stderr
    gone = ingested(small)
    assert gone.exit_code == 1
    assert "does not answer" in gone.stderr


def test_what_cannot_be_used_is_told_and_what_cannot_be_sent_is_kept(
    serve: Callable[..., AbstractContextManager[httpx.Client]], settings: Settings
) -> None:
    with serve(msgspec.structs.replace(settings, api_keys=f"press:{KEY}")) as client:
        told = ToService(str(client.base_url), key=KEY, collection="default")([RawArticle(text=" ", origin="entry/1")])
        assert (told.brought, len(told.rejected)) == (False, 1)
        with pytest.raises(NotDelivered, match="status 401"):
            ToService(str(client.base_url), key="", collection="default")([RawArticle(text=TEXT, origin="entry/1")])
        address = str(client.base_url)
    with pytest.raises(NotDelivered, match="does not answer"):
        ToService(address, key=KEY, collection="default")([RawArticle(text=TEXT, origin="entry/1")])
    with pytest.raises(SourceError, match="QA_SERVICE_URL"):
        ToService("127.0.0.1:8000", key="", collection="default")


def test_how_fresh_the_sources_are_is_told_to_whoever_operates(
    serve: Callable[..., AbstractContextManager[httpx.Client]], settings: Settings
) -> None:
    with serve(settings) as client:
        assert "sources" not in client.get("/health/ready").json()
        with closing(Ledger.open(settings.data_dir)) as ledger:
            ledger.heard("https://daily.example/feed", kind="feed", at=1_000.0, brought=True)
            ledger.heard("https://daily.example/feed", kind="feed", at=2_000.0, brought=False)
            ledger.heard("/news", kind="folder", at=3_000.0, brought=False)
        assert client.get("/health/ready").json()["sources"] == [
            {"name": "/news", "kind": "folder", "asked_at": "1970-01-01T00:50:00Z", "brought_at": None},
            {
                "name": "https://daily.example/feed",
                "kind": "feed",
                "asked_at": "1970-01-01T00:33:20Z",
                "brought_at": "1970-01-01T00:16:40Z",
            },
        ]
        found = client.get("/metrics").text
        assert 'sourceline_source_brought_timestamp_seconds{source="https://daily.example/feed"} 1000.0' in found
        assert 'sourceline_source_asked_timestamp_seconds{source="/news"} 3000.0' in found
        assert 'brought_timestamp_seconds{source="/news"}' not in found
