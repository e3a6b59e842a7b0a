from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.types import Article, Passage, StoredPassage, article_version, passage_id
from qa.citations import choose_label, cite, hang_back, is_exact, resolve, search_result, short_answer
from qa.types import Citation, Evidence

TEXT = "Rain fell. The 🌊 river rose 3.5 metres, said Zoë. Nobody was hurt."
QUOTE = "The 🌊 river rose 3.5 metres, said Zoë."
AT = TEXT.index(QUOTE)


def article(text: str = TEXT) -> Article:
    return Article(id="a1", version=article_version(text), title="Flood", text=text)


def stored(of: Article, start: int = 0, end: int | None = None) -> StoredPassage:
    end = len(of.text) if end is None else end
    return StoredPassage(
        key=7,
        passage=Passage(
            id=passage_id(of.id, of.version, start, end),
            article_id=of.id,
            article_version=of.version,
            start=start,
            end=end,
            text=of.text[start:end],
        ),
        title=of.title,
        source="Wire",
        url="https://example.org/flood",
        published_at="2024-06-04",
        collection="default",
        signature=b"",
    )


@pytest.fixture
def citation() -> Citation:
    return cite(stored(article()), number=2, cited=(AT, AT + len(QUOTE)), placed=(10, 10 + len(QUOTE)), text=QUOTE)


def test_a_citation_carries_what_a_reader_needs(citation: Citation) -> None:
    assert msgspec.structs.asdict(citation) == {
        "id": "c2",
        "start": 10,
        "end": 10 + len(QUOTE),
        "article_id": "a1",
        "article_version": article_version(TEXT),
        "title": "Flood",
        "source": "Wire",
        "url": "https://example.org/flood",
        "published_at": "2024-06-04",
        "cited_text": QUOTE,
        "start_char_index": AT,
        "end_char_index": AT + len(QUOTE),
        "page": None,
    }


@pytest.mark.parametrize(("pages", "page"), [((), None), ((0, AT), 2), ((0, AT + 1), 1), ((0, 3, AT, AT), 4)])
def test_a_citation_names_the_page_on_which_its_words_begin(pages: tuple[int, ...], page: int | None) -> None:
    paged = msgspec.structs.replace(stored(article(), AT), pages=pages)
    assert cite(paged, number=1, cited=(AT, AT + len(QUOTE)), placed=(0, 1), text=QUOTE).page == page
    assert search_result(Evidence(stored=paged, score=1.0, cosine=None)).page == page


def test_exact_words_are_exact(citation: Citation) -> None:
    assert is_exact(citation, article())


@pytest.mark.parametrize(
    "change",
    [
        {"cited_text": QUOTE.replace("3.5", "3.6")},
        {"cited_text": QUOTE.replace("ë", "e\u0308")},
        {"start_char_index": AT + 1},
        {"end_char_index": AT + len(QUOTE) - 1},
        {"start_char_index": AT - len(TEXT), "end_char_index": AT + len(QUOTE) - len(TEXT)},
        {"cited_text": "", "end_char_index": AT},
        {"cited_text": "", "start_char_index": 10_000, "end_char_index": 10_001},
        {"article_version": article_version("another text")},
        {"article_id": "a2"},
    ],
    ids=",".join,
)
def test_anything_else_is_not_exact(citation: Citation, change: dict[str, object]) -> None:
    assert not is_exact(msgspec.structs.replace(citation, **change), article())


def test_no_article_no_exact_words(citation: Citation) -> None:
    assert not is_exact(citation, None)
    assert not is_exact(citation, article(TEXT.replace("3.5", "3.6")))


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("740 million crowns.", "740 million crowns"),
        ("Zoë.", "Zoë"),
        ("1.8.", "1.8"),
        ("a vote。", "a vote"),
        ("at 5 p.m.", "at 5 p.m."),
        ("Norta Inc.", "Norta Inc."),
        ("George W.", "George W."),
        ("a lot ...", "a lot ..."),
        (".", "."),
    ],
)
def test_a_short_answer_ends_without_the_full_stop_of_its_sentence(words: str, shown: str) -> None:
    of = article(f"It is {words}")
    made = cite(stored(of), number=1, cited=(0, len(of.text)), placed=(0, len(of.text)), text=of.text)
    short = short_answer(made, (6, len(of.text)))
    assert short.text == shown
    assert is_exact(short, of)


