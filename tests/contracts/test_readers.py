"""One body of tests for every reader, and what a calibration may be used for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.errors import EncoderError, WeightsMismatch
from qa.errors import SettingsError
from qa.reading import FILE_NAME, GENERAL, PassageText, Reader, load_reader
from qa.reading.networks import NamedReader, ShippedReader

QUESTION = "How many people did the ferry carry?"
TEXT = "The ferry Almeric carried 214 people 🙏🏽 to Skerra on Friday. Nobody was hurt, said Zoë."
LONG = " ".join(f"Sentence number {n} says nothing of interest to anybody." for n in range(120)) + " " + TEXT


def make_model(folder: Path, architecture: str) -> Path:
    """Save a one-layer network with random weights and a tokenizer of letters."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForQuestionAnswering, RobertaConfig, RobertaForQuestionAnswering
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = {token: n for n, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    sizes: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 160,
    }
    folder.mkdir(parents=True)
    if architecture == "bert":
        BertForQuestionAnswering(BertConfig(**sizes)).save_pretrained(folder)
    else:
        RobertaForQuestionAnswering(RobertaConfig(type_vocab_size=1, pad_token_id=0, **sizes)).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    folder = tmp_path_factory.mktemp("readers")
    names = {"shipped": "", "words": "words"} | {
        kind: str(make_model(folder / kind, kind)) for kind in ("bert", "roberta")
    }
    return {kind: load_reader(name, threads=1) for kind, name in names.items()}


@pytest.fixture(params=["shipped", "words", "bert", "roberta"])
def reader(request: pytest.FixtureRequest, readers: dict[str, Reader]) -> Reader:
    return readers[request.param]


def test_spans_lie_in_the_text_best_first(reader: Reader) -> None:
    passages = [PassageText(text=TEXT, title="Ferry"), PassageText(text=LONG), PassageText(text="Nobody.")]
    found = reader.read(QUESTION, passages)
    assert len(found) == 3
    for passage, spans in zip(passages, found, strict=True):
        assert spans
        assert all(0 <= span.start < span.end <= len(passage.text) for span in spans)
        assert [span.logit for span in spans] == sorted((span.logit for span in spans), reverse=True)
        assert len({(span.start, span.end) for span in spans}) == len(spans)


def test_a_title_is_context_and_never_the_answer(reader: Reader) -> None:
    (spans,) = reader.read("Which ferry?", [PassageText(text="Nobody was hurt.", title="Ferry Almeric carries 214")])
    assert all(0 <= span.start < span.end <= len("Nobody was hurt.") for span in spans)


def test_alone_or_together_it_reads_the_same(reader: Reader) -> None:
    passages = [PassageText(text=text) for text in (TEXT, "Nobody was hurt.", LONG)]
    together = reader.read(QUESTION, passages)
    alone = [reader.read(QUESTION, [passage])[0] for passage in passages]
    assert [one[0].logit for one in together] == pytest.approx([one[0].logit for one in alone], abs=1e-4)
    assert [(one[0].start, one[0].end) for one in together] == [(one[0].start, one[0].end) for one in alone]
    assert reader.read(QUESTION, passages) == together


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_to_read_nothing_found(reader: Reader, text: str) -> None:
    assert reader.read(QUESTION, [PassageText(text=text)]) == [()]
    assert reader.read(QUESTION, []) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=st.text(min_size=1, max_size=60), text=st.text(max_size=200))
def test_any_text_can_be_read(reader: Reader, question: str, text: str) -> None:
    (spans,) = reader.read(question, [PassageText(text=text, title=question)])
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


def test_identity_and_calibration(reader: Reader) -> None:
    assert reader.identity
    assert reader.calibration.reader in {"", reader.identity}
    assert 0 < reader.calibration.threshold < 1
    assert reader.languages is None or "en" in reader.languages


def test_the_shipped_reader_finds_the_words(readers: dict[str, Reader]) -> None:
    for text in (TEXT, LONG):
        (spans,) = readers["shipped"].read(QUESTION, [PassageText(text=text)])
        assert "214" in text[spans[0].start : spans[0].end]
    (elsewhere,) = readers["shipped"].read("Who wrote the opera Carmen?", [PassageText(text=TEXT)])
    (there,) = readers["shipped"].read(QUESTION, [PassageText(text=TEXT)])
    assert there[0].logit > elsewhere[0].logit + 2


def test_a_cell_is_read_under_its_head_and_beside_its_row(readers: dict[str, Reader]) -> None:
    text = "The table shows the fleet.\n\nShip | Seats | Built\nBelinda | 180 | 1998\nAlmeric | 220 | 2011"
    for question, answer in (
        ("How many seats does the Almeric have?", "220"),
        ("When was the Almeric built?", "2011"),
        ("Which ship has 180 seats?", "Belinda"),
    ):
        (spans,) = readers["shipped"].read(question, [PassageText(text=text, title="The fleet")])
        assert text[spans[0].start : spans[0].end] == answer
        assert spans[0].logit > 0


def test_neither_threads_nor_other_passages_change_what_is_read(readers: dict[str, Reader]) -> None:
    passages = [PassageText(text=text) for text in (TEXT, LONG, TEXT[::-1])]
    alone = [readers["shipped"].read(QUESTION, [passage])[0] for passage in passages]
    assert ShippedReader(threads=3).read(QUESTION, passages) == alone


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ShippedReader(threads=1)
    calibration = msgspec.structs.replace(reader.calibration, reader="sourceline-reader " + "0" * 64)
    monkeypatch.setattr(reader, "calibration", calibration)
    with pytest.raises(WeightsMismatch, match=r"reader\.onnx has SHA-256"):
        reader.read(QUESTION, [PassageText(text=TEXT)])


def test_a_calibration_of_other_weights_is_an_error_at_the_start(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "bert")
    own = NamedReader(str(folder)).identity
    (folder / FILE_NAME).write_bytes(msgspec.json.encode(msgspec.structs.replace(GENERAL, reader="another 123")))
    with pytest.raises(SettingsError, match="fitted for 'another 123'"):
        load_reader(str(folder))
    assert own


def test_a_calibration_beside_the_model_is_used(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "model", "bert")
    identity = NamedReader(str(folder)).identity
    path = folder / FILE_NAME
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(GENERAL, reader=identity, threshold=0.7)))
    assert load_reader(str(folder)).calibration.threshold == 0.7
    path.write_text(json.dumps({"reader": identity, "weights": {"beauty": 1.0}, "bias": 0.0, "threshold": 0.5}))
    with pytest.raises(SettingsError, match="beauty"):
        load_reader(str(folder))


def test_models_that_cannot_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError):
        load_reader(str(tmp_path / "nothing"))
    from transformers import BertConfig, BertForSequenceClassification

    folder = make_model(tmp_path / "classifier", "bert")
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertForSequenceClassification(BertConfig(vocab_size=98, **sizes)).save_pretrained(folder)
    with pytest.raises(EncoderError, match="no question-answering model"):
        load_reader(str(folder)).read(QUESTION, [PassageText(text=TEXT)])
