"""Answers over the sample articles and over the real scraped page, with the real encoder, corpus and reader."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import apsw
import msgspec
import pytest

import seeds
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.errors import StoreCorrupt
from embeddings.ingest import ingest
from embeddings.parsers import find, read
from embeddings.types import StoredPassage, Where
from qa.answering import ABSTENTION, Answerer
from qa.errors import InvalidQuestion
from qa.reading import Reader, load_reader
from qa.settings import Settings
from qa.types import Answer, Filters, Question, SearchQuestion

pytestmark = pytest.mark.slow


MOST_SENTENCES = 40
"""`A few dozen short-sentence encodings, nothing else.`"""


def fill(folder: Path, *paths: Path, encoder: Encoder, cls: type[EmbeddedCorpus] = EmbeddedCorpus) -> EmbeddedCorpus:
    """A corpus holding the articles of these files."""
    with ExitStack() as stack:
        corpus = stack.enter_context(closing(cls.open(folder, identity=encoder.identity)))
        items = (item for path in find(paths) for item in read(path))
        report = ingest(items, corpus=corpus, encoder=encoder)
        assert report.rejected == ()
        stack.pop_all()
    return corpus


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load("all-MiniLM-L6-v2")


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The one that ships: its networks are let go with this module."""
    return load_reader()


@pytest.fixture(scope="module")
def samples(sample_store: Path, encoder: Encoder) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(sample_store, identity=encoder.identity, read_only=True)) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def over_samples(samples: EmbeddedCorpus, encoder: Encoder, reader: Reader) -> Answerer:
    return Answerer(reader=reader, corpus=samples, encoder=encoder, settings=Settings())


@pytest.fixture(scope="module")
def answers(over_samples: Answerer) -> dict[str, Answer]:
    """The answer to every twelfth labelled question, by its id; the gate and `bench_samples.py` ask them all."""
    asked = {q.id: Question(question=q.question, as_of=q.as_of) for q in seeds.questions()[::12]}
    return {name: over_samples.ask(question) for name, question in asked.items()}


def assert_contract(answer: Answer, corpus: Corpus) -> None:
    """What holds for every answer, whatever was asked."""
    for citation in answer.citations:
        article = corpus.get(citation.article_id, version=citation.article_version)
        assert article is not None
        assert article.text[citation.start_char_index : citation.end_char_index] == citation.cited_text != ""
        assert (citation.title, citation.source, citation.url) == (article.title, article.source, article.url)
    known = {citation.id for citation in answer.citations}
    for claim in answer.claims:
        assert answer.answer[claim.start : claim.end] == claim.text
        assert claim.citation_ids
        assert set(claim.citation_ids) <= known
    for result in answer.search_results:
        article = corpus.get(result.article_id, version=result.article_version)
        assert article is not None
        assert article.text[result.start_char_index : result.end_char_index] == result.text
    if short := answer.short_answer:
        article = corpus.get(short.article_id, version=short.article_version)
        assert article is not None
        assert article.text[short.start_char_index : short.end_char_index] == short.text
        assert any(short.text in claim.text for claim in answer.claims)
    if answer.answer_mode == "abstained":
        assert answer.abstain_reason is not None
        assert (answer.answer, answer.claims, answer.citations, answer.short_answer) == (ABSTENTION, (), (), None)
    else:
        assert answer.abstain_reason is None
        assert answer.citations
        assert answer.answer == " ".join(claim.text for claim in answer.claims)
    assert answer.usage.query_encodings == 1
    assert answer.usage.sentence_encodings <= MOST_SENTENCES
    assert 0.0 <= answer.support_score <= 1.0
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer


# --- the sample articles


def test_every_answer_keeps_the_contract(answers: dict[str, Answer], samples: EmbeddedCorpus) -> None:
    for answer in answers.values():
        assert_contract(answer, samples)


def test_abstentions_show_the_nearest_passages(answers: dict[str, Answer]) -> None:
    abstained = [answer for answer in answers.values() if answer.answer_mode == "abstained"]
    assert abstained
    assert all(answer.search_results for answer in abstained)
    assert {answer.abstain_reason for answer in abstained} <= {"no_match", "weak_match", "unread_language"}


def test_a_story_does_not_fill_the_list(answers: dict[str, Answer]) -> None:
    for answer in answers.values():
        titles = {result.title for result in answer.search_results if "Aground" in result.title}
        # Of the three copies a second may stay: for a passage that only it has, or cut so that it is no near copy.
        assert len(titles) <= 2


