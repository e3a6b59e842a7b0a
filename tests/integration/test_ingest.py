from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from embeddings import indexing, parsers
from embeddings import ingest as ingest_step
from embeddings.chunking.passages import encoder_input, encoder_title
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.errors import InvalidArticle
from embeddings.ingest import IngestProgress, IngestReport, index_articles, ingest
from embeddings.types import (
    Article,
    CorpusCounts,
    IndexedArticle,
    RawArticle,
    Rejected,
    Vectors,
    Where,
)

TEXT = "The ferry left the harbour at noon. Nobody was on board but the crew.\n\nIt is due back on Friday evening."


def long_text(number: int, sentences: int = 60) -> str:
    return " ".join(f"Ferry {k} left the harbour at noon with a crew of {k + number}." for k in range(sentences))


class CountingEncoder(HashingEncoder):
    """The hashing encoder, telling what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return super().encode_passages(texts)

    @property
    def encoded(self) -> int:
        return sum(map(len, self.batches))


class Watched:
    """A corpus, telling what is written to it, and refusing a text as a stricter one would."""

    def __init__(self, corpus: EmbeddedCorpus, *, refuse: str = "\0") -> None:
        self._corpus = corpus
        self._refuse = refuse
        self.writes: list[list[str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._corpus, name)

    def replace(self, articles: Sequence[IndexedArticle]) -> None:
        self.writes.append([one.article.id for one in articles])
        if any(self._refuse in one.article.text for one in articles):
            raise InvalidArticle("number 2 is not wanted")
        self._corpus.replace(articles)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def corpus(tmp_path: Path, encoder: CountingEncoder) -> Iterator[EmbeddedCorpus]:
    opened = EmbeddedCorpus.open(tmp_path / "data", identity=encoder.identity)
    yield opened
    opened.close()


def raw(number: int, *, text: str = TEXT, **fields: str) -> RawArticle:
    given = {"title": f"Ferry {number}", "url": f"https://news.example/{number}", "origin": f"file:{number}", **fields}
    return RawArticle(text=f"{text}\n\nReport number {number}.", **given)


def outcomes(report: IngestReport) -> Counter[str]:
    return Counter(article.outcome for article in report.articles)


def counts(corpus: EmbeddedCorpus) -> CorpusCounts:
    return corpus.count(Where())


def test_what_is_ingested_can_be_found_and_cited(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    report = ingest([raw(1, published_at="4 June 2024", source="The Harbour")], corpus=corpus, encoder=encoder)
    (done,) = report.articles
    assert (done.outcome, done.title, done.origin) == ("added", "Ferry 1", "file:1")
    assert (report.rejected, report.passages_encoded, report.stopped) == ((), 1, False)
    article = corpus.get(done.id)
    assert article is not None
    assert (article.version, article.published_at, article.source) == (done.version, "2024-06-04", "The Harbour")
    hits = corpus.search(encoder.encode_query("ferry harbour noon"), "ferry harbour", k=3, where=Where())
    (passage,) = corpus.passages([hits.dense[0].key]).values()
    assert article.text[passage.passage.start : passage.passage.end] == passage.passage.text


def test_the_encoder_reads_the_title_but_no_span_holds_it(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    ingest([raw(1)], corpus=corpus, encoder=encoder)
    ((read,),) = encoder.batches
    title = encoder_title("Ferry 1", max_tokens=256, count=encoder.count_tokens)
    (article,) = corpus.scan(where=Where(), after=None, limit=9)
    assert read == encoder_input(title, article.text)
    assert "Ferry 1" not in article.text


def test_the_same_again_costs_no_encoding(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    items = [raw(number) for number in range(150)]
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"added": 150}
    before = encoder.encoded
    again = ingest(items, corpus=corpus, encoder=encoder)
    assert outcomes(again) == {"unchanged": 150}
    assert (encoder.encoded, again.passages_encoded) == (before, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"text": f"{TEXT} Another last line."},
        {"title": "A new title"},
        {"source": "Elsewhere"},
        {"published_at": "2024-07-01"},
    ],
)
def test_any_change_is_an_update_in_place(
    corpus: EmbeddedCorpus, encoder: CountingEncoder, change: dict[str, str]
) -> None:
    ingest([raw(1), raw(2)], corpus=corpus, encoder=encoder)
    report = ingest([raw(1, **change), raw(2)], corpus=corpus, encoder=encoder)
    assert outcomes(report) == {"updated": 1, "unchanged": 1}
    assert counts(corpus).articles == 2
    assert outcomes(ingest([raw(1, **change)], corpus=corpus, encoder=encoder)) == {"unchanged": 1}


def test_another_encoder_encodes_again(tmp_path: Path) -> None:
    class Other(CountingEncoder):
        identity = CountingEncoder.identity.__class__(
            name="other", revision="1", dimension=256, max_tokens=256, normalised=True
        )

    for encoder, expected in [(CountingEncoder(), "added"), (Other(), "updated"), (Other(), "unchanged")]:
        corpus = EmbeddedCorpus.open(tmp_path, identity=encoder.identity)
        assert outcomes(ingest([raw(1), raw(2)], corpus=corpus, encoder=encoder)) == {expected: 2}
        corpus.close()


def test_bad_articles_are_reported_and_the_others_stored(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    items = [
        raw(1),
        Rejected(origin="file:2", reason="not JSON"),
        RawArticle(text="  ", origin="file:3"),
        RawArticle(text="Fine.", id="not/an id", origin="file:4"),
        raw(5),
    ]
    report = ingest(items, corpus=corpus, encoder=encoder)
    assert items[1] in report.rejected
    assert [one.origin for one in report.rejected] == ["file:2", "file:3", "file:4"]
    assert [one.origin for one in report.articles] == ["file:1", "file:5"]


def test_what_the_corpus_refuses_is_rejected_alone(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    picky = Watched(corpus, refuse="number 2.")
    report = ingest([raw(1), raw(2), raw(3)], corpus=picky, encoder=encoder)  # type: ignore[arg-type]
    assert [(one.origin, one.reason) for one in report.rejected] == [("file:2", "number 2 is not wanted")]
    assert counts(corpus).articles == len(report.articles) == 2


def test_the_same_id_twice_in_one_run_ends_with_the_later(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    items = [raw(1, text="First words.", id="a"), raw(2), raw(1, text="Last words.", id="a"), raw(2)]
    watched = Watched(corpus)
    report = ingest(items, corpus=watched, encoder=encoder)  # type: ignore[arg-type]
    assert sorted(one.outcome for one in report.articles) == ["added", "added", "unchanged", "updated"]
    assert [sorted(write) for write in watched.writes] == [sorted(["a", report.articles[1].id]), ["a"]]
    article = corpus.get("a")
    assert article is not None
    assert article.text.startswith("Last words.")
    assert counts(corpus).articles == 2


def test_what_waits_to_be_encoded_is_known_too(
    corpus: EmbeddedCorpus, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_step, "_WINDOW_ARTICLES", 1)
    report = ingest([raw(1), raw(1), raw(2), raw(1, text=f"{raw(1).text} It is new.")], corpus=corpus, encoder=encoder)
    assert Counter(one.outcome for one in report.articles) == {"added": 2, "unchanged": 1, "updated": 1}
    assert encoder.encoded == 3


def anonymous(name: str, *, text: str = TEXT, collection: str | None = None) -> RawArticle:
    return RawArticle(text=text, title="Ferry", origin=f"{name}:1", collection=collection)


def test_the_same_text_without_id_or_link_is_stored_once(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    report = ingest([anonymous("a.txt"), anonymous("b.txt")], corpus=corpus, encoder=encoder)
    later = ingest([anonymous("c.txt")], corpus=corpus, encoder=encoder)
    assert [one.outcome for one in report.articles] == ["duplicate", "added"]
    assert [one.outcome for one in later.articles] == ["duplicate"]
    assert len({one.id for one in (*report.articles, *later.articles)}) == 1
    assert counts(corpus).articles == 1
    assert corpus.get(later.articles[0].id) is not None


def test_a_copy_is_stored_where_something_tells_it_apart(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    linked = RawArticle(text=TEXT, title="Ferry", url="https://news.example/x", origin="d:1")
    items = [anonymous("a.txt"), anonymous("a.txt", collection="other"), linked, anonymous("a.txt", text="More words.")]
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"added": 4}
    assert outcomes(ingest([anonymous("z.txt", collection="third")], corpus=corpus, encoder=encoder)) == {"added": 1}


def test_articles_of_one_file_that_share_a_title_are_all_kept(
    corpus: EmbeddedCorpus, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_step, "_WINDOW_ARTICLES", 3)
    items = [RawArticle(text=f"{n} ferries sank.", title="Briefing", origin=f"f.jsonl:{n}") for n in range(10)]
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"added": 10}
    assert counts(corpus).articles == 10
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"unchanged": 10}
    assert encoder.encoded == 10
    # A line that is corrected still supersedes itself; another figure in it may be another day's.
    edited = msgspec.structs.replace(items[0], text="0 ferries sank. Nobody was hurt.")
    assert outcomes(ingest([edited], corpus=corpus, encoder=encoder)) == {"updated": 1}
    another = msgspec.structs.replace(items[1], text="99 ferries sank.")
    assert outcomes(ingest([another], corpus=corpus, encoder=encoder)) == {"added": 1}
    assert counts(corpus).articles == 11


def test_batches_hold_passages_of_many_articles(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    seen: list[IngestProgress] = []
    items = [raw(number, text=long_text(number)) for number in range(12)]
    report = ingest(items, corpus=corpus, encoder=encoder, batch_passages=16, progress=seen.append)
    sizes = [len(batch) for batch in encoder.batches]
    assert max(sizes) == 16
    assert len(sizes) <= sum(sizes) / 16 * 2
    assert report.passages_encoded == encoder.encoded == counts(corpus).passages >= 48
    assert seen[-1] == IngestProgress(items=12, passages=report.passages_encoded, read=12, waiting=0)
    assert all(one.read >= one.items and 0 <= one.waiting <= 48 for one in seen)
    assert max(one.waiting for one in seen) > 0
    assert [one.passages for one in seen] == sorted(one.passages for one in seen)


def test_a_stop_leaves_whole_articles_and_the_next_run_goes_on(
    corpus: EmbeddedCorpus, encoder: CountingEncoder
) -> None:
    items = [raw(number, text=long_text(number)) for number in range(30)]
    report = ingest(
        items, corpus=corpus, encoder=encoder, batch_passages=16, should_stop=lambda: len(encoder.batches) >= 3
    )
    assert report.stopped
    assert 0 < len(report.articles) < 30
    assert counts(corpus).articles == len(report.articles)
    before = encoder.encoded
    rest = ingest(items, corpus=corpus, encoder=encoder, batch_passages=16)
    assert outcomes(rest) == {"unchanged": len(report.articles), "added": 30 - len(report.articles)}
    assert encoder.encoded - before == rest.passages_encoded <= counts(corpus).passages - before + 32


def test_a_stop_inside_an_article_leaves_nothing_of_it(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    report = ingest(
        [raw(1, text=long_text(1, 600))],
        corpus=corpus,
        encoder=encoder,
        batch_passages=8,
        should_stop=lambda: len(encoder.batches) >= 2,
    )
    assert (report.stopped, report.articles, report.passages_encoded) == (True, (), 16)
    assert counts(corpus).articles == 0


def test_long_articles_are_not_read_far_ahead(
    corpus: EmbeddedCorpus, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_step, "_WINDOW_CHARACTERS", 9_000)
    seen: list[int] = []
    items = (seen.append(number) or raw(number, text=long_text(number)) for number in range(40))  # type: ignore[func-returns-value]
    ingest(items, corpus=corpus, encoder=encoder, batch_passages=4, should_stop=lambda: bool(encoder.batches))
    assert len(seen) == 4


def test_items_are_read_as_they_are_needed(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    read = 0

    def endless() -> Iterator[RawArticle]:
        nonlocal read
        while True:
            read += 1
            yield raw(read)

    report = ingest(endless(), corpus=corpus, encoder=encoder, should_stop=lambda: encoder.encoded > 300)
    assert report.stopped
    assert read < 300 + 2 * 256 + 65


def test_what_cannot_be_stored_is_named(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    with pytest.raises(InvalidArticle, match="'b' was not stored"):
        index_articles([Article(id="b", version="wrong", title="", text=TEXT)], corpus=corpus, encoder=encoder)


def test_another_way_of_cutting_cuts_and_encodes_again(
    corpus: EmbeddedCorpus, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [raw(1, text=long_text(1))]
    ingest(items, corpus=corpus, encoder=encoder)
    before = counts(corpus).passages
    monkeypatch.setattr(indexing, "RECIPE", "another")
    monkeypatch.setattr(indexing, "split", partial(indexing.split, target_tokens=48))
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"updated": 1}
    assert counts(corpus).passages > 2 * before
    assert outcomes(ingest(items, corpus=corpus, encoder=encoder)) == {"unchanged": 1}


def test_vectors_are_the_ones_of_their_passages(corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    ingest(
        [raw(number, text=f"Word{number} " * 300) for number in range(9)],
        corpus=corpus,
        encoder=encoder,
        batch_passages=8,
    )
    for number in range(9):
        vector = encoder.encode_query(f"Ferry {number}\n" + f"Word{number} " * 150)
        hits = corpus.search(vector, f"word{number}", k=1, where=Where())
        (passage,) = corpus.passages([hits.dense[0].key]).values()
        assert f"Word{number}" in passage.passage.text


UNCHANGED = """
    import sys
    from pathlib import Path
    from embeddings import encoders, parsers
    from embeddings.embedded_corpus import EmbeddedCorpus
    from embeddings.ingest import ingest
    encoder = encoders.load("all-MiniLM-L6-v2")
    corpus = EmbeddedCorpus.open(Path(sys.argv[1]), identity=encoder.identity)
    report = ingest(parsers.read(Path(sys.argv[2])), corpus=corpus, encoder=encoder)
    corpus.close()
    print([one.outcome for one in report.articles], "onnxruntime" in sys.modules)
