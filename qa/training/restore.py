"""The weights of an int8 network that `qa.training.export` wrote, brought back: to train on from what ships.

What rounding took is lost (up to a 126th of a channel's largest weight); nothing else is. The network's own files are
all that is needed, where the training folder they were made from is no more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

    from qa.training.export import Floats

__all__ = ["main", "restored"]

_LINEAR = ("attention.self.{}", "attention.output.dense", "intermediate.dense", "output.dense")
_PARTS = ("query", "key", "value")
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def main(argv: Sequence[str] | None = None) -> None:
    """Write a folder that `qa.training.train_reader --start` takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="network", type=Path, required=True, help="reader.onnx")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    import onnx
    import torch

    from qa.training.train_reader import fresh_network

    model, _ = fresh_network()
    weights = restored(onnx.load(given.network))
    known = {name.removeprefix("bert."): name for name in model.state_dict()}
    model.load_state_dict({known[name]: torch.tensor(values) for name, values in weights.items()})
    model.save_pretrained(given.out)
    print(f"written to {given.out}")


def restored(network: onnx.ModelProto) -> dict[str, Floats]:
    """The weights of an int8 network for spans, by the names that the transformers library gives them.

    Raises ValueError where it is no such network.
    """
    from onnx import numpy_helper

    graph = network.graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    nodes: dict[str, list[Any]] = {}
    for node in graph.node:
        nodes.setdefault(node.op_type, []).append(node)
    linear, norms = nodes.get("DynamicQuantizeMatMul", []), nodes.get("LayerNormalization", [])
    if not linear or len(linear) % len(_LINEAR) or len(norms) != len(linear) // 2 + 1 or len(nodes["MatMul"]) != 1:
        raise ValueError("this is no int8 network for spans of qa.training.export")
    muls = {node.output[0]: node for node in nodes["Mul"]}
    weights = dict(_embeddings(nodes, constants))
    for number, node in enumerate(linear):
        layer, part = divmod(number, len(_LINEAR))
        weights |= _layer(node, muls.get(node.input[0]), constants, f"encoder.layer.{layer}.{_LINEAR[part]}")
    names = ["embeddings.LayerNorm"]
    names += [f"encoder.layer.{layer}.{norm}" for layer in range(len(linear) // len(_LINEAR)) for norm in _NORMS]
    for name, node in zip(names, norms, strict=True):
        weights |= {f"{name}.weight": constants[node.input[1]], f"{name}.bias": constants[node.input[2]]}
    head = nodes["MatMul"][0]
    bias = next(node for node in nodes["Add"] if node.input[0] == head.output[0])
    weights |= {"qa_outputs.weight": constants[head.input[1]].T, "qa_outputs.bias": constants[bias.input[1]]}
    return {name: np.array(values, np.float32) for name, values in weights.items()}


def _layer(node: Any, evened: Any, constants: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    """Weights and biases of one linear layer, or of the three that were joined; what was evened out is taken back."""
    weight = constants[node.input[1]].astype(np.float32) * constants[node.input[2]]
    if evened is not None:
        weight = weight * constants[evened.input[1]].reshape(-1, 1)
    bias = constants[node.input[4]]
    parts = [name.format(part) for part in _PARTS] if "{}" in name else [name]
    for part, rows, values in zip(parts, np.split(weight.T, len(parts)), np.split(bias, len(parts)), strict=True):
        yield f"{part}.weight", rows
        yield f"{part}.bias", values


def _embeddings(nodes: dict[str, list[Any]], constants: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Of words, places and kinds; the first kind was added to the places."""
    tables = [constants[node.input[0]] for node in nodes["Gather"] if node.input[0] in constants]
    numbers = next(table for table in tables if table.dtype == np.int8)
    scales = next(table for table in tables if table.shape == (len(numbers), 1))
    yield "embeddings.word_embeddings.weight", numbers * scales
    yield "embeddings.position_embeddings.weight", constants[nodes["Slice"][0].input[0]]
    yield "embeddings.token_type_embeddings.weight", next(table for table in tables if len(table) == 2)


if __name__ == "__main__":
    main()
