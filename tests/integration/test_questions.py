"""What questions are understood as, over small archives: with the shipped reader and without the encoder's weights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.runtime import at_once
from embeddings.types import RawArticle
from qa.answering import ABSTENTION, Answerer
from qa.answers import turn_of
from qa.conversations.follow_ups import FollowUps
from qa.generators import Fail, ScriptedGenerator
from qa.grounding.mismatches import LexicalChecker
from qa.reading import AnswerSpan, OverlapReader, PassageText, Reader, load_reader
from qa.retrieval.search import READ
from qa.settings import Settings
from qa.types import Answer, AnswerEvent, ClaimEvent, Question

ENCODER = load("hashing")
AS_OF = "2025-03-20T12:00:00Z"
QUARRY = {
    "title": "Quarry sold",
    "text": "The Marlow quarry was sold to Dunmere Stone for 31 million crowns on Monday. It employs 140 people.",
    "published_at": "2025-03-10",
}
REGATTA = {
    "title": "Regatta",
    "text": "Sela Brook won the Almeric Regatta on Saturday in a gale. Sela Brook, 24, is a carpenter.",
    "published_at": "2025-03-15",
}

Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The one that ships: its networks are let go with this module."""
    return load_reader()


@pytest.fixture
def ask(tmp_path: Path, reader: Reader) -> Iterator[Ask]:
    """Ask a question of an archive that holds these articles and no others."""
    opened: list[EmbeddedCorpus] = []

    def answer(
        articles: Sequence[Mapping[str, str]], question: str, *, model: ScriptedGenerator | None = None, **fields: Any
    ) -> Answer:
        corpus = EmbeddedCorpus.open(tmp_path / str(len(opened)), identity=ENCODER.identity)
        opened.append(corpus)
        rows = [RawArticle(**one, origin=f"row:{number}") for number, one in enumerate(articles)]
        assert not ingest(rows, corpus=corpus, encoder=ENCODER).rejected
        resolve = FollowUps(corpus, generator=None)
        answerer = Answerer(
            corpus=corpus,
            encoder=ENCODER,
            reader=reader,
            settings=Settings(),
            resolve=resolve,
            generator=model,
            checker=LexicalChecker() if model else None,
        )
        found = answerer.ask(Question(question=question, as_of=AS_OF, **fields))
        assert_exact(found, corpus)
        return found

    yield answer
    for corpus in opened:
        corpus.close()


def assert_exact(answer: Answer, corpus: EmbeddedCorpus) -> None:
    assert len({citation.id for citation in answer.citations}) == len(answer.citations)
    for claim in answer.claims:
        assert answer.answer[claim.start : claim.end] == claim.text
        (cited,) = [one for one in answer.citations if one.id in claim.citation_ids]
        assert answer.answer[cited.start : cited.end] == claim.text == cited.cited_text
        article = corpus.get(cited.article_id, version=cited.article_version)
        assert article is not None
        assert article.text[cited.start_char_index : cited.end_char_index] == cited.cited_text


# --- another time than the one that was asked of

LIBRARY = {
    "title": "Orrin library to open on Sundays",
    "text": "The Orrin library will open on Sundays from 7 March, between 11 a.m. and 5 p.m., the council decided.",
    "published_at": "2025-02-20",
}
LEAVING = {
    "title": "Goalkeeper leaves",
    "text": "Goalkeeper Marek Dussel will leave Orrin Rovers on Sunday, the club said.",
    "published_at": "2025-03-19",
}
HOLIDAY = {
    "title": "Orrin library closed",
    "text": "The Orrin library is closed on Sunday because of a burst pipe, the mayor said.",
    "published_at": "2025-03-20",
}


@pytest.mark.parametrize(
    "question", ["When will the Orrin library open on Sunday?", "What time does the Orrin library open on Sunday?"]
)
def test_what_happens_every_sunday_answers_where_nothing_is_told_of_the_next(ask: Ask, question: str) -> None:
    answer = ask([LIBRARY, LEAVING], question)
    assert "on Sundays from 7 March" in answer.answer
    assert answer.understood_period is None
    last = {**LIBRARY, "text": "The Orrin library opened on Sunday at 9 a.m., the council said."}
    assert not ask([last, LEAVING], question).claims


