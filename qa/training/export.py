"""The weights of a BERT as an int8 ONNX network for one text at a time, written out node by node.

Graphs that a tracer writes use dozens of small operators and spend most of their time moving numbers. Weights are
quantised by channel, in seven bits: with eight, processors without VNNI instructions overflow in silence. Activations
are quantised as they come, with one scale for all of them, so that a few wide channels would leave the others two or
three bits. Each channel is therefore divided by the root of its largest value on sample texts (parts of the sample
articles), and its weights multiplied by it, which changes nothing but the rounding (after Xiao et al., "SmoothQuant",
2023). Without that, int8 costs the encoder .003 of nDCG@10 on paragraphs of SQuAD; with it, nothing that 4,557
questions show.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

import seeds
from embeddings import parsers
from embeddings.encoders import BUNDLED_MODEL, locate
from embeddings.runtime import open_session, sha256_of
from embeddings.types import RawArticle

if TYPE_CHECKING:
    import onnx
    from tokenizers import Tokenizer


Floats = npt.NDArray[np.float32]
Weights = Mapping[str, Floats]
"""By the names that the transformers library gives them, without the model's prefix."""
Tokens = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Ids of one input, and which part of it each belongs to: 0 or 1. Both of shape (1, tokens)."""
End = Literal["vector", "spans", "labels"]
"""What the network says: the mean of all tokens at unit length, and each of them; where an answer starts and ends; a
class."""
# Nobody reads the states of tokens any more; without them the encoder, and with it every store, would be another one.
OUTPUTS: Mapping[End, tuple[str, ...]] = {
    "vector": ("vector", "tokens", "halfway"),
    "spans": ("start_logits", "end_logits"),
    "labels": ("logits",),
}
_IDS, _KINDS = "input_ids", "token_type_ids"
_MICROSOFT = "com.microsoft"
_EPSILON = 1e-12
_LEAST_WIDTH = 2.0**-5
_CHARACTERS = 900
"""Of a sample, some 200 tokens."""


def weights_of(model: Any) -> Weights:
    """The weights of a transformers BERT with or without a head."""
    return {
        name.removeprefix("bert."): tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()
    }


def export_int8(weights: Weights, path: Path, *, heads: int, end: End, samples: Sequence[Tokens]) -> str:
    """Write the int8 network to `path` and give its SHA-256; what is wide is measured on the samples."""
    import onnx

    widths = widths_of(weights, heads=heads, end=end, samples=samples)
    onnx.save(network(weights, heads=heads, end=end, widths=widths), path)
    return sha256_of(path)


def widths_of(weights: Weights, *, heads: int, end: End, samples: Sequence[Tokens]) -> list[Floats]:
    """What to divide each channel by, for each linear layer of the encoder in order.

    In steps of an eighth of a power of two, so that another processor's rounding gives the same network.
    """
    import onnx

    graph = network(weights, heads=heads, end=end)
    layers = [node for node in graph.graph.node if node.op_type == "MatMul" and node.name.startswith("encoder")]
    seen = [node.input[0] for node in layers]
    graph.graph.output.extend(onnx.helper.make_tensor_value_info(name, 1, None) for name in seen)
    largest: list[Any] = [0.0] * len(seen)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        onnx.save(graph, path)
        session = open_session(path, sha256=sha256_of(path), threads=1)
        for ids, kinds in samples:
            found = session.run(seen, {_IDS: ids} if end == "vector" else {_IDS: ids, _KINDS: kinds})
            largest = [np.maximum(most, np.abs(one).max(axis=(0, 1))) for most, one in zip(largest, found, strict=True)]
    roots = [np.log2(np.maximum(np.sqrt(most), _LEAST_WIDTH)) for most in largest]
    return [np.exp2(np.rint(root * 8) / 8).astype(np.float32) for root in roots]


def network(weights: Weights, *, heads: int, end: End, widths: Sequence[Floats] | None = None) -> onnx.ModelProto:
    """The network; with `widths` in int8, without in float.

    Inputs are token ids and, unless it gives a vector, their kinds, int64 of shape (1, tokens). Outputs: a vector has
    shape (1, dimension), the states of all tokens after the last layer and half-way up (1, tokens, dimension), starts
    and ends (1, tokens), labels (1, classes).
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    _end(graph, weights, _states(graph, weights, heads=heads, end=end, widths=widths), end)
    shapes = {"vector": [1, "dimension"], "logits": [1, "classes"], **{one: [1, "tokens"] for one in OUTPUTS["spans"]}}
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            BUNDLED_MODEL,
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, [1, "tokens"])
                for name in ([_IDS] if end == "vector" else [_IDS, _KINDS])
            ],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes.get(name, [1, "tokens", "dimension"]))
                for name in OUTPUTS[end]
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)],
        ir_version=9,
    )
    checker.check_model(proto)
    return proto


