"""The built-in support checker: aligns the words of a claim with those of a few sentences, and checks facts hard.

At most five encodings a claim: the claim and four sentences, found by their words first. Late interaction as in ColBERT
(Khattab & Zaharia, 2020); a doubt about each word, as in token-level detectors of unsupported text, and one judgement
over all of them. Both are small networks, fitted with the thresholds by `make calibrate-checker`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Literal, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import Encoder, TokenVectors
from qa.grounding import Mismatch, Provenance, Support, verdict_of
from qa.grounding.claim_evidence import ClaimEvidence, quotation, set_against, supporting_spans
from qa.grounding.features import Aligned, align, claim_features, word_features
from qa.grounding.mismatches import fact_mismatches
from qa.grounding.tree_comparison import SAYS, Comparison, Grammar, Rivalled, grammar_for
from qa.grounding.wording import is_quoted, other_speaker_named, wording_mismatches
from qa.language.words import Word

__all__ = [
    "AlignedChecker",
    "CheckerWeights",
    "Judged",
    "LexicalChecker",
    "Network",
    "exchanges",
    "judge",
    "load_weights",
    "probability",
    "struck",
]


_VERSION = "3"
_KEPT = 64
"""Sentences of evidence whose vectors are kept: the claims of one answer mostly rest on the same few."""
_STRUCK = 0.3
"""What is left of the score of a claim whose numbers, dates or denials are not those of the evidence."""
_STRIKING = frozenset({"number", "unit", "date", "negation", "quantifier"})
"""Checks that hardly ever err; names (a first name the article leaves out) and opposites are for the network to weigh.
Any of them keeps a claim from being called supported."""
_Floats = npt.NDArray[np.float32]


class TokenEncoder(Protocol):
    """What the checker asks of an encoder."""

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed short texts and keep their token vectors."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A claim read against its evidence, before anything is weighed."""

    case: ClaimEvidence
    aligned: Aligned
    mismatches: tuple[Mismatch, ...]
    exchanged: tuple[Mismatch, ...]
    """What only the grammar tells; beside the mismatches, which the networks weigh, too."""
    comparison: Comparison | None
    """None where the encoder's vectors cannot be parsed."""


def judge(
    claim: str,
    evidence: Sequence[str],
    *,
    encoder: TokenEncoder,
    grammar: Grammar | None,
    question: str,
    contexts: Sequence[Provenance],
) -> Judged | None:
    """Read a claim against its evidence; None where either has no words."""
    case = set_against(claim, evidence, question=question, contexts=contexts)
    if case is None:
        return None
    vectors = encoder.encode_tokens([claim, *(case.sentences[row].text for row in case.chosen)])
    read = (case.claim, *(case.sentences[row] for row in case.chosen))
    comparison = grammar.compare(list(zip(read, vectors, strict=True))) if grammar else None
    return Judged(
        case=case,
        aligned=align(case, vectors[0], vectors[1:]),
        mismatches=(*fact_mismatches(case), *wording_mismatches(case)),
        exchanged=exchanges(case, comparison),
        comparison=comparison,
    )


class AlignedChecker:
    """See the module; calls belong on one thread at a time, as the encoder's do."""

    def __init__(self, encoder: Encoder, *, weights: CheckerWeights | None = None) -> None:
        self._encoder = _Remembering(encoder)
        self._grammar = grammar_for(encoder.identity)
        self._weights = weights or load_weights()

    @property
    def identity(self) -> str:
        """Version of the method, and the encoder it reads with."""
        return f"aligned {_VERSION} over {self._encoder.identity.name} {self._encoder.identity.revision[:12]}"

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        if quoted := quotation(claim, evidence):
            return quoted
        judged = judge(
            claim, evidence, encoder=self._encoder, grammar=self._grammar, question=question, contexts=contexts
        )
        if judged is None:
            return Support(verdict="unsupported", score=0.0, spans=())
        spans, share = supporting_spans(judged.case)
        doubts = _doubts_of(judged, self._weights)
        mismatches = (*judged.mismatches, *(item for item in judged.exchanged if not _meets(item, judged.mismatches)))
        score = _support_of(judged, doubts, self._weights)
        verdict = verdict_of(score, share, mismatches, threshold=self._weights.threshold)
        if not spans:  # whatever the networks think, there is nothing to cite
            verdict = "unsupported"
        if verdict != "supported":
            mismatches = (*mismatches, *_doubted(judged, doubts, mismatches, self._weights.doubtful))
        return Support(verdict=verdict, score=round(score, 4), spans=spans, mismatches=mismatches)