def test_what_is_told_of_the_next_sunday_comes_before_what_happens_every_sunday(ask: Ask) -> None:
    answer = ask([LIBRARY, HOLIDAY], "Is the Orrin library closed on Sunday?")
    assert answer.understood_period is not None
    assert answer.understood_period.start == "2025-03-23T00:00:00Z"
    assert "burst pipe" in answer.answer


@pytest.mark.parametrize(
    ("published", "reason"), [("2024-06-10", None), ("2025-02-10", "outside_corpus_dates"), (None, None)]
)
def test_last_year_is_not_answered_from_this_year(ask: Ask, published: str | None, reason: str | None) -> None:
    text = "The harbour festival in Velda drew 40,000 visitors."
    dated = {"published_at": published} if published else {}
    answer = ask([{"title": "Festival", "text": text, **dated}], "How many visitors did the festival draw last year?")
    assert answer.abstain_reason == reason
    assert bool(answer.claims) == (reason is None)


def test_a_text_that_names_last_year_tells_of_it(ask: Ask) -> None:
    text = "The harbour festival in Velda drew 40,000 visitors last year."
    told = [{"title": "Festival", "text": text, "published_at": "2025-02-10"}]
    assert ask(told, "How many visitors did the festival draw last year?").claims


@pytest.mark.parametrize(
    ("published", "question", "start"),
    [
        ("2021-06-10", "How many visitors did the festival draw in June?", "2021-06-01"),
        ("2024-06-10", "How many visitors did the festival draw in June?", "2024-06-01"),
        ("2021-06-10", "How many visitors did the festival draw in June 2024?", None),
        ("2021-06-10", "How many visitors did the festival draw last June?", None),
        ("2024-01-10", "How many visitors did the festival draw in June?", None),
    ],
)
def test_an_archive_that_has_ended_is_asked_about_its_own_months(
    ask: Ask, published: str, question: str, start: str | None
) -> None:
    told = {"title": "Festival", "text": "The harbour festival in Velda drew 40,000 visitors."}
    answer = ask([{**told, "published_at": published}], question)
    if start is None:
        assert answer.abstain_reason == "outside_corpus_dates"
    else:
        assert answer.claims
        assert answer.understood_period is not None
        assert answer.understood_period.start == f"{start}T00:00:00Z"


def test_of_the_years_of_an_ended_archive_the_last_that_tells_is_meant(ask: Ask) -> None:
    festival = {"title": "Festival", "text": "The harbour festival in Velda drew 40,000 visitors."}
    quarry = {"title": "Quarry", "text": "The quarry of Orrin was sold on Monday.", "published_at": "2021-11-04"}
    told = [{**festival, "published_at": "2020-06-10"}, quarry]
    answer = ask(told, "How many visitors did the festival draw in June?")
    assert answer.claims
    assert answer.understood_period is not None
    assert answer.understood_period.start == "2020-06-01T00:00:00Z"


# --- several questions in one


def test_each_part_of_a_question_is_answered(ask: Ask) -> None:
    answer = ask([QUARRY, REGATTA], "Who won the Almeric Regatta? How much was paid for the Marlow quarry?")
    assert [claim.text for claim in answer.claims] == [
        "Sela Brook won the Almeric Regatta on Saturday in a gale.",
        "The Marlow quarry was sold to Dunmere Stone for 31 million crowns on Monday.",
    ]
    assert (answer.answer_mode, answer.unanswered, answer.short_answer) == ("extractive", (), None)
    assert {result.title for result in answer.search_results} == {"Quarry sold", "Regatta"}
    assert answer.usage.query_encodings == 2


def test_one_sentence_that_answers_both_parts_is_said_once(ask: Ask) -> None:
    answer = ask([QUARRY, REGATTA], "Who won the Almeric Regatta? On which day was the Almeric Regatta won?")
    (claim,) = answer.claims
    assert answer.answer == claim.text == "Sela Brook won the Almeric Regatta on Saturday in a gale."
    assert (answer.unanswered, answer.short_answer, len(answer.citations)) == ((), None, 1)


def test_the_part_without_an_answer_is_named(ask: Ask) -> None:
    answer = ask([REGATTA], "Who won the Almeric Regatta, and who wrote the opera Macbeth?")
    (claim,) = answer.claims
    assert "Sela Brook" in claim.text
    (left,) = answer.unanswered
    assert "Macbeth" in left
    assert answer.answer == f"{claim.text} Not answered: “{left}”"
    assert answer.short_answer is not None
    assert "Sela Brook" in answer.short_answer.text