def test_the_same_question_has_the_same_answer(over_samples: Answerer) -> None:
    question = Question(question="Who heads Kelmar Water?", as_of="2024-06-21")
    once, again = (msgspec.structs.asdict(over_samples.ask(question)) for _ in range(2))
    assert once.pop("id") != again.pop("id")
    once.pop("timings_ms")
    again.pop("timings_ms")
    assert once == again


@pytest.mark.parametrize(
    "filters",
    [
        Filters(published_after="2024-06-15"),
        Filters(published_before="2024-06-05"),
        Filters(published_after="2024-06-05", published_before="2024-06-12T12:00:00+02:00"),
    ],
    ids=lambda filters: f"{filters.published_after}-{filters.published_before}",
)
def test_date_filters_hold(over_samples: Answerer, samples: EmbeddedCorpus, filters: Filters) -> None:
    answer = over_samples.ask(Question(question="What happened in Kelmar?", filters=filters, as_of="2025-01-01"))
    dates = [result.published_at for result in answer.search_results]
    assert dates
    for date in dates:
        assert date is not None
        assert filters.published_after is None or date >= filters.published_after
        assert filters.published_before is None or date < filters.published_before
    assert_contract(answer, samples)


def test_source_and_id_filters_hold(over_samples: Answerer, samples: EmbeddedCorpus) -> None:
    articles = samples.scan(where=Where(), after=None, limit=100)
    source = next(article.source for article in articles if article.source)
    one = articles[3].id
    by_source = over_samples.ask(Question(question="What happened?", filters=Filters(source=(source,))))
    by_id = over_samples.ask(Question(question="What happened?", filters=Filters(article_ids=(one,))))
    assert {result.source for result in by_source.search_results} == {source}
    assert {result.article_id for result in by_id.search_results} == {one}
    nothing = over_samples.ask(Question(question="What happened?", filters=Filters(source=("Nobody's Gazette",))))
    assert (nothing.answer_mode, nothing.search_results) == ("abstained", ())
    other = over_samples.ask(Question(question="What happened?", collection="no such collection"))
    assert (other.answer_mode, other.search_results) == ("abstained", ())


def test_what_was_not_yet_known_is_not_used(over_samples: Answerer, samples: EmbeddedCorpus) -> None:
    question = "How many people were hurt in the ferry accident?"
    then = over_samples.ask(Question(question=question, as_of="2024-06-05T12:00:00Z"))
    later = over_samples.ask(Question(question=question, as_of="2024-06-30"))
    assert then.as_of == "2024-06-05T12:00:00Z"
    assert all((result.published_at or "") < "2024-06-06T12" for result in then.search_results)
    assert any((result.published_at or "") > "2024-06-06T12" for result in later.search_results)
    assert_contract(then, samples)
    assert_contract(later, samples)


@pytest.mark.parametrize(
    ("as_of", "reason"), [("2024-06-05", None), ("2024-06-21", "stale_only"), ("2024-12-05", "outside_corpus_dates")]
)
def test_older_news_does_not_tell_of_yesterday(over_samples: Answerer, as_of: str, reason: str | None) -> None:
    asked = "How many people were injured when the ferry ran aground off Port Almeric yesterday?"
    answer = over_samples.ask(Question(question=asked, as_of=as_of))
    assert (answer.answer_mode, answer.abstain_reason) == ("abstained" if reason else "extractive", reason)
    if reason:
        assert answer.search_results, "the nearest passages, all of them older"
    undated = over_samples.ask(Question(question=asked.replace(" yesterday", ""), as_of=as_of))
    assert undated.answer_mode == "extractive"


def test_sources_that_disagree_are_both_cited(over_samples: Answerer, samples: EmbeddedCorpus) -> None:
    answer = over_samples.ask(Question(question="How many hectares have burned in the Corrin Hills?"))
    assert_contract(answer, samples)
    (conflict,) = answer.conflicts
    assert (conflict.kind, set(conflict.values)) == ("disagreement", {"4,200 hectares", "6,850 hectares"})
    cited = {citation.id: citation for citation in answer.citations}
    for value, name in zip(conflict.values, conflict.citation_ids, strict=True):
        assert value in cited[name].cited_text
    assert conflict.later is not None
    assert "6,850" in cited[conflict.later].cited_text
    assert over_samples.ask(Question(question="How long will the Osprey Bridge be closed?")).conflicts == ()