def _doubts_of(judged: Judged, weights: CheckerWeights) -> npt.NDArray[np.float32]:
    """For each word of the claim, the probability that the evidence does not bear it out."""
    return probability(weights.word.logits(word_features(judged.case, judged.aligned, judged.mismatches)))


def _support_of(judged: Judged, doubts: npt.NDArray[np.floating], weights: CheckerWeights) -> float:
    """Probability that the evidence supports the whole claim."""
    row = claim_features(judged.case, judged.aligned, doubts, judged.mismatches)
    return float(probability(weights.claim.logits(row[None, :]))[0]) * struck(judged)


def struck(judged: Judged) -> float:
    """What the hard checks leave of a score."""
    # Another speaker, and a reason of its own, keep a claim from being supported; they say little of its likelihood: as
    # many true summaries have them as false ones.
    exchanged = any(mismatch.found for mismatch in judged.exchanged)
    return _STRUCK if exchanged or any(mismatch.kind in _STRIKING for mismatch in judged.mismatches) else 1.0


def _doubted(
    judged: Judged, doubts: npt.NDArray[np.floating], known: Sequence[Mismatch], limit: float
) -> tuple[Mismatch, ...]:
    """Words of an unsupported claim that nothing bears out, beyond those that a hard check found; runs in one."""
    found: list[Mismatch] = []
    previous = -2
    for at, word in enumerate(judged.aligned.words):
        if doubts[at] < limit or _meets(word, known):
            continue
        if at == previous + 1:
            found[-1] = msgspec.structs.replace(found[-1], end=word.end)
        else:
            found.append(Mismatch(kind="meaning", start=word.start, end=word.end))
        previous = at
    return tuple(found)


def _meets(item: Mismatch | Word, others: Sequence[Mismatch]) -> bool:
    return any(item.start < other.end and other.start < item.end for other in others)


def probability(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Of log-odds; clipped, so that nothing overflows."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), np.float32)


class _Remembering:
    """Keeps the vectors of the last sentences it encoded."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.identity = encoder.identity
        self._kept: OrderedDict[str, TokenVectors] = OrderedDict()

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Only what is not kept is encoded; one call for all of it."""
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        fresh = {vectors.text: vectors for vectors in self._encoder.encode_tokens(new)} if new else {}
        found = [fresh.get(text) or self._kept[text] for text in texts]
        for vectors in found:
            self._kept[vectors.text] = vectors
            self._kept.move_to_end(vectors.text)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found


class CheckerWeights(msgspec.Struct, frozen=True, kw_only=True):
    """What fitting produced, and from what."""

    word: Network
    """Doubt about one word of a claim."""
    claim: Network
    """Support of the whole claim, given the doubts."""
    threshold: float
    """Score from which a claim counts as supported."""
    by_set: dict[str, float]
    """Thresholds that fit each grounding set alone: for reports on those sets, not for service."""
    doubtful: float
    """Probability from which a single word counts as not borne out."""
    provenance: str


@lru_cache(maxsize=1)
def load_weights() -> CheckerWeights:
    """Read the fitted weights that ship with the package."""
    return msgspec.json.decode(files("qa.grounding").joinpath("checker.json").read_bytes(), type=CheckerWeights)


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One hidden layer of rectified units and a logistic output, over standardised features."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    hidden: tuple[tuple[float, ...], ...]
    """Shape (features, units)."""
    hidden_bias: tuple[float, ...]
    output: tuple[float, ...]
    output_bias: float

    def logits(self, rows: _Floats) -> _Floats:
        """Log-odds for each row, shape (rows,)."""
        if not len(rows):
            return np.zeros(0, np.float32)
        standard = (rows - np.array(self.mean, np.float32)) / np.array(self.scale, np.float32)
        units = np.maximum(standard @ np.array(self.hidden, np.float32) + np.array(self.hidden_bias, np.float32), 0.0)
        return np.asarray(units @ np.array(self.output, np.float32) + self.output_bias, np.float32)


_NUMBER, _NAME = 0.2, 0.05
"""By how much another figure or name must fit better; chosen on `seeds.drafts` and held against the grounding sets."""
_ON_IT = 0.5
"""Share of the claim that the best sentence must have, lest who said it, and why, stands elsewhere."""
_QUOTED = 0.5
"""Share of a claim's words from which it is taken from inside a quotation."""
_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|thanks to|caus(?:e|es|ed|ing)|blam\w+|leads? to|led to|as a result"
    r"|result(?:s|ed)? (?:in|from)|so that|prompt(?:s|ed)|trigger(?:s|ed))\b",
    re.IGNORECASE,
)
_SAYING = re.compile(rf"\b(?:{SAYS.pattern}|puts? (?:the|it))\b", re.IGNORECASE)
_LOOKED_AT = 2
"""Sentences of the evidence, best first, that may name the cause."""


