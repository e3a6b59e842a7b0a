"""What is read off one example: rankings, right and wrong, foreign answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.types import article_version
from qa.answers import ABSTENTION
from qa.evaluation import CitedArticle, Example, Failure, ForeignAnswer, ForeignCitation, GoldSpan, Prediction
from qa.evaluation.judge import judge
from qa.evaluation.measures import Observed, article_ranking, gold_articles, observe, parts_touched, passage_ranking
from qa.evaluation.metrics.answers import is_exact_span, judge_citations
from qa.evaluation.replies import Articles, Cited, reply, words_pointed_at
from qa.grounding.mismatches import LexicalChecker
from qa.types import AlsoReported, SearchResult

TEXT = "The Osprey Bridge closed on Monday. Inspectors found cracks in 27 hangers. Nobody was hurt."
ARTICLE = CitedArticle(
    id="a1", version=article_version(TEXT), title="Bridge shut", text=TEXT, url="https://news.example/bridge"
)
ARTICLES: Articles = {(ARTICLE.id, ARTICLE.version): ARTICLE}


def result(name: str = "a1", *, span: tuple[int, int] = (0, len(TEXT)), **given: Any) -> SearchResult:
    values: dict[str, Any] = {
        "passage_id": f"{name}-{span[0]}",
        "article_id": name,
        "article_version": "v",
        "title": f"Title of {name}",
        "source": "",
        "url": f"https://news.example/{name}",
        "published_at": None,
        "text": TEXT[slice(*span)],
        "start_char_index": span[0],
        "end_char_index": span[1],
        "score": 1.0,
    }
    return SearchResult(**(values | given))


def example(**given: Any) -> Example:
    return Example(id="e", question="What was found?", **given)


# --- what is relevant


@pytest.mark.parametrize(
    "expected",
    [
        {"gold_article_ids": ("gold",)},
        {"gold": (GoldSpan(article_id="gold", text="x"),)},
        {"gold_urls": ("HTTPS://News.Example:443/gold?utm_source=x#top",)},
        {"gold": (GoldSpan(url="https://news.example/gold", text="x"),)},
        {"gold": (GoldSpan(title="Title of gold", text="x"),)},
    ],
)
def test_the_gold_article_is_known_however_it_is_named(expected: dict[str, Any]) -> None:
    ranking = article_ranking(example(**expected), [result("b"), result("gold"), result("c")])
    assert [name in ranking.relevant for name in ranking.names] == [False, True, False]
    assert len(ranking.relevant) == 1


def test_one_article_named_in_two_ways_is_expected_once() -> None:
    asked = example(gold_article_ids=("gold",), gold_urls=("https://news.example/gold",))
    assert gold_articles(asked) == {"id gold"}


def test_a_story_counts_as_its_gold_article_and_an_article_once() -> None:
    also = AlsoReported(article_id="gold", article_version="v", title="", source="", url=None, published_at=None)
    found = [result("b"), result("b", span=(4, 9)), result("copy", also_reported_by=(also,))]
    ranking = article_ranking(example(gold_article_ids=("gold",)), found)
    assert ranking.names == ("id b", "id gold")


def test_a_passage_is_relevant_for_the_words_it_holds_whole() -> None:
    words = "cracks in 27 hangers"
    start = TEXT.index(words)
    placed = GoldSpan(article_id="a1", text=words, start=start, end=start + len(words))
    found = [result(span=(0, start + 4)), result(span=(start, len(TEXT)))]
    assert passage_ranking(example(gold=(placed,)), found).names[1] == "part 1"
    assert passage_ranking(example(gold=(GoldSpan(title="Title of a1", text=words),)), found).names[1] == "part 1"
    other = passage_ranking(example(gold=(GoldSpan(article_id="a2", text=words),)), found)
    assert not set(other.names) & other.relevant


def test_each_part_is_found_once_and_parts_of_one_passage_together() -> None:
    parts = [GoldSpan(article_id="a1", text=text, part=n) for n, text in enumerate(["Monday", "27", "Nobody"], start=1)]
    alternative = GoldSpan(article_id="a1", text="Osprey", part=1)
    first = passage_ranking(example(gold=(*parts, alternative)), [result(span=(0, 70)), result(), result(span=(0, 20))])
    assert first.names == ("part 1", "part 3", "a1-0")
    assert first.relevant == {"part 1", "part 3"}, "the first passage holds part 2 as well"
    apart = passage_ranking(example(gold=tuple(parts)), [result(span=(0, 36))])
    assert (apart.names, apart.relevant) == (("part 1",), {"part 1", "part 2", "part 3"})


def test_a_citation_touches_the_words_it_shares_with_what_was_expected() -> None:
    cited = Cited(
        article_id="a1",
        url=None,
        title="",
        published_at=None,
        text=TEXT[36:74],
        span=(36, 74),
        exact=True,
        article=ARTICLE,
    )
    gold = (
        GoldSpan(article_id="a1", text="cracks", start=53, end=59, part=1),
        GoldSpan(article_id="a1", text="Monday", start=28, end=34, part=2),
        GoldSpan(article_id="a1", text="Inspectors found cracks in 27 hangers. Nobody", part=3),
        GoldSpan(article_id="a2", text="cracks", part=4),
    )
    assert parts_touched(example(gold=gold), [cited]) == [True, False, True, False]


# --- foreign answers


def foreign(text: str, *citations: ForeignCitation) -> Prediction:
    return Prediction(
        example_id="e", started_at="", latency_ms=5.0, foreign=ForeignAnswer(text=text, citations=citations)
    )


def seen(prediction: Prediction | None, **expected: Any) -> Observed:
    said = reply(prediction, ARTICLES) if prediction else None
    asked = example(**expected)
    judgements = judge(said, question=asked.question, checker=LexicalChecker()) if said and not said.declined else ()
    return observe(asked, prediction, reply=said, judgements=judgements)


URL = "https://news.example/bridge?utm_source=feed"


def test_annotations_of_a_foreign_server_are_judged_by_the_articles_they_name() -> None:
    text = "Inspectors found cracks in 27 hangers. The mayor resigned on Friday."
    cited = ForeignCitation(url=URL, start=0, end=37)
    other = ForeignCitation(url=URL, start=39, end=len(text))
    found = seen(foreign(text, cited, other), answers=("27",), gold_urls=("https://news.example/bridge",))
    assert found.right == 1.0
    assert found.values["grounding.citation_recall"] == (0.5,)
    assert found.values["grounding.citation_precision"] == (0.5,)
    assert found.values["grounding.claims_supported"] == (1.0, 0.0)
    assert found.values["grounding.cites_gold_article"] == (1.0,)
    assert found.values["grounding.cited_article_answers"] == (1.0, 1.0)
    assert "grounding.exact_spans" not in found.values, "it claims no exact words"
    assert not [name for name in found.values if name.startswith("retrieval")], "what it retrieved is not known"


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("#:~:text=cracks%20in%2027%20hangers", "cracks in 27 hangers"),
        ("#:~:text=Inspectors,27", "Inspectors found cracks in 27"),
        ("#:~:text=found-,cracks,-in", "cracks"),
        ("#part:~:text=NOBODY%20was", "Nobody was"),
        ("#:~:text=nowhere", None),
        ("#:~:text=27,Osprey", None),
        ("#:~:text=", None),
        ("#top", None),
        ("", None),
    ],
)
def test_words_that_a_link_points_at_are_the_cited_ones(fragment: str, words: str | None) -> None:
    span = words_pointed_at(f"https://news.example/bridge{fragment}", TEXT)
    assert (TEXT[slice(*span)] if span else None) == words
    found = reply(foreign("It closed.", ForeignCitation(url=f"https://news.example/bridge{fragment}")), ARTICLES)
    assert found is not None
    assert found.citations[0].text == (words or TEXT)
    assert found.citations[0].span == span


def test_a_citation_without_a_place_belongs_to_every_sentence() -> None:
    found = seen(foreign("Nobody was hurt. It closed on Monday.", ForeignCitation(url=URL)), answers=("Monday",))
    assert len(found.values["grounding.claims_supported"]) == 2
    assert found.values["grounding.citation_recall"][0] >= 0.5


def test_a_link_to_an_article_nobody_knows_supports_nothing() -> None:
    text = "Inspectors found cracks in 27 hangers."
    found = seen(foreign(text, ForeignCitation(url="https://elsewhere.example/")), answers=("27",))
    assert found.values["grounding.citation_recall"] == (0.0,)
    assert found.values["grounding.citation_precision"] == (0.0,)
    assert found.values["grounding.sources_known"] == (0.0,)


def test_where_no_article_is_known_nothing_is_said_of_the_claims() -> None:
    prediction = foreign("Inspectors found cracks in 27 hangers.", ForeignCitation(url=URL))
    said = reply(prediction, {})
    assert said is not None
    asked = example(answers=("27",), gold=(GoldSpan(url=URL, text="cracks"),))
    found = observe(asked, prediction, reply=said, judgements=())
    assert [name for name in found.values if name.startswith("grounding")] == [
        "grounding.sources_known",
        "grounding.cites_gold_article",
        "grounding.cited_article_answers",
    ]


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        (ABSTENTION, True),
        ("", True),
        ("I'm sorry, but the articles do not mention it.", True),
        ("I cannot answer that from the sources.", True),
        ("The sources do not say when.", True),
        ("Nobody was hurt.", False),
        ("The articles of association were changed on Monday.", False),
        ("Nothing was found.", False),
    ],
)
def test_models_decline_in_words(text: str, declined: bool) -> None:
    said = reply(foreign(text), ARTICLES)
    assert said is not None
    assert said.declined == declined


# --- right and wrong


def test_what_must_not_be_said_makes_an_answer_wrong() -> None:
    asked = {"answers": ("27",), "must_not_say": ("31",)}
    assert seen(foreign("27 hangers."), **asked).right == 1.0
    both = seen(foreign("27 hangers, not 31."), **asked)
    assert both.right == 0.0
    assert both.values["answer.must_not_say"] == (1.0,)
    assert seen(foreign("1931 hangers, of which 27."), **asked).right == 1.0


def test_nothing_is_judged_where_the_example_does_not_say_what_is_right() -> None:
    found = seen(foreign("27 hangers."))
    assert found.right is None
    assert not {name for name in found.values if name.startswith("abstention")}
    assert "answer.right" not in found.values


@pytest.mark.parametrize("expected", [{"answers": ("27",)}, {"answerable": False}])
def test_what_failed_is_neither_right_nor_declined(expected: dict[str, Any]) -> None:
    broken = Prediction(example_id="e", started_at="", latency_ms=0.0, failure=Failure(kind="broken", message="500"))
    for prediction in (broken, None):
        found = seen(prediction, **expected)
        assert (found.right, found.declined, found.answered, found.latency_ms) == (0.0, False, False, None)
        assert found.values["run.failed"] == (1.0,)
        assert found.values["answer.f1"] == (0.0,)
        assert "abstention.recall" not in found.values


def test_an_abstention_scores_as_squad_scores_no_answer() -> None:
    declined = seen(foreign(ABSTENTION), answerable=False)
    assert (declined.right, declined.values["answer.f1"], declined.values["answer.exact_match"]) == (
        1.0,
        (1.0,),
        (1.0,),
    )
    missed = seen(foreign(ABSTENTION), answers=("27",))
    assert (missed.right, missed.values["answer.f1"]) == (0.0, (0.0,))


# --- exact words


@pytest.mark.parametrize(
    ("span", "words", "exact"),
    [
        ((0, 3), "The", True),
        ((1, 4), "The", False),
        ((0, 3), "the", False),
        ((-len(TEXT), 3), "The", False),  # Python would count from the end
        ((0, 10_000), TEXT, False),
        ((3, 3), "", False),
        ((3, 0), "", False),
    ],
)
def test_a_span_is_exact_or_it_is_not(span: tuple[int, int], words: str, exact: bool) -> None:
    assert is_exact_span(TEXT, *span, words=words) == exact
    assert not is_exact_span(None, *span, words=words)


# --- ALCE


@pytest.mark.parametrize(
    ("cited", "recalled", "precise", "minimal"),
    [
        ([], False, (), None),
        (["x"], False, (False,), None),
        (["ab"], True, (True,), True),
        (["a", "b"], True, (True, True), True),
        (["ab", "x"], True, (True, False), False),
        (["ab", "a"], True, (True, False), False),
        (["ab", "ab"], True, (True, True), False),  # either supports alone, so neither is irrelevant; one is too many
        (["a", "x"], False, (False, False), None),
    ],
)
def test_citations_are_judged_as_alce_defines_it(
    cited: list[str], recalled: bool, precise: tuple[bool, ...], minimal: bool | None
) -> None:
    found = judge_citations("ab", cited=cited, supports=lambda claim, texts: set(claim) <= set("".join(texts)))
    assert (found.recalled, found.precise, found.minimal) == (recalled, precise, minimal)


def alce(claims: Sequence[Sequence[set[str]]], wanted: Sequence[set[str]]) -> tuple[float, float]:
    """Recall and precision of one answer as ALCE's evaluation reckons them, written anew: sums over its sentences."""

    def entails(premises: Sequence[set[str]], claim: set[str]) -> bool:
        return claim <= set().union(*premises)

    recalled = precise = total = 0
    for cited, claim in zip(claims, wanted, strict=True):
        joint = bool(cited) and entails(cited, claim)
        recalled += joint
        total += len(cited)
        if joint and len(cited) == 1:
            precise += 1
        elif joint:
            for place, one in enumerate(cited):
                rest = [other for n, other in enumerate(cited) if n != place]
                overcited = not entails([one], claim) and entails(rest, claim)
                precise += not overcited
    return recalled / len(claims), precise / total if total else 0.0


FACTS = st.frozensets(st.sampled_from("abc"), max_size=3)


@given(st.lists(st.tuples(st.lists(FACTS, max_size=4), FACTS.filter(bool)), min_size=1, max_size=5))
def test_citation_recall_and_precision_are_those_of_alce(
    answer: list[tuple[list[frozenset[str]], frozenset[str]]],
) -> None:
    judged = [
        judge_citations(
            "".join(sorted(claim)),
            cited=["".join(sorted(one)) for one in cited],
            supports=lambda said, texts: set(said) <= set("".join(texts)),
        )
        for cited, claim in answer
    ]
    marks = [good for one in judged for good in one.precise]
    recall = sum(one.recalled for one in judged) / len(judged)
    precision = sum(marks) / len(marks) if marks else 0.0
    expected = alce([[set(one) for one in cited] for cited, _ in answer], [set(claim) for _, claim in answer])
    assert (recall, precision) == pytest.approx(expected)
