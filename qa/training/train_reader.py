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

from embeddings.encoders import BUNDLED_MODEL, load, locate
from qa.training import Plan, batches, train
from qa.training.reader_data import (
    Group,
    Neighbourhood,
    Row,
    Window,
    epoch_of,
    groups_of,
    neighbours_of,
    other_sentences,
    rows_of,
    tokens_of,
)
from qa.training.written_examples import SOURCE, document_rows, written_rows

if TYPE_CHECKING:
    import torch
    from torch import nn


VALIDATION_FOLD = 0
BATCH_TOKENS = 5_000
AGAINST_OTHERS, OF_NEIGHBOURS = 0.5, 0.5
"""What it weighs that a question's own passage wins against its neighbours, and that each of these holds no answer; an
answer's first and last word weigh 1."""
FIRST_STAGE = 24_000
"""Examples of single sentences seen before whole passages: they are short, and teach where answers begin and end."""


def main(argv: Sequence[str] | None = None) -> None:
    """Train, or go on training, and keep the last state in `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="DATA/reader; DATA/support stands beside it")
    parser.add_argument("--start", type=Path, help="a trained reader to go on from; else the bundled encoder")
    parser.add_argument("--out", type=Path, default=Path(".cache/training/reader"))
    parser.add_argument("--examples", type=int, default=200_000)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--decay-share", type=float, default=0.35)
    parser.add_argument("--first-stage", type=int, default=FIRST_STAGE)
    parser.add_argument("--groups", type=int, default=0, help="questions of an epoch that come with near passages")
    parser.add_argument("--news-groups", type=float, default=2.0, help="how often each of invented news comes so")
    parser.add_argument("--share", type=float, default=1.0, help="of the other windows in each epoch")
    parser.add_argument("--asked", type=float, default=1.0, help="the same of questions on real news")
    parser.add_argument("--frozen", type=int, default=0, help="lowest layers left as they are: a third less time for 3")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args(argv)
    named = {name: getattr(given, name) for name in ("examples", "learning_rate", "decay_share", "seed", "threads")}
    plan = Plan(**named)
    model, tokenizer = fresh_network(given.start)
    freeze(model, layers=given.frozen)
    passages = [row for name in ("train", "train-negatives") for row in rows_of(given.data / f"{name}.jsonl.gz")]
    written = [*written_rows(), *document_rows(given.data.parent)]
    sentences = list(rows_of(given.data / "train-sentences.jsonl.gz"))
    epochs = epochs_of(
        passages,
        sentences,
        written,
        tokenizer=tokenizer,
        first_stage=given.first_stage,
        seed=given.seed,
        shape=Neighbourhood(groups=given.groups, alone=given.share, asked=given.asked, news=given.news_groups),
        folder=given.out,
    )
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


def freeze(model: Any, *, layers: int) -> None:
    """Leave the embeddings and so many of the lowest layers as they are; none where `layers` is 0."""
    if layers:
        for part in (model.base_model.embeddings, *model.base_model.encoder.layer[:layers]):
            part.requires_grad_(False)


def epochs_of(
    passages: Sequence[Row],
    sentences: Sequence[Row],
    written: Sequence[Row],
    *,
    tokenizer: Any,
    first_stage: int,
    seed: int,
    shape: Neighbourhood,
    folder: Path,
) -> Iterator[list[list[Group]]]:
    """The first stage, then epochs over the passages without end; the validation fold is left out of all."""
    rng = random.Random(seed)
    special = {"cls": tokenizer.token_to_id("[CLS]"), "sep": tokenizer.token_to_id("[SEP]")}
    drawn = rng.sample(list(sentences), min(len(sentences), first_stage))
    drawn += other_sentences(drawn, rng, share=0.3)
    if first_stage:
        early = _alone(epoch_of(tokens_of(_not_held_out(drawn), tokenizer), rng, **special))
        yield batches(
            rng.sample(early, min(len(early), first_stage)), length=_length, tokens=BATCH_TOKENS // 2, rng=rng
        )
    kept, news = _not_held_out(passages), _not_held_out(written)
    rows, news_rows = tokens_of(kept, tokenizer), tokens_of(news, tokenizer)
    near = neighbours_of(kept, load(BUNDLED_MODEL), folder / "neighbours.json") if shape.groups else []
    with_neighbours = round(shape.news * len(news))
    near_cache = folder / f"neighbours-news-{len(news)}.json"
    near_news = neighbours_of(news, load(BUNDLED_MODEL), near_cache) if with_neighbours else []
    asked = [each for each in news_rows if each.row.source == SOURCE]
    others = [*rows, *(each for each in news_rows if each.row.source != SOURCE)]
    while True:
        drawn_alone = []
        for some_rows, share in ((others, shape.alone), (asked, shape.asked)):
            windows = epoch_of(some_rows, rng, **special)
            drawn_alone += _alone(rng.sample(windows, round(len(windows) * share)))
        groups = groups_of(rows, near, shape, rng, **special)
        for begin in range(0, with_neighbours, len(news)):
            some = Neighbourhood(groups=min(len(news), with_neighbours - begin), size=shape.size)
            groups += groups_of(news_rows, near_news, some, rng, **special)
        yield batches([*drawn_alone, *groups], length=_length, tokens=BATCH_TOKENS, rng=rng)


def _not_held_out(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.fold != VALIDATION_FOLD]


def _alone(windows: Sequence[Window]) -> list[Group]:
    return [(window,) for window in windows]


def _length(group: Group) -> int:
    return len(group) * max(len(window.ids) for window in group)


def loss_of(model: nn.Module, groups: list[Group]) -> torch.Tensor:
    """Cross entropy of the answer's first and last token, over the text and the token that stands for no answer; and,
    where a question comes with neighbours of its passage, of the passage that answers among them.
    """
    import torch
    from torch.nn import functional

    windows = [window for group in groups for window in group]
    starts, ends = _logits(model, windows)
    first = torch.tensor([window.first for window in windows], device=starts.device)
    last = torch.tensor([window.last for window in windows], device=starts.device)
    each = functional.cross_entropy(starts, first, reduction="none")
    each = (each + functional.cross_entropy(ends, last, reduction="none")) / 2
    weights = torch.tensor([OF_NEIGHBOURS if number else 1.0 for group in groups for number in range(len(group))])
    loss = (each * weights.to(each.device)).sum() / len(groups)
    odds = torch.logsumexp(starts[:, 1:], 1) - starts[:, 0] + torch.logsumexp(ends[:, 1:], 1) - ends[:, 0]
    at = 0
    for group in groups:
        if len(group) > 1:
            loss = loss - AGAINST_OTHERS * functional.log_softmax(odds[at : at + len(group)], 0)[0] / len(groups)
        at += len(group)
    return loss


def _logits(model: nn.Module, windows: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of first and last tokens, each of shape (windows, tokens), what cannot be an answer barred."""
    import torch

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
    found = model(input_ids=ids.to(device), attention_mask=mask.to(device), token_type_ids=kinds.to(device))
    barred = barred.to(device)
    return found.start_logits.float().masked_fill(barred, -1e4), found.end_logits.float().masked_fill(barred, -1e4)


if __name__ == "__main__":
    main()