class _Graph:
    """Nodes and constants as they are added; each method gives the names of what it added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a tensor."""
        from onnx import numpy_helper

        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def add(self, kind: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        return self.add_many(kind, inputs, [output or f"n{len(self.nodes)}_0"], **attributes)[0]

    def split(self, states: str, count: int) -> Sequence[str]:
        """Part the last axis."""
        return self.add_many("Split", [states], [f"n{len(self.nodes)}_{number}" for number in range(count)], axis=2)

    def add_many(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Sequence[str]:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, list(inputs), list(outputs), **attributes))
        return outputs

    def linear(self, states: str, weights: Weights, name: str, *, layer: str = "") -> str:
        """A linear layer in float."""
        weight, bias = self.constant(weights[f"{name}.weight"].T), self.constant(weights[f"{name}.bias"])
        return self.add("Add", [self.add("MatMul", [states, weight], name=layer), bias])


def _states(graph: _Graph, weights: Weights, *, heads: int, end: End, widths: Sequence[Floats] | None) -> str:
    """What the last layer says of each token."""
    left = None if widths is None else iter(widths)

    def linear(states: str, name: str) -> str:
        own = [name.format(part) for part in ("query", "key", "value")] if "{}" in name else [name]
        joined = {
            f"{name}.{part}": np.concatenate([weights[f"{one}.{part}"] for one in own]) for part in ("weight", "bias")
        }
        if left is None:
            return graph.linear(states, joined, name, layer=name)
        return _linear_int8(graph, states, joined, name, left)

    def normed(states: str, other: str, name: str, *, output: str = "") -> str:
        # ONNX Runtime's operator for both steps takes longer than the two.
        constants = [graph.constant(weights[f"{name}LayerNorm.{part}"]) for part in ("weight", "bias")]
        added = graph.add("Add", [states, other])
        return graph.add("LayerNormalization", [added, *constants], output=output, epsilon=_EPSILON)

    layers = sum(name.endswith(".intermediate.dense.weight") for name in weights)
    outputs = {layers // 2 - 1: "halfway", layers - 1: "tokens"} if end == "vector" else {}
    states = normed(*_embedded(graph, weights, end=end, small=widths is not None), "embeddings.")
    for layer in range(layers):
        at = f"encoder.layer.{layer}."
        parts = graph.split(linear(states, f"{at}attention.self.{{}}"), 3)
        seen = graph.add("MultiHeadAttention", parts, domain=_MICROSOFT, num_heads=heads)
        states = normed(linear(seen, f"{at}attention.output.dense"), states, f"{at}attention.output.")
        bent = graph.add("Gelu", [linear(states, f"{at}intermediate.dense")], domain=_MICROSOFT)
        states = normed(linear(bent, f"{at}output.dense"), states, f"{at}output.", output=outputs.get(layer, ""))
    return states


def _linear_int8(graph: _Graph, states: str, weights: Weights, name: str, left: Iterator[Floats]) -> str:
    weight, width = weights[f"{name}.weight"].T, next(left)
    if ".attention.output." in name:  # what attention gives is even already
        width, even = np.ones_like(width), states
    else:
        even = graph.add("Mul", [states, graph.constant(1 / width)])
    small, scales = _quantised(weight * width[:, None], steps=63)
    inputs = [even, graph.constant(small), graph.constant(scales[0]), "", graph.constant(weights[f"{name}.bias"])]
    return graph.add("DynamicQuantizeMatMul", inputs, domain=_MICROSOFT)


def _embedded(graph: _Graph, weights: Weights, *, end: End, small: bool) -> tuple[str, str]:
    """Vectors of the words, and of their places in a text of one part or of two."""
    words, kinds = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "token_type"))
    places = weights["embeddings.position_embeddings.weight"] + kinds[0]
    if small:
        numbers, scales = _quantised(words.T, steps=127)
        gathered = graph.add("Cast", [graph.add("Gather", [graph.constant(numbers.T), _IDS])], to=1)
        word = graph.add("Mul", [gathered, graph.add("Gather", [graph.constant(scales.T), _IDS])])
    else:
        word = graph.add("Gather", [graph.constant(words), _IDS])
    if end != "vector":
        word = graph.add("Add", [word, graph.add("Gather", [graph.constant(kinds - kinds[0]), _KINDS])])
    first = graph.constant(np.array([0], np.int64))
    return word, graph.add("Slice", [graph.constant(places), first, graph.add("Shape", [_IDS], start=1), first])


