from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import index_articles
from embeddings.types import Article, Hit, Hits, Where, article_version
from qa.retrieval.search import Depth, RankedBy, fuse, is_near, retrieve
from qa.types import Evidence

ENCODER = load("hashing")
STORY = " ".join(
    f"The Saint Orlane ferry struck reef number {n} at dawn while deck {n} was still asleep and officer {n} slept."
    for n in range(20)
)
COMET = "A comet passed over the mountain and the ferry port watched it. Nobody slept."
BANK = "The bank raised its rates; the ferry company owes it millions of crowns."
MAYOR = "The mayor lost the second round by nine votes, and took the ferry home."

Find = Callable[..., tuple[Evidence, ...]]


def article(name: str, text: str, *, published_at: str | None = None, source: str = "Wire") -> Article:
    return Article(
        id=name, version=article_version(text), title="", text=text, source=source, published_at=published_at
    )


@pytest.fixture
def find(tmp_path: Path) -> Iterator[Callable[[Sequence[Article]], Find]]:
    """Indexes articles and gives the search over them."""
    corpus = EmbeddedCorpus.open(tmp_path / "store", identity=ENCODER.identity)

    def over(articles: Sequence[Article]) -> Find:
        index_articles(articles, corpus=corpus, encoder=ENCODER)

        def search(  # type: ignore[no-untyped-def]
            text: str,
            *,
            where: Where | None = None,
            as_of: datetime | None = None,
            ranked_by: RankedBy = "hybrid",
            **depth: int,
        ):
            return retrieve(
                corpus,
                text=text,
                vector=ENCODER.encode_query(text),
                where=where or Where(),
                depth=Depth(**depth),
                as_of=as_of,
                ranked_by=ranked_by,
            )

        return search

    yield over
    corpus.close()


def ids(found: Sequence[Evidence]) -> list[str]:
    return [item.stored.passage.article_id for item in found]


# --- fusion


@st.composite
def rankings(draw: st.DrawFn) -> tuple[Hit, ...]:
    keys = draw(st.lists(st.integers(1, 30), unique=True, max_size=12))
    return tuple(Hit(key, 1.0 - rank / 50) for rank, key in enumerate(keys))


@given(rankings(), rankings())
def test_neither_list_counts_more(one: tuple[Hit, ...], other: tuple[Hit, ...]) -> None:
    there, back = fuse(Hits(dense=one, lexical=other)), fuse(Hits(dense=other, lexical=one))
    assert there == pytest.approx(back)
    assert there.keys() == {hit.key for hit in (*one, *other)}
    assert all(0 < score <= 1 for score in there.values())


@given(rankings())
def test_agreeing_lists_keep_their_order(ranking: tuple[Hit, ...]) -> None:
    scores = fuse(Hits(dense=ranking, lexical=ranking))
    assert sorted(scores, key=lambda key: -scores[key]) == [hit.key for hit in ranking]


def test_two_middling_ranks_beat_one_good_one() -> None:
    dense = tuple(Hit(key, 0.5) for key in (1, 2, 9))
    lexical = tuple(Hit(key, 5.0) for key in (3, 4, 9))
    scores = fuse(Hits(dense=dense, lexical=lexical))
    assert max(scores, key=lambda key: scores[key]) == 9
    assert scores[1] == pytest.approx(0.5)


def test_an_exact_match_does_not_drown_under_what_is_middling_in_both_lists() -> None:
    """Three hundred look-alikes, one of them with the code that was asked for: no vector tells it from the others."""
    crowd = range(100, 140)
    dense = tuple(Hit(key, 0.8 - number / 1000) for number, key in enumerate(crowd))
    drowned = (Hit(7, 5.0), *(Hit(key, 4.9 - number / 100) for number, key in enumerate(crowd)))
    standing_out = (Hit(7, 9.0), *drowned[1:])
    for lexical, first in ((drowned, False), (standing_out, True)):
        scores = fuse(Hits(dense=dense, lexical=lexical))
        assert (max(scores, key=lambda key: scores[key]) == 7) is first
    few = fuse(Hits(dense=dense, lexical=standing_out[:5]))
    assert few[7] == pytest.approx(0.5), "too short a list shows nothing"


