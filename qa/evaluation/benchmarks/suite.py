"""Runs every yardstick whose data are there and writes the table; or the small form that runs with the tests.

python -m qa.evaluation.benchmarks.suite --data ../shared/data --cache .cache/yardsticks --out reports/yardsticks
python -m qa.evaluation.benchmarks.suite --data ../shared/data --baseline tests/yardsticks/baseline.json
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from embeddings.types import Article, article_version
from qa.evaluation import Example, Score
from qa.evaluation.benchmarks import Bench, Row, Table, asked, markdown, of_estimate, sample_rows, score_samples, write
from qa.evaluation.benchmarks.checker import measure_judging
from qa.evaluation.benchmarks.reader import measure, measure_reading
from qa.evaluation.benchmarks.realtimeqa import measure_news
from qa.evaluation.metrics.answers import SquadQuestion, contains, f1, read_questions
from qa.evaluation.metrics.statistics import mean
from qa.evaluation.run import checkout_revision, code_hash, machine
from qa.evaluation.targets import CachingEncoder, kept
from qa.grounding import SupportChecker, load_checker
from qa.language.dates import stamp
from qa.reading import load_reader
from qa.settings import Settings, from_environment, load_encoder
from qa.types import Answer


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """Questions drawn from each set; None takes all. Chosen so that everything ends within half an hour on 2 cores."""

    news: int | None = 500
    squad_2: int | None = 600
    squad_1: int | None = 300
    grounding: int | None = 400
    nyt: int | None = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line; prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, default=Path(".cache/yardsticks"), help="vectors and predictions")
    parser.add_argument("--out", type=Path, default=Path("reports/yardsticks"))
    parser.add_argument(
        "--only", nargs="*", default=(), metavar="NAME", help="samples, news, grounding, squad-2, nyt, squad-1"
    )
    parser.add_argument("--news", type=int, default=Sizes().news, help="questions asked of the news")
    parser.add_argument("--squad-2", type=int, default=Sizes().squad_2)
    parser.add_argument("--squad-1", type=int, default=Sizes().squad_1)
    parser.add_argument("--grounding", type=int, default=Sizes().grounding, help="responses of each set")
    parser.add_argument("--nyt", type=int, default=Sizes().nyt)
    parser.add_argument("--baseline", type=Path, help="write the small form that the tests run here, and no table")
    options = parser.parse_args(arguments)
    sizes = Sizes(**{name: getattr(options, name) for name in Sizes.__struct_fields__})
    settings = from_environment(os.environ)
    if options.baseline:
        take_baseline(options.data, settings=settings, into=options.baseline)
        return
    encoder = CachingEncoder(load_encoder(settings))
    bench = Bench(encoder=encoder, settings=settings, cache=options.cache)
    table = measure_all(options.data, bench=bench, sizes=sizes, only=options.only)
    written = write(table, options.out)
    print(markdown(table))
    print(f"written to {' and '.join(map(str, written))}")


def measure_all(data: Path, *, bench: Bench, sizes: Sizes, only: Sequence[str] = ()) -> Table:
    """Measure what is asked for; a set whose files are not there is named in the notes, not left out in silence."""
    checker = load_checker(bench.settings.support_checker, threads=bench.settings.threads)
    rows: list[Row] = []
    notes: list[str] = []
    seconds: dict[str, float] = {}
    for name, needed, part in _parts(data, bench, sizes, checker):
        if only and name not in only:
            continue
        if missing := [path.name for path in needed if not path.exists()]:
            notes.append(f"NOT MEASURED: {name}, because {', '.join(missing)} is not there")
            bench.tell(notes[-1])
            continue
        bench.tell(f"{name} …")
        began = time.perf_counter()
        rows += part()
        seconds[name] = round(time.perf_counter() - began, 1)
        bench.tell(f"{name}: {seconds[name]:,.0f} s")
    return Table(
        made_at=stamp(datetime.now(UTC)),
        git_revision=checkout_revision(),
        code=code_hash(),
        encoder={name: str(value) for name, value in msgspec.structs.asdict(bench.encoder.identity).items()},
        checker=checker.identity,
        machine=machine(),
        seconds=seconds,
        notes=tuple(notes),
        rows=tuple(rows),
    )


def _parts(
    data: Path, bench: Bench, sizes: Sizes, checker: SupportChecker
) -> list[tuple[str, list[Path], Callable[[], list[Row]]]]:
    """Name, files needed, and what measures it."""
    news, two, one = data / "realtimeqa", data / "squad/v2.0-dev-visible.json", data / "squad/v1.1-dev-visible.json"
    nyt = data / "reader/news-visible.jsonl.gz"
    return [
        ("samples", [], lambda: sample_rows(score_samples(bench=bench, checker=checker))),
        (
            "news",
            [news / "questions.jsonl", news / "articles-small.jsonl.gz"],
            lambda: measure_news(news, bench=bench, checker=checker, limit=sizes.news),
        ),
        ("squad-2", [two], lambda: measure_reading(two, title="SQuAD 2.0", bench=bench, limit=sizes.squad_2)),
        (
            "grounding",
            [data / "grounding"],
            lambda: measure_judging(data / "grounding", bench=bench, limit=sizes.grounding),
        ),
        (
            "nyt",
            [nyt],
            lambda: (
                measure_reading(nyt, title="New York Times", bench=bench, limit=sizes.nyt, searched=False)
                + measure_asked(nyt, bench=bench)
            ),
        ),
        ("squad-1", [one], lambda: measure_reading(one, title="SQuAD 1.1", bench=bench, limit=sizes.squad_1)),
    ]


# --- Questions on newspaper paragraphs, asked of the whole service
SECTION = "New York Times: asked of the service, 60 articles ingested"
_ARTICLES = 60
_ASKED_ON, _DAYS = "2024-06-01", 5 * 365
_NEARLY_RIGHT = 0.5
"""Token F1 from which a short answer counts as right."""


def measure_asked(path: Path, *, bench: Bench) -> list[Row]:
    """Draw articles, ingest them, ask every question on them, and say how many were answered rightly.

    Once undated, and once with dates over five years, all asked on the day after: where the age of an article weighs in
    what is ranked or in how sure an answer is, the two differ.
    """
    articles, questions = drawn(path)
    examples = [
        Example(id=one.id, question=one.question, group=one.group, answers=tuple(answer for answer, _ in one.answers))
        for one in questions
    ]
    rows = _asked_rows(articles, examples, bench=bench, name="nyt", section=SECTION)
    dated = [msgspec.structs.replace(article, published_at=_day_of(article)) for article in articles]
    examples = [msgspec.structs.replace(example, asked_at=_ASKED_ON) for example in examples]
    return rows + _asked_rows(dated, examples, bench=bench, name="nyt-dated", section=f"{SECTION}, dated")


def _day_of(article: Article) -> str:
    """A day of the five years before the questions are asked, by the article's text."""
    ago = 1 + int(article.version[:8], 16) % _DAYS
    return (date.fromisoformat(_ASKED_ON) - timedelta(days=ago)).isoformat()


