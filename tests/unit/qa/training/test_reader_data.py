"""Questions are put beside near passages that do not answer them, and their own passage has to win."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from embeddings.encoders import BUNDLED_MODEL, HashingEncoder, locate
from qa.training.reader_data import (
    Neighbourhood,
    Row,
    Span,
    Window,
    groups_of,
    neighbours_of,
    tokens_of,
)

FERRY = "The ferry Almeric carried 214 people to Skerra."
ROWS = [
    Row(question="How many people did the ferry Almeric carry?", context=FERRY, answers=(Span("214", 26),)),
    Row(question="Who steered the ferry Almeric?", context="The ferry Almeric was steered by Ida Holm."),
    Row(question="How many could the ferry Almeric carry?", context="The ferry Almeric could carry 214 people."),
    Row(question="What rose?", context="Prices of bread rose in Kelmar."),
]


def rows() -> list[Row]:
    return [msgspec.structs.replace(row, source="squad2_train") for row in ROWS]


@pytest.fixture
def tokenizer() -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(locate(BUNDLED_MODEL) / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def test_the_nearest_without_the_answer_come_first(tmp_path: Path) -> None:
    found = neighbours_of(rows(), HashingEncoder(), tmp_path / "near.json")
    # The third holds "214", too: whether it answers nobody said.
    assert found == [(1, 3), (), (), ()]


def test_neighbours_are_looked_for_once(tmp_path: Path) -> None:
    class Refusing(HashingEncoder):
        def encode_passages(self, texts: Any) -> Any:
            raise AssertionError(f"encoded again: {texts}")

    first = neighbours_of(rows(), HashingEncoder(), tmp_path / "near.json")
    assert neighbours_of(rows(), Refusing(), tmp_path / "near.json") == first


def test_questions_that_mean_nothing_alone_have_no_neighbours(tmp_path: Path) -> None:
    tied = [msgspec.structs.replace(row, source="fairytaleqa") for row in ROWS]
    assert neighbours_of(tied, HashingEncoder(), tmp_path / "near.json") == [(), (), (), ()]


def test_a_group_holds_the_answer_first_and_nowhere_else(tokenizer: Any) -> None:
    tokens = tokens_of(rows(), tokenizer)
    shape = Neighbourhood(groups=5, size=2)
    (group,) = groups_of(tokens, [(1, 3), (), (), ()], shape, random.Random(0), cls=101, sep=102)
    assert tokenizer.decode(list(group[0].ids[group[0].first : group[0].last + 1])) == "214"
    assert [(window.first, window.last) for window in group[1:]] == [(0, 0), (0, 0)]
    asked = [tokenizer.decode(list(window.ids[1 : window.second - 1])) for window in group]
    assert asked == ["how many people did the ferry almeric carry?"] * 3
    texts = {tokenizer.decode(list(window.ids[window.context : -1])) for window in group[1:]}
    assert texts == {"the ferry almeric was steered by ida holm.", "prices of bread rose in kelmar."}


def test_the_loss_falls_as_the_own_passage_wins() -> None:
    torch = pytest.importorskip("torch", reason="a slim installation has none")
    from qa.training.train_reader import AGAINST_OTHERS, OF_NEIGHBOURS, loss_of

    class Told(torch.nn.Module):  # type: ignore[misc, name-defined]
        """Says of the token with id 7 that it is the answer, `sure` of it, and of all others nothing."""

        def __init__(self, sure: float) -> None:
            super().__init__()
            self.sure = torch.nn.Parameter(torch.tensor(sure))

        def forward(self, input_ids: Any, **_: Any) -> Any:
            logits = (input_ids == 7) * self.sure

            class Found:
                start_logits = end_logits = logits

            return Found

    own = Window((1, 5, 2, 7, 2), 3, 3, 3, 3)
    other = Window((1, 5, 2, 6, 2), 3, 0, 0, 3)
    assert loss_of(Told(9.0), [(own, other)]).item() < loss_of(Told(1.0), [(own, other)]).item()
    # At 0, each window says yes or no at even odds, and both are as likely as each other.
    even = math.log(2) * (1 + OF_NEIGHBOURS + AGAINST_OTHERS)
    assert loss_of(Told(0.0), [(own, other)]).item() == pytest.approx(even, abs=1e-5)
    assert loss_of(Told(0.0), [(own,), (own,)]).item() == pytest.approx(math.log(2), abs=1e-5)


def test_frozen_layers_have_no_gradient() -> None:
    pytest.importorskip("torch", reason="a slim installation has none")
    from qa.training.train_reader import freeze, fresh_network

    model, _ = fresh_network()
    freeze(model, layers=4)
    learning = {name for name, weights in model.named_parameters() if weights.requires_grad}
    assert all("layer.4" in name or "layer.5" in name or "qa_outputs" in name for name in learning)
    assert len(learning) == 2 * 16 + 2
