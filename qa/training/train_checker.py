"""Fine-tune an encoder as a support checker: does the evidence support a claim, contradict it, or not say it?

`make train-checker` runs it. Method: one encoder over both texts, three outcomes, as natural language inference models
are trained (Devlin et al. 2019, section 4.1). Where a row says only that a claim is not entailed, the loss is that of
the two other outcomes together.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from embeddings.encoders import BUNDLED_MODEL, locate
from qa.reading import load_reader
from qa.training import Plan, batches, train
from qa.training.checker_data import (
    LABELS,
    Encoded,
    Pair,
    development,
    encoded,
    pairs_of,
    pairs_of_sets,
)
from qa.training.mutations import VALIDATION_FOLD, among_others, edited_pairs, made_pairs, sentences_of
from qa.training.question_claims import (
    Asked,
    ReadAnswer,
    asked_of,
    question_pairs,
    questions_to_read,
    read_answers,
    verdict_pairs,
)
from qa.training.reader_data import rows_of
from qa.training.train_reader import freeze
from qa.training.written_examples import CLAIM_SOURCE, document_pairs, edited_texts, written_pairs, written_rows

if TYPE_CHECKING:
    import torch
    from torch import nn


BATCH_TOKENS = 4_000
SHARES: Mapping[str, float] = {"snli": 0.3, "mnli": 0.7, "fever": 4.0}
"""How often the short pairs of a source are drawn: captions of pictures are unlike news, FEVER's claims like it."""
NEWS_TIMES = 6
"""How often each question on invented news is among those that claims are made of: what tempts there is what a careless
model would say."""
AMONG_OTHERS = 0.25
"""Share of the short pairs that come once more, among sentences that say nothing of the claim."""
# Claims written for one article are drawn as short pairs are: their false ones copy, and many teach that copies lie.
_WHOLE = ("CG2C_doc", "set:", "written_edits", CLAIM_SOURCE)


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What epochs are drawn from."""

    rows: Sequence[Pair]
    texts: Sequence[Sequence[str]]
    asked: Sequence[Asked]
    answers: Sequence[ReadAnswer]
    counts: Mapping[str, int]
    """Pairs to make each epoch, by kind: made, asked, answers, edited."""
    share: float
    """Of the short pairs, in each epoch."""


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or go on training, keep the last state in `--out` and print figures on what was kept back."""
    given = _arguments(argv)
    named = {name: getattr(given, name) for name in ("examples", "learning_rate", "decay_share", "seed", "threads")}
    plan = Plan(warmup=800, save_every=given.save_every, **named)
    model, tokenizer = fresh_network(given.start)
    freeze(model, layers=given.frozen)
    short, documents = (list(pairs_of(given.data / f"train-{name}.jsonl.gz")) for name in ("pairs", "documents"))
    rows, kept = development(short, documents)
    material = Material(
        rows=[
            *rows,
            *written_pairs(held_out=False),
            *edited_texts(held_out=False),
            *document_pairs(given.data.parent, held_out=False),
            *(pairs_of_sets(given.sets) if given.sets else []),
        ],
        texts=sentences_of(given.texts) if given.texts else [],
        asked=_asked(given.texts) if given.texts else [],
        answers=_answers(given.texts, kept=given.read) if given.texts and given.answers else [],
        counts={name: getattr(given, name) for name in ("made", "asked", "answers", "edited")},
        share=given.short,
    )
    epochs = epochs_of(material, tokenizer=tokenizer, seed=given.seed)
    train(model, epochs, loss_of=loss_of, plan=plan, folder=given.out)
    model.save_pretrained(given.out / "model")
    kept += [*written_pairs(held_out=True), *edited_texts(held_out=True)]
    kept += document_pairs(given.data.parent, held_out=True)
    print(json.dumps(figures(model, kept, tokenizer=tokenizer)), flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train-pairs and train-documents")
    parser.add_argument("--texts", type=Path, help="folder of the reader's training files: their texts are falsified")
    parser.add_argument("--sets", type=Path, help="folder of the grounding sets: part of their fitting halves is used")
    parser.add_argument("--made", type=int, default=0, help="pairs to make by rule of texts, each epoch")
    parser.add_argument("--asked", type=int, default=0, help="pairs to make of questions over texts, each epoch")
    parser.add_argument("--answers", type=int, default=0, help="pairs to make of what the reader answered, each epoch")
    parser.add_argument(
        "--read", type=Path, default=Path(".cache/training/read.jsonl"), help="where its answers are kept"
    )
    parser.add_argument("--edited", type=int, default=0, help="pairs of the files to falsify, each epoch")
    parser.add_argument("--short", type=float, default=1.0, help="share of the short pairs in each epoch")
    parser.add_argument("--start", type=Path, help="a trained BERT to start from; else the bundled encoder")
    parser.add_argument("--out", type=Path, default=Path(".cache/training/checker"))
    parser.add_argument("--examples", type=int, default=150_000)
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--decay-share", type=float, default=0.35)
    parser.add_argument("--frozen", type=int, default=0, help="lowest layers left as they are: a third less time for 3")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--save-every", type=float, default=120.0, help="seconds between checkpoints")
    parser.add_argument("--seed", type=int, default=17)
    return parser.parse_args(argv)


def fresh_network(start: Path | None = None) -> tuple[Any, Any]:
    """The encoder with a head of three outcomes, untrained unless `start` has one, and its tokenizer."""
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification

    folder = locate(BUNDLED_MODEL)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # No dropout: one pass over few epochs does not overfit, and random numbers are slow on a processor.
    model = AutoModelForSequenceClassification.from_pretrained(
        start or folder,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.0,
        attn_implementation="sdpa",
        id2label=dict(enumerate(LABELS[:3])),
        label2id={label: at for at, label in enumerate(LABELS[:3])},
    )
    return model, tokenizer


def _asked(folder: Path) -> list[Asked]:
    rows = [row for name in ("train", "train-sentences") for row in rows_of(folder / f"{name}.jsonl.gz")]
    return asked_of([*rows, *NEWS_TIMES * list(written_rows())], fold=VALIDATION_FOLD)


def _answers(folder: Path, *, kept: Path) -> list[ReadAnswer]:
    rows = [row for name in ("train", "train-negatives") for row in rows_of(folder / f"{name}.jsonl.gz")]
    chosen = questions_to_read([*rows, *written_rows()], fold=VALIDATION_FOLD, rng=random.Random(1))
    return read_answers(chosen, load_reader(""), kept=kept)


def epochs_of(material: Material, *, tokenizer: Any, seed: int) -> Iterator[list[list[Encoded]]]:
    """Epochs without end: a share of the files' short pairs, their documents, and what is made, new each time."""
    rng = random.Random(seed)
    endless = {"asked": question_pairs(material.asked, rng), "answers": verdict_pairs(material.answers, rng)}
    while True:
        drawn = drawn_pairs(material, endless, rng)
        yield batches(encoded(drawn, tokenizer), length=lambda each: len(each.ids), tokens=BATCH_TOKENS, rng=rng)


def drawn_pairs(material: Material, endless: Mapping[str, Iterator[Pair]], rng: random.Random) -> list[Pair]:
    """The pairs of one epoch."""
    kept = [pair for pair in material.rows if pair.source.startswith(_WHOLE) or rng.random() < _share(pair, material)]
    short = [pair for pair in kept if not pair.source.startswith(_WHOLE)]
    drawn = [*kept, *edited_pairs(material.rows, rng, limit=material.counts["edited"])]
    if material.texts:
        drawn += made_pairs(material.texts, rng, limit=material.counts["made"])
        for kind, pairs in endless.items():
            drawn += itertools.islice(pairs, material.counts[kind])
        noisy = rng.sample(short, k=int(AMONG_OTHERS * len(short)))
        drawn += [among_others(pair, material.texts, rng) for pair in noisy]
    return drawn


def _share(pair: Pair, material: Material) -> float:
    return material.share * SHARES.get(pair.source.partition("_")[0], 1.0)


def padded(examples: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """What the network is given: ids, mask and segments, each of shape (examples, tokens)."""
    import torch

    width = max(len(each.ids) for each in examples)
    made = {
        name: torch.zeros(len(examples), width, dtype=torch.long)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    for row, each in enumerate(examples):
        made["input_ids"][row, : len(each.ids)] = torch.tensor(each.ids)
        made["attention_mask"][row, : len(each.ids)] = 1
        made["token_type_ids"][row, each.second : len(each.ids)] = 1
    return made


def loss_of(model: nn.Module, examples: list[Encoded]) -> torch.Tensor:
    """Cross entropy of the outcome; of a claim only known not to be entailed, of the other outcomes together."""
    import torch

    device = next(model.parameters()).device
    inputs = {name: values.to(device) for name, values in padded(examples).items()}
    logs = torch.log_softmax(model(**inputs).logits.float(), dim=1)
    either = torch.logsumexp(logs[:, 1:], dim=1, keepdim=True)
    told = torch.tensor([each.label for each in examples], device=device)
    return -torch.cat([logs, either], dim=1).gather(1, told[:, None]).mean()


def supported(model: nn.Module, examples: Sequence[Encoded], *, tokens: int = 8_000) -> list[float]:
    """Probability that the evidence supports the claim, of each example in turn."""
    import torch

    order = sorted(range(len(examples)), key=lambda at: len(examples[at].ids))
    found = [0.0] * len(examples)
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        while order:
            size = max(1, tokens // len(examples[order[-1]].ids))
            chosen, order = order[-size:], order[:-size]
            inputs = {name: values.to(device) for name, values in padded([examples[at] for at in chosen]).items()}
            for at, share in zip(chosen, model(**inputs).logits.softmax(dim=1)[:, 0].tolist(), strict=True):
                found[at] = share
    return found


def figures(model: nn.Module, pairs: Sequence[Pair], *, tokenizer: Any) -> dict[str, Any]:
    """Share of supported and of other claims judged rightly at one half, by source."""
    scores = supported(model, encoded(pairs, tokenizer))
    tallies: dict[str, dict[bool, list[bool]]] = {}
    for pair, score in zip(pairs, scores, strict=True):
        truth = pair.label == "entailment"
        tallies.setdefault(pair.source, {True: [], False: []})[truth].append((score >= 0.5) == truth)
    return {
        source: {
            "n": len(tally[True]) + len(tally[False]),
            "supported": round(sum(tally[True]) / max(len(tally[True]), 1), 3),
            "other": round(sum(tally[False]) / max(len(tally[False]), 1), 3),
        }
        for source, tally in sorted(tallies.items())
    }


if __name__ == "__main__":
    main()
