"""Reads public sets of claims with human judgements: SummEdits, CLIFF, QAGS and WiCE.

Sources: Laban et al., "SummEdits" (2023); Cao and Wang, "CLIFF" (2021); Wang, Cho and Lewis, "Asking and Answering
Questions to Evaluate the Factual Consistency of Summaries" (QAGS, 2020); Kamoi et al., "WiCE" (2023).
"""

import ast
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar, get_args

import msgspec

SetName = Literal["summedits", "cliff", "qags-cnndm", "qags-xsum", "wice"]
Part = Literal["fit", "report"]
Span = tuple[int, int]
_Row = TypeVar("_Row")
_SPACED = (
    (re.compile(r"(?<=\d), (?=\d{3}(?!\d))"), ","),
    (re.compile(r"(?<=\d)\. (?=\d)"), "."),
    (re.compile(r"(?<=\w) - (?=\w)"), "-"),
    (re.compile(r"(?<=[£$€]) (?=\d)"), ""),
    (re.compile(r"` ?"), "'"),
    (re.compile(r"(?<=\w) ' (?=(?:s|t|re|ve|ll|d|m)\b)"), "'"),
    (re.compile(r"(?<=\w)' (?=(?:s|t|re|ve|ll|d|m)\b)"), "'"),
)


class GroundingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One response, of one or several sentences, that people held against a document."""

    set: SetName
    id: str
    domain: str
    group: str
    """Rows on one document share it: they are not independent."""
    document: str
    response: str
    supported: bool
    title: str = ""
    wrong: tuple[Span, ...] | None = None
    """Spans of the response that annotators marked; None where the set marks none."""
    sentences: tuple[Span, ...] = ()
    """Spans of the document's sentences, where the set numbers them."""
    supporting: tuple[frozenset[int], ...] = ()
    """Alternative sets of sentences that support the response."""
    original: str | None = None
    """The response before it was edited, where the set says."""

    @property
    def part(self) -> Part:
        """Fitting sees one half of the documents, reported figures come from the other."""
        return "report" if hashlib.blake2b(self.group.encode(), digest_size=1).digest()[0] & 1 else "fit"


class _SummEdits(msgspec.Struct):
    id: str
    domain: str
    document: str
    response: str
    supported: bool
    original: str


class _Cliff(msgspec.Struct):
    id: str
    origin: str
    doc: str
    summ: str
    model_name: str
    error_type: str
    annotated_span: str


class _Vote(msgspec.Struct):
    response: Literal["yes", "no"]


class _QagsSentence(msgspec.Struct):
    sentence: str
    responses: list[_Vote]


class _Qags(msgspec.Struct):
    article: str
    summary_sentences: list[_QagsSentence]


class _WiceMeta(msgspec.Struct):
    id: str
    claim_title: str


class _Wice(msgspec.Struct):
    label: Literal["supported", "partially_supported", "not_supported"]
    supporting_sentences: list[list[int]]
    claim: str
    evidence: list[str]
    meta: _WiceMeta


def rejoined(text: str) -> str:
    """Undo the spaces that CLIFF and QAGS were published with: "1, 056", "play - off", "` quoted'".

    >>> rejoined("in 1, 056 play - off games, 7. 8 per cent said ` no'")
    "in 1,056 play-off games, 7.8 per cent said 'no'"
    """
    for pattern, kept in _SPACED:
        text = pattern.sub(kept, text)
    return text


def read_sets(folder: Path, *, names: Iterable[SetName] = get_args(SetName)) -> list[GroundingRow]:
    """Read the sets of a folder, by their published file names.

    Raises FileNotFoundError naming the file that is absent, msgspec.ValidationError for a row of another shape.
    """
    return [row for name in names for row in _READERS[name](folder)]


def _summedits(folder: Path) -> list[GroundingRow]:
    rows = _lines(folder / "summedits-non-news.jsonl", _SummEdits)
    return [
        GroundingRow(
            set="summedits",
            id=row.id,
            domain=row.domain,
            group=_group(row.document),
            document=row.document,
            response=row.response,
            supported=row.supported,
            original=row.original,
        )
        for row in rows
    ]


def _cliff(folder: Path) -> list[GroundingRow]:
    return [
        GroundingRow(
            set="cliff",
            id=f"{row.id}-{row.model_name}",
            domain=row.origin,
            group=_group(row.doc),
            document=rejoined(row.doc),
            response=rejoined(row.summ),
            supported=row.error_type == "correct",
            wrong=_located(rejoined(row.summ), row.annotated_span),
        )
        for row in _lines(folder / "cliff-val.jsonl", _Cliff)
    ]


def _located(text: str, literal: str) -> tuple[Span, ...]:
    """Annotated words, listed in order, as spans."""
    spans: list[Span] = []
    listed = ast.literal_eval(literal) if literal.strip() else []
    for words in map(rejoined, listed if isinstance(listed, list) else [listed]):
        at = text.find(words, spans[-1][1] if spans else 0)
        at = text.find(words) if at < 0 else at
        if words and at >= 0:
            spans.append((at, at + len(words)))
    return tuple(spans)


def _qags(domain: Literal["cnndm", "xsum"]) -> Callable[[Path], list[GroundingRow]]:
    name: SetName = "qags-cnndm" if domain == "cnndm" else "qags-xsum"

    def read(folder: Path) -> list[GroundingRow]:
        return [
            GroundingRow(
                set=name,
                id=f"{number}-{place}",
                domain=domain,
                group=_group(row.article),
                document=rejoined(row.article),
                response=rejoined(sentence.sentence),
                supported=2 * sum(vote.response == "yes" for vote in sentence.responses) > len(sentence.responses),
            )
            for number, row in enumerate(_lines(folder / f"qags-{domain}.jsonl", _Qags))
            for place, sentence in enumerate(row.summary_sentences)
        ]

    return read


def _wice(folder: Path) -> list[GroundingRow]:
    """Numbered sentences become paragraphs of one document; partial support counts as none."""
    rows = []
    for row in _lines(folder / "wice-claim-dev.jsonl", _Wice):
        spans, at = [], 0
        for sentence in row.evidence:
            spans.append((at, at + len(sentence)))
            at += len(sentence) + 2
        rows.append(
            GroundingRow(
                set="wice",
                id=row.meta.id,
                domain="wikipedia",
                group=_group(row.meta.claim_title),
                document="\n\n".join(row.evidence),
                response=row.claim,
                supported=row.label == "supported",
                title=row.meta.claim_title,
                sentences=tuple(spans),
                supporting=tuple(frozenset(ids) for ids in row.supporting_sentences),
            )
        )
    return rows


def _lines(path: Path, kind: type[_Row]) -> list[_Row]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; a folder of grounding sets holds it under this name")
    return msgspec.json.Decoder(kind).decode_lines(path.read_bytes())


def _group(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


_READERS: Mapping[SetName, Callable[[Path], list[GroundingRow]]] = {
    "summedits": _summedits,
    "cliff": _cliff,
    "qags-cnndm": _qags("cnndm"),
    "qags-xsum": _qags("xsum"),
    "wice": _wice,
}
