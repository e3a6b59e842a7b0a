"""Which outcome of a classifier says that a claim is supported, whatever its author called it."""

from __future__ import annotations

import pytest

from qa.grounding.cross_encoder import Roles, marking_role, roles_of


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        (["contradiction", "entailment", "neutral"], Roles(1, 0)),
        (["SUPPORTS", "REFUTES", "NOT ENOUGH INFO"], Roles(0, 1)),
        (["NEI", "Refuted", "Supported"], Roles(2, 1)),
        (["entailment", "not_entailment"], Roles(0)),
        (["NotEntailment", "Entailment"], Roles(1)),
        (["unsupported", "supported"], Roles(1)),
        (["consistent", "inconsistent"], Roles(0)),
        (["hallucinated", "factual"], Roles(1)),
        (["False", "True"], Roles(1, 0)),
        (["no", "yes"], Roles(1)),
        (["LABEL_0", "LABEL_1"], Roles(1)),
        (["anything"], Roles(0)),
    ],
)
def test_support_and_contradiction_are_found(labels: list[str], roles: Roles) -> None:
    assert roles_of(labels) == roles


@pytest.mark.parametrize(
    "labels",
    [
        ["LABEL_0", "LABEL_1", "LABEL_2"],
        ["joy", "anger"],
        ["noun", "verb"],
        ["supported", "entailment"],
        ["neutral", "contradiction"],
    ],
)
def test_labels_that_do_not_tell_are_named(labels: list[str]) -> None:
    with pytest.raises(ValueError, match=", ".join(labels)):
        roles_of(labels)


def test_the_label_of_unsupported_words_is_found() -> None:
    assert marking_role(["LABEL_0", "LABEL_1"]) == 1
    assert marking_role(["Hallucinated", "O"]) == 0
    assert marking_role(["supported", "unsupported"]) == 1
    for labels in (["noun", "verb"], ["O", "B-UNSUPPORTED", "I-UNSUPPORTED"]):
        with pytest.raises(ValueError, match=", ".join(labels)):
            marking_role(labels)
