"""Markers: whatever models make of them is read, and prose never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.generation.citation_markers import choose_label, hang_back, resolve


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