def test_where_no_part_is_answered_the_question_is_declined(ask: Ask) -> None:
    answer = ask([QUARRY], "Who wrote the opera Macbeth? When did Verdi die?")
    assert (answer.answer, answer.claims, answer.unanswered) == (ABSTENTION, (), ())
    assert answer.abstain_reason in {"weak_match", "no_match"}


def test_a_part_may_point_at_the_answer_of_the_one_before(ask: Ask) -> None:
    answer = ask([REGATTA, QUARRY], "Who won the Almeric Regatta and how old is she?")
    assert [("24" in claim.text) for claim in answer.claims] == [False, True]
    assert "Sela Brook" in answer.resolved_query.split("?")[1]


def test_parts_share_what_may_be_cited_and_read(ask: Ask) -> None:
    towns = [
        {"title": f"Budget of Town {n}", "text": f"Town {n} spent {n + 3} million crowns on its roads, it said."}
        for n in range(24)
    ]
    asked = "How much did Town 3 spend on its roads? How much did Town 5 spend on its roads?"
    answer = ask(towns, asked, max_citations=1)
    assert len(answer.claims) == 1
    assert answer.unanswered == ("How much did Town 5 spend on its roads?",)
    assert ask(towns, "What did Town 3 spend on its roads?").usage.passages_read < 6, "the first one answers"
    unanswered = [f"Who is the mayor of Town {n}?" for n in (3, 5, 7, 9)]
    # A part alone reads six: of many, each reads its share of what is retrieved for one.
    assert ask(towns, unanswered[0]).usage.passages_read == 6
    assert ask(towns, " ".join(unanswered[:2])).usage.passages_read <= READ.kept
    assert ask(towns, " ".join(unanswered)).usage.passages_read <= READ.kept + 2


def test_a_model_is_given_passages_of_which_all_were_read(ask: Ask) -> None:
    towns = [
        {"title": f"Budget of Town {n}", "text": f"Town {n} spent {n + 3} million crowns on roads."} for n in range(9)
    ]
    asked, silent = "What did Town 3 spend on its roads?", ScriptedGenerator([Fail("unreachable")] * 4)
    assert ask(towns, asked, model=silent).usage.passages_read == 6
    assert ask(towns, asked, model=silent, mode="extractive").usage.passages_read < 6


def test_the_stream_of_several_questions_tells_what_the_answer_says(tmp_path: Path, reader: Reader) -> None:
    with closing(EmbeddedCorpus.open(tmp_path / "store", identity=ENCODER.identity)) as corpus:
        ingest([RawArticle(**QUARRY, origin="1"), RawArticle(**REGATTA, origin="2")], corpus=corpus, encoder=ENCODER)
        answerer = Answerer(corpus=corpus, encoder=ENCODER, reader=reader, settings=Settings())
        question = Question(question="Who won the Almeric Regatta? How many people work at the Marlow quarry?")

        async def events() -> list[Any]:
            return [event async for event in answerer.events(question, run=at_once)]

        told = asyncio.run(events())
    (whole,) = [event.answer for event in told if isinstance(event, AnswerEvent)]
    assert [event.claim for event in told if isinstance(event, ClaimEvent)] == list(whole.claims)
    assert len(whole.claims) == 2


# --- the latest on a topic

TALKS = {
    "title": "Tunnel talks",
    "text": "Talks on the Corrin Tunnel broke off in Velda.",
    "published_at": "2024-11-02",
}
SIGNED = {
    "title": "Money for tunnel",
    "text": "The mood was good. Two banks will pay for the Corrin Tunnel, the region said. Work begins in June.",
    "published_at": "2025-03-12",
}
PASSING = {
    "title": "Fair opens",
    "text": "The spring fair of Velda opened on Sunday. Its wheel is lit in green. The region paid for it.",
    "published_at": "2025-03-18",
}


@pytest.mark.parametrize(
    "question",
    ["What is the latest on the Corrin Tunnel?", "Any news about the Corrin Tunnel?", "corrin tunnel latest news"],
)
def test_the_latest_on_a_topic_is_what_is_newest_about_it(ask: Ask, question: str) -> None:
    answer = ask([TALKS, PASSING, SIGNED], question)
    assert answer.answer == "Two banks will pay for the Corrin Tunnel, the region said."
    assert answer.search_results[0].title == "Money for tunnel"
    assert answer.short_answer is None
    assert answer.usage.passages_read == 0, "no network is needed to compare dates"


