"""Token budgets for language models: prefixes that fit, counted without any download."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.generation.tokens import count, head


@given(st.text(max_size=300), st.integers(min_value=0, max_value=60))
def test_a_head_is_a_start_of_the_text_and_fits(text: str, budget: int) -> None:
    kept = head(text, budget=budget)

    assert text.startswith(kept)
    assert count(kept) <= max(budget, 0) or kept == text


@pytest.mark.parametrize(
    ("text", "budget", "kept"),
    [
        ("Derna lies on the coast", 3, "Derna lies"),
        ("one two three", 100, "one two three"),
        ("unbelievably", 1, ""),
        ("", 0, ""),
    ],
)
def test_a_head_ends_between_words(text: str, budget: int, kept: str) -> None:
    assert head(text, budget=budget) == kept


def test_special_token_spellings_are_plain_text() -> None:
    # As a special token this would be one; tiktoken's default is to raise.
    assert count("<|endoftext|>") > 1