"""


@pytest.mark.slow
def test_an_unchanged_corpus_never_loads_the_network(tmp_path: Path) -> None:
    file = tmp_path / "article.txt"
    file.write_text(f"Ferry leaves\n\n{TEXT}\n", encoding="utf-8")
    command = [sys.executable, "-c", textwrap.dedent(UNCHANGED), str(tmp_path / "data"), str(file)]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert (first.strip(), second.strip()) == ("['added'] True", "['unchanged'] False")


KILLED = """
    import json, os, signal, sys
    from pathlib import Path
    from embeddings import parsers
    from embeddings.embedded_corpus import EmbeddedCorpus
    from embeddings.encoders import HashingEncoder
    from embeddings.ingest import ingest
    class Dying(HashingEncoder):
        left = int(sys.argv[3])
        def encode_passages(self, texts):
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            type(self).left -= 1
            return super().encode_passages(texts)
    encoder = Dying()
    corpus = EmbeddedCorpus.open(Path(sys.argv[1]), identity=encoder.identity)
    report = ingest(parsers.read(Path(sys.argv[2])), corpus=corpus, encoder=encoder, batch_passages=16)
    corpus.close()
    print(json.dumps([[one.outcome for one in report.articles], report.passages_encoded]))
"""


def test_kill_9_costs_one_batch_and_the_rerun_does_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "articles.jsonl"
    lines = [{"url": f"https://news.example/{n}", "title": f"Ferry {n}", "text": long_text(n)} for n in range(40)]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    def run(left: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "data"), str(file), str(left)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    killed = run(5)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = run(-1)
    done, encoded = json.loads(resumed.stdout)
    assert Counter(done).keys() == {"unchanged", "added"}
    corpus = EmbeddedCorpus.open(tmp_path / "data", identity=HashingEncoder.identity, read_only=True)
    held = counts(corpus)
    findings = corpus.verify()
    corpus.close()
    assert held.articles == 40
    assert findings == []
    # Five batches were encoded before the kill; what was lost of them is less than one batch and one article.
    assert 5 * 16 - (held.passages - encoded) <= 16 + held.passages // 40


def test_the_real_scraped_page_is_two_articles(shared: Path, corpus: EmbeddedCorpus, encoder: CountingEncoder) -> None:
    (page,) = sorted((shared / "seeds").glob("*.txt"))
    report = ingest(parsers.read(page), corpus=corpus, encoder=encoder)
    assert outcomes(report) == {"added": 2}
    assert report.rejected == ()
