"""What became of quoted articles, and answers without what may not be quoted any more."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from embeddings.types import Article, article_version
from qa.conversations.changes import WITHDRAWN, Find, _changes, rechecked
from qa.types import AlsoReported, Answer, Citation, Claim, SearchResult, ShortAnswer, Usage

SENTENCES = [f"Sentence number {n} tells of the harbour." for n in range(40)]
TEXTS = {"a": "The harbour reopened on Monday. 4,200 people work there.", "b": "A ferry ran aground.", "c": "Other."}


def texts(run: list[str]) -> str:
    return " ".join(run)


@pytest.mark.parametrize("seed", range(30))
def test_the_changes_make_the_new_text_of_the_old_one(seed: int) -> None:
    rng = random.Random(seed)
    old = rng.sample(SENTENCES, rng.randint(0, 12))
    new = [one for one in old if rng.random() < 0.8] + rng.sample(SENTENCES, rng.randint(0, 3))
    then, now = texts(old), texts(new)
    found = list(_changes(then, now, []))
    made, place = "", 0
    for change in found:
        assert then[change.before_start_char_index : change.before_end_char_index] == change.before
        assert now[change.after_start_char_index : change.after_end_char_index] == change.after
        made += then[place : change.before_start_char_index] + f" {change.after} "
        place = change.before_end_char_index
    assert (made + then[place:]).split() == now.split()
    assert bool(found) == (then != now)


def test_a_change_knows_whether_quoted_words_are_in_it() -> None:
    then, now = "It rained. It snowed. It froze.", "It rained. It hailed. It froze."
    (first,) = _changes(then, now, [(0, 10)])
    assert not first.quoted
    (second,) = _changes(then, now, [(12, 15)])
    assert second.quoted


def test_texts_that_differ_throughout_are_one_change() -> None:
    then = " ".join(f"Old line {n} is here." for n in range(3_000))
    now = " ".join(f"New line {n} is here." for n in range(2_500))
    (change,) = _changes(f"Same top. {then} Same end.", f"Same top. {now} Same end.", [])
    assert (change.before, change.after) == (then, now)


def version(name: str) -> str:
    return article_version(TEXTS[name])


def result(name: str, *also: str) -> SearchResult:
    return SearchResult(
        passage_id=f"p{name}",
        article_id=name,
        article_version=version(name),
        title=name,
        source="",
        url=None,
        published_at=None,
        text=TEXTS[name],
        start_char_index=0,
        end_char_index=len(TEXTS[name]),
        score=1.0,
        also_reported_by=tuple(
            AlsoReported(article_id=n, article_version=version(n), title=n, source="", url=None, published_at=None)
            for n in also
        ),
    )


@pytest.fixture
def answer() -> Answer:
    text = TEXTS["a"][:31]
    return Answer(
        id="ans_1",
        conversation_id="conv_1",
        question="When?",
        resolved_query="When?",
        as_of="2024-06-04T00:00:00Z",
        answer=text,
        answer_mode="extractive",
        fallback_reason="no_model",
        abstain_reason=None,
        short_answer=ShortAnswer(
            text="Monday", article_id="a", article_version=version("a"), start_char_index=24, end_char_index=30
        ),
        claims=(Claim(text=text, start=0, end=31, verdict="supported", support_score=0.9, citation_ids=("c1",)),),
        citations=(
            Citation(
                id="c1",
                start=0,
                end=31,
                article_id="a",
                article_version=version("a"),
                title="a",
                source="",
                url=None,
                published_at=None,
                cited_text=text,
                start_char_index=0,
                end_char_index=31,
            ),
        ),
        conflicts=(),
        search_results=(result("a", "c"), result("b")),
        support_score=0.9,
        usage=Usage(),
        timings_ms={},
    )


@pytest.fixture
def holding() -> Callable[..., Find]:
    """`holding("a", b="other words")`: a store of these articles, some of them altered behind its back."""

    def make(*names: str, **altered: str) -> Find:
        texts = {name: TEXTS[name] for name in names} | altered
        return lambda name, v: Article(id=name, version=v, title="", text=texts[name]) if name in texts else None

    return make


def test_what_still_holds_is_the_same_answer(answer: Answer, holding: Callable[..., Find]) -> None:
    assert rechecked(answer, find=holding("a", "b", "c")) == (answer, 0)


@pytest.mark.parametrize("find", [("b", "c"), {"a": "The harbour reopened on Tuesday. 9 people work there.", "b": "x"}])
def test_nothing_of_a_removed_or_altered_article_is_quoted(
    answer: Answer, holding: Callable[..., Find], find: tuple[str, ...] | dict[str, str]
) -> None:
    store = holding(**find) if isinstance(find, dict) else holding(*find)
    shown, withheld = rechecked(answer, find=store)
    expected = ("abstained", "source_withdrawn", WITHDRAWN["removed"])
    assert (shown.answer_mode, shown.abstain_reason, shown.answer) == expected
    assert (shown.claims, shown.citations, shown.short_answer) == ((), (), None)
    assert shown.usage.citations_dropped == 1
    assert withheld >= 3
    assert b"harbour" not in msgspec.json.encode(shown)
    assert (shown.id, shown.question, shown.conversation_id) == (answer.id, answer.question, answer.conversation_id)


def test_a_search_result_that_is_gone_leaves_the_answer_alone(answer: Answer, holding: Callable[..., Find]) -> None:
    shown, withheld = rechecked(answer, find=holding("a"))
    assert withheld == 1
    assert (shown.answer, shown.citations) == (answer.answer, answer.citations)
    (only,) = shown.search_results
    assert (only.article_id, only.also_reported_by) == ("a", ())
