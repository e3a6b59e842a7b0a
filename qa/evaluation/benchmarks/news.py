"""RealTimeQA and questions on newspaper paragraphs, asked of the whole service: retrieval, answers and abstention.

Source of the data: Kasai et al., "RealTime QA: What's the Answer Right Now?" (2023). Questions on newspaper
paragraphs come with their paragraphs; those of one article (`group` up to its last colon) are put together again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.corpus import Corpus
from embeddings.types import Article, article_version
from qa.evaluation.benchmarks import Bench, Row, asked, by_metric, joined, of_estimate, of_score, ranked
from qa.evaluation.benchmarks.realtimeqa import Holders, draw, gold_ids, news_corpus, news_questions, pool_of, split
from qa.evaluation.measures import article_ranking
from qa.evaluation.metrics.answers import (
    SquadQuestion,
    contains,
    exact_match,
    f1,
    first_rank,
    hit,
    read_questions,
    reciprocal_rank,
)
from qa.evaluation.metrics.statistics import Estimate, mean
from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.scoring import score_run
from qa.evaluation.targets import Asking, kept
from qa.evaluation.types import Example, Prediction
from qa.grounding import SupportChecker
from qa.retrieval.search import RankedBy
from qa.settings import Settings
from qa.types import Answer, SearchResult

__all__ = ["measure_asked", "measure_news"]

RETRIEVAL = "RealTimeQA, small pool: the right article"
ANSWERS = "RealTimeQA, small pool: answers"
ABSTENTION = "RealTimeQA, small pool: what the articles do not say"
_KINDS: tuple[RankedBy, ...] = ("hybrid", "dense", "lexical")
_PUBLISHED_RANKING: Mapping[str, str] = {
    "hit@1": "BM25 .477, in a 14-day window .622 (25,520 articles)",
    "hit@10": "BM25 .793, in a 14-day window .909 (25,520 articles)",
    "mrr@10": "BM25 .584, in a 14-day window .725, search engine .612 (25,520 articles)",
}
_PUBLISHED_ANSWERS: Mapping[str, str] = {
    "answer.exact_match.has_answer": "seq2seq with a search engine .253, GPT-3 .375, models of 2026 .28–.36",
    "answer.f1.has_answer": "seq2seq with a search engine .321, GPT-3 .493, models of 2026 .37–.48",
}
SECTION = "New York Times: asked of the service, 60 articles ingested"
_ARTICLES = 60
_ASKED_ON, _DAYS = "2024-06-01", 5 * 365
_NEARLY_RIGHT = 0.5
"""Token F1 from which a short answer counts as right."""


def measure_news(folder: Path, *, bench: Bench, checker: SupportChecker, limit: int | None) -> list[Row]:
    """Ingest the small pool, rank for every question with a gold article, answer `limit` questions drawn from all."""
    questions = news_questions(folder / "questions.jsonl")
    with news_corpus(folder / "articles-small.jsonl.gz", encoder=bench.encoder, cache=bench.cache) as corpus:
        pool = pool_of(corpus)
        with_gold = [example for example in questions if gold_ids(example, pool)]
        bench.tell(f"  {len(pool.texts):,} articles, {len(with_gold):,} questions with a gold article among them")
        rows = _retrieval_rows(with_gold, corpus=corpus, bench=bench)
        rows += _reranked_rows(with_gold, corpus=corpus, bench=bench, before=rows)
        chosen = draw(questions, limit=limit)
        holders, hidden = split(chosen, pool)
        answers = asked(chosen, corpus=corpus, bench=bench, name="news")
        without = asked(hidden, corpus=corpus, bench=bench, name="news-withheld")
        rows += _answer_rows(answers, holders, checker=checker)
        rows += _abstention_rows(answers, without, holders, checker=checker)
    return rows


def _retrieval_rows(examples: Sequence[Example], *, corpus: Corpus, bench: Bench) -> list[Row]:
    """Article-level Hit@k and MRR of what the service ranks; lexical ranking alone as the floor."""
    rows: list[Row] = []
    for dated in (True, False):
        asking = Asking(ranked=10, use_asked_at=dated)
        when = "asked_at used" if dated else "asked_at not used"
        found: dict[str, dict[str, Estimate]] = {}
        for retrieval in _KINDS:
            results = ranked(examples, corpus=corpus, bench=bench, asking=asking, settings=_with(bench, retrieval))
            found[retrieval] = _ranking(examples, results)
        for measure, estimate in found["hybrid"].items():
            rows.append(
                of_estimate(
                    estimate,
                    section=RETRIEVAL,
                    measure=f"{measure}, {when}",
                    floor=found["lexical"][measure].value,
                    floor_is="BM25 alone, same questions",
                    anchor=_PUBLISHED_RANKING.get(measure, ""),
                )
            )
        rows.append(of_estimate(found["dense"]["mrr@10"], section=RETRIEVAL, measure=f"mrr@10 of dense alone, {when}"))
    return rows


def _reranked_rows(examples: Sequence[Example], *, corpus: Corpus, bench: Bench, before: Sequence[Row]) -> list[Row]:
    """The right article among the passages that an answer shows, in the order that the reader gave them.

    `before` holds the rows of the search alone, the floors of these.
    """
    rows: list[Row] = []
    searched = {row.measure: row.value for row in before}
    for dated in (True, False):
        put = [msgspec.structs.replace(example, asked_at=example.asked_at if dated else None) for example in examples]
        run = asked(put, corpus=corpus, bench=bench, name="news-gold" if dated else "news-gold-undated")
        answers = {example.id: run.predictions[example.id].answer for example in put}
        found = _ranking(put, {name: answer.search_results if answer else () for name, answer in answers.items()})
        when = "asked_at used" if dated else "asked_at not used"
        rows.append(
            of_estimate(
                found["mrr@10"],
                section=RETRIEVAL,
                measure=f"mrr@10 as read, eight shown, {when}",
                floor=searched[f"mrr@10, {when}"],
                floor_is="the search alone",
            )
        )
    return rows


def _answer_rows(run: FinishedRun, holders: Mapping[str, Holders], *, checker: SupportChecker) -> list[Row]:
    """Short answers against the accepted ones, and what is cited for them."""
    scores = by_metric(score_run(run, checker=checker).scores)
    floors = _first_sentence(run)
    rows = [
        of_score(
            scores[name],
            section=ANSWERS,
            floor=floors[name].value,
            floor_is="first sentence of the top passage, always",
            anchor=_PUBLISHED_ANSWERS.get(name, ""),
        )
        for name in ("answer.exact_match.has_answer", "answer.f1.has_answer", "answer.containment")
    ]
    groups = [example.group for example in run.examples]
    retrieved = [float(_retrieved_holds(run.predictions[e.id], e)) for e in run.examples]
    published = [float(bool(holders[e.id].in_time)) for e in run.examples]
    rows += [
        of_estimate(
            mean(retrieved, groups=groups), section=ANSWERS, measure="ceiling: an answer stands in what was retrieved"
        ),
        of_estimate(
            mean(published, groups=groups),
            section=ANSWERS,
            measure="ceiling: an answer stands in an article out by then",
        ),
        of_score(scores["answer.answered"], section=ANSWERS),
        of_score(scores["answer.right_when_answered"], section=ANSWERS),
        of_score(
            scores["grounding.cited_article_answers"],
            section=ANSWERS,
            measure="citation precision: the cited article is gold or holds an answer",
            floor=_top_article(run, holders).value,
            floor_is="the article of the top passage, always",
        ),
    ]
    names = ("grounding.exact_spans", "grounding.citation_recall", "grounding.claims_supported", "confidence.auroc")
    return rows + [of_score(scores[name], section=ANSWERS) for name in names]


def _abstention_rows(
    answers: FinishedRun, without: FinishedRun, holders: Mapping[str, Holders], *, checker: SupportChecker
) -> list[Row]:
    """Declining where every article that answers was taken away; questions that keep theirs must not be declined."""
    hidden = {example.id for example in without.examples}
    kept = [
        msgspec.structs.replace(example, answerable=True)
        for example in answers.examples
        if example.id not in hidden and holders[example.id].in_time
    ]
    both = joined(answers, without, [*kept, *without.examples])
    scores = by_metric(score_run(both, checker=checker).scores)
    unanswerable = len(without.examples) / max(len(both.examples), 1)
    floors: Mapping[str, tuple[float, str]] = {
        "abstention.precision": (unanswerable, "always declining"),
        "abstention.recall": (0.0, "never declining"),
        "abstention.f1": (2 * unanswerable / (1 + unanswerable), "always declining"),
        "abstention.auroc": (0.5, "chance"),
    }
    rows = [
        of_score(scores[name], section=ABSTENTION, floor=floor, floor_is=what) for name, (floor, what) in floors.items()
    ]
    before = {name: answers.predictions[name] for name in hidden}
    groups = [example.group for example in without.examples]
    same = [float(_declined(before[example.id])) for example in without.examples]
    measure = "declined with their articles there (the same questions as abstention.recall)"
    return [*rows, of_estimate(mean(same, groups=groups), section=ABSTENTION, measure=measure)]


def _with(bench: Bench, retrieval: RankedBy) -> Settings:
    return msgspec.structs.replace(bench.settings, retrieval=retrieval)


def _ranking(examples: Sequence[Example], results: Mapping[str, tuple[SearchResult, ...]]) -> dict[str, Estimate]:
    groups = [example.group for example in examples]
    rankings = [article_ranking(example, results[example.id]) for example in examples]
    values = {f"hit@{k}": [hit(one.names, one.relevant, within=k) for one in rankings] for k in (1, 4, 10)} | {
        "mrr@10": [reciprocal_rank(first_rank(one.names, one.relevant), within=10) for one in rankings]
    }
    return {name: mean(seen, groups=groups) for name, seen in values.items()}


def _first_sentence(run: FinishedRun) -> dict[str, Estimate]:
    """What reading nothing reaches: the first sentence of the passage ranked first."""
    said = [_opening(run.predictions[example.id]) for example in run.examples]
    groups = [example.group for example in run.examples]
    pairs = list(zip(said, (example.answers for example in run.examples), strict=True))
    return {
        "answer.exact_match.has_answer": mean([exact_match(text, accepted) for text, accepted in pairs], groups=groups),
        "answer.f1.has_answer": mean([f1(text, accepted) for text, accepted in pairs], groups=groups),
        "answer.containment": mean([contains(text, accepted) for text, accepted in pairs], groups=groups),
    }


def _opening(prediction: Prediction) -> str:
    results = prediction.answer.search_results if prediction.answer else ()
    sentences = split_sentences(results[0].text) if results else ()
    return results[0].text[sentences[0][0] : sentences[0][1]] if sentences else ""


def _top_article(run: FinishedRun, holders: Mapping[str, Holders]) -> Estimate:
    values, groups = [], []
    for example in run.examples:
        answer = run.predictions[example.id].answer
        if answer is not None and answer.search_results:
            values.append(float(answer.search_results[0].article_id in holders[example.id].all))
            groups.append(example.group)
    return mean(values, groups=groups)


def _retrieved_holds(prediction: Prediction, example: Example) -> bool:
    results = prediction.answer.search_results if prediction.answer else ()
    return any(contains(result.text, example.answers) for result in results)


def _declined(prediction: Prediction) -> bool:
    return prediction.answer is not None and prediction.answer.answer_mode == "abstained"


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
