"""A support checker with a model of the user's: one for inference, classification, scoring, or marking words.

The hard checks stand beside it. Whatever a classifier calls its outcomes, `roles_of` finds which is support.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import msgspec
import numpy as np

from embeddings.encoders.sentence_transformer import SAFELY, CrossEncoderModel, prepare_torch
from embeddings.errors import EncoderError
from qa.grounding import Mismatch, Provenance, Support, verdict_of
from qa.grounding.claim_evidence import ClaimEvidence, passages_of, supporting_spans, to_judge
from qa.grounding.mismatches import vetoes

_DOUBT = 0.15
"""Score of a claim that a hard check fails, at most."""
_CONTRADICTED = 0.5
"""Probability of contradiction from which the model's word counts as a mismatch."""
_MARKED = 0.5
"""Probability from which a word counts as one that the evidence does not bear out."""
_WORDS = 350
"""Of a passage for models that want more than a sentence: about 500 tokens, as they were trained on."""
_WORDS_A_TOKEN = 0.6
"""Room that a model has for a passage, in words; the rest is for the claim, and for words of several tokens."""
_AGAINST = re.compile(r"contradict|refut|\bfalse\b|disagree")
_NOT = re.compile(
    r"\b(?:not|no|non)\b|\b(?:un|in|non|not)(?=support|faithful|consisten|factual|grounded|attributable|entail)"
    r"|halluc|neutral|unknown|\bnei\b"
)
_FOR = re.compile(r"entail|support|consisten|faithful|factual|grounded|attributable|\btrue\b|\byes\b")
_NUMBERED = re.compile(r"label_(\d+)")