def exchanges(case: ClaimEvidence, comparison: Comparison | None) -> tuple[Mismatch, ...]:
    """What a claim gets wrong though all of it stands in the evidence, in the order of the claim."""
    found: list[Mismatch] = []
    close = case.coverage.share(case.chosen[:1]) >= _ON_IT
    if comparison is not None:
        found += [_told("number", item) for item in comparison.numbers if item.lead > _NUMBER]
        found += [_told("name", item) for item in comparison.names if item.lead > _NAME]
        if close and (word := comparison.other_speaker) is not None:
            speaker = case.claim.words[word]
            found.append(Mismatch(kind="name", start=speaker.start, end=speaker.end))
    if (other := other_speaker_named(case.claim, case.sentences)) is not None:
        found.append(Mismatch(kind="name", start=other.start, end=other.end))
    if close and (reason := _is_made_a_cause(case)) is not None:
        found.append(Mismatch(kind="meaning", start=reason[0], end=reason[1]))
    if close and _told_as_fact(case) > _QUOTED:
        found.append(Mismatch(kind="meaning", start=0, end=len(case.claim.text)))
    return tuple(sorted(found, key=lambda item: item.start))


def _told(kind: Literal["number", "name"], item: Rivalled) -> Mismatch:
    return Mismatch(kind=kind, start=item.start, end=item.end, found=item.rival)


def _is_made_a_cause(case: ClaimEvidence) -> tuple[int, int] | None:
    """Where the claim gives a reason, if the sentences it rests on speak of none."""
    best = [case.sentences[row] for row in case.chosen[:_LOOKED_AT]]
    found = _CAUSE.search(case.claim.text)
    return found.span() if found and not any(_CAUSE.search(sentence.text) for sentence in best) else None


def _told_as_fact(case: ClaimEvidence) -> float:
    """Share of the claim's words that the best sentence has inside quotation marks, where the claim has no speaker."""
    if _SAYING.search(case.claim.text):
        return 0.0
    best = case.sentences[case.chosen[0]]
    stems = {word.stem for word in case.claim.words if not word.stop}
    shared = [word for word in best.words if word.stem in stems]
    inside = [word for word in shared if is_quoted(best.text, word.start)]
    return len(inside) / len(shared) if shared else 0.0


# --- A support checker without a model: shared words, and the hard checks; for tests, and the floor of the rest
_DOUBT = 0.15
"""Score of a claim that a hard check fails, at most."""


class LexicalChecker:
    """Weighted share of a claim's words that few sentences have, struck down by any hard mismatch."""

    identity = "lexical 1"

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        if quoted := quotation(claim, evidence):
            return quoted
        case = set_against(claim, evidence, question=question, contexts=contexts)
        if case is None:
            return Support(verdict="unsupported", score=0.0, spans=())
        mismatches = (*fact_mismatches(case), *wording_mismatches(case))
        rows, share = supporting_spans(case)
        score = min(share, _DOUBT) if mismatches else share
        return Support(
            verdict=verdict_of(score, share, mismatches),
            score=round(score, 4),
            spans=rows,
            mismatches=mismatches,
        )
