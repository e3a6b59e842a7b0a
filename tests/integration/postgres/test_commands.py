"""The commands with QA_STORE set: ingest, ask, look after and copy a store on a server; no password is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click.testing
import pytest

from embeddings import indexing
from embeddings.encoders import HashingEncoder
from embeddings.opening import open_corpus
from embeddings.postgres import search
from embeddings.postgres.database import Connection
from embeddings.types import RawArticle
from qa.cli import program
from qa.conversations.database import Database
from qa.settings import Settings
from qa.sources.delivery import delivery_of

Run = Callable[..., click.testing.Result]
PASSWORD = "a-password-that-must-not-be-shown"


@pytest.fixture
def run(postgres_server: Any, schema: str, tmp_path: Path) -> Run:
    def invoke(*words: str, store: str | None = postgres_server.url(), code: int = 0) -> click.testing.Result:
        settings = {"QA_ENCODER": "hashing", "QA_READER": "words", "QA_DATA_DIR": str(tmp_path / "data")}
        if store:
            settings |= {"QA_STORE": store, "QA_STORE_SCHEMA": schema}
        done = click.testing.CliRunner().invoke(program, list(words), env=settings)
        assert done.exit_code == code, done.output
        assert PASSWORD not in done.output
        return done

    return invoke


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "dams.txt").write_text("Dams hold\n\nThe dams above Velda held, the mayor said on Monday.\n")
    (folder / "vote.txt").write_text("Vote taken\n\nParliament voted for the budget of 40 million crowns.\n")
    return folder


def test_a_store_on_a_server_is_used_like_a_folder(run: Run, files: Path, tmp_path: Path) -> None:
    assert json.loads(run("articles", "list", "--json").stdout) == {"articles": [], "next": None}
    assert "added            2" in run("ingest", str(files)).stdout
    assert "unchanged        2" in run("ingest", str(files)).stdout
    assert not (tmp_path / "data").exists()
    answer = json.loads(run("ask", "How many crowns is the budget?", "--json").stdout)
    assert "40 million" in answer["search_results"][0]["text"]
    assert "Everything is as it was stored." in run("index", "verify").stdout
    assert "PostgreSQL" in run("index", "rebuild").stdout
    article = json.loads(run("articles", "list", "--json").stdout)["articles"][0]["id"]
    run("articles", "delete", "--yes", article)
    assert len(json.loads(run("articles", "list", "--json").stdout)["articles"]) == 1
    assert "pg_dump" in run("backup", str(tmp_path / "backup"), code=2).stderr


def test_a_large_archive_is_indexed_once_all_of_it_is_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written in two pieces, of which the first is large already."""
    count = indexing.BATCH_PASSAGES + 20
    lines = [json.dumps({"id": f"a{number}", "text": f"Dam {number} of Velda held."}) for number in range(count)]
    (tmp_path / "archive.jsonl").write_text("\n".join(lines))
    monkeypatch.setattr(search, "EXACT_MOST", 100)
    build, built = search.build, []

    def counted(db: Connection, generation: int, *, dimension: int) -> bool:
        built.extend(db.execute("SELECT count(*) FROM passages").fetchall())
        return build(db, generation, dimension=dimension)

    monkeypatch.setattr(search, "build", counted)
    assert f"added          {count:>3}" in run("ingest", str(tmp_path / "archive.jsonl")).stdout
    assert built == [(count,)]
    assert "Everything is as it was stored." in run("index", "verify").stdout


def test_a_folder_is_copied_to_a_server_and_back(run: Run, files: Path, tmp_path: Path) -> None:
    run("ingest", str(files), store=None)
    with closing(Database.open(tmp_path / "data")) as serving, serving.writing() as db:
        db.execute("INSERT INTO feedback (answer_id, owner, given_at, entry) VALUES ('ans_1', 'ann', '2024', '{}')")
    told = run("store", "copy", "QA_DATA_DIR", "QA_STORE").stdout
    assert "0 answers of conversations, 1 verdicts, 0 reviews" in told
    assert "Both hold the same." in told
    back = run("store", "copy", "QA_STORE", str(tmp_path / "back"), "--json")
    assert json.loads(back.stdout)["copied"] == 2
    assert json.loads(back.stdout)["records"] == {"turns": 0, "feedback": 1, "reviews": 0, "different": 0}
    assert (
        json.loads(run("store", "copy", "QA_STORE", str(tmp_path / "back"), "--json", "--articles-only").stdout)[
            "records"
        ]
        is None
    )
    (tmp_path / "more.txt").write_text("More\n\nSomething else was said in the town of Velda.\n")
    run("ingest", str(tmp_path / "more.txt"))
    assert "are NOT the same" in run("store", "copy", "QA_DATA_DIR", "QA_STORE", code=1).stdout


def test_a_folder_is_backed_up_and_restored(run: Run, files: Path, tmp_path: Path) -> None:
    """With its feeds, which are copied first: what the copy says was read, it holds."""
    run("ingest", str(files), store=None)
    run("feeds", "add", "https://news.example/feed", store=None)
    backed_up = run("backup", str(tmp_path / "backup"), store=None).stdout
    assert [line.split()[2] for line in backed_up.splitlines()] == ["sources.db", "store.db"]
    assert "is there already" in run("restore", str(tmp_path / "backup"), store=None, code=1).stderr
    (tmp_path / "data").rename(tmp_path / "lost")
    assert "restored store.db" in run("restore", str(tmp_path / "backup"), store=None).stdout
    assert len(json.loads(run("articles", "list", "--json", store=None).stdout)["articles"]) == 2
    assert "https://news.example/feed" in run("feeds", "list", store=None).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["QA_STORE", "QA_STORE"], "the same store"),
        (["nowhere", "QA_STORE"], "no store in nowhere"),
    ],
)
def test_a_copy_that_makes_no_sense_is_refused(run: Run, words: list[str], told: str) -> None:
    code = 2 if "same" in told else 1
    assert told in run("store", "copy", *words, code=code).stderr


def test_workers_need_a_server(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set QA_STORE" in run("work", store=None, code=2).stderr
    monkeypatch.setenv("QA_WORKERS", "true")
    assert "QA_WORKERS needs QA_STORE" in run("articles", "list", store=None, code=2).stderr


def test_what_is_wrong_with_the_setting_is_told_without_it(run: Run) -> None:
    assert "must begin with postgresql://" in run("articles", "list", store=f"mysql://u:{PASSWORD}@h", code=2).stderr
    told = run("articles", "list", store=f"postgresql://u:{PASSWORD}@127.0.0.1:1/d", code=1).stderr
    assert "no connection to postgresql://u@127.0.0.1:1/d" in told


def test_feeds_and_folders_are_delivered_to_the_server(postgres_server: Any, schema: str, tmp_path: Path) -> None:
    """What `qa feeds` and `qa watch` read goes where the service looks, not into the folder."""
    settings = Settings(data_dir=tmp_path / "data", encoder="hashing", store=postgres_server.url(), store_schema=schema)
    delivered = delivery_of(settings)([RawArticle(id="kiln", text="The kiln at Osk employs 35 people.")])
    assert delivered.outcomes == {"added": 1}
    assert not (tmp_path / "data").exists()
    with closing(open_corpus(settings.place, identity=HashingEncoder.identity, read_only=True)) as corpus:
        assert corpus.get("kiln") is not None
