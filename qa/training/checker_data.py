"""Token ids of claims with their evidence, from files of premises and claims, and from the grounding sets.

Of the grounding sets only `GroundingRow.part == "fit"` is read, and of that a part is kept back: thresholds are set
by documents never trained on.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, read_sets
from qa.grounding import Provenance
from qa.grounding.claim_evidence import passages_of, set_against

if TYPE_CHECKING:
    from tokenizers import Tokenizer


Label = Literal["entailment", "contradiction", "neutral", "not_entailment"]
LABELS: tuple[Label, ...] = ("entailment", "contradiction", "neutral", "not_entailment")
"""The first three are the network's outcomes; the last says only that it is not the first."""
CLAIM_TOKENS = 80
TOKENS = 256
"""Of the whole input; longer evidence is cut at its end."""
DEVELOPMENT_CLAIMS = 200
"""The last claims of the documents are kept to choose by."""
DEVELOPMENT_SHARE = 40
"""One in so many short pairs is kept to choose by."""
EVIDENCE_WORDS = 130
"""Of the evidence that a claim is read with."""
_KEPT_BACK = 4
"""One in so many documents of the fitting halves."""


class Pair(msgspec.Struct, frozen=True):
    """One line of the training files; other fields are passed over."""

    premise: str
    hypothesis: str
    label: Label
    source: str = ""


class Encoded(msgspec.Struct, frozen=True):
    """Token ids of one input: the claim, then its evidence."""

    ids: tuple[int, ...]
    second: int
    """Where the evidence begins."""
    label: int
    """Place in `LABELS`."""


def pairs_of(path: Path) -> Iterator[Pair]:
    """Read one file of pairs, gzipped JSON Lines."""
    with gzip.open(path, "rb") as lines:
        decoder = msgspec.json.Decoder(Pair)
        for line in lines:
            yield decoder.decode(line)


def development(short: Sequence[Pair], documents: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """What to train on, and what to choose by: no claim of a document stands in both."""
    claims = list(dict.fromkeys(pair.hypothesis for pair in documents))
    kept = set(claims[-DEVELOPMENT_CLAIMS:])
    train = [pair for at, pair in enumerate(short) if at % DEVELOPMENT_SHARE]
    train += [pair for pair in documents if pair.hypothesis not in kept]
    return train, [*short[::DEVELOPMENT_SHARE], *(pair for pair in documents if pair.hypothesis in kept)]


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer) -> list[Encoded]:
    """Cut pairs into token ids as the checker reads them: `[CLS] claim [SEP] evidence [SEP]`."""
    cls, sep = tokenizer.encode("").ids
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.premise, pair.hypothesis)))
    ids = {
        text: tuple(each.ids)
        for text, each in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True)
    }
    made = []
    for pair in pairs:
        head = (cls, *ids[pair.hypothesis][:CLAIM_TOKENS], sep)
        evidence = ids[pair.premise][: TOKENS - len(head) - 1]
        made.append(Encoded((*head, *evidence, sep), len(head), LABELS.index(pair.label)))
    return made


def kept_back(row: GroundingRow) -> bool:
    """Whether thresholds, and not weights, are set by this row's document."""
    return hashlib.blake2b(row.group.encode(), digest_size=1, salt=b"kept").digest()[0] % _KEPT_BACK == 0


def pairs_of_sets(folder: Path) -> Iterator[Pair]:
    """Every sentence of a response that people judged, or that stands unedited in a response they found supported."""
    rows = sorted(
        (row for row in read_sets(folder) if row.part == "fit" and not kept_back(row)),
        key=lambda row: (row.set, row.group),  # a document is read once while its rows follow each other
    )
    seen = set()
    for row, claim, supported in judged_sentences(rows):
        key = (row.group, claim, supported)
        if key in seen:
            continue
        seen.add(key)
        case = set_against(claim, [row.document], question="", contexts=[Provenance(title=row.title)])
        if case is None:
            continue
        label: Label = "entailment" if supported else "not_entailment"
        yield Pair(passages_of(case, words=EVIDENCE_WORDS)[0], claim, label, f"set:{row.set}")


def judged_sentences(rows: Sequence[GroundingRow]) -> Iterator[tuple[GroundingRow, str, bool]]:
    """Sentences whose own truth is known: of a false response of several, only those that an edit or a mark touches."""
    true = {
        (row.group, row.response[start:end])
        for row in rows
        if row.supported
        for start, end in split_sentences(row.response)
    }
    for row in rows:
        spans = list(split_sentences(row.response))
        for start, end in spans:
            claim = row.response[start:end]
            if row.supported or (row.group, claim) in true:
                yield row, claim, True
            elif len(spans) == 1 or row.original is not None:
                if row.original is None or claim not in row.original:
                    yield row, claim, False
            elif row.wrong and any(start < last and first < end for first, last in row.wrong):
                yield row, claim, False
