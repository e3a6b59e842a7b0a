"""A scored run as one HTML file: no script, no network, no other files.

It shows every question with its prediction and scores, cut into marked pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from qa.evaluation import ClaimScore, Example, ExampleScores, Outcome, Prediction, Score, Scores
from qa.evaluation.measures import gold_articles, gold_key
from qa.evaluation.metrics import metric
from qa.evaluation.replies import Articles, Cited, Reply, Said, reply
from qa.evaluation.reports import interval_of, value_of
from qa.evaluation.reports.figures import figures, interval_bar
from qa.evaluation.run_folder import FinishedRun
from qa.types import SearchResult

_HEADLINES = {
    "answer.right": "Right answers and abstentions",
    "answer.right_when_answered": "Right, of those answered",
    "answer.f1": "Token F1",
    "retrieval.article.hit@1": "Right article first",
    "grounding.exact_spans": "Exact quotations",
    "grounding.citation_recall": "Citation recall",
    "grounding.citation_precision": "Citation precision",
    "abstention.f1": "Abstention F1",
}
_FAMILIES = {
    "retrieval": "Retrieval",
    "answer": "Answers",
    "grounding": "Grounding",
    "judge": "Language model's opinion",
    "abstention": "Abstention",
    "confidence": "Confidence",
    "calibration": "Calibration",
    "latency": "Latency",
    "run": "Run",
}
_SECTIONS: Mapping[Outcome, tuple[str, str]] = {
    "wrong": ("Wrong", "Answered, and not with what was expected"),
    "missed": ("Missed", "Declined, though the articles answer it"),
    "failed": ("Failed", "No reply came"),
    "unjudged": ("Not judged", "Answered; the dataset does not say what is right"),
    "declined": ("Declined", "The dataset does not say whether rightly"),
    "right": ("Right", "Answered as expected, or rightly declined"),
}
_AROUND = 320
"""Characters of the article shown on either side of cited words."""
_PASSAGE = 320


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """One metric as it is written."""

    name: str
    about: str
    value: str
    interval: str
    n: str
    bar: Markup


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that ended alike."""

    name: str
    title: str
    about: str
    count: int
    questions: Sequence[QuestionView]
    """Of so many as fit into the report."""


