"""One body of tests for every support checker."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import EncoderError
from qa.grounding import Provenance, Support, SupportChecker, load_checker

EVIDENCE = (
    (
        "Opposition candidate Oda Lindqvist has beaten Gregor Vance by 612 votes. She received 118,406 votes in "
        "Sunday's runoff. Vance did not concede, and 🙏🏽 said nothing."
    ),
    "Turnout was 61.3 percent in a city of nearly 600,000 people.\n\nThe new mayor is to be sworn in on July 1.",
)
CLAIMS = {
    "quotation": "Turnout was 61.3 percent in a city of nearly 600,000 people.",
    "reworded": "Lindqvist received 118406 votes.",
    "other number": "Oda Lindqvist has beaten Gregor Vance by 621 votes.",
    "other name": "Oda Lindqvist has beaten Ruben Adeyemi by 612 votes.",
    "other date": "The new mayor is to be sworn in on July 2.",
    "denied": "Vance conceded.",
    "unheard of": "Penguins huddle against the Antarctic wind.",
    "no words": "…",
    "empty": "",
}
FALSE = ["other number", "other name", "other date", "denied"]


@pytest.fixture(scope="module")
def checkers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SupportChecker]:
    folder = tmp_path_factory.mktemp("cross-encoders")
    names = {
        "built-in": "",
        "lexical": "lexical",
        "inferring": str(make_cross_encoder(folder / "nli", ["contradiction", "entailment", "neutral"])),
        "scoring": str(make_cross_encoder(folder / "score", ["LABEL_0"])),
        "two labels": str(make_cross_encoder(folder / "two", ["LABEL_0", "LABEL_1"])),
        "own names": str(make_cross_encoder(folder / "fever", ["SUPPORTS", "REFUTES", "NOT ENOUGH INFO"])),
        "marking": str(make_cross_encoder(folder / "marks", ["LABEL_0", "LABEL_1"], marks=True)),
    }
    return {kind: load_checker(name) for kind, name in names.items()}


@pytest.fixture(params=["built-in", "lexical", "inferring", "scoring", "two labels", "own names", "marking"])
def checker(request: pytest.FixtureRequest, checkers: dict[str, SupportChecker]) -> SupportChecker:
    return checkers[request.param]


def make_cross_encoder(
    folder: Path, labels: list[str], *, marks: bool = False, sure_of: int | None = None, positions: int = 64
) -> Path:
    """Save a one-layer BERT classifier, of pairs or of words, with random weights or `sure_of` one outcome."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification, BertTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", *letters, *(f"##{c}" for c in letters)]
    (folder / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=positions).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
        id2label=dict(enumerate(labels)),
    )
    model = (BertForTokenClassification if marks else BertForSequenceClassification)(config)
    if sure_of is not None:
        with torch.no_grad():
            model.classifier.weight.zero_()
            model.classifier.bias.fill_(-9.0)[sure_of] = 9.0
    model.save_pretrained(folder)
    return folder


def well_formed(claim: str, evidence: tuple[str, ...], support: Support) -> None:
    assert 0.0 <= support.score <= 1.0
    for span in support.spans:
        assert evidence[span.index][span.start : span.end].strip()
        assert 0.0 <= span.score <= 1.0
    for mismatch in support.mismatches:
        assert 0 <= mismatch.start < mismatch.end <= len(claim)
    if support.verdict in {"supported", "contradicted"}:
        assert support.spans
    if support.mismatches:
        assert support.verdict != "supported"


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_judgement_is_well_formed_and_the_same_twice(checker: SupportChecker, kind: str) -> None:
    support = checker.check(
        CLAIMS[kind], EVIDENCE, question="Who won in Kelmar?", contexts=[Provenance(title="Kelmar")]
    )
    well_formed(CLAIMS[kind], EVIDENCE, support)
    again = checker.check(CLAIMS[kind], EVIDENCE, question="Who won in Kelmar?", contexts=[Provenance(title="Kelmar")])
    assert again == support


def test_a_quotation_is_supported_by_its_own_words(checker: SupportChecker) -> None:
    support = checker.check(CLAIMS["quotation"], EVIDENCE)
    assert support.verdict == "supported"
    assert support.score > 0.95
    (span,) = support.spans
    assert EVIDENCE[span.index][span.start : span.end] == CLAIMS["quotation"]


@pytest.mark.parametrize("kind", FALSE)
def test_what_the_source_says_otherwise_is_contradicted(checker: SupportChecker, kind: str) -> None:
    support = checker.check(CLAIMS[kind], EVIDENCE)
    assert support.verdict == "contradicted"
    assert support.score < checker.check(CLAIMS["quotation"], EVIDENCE).score
    if kind != "other name":  # a first name that the article leaves out is no contradiction: names are weighed
        assert support.score < 0.35