def test_without_as_of_the_clock_counts(samples: EmbeddedCorpus, encoder: Encoder, reader: Reader) -> None:
    clock = datetime(2024, 6, 5, 12, tzinfo=UTC)
    answerer = Answerer(reader=reader, corpus=samples, encoder=encoder, settings=Settings(), now=lambda: clock)
    answer = answerer.ask(Question(question="How many people were hurt in the ferry accident?"))
    assert answer.as_of == "2024-06-05T12:00:00Z"
    assert all((result.published_at or "") < "2024-06-06T12" for result in answer.search_results)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(question=" ?! "), "no words"),
        (Question(question="Who?", as_of="last week"), "as_of"),
        (Question(question="Who?", filters=Filters(published_after="June")), r"filters\.published_after"),
        (Question(question="Who?", filters=Filters(published_before="2024-02-30")), r"filters\.published_before"),
    ],
    ids=["no words", "as_of", "after", "before"],
)
def test_unusable_questions_are_refused(over_samples: Answerer, question: Question, message: str) -> None:
    with pytest.raises(InvalidQuestion, match=message):
        over_samples.ask(question)


@pytest.mark.parametrize(
    "question",
    [
        "🙏🏽?a",
        "x" * 2000,
        "ferry " * 333,
        "كم مضخة جرى إصلاحها؟",
        "What about ' OR 1=1; DROP TABLE articles; --",
        'ferry AND "NEAR(reef, 3)" OR *',
        "\u0000ferry\u0000",
        "9999-12-31 Zoë\u0308",
    ],
    ids=lambda question: ascii(question[:20]),
)
def test_strange_questions_keep_the_contract(over_samples: Answerer, samples: EmbeddedCorpus, question: str) -> None:
    assert_contract(over_samples.ask(Question(question=question, as_of="9999-12-31")), samples)


@pytest.mark.parametrize(
    ("question", "resolved"),
    [
        ("Wen did the resrvoirs of Kelmr brun?", "When did the reservoirs of Kelmar brun?"),
        ("Wen did Lindqvst of Kelmr opn the resrvoirs?", "When did Lindqvist of Kelmar opn the reservoirs?"),
        ("When did the resrvoirs of Kelmr burn?", "When did the resrvoirs of Kelmr burn?"),
    ],
)
def test_no_question_is_corrected_by_half(over_samples: Answerer, question: str, resolved: str) -> None:
    assert over_samples.ask(Question(question=question, as_of="2024-06-21")).resolved_query == resolved


def test_search_gives_passages_and_no_answer(over_samples: Answerer, samples: EmbeddedCorpus) -> None:
    question = SearchQuestion(question="  ferry   aground ", limit=5, as_of="2024-06-30")
    found = asyncio.run(over_samples.search(question))
    assert found.resolved_query == "ferry aground"
    assert len(found.search_results) == 5
    assert len({result.article_id for result in found.search_results}) == 5
    scores = [result.score for result in found.search_results]
    assert scores == sorted(scores, reverse=True)
    for result in found.search_results:
        article = samples.get(result.article_id, version=result.article_version)
        assert article is not None
        assert article.text[result.start_char_index : result.end_char_index] == result.text


def test_an_empty_corpus_abstains(tmp_path: Path, encoder: Encoder, reader: Reader) -> None:
    with closing(EmbeddedCorpus.open(tmp_path / "empty", identity=encoder.identity)) as corpus:
        answer = Answerer(reader=reader, corpus=corpus, encoder=encoder, settings=Settings()).ask(
            Question(question="Who won?")
        )
        assert (answer.answer_mode, answer.abstain_reason) == ("abstained", "empty_corpus")
        assert answer.search_results == ()
        assert_contract(answer, corpus)


# --- words that no longer are what was stored


ORIGINAL, ALTERED = "38,000 vehicles", "83,000 vehicles"
TRAFFIC = Question(question="How many vehicles use the Osprey Bridge each day?")


def alter(folder: Path) -> None:
    """Change a number in a stored text behind the store's back."""
    with closing(apsw.Connection(str(folder / "store.db"))) as db:
        db.execute("UPDATE versions SET document = replace(document, ?, ?)", (ORIGINAL, ALTERED))
        assert db.changes() > 0


class AlteredMeanwhile(EmbeddedCorpus):
    """A corpus whose file is changed by someone else between finding passages and serving the answer."""

    folder: Path | None = None

    def passages(self, keys: Collection[int]) -> Mapping[int, StoredPassage]:
        found = super().passages(keys)
        if self.folder is not None:
            alter(self.folder)
        return found


