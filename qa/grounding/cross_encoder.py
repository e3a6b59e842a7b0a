"""A support checker that asks a cross-encoder, one that infers (three labels) or scores (one), and checks hard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.encoders.weights import locate, revision
from embeddings.errors import EncoderError
from qa.grounding.case import case_of, quotation
from qa.grounding.mismatches import Case, fact_mismatches
from qa.grounding.protocol import Context, Mismatch, Support
from qa.grounding.spans import supporting_spans
from qa.grounding.verdict import verdict_of
from qa.grounding.wording import wording_mismatches

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

__all__ = ["CrossEncoderChecker"]

_DOUBT = 0.15
"""Score of a claim that a hard check fails, at most."""
_CONTRADICTED = 0.5
"""Probability of contradiction from which the model's word counts as a mismatch."""


class CrossEncoderChecker:
    """The model reads the best sentence, and the supporting sentences together, each with the claim."""

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Locates the model; raises EncoderError where it is not on this machine."""
        self._folder = locate(name)
        self._name = name
        self._threads = threads

    @cached_property
    def identity(self) -> str:
        """The model's name and a hash of its files."""
        return f"cross-encoder {self._name} {revision(self._folder)[:12]}"

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Context] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        if quoted := quotation(claim, evidence):
            return quoted
        case = case_of(claim, evidence, question=question, contexts=contexts)
        if case is None:
            return Support(verdict="unsupported", score=0.0, spans=())
        spans, share = supporting_spans(case)
        entailed, contradicted = self._judge(claim, case)
        mismatches = (*fact_mismatches(case), *wording_mismatches(case))
        if contradicted >= _CONTRADICTED and not mismatches:
            said = case.sentences[case.chosen[0]].text
            mismatches = (Mismatch(kind="meaning", start=0, end=len(claim), found=said),)
        score = min(entailed, _DOUBT) if mismatches else entailed
        verdict = verdict_of(score, share, mismatches) if spans else "unsupported"
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=mismatches)

    def _judge(self, claim: str, case: Case) -> tuple[float, float]:
        """Probability that the evidence entails the claim, and that it contradicts it."""
        together = " ".join(case.sentences[row].text for row in sorted(case.chosen))
        premises = dict.fromkeys([case.sentences[case.chosen[0]].text, together])
        rows = np.atleast_2d(self._model.predict([(premise, claim) for premise in premises], **self._raw))
        rows = rows.T if rows.shape[0] != len(premises) else rows
        labels = self._labels
        if len(labels) == 1:
            return float((1.0 / (1.0 + np.exp(-rows))).max()), 0.0
        odds = np.exp(rows - rows.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        entails = shares[:, labels.index("entailment")]
        best = int(entails.argmax())
        against = shares[best, labels.index("contradiction")] if "contradiction" in labels else 0.0
        return float(entails[best]), float(against)

    @property
    def _raw(self) -> dict[str, Any]:
        import torch

        return {"activation_fn": torch.nn.Identity(), "show_progress_bar": False}

    @cached_property
    def _labels(self) -> list[str]:
        """Lower-case labels in the order of the model's outputs; a score model has one."""
        named = {int(number): str(label) for number, label in self._model.config.id2label.items()}
        labels = [named[number].lower() for number in sorted(named)]
        found = [
            next((kind for kind in ("entailment", "contradiction", "neutral") if kind in label), label)
            for label in labels
        ]
        if len(found) > 1 and "entailment" not in found:
            raise EncoderError(
                f"{self._folder} classifies into {', '.join(labels)}; a support checker needs a label 'entailment', "
                "or one output alone"
            )
        return found

    @cached_property
    def _model(self) -> CrossEncoder:
        import torch
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if self._threads:
            torch.set_num_threads(self._threads)
        return CrossEncoder(
            str(self._folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