def test_the_short_answer_is_a_span_of_the_article(citation: Citation) -> None:
    start = QUOTE.index("3.5 metres")
    short = short_answer(citation, (start, start + len("3.5 metres")))
    assert short.text == "3.5 metres"
    assert TEXT[short.start_char_index : short.end_char_index] == "3.5 metres"
    assert is_exact(short, article())
    assert not is_exact(short, article(TEXT.replace("3.5", "3.6")))


@given(text=st.text(min_size=1, max_size=60), data=st.data())
def test_any_span_of_any_text_can_be_cited(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    a, b = data.draw(st.integers(0, end - start - 1)), end - start
    of = article(text)
    made = cite(stored(of), number=1, cited=(start, end), placed=(0, end - start), text=text[start:end])
    assert is_exact(made, of)
    assert is_exact(short_answer(made, (a, b)), of)


def test_a_search_result_shows_the_passage_and_who_else_reports_it() -> None:
    passage = stored(article(), AT, AT + len(QUOTE))
    copy = msgspec.structs.replace(stored(article("Rain fell.")), url="https://example.net/flood", source="Net")
    shown = search_result(Evidence(stored=passage, score=1 / 3, cosine=0.5, also=(copy,)))
    assert shown.text == QUOTE == TEXT[shown.start_char_index : shown.end_char_index]
    assert shown.score == 0.333333
    assert (shown.article_id, shown.title, shown.source) == ("a1", "Flood", "Wire")
    assert shown.passage_id == passage_id("a1", article_version(TEXT), AT, AT + len(QUOTE))
    assert [other.article_version for other in shown.also_reported_by] == [article_version("Rain fell.")]


@pytest.mark.parametrize(
    ("url", "source", "bears_out"),
    [
        ("https://www.example.org/rain", "Flood desk", False),
        ("https://m.example.org/flood", "Wire", False),
        ("https://example.net/flood", "Coast Radio", True),
        ("https://news.example.net/flood", "WIRE", False),
        (None, "WIRE", False),
        (None, "Coast Radio", True),
        (None, "", True),
    ],
)
def test_a_publisher_does_not_bear_itself_out(url: str | None, source: str, bears_out: bool) -> None:
    copy = msgspec.structs.replace(stored(article("Rain fell.")), url=url, source=source)
    shown = search_result(Evidence(stored=stored(article()), score=1.0, cosine=0.5, also=(copy,)))
    assert bool(shown.also_reported_by) == bears_out


def test_copies_of_one_text_in_two_collections_do_not_bear_each_other_out() -> None:
    mine, copy = (msgspec.structs.replace(stored(article()), url=None, source=name) for name in ("Wire", "Coast Radio"))
    theirs = msgspec.structs.replace(copy, collection="theirs")
    rain = stored(article("Rain fell."))
    other = msgspec.structs.replace(rain, url=None, source="Hill Radio", collection="theirs")

    def named(*also: StoredPassage) -> list[str]:
        shown = search_result(Evidence(stored=mine, score=1.0, cosine=0.5, also=also))
        return [each.source for each in shown.also_reported_by]

    assert named(copy, other) == ["Coast Radio", "Hill Radio"]
    assert named(theirs, other) == ["Hill Radio"]
    assert named(other, msgspec.structs.replace(other, source="Fjord Radio", collection="third")) == ["Hill Radio"]


# --- Markers: whatever models make of them is read, and prose never is


@pytest.mark.parametrize(
    ("sentence", "text", "sources"),
    [
        ("It sank on Tuesday [S2].", "It sank on Tuesday.", (1,)),
        ("It sank on Tuesday. [S2]", "It sank on Tuesday.", (1,)),
        ("It sank on Tuesday [S2]", "It sank on Tuesday", (1,)),
        ("It sank [s1][S3].", "It sank.", (0, 2)),
        ("It sank [S1, S3] on Tuesday.", "It sank on Tuesday.", (0, 2)),
        ("It sank [S1, 3].", "It sank.", (0, 2)),
        ("It sank [S1 and S2].", "It sank.", (0, 1)),
        ("It sank [[S1]].", "It sank.", (0,)),
        ("It sank (S1).", "It sank.", (0,)),
        ("It sank 【S1】.", "It sank.", (0,)),
        ("It sank [^S1].", "It sank.", (0,)),
        ("It sank [S 1].", "It sank.", (0,)),
        ("It sank [S-1].", "It sank.", (0,)),
        ("It sank [Source S1].", "It sank.", (0,)),
        ("It sank [source 1].", "It sank.", (0,)),
        ("It sank S1.", "It sank.", (0,)),
        ("According to [S1], the ferry sank.", "The ferry sank.", (0,)),
        ("According to source [S1], the ferry sank.", "The ferry sank.", (0,)),
        ("[S1] says that the ferry sank.", "The ferry sank.", (0,)),
        ("[S1]: The ferry sank.", "The ferry sank.", (0,)),
        ("S1: The ferry sank.", "The ferry sank.", (0,)),
        # A model's own numbers: no markers, but no words either.
        ("It sank [1].", "It sank.", ()),
        ("It sank. [1]", "It sank.", ()),
    ],
)
def test_what_models_write(sentence: str, text: str, sources: tuple[int, ...]) -> None:
    marked = resolve(sentence, label="S", sources=3)
    assert (marked.text, marked.sources, marked.unresolved) == (text, sources, 0)


@pytest.mark.parametrize(
    "sentence",
    [
        "The budget [2024] was passed.",
        "See ref 12 for more.",
        "There were two reasons: (1) rain and (2) wind.",
        "He won 5,000 crowns.",
        "It is one of the city's 2 bridges.",
        "It is one of the city’s 2 bridges, s1 and s2.",
        "Route S 1 is shut.",
        "Sources 1 and 2 agree.",
        "The law [sic] was passed.",
        "Paragraph [12] of the ruling is long.",
        "The ruling is long [12].",
    ],
)
def test_prose_is_no_marker(sentence: str) -> None:
    marked = resolve(sentence, label="S", sources=3)
    assert (marked.text, marked.sources, marked.unresolved) == (sentence, (), 0)


@pytest.mark.parametrize(
    ("sentence", "sources", "unresolved"),
    [("It sank [S0].", (), 1), ("It sank [S4].", (), 1), ("It sank [S2, S99].", (1,), 1), ("It sank [S000].", (), 1)],
)
def test_what_names_no_source_is_removed_and_counted(sentence: str, sources: tuple[int, ...], unresolved: int) -> None:
    assert resolve(sentence, label="S", sources=3).text == "It sank."
    marked = resolve(sentence, label="S", sources=3)
    assert (marked.sources, marked.unresolved) == (sources, unresolved)


def test_a_number_with_a_decimal_is_no_marker() -> None:
    assert resolve("Model S1.5 is out.", label="S", sources=3).sources == ()


@given(texts=st.lists(st.text(alphabet="SQKXZJ 0123-_.[]a", max_size=40), max_size=4))
def test_the_label_occurs_in_no_text(texts: list[str]) -> None:
    label = choose_label(texts)
    if label != "ZK":  # the last resort
        assert all(resolve(text, label=label, sources=999).sources == () for text in texts)


def test_the_label_is_the_first_that_is_free() -> None:
    assert choose_label(["One of the city's 3 bridges, on route S 7.", "He read it [2]."]) == "S"
    assert choose_label(["The Galaxy S24 is out."]) == "Q"
    assert choose_label(["See [s 1] and (Q3)."]) == "K"


def test_markers_behind_a_stop_go_with_their_sentence() -> None:
    assert hang_back("It sank. [S1] Nobody died.", label="S") == "It sank [S1]. Nobody died."
    assert hang_back("“It sank.” [S1][S2]", label="S") == "“It sank [S1][S2].”"
    assert hang_back("It sank [S1]. Nobody died.", label="S") == "It sank [S1]. Nobody died."