class _Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a model makes of a claim."""

    supported: float
    contradicted: float = 0.0
    marked: tuple[tuple[int, int], ...] = ()
    """Spans of the claim that the evidence does not bear out."""


class _Model(Protocol):
    def judge(self, claim: str, case: ClaimEvidence) -> _Opinion: ...


class CrossEncoderChecker(CrossEncoderModel):
    """The model reads the likeliest sentences, or the passages around them, each with the claim."""

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        case = to_judge(claim, evidence, question=question, contexts=contexts)
        if isinstance(case, Support):
            return case
        spans, share = supporting_spans(case)
        opinion = self._model.judge(claim, case)
        mismatches = vetoes(case)
        if not mismatches:
            said = case.sentences[case.chosen[0]].text if opinion.contradicted >= _CONTRADICTED else ""
            places = opinion.marked or (((0, len(claim)),) if said else ())
            mismatches = tuple(Mismatch(kind="meaning", start=start, end=end, found=said) for start, end in places)
        score = min(opinion.supported, _DOUBT) if mismatches else opinion.supported
        verdict = verdict_of(score, share, mismatches) if spans else "unsupported"
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=mismatches)

    @cached_property
    def _model(self) -> _Model:
        from transformers import AutoConfig

        prepare_torch(threads=self._threads)
        config = AutoConfig.from_pretrained(str(self._folder), local_files_only=True, trust_remote_code=False)
        labels = [str(config.id2label[number]) for number in sorted(config.id2label)]
        marks = any(name.endswith("ForTokenClassification") for name in config.architectures or ())
        try:
            return _Marking(self._folder, marking_role(labels)) if marks else _Judging(self._folder, labels)
        except ValueError as error:
            raise EncoderError(f"{self._folder} {error}") from None


class _Judging:
    """A classifier or scorer of pairs."""

    def __init__(self, folder: Any, labels: Sequence[str]) -> None:
        import torch
        from sentence_transformers import CrossEncoder

        self._roles: Roles = roles_of(labels)
        self._outcomes = len(labels)
        self._model = CrossEncoder(str(folder), **SAFELY)
        self._raw: dict[str, Any] = {"activation_fn": torch.nn.Identity(), "show_progress_bar": False}

    def judge(self, claim: str, case: ClaimEvidence) -> _Opinion:
        """Of several premises, what the best of them makes of the claim."""
        premises = self._premises(case)
        rows = np.reshape(self._model.predict([(each, claim) for each in premises], **self._raw), (len(premises), -1))
        if self._outcomes == 1:
            return _Opinion(supported=float((1.0 / (1.0 + np.exp(-rows))).max()))
        odds = np.exp(rows - rows.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        best = int(shares[:, self._roles.supported].argmax())
        against = self._roles.contradicted
        return _Opinion(
            supported=float(shares[best, self._roles.supported]),
            contradicted=0.0 if against is None else float(shares[best, against]),
        )

    def _premises(self, case: ClaimEvidence) -> list[str]:
        """Sentences for those that infer, and passages too for those that classify whole documents."""
        together = " ".join(case.sentences[row].text for row in sorted(case.chosen))
        premises = [case.sentences[case.chosen[0]].text, together]
        if self._outcomes == 2:
            premises += passages_of(case, words=_room(self._model.tokenizer))
        return list(dict.fromkeys(premises))


class _Marking:
    """A classifier of words, that marks those of the claim which a passage does not bear out."""

    def __init__(self, folder: Any, role: int) -> None:
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        given = {"local_files_only": True, "trust_remote_code": False}
        self._role = role
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), **given)
        self._model: Any = AutoModelForTokenClassification.from_pretrained(
            str(folder), use_safetensors=True, **given
        ).eval()

    def judge(self, claim: str, case: ClaimEvidence) -> _Opinion:
        """A word is borne out where one of the passages does; the claim, as much as its least supported word."""
        doubts: dict[tuple[int, int], float] = {}
        for passage in passages_of(case, words=_room(self._tokenizer)):
            for place, doubt in self._doubts(passage, claim):
                doubts[place] = min(doubt, doubts.get(place, 1.0))
        read = max((end for _, end in doubts), default=0)
        if rest := claim[read:].strip():
            # What the model had no room to read, nobody has found borne out.
            doubts[claim.index(rest, read), len(claim.rstrip())] = 1.0
        marked: list[tuple[int, int]] = []
        for (start, end), doubt in sorted(doubts.items()):
            if doubt < _MARKED:
                continue
            joins = bool(marked) and not any(marked[-1][1] <= other < start for other, _ in doubts)
            marked[-1:] = [(marked[-1][0], end)] if joins else [*marked[-1:], (start, end)]
        return _Opinion(supported=1.0 - max(doubts.values()), marked=tuple(marked))

    def _doubts(self, passage: str, claim: str) -> list[tuple[tuple[int, int], float]]:
        """Each token of the claim, by its place there, with the probability that it is not borne out."""
        import torch

        cut = self._tokenizer(
            passage,
            claim,
            truncation=True,
            max_length=_limit(self._tokenizer),
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        segments = cut.sequence_ids(0)
        places = cut.pop("offset_mapping")[0].tolist()
        with torch.inference_mode():
            shares = self._model(**cut).logits[0].softmax(dim=-1)[:, self._role].tolist()
        return [
            ((start, end), share)
            for segment, (start, end), share in zip(segments, places, shares, strict=True)
            if segment == 1 and end > start
        ]


def _limit(tokenizer: Any) -> int:
    # Tokenizers that know no limit give a number beyond any text.
    return min(int(tokenizer.model_max_length), 4_096)


def _room(tokenizer: Any) -> int:
    return min(_WORDS, int(_limit(tokenizer) * _WORDS_A_TOKEN))


class Roles(msgspec.Struct, frozen=True):
    """Which output says what; None for one that the classifier does not have."""

    supported: int
    contradicted: int | None = None


def roles_of(labels: Sequence[str]) -> Roles:
    """Of a classifier of a claim with its evidence.

    Two outcomes without names are read as their authors use them: the second says that the claim is supported.
    Raises ValueError naming the labels where they do not tell.
    """
    names = [_plain(label) for label in labels]
    if len(names) == 1:
        return Roles(0)
    if len(names) == 2 and all(_NUMBERED.fullmatch(label.lower()) for label in labels):
        return Roles(1)
    against = [at for at, name in enumerate(names) if _AGAINST.search(name)]
    rest = [at for at, name in enumerate(names) if at not in against and not _NOT.search(name)]
    meant = [at for at in rest if _FOR.search(names[at])]
    if len(meant) == 1 and len(against) <= 1:
        return Roles(meant[0], against[0] if against else None)
    raise ValueError(
        f"classifies into {', '.join(labels)}; which of these says that the evidence supports the claim cannot be "
        "told. Name one of them 'entailment' or 'supported' (id2label in its config.json), or give it one output alone"
    )


def marking_role(labels: Sequence[str]) -> int:
    """Of a classifier of words: the output that marks one as unsupported.

    Raises ValueError naming the labels where they do not tell.
    """
    if len(labels) == 2:
        if all(_NUMBERED.fullmatch(label.lower()) for label in labels):
            return 1
        marked = [at for at, label in enumerate(labels) if _NOT.search(_plain(label)) or _AGAINST.search(_plain(label))]
        if len(marked) == 1:
            return marked[0]
    raise ValueError(
        f"marks words as {', '.join(labels)}; which of these means unsupported cannot be told. It needs two labels, "
        "one of them named 'unsupported' or 'hallucinated' (id2label in its config.json)"
    )


def _plain(label: str) -> str:
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)).strip().lower()
