"""How weights are made: windows hold their answers, interrupted runs end as whole ones do, ONNX says the same."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.encoders import BUNDLED_MODEL, locate
from embeddings.runtime import open_session, sha256_of
from qa.training import Plan, batches, train
from qa.training.export import OUTPUTS, End, export_int8, network, weights_of, widths_of
from qa.training.reader_data import CONTEXT_TOKENS, Row, Span, other_sentences, rows_of, title_of, tokens_of, window_of

TEXT = "The ferry Almeric carried 214 people to Skerra. Nobody was hurt. " + "It rained all day in Kelmar. " * 40


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(locate(BUNDLED_MODEL) / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def row(**said: Any) -> Row:
    answers = (Span("214 people", TEXT.index("214")),)
    return Row(**{"question": "How many sailed?", "context": TEXT, "answers": answers, "group": "nq:Ferry", **said})


def test_a_window_holds_its_answer_and_little_else(tokenizer: Any) -> None:
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    (tokens,) = tokens_of([row()], tokenizer)
    titled = 0
    for seed in range(40):
        window = window_of(tokens, random.Random(seed), cls=cls, sep=sep)
        assert window is not None
        assert tokenizer.decode(list(window.ids[window.first : window.last + 1])) == "214 people"
        assert window.context <= window.first <= window.last < len(window.ids) - 1
        assert len(window.ids) - window.context - 1 <= CONTEXT_TOKENS[1]
        assert window.ids[window.second - 1] == sep
        titled += window.context > window.second
    assert 10 < titled < 38


def test_a_question_without_an_answer_points_at_the_first_token(tokenizer: Any) -> None:
    (tokens,) = tokens_of([row(is_impossible=True, answers=())], tokenizer)
    window = window_of(tokens, random.Random(1), cls=101, sep=102)
    assert window is not None
    assert (window.first, window.last) == (0, 0)


def test_sentences_about_the_same_matter_make_unanswerable_questions() -> None:
    rows = [
        row(context="Ida won.", answers=(Span("Ida", 0),), group="a"),
        row(context="Ida lost.", answers=(Span("lost", 4),), group="a"),
    ]
    made = other_sentences(rows, random.Random(0), share=1.0)
    assert [(one.context, one.is_impossible, one.answers) for one in made] == [("Ida won.", True, ())]


def test_rows_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    line = {"question": "Who?", "context": "Ida.", "answers": [{"text": "Ida", "answer_start": 0}], "licence": "x"}
    path.write_bytes(gzip.compress(json.dumps({**line, "group": "squad2_train:Some_Title:3"}).encode()))
    (found,) = rows_of(path)
    assert (found.question, found.answers[0].text, title_of(found)) == ("Who?", "Ida", "Some Title")


def test_batches_hold_everything_once_within_their_size() -> None:
    sizes = [random.Random(n).randint(3, 90) for n in range(200)]
    made = batches(sizes, length=lambda size: size, tokens=300, rng=random.Random(0))
    assert sorted(size for batch in made for size in batch) == sorted(sizes)
    assert all(max(batch) * len(batch) <= 300 for batch in made)


def epochs() -> Iterator[list[list[float]]]:
    rng = random.Random(5)
    while True:
        yield [[rng.random() for _ in range(4)] for _ in range(5)]


def linear() -> Any:
    import torch

    torch.manual_seed(3)
    return torch.nn.Linear(1, 1)


def loss_of(model: Any, batch: list[float]) -> Any:
    import torch

    given = torch.tensor(batch)[:, None]
    return ((model(given) - 3 * given) ** 2).mean()


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    plan = Plan(examples=120, learning_rate=0.1, warmup=8, save_every=0.0)
    whole = linear()
    assert train(whole, epochs(), loss_of=loss_of, plan=plan, folder=tmp_path / "whole") == 120

    def stopping() -> Callable[[Any, list[float]], Any]:
        seen = 0

        def loss(model: Any, batch: list[float]) -> Any:
            nonlocal seen
            seen += len(batch)
            if seen > 60:
                raise KeyboardInterrupt
            return loss_of(model, batch)

        return loss

    with pytest.raises(KeyboardInterrupt):
        train(linear(), epochs(), loss_of=stopping(), plan=plan, folder=tmp_path / "parts")
    resumed = linear()
    assert train(resumed, epochs(), loss_of=loss_of, plan=plan, folder=tmp_path / "parts") == 120
    assert resumed.weight.item() == pytest.approx(whole.weight.item(), abs=1e-7)
    assert abs(whole.weight.item() - 3) < abs(linear().weight.item() - 3)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="after 4 examples"):
        train(
            linear(),
            epochs(),
            loss_of=lambda m, b: loss_of(m, b) * float("nan"),
            plan=Plan(examples=40),
            folder=tmp_path,
        )


@pytest.mark.parametrize("end", ["spans", "labels"])
def test_the_graph_says_what_the_network_says(tmp_path: Path, end: End) -> None:
    import onnx
    import torch
    from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=50, max_position_embeddings=32, num_labels=2 if end == "spans" else 3, **sizes)
    model = (BertForQuestionAnswering if end == "spans" else BertForSequenceClassification)(config).eval()
    rng = np.random.default_rng(0)
    given = [(rng.integers(1, 50, (1, long)), np.array([[0] * 4 + [1] * (long - 4)])) for long in (7, 12, 30)]
    plain, small = tmp_path / "plain.onnx", tmp_path / "int8.onnx"
    onnx.save(network(weights_of(model), heads=2, end=end), plain)
    sha256 = export_int8(weights_of(model), small, heads=2, end=end, samples=given)
    for path, hashed, apart in ((plain, sha256_of(plain), 1e-4), (small, sha256, 0.2)):
        session = open_session(path, sha256=hashed, threads=1)
        for ids, kinds in given:
            with torch.inference_mode():
                wanted = model(input_ids=torch.from_numpy(ids), token_type_ids=torch.from_numpy(kinds))
            made = session.run(list(OUTPUTS[end]), {"input_ids": ids, "token_type_ids": kinds})
            for name, found in zip(OUTPUTS[end], made, strict=True):
                assert np.abs(found - getattr(wanted, name).numpy()).max() < apart
    assert small.stat().st_size < plain.stat().st_size


def test_the_encoders_network_says_what_its_model_says(tmp_path: Path) -> None:
    """The float one exactly, the int8 one nearly; a channel that is much too wide is evened out."""
    import onnx
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertModel(BertConfig(vocab_size=50, max_position_embeddings=32, **sizes)).eval()
    with torch.no_grad():
        model.encoder.layer[0].output.LayerNorm.weight[3] = 30
    weights = weights_of(model)
    rng = np.random.default_rng(0)
    given = [rng.integers(1, 50, (1, length)) for length in (3, 12, 30)]
    with torch.inference_mode():
        means = [model(torch.from_numpy(ids)).last_hidden_state.mean(dim=1).numpy() for ids in given]
    wanted = [mean[0] / np.linalg.norm(mean) for mean in means]

    def off(made: onnx.ModelProto) -> float:
        onnx.save(made, tmp_path / "network.onnx")
        session = open_session(tmp_path / "network.onnx", sha256=sha256_of(tmp_path / "network.onnx"), threads=1)
        found = [session.run(["vector"], {"input_ids": ids})[0][0] for ids in given]
        return max(1 - float(one @ other) for one, other in zip(found, wanted, strict=True))

    widths = widths_of(weights, heads=2, end="vector", samples=[(ids, np.zeros_like(ids)) for ids in given])
    assert off(network(weights, heads=2, end="vector")) < 1e-5
    assert off(network(weights, heads=2, end="vector", widths=widths)) < 0.002
    assert widths[4][3] > 3 * np.median(widths[4]), "the wide channel, where the second layer reads it"