def render_html(run: FinishedRun, scores: Scores, *, questions: int = 300) -> str:
    """Render the report with at most so many questions in full, those that went wrong first."""
    environment = Environment(
        loader=PackageLoader("qa.evaluation", "reports"),
        autoescape=select_autoescape(disabled_extensions=("css",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    rows = {one.metric: _row(one) for one in scores.scores}
    return environment.get_template("report.html").render(
        manifest=run.manifest,
        scores=scores,
        settings=_settings(run),
        headlines=[(title, rows[name]) for name, title in _HEADLINES.items() if name in rows],
        families=_families(rows),
        figures=figures(scores.examples),
        sections=_sections(run, scores, questions),
        tags=_tags(run, scores),
    )


def _row(score: Score) -> _Row:
    bar = Markup()
    if score.value is not None and metric(score.metric).unit != "milliseconds":
        bar = interval_bar(score.value, score.low, score.high, note=f"{value_of(score)}, {interval_of(score)}")
    unit = "" if score.unit in {"examples", "milliseconds"} else f" {score.unit}"
    return _Row(
        name=score.metric,
        about=metric(score.metric).about,
        value=value_of(score) + (" ms" if score.unit == "milliseconds" else ""),
        interval=interval_of(score),
        n=f"{score.n:,}{unit}",
        bar=bar,
    )


def _families(rows: Mapping[str, _Row]) -> list[tuple[str, list[_Row]]]:
    found: dict[str, list[_Row]] = {}
    for name, row in rows.items():
        found.setdefault(_FAMILIES.get(name.partition(".")[0], "Other"), []).append(row)
    return list(found.items())


def _sections(run: FinishedRun, scores: Scores, most: int) -> list[_Section]:
    examples = {one.id: one for one in run.examples}
    sections = []
    room = most
    for outcome, (title, about) in _SECTIONS.items():
        here = [one for one in scores.examples if one.outcome == outcome and one.example_id in examples]
        shown = [
            view(examples[one.example_id], one, prediction=run.predictions.get(one.example_id), articles=run.articles)
            for one in here[:room]
        ]
        room -= len(shown)
        if here:
            sections.append(_Section(name=outcome, title=title, about=about, count=len(here), questions=shown))
    return sections


def _tags(run: FinishedRun, scores: Scores) -> list[tuple[str, int, int]]:
    """By tag of the examples, how many are right of how many that are judged; the commonest first."""
    outcomes = {one.example_id: one.values.get("answer.right") for one in scores.examples}
    found: dict[str, list[float]] = {}
    for example in run.examples:
        right = outcomes.get(example.id)
        for tag in example.tags if right is not None else ():
            found.setdefault(tag, []).append(right or 0.0)
    rows = [(tag, round(sum(rights)), len(rights)) for tag, rights in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:20]


def _settings(run: FinishedRun) -> dict[str, str]:
    manifest = run.manifest
    parts = {"option": manifest.options, "setting": manifest.settings, "encoder": manifest.encoder}
    parts |= {"prompt": manifest.prompts, "corpus": manifest.corpus, "version": manifest.versions}
    return {f"{part} {name}": value for part, values in parts.items() for name, value in values.items() if value}


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A run of text and how it is marked."""

    text: str
    kind: str = ""
    numbers: tuple[int, ...] = ()
    """Of the citations that stand at its end."""


class Quotation(msgspec.Struct, frozen=True, kw_only=True):
    """Cited words where they stand in their article."""

    number: int
    about: str
    url: str
    pieces: tuple[Piece, ...]
    fault: str
    """What is wrong with it; empty where the words are exact."""


class Retrieved(msgspec.Struct, frozen=True, kw_only=True):
    """One search result."""

    about: str
    text: str
    is_gold: bool


class QuestionView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is shown of one question."""

    example: Example
    scores: ExampleScores
    answer: tuple[Piece, ...]
    short: str
    failure: str
    quotations: tuple[Quotation, ...]
    retrieved: tuple[Retrieved, ...]


def view(example: Example, scores: ExampleScores, *, prediction: Prediction | None, articles: Articles) -> QuestionView:
    """What is shown of one question."""
    said = reply(prediction, articles) if prediction else None
    failure = "" if said else "it was not asked"
    if prediction is not None and prediction.failure is not None:
        failure = f"{prediction.failure.kind}: {prediction.failure.message}"
    results = (prediction.ranked if prediction else None) or (said.retrieved if said else ())
    return QuestionView(
        example=example,
        scores=scores,
        answer=_answer(said, scores.claims) if said else (),
        short=(said.short or "") if said else "",
        failure=failure,
        quotations=tuple(_quotation(n, one) for n, one in enumerate(said.citations, start=1)) if said else (),
        retrieved=_retrieved(results, gold_articles(example)),
    )


def _answer(said: Reply, judged: Sequence[ClaimScore]) -> tuple[Piece, ...]:
    """The answer with its claims marked by verdict and followed by the numbers of their citations."""
    if not said.claims:
        return (Piece(text=said.text),)
    pieces: list[Piece] = []
    done = 0
    for claim, score in zip(said.claims, judged, strict=False):
        pieces.append(Piece(text=said.text[done : claim.start]))
        done = claim.start + len(claim.text)
        pieces.append(Piece(text=claim.text, kind=score.verdict, numbers=_numbers(claim, said.citations)))
    pieces.append(Piece(text=said.text[done:]))
    return tuple(piece for piece in pieces if piece.text)


def _numbers(claim: Said, citations: Sequence[Cited]) -> tuple[int, ...]:
    return tuple(number for number, one in enumerate(citations, start=1) if one in claim.cited)


def _quotation(number: int, cited: Cited) -> Quotation:
    about = " — ".join(filter(None, (cited.title or cited.article_id, (cited.published_at or "")[:10])))
    fault = ""
    if cited.article is None:
        fault = "the cited article version is not among what the run kept: nothing shows that it says so"
    elif cited.span is None:
        fault = "it names the article, and no words of it"
    elif cited.exact is False:
        fault = "these are not the words at the cited place of the article"
    return Quotation(number=number, about=about, url=cited.url or "", pieces=_in_article(cited), fault=fault)


def _in_article(cited: Cited) -> tuple[Piece, ...]:
    """The cited words between those around them; unmarked where no words are known to be meant."""
    if cited.article is None or cited.span is None:
        return (Piece(text=_shortened(cited.text, 2 * _AROUND)),)
    text, (start, end) = cited.article.text, cited.span
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    # Not from the middle of a word, unless the article has no spaces there.
    first = first if first == 0 else (text.find(" ", first, start) + 1 or first)
    last = last if last == len(text) else max(text.rfind(" ", end, last), end)
    pieces = (
        Piece(text=("… " if first else "") + text[first:start]),
        Piece(text=text[start:end], kind="cited"),
        Piece(text=text[end:last] + (" …" if last < len(text) else "")),
    )
    return tuple(piece for piece in pieces if piece.text)


def _retrieved(results: Sequence[SearchResult], gold: frozenset[str]) -> tuple[Retrieved, ...]:
    return tuple(
        Retrieved(
            about=" — ".join(filter(None, (one.title or one.article_id, one.source, (one.published_at or "")[:10]))),
            text=_shortened(one.text, _PASSAGE),
            is_gold=bool(gold_key(one, gold) or any(gold_key(other, gold) for other in one.also_reported_by)),
        )
        for one in results
    )


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rpartition(" ")[0] + " …"
