"""What a model reads: evidence becomes texts within a budget of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from embeddings.types import Article, article_version
from qa.generation.prompt import Context, build, count_tokens
from qa.types import Evidence

TEXT = " ".join(f"Sentence number {number} tells of the harbour and its bridges." for number in range(60))
OTHER = "A short note about something else."


def look_up(article_id: str, version: str) -> Article | None:
    for text in (TEXT, OTHER):
        if version == article_version(text):
            return Article(id=article_id, version=version, title="", text=text)
    return None


def built(evidence: Sequence[Evidence], *, budget: int = 3000, most: int = 8) -> Context:
    context = build(evidence, article=look_up, budget=budget, most=most)
    for source in context.sources:
        passage = source.stored.passage
        article = look_up(passage.article_id, passage.article_version)
        assert article is not None
        assert article.text[source.start : source.end] == source.text
    return context


def test_overlapping_and_near_passages_become_one(evidence_of: Callable[..., Evidence]) -> None:
    spans = [(1000, 1500), (400, 700), (1400, 1900), (0, 300)]
    context = built([evidence_of(TEXT, span=span) for span in spans])
    assert [(source.start, source.end) for source in context.sources] == [(0, 1900)]
    assert context.omitted == 0


def test_far_passages_and_other_articles_stay_apart_in_order_of_rank(evidence_of: Callable[..., Evidence]) -> None:
    context = built(
        [evidence_of(TEXT, span=(2500, 2900)), evidence_of(OTHER, article="b"), evidence_of(TEXT, span=(0, 300))]
    )
    assert [(s.stored.passage.article_id, s.start) for s in context.sources] == [("a1", 2500), ("b", 0), ("a1", 0)]


def test_a_bridging_passage_joins_both_sides(evidence_of: Callable[..., Evidence]) -> None:
    context = built([evidence_of(TEXT, span=span) for span in [(0, 300), (1200, 1500), (600, 900)]])
    assert [(source.start, source.end) for source in context.sources] == [(0, 1500)]


def test_the_same_text_in_two_articles_is_not_merged(evidence_of: Callable[..., Evidence]) -> None:
    context = built([evidence_of(OTHER, article="a"), evidence_of(OTHER, article="b")])
    assert len(context.sources) == 2


@pytest.mark.parametrize("budget", [0, 100, 200, 400, 800, 3000])
def test_the_budget_holds_and_what_does_not_fit_is_counted(budget: int, evidence_of: Callable[..., Evidence]) -> None:
    evidence = [evidence_of(TEXT, span=(start, start + 400)) for start in (0, 1000, 2000, 3000)]
    evidence.append(evidence_of(OTHER, article="b"))
    context = built(evidence, budget=budget)
    assert sum(count_tokens(source.text) for source in context.sources) <= budget
    assert context.omitted + len(context.sources) == len(evidence)
    if budget == 100:
        assert [source.stored.passage.article_id for source in context.sources] == ["b"], "a smaller one still fits"


def test_no_more_sources_than_wanted(evidence_of: Callable[..., Evidence]) -> None:
    evidence = [evidence_of(TEXT, span=(start, start + 100)) for start in (0, 1000, 2000)]
    context = built([*evidence, evidence_of(TEXT, span=(100, 200))], most=2)
    assert [(source.start, source.end) for source in context.sources] == [(0, 200), (1000, 1100)]
    assert context.omitted == 1


def test_an_article_that_is_gone_is_omitted(evidence_of: Callable[..., Evidence]) -> None:
    gone = [evidence_of("Gone. " * 200, article="g", span=span) for span in [(0, 500), (600, 900)]]
    context = built([*gone, evidence_of(OTHER, article="b")])
    assert context.omitted == 2
    assert [source.text for source in context.sources] == [OTHER]


def test_special_token_spellings_are_plain_text() -> None:
    # As a special token this would be one; tiktoken's default is to raise.
    assert count_tokens("<|endoftext|>") > 1
