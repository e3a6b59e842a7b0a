from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from click.testing import CliRunner, Result

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import BUNDLED_MODEL, LIBRARY_NAME, HashingEncoder
from embeddings.ingest import IngestProgress, IngestReport
from embeddings.types import Where
from qa.cli import program, terminal
from qa.cli.terminal import expected, ingest_shown, lines
from qa.server.wire import ArticlePage
from qa.types import Answer

pytestmark = pytest.mark.slow

FERRY = "The ferry Almeric left the harbour at noon on Friday. It carried 214 people to Skerra."
BRIDGE = "The bridge over the Osprey closes in July. Work on it will take sixteen months."


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("QA_ENCODER", "hashing")
    monkeypatch.setenv("QA_READER", "words")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two good articles, and one line that is none."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "bridge.txt").write_text(f"Bridge to close\n\n{BRIDGE}\n", encoding="utf-8")
    ferry = {
        "id": "ferry-1",
        "title": "Ferry leaves",
        "text": FERRY,
        "source": "The Harbour",
        "published_at": "2024-06-07",
    }
    (folder / "wire.jsonl").write_text(f"{json.dumps(ferry)}\nnot json\n", encoding="utf-8")
    return folder


def qa(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(program, [str(argument) for argument in arguments], prog_name="qa", input=typed)


def page(*arguments: object) -> ArticlePage:
    return msgspec.json.decode(qa("articles", "list", "--json", *arguments).stdout, type=ArticlePage)


class TestIngest:
    def test_the_good_is_stored_and_the_bad_listed(self, files: Path) -> None:
        first = qa("ingest", files)
        assert first.exit_code == 1
        assert first.stdout.splitlines()[:2] == ["added            2", "rejected         1"]
        assert first.stderr.startswith(f"{files}/wire.jsonl:2: ")
        assert len(page().articles) == 2
        again = qa("ingest", files)
        assert "unchanged        2" in again.stdout
        assert "0 passages encoded" in again.stdout

    def test_all_good_is_exit_0_and_the_report_can_be_json(self, files: Path) -> None:
        result = qa("ingest", files / "bridge.txt", "--json", "--collection", "roads")
        report = msgspec.json.decode(result.stdout, type=IngestReport)
        assert result.exit_code == 0
        assert [article.title for article in report.articles] == ["Bridge to close"]
        assert page("--collection", "roads").articles[0].id == report.articles[0].id

    def test_what_takes_the_place_of_another_by_its_words_is_noted(self, tmp_path: Path) -> None:
        for name, carried in (("a", "1,200"), ("b", "2,100")):
            head = "---\ntitle: Ferry\ndate: 2024-06-04\n---\n"
            (tmp_path / f"{name}.md").write_text(
                f"{head}The ferry of Orrin carried {carried} people in May, and none at all in the month before that.",
                encoding="utf-8",
            )
            result = qa("ingest", tmp_path / f"{name}.md")
        assert "note: it replaces 'Ferry'" in result.stderr

    def test_what_was_left_out_is_noted_once_for_all_alike(self, tmp_path: Path) -> None:
        lines = [{"text": f"{FERRY} {number}", "published_at": "06/04/2024"} for number in range(3)]
        (tmp_path / "wire.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        result = qa("ingest", tmp_path / "wire.jsonl")
        assert result.exit_code == 0
        (line,) = (line for line in result.stderr.splitlines() if "note:" in line)
        assert line.startswith(f"{tmp_path}/wire.jsonl:1 (and 2 more): note: the date '06/04/2024' may be two days")
        report = msgspec.json.decode(qa("ingest", tmp_path / "wire.jsonl", "--json").stdout, type=IngestReport)
        assert all("06/04/2024" in article.notes[0] for article in report.articles)

    @pytest.mark.parametrize("arguments", [[], ["--collection"], ["/no/such/file"], ["."], ["--nonsense", "x"]])
    def test_wrong_use_is_exit_2(self, arguments: list[str]) -> None:
        result = qa("ingest", *arguments)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr

    def test_a_file_name_cannot_control_the_terminal(self, tmp_path: Path) -> None:
        (tmp_path / "bad\x1b[31m\x07.jsonl").write_text("{", encoding="utf-8")
        result = qa("ingest", tmp_path)
        assert result.exit_code == 1
        assert "bad.jsonl:1" in result.stderr
        result = qa("ingest", "no\x07such.txt")
        assert "nosuch.txt: no such file" in result.stderr

    def test_a_store_in_use_is_one_clear_line(self, files: Path, tmp_path: Path) -> None:
        corpus = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity)
        result = qa("ingest", files)
        corpus.close()
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("qa: ")
        assert "is writing to the store" in result.stderr

    @pytest.mark.parametrize(("name", "records"), [("a.txt", 1), ("b.jsonl", 3), ("c.jsonl.gz", 1)])
    def test_expected_records(self, tmp_path: Path, name: str, records: int) -> None:
        (tmp_path / name).write_bytes(b"{}\n{}\n{}")  # the last one is no gzip at all
        assert expected(tmp_path / name) == records

    def test_a_long_file_is_not_counted_to_its_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(terminal, "_LOOKED_AT", 1_000_000)
        lines = b"".join(b'{"text": "%064x"}\n' % hash(str(number)).__abs__() for number in range(50_000))
        (tmp_path / "a.jsonl").write_bytes(lines)
        (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines))
        (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(bytes(50_000_000)))
        assert expected(tmp_path / "a.jsonl") == pytest.approx(50_000, rel=0.1)
        assert expected(tmp_path / "b.jsonl.gz") == pytest.approx(50_000, rel=0.2)
        assert expected(tmp_path / "bomb.jsonl.gz") == 1

    def test_an_answer_out_of_a_pdf_names_its_page(self, made_documents: Any, tmp_path: Path) -> None:
        pages = [made_documents.column(50, 700, [text]) for text in (BRIDGE, FERRY)]
        (tmp_path / "town.pdf").write_bytes(made_documents.pdf(pages))
        assert qa("ingest", tmp_path / "town.pdf").exit_code == 0
        answer = msgspec.json.decode(qa("ask", "How many people did the ferry carry?", "--json").stdout, type=Answer)
        assert "It carried 214 people to Skerra." in {one.cited_text for one in answer.citations}
        assert {one.page for one in answer.citations} == {2}
        assert "p. 2" in qa("ask", "How many people did the ferry carry?").stdout

    def test_links_out_of_a_folder_are_followed_only_if_asked(self, files: Path, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text(f"Bridge opens\n\n{BRIDGE[::-1]}\n", encoding="utf-8")
        (files / "wire.jsonl").unlink()
        (files / "passwords.txt").symlink_to(tmp_path / "secret.txt")
        os.mkfifo(files / "pipe.jsonl")
        result = qa("ingest", files)
        assert (result.exit_code, result.stdout.splitlines()[:2]) == (1, ["added            1", "rejected         2"])
        assert "passwords.txt:1: it is a link that leads out of the folder; `--follow-links`" in result.stderr
        assert "pipe.jsonl:1: it is no regular file but a pipe" in result.stderr
        assert "added            1" in qa("ingest", files, "--follow-links").stdout


class TestInterruption:
    @pytest.fixture
    def many(self, tmp_path: Path) -> Path:
        file = tmp_path / "many.jsonl"
        sentences = [f"Ferry {k} left the harbour at noon with a crew of {k}." for k in range(60)]
        articles = ({"url": f"https://news.example/{n}", "text": f"{' '.join(sentences)} {n}."} for n in range(1500))
        file.write_text("\n".join(map(json.dumps, articles)), encoding="utf-8")
        return file

    def test_ctrl_c_writes_what_is_encoded_and_says_how_to_go_on(self, many: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "qa", "ingest", str(many)]
        running = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.wait_for_articles(tmp_path / "data")
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=240)
        assert running.returncode == 130, stderr
        assert "Stopping after this batch" in stderr
        assert "Run the same command again to go on" in stderr
        assert "Traceback" not in stderr
        added = int(stdout.split()[1].replace(",", ""))
        assert 0 < added < 1500
        assert self.stored(tmp_path / "data") == added

    def wait_for_articles(self, folder: Path) -> None:
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            if (folder / "store.db").exists() and self.stored(folder):
                return
            time.sleep(0.05)
        raise AssertionError("nothing was stored")

    def stored(self, folder: Path) -> int:
        try:
            corpus = EmbeddedCorpus.open(folder, identity=HashingEncoder.identity, read_only=True)
        except Exception:  # noqa: BLE001 - the file was made a moment ago and has no tables yet
            return 0
        count = corpus.count(Where()).articles
        corpus.close()
        return count


