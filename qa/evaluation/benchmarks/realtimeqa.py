"""RealTimeQA, asked of the whole service: retrieval, answers, and abstention where the right articles are withheld.

Source of the data: Kasai et al., "RealTime QA: What's the Answer Right Now?" (2023).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.cleaning.identity import normalised_url
from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.ingest import ingest
from embeddings.parsers import read
from embeddings.types import Where
from qa.evaluation import Example, Prediction
from qa.evaluation.benchmarks import Bench, Row, asked, by_metric, joined, of_estimate, of_score, ranked
from qa.evaluation.convert import convert_realtimeqa
from qa.evaluation.dataset import draw
from qa.evaluation.measures import article_ranking
from qa.evaluation.metrics.answers import contains, exact_match, f1, first_rank, hit, normalise, reciprocal_rank
from qa.evaluation.metrics.statistics import Estimate, mean
from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.scoring import score_run
from qa.evaluation.targets import Asking
from qa.grounding import SupportChecker
from qa.language.dates import is_after, moment
from qa.retrieval.search import RankedBy
from qa.settings import Settings
from qa.types import SearchResult

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
_PAGE = 500
_WITHHELD_SHARE = 0.3


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


# --- Which articles hold which answers
class _Text(msgspec.Struct, frozen=True):
    id: str
    url: str
    published_at: str | None
    words: str
    """Title and text as SQuAD normalises answers, with a space at both ends."""


class Pool(msgspec.Struct, frozen=True):
    """Every article, ready to be searched for whole words."""

    texts: tuple[_Text, ...]


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """Articles that answer a question, or hold the words of an answer to it."""

    all: tuple[str, ...]
    in_time: tuple[str, ...]
    """Those among them that were out when the question was asked."""


@contextmanager
def news_corpus(articles: Path, *, encoder: Encoder, cache: Path) -> Iterator[Corpus]:
    """The articles of a file, read and cleaned as any others; what is stored already is not encoded again."""
    name = hashlib.sha256(articles.read_bytes() + encoder.identity.key.encode()).hexdigest()[:24]
    corpus = EmbeddedCorpus.open(cache / f"news-{name}", identity=encoder.identity)
    try:
        ingest(read(articles), corpus=corpus, encoder=encoder)
        yield corpus
    finally:
        corpus.close()


def news_questions(path: Path) -> tuple[Example, ...]:
    """Questions that have an answer."""
    return tuple(example for example in convert_realtimeqa([path]).examples if example.answers)


def pool_of(corpus: Corpus) -> Pool:
    """Read every article once."""
    texts: list[_Text] = []
    after: str | None = None
    while page := corpus.scan(where=Where(), after=after, limit=_PAGE):
        for one in page:
            words = f" {normalise(f'{one.title} {one.text}')} "
            texts.append(_Text(one.id, normalised_url(one.url) or "", one.published_at, words))
        after = page[-1].id
    return Pool(tuple(texts))


def gold_ids(example: Example, pool: Pool) -> tuple[str, ...]:
    """Articles of the pool that are known to answer."""
    return tuple(text.id for text in pool.texts if text.url and text.url in example.gold_urls)


def _withheld(example: Example, pool: Pool) -> Holders:
    """Articles that contain an answer as whole words, or are gold."""
    runs = [f" {words} " for answer in example.answers if (words := normalise(answer))]
    asked_at = moment(example.asked_at, field="asked_at") if example.asked_at else None
    found, in_time = [], []
    for text in pool.texts:
        if text.url in example.gold_urls or any(run in text.words for run in runs):
            found.append(text.id)
            if asked_at is None or not is_after(text.published_at, asked_at):
                in_time.append(text.id)
    return Holders(all=tuple(found), in_time=tuple(in_time))


def split(examples: Sequence[Example], pool: Pool) -> tuple[Mapping[str, Holders], tuple[Example, ...]]:
    """Holders of every example, and the fixed 30 % of the examples from which these are withheld.

    Which ones is decided by a hash of the id alone, so that it is the same whatever else is asked.
    """
    holders = {example.id: _withheld(example, pool) for example in examples}
    ordered = sorted(examples, key=lambda example: hashlib.sha256(f"withheld {example.id}".encode()).digest())
    chosen = {example.id for example in ordered[: round(_WITHHELD_SHARE * len(ordered))]}
    hidden = tuple(
        msgspec.structs.replace(
            example, answerable=False, answers=(), gold_urls=(), withheld_article_ids=holders[example.id].all
        )
        for example in examples
        if example.id in chosen
    )
    return holders, hidden
