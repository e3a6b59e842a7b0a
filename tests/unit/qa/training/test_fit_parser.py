"""The fit of the parser learns trees from vectors, and writes what the parser reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from embeddings.encoders import Encoder, TokenVectors
from embeddings.encoders.encoder import HashingEncoder
from embeddings.errors import EncoderError
from qa.evaluation.metrics.statistics import Estimate
from qa.evaluation.types import InvalidDataset
from qa.grounding.trees import Parser
from qa.training import fit_parser
from qa.training.fit_parser import Arrays, fit, main, score
from qa.training.treebanks import TreebankSentence, read_treebank

_ACTIVE = "1 the 2 det|2 {} 3 nsubj|3 {} 0 root|4 the 5 det|5 {} 3 obj|6 . 3 punct"
_PASSIVE = (
    "1 the 2 det|2 {} 4 nsubj:pass|3 was 4 aux:pass|4 {} 0 root|5 by 7 case|6 the 7 det|7 {} 4 obl:agent|8 . 4 punct"
)
_LEARNED = (
    (_ACTIVE, "mayor", "praised", "minister"),
    (_ACTIVE, "minister", "blamed", "captain"),
    (_ACTIVE, "captain", "praised", "crew"),
    (_ACTIVE, "crew", "thanked", "mayor"),
    (_PASSIVE, "mayor", "praised", "captain"),
    (_PASSIVE, "captain", "blamed", "minister"),
    (_PASSIVE, "minister", "thanked", "crew"),
    (_PASSIVE, "crew", "blamed", "mayor"),
)
_NEW = ((_ACTIVE, "crew", "blamed", "minister"), (_PASSIVE, "captain", "thanked", "mayor"))


class LayeredEncoder(HashingEncoder):
    """As if the hashed words were the states half-way up, only longer than one."""

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        return [msgspec.structs.replace(read, halfway=read.tokens * 3.0) for read in super().encode_tokens(texts)]


def written(*sentences: tuple[str, ...]) -> str:
    blocks = []
    for pattern, *words in sentences:
        rows = [row.split(" ") for row in pattern.format(*words).split("|")]
        lines = [
            "\t".join([number, form, form, "X", "_", "_", head, relation, "_", "_"])
            for number, form, head, relation in rows
        ]
        blocks.append("\n".join([f"# text = {' '.join(form for _, form, *_ in rows)}", *lines]) + "\n\n")
    return "".join(blocks)


def sentences(folder: Path, *made: tuple[str, ...]) -> tuple[TreebankSentence, ...]:
    path = folder / "made.conllu"
    path.write_text(written(*made), encoding="utf-8")
    return read_treebank([path]).sentences


def scored(arrays: Arrays, known: Sequence[TreebankSentence]) -> tuple[Estimate, Estimate]:
    return score(known, parser=Parser(arrays), encoder=LayeredEncoder())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Arrays:
    return fit(sentences(tmp_path_factory.mktemp("bank"), *_LEARNED), encoder=LayeredEncoder(), epochs=60)


@pytest.mark.parametrize("made", [_LEARNED, _NEW], ids=["learned", "new"])
def test_trees_are_learned_and_carry_over(fitted: Arrays, tmp_path: Path, made: tuple[tuple[str, ...], ...]) -> None:
    known = sentences(tmp_path, *made)
    attached, labelled = scored(fitted, known)
    assert (attached.value, labelled.value) == (1.0, 1.0)
    assert (attached.groups, attached.n) == (len(made), sum(len(sentence.words) for sentence in known))


def test_without_learning_trees_are_not_known(tmp_path: Path) -> None:
    known = sentences(tmp_path, *_LEARNED)
    attached, labelled = scored(fit(known, encoder=LayeredEncoder(), epochs=1), known)
    assert attached.value is not None
    assert labelled.value is not None
    assert labelled.value <= attached.value < 0.9


def test_a_right_head_with_a_wrong_relation_counts_for_one_score_only(fitted: Arrays, tmp_path: Path) -> None:
    other = (_ACTIVE.replace("3 obj", "3 iobj"), *_LEARNED[0][1:])
    attached, labelled = scored(fitted, sentences(tmp_path, other))
    assert attached.value == 1.0
    assert labelled.value == pytest.approx(0.8)


def test_a_right_relation_at_a_wrong_head_counts_for_neither(fitted: Arrays, tmp_path: Path) -> None:
    other = (_ACTIVE.replace("1 the 2 det", "1 the 3 det"), *_LEARNED[0][1:])
    attached, labelled = scored(fitted, sentences(tmp_path, other))
    assert (attached.value, labelled.value) == (0.8, 0.8)


def test_the_arrays_are_those_that_the_parser_reads(fitted: Arrays) -> None:
    width = 3 * HashingEncoder.identity.dimension
    assert {name: array.shape for name, array in fitted.items()} == {
        "head_weight": (128, width),
        "head_bias": (128,),
        "dependent_weight": (128, width),
        "dependent_bias": (128,),
        "root": (128,),
        "arcs": (129, 128),
        "distance": (25,),
        "relation_head_weight": (48, width),
        "relation_head_bias": (48,),
        "relation_dependent_weight": (48, width),
        "relation_dependent_bias": (48,),
        "relation_root": (48,),
        "relation": (8, 49, 49),
        "relations": (8,),
        "encoder": (),
    }
    assert {array.dtype for name, array in fitted.items() if name not in {"relations", "encoder"}} == {np.dtype("f2")}
    assert all(array.any() for name, array in fitted.items() if name != "encoder"), "all begin as zeros or are random"
    assert fitted["relations"].tolist() == [
        "aux:pass",
        "case",
        "det",
        "nsubj",
        "nsubj:pass",
        "obj",
        "obl:agent",
        "root",
    ]
    assert str(fitted["encoder"]) == HashingEncoder.identity.revision


def test_the_same_sentences_give_the_same_weights(tmp_path: Path) -> None:
    known = sentences(tmp_path, *_LEARNED)
    one = fit(known, encoder=LayeredEncoder(), epochs=2)
    torch.rand(1)
    other = fit(known, encoder=LayeredEncoder(), epochs=2)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_an_encoder_without_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no states half-way up"):
        fit(sentences(tmp_path, *_LEARNED), encoder=HashingEncoder())


def test_nothing_is_scored_without_layers(fitted: Arrays, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no states half-way up"):
        score(sentences(tmp_path, *_NEW), parser=Parser(fitted), encoder=HashingEncoder())


def test_nothing_to_fit_to_is_refused() -> None:
    with pytest.raises(InvalidDataset, match="none of 0 sentences"):
        fit((), encoder=LayeredEncoder())


def test_the_command_writes_the_file_and_fits_to_nothing_it_reports_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def layered(name: str) -> Encoder:
        assert name == "all-MiniLM-L6-v2"
        return LayeredEncoder()

    monkeypatch.setattr(fit_parser, "load", layered)
    bank, held_out, out = tmp_path / "bank", tmp_path / "held-out.conllu", tmp_path / "parser.npz"
    bank.mkdir()
    (bank / "all.conllu").write_text(written(*_LEARNED, *_NEW), encoding="utf-8")
    held_out.write_text(written(*_NEW), encoding="utf-8")
    main(["--out", str(out), "--train", str(bank), "--report", str(held_out)])
    told = capsys.readouterr().out
    assert told.startswith(f"{len(_LEARNED)} sentences to fit to; 0 that are cut otherwise")
    assert f"{held_out}: {len(_NEW)} sentences, 12 words, UAS " in told
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["head_weight"].dtype == np.float16
        assert str(arrays["encoder"]) == HashingEncoder.identity.revision


def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "absent" / "parser.npz"), "--train", "a", "--report", "b"])
    assert "there is no folder" in capsys.readouterr().err
