"""Fits the dependency parser of the support checker to treebanks; writes `qa/grounding/syntax/parser.npz`.

    python -m qa.training.aligned_checker.fit_parser --out qa/grounding/syntax/parser.npz --train PATH… --report PATH…

A path is a CoNLL-U file or a folder with such files. No sentence of `--report` is fitted to, even where `--train` holds
it, too. The parser that ships was fitted to UD English EWT (CC BY-SA 4.0): weights only, none of its text.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embeddings.encoders import Encoder, TokenVectors, load
from embeddings.errors import EncoderError
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.metrics.statistics import Estimate, mean
from qa.grounding.syntax.trees import Parser, word_states
from qa.language.words import Word
from qa.training.aligned_checker.parser_network import ParserExample, fit_network
from qa.training.aligned_checker.treebanks import TreebankSentence, read_treebank

__all__ = ["Arrays", "fit", "main", "score"]

_EPOCHS = 9
_FEWEST_WORDS = 2
"""In a sentence of one word there is nothing to decide."""
_MOST_WORDS = 60
"""Longer ones are lists and signatures, and cost most."""
_AT_ONCE = 512
_NO_LAYERS = "this encoder keeps no states half-way up its layers; name a model of transformer layers"

Arrays = dict[str, npt.NDArray[Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the fit from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--report", type=Path, nargs="+", required=True)
    parser.add_argument("--encoder", default="all-MiniLM-L6-v2")
    options = parser.parse_args(arguments)
    if not options.out.parent.is_dir():
        parser.error(f"there is no folder {options.out.parent} to write into")
    reported = {path: read_treebank([path]).sentences for path in options.report}
    held_out = {sentence.text for own in reported.values() for sentence in own}
    bank = read_treebank(options.train)
    sentences = [sentence for sentence in bank.sentences if sentence.text not in held_out]
    _say(f"{len(sentences)} sentences to fit to; {bank.left_out} that are cut otherwise than we cut are left out")
    encoder = load(options.encoder)
    arrays = fit(sentences, encoder=encoder, told=_say)
    np.savez_compressed(options.out, allow_pickle=False, **arrays)
    for path, own in reported.items():
        attached, labelled = score(own, parser=Parser(arrays), encoder=encoder)
        _say(f"{path}: {attached.groups} sentences, {attached.n} words, UAS {_told(attached)}, LAS {_told(labelled)}")


def fit(
    sentences: Sequence[TreebankSentence],
    *,
    encoder: Encoder,
    epochs: int = _EPOCHS,
    told: Callable[[str], None] = lambda _: None,
) -> Arrays:
    """The arrays of a parser fitted to what an encoder makes of these sentences, as `Parser` reads them.

    Sentences of one word and very long ones are left out.

    Raises InvalidDataset where none is left, EncoderError where the encoder has no layers to look into.
    """
    known = [sentence for sentence in sentences if _FEWEST_WORDS <= len(sentence.words) <= _MOST_WORDS]
    if not known:
        raise InvalidDataset(
            f"none of {len(sentences)} sentences to fit to has {_FEWEST_WORDS} to {_MOST_WORDS} words; "
            "name more files, none of which is reported on"
        )
    relations = tuple(sorted({relation for sentence in known for relation in sentence.relations}))
    places = {relation: place for place, relation in enumerate(relations)}
    examples = [
        ParserExample(
            vectors=_word_vectors(sentence.words, text),
            heads=sentence.heads,
            relations=tuple(places[relation] for relation in sentence.relations),
        )
        for sentence, text in _read(known, encoder, told=told)
    ]
    network = fit_network(
        examples,
        relations=len(relations),
        epochs=epochs,
        told=lambda epoch, loss: told(f"epoch {epoch} of {epochs}: loss {loss:.3f}"),
    )
    return {
        **network.arrays(),
        "relations": np.array(relations),
        "encoder": np.array(encoder.identity.revision),
    }


def score(sentences: Sequence[TreebankSentence], *, parser: Parser, encoder: Encoder) -> tuple[Estimate, Estimate]:
    """Share of words with the right head, and with the right relation at it, too; sentences are the groups.

    Sentences of one word are left out. Attachment scores over our words: no punctuation is among them.
    """
    known = [sentence for sentence in sentences if len(sentence.words) >= _FEWEST_WORDS]
    attached: list[float] = []
    labelled: list[float] = []
    groups: list[str] = []
    for number, (sentence, text) in enumerate(_read(known, encoder)):
        tree = parser.parse(sentence.words, text)
        if tree is None:
            raise EncoderError(_NO_LAYERS)
        for word, (head, relation) in enumerate(zip(tree.heads, tree.relations, strict=True)):
            right = head == sentence.heads[word]
            attached.append(right)
            labelled.append(right and relation == sentence.relations[word])
            groups.append(str(number))
    return mean(attached, groups=groups), mean(labelled, groups=groups)


def _read(
    sentences: Sequence[TreebankSentence], encoder: Encoder, *, told: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[TreebankSentence, TokenVectors]]:
    """Each sentence with the vectors of its tokens."""
    for start in range(0, len(sentences), _AT_ONCE):
        own = sentences[start : start + _AT_ONCE]
        yield from zip(own, encoder.encode_tokens([sentence.text for sentence in own]), strict=True)
        told(f"{start + len(own)} of {len(sentences)} sentences encoded")


def _word_vectors(words: Sequence[Word], text: TokenVectors) -> npt.NDArray[np.float16]:
    """What the parser reads of each word. Raises EncoderError for an encoder without states half-way up."""
    if text.halfway is None:
        raise EncoderError(_NO_LAYERS)
    return word_states(words, text).astype(np.float16)


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} (95 % {estimate.low:.4f} to {estimate.high:.4f})"


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