def test_scores_do_not_count_only_ranks() -> None:
    far = fuse(Hits(dense=(Hit(1, 0.01),), lexical=()))
    near = fuse(Hits(dense=(Hit(1, 0.99),), lexical=()))
    assert far == near


# --- evidence


def test_evidence_is_ordered_and_says_how_near_it_is(find: Callable[[Sequence[Article]], Find]) -> None:
    found = find([article("comet", COMET), article("bank", BANK), article("mayor", MAYOR)])(
        "Who lost the second round?"
    )
    assert ids(found)[0] == "mayor"
    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    assert all(item.cosine is not None and -1.001 <= item.cosine <= 1.001 for item in found)


def test_one_list_alone_ranks_when_told_to(find: Callable[[Sequence[Article]], Find]) -> None:
    search = find([article("comet", COMET), article("bank", BANK), article("mayor", MAYOR)])
    lexical, dense = (search("comet crowns", ranked_by=name) for name in ("lexical", "dense"))
    assert set(ids(lexical)) == {"comet", "bank"}  # the dense list always has all three
    assert len(dense) == 3
    cosines = [item.cosine for item in dense]
    assert cosines == sorted(cosines, reverse=True)
    assert lexical[0].score == dense[0].score == 1.0


def test_one_story_told_eight_times_leaves_room_for_three_others(find: Callable[[Sequence[Article]], Find]) -> None:
    copies = [article(f"copy{n}", STORY.replace("at dawn", f"at dawn in paper {chr(97 + n)}", 1)) for n in range(8)]
    others = [article("comet", COMET), article("bank", BANK), article("mayor", MAYOR)]
    found = find([*copies, *others])("Saint Orlane ferry reef", kept=4, per_article=1)
    assert sorted(name.rstrip("01234567") for name in ids(found)) == ["bank", "comet", "copy", "mayor"]
    told = found[0]
    also = [stored.passage.article_id for stored in told.also]
    assert {*also, ids(found)[0]} == {f"copy{n}" for n in range(8)}
    assert len(also) == 7


def test_copies_beyond_the_first_look_do_not_hide_other_stories(find: Callable[[Sequence[Article]], Find]) -> None:
    copies = [article(f"copy{n}", STORY.replace("at dawn", f"at dawn in paper {chr(97 + n)}", 1)) for n in range(12)]
    found = find([*copies, article("comet", COMET)])("Saint Orlane ferry reef", listed=5, kept=2, per_article=1)
    assert len(found) == 2
    assert ids(found)[1] == "comet"


def test_what_only_the_longer_copy_tells_is_evidence_too(find: Callable[[Sequence[Article]], Find]) -> None:
    added = " ".join(
        f"Diver {n} of the salvage crew found crate {n} of smuggled pearls in hold {n}." for n in range(12)
    )
    # The extended copy is a word off at the start, so that the question finds the first one better.
    later = f"{STORY.replace('reef', 'rock', 1)} {added}"
    search = find([article("first", STORY), article("later", later)])
    found = search("Saint Orlane ferry struck reef number 0 at dawn while deck 0 was asleep; pearls")
    assert ids(found) == ["first", "later"]
    assert "smuggled pearls" in found[1].stored.passage.text
    assert "smuggled pearls" not in found[0].stored.passage.text


def test_a_copy_that_adds_nothing_is_no_further_evidence(find: Callable[[Sequence[Article]], Find]) -> None:
    copies = [article(f"copy{n}", STORY.replace("at dawn", f"at dawn in paper {chr(97 + n)}", 1)) for n in range(3)]
    found = find(copies)("Saint Orlane ferry reef")
    assert len(set(ids(found))) == 1
    assert len({stored.passage.article_id for item in found for stored in item.also}) == 2


