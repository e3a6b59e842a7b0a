"""What is said of an article changes, what the encoder reads of it does not: nothing is encoded, over every store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from embeddings.corpus import Corpus
from embeddings.encoders import HashingEncoder
from embeddings.ingest import IngestReport, ingest
from embeddings.types import Article, Hits, RawArticle, Vectors, Where
from embeddings.usable_corpus import UsableCorpus

FLOOD = " ".join(f"The river Orva rose by {n} cm at Velda and {n + 30} houses were flooded." for n in range(60))
VOTE = " ".join(f"Councillor {n} voted on item {n} of the budget of Brenholt." for n in range(60))
EVERYTHING = Where()


class Counting(HashingEncoder):
    """The hashing encoder, telling what it was given."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.read += texts
        return super().encode_passages(texts)


@pytest.fixture
def encoder() -> Counting:
    return Counting()


@pytest.fixture
def corpus(open_corpus: Callable[..., Corpus], encoder: Counting) -> Corpus:
    return open_corpus(identity=encoder.identity)


def sent(corpus: Corpus, encoder: Counting, **said: Any) -> IngestReport:
    item = RawArticle(**{"id": "flood", "title": "The flood", "text": FLOOD, "source": "Wire"} | said)
    return ingest([item], corpus=corpus, encoder=encoder)


def found(corpus: Corpus, encoder: Counting, where: Where = EVERYTHING) -> Hits:
    return corpus.search(encoder.encode_query("flooded houses at Velda"), "flooded Velda budget", k=99, where=where)


def current(corpus: Corpus) -> Article:
    held = corpus.get("flood")
    assert held is not None
    return held


@pytest.mark.parametrize(
    "said",
    [
        {"status": "withheld"},
        {"status": "canceled"},
        {"embargoed_until": "2030-01-01T00:00:00Z"},
        {"usage_terms": "Not for resale."},
        {"section": "weather", "language": "en", "authors": ("Ann Lee",)},
        {"url": "https://wire.example/flood"},
        {"published_at": "2024-06-04"},
        {"source": "Paper"},
    ],
    ids="-".join,
)
def test_what_is_said_of_a_text_is_stored_without_encoding(
    corpus: Corpus, encoder: Counting, said: dict[str, Any]
) -> None:
    assert sent(corpus, encoder).passages_encoded == len(encoder.read) > 2
    ingest([RawArticle(id="vote", title="The vote", text=VOTE)], corpus=corpus, encoder=encoder)
    before, told, encoder.read = current(corpus), found(corpus, encoder), []
    report = sent(corpus, encoder, **said)
    assert [one.outcome for one in report.articles] == ["updated"]
    assert (encoder.read, report.passages_encoded) == ([], 0)
    now = current(corpus)
    assert {name: getattr(now, name) for name in said} == said
    assert now == msgspec.structs.replace(before, **said)
    after = found(corpus, encoder)
    assert [hit.score for hit in after.dense] == [hit.score for hit in told.dense]
    assert [hit.score for hit in after.lexical] == [hit.score for hit in told.lexical]
    if said.keys() <= {"status", "embargoed_until", "usage_terms", "section", "language", "authors", "url"}:
        assert after == told, "not even a passage has another key"
    assert [one.outcome for one in sent(corpus, encoder, **said).articles] == ["unchanged"]
    assert corpus.count(EVERYTHING).articles == 2


def test_withdrawn_and_restored_it_is_found_as_before(corpus: Corpus, encoder: Counting) -> None:
    shown = Where(usable_at="2026-01-01T00:00:00Z")
    sent(corpus, encoder)
    told, encoder.read = found(corpus, encoder), []
    assert [one.outcome for one in sent(corpus, encoder, status="withheld").articles] == ["updated"]
    assert found(corpus, encoder, shown) == Hits(dense=(), lexical=())
    assert [one.outcome for one in sent(corpus, encoder, status="usable").articles] == ["updated"]
    assert found(corpus, encoder, shown) == told
    assert encoder.read == []


def test_of_equally_good_passages_the_same_stay_first(corpus: Corpus, encoder: Counting) -> None:
    """A copy of a report that is withdrawn and restored stands where it stood."""
    ids = ("flood", "copy", "third")
    for name in ids:
        sent(corpus, encoder, id=name)
    told = found(corpus, encoder)
    for status in ("withheld", "usable"):
        sent(corpus, encoder, id="flood", status=status)
    assert found(corpus, encoder) == told


def test_a_correction_encodes_what_it_changes(corpus: Corpus, encoder: Counting) -> None:
    first = sent(corpus, encoder)
    every, encoder.read = len(encoder.read), []
    corrected = FLOOD.replace("rose by 59 cm", "rose by 95 cm")
    report = sent(corpus, encoder, text=corrected)
    assert 0 < report.passages_encoded == len(encoder.read) < every
    assert all("rose by 95 cm" in text for text in encoder.read)
    assert current(corpus).text == corrected
    assert corpus.get("flood", version=first.articles[0].version).text == FLOOD  # type: ignore[union-attr]
    held = corpus.encoded(["flood"])["flood"]
    assert held.article == current(corpus)
    wanted = encoder.encode_passages([f"The flood\n{one.passage.text}" for one in held.passages])
    assert [one.vector.tobytes() for one in held.passages] == [row.tobytes() for row in wanted]


def test_a_new_title_is_encoded_since_the_encoder_reads_it(corpus: Corpus, encoder: Counting) -> None:
    every = sent(corpus, encoder).passages_encoded
    assert sent(corpus, encoder, title="Velda under water").passages_encoded == every


def test_what_is_encoded_is_given_for_this_encoder_only(corpus: Corpus, open_corpus: Any, encoder: Counting) -> None:
    sent(corpus, encoder)
    assert corpus.encoded(["unknown"]) == {}
    corpus.close()
    identity = msgspec.structs.replace(encoder.identity, name="other")
    assert open_corpus(identity=identity).encoded(["flood"]) == {}


def test_an_article_withdrawn_after_the_search_is_not_read(corpus: Corpus, encoder: Counting) -> None:
    """Its passages keep their keys, so these say nothing of whether it may be shown."""
    sent(corpus, encoder)
    sent(corpus, encoder, id="vote", title="The vote", text=VOTE)
    keys = [hit.key for hit in found(corpus, encoder).dense]
    usable = UsableCorpus(corpus)
    assert {stored.passage.article_id for stored in usable.passages(keys).values()} == {"flood", "vote"}
    sent(corpus, encoder, status="withheld")
    assert {stored.passage.article_id for stored in usable.passages(keys).values()} == {"vote"}
    assert usable.passages([]) == {}
