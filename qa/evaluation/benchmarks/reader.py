"""SQuAD 2.0 and 1.1: measures the reader, given the paragraph or searching all paragraphs.

Source of the measures: Rajpurkar et al., "Know What You Don't Know" (2018); what the official script reports. The
answer is the words that the reader found; declining is the empty answer.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Article, Passage, StoredPassage, Where, passage_id
from qa.evaluation import InvalidDataset, Score
from qa.evaluation.benchmarks import Bench, Row, of_score
from qa.evaluation.dataset import draw
from qa.evaluation.metrics.answers import SquadQuestion, exact_match, f1, read_questions
from qa.evaluation.metrics.confidence import auroc_estimate
from qa.evaluation.metrics.statistics import Estimate, mean
from qa.evaluation.targets import CachingEncoder, kept
from qa.reading import Reader, load_reader
from qa.reading.sentence_ranking import read
from qa.retrieval.search import READ, retrieve
from qa.types import Evidence

Setting = Literal["given", "open"]
"""The paragraph is given; or every paragraph is searched."""
EvidenceOf = Callable[[SquadQuestion], Sequence[Evidence]]
_SETTINGS: Mapping[str, str] = {"given": "paragraph given", "open": "over all paragraphs"}
_PUBLISHED = "MiniLM 22 M trained on SQuAD .756, BERT-large .818, human .895 (paragraph given)"
_SHOWN = tuple(
    "exact_match f1 exact_match.has_answer f1.has_answer no_answer.declined confidence.auroc "
    "span_f1.has_answer span_exact_match.has_answer answerable.auroc".split()
)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader made of one question, before anything is declined."""

    group: str
    answers: tuple[str, ...]
    """Empty where the right thing is to decline."""
    said: str
    """Its best answer; empty only where it found nothing at all."""
    probability: float


class BestThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """The most that declining below some probability could have reached on these very questions."""

    value: float
    threshold: float


class ReaderReport(msgspec.Struct, frozen=True, kw_only=True):
    """One setting, measured."""

    setting: Setting
    n: int
    answerable: int
    threshold: float
    """The shipped one, fixed before; `scores` are measured with it."""
    scores: tuple[Score, ...]
    best_exact_match: BestThreshold
    """Chosen on these answers: an upper bound, not a result."""
    best_f1: BestThreshold
    floor: float
    """Exact match, and F1, of declining always."""
    fitted_on_these: bool
    """Whether the shipped reader was fitted on these files: then nothing here is an estimate for others."""


def read_all(
    questions: Sequence[SquadQuestion],
    *,
    evidence_of: Callable[[SquadQuestion], Sequence[Evidence]],
    reader: Reader,
    told: Callable[[int], None] = lambda _: None,
) -> list[Read]:
    """Read every question as the service does, in the passages that `evidence_of` gives for it."""
    found = []
    for number, question in enumerate(questions):
        told(number)
        reading = read(_asked(question), evidence_of(question), reader=reader)
        found.append(
            Read(
                group=question.group,
                answers=tuple(answer for answer, _ in question.answers),
                said=reading.sentences[0].words if reading.sentences else "",
                probability=reading.probability,
            )
        )
    return found


def given(article: Article) -> tuple[Evidence, ...]:
    """A whole paragraph as the one passage that was found."""
    passage = Passage(
        id=passage_id(article.id, article.version, 0, len(article.text)),
        article_id=article.id,
        article_version=article.version,
        start=0,
        end=len(article.text),
        text=article.text,
    )
    stored = StoredPassage(
        key=0,
        passage=passage,
        title=article.title,
        source="",
        url=None,
        published_at=None,
        collection="",
        signature=b"",
    )
    return (Evidence(stored=stored, score=1.0, cosine=1.0),)


def searched(question: SquadQuestion, *, corpus: Corpus, encoder: Encoder) -> tuple[Evidence, ...]:
    """What the service would read of all paragraphs."""
    text = _asked(question)
    return retrieve(corpus, text=text, vector=encoder.encode_query(text), where=Where(), depth=READ)


def _asked(question: SquadQuestion) -> str:
    return " ".join(question.question.split())


def report(reads: Sequence[Read], *, setting: Setting, threshold: float, fitted_on_these: bool) -> ReaderReport:
    """Score what was read, declining below the threshold as the service does."""
    given = [one.said if one.probability >= threshold else "" for one in reads]
    exact = [exact_match(said, one.answers) for said, one in zip(given, reads, strict=True)]
    overlap = [f1(said, one.answers) for said, one in zip(given, reads, strict=True)]
    answered = [float(bool(said)) for said in given]
    answerable = [bool(one.answers) for one in reads]
    rest = [not kind for kind in answerable]
    declined = [1.0 - one for one in answered]
    estimates = {
        "exact_match": _over(exact, reads),
        "f1": _over(overlap, reads),
        "exact_match.has_answer": _over(exact, reads, among=answerable),
        "f1.has_answer": _over(overlap, reads, among=answerable),
        "no_answer.declined": _over(declined, reads, among=rest),
        "has_answer.answered": _over(answered, reads, among=answerable),
        "answered.f1": _over(overlap, reads, among=[bool(said) for said in given]),
        "span_f1.has_answer": _over([f1(one.said, one.answers) for one in reads], reads, among=answerable),
        "span_exact_match.has_answer": _over(
            [exact_match(one.said, one.answers) for one in reads], reads, among=answerable
        ),
        "confidence.auroc": _auroc(reads, [bool(one.answers) and f1(one.said, one.answers) >= 0.5 for one in reads]),
        "answerable.auroc": _auroc(reads, answerable),
    }
    return ReaderReport(
        setting=setting,
        n=len(reads),
        answerable=sum(answerable),
        threshold=threshold,
        scores=tuple(_score(name, estimate) for name, estimate in estimates.items()),
        best_exact_match=best_threshold(reads, exact_match),
        best_f1=best_threshold(reads, f1),
        floor=sum(rest) / max(len(reads), 1),
        fitted_on_these=fitted_on_these,
    )


