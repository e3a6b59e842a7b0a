"""SummEdits, CLIFF, QAGS and WiCE: measures the support checker, and the floors it must beat.

A response is as good as its worst sentence. Thresholds come from one half of the documents, figures from the other.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.benchmarks import Bench, Row, of_estimate
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, SetName, read_sets
from qa.evaluation.metrics.answers import absent_words, ngram_overlap, span_f1, subset_f1
from qa.evaluation.metrics.confidence import auroc_estimate, balanced_accuracy, balanced_credit, best_threshold
from qa.evaluation.metrics.statistics import NOTHING, Difference, Estimate, Floats, compare, mean, resampled
from qa.grounding import Provenance, SupportChecker, load_checker

Span = tuple[int, int]
_FLOORS = {"word overlap": 1, "bigram overlap": 2}
_FLOOR_SENTENCES = 2
"""Sentences that the floor of supporting sentences names: those with most of the claim's words."""
_TITLES: Mapping[str, str] = {
    "summedits": "SummEdits, not news",
    "cliff": "CLIFF",
    "qags-cnndm": "QAGS, CNN/DailyMail",
    "qags-xsum": "QAGS, XSum",
    "wice": "WiCE",
}
_PUBLISHED: Mapping[str, str] = {
    "summedits": "on its news part: SummaC-Conv .619, QAFactEval .744, GPT-4 .833, human .90",
    "cliff": "on its test part, cnndm/xsum: DAE .730/.754, QAFactEval .716/.626",
    "qags-cnndm": "QAFactEval .754",
    "qags-xsum": "QAFactEval .756",
}


class RowJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker makes of one response."""

    score: float
    """That of its least supported sentence."""
    supported: bool
    """Whether every sentence got the verdict `supported`."""
    wrong: tuple[Span, ...]
    """Spans of the response that the checker says the document does not bear out."""
    cited: frozenset[int]
    """Numbers of the document's sentences it names as support, where the set numbers them."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One judge on one set."""

    judge: str
    balanced_accuracy: Estimate
    """At a threshold chosen on the other half of the documents."""
    threshold: float
    auroc: Estimate
    span_f1: Estimate
    """Characters marked as wrong, all responses pooled; nothing where the set marks none."""
    sentence_f1: Estimate
    """Supporting sentences; nothing where the set names none."""
    lead: Difference | None = None
    """Of the checker in balanced accuracy over this judge, paired; None for the checker itself."""


class SetReport(msgspec.Struct, frozen=True, kw_only=True):
    """One set, judged."""

    set: str
    n: int
    documents: int
    supported: float
    """Share of the responses that people called supported."""
    verdicts: Estimate
    """Balanced accuracy of the checker's own verdicts, at the threshold it ships with."""
    by_domain: dict[str, Estimate]
    """Balanced accuracy of the checker by kind of text, at the one threshold of the set."""
    figures: tuple[Figures, ...]
    """The checker first, then the floors."""


def judge_rows(
    rows: Sequence[GroundingRow], *, checker: SupportChecker, told: Callable[[int], None] = lambda _: None
) -> list[RowJudgement]:
    """Judge every response sentence by sentence; a sentence that returns for one document is judged once."""
    seen: dict[tuple[str, str], tuple[float, bool, tuple[Span, ...], tuple[Span, ...]]] = {}
    found = []
    for number, row in enumerate(rows):
        told(number)
        scores: list[float] = []
        verdicts: list[bool] = []
        wrong: list[Span] = []
        cited: list[Span] = []
        for start, end in split_sentences(row.response):
            text = row.response[start:end]
            key = (row.group, text)
            if key not in seen:
                support = checker.check(text, [row.document], contexts=[Provenance(title=row.title)])
                marked = tuple((item.start, item.end) for item in support.mismatches)
                spans = tuple((span.start, span.end) for span in support.spans)
                seen[key] = (support.score, support.verdict == "supported", marked, spans)
            score, verdict, marked, spans = seen[key]
            scores.append(score)
            verdicts.append(verdict)
            wrong += [(start + begins, start + ends) for begins, ends in marked]
            cited += spans
        found.append(
            RowJudgement(
                score=min(scores, default=0.0),
                supported=all(verdicts),
                wrong=tuple(wrong),
                cited=_numbers(row.sentences, cited),
            )
        )
    return found