def test_what_came_within_days_of_the_newest_is_told_with_it(ask: Ask) -> None:
    first = {"title": "Tunnel", "text": "A third bank left the Corrin Tunnel, it said.", "published_at": "2025-03-09"}
    answer = ask([first, TALKS, SIGNED], "What is the latest on the Corrin Tunnel?")
    assert [citation.published_at for citation in answer.citations] == ["2025-03-12", "2025-03-09"]


def test_there_is_no_latest_on_what_no_article_names(ask: Ask) -> None:
    answer = ask([TALKS, PASSING, SIGNED], "What is the latest on the Skerra Lighthouse?")
    assert (answer.answer_mode, answer.abstain_reason) == ("abstained", "no_match")


# --- names and numbers, as the articles write them

NURSERY = {
    "title": "Prices",
    "text": "The Velda Nursery Trust raised its fees by 40 crowns. Parents were told on Friday.",
}
MARCH = {
    "title": "Parade",
    "text": "Some three thousand four hundred bakers marched through Velda on Sunday. Nobody was hurt.",
    "published_at": "2025-03-16",
}


def test_a_short_name_finds_the_long_one(ask: Ask) -> None:
    other = [{"title": f"Prices in Town {n}", "text": f"Town {n} raised its fees. It told all."} for n in range(30)]
    answer = ask([*other, NURSERY], "By how much did the VNT raise its fees?")
    assert answer.short_answer is not None
    assert "40" in answer.short_answer.text
    assert answer.resolved_query == "By how much did the VNT raise its fees?", "shown as it was asked"


def test_a_number_in_digits_finds_it_in_words(ask: Ask) -> None:
    answer = ask([MARCH, QUARRY], "Where did 3,400 bakers march?")
    assert answer.answer.startswith("Some three thousand four hundred bakers marched through Velda")


# --- languages

BRIDGE = {"title": "Die Brücke", "text": "Die Brücke von Velda kostete neun Millionen Kronen. Sie ist rot."}
FERRY = {"title": "维尔达渡轮", "text": "维尔达渡轮周一停航，二十名乘客被困岛上，港务局说。天气很冷。"}
QUAY = {"title": "ヴェルダ港", "text": "ヴェルダ港の桟橋は土曜日に閉鎖された。雨が降った。"}


@pytest.mark.parametrize(
    ("article", "question", "said"),
    [
        (BRIDGE, "Was kostete die Brücke von Velda?", "Die Brücke von Velda kostete neun Millionen Kronen."),
        (FERRY, "维尔达渡轮停航，有多少乘客被困？", "维尔达渡轮周一停航，二十名乘客被困岛上，港务局说。"),
        (QUAY, "ヴェルダ港の桟橋はいつ閉鎖されましたか？", "ヴェルダ港の桟橋は土曜日に閉鎖された。"),
    ],
)
def test_what_the_reader_cannot_read_is_answered_by_its_words(
    ask: Ask, article: Mapping[str, str], question: str, said: str
) -> None:
    answer = ask([article, QUARRY, REGATTA], question)
    assert answer.answer == said


def test_a_question_in_a_language_that_is_not_read_is_declined_as_such(ask: Ask) -> None:
    answer = ask([QUARRY, REGATTA], "Wer hat die Regatta bei Sturm gewonnen und wie alt ist sie?")
    assert (answer.answer_mode, answer.abstain_reason) == ("abstained", "unread_language")


def test_a_reader_says_what_it_can_read(tmp_path: Path) -> None:
    """A reader of every language is given the question, whatever its language."""

    class Polyglot(OverlapReader):
        asked: ClassVar[list[str]] = []

        def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
            self.asked.append(question)
            return super().read(question, passages)

    with closing(EmbeddedCorpus.open(tmp_path / "store", identity=ENCODER.identity)) as corpus:
        ingest([RawArticle(**BRIDGE, origin="1")], corpus=corpus, encoder=ENCODER)
        answerer = Answerer(corpus=corpus, encoder=ENCODER, reader=Polyglot(), settings=Settings())
        answer = answerer.ask(Question(question="Wer hat die Oper geschrieben?"))
    assert Polyglot.asked == ["Wer hat die Oper geschrieben?"]
    assert answer.abstain_reason in {"weak_match", "no_match"}