@pytest.mark.parametrize("kind", ["no words", "empty"])
def test_without_words_nothing_is_supported(checker: SupportChecker, kind: str) -> None:
    assert checker.check(CLAIMS[kind], EVIDENCE).verdict == "unsupported"
    assert checker.check(CLAIMS["reworded"], ("", " \n ")).spans == ()
    assert checker.check(CLAIMS["reworded"], ()).score == 0.0


@given(
    claim=st.text(max_size=80) | st.sampled_from(sorted(CLAIMS.values())),
    evidence=st.lists(st.text(max_size=120) | st.sampled_from(EVIDENCE), max_size=3),
)
@settings(max_examples=60)
def test_any_text_is_judged(checkers: dict[str, SupportChecker], claim: str, evidence: list[str]) -> None:
    for name in ("built-in", "lexical"):
        well_formed(claim, tuple(evidence), checkers[name].check(claim, evidence))


def test_identities_tell_checkers_apart(checkers: dict[str, SupportChecker]) -> None:
    assert len({checkers[kind].identity for kind in ("lexical", "inferring", "scoring")}) == 3


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(EncoderError, match="no-such-model"):
        load_checker("no-such-model")


def test_a_classifier_of_something_else_is_refused(tmp_path: Path) -> None:
    moods = make_cross_encoder(tmp_path / "moods", ["joy", "anger", "fear"])
    with pytest.raises(EncoderError, match="joy, anger, fear"):
        load_checker(str(moods)).check(CLAIMS["reworded"], EVIDENCE)
    parts = make_cross_encoder(tmp_path / "parts", ["noun", "verb"], marks=True)
    with pytest.raises(EncoderError, match="noun, verb"):
        load_checker(str(parts)).check(CLAIMS["reworded"], EVIDENCE)


@pytest.mark.parametrize(
    ("labels", "support", "other"),
    [
        (["LABEL_0", "LABEL_1"], 1, 0),
        (["supported", "unsupported"], 0, 1),
        (["NOT ENOUGH INFO", "REFUTES", "SUPPORTS"], 2, 0),
        (["Entailment", "NotEntailment"], 0, 1),
    ],
)
def test_the_outcome_that_means_support_is_found_by_its_name(
    tmp_path: Path, labels: list[str], support: int, other: int
) -> None:
    found = {}
    for sure in (support, other):
        folder = make_cross_encoder(tmp_path / str(sure), labels, sure_of=sure)
        found[sure] = load_checker(str(folder)).check(CLAIMS["reworded"], EVIDENCE)
    assert found[support].verdict == "supported"
    assert found[support].score > 0.99
    assert found[other].score < 0.01
    assert found[other].verdict != "supported"


def test_a_refutation_by_a_model_of_other_names_is_one(tmp_path: Path) -> None:
    folder = make_cross_encoder(tmp_path / "m", ["SUPPORTS", "REFUTES", "NOT ENOUGH INFO"], sure_of=1)
    support = load_checker(str(folder)).check(CLAIMS["reworded"], EVIDENCE)
    assert support.verdict == "contradicted"
    assert [item.kind for item in support.mismatches] == ["meaning"]


def test_marked_words_are_one_place_that_is_not_borne_out(tmp_path: Path) -> None:
    claim = CLAIMS["reworded"]
    checkers = [
        load_checker(
            str(
                make_cross_encoder(
                    tmp_path / str(sure), ["LABEL_0", "LABEL_1"], marks=True, sure_of=sure, positions=256
                )
            )
        )
        for sure in (0, 1)
    ]
    right, wrong = (checker.check(claim, EVIDENCE) for checker in checkers)
    assert (right.verdict, right.mismatches) == ("supported", ())
    assert wrong.verdict == "unsupported"
    assert [(item.start, item.end) for item in wrong.mismatches] == [(0, len(claim))]


def test_what_a_marking_model_has_no_room_for_is_not_borne_out(tmp_path: Path) -> None:
    folder = make_cross_encoder(tmp_path / "m", ["LABEL_0", "LABEL_1"], marks=True, sure_of=0)
    claim = "She received 118,406 votes in the runoff of that Sunday in a city of nearly 600,000 people."
    support = load_checker(str(folder)).check(claim, EVIDENCE)
    assert support.verdict == "unsupported"
    assert support.mismatches[-1].end == len(claim)
    assert support.mismatches[0].start > 0