class TestProgress:
    def test_lines_come_every_few_seconds(self) -> None:
        now, written = 0.0, list[str]()
        step = lines(total=1000, write=written.append, clock=lambda: now)
        for second in range(1, 12):
            now = float(second)
            step(IngestProgress(items=second * 10, passages=second * 20, read=second * 10 + 5, waiting=10))
        assert written == [
            "50 of 1,000 articles stored, 5 under way, 100 passages, 20.0 passages/s, about 2 min left",
            "100 of 1,000 articles stored, 5 under way, 200 passages, 20.0 passages/s, about 2 min left",
        ]

    def test_a_slow_start_and_what_is_there_already_make_no_estimate_wrong(self) -> None:
        """A hundred articles are there already, loading takes a minute; then 4 passages a second, 8 an article."""
        now, written = 0.0, list[str]()
        step = lines(total=1100, write=written.append, clock=lambda: now)
        step(IngestProgress(items=100, passages=0, read=100))
        for _ in range(6):
            now += 10
            step(IngestProgress(items=100, passages=0, read=132, waiting=256))
        assert [line for line in written if "left" in line] == []
        assert written[0] == "100 of 1,100 articles stored, 32 under way, 0 passages"
        for encoded in range(64, 4096, 64):
            now += 16
            step(IngestProgress(items=100 + encoded // 8, passages=encoded, read=132 + encoded // 8, waiting=256))
        with_hours = [line for line in written if line.endswith(" h left")]
        assert with_hours == [], "8,000 passages at 4 a second are 33 minutes"
        told = [int(line.split("about ")[1].split()[0]) for line in written if "min left" in line]
        assert told[0] == pytest.approx(33, abs=2)
        assert told == sorted(told, reverse=True)
        assert "4.0 passages/s" in written[-1]

    def test_a_terminal_gets_a_bar(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setattr(terminal, "_LEAST_SECONDS", 1e-9)
        with ingest_shown(total=4) as step:
            for items in range(1, 6):
                step(IngestProgress(items=items, passages=items * 3))
        printed = capsys.readouterr().err
        assert "passages/s" in printed
        assert "5/5" in printed


class TestArticles:
    @pytest.fixture(autouse=True)
    def stored(self, files: Path) -> None:
        qa("ingest", files)

    def test_list_pages_through_all(self) -> None:
        first = page("--limit", 1)
        rest = page("--limit", 1, "--after", first.next)
        assert first.next == first.articles[0].id
        assert rest.next is None
        assert {one.title for one in (*first.articles, *rest.articles)} == {"Bridge to close", "Ferry leaves"}

    def test_list_filters(self) -> None:
        assert [one.id for one in page("--source", "The Harbour").articles] == ["ferry-1"]
        assert page("--source", "Nobody").articles == ()

    def test_list_for_reading_is_a_line_each(self) -> None:
        assert "ferry-1\t2024-06-07\tThe Harbour\tFerry leaves\n" in qa("articles", "list").stdout

    def test_show(self) -> None:
        result = qa("articles", "show", "ferry-1")
        assert result.stdout.startswith("Ferry leaves\n")
        assert result.stdout.endswith(f"\n\n{FERRY}\n")
        assert json.loads(qa("articles", "show", "ferry-1", "--json").stdout)["text"] == FERRY

    def test_show_an_earlier_version(self, tmp_path: Path) -> None:
        version = json.loads(qa("articles", "show", "ferry-1", "--json").stdout)["version"]
        (tmp_path / "new.jsonl").write_text(json.dumps({"id": "ferry-1", "text": "Another text altogether."}))
        assert "updated" in qa("ingest", tmp_path / "new.jsonl").stdout
        now = qa("articles", "show", "ferry-1").stdout
        assert FERRY not in now
        assert "corrected" not in now
        older = qa("articles", "show", "ferry-1", "--version", version).stdout
        assert FERRY in older
        assert "\ncorrected   since; the current version is " in older
        told = json.loads(qa("articles", "show", "ferry-1", "--version", version, "--json").stdout)
        assert told["version"] == version != told["current_version"]

    @pytest.mark.parametrize("command", [["show"], ["show", "--version", "v"], ["delete", "--yes"], ["withdraw"]])
    def test_what_is_not_there_is_exit_1(self, command: list[str]) -> None:
        result = qa("articles", *command, "nobody")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "no article 'nobody'" in result.stderr

    def test_delete_asks(self) -> None:
        refused = qa("articles", "delete", "ferry-1", typed="n\n")
        assert refused.exit_code == 1
        assert "Ferry leaves" in refused.stdout
        assert len(page().articles) == 2
        assert qa("articles", "delete", "ferry-1", typed="y\n").exit_code == 0
        assert [one.title for one in page().articles] == ["Bridge to close"]

    def test_delete_is_all_or_nothing(self) -> None:
        result = qa("articles", "delete", "ferry-1", "nobody", "--yes")
        assert (result.exit_code, "nothing was deleted" in result.stderr) == (1, True)
        assert len(page().articles) == 2

    def test_withdraw_takes_back_by_id_and_link_and_brings_back(self) -> None:
        qa("ingest", self.copy())
        told = qa("articles", "withdraw", "ferry-1")
        assert (told.exit_code, told.stdout) == (0, "ferry-1\tupdated\tFerry leaves\n")
        assert "the same text is held as wire!ferry-2, too" in told.stderr
        assert {one.id: one.status for one in page().articles}["wire!ferry-2"] == "usable"
        both = "wire!ferry-2\tupdated\tFerry\nferry-1\t{}\tFerry leaves\n"
        again = qa("articles", "withdraw", "https://wire.example/ferry", "--collection", "wire", "--copies")
        assert sorted(again.stdout.splitlines()) == sorted(both.format("unchanged").splitlines())
        assert [one.title for one in page("--status", "usable").articles] == ["Bridge to close"]
        back = qa("articles", "withdraw", "ferry-2", "--status", "usable", "--copies")
        assert sorted(back.stdout.splitlines()) == sorted(both.format("updated").splitlines())
        assert len(page("--status", "usable").articles) == 3

    def test_withdraw_tells_of_what_is_not_held(self) -> None:
        result = qa("articles", "withdraw", "https://wire.example/nothing", "ferry-1", "--status", "canceled")
        assert (result.exit_code, result.stdout) == (1, "ferry-1\tupdated\tFerry leaves\n")
        assert "of an article that is not held" in result.stderr

    def copy(self) -> Path:
        """The ferry once more, in another collection and with a link."""
        file = Path(os.environ["QA_DATA_DIR"]).with_name("copy.jsonl")
        record = {"id": "ferry-2", "collection": "wire", "url": "https://wire.example/ferry", "title": "Ferry"}
        file.write_text(json.dumps({**record, "text": FERRY}), encoding="utf-8")
        return file

    def test_a_damaged_article_can_be_deleted(self, tmp_path: Path) -> None:
        alter(tmp_path)
        assert qa("articles", "show", "ferry-1").exit_code == 1
        assert qa("articles", "delete", "ferry-1", "--yes").stdout == "deleted 1\n"


def alter(tmp_path: Path) -> None:
    """Change the stored words of the ferry article behind the program's back."""
    db = apsw.Connection(str(tmp_path / "data" / "store.db"))
    db.execute("UPDATE versions SET document = replace(document, 'Almeric', 'Elmiric')")
    assert db.changes() > 0
    db.close()


class TestIndex:
    @pytest.fixture(autouse=True)
    def stored(self, files: Path) -> None:
        qa("ingest", files)

    def test_verify_finds_nothing_and_then_damage(self, tmp_path: Path) -> None:
        sound = qa("index", "verify")
        assert (sound.exit_code, sound.stdout) == (0, "Everything is as it was stored.\n")
        alter(tmp_path)
        damaged = qa("index", "verify")
        assert damaged.exit_code == 1
        assert "What to do: " in damaged.stdout
        assert len(json.loads(qa("index", "verify", "--json").stdout)) >= 1

    def test_stats(self) -> None:
        assert "articles      2 (2 versions)" in qa("index", "stats").stdout
        assert json.loads(qa("index", "stats", "--json").stdout)["articles"] == 2

    def test_verify_says_that_the_index_may_be_behind(self, tmp_path: Path) -> None:
        for file in (tmp_path / "data" / "index").rglob("*"):
            if file.is_file():
                file.unlink()
        behind = qa("index", "verify")
        assert (behind.exit_code, "index_outdated" in behind.stdout) == (0, True)
        assert behind.stdout.endswith("that holds what is newer in memory.\n")

    def test_rebuild_mends_a_damaged_index(self, tmp_path: Path) -> None:
        for file in (tmp_path / "data" / "index").rglob("*"):
            if file.is_file():
                file.write_bytes(b"\0" * file.stat().st_size)
        assert qa("index", "verify").exit_code == 1
        assert qa("index", "rebuild").exit_code == 0
        assert qa("index", "verify").exit_code == 0

    def test_rebuild_encodes_for_another_encoder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        other = msgspec.structs.replace(HashingEncoder.identity, revision="2")
        monkeypatch.setattr(HashingEncoder, "identity", other)
        refused = qa("ask", "How many people were on the ferry?")
        assert refused.exit_code == 1
        assert "qa index rebuild" in refused.stderr
        rebuilt = qa("index", "rebuild")
        assert (rebuilt.exit_code, rebuilt.stderr.count("encoding ")) == (0, 2)
        assert qa("ask", "How many people were on the ferry?").exit_code == 0

    @pytest.mark.parametrize("way", ["rebuild", "library"])
    def test_a_store_of_the_former_default_has_two_ways_on(
        self, files: Path, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        former = msgspec.structs.replace(HashingEncoder.identity, name=BUNDLED_MODEL, revision="3")
        monkeypatch.setattr(HashingEncoder, "identity", former)
        qa("ingest", files)
        qa("index", "rebuild")
        monkeypatch.setattr(HashingEncoder, "identity", msgspec.structs.replace(former, runtime="onnxruntime int8 4"))
        refused = qa("ask", "How many people were on the ferry?")
        assert refused.exit_code == 1
        assert "qa index rebuild" in refused.stderr
        assert f"QA_ENCODER={LIBRARY_NAME}" in refused.stderr
        assert "onnxruntime int8 4" in refused.stderr
        if way == "rebuild":
            assert qa("index", "rebuild").exit_code == 0
        else:
            monkeypatch.setattr(HashingEncoder, "identity", former)
        assert qa("ask", "How many people were on the ferry?").exit_code == 0


class TestAsk:
    @pytest.fixture(autouse=True)
    def stored(self, files: Path) -> None:
        qa("ingest", files)

    def test_json_is_the_answer(self) -> None:
        result = qa("ask", "How many people did the ferry carry to Skerra?", "--json")
        answer = msgspec.json.decode(result.stdout, type=Answer)
        assert result.exit_code == 0
        assert answer.question == "How many people did the ferry carry to Skerra?"
        for citation in answer.citations:
            text = json.loads(qa("articles", "show", citation.article_id, "--json").stdout)["text"]
            assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text

    @pytest.mark.parametrize(("mode", "written"), [("auto", True), ("generated", True), ("extractive", False)])
    def test_a_model_writes_where_one_is_wanted(
        self, faulty_model: Any, monkeypatch: pytest.MonkeyPatch, mode: str, written: bool
    ) -> None:
        faulty_model.compose = lambda _: "The ferry Almeric carried 214 people to Skerra [S1]. It sank [S1]."
        monkeypatch.setenv("QA_LLM_BASE_URL", faulty_model.address())
        monkeypatch.setenv("QA_LLM_MODEL", "good")
        result = qa("ask", "How many people did the ferry carry to Skerra?", "--json", "--mode", mode)
        answer = msgspec.json.decode(result.stdout, type=Answer)
        assert (answer.answer_mode == "generated", bool(faulty_model.asked)) == (written, written)
        if written:
            assert answer.answer == "The ferry Almeric carried 214 people to Skerra."
        assert faulty_model.wait_closed()

    def test_filters_reach_the_search(self) -> None:
        narrowed = qa("ask", "What about the bridge?", "--json", "--source", "The Harbour", "--after", "2024-06-01")
        answer = msgspec.json.decode(narrowed.stdout, type=Answer)
        assert {result.article_id for result in answer.search_results} <= {"ferry-1"}
        none = qa("ask", "What about the bridge?", "--json", "--collection", "nothing-here")
        assert msgspec.json.decode(none.stdout, type=Answer).abstain_reason == "empty_corpus"
        assert "in the collection 'nothing-here'" in qa("ask", "Who left?", "--collection", "nothing-here").stdout
        early = qa("ask", "Who left the harbour?", "--json", "--before", "2024-01-01")
        assert msgspec.json.decode(early.stdout, type=Answer).citations == ()

    @pytest.mark.parametrize(
        "arguments",
        [["x" * 3000], ["x", "--max-citations", "0"], ["x", "--as-of", "soon"], ["x", "--after", "june"], []],
    )
    def test_an_unusable_question_is_exit_2(self, arguments: list[str]) -> None:
        result = qa("ask", *arguments)
        assert result.exit_code == 2
        assert "Traceback" not in result.output


class TestErrors:
    def test_no_store_yet(self) -> None:
        assert page() == ArticlePage(articles=(), next=None)
        for command in (["ask", "Who?"], ["articles", "show", "a"], ["index", "stats"]):
            result = qa(*command)
            assert result.exit_code == 1
            assert "qa ingest PATH" in result.stderr

    def test_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QA_PROT", "1")
        warned = qa("articles", "list")
        assert (warned.exit_code, "nothing reads QA_PROT" in warned.stderr) == (0, True)
        monkeypatch.setenv("QA_PORT", "many")
        refused = qa("serve")
        assert (refused.exit_code, "QA_PORT is 'many'" in refused.stderr) == (2, True)
        monkeypatch.setenv("QA_PORT", "")
        monkeypatch.setenv("QA_ENCODER", "no-such-model")
        assert qa("articles", "show", "a").exit_code == 1

    def test_debug_shows_where(self) -> None:
        assert qa("articles", "show", "a").exception.__class__ is SystemExit
        assert "no store" in str(qa("--debug", "articles", "show", "a").exception)

    def test_a_closed_pipe_is_no_error_message(self, files: Path) -> None:
        qa("ingest", files)
        done = subprocess.run(
            f"{sys.executable} -m qa articles show ferry-1 | (exec <&-; sleep 4)",
            shell=True,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""


def test_serve_answers_until_it_is_told_to_stop(files: Path) -> None:
    qa("ingest", files)
    command = [sys.executable, "-m", "qa", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "is ready at http://127.0.0.1:" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=240) == 0


@pytest.fixture(autouse=True)
def default_interrupt() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before