def _asked_rows(
    articles: Sequence[Article], examples: Sequence[Example], *, bench: Bench, name: str, section: str
) -> list[Row]:
    with kept(articles, bench.encoder, bench.cache / name) as corpus:
        run = asked(examples, corpus=corpus, bench=bench, name=name)
    answers = [run.predictions[example.id].answer for example in examples]
    groups = [example.group for example in examples]
    judged = [_judged(answer, example.answers) for answer, example in zip(answers, examples, strict=True)]
    figures = {
        "right: the short answer, or the first sentence": [float(right) for right, _, _ in judged],
        "the short answer alone right": [float(short) for _, short, _ in judged],
        "wrong": [float(not declined and not right) for right, _, declined in judged],
        "declined": [float(declined) for _, _, declined in judged],
    }
    return [of_estimate(mean(values, groups=groups), section=section, measure=name) for name, values in figures.items()]


def drawn(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """So many of the articles, always the same ones, and the questions on them."""
    paragraphs, questions = read_questions(path)
    texts = {paragraph.id: paragraph.text for paragraph in paragraphs}
    by_article: dict[str, list[SquadQuestion]] = {}
    for question in questions:
        by_article.setdefault(question.group.rpartition(":")[0], []).append(question)
    names = random.Random(0).sample(sorted(by_article), min(_ARTICLES, len(by_article)))  # noqa: S311 - a sample
    articles = []
    for name in names:
        text = "\n\n".join(dict.fromkeys(texts[question.article_id] for question in by_article[name]))
        version = article_version(text)
        articles.append(Article(id=version[:20], version=version, title="", text=text))
    return articles, [question for name in names for question in by_article[name]]


def _judged(answer: Answer | None, accepted: Sequence[str]) -> tuple[bool, bool, bool]:
    """Whether it is right, whether its short answer is, whether it declined."""
    if answer is None or answer.answer_mode == "abstained":
        return False, False, True
    short = answer.short_answer is not None and f1(answer.short_answer.text, accepted) >= _NEARLY_RIGHT
    first = answer.claims[0].text if answer.claims else ""
    return short or bool(contains(first, accepted)), short, False


# --- The small form that runs with the tests, and the baseline it is held against
SQUAD_FILE = "squad/v2.0-dev-visible.json"
_SQUAD_QUESTIONS = 160


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured when the baseline was taken, by set."""

    git_revision: str
    sets: Mapping[str, tuple[Score, ...]]


def take_baseline(data: Path, *, settings: Settings, into: Path) -> None:
    """Measure the small form of the yardsticks, and write it as the baseline that the tests hold changes against.

    Small, so that every change is measured: the labelled questions about the sample articles, and a fixed draw of SQuAD
    questions, which live outside of the project.
    """
    encoder = CachingEncoder(load_encoder(settings))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(encoder=encoder, settings=settings, cache=Path(folder))
        sets = {"samples": measure_samples(bench), "squad": measure_squad(data / SQUAD_FILE, bench=bench)}
    baseline = Baseline(git_revision=checkout_revision(), sets=sets)
    into.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n")
    for name, scores in sets.items():
        print(name, *(f"  {score.metric} {score.value} (n = {score.n})" for score in scores), sep="\n")


def measure_samples(bench: Bench) -> tuple[Score, ...]:
    """The labelled questions, without latency: how fast this machine is today is no quality."""
    checker = load_checker(bench.settings.support_checker, threads=bench.settings.threads)
    scores = score_samples(bench=bench, checker=checker).scores
    return tuple(score for score in scores if not score.metric.startswith("latency."))


def measure_squad(path: Path, *, bench: Bench) -> tuple[Score, ...]:
    """A fixed draw of questions, with their paragraph given. Raises InvalidDataset."""
    reader = load_reader(bench.settings.reader, threads=bench.settings.threads)
    file = measure(path, encoder=bench.encoder, reader=reader, settings=("given",), limit=_SQUAD_QUESTIONS)
    return file.reports[0].scores


if __name__ == "__main__":
    main()