def _end(graph: _Graph, weights: Weights, states: str, end: End) -> None:
    outputs = OUTPUTS[end]
    if end == "vector":
        mean = graph.add("ReduceMean", [states], axes=[1], keepdims=0)
        graph.add("LpNormalization", [mean], output=outputs[0], axis=-1, p=2)
    elif end == "spans":
        for column, name in zip(graph.split(graph.linear(states, weights, "qa_outputs"), 2), outputs, strict=True):
            graph.add("Squeeze", [column, graph.constant(np.array([2], np.int64))], output=name)
    else:
        first = graph.add("Gather", [states, graph.constant(np.array(0, np.int64))], axis=1)
        if "pooler.dense.weight" in weights:
            first = graph.add("Tanh", [graph.linear(first, weights, "pooler.dense")])
        graph.add("Identity", [graph.linear(first, weights, "classifier")], output=outputs[0])


def _quantised(matrix: Floats, *, steps: int) -> tuple[npt.NDArray[np.int8], Floats]:
    """Whole numbers from -steps to steps, and the scale of each column, shape (1, columns)."""
    scales = np.maximum(np.abs(matrix).max(axis=0, keepdims=True) / steps, np.finfo(np.float32).tiny)
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


def sample_texts(tokenizer: Path, *, most: int) -> list[Tokens]:
    """Parts of articles and questions, of at most so many tokens."""
    cut = _cutter(tokenizer, most)
    return [_tokens(cut, text) for text in [*_parts(), *_questions()]]


def _sample_pairs(tokenizer: Path, *, most: int) -> list[Tokens]:
    """Each part of an article behind a question."""
    cut = _cutter(tokenizer, most)
    return [_tokens(cut, question, part) for question, part in zip(cycle(_questions()), _parts(), strict=False)]


def export_pair_network(model: Any, path: Path, *, end: End, most: int) -> str:
    """Write the int8 network of a model that reads two texts, of `most` tokens together, and its tokenizer beside it.

    Gives the network's SHA-256. The model is one of the transformers library.
    """
    tokenizer = path.parent / "tokenizer.json"
    shutil.copyfile(locate(BUNDLED_MODEL) / "tokenizer.json", tokenizer)
    heads, samples = model.config.num_attention_heads, _sample_pairs(tokenizer, most=most)
    return export_int8(weights_of(model), path, heads=heads, end=end, samples=samples)


