"""How the weights that ship are made: data to examples, examples to a network, a network to ONNX.

Nothing here is imported by what serves. All networks share one loop: checkpoints, exact resuming, a schedule that can
be lengthened on the way.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    import torch
    from torch import nn


Example = TypeVar("Example")
_MODEL, _OPTIMIZER = "model:", "optimizer:"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how fast to train; whoever resumes may name more examples while the rate is still level."""

    examples: int
    """Seen in all, repetitions included."""
    learning_rate: float = 2e-4
    warmup: int = 3_000
    """Examples over which the rate rises to its level."""
    decay_share: float = 0.35
    """Last part of the run, over which the rate falls to 0 (as in warmup-stable-decay, Hu et al. 2024)."""
    weight_decay: float = 0.01
    clip: float = 1.0
    seed: int = 17
    threads: int = 0
    save_every: float = 300.0
    """Seconds between checkpoints."""
    say_every: float = 30.0
    """Seconds between progress lines."""


def rate(seen: int, plan: Plan) -> float:
    """Learning rate after `seen` examples: up, level, then linearly down to 0.

    >>> plan = Plan(examples=1000, warmup=100, decay_share=0.5, learning_rate=1.0)
    >>> [rate(n, plan) for n in (50, 100, 500, 750, 1000)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    falling = plan.examples * plan.decay_share
    return plan.learning_rate * max(0.0, min(1.0, seen / max(plan.warmup, 1), (plan.examples - seen) / falling))


def batches(
    examples: Sequence[Example], *, length: Callable[[Example], int], tokens: int, rng: random.Random
) -> list[list[Example]]:
    """Shuffle examples into batches of about the same length, each of at most `tokens` tokens with its padding."""
    noisy = sorted(examples, key=lambda example: length(example) * (1 + 0.1 * rng.random()))
    made: list[list[Example]] = [[]]
    longest = 0
    for example in noisy:
        longest = max(longest, length(example))
        if made[-1] and longest * (len(made[-1]) + 1) > tokens:
            made.append([])
            longest = length(example)
        made[-1].append(example)
    rng.shuffle(made)
    return made


def train(
    model: nn.Module,
    epochs: Iterable[list[list[Example]]],
    *,
    loss_of: Callable[[nn.Module, list[Example]], torch.Tensor],
    plan: Plan,
    folder: Path,
) -> int:
    """Train to the end of the plan and give how many examples were seen; `folder` keeps the last checkpoint.

    An interrupted run goes on where its last checkpoint was: the same `epochs` must come again, and what was seen of
    them is passed over. bf16 autocast on an accelerator and on processors that have it, else float32.
    Raises FloatingPointError where the loss is no number.
    """
    import torch

    torch.manual_seed(plan.seed)
    if plan.threads:
        torch.set_num_threads(plan.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    run = _Run(model, plan, folder, device)
    for batch in (batch for epoch in epochs for batch in epoch):
        if run.seen >= plan.examples:
            break
        if run.seen < run.resumed:
            run.seen += len(batch)
            continue
        run.step(batch, loss_of)
    run.save()
    return run.seen


class _Run:
    """The state of one run: optimizer, how far it is, when it last spoke and saved."""

    def __init__(self, model: nn.Module, plan: Plan, folder: Path, device: torch.device) -> None:
        import torch

        folder.mkdir(parents=True, exist_ok=True)
        self._model, self._plan, self._folder, self._device = model, plan, folder, device
        self._optimizer = torch.optim.AdamW(
            model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
        )
        self._losses: list[float] = []
        self.seen = self.resumed = 0
        if self._path.is_file():
            self._resume()
            print(f"resumed after {self.resumed:,} examples", flush=True)
        self._begun = self._saved = self._said = time.monotonic()

    @property
    def _path(self) -> Path:
        return self._folder / "checkpoint.safetensors"

    def _resume(self) -> None:
        from safetensors import safe_open

        with safe_open(self._path, framework="pt", device=str(self._device)) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            self.resumed = int(file.metadata()["seen"])
        self._model.load_state_dict({name.removeprefix(_MODEL): t for name, t in tensors.items() if _MODEL in name})
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith(_OPTIMIZER):
                number, _, key = name.removeprefix(_OPTIMIZER).partition(".")
                states.setdefault(int(number), {})[key] = tensor
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": states})

    def step(self, batch: list[Example], loss_of: Callable[[nn.Module, list[Example]], torch.Tensor]) -> None:
        """Learn from one batch."""
        import torch

        self.seen += len(batch)
        for group in self._optimizer.param_groups:
            group["lr"] = rate(self.seen, self._plan)
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=_has_bf16(self._device)):
            loss = loss_of(self._model, batch)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._plan.clip)
        self._optimizer.step()
        self._losses.append(loss.item())
        if not math.isfinite(self._losses[-1]):
            raise FloatingPointError(f"the loss is {self._losses[-1]} after {self.seen:,} examples; lower the rate")
        if time.monotonic() - self._said > self._plan.say_every:
            self._say()
        if time.monotonic() - self._saved > self._plan.save_every:
            self.save()

    def save(self) -> None:
        """Write the checkpoint; the one before stays until it is whole."""
        from safetensors.torch import save_file

        tensors = {f"{_MODEL}{name}": tensor.contiguous() for name, tensor in self._model.state_dict().items()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"{_OPTIMIZER}{number}.{name}": tensor.contiguous() for name, tensor in state.items()}
        temporary = self._path.with_suffix(".tmp")
        save_file(tensors, temporary, metadata={"seen": str(self.seen)})
        temporary.replace(self._path)
        self._saved = time.monotonic()

    def _say(self) -> None:
        speed = (self.seen - self.resumed) / (time.monotonic() - self._begun)
        line = {
            "seen": self.seen,
            "of": self._plan.examples,
            "loss": round(sum(self._losses) / len(self._losses), 4),
            "rate": round(rate(self.seen, self._plan), 7),
            "per_second": round(speed, 2),
            "minutes_left": round((self._plan.examples - self.seen) / max(speed, 1e-9) / 60, 1),
        }
        print(json.dumps(line), flush=True)
        with (self._folder / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._losses, self._said = [], time.monotonic()


def _has_bf16(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without instructions of its own for it, bf16 is slower than float32.
    return _processor_has("avx512_bf16", "amx_bf16")


def _processor_has(*flags: str) -> bool:
    try:
        said = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore").split()
    except OSError:
        return False
    return not set(flags).isdisjoint(said)
