"""The checker over the network that ships: tiny networks of its shape, sure of one outcome, stand in for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from embeddings.encoders import BUNDLED_MODEL, locate
from embeddings.errors import WeightsMismatch
from qa.errors import SettingsError
from qa.grounding import CheckerCalibration, Provenance, ShippedNetwork, load_checker
from qa.grounding.claim_evidence import set_against
from qa.grounding.trained import TrainedChecker, as_written, premises
from qa.training.export import Weights, export_int8

EVIDENCE = (
    (
        "Opposition candidate Oda Lindqvist has beaten Gregor Vance by 612 votes. She received 118,406 votes in "
        "Sunday's runoff. Vance did not concede."
    ),
    "Turnout was 61.3 percent in a city of nearly 600,000 people.\n\nThe new mayor is to be sworn in on July 1.",
)
SUPPORTED, CONTRADICTED, NEUTRAL = range(3)


def tiny(outcome: int | None) -> Weights:
    """One layer of random weights; a head that is sure of an outcome, or random too."""
    rng = np.random.default_rng(1)
    width, wide, words = 16, 32, 30_522
    at = "encoder.layer.0."
    shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (512, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        **{f"{at}attention.self.{name}.weight": (width, width) for name in ("query", "key", "value")},
        **{f"{at}attention.self.{name}.bias": (width,) for name in ("query", "key", "value")},
        f"{at}attention.output.dense.weight": (width, width),
        f"{at}attention.output.dense.bias": (width,),
        f"{at}intermediate.dense.weight": (wide, width),
        f"{at}intermediate.dense.bias": (wide,),
        f"{at}output.dense.weight": (width, wide),
        f"{at}output.dense.bias": (width,),
        "pooler.dense.weight": (width, width),
        "pooler.dense.bias": (width,),
        "classifier.weight": (3, width),
        "classifier.bias": (3,),
    }
    made = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    for place in ("embeddings.", f"{at}attention.output.", f"{at}output."):
        made[f"{place}LayerNorm.weight"] = np.ones(width, np.float32)
        made[f"{place}LayerNorm.bias"] = np.zeros(width, np.float32)
    if outcome is not None:
        made["classifier.weight"] *= 0
        made["classifier.bias"] = np.where(np.arange(3) == outcome, 6.0, 0.0).astype(np.float32)
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, Path]:
    """A folder of weights for each outcome."""
    made: dict[int | None, Path] = {}
    for outcome in (SUPPORTED, CONTRADICTED, NEUTRAL, None):
        folder = tmp_path_factory.mktemp("weights")
        sample = (np.array([[101, 2054, 102, 2003, 102]]), np.array([[0, 0, 0, 1, 1]]))
        sha256 = export_int8(tiny(outcome), folder / "checker.onnx", heads=2, end="labels", samples=[sample])
        shutil.copyfile(locate(BUNDLED_MODEL) / "tokenizer.json", folder / "tokenizer.json")
        calibration = CheckerCalibration(checker=f"tiny {sha256}", slope=1.0, bias=0.0, threshold=0.5)
        (folder / "checker.json").write_bytes(msgspec.json.encode(calibration))
        made[outcome] = folder
    return made


def checker_in(folder: Path) -> TrainedChecker:
    return TrainedChecker(ShippedNetwork(folder=folder))


def test_the_network_decides_over_what_no_check_denies(folders: dict[int | None, Path]) -> None:
    claim = "Lindqvist got 118,406 votes in the runoff."
    found = {outcome: checker_in(folder).check(claim, EVIDENCE) for outcome, folder in folders.items()}
    assert found[SUPPORTED].verdict == "supported"
    assert found[SUPPORTED].score > 0.99
    assert found[SUPPORTED].mismatches == ()
    assert found[NEUTRAL].verdict == "unsupported"
    assert found[CONTRADICTED].verdict == "contradicted"
    assert [item.kind for item in found[CONTRADICTED].mismatches] == ["meaning"]
    for support in found.values():
        (span,) = support.spans
        cited = EVIDENCE[span.index][span.start : span.end]
        assert cited.endswith("She received 118,406 votes in Sunday's runoff.")
        assert not cited.endswith("concede.")


def test_a_figure_that_stands_nowhere_is_refused_whatever_the_network_says(folders: dict[int | None, Path]) -> None:
    support = checker_in(folders[SUPPORTED]).check("Lindqvist got 118,460 votes in the runoff.", EVIDENCE)
    assert support.verdict == "contradicted"
    assert support.score < 0.35
    assert [(item.kind, item.found) for item in support.mismatches] == [("number", "118,406")]


def test_a_claim_of_which_nothing_stands_there_is_not_supported(folders: dict[int | None, Path]) -> None:
    checker = checker_in(folders[SUPPORTED])
    for claim in ("Penguins huddle against wind.", "…", ""):
        assert checker.check(claim, EVIDENCE).verdict == "unsupported"
    assert checker.check("Lindqvist won.", ()).verdict == "unsupported"


def test_a_claim_longer_than_the_network_reads_is_not_supported(folders: dict[int | None, Path]) -> None:
    claim = "Lindqvist got votes in the runoff, " * 40
    support = checker_in(folders[SUPPORTED]).check(claim, EVIDENCE)
    assert support.verdict == "unsupported"
    assert support.score == 0.0


def test_a_claim_is_read_with_what_it_would_be_cited_with_with_its_neighbours_and_with_the_article() -> None:
    claim = "She received 118406 votes."
    contexts = [Provenance(title="Runoff in Kelmar"), Provenance(title="Turnout")]
    case = set_against(claim, EVIDENCE, question="", contexts=contexts)
    assert case is not None
    bare, near, wide = premises(case, contexts)
    assert bare == ("She received 118,406 votes in Sunday's runoff.",)
    assert near[0] == EVIDENCE[0]
    assert wide[0] == f"Runoff in Kelmar. {EVIDENCE[0]}"
    of_title = set_against(
        "Lindqvist beat Vance by 612 votes in Kelmar.", EVIDENCE[:1], question="", contexts=contexts[:1]
    )
    assert of_title is not None
    assert premises(of_title, contexts[:1])[1] == (f"Runoff in Kelmar. {EVIDENCE[0]}",)
    filled = f"{EVIDENCE[0]} {'It was a quiet Sunday in town. ' * 20}"
    long = set_against(claim, [filled], question="", contexts=contexts[:1])
    assert long is not None
    _, (near_by,), (around,) = premises(long, contexts[:1])
    assert len(near_by.split()) <= 60 < len(around.split()) <= 163


def test_a_claim_that_joins_two_texts_is_read_with_both() -> None:
    claim = "Lindqvist beat Vance by 612 votes, and the new mayor is to be sworn in on July 1 in Kelmar."
    case = set_against(claim, EVIDENCE, question="", contexts=[])
    assert case is not None
    (cited,), (both,) = premises(case, [])
    for text in (cited, both):
        assert "612 votes" in text
        assert "July 1" in text
    assert "118,406" not in cited


def test_figures_and_days_are_read_as_the_evidence_spells_them() -> None:
    said = (
        "She got 118406 votes, 612 more than Vance, in a city of 600000 people, 61.3% of them over 99, "
        "and is to be sworn in on 1 July, not on 2 July."
    )
    case = set_against(said, EVIDENCE, question="", contexts=[])
    assert case is not None
    for claimed, written in (
        ("118406", "118,406"), ("600000", "600,000"), ("61.3%", "61.3 percent"), ("1 July", "July 1")
    ):  # fmt: skip
        said = said.replace(claimed, written, 1)
    assert as_written(case) == said


def test_what_is_only_spelt_otherwise_is_a_quotation(folders: dict[int | None, Path]) -> None:
    checker = checker_in(folders[NEUTRAL])
    for claim in ("She received 118406 votes in Sunday's runoff.", "The new mayor is to be sworn in on 1 July."):
        support = checker.check(claim, EVIDENCE)
        assert (support.verdict, support.score) == ("supported", 1.0)
    assert checker.check("The new mayor is to be sworn in on 2 July.", EVIDENCE).verdict == "contradicted"


def test_judgements_are_the_same_twice_and_evidence_matters(folders: dict[int | None, Path]) -> None:
    network = ShippedNetwork(folder=folders[None])
    one, other = network.judge("Vance conceded.", EVIDENCE[0]), network.judge("Vance conceded.", EVIDENCE[1])
    assert one is not None
    assert other is not None
    assert one == network.judge("Vance conceded.", EVIDENCE[0])
    assert one.supported != other.supported
    long = network.judge("Vance conceded.", EVIDENCE[0] * 40)
    assert long is not None, "evidence is cut, claims are not"


def test_weights_and_calibration_belong_together(folders: dict[int | None, Path], tmp_path: Path) -> None:
    for name in ("checker.onnx", "tokenizer.json"):
        shutil.copyfile(folders[SUPPORTED] / name, tmp_path / name)
    shutil.copyfile(folders[NEUTRAL] / "checker.json", tmp_path / "checker.json")
    with pytest.raises(WeightsMismatch, match=r"checker\.onnx"):
        checker_in(tmp_path).check("Lindqvist got 118,406 votes in the runoff.", EVIDENCE)
    (tmp_path / "checker.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SettingsError, match="fit it again"):
        _ = checker_in(tmp_path).identity


def test_what_ships_is_the_default_and_weights_that_are_not_there_say_how_to_make_them(tmp_path: Path) -> None:
    shipped = load_checker("")
    assert shipped.identity == load_checker("trained").identity
    assert shipped.identity.startswith("sourceline-checker ")
    with pytest.raises(SettingsError, match="make train-checker"):
        checker_in(tmp_path).check("Lindqvist got 118,406 votes in the runoff.", EVIDENCE)