def _parts() -> list[str]:
    articles = [item for path in sorted(seeds.articles_dir().iterdir()) for item in parsers.read(path)]
    texts = [article.text for article in articles if isinstance(article, RawArticle)]
    return [text[start : start + _CHARACTERS] for text in texts for start in range(0, len(text), _CHARACTERS)]


def _questions() -> list[str]:
    return [question.question for question in seeds.questions()[::4]]


def _cutter(tokenizer: Path, most: int) -> Tokenizer:
    from tokenizers import Tokenizer

    cut = Tokenizer.from_file(str(tokenizer))
    cut.no_padding()
    cut.enable_truncation(most)
    return cut


def _tokens(cut: Tokenizer, text: str, second: str | None = None) -> Tokens:
    encoding = cut.encode(text, second)
    return np.array([encoding.ids], np.int64), np.array([encoding.type_ids], np.int64)


# --- The weights of an int8 network that `qa.training.export` wrote, brought back: to train on from what ships
# What rounding took is lost (up to a 126th of a channel's largest weight); nothing else is. The network's own files are
# all that is needed, where the training folder they were made from is no more.
_LINEAR = ("attention.self.{}", "attention.output.dense", "intermediate.dense", "output.dense")
_PARTS = ("query", "key", "value")
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")
_HEADS = {OUTPUTS["spans"]: ("qa_outputs",), OUTPUTS["labels"]: ("pooler.dense", "classifier")}
"""By the outputs that a network has; without a pooler the first is absent."""


def main(argv: Sequence[str] | None = None) -> None:
    """Write a folder that `--start` of `qa.training.train_reader` or `train_checker` takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="network", type=Path, required=True, help="reader.onnx or checker.onnx")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    import onnx
    import torch

    from qa.training import train_checker, train_reader

    weights = restored(onnx.load(given.network))
    of_reader = "qa_outputs.weight" in weights
    model, _ = (train_reader if of_reader else train_checker).fresh_network()
    known = {name.removeprefix("bert."): name for name in model.state_dict()}
    model.load_state_dict({known[name]: torch.tensor(values) for name, values in weights.items()})
    model.save_pretrained(given.out)
    print(f"written to {given.out}")


def restored(network: onnx.ModelProto) -> dict[str, Floats]:
    """The weights of an int8 network for spans or labels, by the names that the transformers library gives them.

    Raises ValueError where it is no such network.
    """
    from onnx import numpy_helper

    graph = network.graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    nodes: dict[str, list[Any]] = {}
    for node in graph.node:
        nodes.setdefault(node.op_type, []).append(node)
    linear, norms = nodes.get("DynamicQuantizeMatMul", []), nodes.get("LayerNormalization", [])
    heads = _HEADS.get(tuple(output.name for output in graph.output), ())[-len(nodes.get("MatMul", [])) :]
    if not linear or len(linear) % len(_LINEAR) or len(norms) != len(linear) // 2 + 1 or not heads:
        raise ValueError("this is no int8 network for spans or labels of qa.training.export")
    muls = {node.output[0]: node for node in nodes["Mul"]}
    weights = dict(_embeddings(nodes, constants))
    for number, node in enumerate(linear):
        layer, part = divmod(number, len(_LINEAR))
        weights |= _layer(node, muls.get(node.input[0]), constants, f"encoder.layer.{layer}.{_LINEAR[part]}")
    names = ["embeddings.LayerNorm"]
    names += [f"encoder.layer.{layer}.{norm}" for layer in range(len(linear) // len(_LINEAR)) for norm in _NORMS]
    for name, node in zip(names, norms, strict=True):
        weights |= {f"{name}.weight": constants[node.input[1]], f"{name}.bias": constants[node.input[2]]}
    for name, head in zip(heads, nodes["MatMul"], strict=True):
        bias = next(node for node in nodes["Add"] if node.input[0] == head.output[0])
        weights |= {f"{name}.weight": constants[head.input[1]].T, f"{name}.bias": constants[bias.input[1]]}
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
