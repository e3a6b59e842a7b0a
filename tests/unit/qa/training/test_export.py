"""Weights come back from the network that ships, but for their rounding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qa.training.export import export_int8, network, restored, weights_of


def test_weights_come_back_but_for_their_rounding(tmp_path: Path) -> None:
    import onnx
    import torch
    from transformers import BertConfig, BertForQuestionAnswering, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=50, max_position_embeddings=40, num_labels=2, **sizes)
    model = BertForQuestionAnswering(config).eval()
    rng = np.random.default_rng(0)
    given = [(rng.integers(1, 50, (1, 20)), np.array([[0] * 4 + [1] * 16]))]
    before = dict(weights_of(model))
    export_int8(before, tmp_path / "spans.onnx", heads=2, end="spans", samples=given)
    found = restored(onnx.load(tmp_path / "spans.onnx"))
    # The first kind is added to the places, and taken from both kinds.
    kinds = before["embeddings.token_type_embeddings.weight"]
    before["embeddings.position_embeddings.weight"] = before["embeddings.position_embeddings.weight"] + kinds[0]
    before["embeddings.token_type_embeddings.weight"] = kinds - kinds[0]
    assert found.keys() == before.keys()
    for name, values in found.items():
        assert values.shape == before[name].shape, name
        assert np.abs(values - before[name]).max() <= np.abs(before[name]).max() / 63 + 1e-6, name
    other = BertForSequenceClassification(config)
    with pytest.raises(ValueError, match="no int8 network for spans"):
        restored(network(weights_of(other), heads=2, end="labels"))