def best_threshold(reads: Sequence[Read], measure: Callable[[str, tuple[str, ...]], float]) -> BestThreshold:
    """Try to decline below every probability that occurs, and keep the best: what the official script calls best.

    Its method: begin with declining everything, then take in answer by answer, surest first.
    """
    value = sum(not one.answers for one in reads)
    best, threshold = float(value), 1.01
    running = float(value)
    ordered = sorted(reads, key=lambda one: -one.probability)
    for place, one in enumerate(ordered):
        running += measure(one.said, one.answers) - float(not one.answers)
        last_of_its_probability = place + 1 == len(ordered) or ordered[place + 1].probability < one.probability
        if last_of_its_probability and running > best:
            best, threshold = running, one.probability
    return BestThreshold(value=round(best / max(len(reads), 1), 6), threshold=round(threshold, 6))


def _over(values: Sequence[float], reads: Sequence[Read], *, among: Sequence[bool] | None = None) -> Estimate:
    chosen = [place for place in range(len(reads)) if among is None or among[place]]
    return mean([values[place] for place in chosen], groups=[reads[place].group for place in chosen])


def _auroc(reads: Sequence[Read], wanted: Sequence[bool]) -> Estimate:
    """How well the confidence tells what is wanted from all others."""
    return auroc_estimate([one.probability for one in reads], wanted, groups=[one.group for one in reads])


def _score(name: str, estimate: Estimate) -> Score:
    by_group = " by group" if estimate.groups < estimate.n else ""
    return Score(
        metric=f"reader.{name}",
        value=estimate.value,
        n=estimate.n,
        low=estimate.low,
        high=estimate.high,
        method="" if estimate.method == "none" else estimate.method + by_group,
    )


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """Reports on one file."""

    file: str
    paragraphs: int
    reports: tuple[ReaderReport, ...]


def measure(
    path: Path,
    *,
    encoder: Encoder,
    reader: Reader,
    settings: Sequence[Literal["given", "open"]],
    limit: int | None = None,
    seed: int = 0,
    cache: Path | None = None,
    told: Callable[[str, int, int], None] = lambda *_: None,
) -> FileReport:
    """Measure one file; `limit` draws so many questions by the seed, all paragraphs stay. Raises InvalidDataset."""
    try:
        articles, questions = read_questions(path)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidDataset(f"{path.name}: neither a SQuAD file nor lines of questions ({error})") from None
    asked = draw(questions, limit=limit, seed=seed)
    if not asked:
        raise InvalidDataset(f"{path.name}: the file holds no questions")
    paragraphs = {article.id: article for article in articles}
    remembering = CachingEncoder(encoder)
    reports = []
    with ExitStack() as stack:
        for setting in settings:
            evidence_of: EvidenceOf
            if setting == "given":
                evidence_of = partial(_given, paragraphs)
            else:
                corpus = stack.enter_context(kept(articles, remembering, stack.enter_context(_folder(cache))))
                evidence_of = partial(searched, corpus=corpus, encoder=remembering)
            reports.append(
                report(
                    read_all(asked, evidence_of=evidence_of, reader=reader, told=partial(told, setting, len(asked))),
                    setting=setting,
                    threshold=reader.calibration.threshold,
                    fitted_on_these=path.name in reader.calibration.fitted_on,
                )
            )
    return FileReport(file=path.name, paragraphs=len(articles), reports=tuple(reports))


def _given(paragraphs: Mapping[str, Article], question: SquadQuestion) -> Sequence[Evidence]:
    return given(paragraphs[question.article_id])


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def measure_reading(path: Path, *, title: str, bench: Bench, limit: int | None, searched: bool = True) -> list[Row]:
    """Measure one file, `limit` questions of it, also over all its paragraphs if `searched`; give its rows."""

    def tell(setting: str, total: int, done: int) -> None:
        if done and done % 100 == 0:
            bench.tell(f"  {path.name}, {_SETTINGS[setting]}: {done:,} of {total:,} questions")

    file = measure(
        path,
        encoder=bench.encoder,
        reader=load_reader(bench.settings.reader, threads=bench.settings.threads),
        settings=("given", "open") if searched else ("given",),
        limit=limit,
        cache=bench.cache / "squad",
        told=tell,
    )
    return [row for one in file.reports for row in _rows(one, title)]


def _rows(report: ReaderReport, title: str) -> list[Row]:
    section = f"{title}: {_SETTINGS[report.setting]}" + (
        " (the reader was FITTED on it)" if report.fitted_on_these else ""
    )
    known = {score.metric.removeprefix("reader."): score for score in report.scores}
    rows = [_row(known[name], name, report, section) for name in _SHOWN if known[name].n]
    if report.answerable < report.n:
        measure = f"upper bound: f1 at the threshold best for these answers ({report.best_f1.threshold:.2f})"
        rows.append(Row(section=section, measure=measure, value=report.best_f1.value, n=report.n))
    return rows


def _row(score: Score, name: str, report: ReaderReport, section: str) -> Row:
    floor, what = 0.0, "never declining" if name == "no_answer.declined" else "always declining"
    if name.endswith(".auroc"):
        floor, what = 0.5, "chance"
    elif name in {"exact_match", "f1"}:
        floor = report.floor
    published = _PUBLISHED if name == "f1" and report.setting == "given" and report.answerable < report.n else ""
    return of_score(score, section=section, measure=name, floor=floor, floor_is=what, anchor=published)