MAYOR = {
    "title": "Dunmere votes",
    "text": "Ruta Vale is the mayor of Dunmere since the vote of Sunday. Ruta Vale promised a tram.",
    "published_at": "2024-02-05",
}
HARBOUR = {
    "title": "Mayor of Dunmere opens the harbour",
    "text": "The mayor of Dunmere opened a harbour on Friday, and 300 people came to see it.",
    "published_at": "2025-03-14",
}


def test_what_was_overtaken_is_named_where_the_question_is_about_now(ask: Ask) -> None:
    answer = ask([MAYOR, HARBOUR], "Who is the mayor of Dunmere?")
    assert "Ruta Vale" in answer.answer
    old = [one.id for one in answer.citations if one.published_at == "2024-02-05"]
    assert answer.stale_citation_ids == tuple(old) != ()
    assert ask([MAYOR], "Who is the mayor of Dunmere?").stale_citation_ids == (), "nothing newer is known"
    recent = {**HARBOUR, "published_at": "2024-02-20"}
    assert ask([MAYOR, recent], "Who is the mayor of Dunmere?").stale_citation_ids == ()
    assert ask([MAYOR, HARBOUR], "What did Ruta Vale promise?").stale_citation_ids == (), "it happened"
    assert ask([MAYOR, QUARRY], "Who is the mayor of Dunmere?").stale_citation_ids == (), "of another matter"


def test_whether_the_sources_are_of_the_time_asked_for_is_said(ask: Ask) -> None:
    question = "For how much was the Marlow quarry sold {}?"
    undated = {name: value for name, value in QUARRY.items() if name != "published_at"}
    assert ask([undated], question.format("in March 2025")).period_kept is False, "nobody knows"
    said = {**undated, "text": QUARRY["text"].replace("on Monday", "in March 2025")}
    assert ask([said], question.format("in March 2025")).period_kept is True
    kept = [ask([QUARRY], question.format(when)) for when in ("in March 2025", "to Dunmere Stone")]
    assert all("31 million" in one.answer for one in kept)
    assert [one.period_kept for one in kept] == [True, None]
    declined = ask([QUARRY], question.format("in June 2023"))
    assert (declined.answer_mode, declined.period_kept) == ("abstained", None)


TRAM = {
    "title": "Tram line 6 suspended",
    "text": "Tram line 6 is suspended after a tram derailed. In all 11 people were slightly hurt.",
    "published_at": "2025-03-18",
}
AGROUND = {
    "title": "Ferry aground",
    "text": "A passenger ferry ran aground off Almeric. In all 23 people were hurt, the coast guard said.",
    "published_at": "2025-03-18",
}


def test_a_topic_put_in_front_of_a_question_binds_its_answer(ask: Ask) -> None:
    assert "23 people" in ask([TRAM, AGROUND], "the ferry: how many people were hurt?").answer
    assert "11 people" in ask([TRAM, AGROUND], "the tram: how many people were hurt?").answer
    silent = {**TRAM, "text": "Tram line 6 is suspended after a tram derailed. A worn switch was the cause."}
    assert ask([silent, AGROUND], "the tram: how many people were hurt?").answer == ABSTENTION
    assert "23 people" in ask([TRAM, AGROUND], "A quick question: how many people were hurt on the ferry?").answer
    company = {
        "title": "Skerra Line",
        "text": "The managing director of Skerra Line, Leopold Faye, resigned on Monday.",
    }
    assert "Faye" in ask([AGROUND, company], "the ferry: who is the managing director of that company?").answer


def test_a_question_is_taken_as_it_is_written_on_request(tmp_path: Path, reader: Reader) -> None:
    with closing(EmbeddedCorpus.open(tmp_path, identity=ENCODER.identity)) as corpus:
        ingest([RawArticle(**REGATTA, origin="row:0")], corpus=corpus, encoder=ENCODER)
        resolve = FollowUps(corpus, generator=None)
        answerer = Answerer(corpus=corpus, encoder=ENCODER, reader=reader, settings=Settings(), resolve=resolve)
        turns = [turn_of(answerer.ask(Question(question="Who won the Almeric Regatta?", as_of=AS_OF)))]
        asked = [
            answerer.ask(Question(question="How old is she?", as_of=AS_OF, as_written=plain), history=turns)
            for plain in (False, True)
        ]
    assert [one.resolved_query for one in asked] == ["How old is Sela Brook?", "How old is she?"]


