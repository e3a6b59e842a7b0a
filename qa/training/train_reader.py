"""Fine-tune the bundled encoder as a reader: of a question and a passage, the words that answer, or none.

`make train-reader` runs it. Method: start and end of the answer as two distributions over the tokens, the first token
standing for "no answer" (Devlin et al. 2019, section 4.3).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.encoders.weights import BUNDLED_MODEL, locate
from qa.training.loop import Plan, batches, train
from qa.training.reader_data import Row, Tokens, Window, epoch_of, other_sentences, rows_of, tokens_of

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["loss_of", "main"]

VALIDATION_FOLD = 0
BATCH_TOKENS = 5_000
FIRST_STAGE = 24_000
"""Examples of single sentences seen before whole passages: they are short, and teach where answers begin and end."""


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or go on training, and keep the last state in `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train*.jsonl.gz")
    parser.add_argument("--start", type=Path, help="a trained reader to go on from; else the bundled encoder")
    parser.add_argument("--out", type=Path, default=Path(".cache/training/reader"))
    parser.add_argument("--examples", type=int, default=200_000)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--decay-share", type=float, default=0.35)
    parser.add_argument("--first-stage", type=int, default=FIRST_STAGE)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args(argv)
    plan = Plan(
        examples=given.examples,
        learning_rate=given.learning_rate,
        decay_share=given.decay_share,
        seed=given.seed,
        threads=given.threads,
    )
    model, tokenizer = fresh_network(given.start)
    passages = [row for name in ("train", "train-negatives") for row in rows_of(given.data / f"{name}.jsonl.gz")]
    sentences = list(rows_of(given.data / "train-sentences.jsonl.gz"))
    epochs = epochs_of(passages, sentences, tokenizer=tokenizer, first_stage=given.first_stage, seed=given.seed)
    train(model, epochs, loss_of=loss_of, plan=plan, folder=given.out)
    model.save_pretrained(given.out / "model")


def fresh_network(start: Path | None = None) -> tuple[Any, Any]:
    """The encoder with a head for the answer's ends, untrained unless `start` has one, and its tokenizer."""
    from tokenizers import Tokenizer
    from transformers import AutoModelForQuestionAnswering

    folder = locate(BUNDLED_MODEL)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    # No dropout: one pass over few epochs does not overfit, and random numbers are slow on a processor.
    model = AutoModelForQuestionAnswering.from_pretrained(
        start or folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, attn_implementation="sdpa"
    )
    return model, tokenizer


def epochs_of(
    passages: Sequence[Row], sentences: Sequence[Row], *, tokenizer: Any, first_stage: int, seed: int
) -> Iterator[list[list[Window]]]:
    """The first stage, then epochs over the passages without end; the validation fold is left out of all."""
    rng = random.Random(seed)
    special = {"cls": tokenizer.token_to_id("[CLS]"), "sep": tokenizer.token_to_id("[SEP]")}

    def cut(rows: Sequence[Row]) -> list[Tokens]:
        return tokens_of([row for row in rows if row.fold != VALIDATION_FOLD], tokenizer)

    drawn = rng.sample(list(sentences), min(len(sentences), first_stage))
    drawn += other_sentences(drawn, rng, share=0.3)
    if first_stage:
        early = epoch_of(cut(drawn), rng, **special)
        yield batches(
            rng.sample(early, min(len(early), first_stage)), length=_length, tokens=BATCH_TOKENS // 2, rng=rng
        )
    rows = cut(passages)
    while True:
        yield batches(epoch_of(rows, rng, **special), length=_length, tokens=BATCH_TOKENS, rng=rng)


def _length(window: Window) -> int:
    return len(window.ids)


def loss_of(model: nn.Module, windows: list[Window]) -> torch.Tensor:
    """Cross entropy of the answer's first and last token, over the text and the token that stands for no answer."""
    import torch
    from torch.nn import functional

    device = next(model.parameters()).device
    width = max(len(window.ids) for window in windows)
    ids = torch.zeros(len(windows), width, dtype=torch.long)
    mask = torch.zeros(len(windows), width, dtype=torch.long)
    kinds = torch.zeros(len(windows), width, dtype=torch.long)
    barred = torch.ones(len(windows), width, dtype=torch.bool)
    for row, window in enumerate(windows):
        size = len(window.ids)
        ids[row, :size] = torch.tensor(window.ids)
        mask[row, :size] = 1
        kinds[row, window.second : size] = 1
        barred[row, window.context : size - 1] = False
        barred[row, 0] = False
    first = torch.tensor([window.first for window in windows], device=device)
    last = torch.tensor([window.last for window in windows], device=device)
    found = model(input_ids=ids.to(device), attention_mask=mask.to(device), token_type_ids=kinds.to(device))
    barred = barred.to(device)
    starts = found.start_logits.float().masked_fill(barred, -1e4)
    ends = found.end_logits.float().masked_fill(barred, -1e4)
    return (functional.cross_entropy(starts, first) + functional.cross_entropy(ends, last)) / 2


if __name__ == "__main__":
    main()
