"""What every `Corpus` does, whatever it is built on (see conftest)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from embeddings.corpus import Corpus
from embeddings.errors import EncoderError, EncoderMismatch, InputError, InvalidArticle, StoreError
from embeddings.store.database import fingerprint
from embeddings.types import Article, CorpusCounts, EncodedPassage, IndexedArticle, Where

EVERYTHING = Where()
RIVER, DAMS = "The river Wadi Derna burst its banks at night.", "Two dams above the town broke within minutes."
BUDGET, WALKOUT = "Parliament voted on the budget on Tuesday.", "The opposition walked out before the vote."
FLOOD, VOTE = f"{RIVER}\n{DAMS}", f"{BUDGET}\n{WALKOUT}"


def texts(corpus: Corpus, keys: list[int]) -> list[str]:
    found = corpus.passages(keys)
    return [found[key].passage.text for key in keys if key in found]


def dense(corpus: Corpus, vector: Any, k: int = 10, where: Where = EVERYTHING) -> list[str]:
    return texts(corpus, [hit.key for hit in corpus.search(vector, "", k=k, where=where).dense])


def lexical(corpus: Corpus, text: str, k: int = 10, where: Where = EVERYTHING) -> list[str]:
    vector = np.eye(1, 8, dtype=np.float32)[0]
    return texts(corpus, [hit.key for hit in corpus.search(vector, text, k=k, where=where).lexical])


def test_an_empty_corpus_finds_nothing(corpus: Corpus, made: Any) -> None:
    hits = corpus.search(made.vector("x"), "anything", k=5, where=EVERYTHING)
    assert (hits.dense, hits.lexical) == ((), ())
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=0, passages=0)
    assert corpus.get("a") is None
    assert list(corpus.scan(where=EVERYTHING, after=None, limit=5)) == []


def test_what_was_put_is_found_by_vector_and_by_words(corpus: Corpus, made: Any) -> None:
    flood, vote = made.article("flood", FLOOD, source="Wire"), made.article("vote", VOTE)
    made.put(corpus, flood, vote)
    hits = corpus.search(made.vector(DAMS), "dam breaking", k=4, where=EVERYTHING)
    assert len(hits.dense) == 4
    assert hits.dense[0].score == pytest.approx(1, abs=1e-6)
    assert [hit.score for hit in hits.dense] == sorted((hit.score for hit in hits.dense), reverse=True)
    assert hits.dense[0].key == hits.lexical[0].key
    found = corpus.passages([hits.dense[0].key])[hits.dense[0].key]
    assert (found.key, found.title, found.source) == (hits.dense[0].key, "Title of flood", "Wire")
    assert found.passage == made.indexed(flood).passages[1].passage
    assert found.signature == made.indexed(flood).signature
    assert flood.text[found.passage.start : found.passage.end] == found.passage.text == DAMS
    assert corpus.get("flood") == flood
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=2, passages=4)


def test_a_word_of_the_title_finds_the_article(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("a", FLOOD, title="Catastrophe in Libya"), made.article("b", VOTE))
    assert set(lexical(corpus, "catastrophe")) == {RIVER, DAMS}


def test_a_replaced_article_is_found_by_its_new_words_only(corpus: Corpus, made: Any) -> None:
    first, second = made.article("a", FLOOD), made.article("a", "The dams held.\nNobody was hurt.")
    made.put(corpus, first, made.article("b", VOTE))
    old = [hit.key for hit in corpus.search(made.vector(FLOOD), "dams town", k=9, where=EVERYTHING).dense]
    made.put(corpus, second)
    assert lexical(corpus, "town") == []
    assert lexical(corpus, "dams") == ["The dams held."]
    assert set(dense(corpus, made.vector("x"))) == {"The dams held.", "Nobody was hurt.", BUDGET, WALKOUT}
    assert {stored.passage.article_id for stored in corpus.passages(old).values()} == {"b"}
    assert corpus.get("a") == second
    assert corpus.get("a", version=first.version) == first
    assert corpus.get("a", version="0" * 64) is None
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=2, passages=4)


def test_putting_the_same_again_changes_nothing(corpus: Corpus, made: Any) -> None:
    article = made.article("a", FLOOD)
    for _ in range(3):
        made.put(corpus, article)
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=1, passages=2)
    assert sorted(dense(corpus, made.vector("x"))) == sorted([RIVER, DAMS])


def test_what_is_said_about_a_text_can_change_without_the_text(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("a", FLOOD, source="Wire", title="Old"))
    made.put(corpus, made.article("a", FLOOD, source="Paper", title="New"))
    assert corpus.count(Where(sources=("Wire",))).articles == 0
    assert lexical(corpus, "old") == []
    assert set(lexical(corpus, "new", where=Where(sources=("Paper",)))) == {RIVER, DAMS}


def test_a_deleted_article_is_gone_with_all_its_versions(corpus: Corpus, made: Any) -> None:
    first, second = made.article("a", FLOOD), made.article("a", "The dams held.")
    made.put(corpus, first)
    made.put(corpus, second, made.article("b", VOTE))
    assert corpus.delete(Where(article_ids=("a", "unknown"))) == 1
    assert corpus.get("a") is corpus.get("a", version=first.version) is None
    assert corpus.delete(Where(article_ids=("a",))) == 0
    assert lexical(corpus, "dams held river") == []
    assert sorted(dense(corpus, made.vector("x"))) == sorted([BUDGET, WALKOUT])
    made.put(corpus, first)
    assert corpus.get("a", version=second.version) is None


def test_deleting_everything_by_an_empty_filter_is_refused(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("a", FLOOD))
    with pytest.raises(InputError, match="filter"):
        corpus.delete(EVERYTHING)
    assert corpus.count(EVERYTHING).articles == 1


DATED = {
    "undated": None,
    "third": "2024-06-03",
    "fourth": "2024-06-04",
    "morning": "2024-06-04T08:00:00Z",
    "fifth": "2024-06-05T00:00:00Z",
}


def test_articles_are_tallied_by_source_and_day(corpus: Corpus, made: Any) -> None:
    for number, (name, published) in enumerate(DATED.items()):
        said: dict[str, Any] = {"published_at": published, "source": "Wire" if number < 4 else "Öst"}
        made.put(corpus, made.article(name, f"Text of {name}.", **said))
    made.put(corpus, made.article("held", "Text.", status="withheld"))
    wire, none, east = corpus.tally(EVERYTHING, since="2024-06-04")
    assert (wire.source, wire.articles, wire.undated, wire.earliest, wire.latest) == (
        "Wire",
        4,
        1,
        "2024-06-03",
        "2024-06-04",
    )
    assert [(one.day, one.articles) for one in wire.days] == [("2024-06-04", 2)]
    assert (none.source, none.articles, none.undated, none.earliest, none.days) == ("", 1, 1, None, ())
    assert [(one.day, one.articles) for one in east.days] == [("2024-06-05", 1)]
    shown = corpus.tally(Where(usable_at="2024-06-04"), since="2024-06-03")
    assert [one.source for one in shown] == ["Wire", "Öst"]
    assert [(one.day, one.articles) for one in shown[0].days] == [("2024-06-03", 1), ("2024-06-04", 2)]


RIGHTS: dict[str, dict[str, Any]] = {
    "undated": {"authors": ("Bo Ek", "Ann Lee")},
    "third": {"language": "en", "status": "canceled"},
    "fourth": {"section": "city", "authors": ("Bo Ek",), "language": "enx"},
    "morning": {"language": "en-gb", "embargoed_until": "2030-01-01T13:00:00Z"},
    "fifth": {"section": "sport", "status": "withheld", "embargoed_until": "2024-01-01T00:00:00Z"},
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Where(published_after="2024-06-04"), {"fourth", "morning", "fifth"}),
        (Where(published_after="2024-06-04T00:00:01"), {"morning", "fifth"}),
        (Where(published_before="2024-06-04"), {"third"}),
        (Where(published_after="2024-06-04", published_before="2024-06-05"), {"fourth", "morning"}),
        (Where(published_before="2024-06-04T10:00:00+02:00"), {"third", "fourth"}),
        (Where(published_after="1900-01-01"), {"third", "fourth", "morning", "fifth"}),
        (Where(known_by="2024-06-04"), {"undated", "third", "fourth"}),
        (Where(known_by="2024-06-04", published_after="2024-06-04"), {"fourth"}),
        (Where(sources=("odd",)), {"third", "morning"}),
        (Where(sources=("odd", "even"), published_before="2024-06-04"), {"third"}),
        (Where(article_ids=("fifth", "unknown")), {"fifth"}),
        (Where(collection="archive"), {"fifth"}),
        (Where(collection="nothing here"), set()),
        (Where(sections=("city", "sport")), {"fourth", "fifth"}),
        (Where(languages=("en",)), {"third", "morning"}),
        (Where(languages=("EN-GB", "de")), {"morning"}),
        (Where(authors=("Bo Ek", "Nobody")), {"undated", "fourth"}),
        (Where(authors=(" Bo\u00a0 Ek",), sections=("ci\u00adty",)), {"fourth"}),
        (Where(languages=(" en_GB ",)), {"morning"}),
        (Where(sections=("\u200b",)), set()),
        (Where(statuses=("withheld", "canceled")), {"third", "fifth"}),
        (Where(usable_at="2030-01-01T12:00:00Z"), {"undated", "fourth"}),
        (Where(usable_at="2030-01-01T14:00:00+01:00"), {"undated", "fourth", "morning"}),
        (Where(usable_at="2030-01-01T14:00:00+01:00", languages=("en",)), {"morning"}),
        (EVERYTHING, set(DATED)),
    ],
)
def test_a_filter_holds_for_searching_counting_listing_and_deleting(
    corpus: Corpus, made: Any, where: Where, expected: set[str]
) -> None:
    for number, (name, published) in enumerate(DATED.items()):
        said = {"source": "odd" if number % 2 else "even", "collection": "archive" if name == "fifth" else "default"}
        made.put(corpus, made.article(name, f"{name} common words", published_at=published, **said, **RIGHTS[name]))
    assert {text.split()[0] for text in dense(corpus, made.vector("undated common words"), where=where)} == expected
    assert {text.split()[0] for text in lexical(corpus, "common", where=where)} == expected
    assert [article.id for article in corpus.scan(where=where, after=None, limit=9)] == sorted(expected)
    assert corpus.count(where) == CorpusCounts(articles=len(expected), passages=len(expected))
    if where.restricts():
        assert corpus.delete(where) == len(expected)
        assert {article.id for article in corpus.scan(where=EVERYTHING, after=None, limit=9)} == set(DATED) - expected


def test_a_filter_is_applied_before_ranking(corpus: Corpus, made: Any) -> None:
    """The one allowed article is the worst match of a hundred, and still what k=1 gives."""
    made.put(corpus, *(made.article(f"a{number}", f"storm storm storm {number}") for number in range(100)))
    made.put(corpus, made.article("allowed", "a long tale of many other things and only then a storm", source="s"))
    where = Where(sources=("s",))
    assert dense(corpus, made.vector("storm storm storm 1"), k=1, where=where) == [corpus.get("allowed").text]
    assert lexical(corpus, "storm", k=1, where=where) == [corpus.get("allowed").text]


@pytest.mark.parametrize("day", ["yesterday", "2024-13-01", "", "06/04/2024"])
def test_a_date_that_is_none_is_refused(corpus: Corpus, made: Any, day: str) -> None:
    with pytest.raises(InputError, match="ISO 8601"):
        corpus.search(made.vector("x"), "x", k=1, where=Where(published_after=day))
    with pytest.raises(InputError, match="ISO 8601"):
        made.put(corpus, made.article("a", FLOOD, published_at=day))


@pytest.mark.parametrize(
    "question",
    [
        '"dams',
        "dams AND OR NOT",
        "NEAR(dams, town)",
        "dams*",
        "title:dams",
        "{title text}: dams",
        "^dams + - (",
        "dams\0town",
        "dams \ud800",
        "DAMS!!!",
        "dams dams dams dams",
        "dam",
    ],
)
def test_any_text_is_a_question_and_none_is_syntax(corpus: Corpus, made: Any, question: str) -> None:
    made.put(corpus, made.article("a", FLOOD), made.article("b", VOTE))
    assert lexical(corpus, question)[0] == DAMS


@pytest.mark.parametrize("question", ["", " ", "\0", "?!,;", "\ud800", "zzz unheard", "🙂"])
def test_a_question_without_known_words_finds_nothing(corpus: Corpus, made: Any, question: str) -> None:
    made.put(corpus, made.article("a", FLOOD))
    assert lexical(corpus, question) == []


def test_common_words_are_searched_where_a_question_has_no_others(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("a", "To be or not to be.\nThat is the question."), made.article("b", VOTE))
    assert lexical(corpus, "to be or not to be", k=1) == ["To be or not to be."]
    assert lexical(corpus, "is the parliament") == [BUDGET]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("东京的洪水造成严重损失", "洪水"),
        ("東京で洪水が発生した", "洪水は"),
        ("서울에서 홍수가 발생했다", "홍수"),
        ("น้ำท่วมกรุงเทพมหานคร", "น้ำท่วม"),
        ("दिल्ली में बाढ़ का पानी", "बाढ़"),
        ("فيضانات في مدينة درنة", "درنة"),
        ("مُحَمَّد في المدينة", "محمد"),
        ("שִׁטָּפוֹן בעיר", "שטפון"),
        ("Наводнение в городе", "наводнение"),
        ("Πλημμύρες στην Ελλάδα", "ελλαδα"),
        ("Überschwemmung in Köln", "uberschwemmung"),
        ("Всё затоплено", "все"),
        ("Lũ lụt ở Đà Nẵng", "nang"),
        ("ﬁre in the hall", "fire"),
    ],
)
def test_every_script_can_be_searched(corpus: Corpus, made: Any, text: str, question: str) -> None:
    made.put(corpus, made.article("a", text), made.article("b", VOTE), made.article("c", "完全不同的文字 तथा другое"))
    assert lexical(corpus, question) == [text]


def test_more_can_be_asked_for_than_there_is(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("a", FLOOD))
    assert len(dense(corpus, made.vector("x"), k=1000)) == 2
    with pytest.raises(InputError, match="k is 0"):
        corpus.search(made.vector("x"), "x", k=0, where=EVERYTHING)


@pytest.mark.parametrize("keys", [[-1], [10**12], [0], []])
def test_a_key_that_is_none_of_ours_is_absent(corpus: Corpus, made: Any, keys: list[int]) -> None:
    made.put(corpus, made.article("a", FLOOD))
    assert corpus.passages(keys) == {}


BAD_VECTORS = {
    "nan": np.full(8, np.nan, dtype=np.float32),
    "infinite": np.array([np.inf, *[0] * 7], dtype=np.float32),
    "zero": np.zeros(8, dtype=np.float32),
    "long": np.full(8, 1.0, dtype=np.float32),
    "short": np.eye(1, 8, dtype=np.float32)[0] * 0.9,
    "of another dimension": np.eye(1, 9, dtype=np.float32)[0],
    "a matrix": np.eye(8, dtype=np.float32),
}


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_a_vector_that_cannot_be_ranked_is_refused_before_anything_is_written(
    corpus: Corpus, made: Any, kind: str
) -> None:
    good, bad = made.indexed(made.article("good", VOTE)), made.indexed(made.article("bad", FLOOD))
    spoilt = EncodedPassage(passage=bad.passages[1].passage, vector=BAD_VECTORS[kind])
    bad = IndexedArticle(article=bad.article, passages=(bad.passages[0], spoilt), signature=bad.signature)
    with pytest.raises(EncoderError, match="'bad'"):
        corpus.replace([good, bad])
    assert corpus.count(EVERYTHING).articles == 0


@pytest.mark.parametrize("kind", ["nan", "infinite", "zero", "of another dimension", "a matrix"])
def test_a_question_with_such_a_vector_is_refused(corpus: Corpus, made: Any, kind: str) -> None:
    made.put(corpus, made.article("a", FLOOD))
    with pytest.raises(EncoderError, match="question"):
        corpus.search(BAD_VECTORS[kind], "x", k=1, where=EVERYTHING)


def changed(indexed: IndexedArticle, **fields: Any) -> IndexedArticle:
    first, second = indexed.passages
    spoilt = EncodedPassage(passage=msgspec.structs.replace(second.passage, **fields), vector=second.vector)
    return msgspec.structs.replace(indexed, passages=(first, spoilt))


def without_passages(indexed: IndexedArticle) -> IndexedArticle:
    return IndexedArticle(article=indexed.article, passages=(), signature=b"")


def renamed(name: str) -> Callable[[IndexedArticle], IndexedArticle]:
    def rename(indexed: IndexedArticle) -> IndexedArticle:
        article = indexed.article
        other = Article(id=name, version=article.version, title="t", text=article.text)
        return IndexedArticle(article=other, passages=indexed.passages, signature=b"")

    return rename


BAD_ARTICLES: dict[str, Callable[[IndexedArticle], IndexedArticle]] = {
    "span beyond the text": lambda good: changed(good, end=10_000),
    "span before the text": lambda good: changed(good, start=-5),
    "empty span": lambda good: changed(good, end=good.passages[1].passage.start, text=""),
    "other words than the span": lambda good: changed(good, text="something else"),
    "passage of another article": lambda good: changed(good, article_id="other"),
    "passage of another version": lambda good: changed(good, article_version="0" * 64),
    "the same passage id twice": lambda good: changed(good, id=good.passages[0].passage.id),
    "no passages": without_passages,
    "no id": renamed(""),
    "NUL in the id": renamed("a\0b"),
    "surrogate in the id": renamed("a\ud800"),
}


@pytest.mark.parametrize("kind", BAD_ARTICLES)
def test_an_article_that_contradicts_itself_is_refused_before_anything_is_written(
    corpus: Corpus, made: Any, kind: str
) -> None:
    good, bad = made.indexed(made.article("good", VOTE)), BAD_ARTICLES[kind](made.indexed(made.article("bad", FLOOD)))
    with pytest.raises(InvalidArticle):
        corpus.replace([good, bad])
    assert corpus.count(EVERYTHING).articles == 0


def test_a_version_that_is_not_the_hash_of_the_text_is_refused(corpus: Corpus, made: Any) -> None:
    lying = Article(id="a", version="0" * 64, title="t", text=FLOOD)
    with pytest.raises(InvalidArticle, match="version"):
        made.put(corpus, lying)


def test_an_article_twice_in_one_call_is_refused(corpus: Corpus, made: Any) -> None:
    with pytest.raises(InvalidArticle, match="twice"):
        made.put(corpus, made.article("a", FLOOD), made.article("a", VOTE))
    assert corpus.count(EVERYTHING).articles == 0


def test_articles_are_listed_page_by_page_in_order_of_id(corpus: Corpus, made: Any) -> None:
    names = ["b", "a", "ä", "B", "a b", "日本"]
    made.put(corpus, *(made.article(name, f"text of {name}") for name in names))
    listed, after = [], None
    while page := corpus.scan(where=EVERYTHING, after=after, limit=2):
        listed += [article.id for article in page]
        after = listed[-1]
    assert listed == sorted(names)


def test_unchanged_articles_and_known_texts_can_be_recognised(corpus: Corpus, made: Any) -> None:
    articles = [made.article("a", FLOOD), made.article("b", VOTE, source="s"), made.article("c", VOTE)]
    made.put(corpus, *articles)
    expected = {article.id: fingerprint(article) for article in articles}
    assert corpus.fingerprints(["a", "b", "c", "unknown"]) == expected
    assert corpus.fingerprints([f"unknown {number}" for number in range(40_000)]) == {}
    assert corpus.holders([articles[0].version, articles[1].version, "0" * 64], collection="default") == {
        articles[0].version: ("a",),
        articles[1].version: ("b", "c"),
    }
    assert corpus.holders([articles[0].version], collection="another") == {}
    made.put(corpus, made.article("a", "Something new."))
    assert corpus.holders([articles[0].version], collection="default") == {}


def test_articles_are_found_by_what_they_are_known_by(open_corpus: Any, made: Any) -> None:
    corpus = open_corpus()
    one, two = (made.indexed(made.article(name, FLOOD)) for name in ("a", "b"))
    corpus.replace([msgspec.structs.replace(one, known_by=("page", "file"))])
    corpus.replace([msgspec.structs.replace(two, known_by=("page",))])
    corpus.replace([msgspec.structs.replace(one, known_by=("title",))])
    corpus.close()
    corpus = open_corpus()
    assert corpus.known(["page", "file", "title", "nothing"]) == {"page": ("a", "b"), "file": ("a",), "title": ("a",)}
    corpus.delete(Where(article_ids=("a",)))
    assert corpus.known(["page", "file", "title"]) == {"page": ("b",)}


def test_what_was_put_is_there_after_a_restart(open_corpus: Any, made: Any) -> None:
    corpus = open_corpus()
    made.put(corpus, made.article("a", FLOOD), made.article("b", VOTE))
    corpus.delete(Where(article_ids=("b",)))
    before = corpus.search(made.vector("x"), "dams", k=9, where=EVERYTHING)
    corpus.close()
    for read_only in (False, True):
        again = open_corpus(read_only=read_only)
        assert again.search(made.vector("x"), "dams", k=9, where=EVERYTHING) == before
        assert again.get("a").text == FLOOD
        again.close()


def test_a_closed_corpus_says_so(corpus: Corpus, made: Any) -> None:
    corpus.close()
    corpus.close()
    for use in (lambda: corpus.get("a"), lambda: made.put(corpus, made.article("a", FLOOD))):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_vectors_of_two_encoders_are_never_mixed(open_corpus: Any, made: Any) -> None:
    corpus = open_corpus()
    flood, vote = made.article("a", FLOOD), made.article("b", VOTE)
    made.put(corpus, flood, vote)
    corpus.close()

    corpus = open_corpus(identity=made.other)
    assert corpus.get("a") == flood
    assert corpus.fingerprints(["a", "b"]) == {}, "for this encoder everything is still to do"
    made.put(corpus, vote, identity=made.other)
    assert corpus.fingerprints(["a", "b"]) == {"b": fingerprint(vote)}
    question = made.vector("x", made.other)
    with pytest.raises(EncoderMismatch, match=r"made .* other .*qa index rebuild"):
        corpus.search(question, "dams", k=9, where=EVERYTHING)
    with pytest.raises(EncoderMismatch, match="no passages"):
        corpus.activate(made.other)
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=2, passages=4)
    corpus.close()

    corpus = open_corpus()
    assert len(dense(corpus, made.vector("x"))) == 4, "the encoder before is complete until the new one is"
    corpus.close()

    corpus = open_corpus(identity=made.other)
    made.put(corpus, flood, identity=made.other)
    corpus.activate(made.other)
    assert len(dense(corpus, question)) == 4
    assert texts(corpus, [corpus.search(question, "budget", k=1, where=EVERYTHING).lexical[0].key]) == [BUDGET]
    best = corpus.search(made.vector(BUDGET, made.other), "", k=1, where=EVERYTHING).dense[0]
    assert best.score == pytest.approx(1)
    corpus.close()

    corpus = open_corpus()
    with pytest.raises(EncoderMismatch):
        dense(corpus, made.vector("x"))


@pytest.mark.parametrize("new", ["The dams held.", "An earlier text about dams."])
def test_an_article_changed_under_another_encoder_is_not_found_by_its_old_words(
    open_corpus: Any, made: Any, new: str
) -> None:
    """Nor where it is changed back to what it once was."""
    corpus = open_corpus()
    made.put(corpus, made.article("a", "An earlier text about dams."))
    made.put(corpus, made.article("a", FLOOD), made.article("b", VOTE))
    corpus.close()
    corpus = open_corpus(identity=made.other)
    made.put(corpus, made.article("a", new), identity=made.other)
    corpus.close()
    corpus = open_corpus()
    assert sorted(dense(corpus, made.vector("x"))) == sorted([BUDGET, WALKOUT])
    assert lexical(corpus, "dams") == []
    assert corpus.fingerprints(["a"]) == {}, "so that the next ingest puts it back"


def test_encoding_anew_leaves_what_was_changed_or_deleted_as_it_is(corpus: Any, made: Any) -> None:
    read = [made.article(name, f"{name} storm") for name in ("a", "b", "c")]
    made.put(corpus, *read)
    made.put(corpus, made.article("a", "a calm"))
    corpus.delete(Where(article_ids=("b",)))
    corpus.encode_anew([made.indexed(article) for article in read])
    assert [article.text for article in corpus.scan(where=EVERYTHING, after=None, limit=9)] == ["a calm", "c storm"]
    assert corpus.count(EVERYTHING) == CorpusCounts(articles=2, passages=2)


def test_an_emptied_corpus_takes_any_encoder(open_corpus: Any, made: Any) -> None:
    corpus = open_corpus()
    made.put(corpus, made.article("a", FLOOD))
    corpus.delete(Where(article_ids=("a",)))
    corpus.close()
    corpus = open_corpus(identity=made.other)
    made.put(corpus, made.article("b", VOTE), identity=made.other)
    assert len(dense(corpus, made.vector("x", made.other))) == 2


def test_vectors_of_any_length_are_ranked_by_cosine_where_the_encoder_does_not_normalise(
    open_corpus: Any, made: Any
) -> None:
    loose = msgspec.structs.replace(made.identity, normalised=False)
    corpus = open_corpus(identity=loose)
    indexed = made.indexed(made.article("a", FLOOD))
    passages = tuple(
        EncodedPassage(passage=each.passage, vector=each.vector * factor)
        for each, factor in zip(indexed.passages, (100, 0.01), strict=True)
    )
    corpus.replace([IndexedArticle(article=indexed.article, passages=passages, signature=b"")])
    hits = corpus.search(made.vector(DAMS) * 7, "", k=1, where=EVERYTHING)
    assert texts(corpus, [hits.dense[0].key]) == [DAMS]
    assert hits.dense[0].score == pytest.approx(1, abs=1e-6)


def test_words_that_no_passage_holds_are_told_with_those_near_to_them(corpus: Corpus, made: Any) -> None:
    made.put(corpus, made.article("flood", FLOOD), made.article("vote", VOTE))
    found = corpus.spellings(
        [
            "parliment",
            "Derma",
            "Dernna",
            "oppsition",
            "oppossit",
            "horse",
            "budget",
            "voting",
            "brust",
            "brtus",
            "walk",
            "wads",
            "Dena",
        ],
        where=Where(),
    )
    assert found == {
        "parliment": ("Parliament",),
        "Derma": (),
        "Dernna": ("Derna",),
        "oppsition": ("opposition",),
        "oppossit": ("opposition",),
        "horse": (),
        "brust": ("burst",),
        "brtus": (),
        "wads": (),
        "Dena": ("Derna",),
    }, "held words are left out; one mistake is near, another letter or two are not; stems count, not of short words"
    corpus.delete(Where(article_ids=("vote",)))
    assert corpus.spellings(["parliment", "budget"], where=Where()) == {"parliment": (), "budget": ()}


def test_an_empty_corpus_knows_no_word(corpus: Corpus) -> None:
    assert corpus.spellings(["budget"], where=Where()) == {"budget": ()}
    assert corpus.spellings([], where=Where()) == {}


def seen(corpus: Corpus, made: Any, where: Where) -> Any:
    """All that a corpus tells under a filter: lists with their scores, counts, the newest, guesses at words."""
    hits = corpus.search(made.vector(DAMS), "dams river budget town", k=9, where=where)
    words = ["Dernna", "parliment", "oppsition", "burts", "dams"]
    return (
        [(hit.score, texts(corpus, [hit.key])) for hit in (*hits.dense, *hits.lexical)],
        corpus.count(where),
        corpus.overview(where, newest=9),
        [article.id for article in corpus.scan(where=where, after=None, limit=9)],
        corpus.spellings(words, where=where),
    )


def test_within_some_collections_it_is_as_if_there_were_no_other(corpus: Corpus, made: Any) -> None:
    """How rare a word is and which words are near to one depends on them alone, as all that is listed and counted."""
    made.put(corpus, made.article("flood", FLOOD, collection="world"))
    made.put(corpus, made.article("c", "The town rebuilt both dams.", collection="local", source="Paper"))
    within = Where(within=("local", "world"))
    alone = seen(corpus, made, EVERYTHING)
    assert seen(corpus, made, within) == alone
    made.put(corpus, made.article("vote", VOTE, collection="home", source="Wire"))
    made.put(corpus, made.article("dams", f"{DAMS}\nThe dams of the dammed river: dams.", collection="home"))
    made.put(corpus, made.article("burt", "Burt and Burts live in Dernnas, in a town.", collection="home"))
    assert seen(corpus, made, within) == alone
    assert seen(corpus, made, EVERYTHING) != alone
    assert corpus.count(msgspec.structs.replace(within, collection="home")).articles == 0
    nothing = seen(corpus, made, Where(within=()))
    assert (nothing[0], nothing[1].articles, nothing[2].articles, nothing[3]) == ([], 0, 0, [])
    corpus.delete(Where(within=("home",)))
    assert seen(corpus, made, EVERYTHING) == alone