# --- how things are now, and of which month a figure is told


def told(published: str, text: str, title: str = "Notes") -> dict[str, str]:
    return {"title": title, "text": text, "published_at": published}


FIGURES = [
    (
        "What was inflation in Quell last month?",
        "2.4",
        [
            told(
                "2025-02-12",
                "Annual inflation in Quell slowed to 3.9 percent in January, the bureau said on Wednesday.",
            ),
            told(
                "2025-03-11", "Annual inflation in Quell slowed to 2.4 percent in February, the bureau said on Tuesday."
            ),
        ],
    ),
    (
        "What was Pemm's unemployment rate last month?",
        "8.1",
        [
            told(
                "2025-02-05", "Pemm's unemployment rate came to 7.7 percent in January, the labour exchange reported."
            ),
            told(
                "2025-03-05", "Unemployment in Pemm went up to 8.1 percent in February, the labour exchange reported."
            ),
        ],
    ),
    (
        "What was the milk price in Arl last month?",
        "42",
        [
            told("2025-02-03", "January's milk price in Arl averaged 39 crowns, the dairies said."),
            told("2025-03-03", "February's milk price in Arl averaged 42 crowns, the dairies said."),
        ],
    ),
    (
        "How many skiers came to Tolve last month?",
        "5,200",
        [
            told("2025-02-04", "Some 6,900 skiers came to Tolve, the lift company said.", "January skiers in Tolve"),
            told("2025-03-04", "Some 5,200 skiers came to Tolve, the lift company said.", "February skiers in Tolve"),
        ],
    ),
    (
        "How many visitors did the Gorm mill draw last year?",
        "71,000",
        [
            told("2024-02-02", "The Gorm mill drew 64,000 visitors in 2023, its keeper said."),
            told("2025-02-02", "The Gorm mill drew 71,000 visitors in 2024, its keeper said."),
        ],
    ),
    (
        "How many people were hurt in Ulm Bay last month?",
        "17",
        [told("2025-02-13", "On 12 February a tram left its rails in Ulm Bay and 17 people were hurt.")],
    ),
]


@pytest.mark.parametrize(("question", "figure", "articles"), FIGURES)
def test_a_figure_is_of_the_month_that_is_named_with_it(
    ask: Ask, question: str, figure: str, articles: Sequence[Mapping[str, str]]
) -> None:
    answer = ask(articles, question)
    assert answer.short_answer is not None
    assert figure in answer.short_answer.text
    assert answer.period_kept is True
    if len(articles) > 1:
        assert ask(articles[:1], question).abstain_reason, "a report of another month tells nothing of this one"


HOLDERS = [
    (
        "Who is the coach of Wend Rovers?",
        "Ivo Sand",
        [
            told("2025-01-10", "Karl Dorn, the coach of Wend Rovers, signed until 2027 on Friday."),
            told(
                "2025-03-17",
                "Wend Rovers dismissed coach Karl Dorn on Monday. Ivo Sand was appointed as his successor.",
            ),
        ],
    ),
    (
        "Who is the chief executive of Palk Shipping?",
        "Ruth Amsel",
        [
            told("2024-11-10", "Chief executive Leo Varn of Palk Shipping ordered two ferries."),
            told(
                "2025-03-01",
                "The board of Palk Shipping fired chief executive Leo Varn and appointed Ruth Amsel in his place.",
            ),
        ],
    ),
    (
        "Who is the mayor of Istr?",
        "Nora Feld",
        [
            told("2024-05-11", "Istr Mayor Hugo Lamm opened the baths on Sunday."),
            told(
                "2025-02-20", "Nora Feld was sworn in as mayor of Istr on Monday. She follows Hugo Lamm, who resigned."
            ),
        ],
    ),
    (
        "Who is the director of the Brae museum?",
        "Jens Wick",
        [
            told("2024-12-01", "Jens Wick, director of the Brae museum, showed the new wing."),
            told("2025-03-18", "The former director of the Brae museum, Mia Prank, signed her memoirs on Tuesday."),
        ],
    ),
    (
        "Who is the mayor of Thurn?",
        "Abel Rist",
        [
            told("2024-12-01", "Mayor Abel Rist of Thurn opened the fair."),
            told("2025-03-15", "The deputy mayor of Thurn, Else Nagl, opened the market on Saturday."),
        ],
    ),
]