def test_one_article_gives_no_more_passages_than_asked_for(find: Callable[[Sequence[Article]], Find]) -> None:
    search = find([article("long", STORY), article("comet", COMET)])
    assert ids(search("Saint Orlane ferry reef")).count("long") == 2
    assert ids(search("Saint Orlane ferry reef", per_article=1)).count("long") == 1


def test_articles_from_the_future_take_no_room(find: Callable[[Sequence[Article]], Find]) -> None:
    future = [
        article(
            f"future{n}", f"Turn {n}: the mayor lost round {n} of the ferry vote number {n}.", published_at="2024-07-01"
        )
        for n in range(20)
    ]
    past = article("past", MAYOR, published_at="2024-06-01")
    undated = article("undated", BANK)
    search = find([*future, past, undated])
    asked = "Who lost the ferry vote?"
    as_of = datetime(2024, 6, 4, tzinfo=UTC)
    assert set(ids(search(asked, as_of=as_of, kept=3, listed=4))) == {"past", "undated"}
    assert all(name.startswith("future") for name in ids(search(asked, kept=3, listed=4)))


def test_what_is_published_later_changes_nothing(find: Callable[[Sequence[Article]], Find]) -> None:
    """The past gets every place it would get if the future were not stored, however much of it there is."""
    known = [article(f"past{n}", f"{MAYOR} It was year {n}.", published_at=f"20{n}-06-01") for n in range(10, 18)]
    known.append(article("undated", BANK))
    future = [
        article(f"future{n}", f"The mayor lost the ferry vote {n} of {n * n}.", published_at="2024-07-01")
        for n in range(900)
    ]
    as_of = datetime(2024, 6, 4, tzinfo=UTC)
    asked = ("Who lost the ferry vote?", "What did the bank do?")
    search = find(known)
    alone = [ids(search(one, as_of=as_of)) for one in asked]
    among = find(future)
    assert [ids(among(one, as_of=as_of)) for one in asked] == alone
    assert all(alone)


def test_a_copy_from_the_future_does_not_stand_for_the_one_known(find: Callable[[Sequence[Article]], Find]) -> None:
    early = article("early", STORY, published_at="2024-06-01")
    late = article("late", STORY + " Correction follows.", published_at="2024-07-01")
    (found, *_) = find([late, early])("Saint Orlane ferry reef", as_of=datetime(2024, 6, 4, tzinfo=UTC))
    assert found.stored.passage.article_id == "early"
    assert found.also == ()


def test_filters_hold(find: Callable[[Sequence[Article]], Find]) -> None:
    search = find([article("comet", COMET, source="Sky"), article("bank", BANK, source="Purse")])
    assert ids(search("ferry", where=Where(sources=("Purse",)))) == ["bank"]
    assert search("ferry", where=Where(sources=("Nobody",))) == ()


def test_an_empty_corpus_gives_nothing(find: Callable[[Sequence[Article]], Find]) -> None:
    assert find([])("anything at all") == ()


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("a comet", True),
        ("comet over the mountain", True),
        ("penguin football", False),
        ("the comet in Tasmania on Friday", False),
        ("and the", None),
        ("彗星", None),
    ],
)
def test_what_has_half_of_the_words_is_near(
    find: Callable[[Sequence[Article]], Find], question: str, near: bool
) -> None:
    (found,) = find([article("a", COMET)])(question)
    assert is_near(found, question) is near


def test_what_says_the_like_in_other_words_is_near(find: Callable[[Sequence[Article]], Find]) -> None:
    (found,) = find([article("a", COMET)])("penguins")
    for cosine, near in ((0.41, True), (0.39, False), (None, False)):
        assert is_near(msgspec.structs.replace(found, cosine=cosine), "penguins") is near
