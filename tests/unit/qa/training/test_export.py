"""Weights come back from the networks that ship, but for their rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.training.export import End, export_int8, network, restored, weights_of


@pytest.mark.parametrize("end", ["spans", "labels"])
def test_weights_come_back_but_for_their_rounding(end: End, tmp_path: Path) -> None:
    import onnx
    import torch
    from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=50, max_position_embeddings=40, num_labels=2 if end == "spans" else 3, **sizes)
    model = (BertForQuestionAnswering if end == "spans" else BertForSequenceClassification)(config).eval()
    rng = np.random.default_rng(0)
    given = [(rng.integers(1, 50, (1, 20)), np.array([[0] * 4 + [1] * 16]))]
    before = dict(weights_of(model))
    export_int8(before, tmp_path / "int8.onnx", heads=2, end=end, samples=given)
    found = restored(onnx.load(tmp_path / "int8.onnx"))
    # The first kind is added to the places, and taken from both kinds.
    kinds = before["embeddings.token_type_embeddings.weight"]
    before["embeddings.position_embeddings.weight"] = before["embeddings.position_embeddings.weight"] + kinds[0]
    before["embeddings.token_type_embeddings.weight"] = kinds - kinds[0]
    assert found.keys() == before.keys()
    for name, values in found.items():
        assert values.shape == before[name].shape, name
        assert np.abs(values - before[name]).max() <= np.abs(before[name]).max() / 63 + 1e-6, name
    with pytest.raises(ValueError, match="no int8 network for spans or labels"):
        restored(network(before, heads=2, end=end))