@pytest.mark.parametrize(("question", "holder", "articles"), HOLDERS)
def test_an_office_is_held_by_whom_the_newest_article_tells(
    ask: Ask, question: str, holder: str, articles: Sequence[Mapping[str, str]]
) -> None:
    answer = ask(articles, question)
    assert answer.short_answer is not None
    assert answer.short_answer.text == holder


def test_a_successor_is_found_behind_many_reports_of_the_one_who_left(ask: Ask) -> None:
    text = "Wend Rovers beat {} 2-0. Coach Karl Dorn, the coach of Wend Rovers, praised his team."
    clubs = ["Holm", "Menn", "Rudd", "Selt", "Alda", "Corb", "Vinn", "Lomm"]
    reports = [told(f"2024-{month:02d}-12", text.format(club)) for month, club in enumerate(clubs, start=3)]
    newest = told(
        "2025-03-17", "Wend Rovers dismissed coach Karl Dorn on Monday. Ivo Sand was appointed as his successor."
    )
    answer = ask([*reports, newest], "Who is the coach of Wend Rovers?")
    assert answer.short_answer is not None
    assert answer.short_answer.text == "Ivo Sand"


def test_where_only_a_dismissal_is_told_it_is_quoted_and_nobody_is_named(ask: Ask) -> None:
    articles = [
        told("2025-01-10", "Ansel FC coach Paul Merk trained with his team."),
        told("2025-03-16", "Ansel FC sacked coach Paul Merk on Sunday."),
    ]
    answer = ask(articles, "Who is the coach of Ansel FC?")
    assert answer.short_answer is None
    assert answer.answer.startswith("Ansel FC sacked coach Paul Merk on Sunday.")
    earlier = ask(articles[:1], "Who is the coach of Ansel FC?")
    assert earlier.short_answer is not None
    assert earlier.short_answer.text == "Paul Merk"


COUNTS = [
    (
        "How many divers are missing in Rusk?",
        "two",
        [
            told(
                "2025-03-16",
                "A boat sank off Rusk on Sunday. Eight divers are missing.",
                "Eight divers missing in Rusk",
            ),
            told(
                "2025-03-18", "Six of the divers were found alive off Rusk, and two are still missing.", "Hope in Rusk"
            ),
        ],
    ),
    (
        "How many homes are without power in Sill?",
        "about 3,100",
        [
            told("2025-03-10", "Some 52,000 homes are without power in Sill after the storm, the grid operator said."),
            told("2025-03-19", "About 3,100 homes are still without power in Sill, the grid operator said."),
        ],
    ),
]


@pytest.mark.parametrize(("question", "count", "articles"), COUNTS)
def test_what_is_counted_now_is_counted_by_the_newest(
    ask: Ask, question: str, count: str, articles: Sequence[Mapping[str, str]]
) -> None:
    for order in (articles, articles[::-1]):
        answer = ask(order, question)
        assert answer.short_answer is not None
        assert answer.short_answer.text.casefold() == count


@pytest.mark.parametrize("when", ["", " two days ago", " in the past 72 hours"])
def test_a_time_that_is_understood_does_not_bring_a_decline(ask: Ask, when: str) -> None:
    articles = [told("2025-03-18", "Vandals broke the windows of the swimming pool in Esk.")]
    answer = ask(articles, f"What happened to the pool in Esk{when}?")
    assert answer.answer == articles[0]["text"]


# --- words without a question, and tables
def test_words_without_a_question_are_met_by_the_sentence_that_has_them_all(ask: Ask) -> None:
    dig = {"title": "Find", "text": "Diggers found an old anchor below the market of Velda. It rained."}
    answer = ask([dig, QUARRY], "old anchor velda")
    assert answer.answer == "Diggers found an old anchor below the market of Velda."
    assert answer.support_score == 0.5
    assert ask([dig, QUARRY], "anchor velda castle").answer_mode == "abstained"


def test_a_cell_of_a_table_is_found_and_its_row_quoted(ask: Ask) -> None:
    rows = "Ship | Seats | Built\nBelinda | 180 | 1998\nAlmeric | 220 | 2011"
    fleet = {"title": "The fleet of Orrin Line", "text": f"Orrin Line runs two ships, says its list.\n\n{rows}"}
    answer = ask([fleet, QUARRY], "When was the Almeric built?")
    assert (answer.answer, answer.short_answer.text) == ("Almeric | 220 | 2011", "2011")