@pytest.fixture
def bridge() -> Path:
    path = seeds.articles_dir() / "osprey-bridge-closure.txt"
    assert ORIGINAL in path.read_text(encoding="utf-8")
    return path


def test_words_altered_while_answering_are_not_served(
    tmp_path: Path, bridge: Path, encoder: Encoder, reader: Reader
) -> None:
    with closing(fill(tmp_path, bridge, encoder=encoder, cls=AlteredMeanwhile)) as corpus:
        assert isinstance(corpus, AlteredMeanwhile)
        answerer = Answerer(reader=reader, corpus=corpus, encoder=encoder, settings=Settings())
        before = answerer.ask(TRAFFIC)
        assert ORIGINAL in before.answer
        assert before.usage.citations_dropped == 0
        corpus.folder = tmp_path
        after = answerer.ask(TRAFFIC)
        assert after.usage.citations_dropped == len(before.citations)
        assert (after.answer_mode, after.answer, after.citations) == ("abstained", ABSTENTION, ())
        assert after.short_answer is None


def test_words_altered_before_are_never_found(
    tmp_path: Path, bridge: Path, encoder: Encoder, reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(fill(tmp_path, bridge, encoder=encoder)) as corpus:
        alter(tmp_path)
        answer = Answerer(reader=reader, corpus=corpus, encoder=encoder, settings=Settings()).ask(TRAFFIC)
        assert (answer.answer_mode, answer.citations) == ("abstained", ())
        assert ALTERED not in msgspec.json.encode(answer).decode()
        assert "altered" in caplog.text
        (article,) = (name for name in _article_ids(tmp_path))
        with pytest.raises(StoreCorrupt):
            corpus.get(article)


def _article_ids(folder: Path) -> list[str]:
    with closing(apsw.Connection(str(folder / "store.db"))) as db:
        return [row[0] for row in db.execute("SELECT id FROM articles")]


# --- the real page


DERNA, CHECKPOINT = "Battle for Derna", "Death Checkpoint"
ANSWERED = [
    ("How many people live in Derna?", DERNA, ["125,000"]),
    ("Who commands the Libyan National Army?", DERNA, ["Haftar"]),
    ("When was victory said to be near?", DERNA, ["June 4"]),
    ("How far is Derna from the Egyptian border?", DERNA, ["265 km"]),
    ("Who was arrested over the Qutayfah checkpoint?", CHECKPOINT, ["Haidar"]),
    ("Where was Haidar detained?", CHECKPOINT, ["Latakia"]),
    ("Which division did Haidar command?", CHECKPOINT, ["Third"]),
    ("What did the Red Crescent deliver and where?", DERNA, ["humanitarian aid", "Bab Tobruk"]),
]
MISREAD = {"What did the Red Crescent deliver and where?"}
"""The reader declines: a known error of these weights."""
DECLINED = ["Who runs Benghazi airport?", "What is the capital of Peru?", "How many died in Derna?"]


@pytest.fixture(scope="module", params=["alone", "among the samples"])
def page(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared: Path,
    sample_store: Path,
    encoder: Encoder,
) -> Iterator[EmbeddedCorpus]:
    folder = tmp_path_factory.mktemp("page")
    if request.param == "among the samples":
        shutil.copytree(sample_store, folder, dirs_exist_ok=True)
    with closing(fill(folder, shared / "seeds", encoder=encoder)) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def over_page(page: EmbeddedCorpus, encoder: Encoder, reader: Reader) -> Answerer:
    return Answerer(reader=reader, corpus=page, encoder=encoder, settings=Settings())


@pytest.mark.parametrize(
    ("question", "title", "words"),
    [
        pytest.param(*row, id=row[0], marks=pytest.mark.xfail(reason="known error") if row[0] in MISREAD else ())
        for row in ANSWERED
    ],
)
def test_the_page_answers(
    over_page: Answerer, page: EmbeddedCorpus, question: str, title: str, words: list[str]
) -> None:
    answer = over_page.ask(Question(question=question))
    assert_contract(answer, page)
    assert answer.answer_mode == "extractive"
    assert all(word in answer.claims[0].text for word in words), answer.claims[0].text
    assert title in answer.citations[0].title


@pytest.mark.parametrize("question", DECLINED)
def test_the_page_does_not_say(over_page: Answerer, page: EmbeddedCorpus, question: str) -> None:
    answer = over_page.ask(Question(question=question))
    assert_contract(answer, page)
    assert answer.answer_mode == "abstained", answer.answer
    assert answer.search_results