def report_set(rows: Sequence[GroundingRow], judgements: Sequence[RowJudgement]) -> SetReport:
    """Figures over the reported half of the documents of one set; the other half sets the thresholds."""
    scores = {"checker": [item.score for item in judgements]} | {
        name: [ngram_overlap(row.response, row.document, n=n) for row in rows] for name, n in _FLOORS.items()
    }
    kinds = [row.supported for row in rows]
    fit = [at for at, row in enumerate(rows) if row.part == "fit"]
    kept = [at for at, row in enumerate(rows) if row.part == "report"]
    truth, groups = [kinds[at] for at in kept], [rows[at].group for at in kept]
    cuts = {name: best_threshold([own[at] for at in fit], [kinds[at] for at in fit]) for name, own in scores.items()}
    calls = {name: [own[at] >= cuts[name] for at in kept] for name, own in scores.items()}
    credit = balanced_credit(calls["checker"], truth)
    return SetReport(
        set=rows[0].set,
        n=len(kept),
        documents=len(set(groups)),
        supported=round(float(np.mean(truth)), 4),
        verdicts=balanced_accuracy([judgements[at].supported for at in kept], truth, groups=groups),
        by_domain=_by_domain([rows[at] for at in kept], calls["checker"]),
        figures=tuple(
            _figures(
                name,
                [rows[at] for at in kept],
                [judgements[at] for at in kept],
                scores=[own[at] for at in kept],
                cut=cuts[name],
                credit=credit,
            )
            for name, own in scores.items()
        ),
    )


def _figures(
    name: str,
    rows: Sequence[GroundingRow],
    judgements: Sequence[RowJudgement],
    *,
    scores: Sequence[float],
    cut: float,
    credit: Floats,
) -> Figures:
    """One judge; `credit` is what the checker gets for each response."""
    truth, groups = [row.supported for row in rows], [row.group for row in rows]
    calls = [score >= cut for score in scores]
    marks: Sequence[Sequence[Span]] | None = None
    named: Sequence[frozenset[int]] | None = None
    if name == "checker":
        marks = [() if call else item.wrong for call, item in zip(calls, judgements, strict=True)]
        named = [item.cited for item in judgements]
    elif name == "word overlap":
        marks, named = [absent_words(row.response, row.document) for row in rows], [_likest(row) for row in rows]
    return Figures(
        judge=name,
        balanced_accuracy=balanced_accuracy(calls, truth, groups=groups),
        threshold=round(cut, 4),
        auroc=auroc_estimate(scores, truth, groups=groups),
        span_f1=_span_f1(marks, [row.wrong for row in rows], groups),
        sentence_f1=_sentence_f1(named, [row.supporting for row in rows], groups),
        lead=None if name == "checker" else compare(list(credit), list(balanced_credit(calls, truth)), groups=groups),
    )


def _by_domain(rows: Sequence[GroundingRow], calls: Sequence[bool]) -> dict[str, Estimate]:
    found: Mapping[str, list[int]] = {row.domain: [] for row in rows}
    for at, row in enumerate(rows):
        found[row.domain].append(at)
    if len(found) < 2:
        return {}
    return {
        name: balanced_accuracy(
            [calls[at] for at in own], [rows[at].supported for at in own], groups=[rows[at].group for at in own]
        )
        for name, own in sorted(found.items())
    }


