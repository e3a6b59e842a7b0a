"""Trees, bonds, and facts in another's place; parsed with the real encoder where that is the point."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.encoders import load
from embeddings.encoders.encoder import BUNDLED_MODEL
from qa.grounding.aligned import AlignedChecker
from qa.grounding.tree_comparison import grammar_for, kindred, sentence_of
from qa.grounding.trees import ROOT, Tree, bonds_of, likeliest_heads, load_parser
from qa.language.words import words_of

ENCODER = load(BUNDLED_MODEL)


def parsed(text: str) -> Tree:
    tree = load_parser().parse(words_of(text), ENCODER.encode_tokens([text])[0])
    assert tree is not None
    return tree


def roles(text: str) -> set[tuple[str, str, str]]:
    tree = parsed(text)
    return {(tree.words[bond.head].text, bond.role, tree.words[bond.dependent].text.lower()) for bond in bonds_of(tree)}


def is_tree(heads: tuple[int, ...]) -> bool:
    if heads.count(ROOT) != 1:
        return False
    for word in range(len(heads)):
        at, seen = word, set[int]()
        while at != ROOT:
            if at in seen:
                return False
            seen.add(at)
            at = heads[at]
    return True


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(0, 10**6))
def test_the_likeliest_heads_are_the_best_tree_there_is(count: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(count, count + 1)).astype(np.float32)
    scores[np.arange(count), np.arange(count) + 1] = -1e4
    found = likeliest_heads(scores)
    every = [heads for heads in itertools.product(range(-1, count), repeat=count) if is_tree(heads)]
    best = max(sum(float(scores[word, head + 1]) for word, head in enumerate(heads)) for heads in every)
    assert is_tree(found)
    assert sum(float(scores[word, head + 1]) for word, head in enumerate(found)) == pytest.approx(best, abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(st.integers(5, 12), st.integers(0, 10**6))
def test_circles_within_circles_are_opened_where_a_graph_library_opens_them(count: int, seed: int) -> None:
    networkx = pytest.importorskip("networkx", reason="comes with torch, which a slim installation lacks")
    scores = np.random.default_rng(seed).normal(size=(count, count + 1))
    scores[np.arange(count), np.arange(count) + 1] = -1e4
    graph = networkx.DiGraph()
    for word, row in enumerate(scores):
        for head in {*range(count + 1)} - {word + 1}:
            # A root costs more than all else gains: there is one only.
            graph.add_edge(head, word + 1, weight=float(row[head]) - (1e3 if head == 0 else 0.0))
    expected = {word: head for head, word in networkx.maximum_spanning_arborescence(graph).edges}
    assert likeliest_heads(scores) == tuple(expected[word + 1] - 1 for word in range(count))


@pytest.mark.parametrize(
    "text",
    [
        "The court fined the company.",
        "The company was fined by the court.",
        "The court that fined the company sits in Rahba.",
        "The company, which was fined by the court, has closed.",
    ],
)
def test_voice_and_clauses_come_to_the_same_roles(text: str) -> None:
    found = roles(text)
    assert ("fined", "subject", "court") in found
    assert ("fined", "object", "company") in found


def test_a_joined_verb_and_a_participle_share_the_subject() -> None:
    found = roles("The captain left the bridge and called the coast guard.")
    assert {("left", "subject", "captain"), ("called", "subject", "captain")} <= found
    assert ("injuring", "object", "31") in roles("The ferry ran aground, injuring 31 people.") | roles(
        "The ferry ran aground, injuring 31."
    )


def test_every_text_has_a_tree_over_its_words() -> None:
    for text in ("Yes", "…x", "🙏 ok then", "one two three " * 30, "قال المتحدث إن المدينة آمنة"):
        tree = parsed(text)
        assert is_tree(tree.heads)
        assert len(tree.heads) == len(tree.relations) == len(words_of(text))
        assert sentence_of(tree).ties


def test_what_is_too_long_to_be_a_sentence_is_not_parsed() -> None:
    text = "one two three " * 50
    assert load_parser().parse(words_of(text), ENCODER.encode_tokens([text])[0]) is None
    assert load_parser().parse((), ENCODER.encode_tokens(["…"])[0]) is None


def test_no_grammar_for_an_encoder_that_the_parser_was_not_fitted_for() -> None:
    assert grammar_for(ENCODER.identity) is not None
    assert grammar_for(load("hashing").identity) is None
    assert grammar_for(msgspec.structs.replace(ENCODER.identity, revision="0" * 64)) is None


def test_kindred_words() -> None:
    fined, fines, ferry = words_of("fined fines ferry")
    assert kindred(fined, fines)
    assert not kindred(fined, ferry)


EXCHANGED = [
    (
        "The region has 52 ambulances and 17 fire engines.",
        "The region has 52 ambulances.",
        "The region has 17 ambulances.",
        "number",
    ),
    (
        "Marta Kowal has beaten Peter Anselm in the final of the chess tournament.",
        "Peter Anselm was beaten by Marta Kowal in the chess final.",
        "Peter Anselm has beaten Marta Kowal in the chess final.",
        "name",
    ),
    (
        "The ministry pays 40 million euros of the costs and the region the other 12 million euros.",
        "The ministry pays 40 million euros of the costs.",
        "The ministry pays 12 million euros of the costs.",
        "number",
    ),
    (
        "The dam is safe, said engineer Ruth Amadi. Mayor Paul Lindt asked for a second opinion.",
        "The dam is safe, engineer Ruth Amadi said.",
        "Mayor Paul Lindt said the dam is safe.",
        "name",
    ),
    (
        "The factory closed in May. A fire had damaged the warehouse in March.",
        "The factory closed in May.",
        "The factory closed because of a fire in March.",
        "meaning",
    ),
]
"""Evidence, a true and a false claim, and the kind of the mismatch."""


@pytest.fixture(scope="module")
def checker() -> AlignedChecker:
    return AlignedChecker(ENCODER)


@pytest.mark.parametrize(("evidence", "true", "false", "kind"), EXCHANGED)
def test_what_stands_in_anothers_place_is_not_supported(
    checker: AlignedChecker, evidence: str, true: str, false: str, kind: str
) -> None:
    assert checker.check(true, [evidence]).verdict == "supported"
    support = checker.check(false, [evidence])
    assert support.verdict != "supported"
    assert kind in {mismatch.kind for mismatch in support.mismatches}


def test_what_the_evidence_has_in_its_place_is_told(checker: AlignedChecker) -> None:
    evidence, _, false, _ = EXCHANGED[0]
    (told,) = [m for m in checker.check(false, [evidence]).mismatches if m.kind == "number"]
    assert false[told.start : told.end] == "17"
    assert told.found == "52"