def _span_f1(
    marked: Sequence[Sequence[Span]] | None, wanted: Sequence[Sequence[Span] | None], groups: Sequence[str]
) -> Estimate:
    if marked is None or any(spans is None for spans in wanted):
        return NOTHING
    known = [spans or () for spans in wanted]
    return resampled(
        lambda chosen: span_f1([marked[at] for at in chosen], [known[at] for at in chosen])[2], groups=groups
    )


def _sentence_f1(
    named: Sequence[frozenset[int]] | None, accepted: Sequence[Sequence[frozenset[int]]], groups: Sequence[str]
) -> Estimate:
    """Mean over the responses that any sentence supports."""
    if named is None:
        return NOTHING
    kept = [at for at, sets in enumerate(accepted) if any(sets)]
    return mean([subset_f1(named[at], accepted[at]) for at in kept], groups=[groups[at] for at in kept])


def _numbers(sentences: Sequence[Span], spans: Sequence[Span]) -> frozenset[int]:
    return frozenset(
        number
        for number, (start, end) in enumerate(sentences)
        if any(max(start, begins) < min(end, ends) for begins, ends in spans)
    )


def _likest(row: GroundingRow) -> frozenset[int]:
    """The sentences that have most of the response's words."""
    shares = [-ngram_overlap(row.response, row.document[start:end], n=1) for start, end in row.sentences]
    return frozenset(int(at) for at in np.argsort(shares, kind="stable")[:_FLOOR_SENTENCES])


def measure(
    folder: Path,
    *,
    checker: str,
    names: Sequence[SetName],
    limit: int | None = None,
    seed: int = 0,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> list[SetReport]:
    """Judge these sets of a folder by the checker of that name; `limit` draws so many responses of each.

    Raises FileNotFoundError naming a file that is absent.
    """
    judge = load_checker(checker)
    found = []
    for name in names:
        rows = read_sets(folder, names=[name])
        if limit is not None and limit < len(rows):
            rows = [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))[:limit]]
        rows.sort(key=lambda row: row.group)
        judgements = judge_rows(rows, checker=judge, told=partial(told, name, len(rows)))
        found.append(report_set(rows, judgements))
    return found


def measure_judging(folder: Path, *, bench: Bench, limit: int | None) -> list[Row]:
    """Judge at most `limit` responses of each set, always the same ones."""

    def tell(name: str, total: int, done: int) -> None:
        if done and done % 100 == 0:
            bench.tell(f"  {name}: {done:,} of {total:,} responses")

    names = get_args(SetName)
    reports = measure(folder, checker=bench.settings.support_checker, names=names, limit=limit, told=tell)
    return [row for report in reports for row in checker_rows(report)]


def checker_rows(report: SetReport) -> list[Row]:
    """The checker's figures, each with what word overlap reaches beside it."""
    section = f"Support checker: {_TITLES.get(report.set, report.set)}"
    checker, *floors = report.figures
    best = max(floors, key=lambda one: one.balanced_accuracy.value or 0.0).balanced_accuracy
    rows = [
        _row(section, "balanced accuracy, threshold from the other half", checker.balanced_accuracy, best, report),
        _row(section, "balanced accuracy of the shipped verdicts", report.verdicts, best, report),
        _row(section, "AUROC", checker.auroc, max(floors, key=lambda one: one.auroc.value or 0.0).auroc, report),
    ]
    if checker.span_f1.n:
        rows.append(_row(section, "F1 of the characters marked as wrong", checker.span_f1, floors[0].span_f1, report))
    if checker.sentence_f1.n:
        rows.append(_row(section, "F1 of the supporting sentences", checker.sentence_f1, floors[0].sentence_f1, report))
    return rows


def _row(section: str, measure: str, own: Estimate, floor: Estimate, report: SetReport) -> Row:
    published = _PUBLISHED.get(report.set, "") if measure.startswith("balanced") else ""
    return of_estimate(
        own, section=section, measure=measure, floor=floor.value, floor_is="word overlap", anchor=published
    )
