"""Fits what a reader's log-odds are worth, and where to decline; writes the calibration beside its weights.

`make calibrate-reader` runs it. Held-out questions of the training files (fold 0, which training never sees) are asked
over all their passages, through the retrieval that the service runs, and once more without the passage that answers;
those that people wrote to have no answer are asked of their own passage. So are held-out questions that were
written on news, with and without an answer, which are nearest to what readers ask. The yardsticks are no part of it.
"""

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from embeddings.encoders import load
from embeddings.runtime import Memory
from embeddings.types import Article, article_version
from qa.evaluation.benchmarks.reader import given, searched
from qa.evaluation.metrics.answers import SquadQuestion, f1
from qa.evaluation.targets import kept
from qa.reading import GENERAL, Calibration, Clues, Features, Reader, RememberingReader, load_reader, read_calibration
from qa.reading.answer_types import WHOLE
from qa.reading.sentence_ranking import Reading, features_of, read
from qa.training.reader_data import Row, Span, rows_of, title_of
from qa.training.written_examples import document_rows, written_rows
from qa.types import Evidence

HELD_OUT = 0
NEARLY_RIGHT = 0.5
"""Token F1 from which an answer counts as right."""
COST_OF_WRONG = 1 / 2
"""What a wrong answer costs where a right one gains 1 and declining nothing. Less than a right one gains: the sentence
is shown around the words and its source beside it, and words that only nearly agree count as wrong here."""
DEPENDENT = {"fairytaleqa", "squadshifts_amazon", "squadshifts_reddit"}
"""Sources whose questions mean nothing without their passage ("What did he say?")."""
SENTENCES = 6
NEWS = 1.0
"""What all readings of invented news weigh together, beside 1 for all others."""
ANSWERABLE = 0.7
"""Share of questions in service that the articles answer: an assumption, stated so that it can be changed."""
_FEATURES = Features.__struct_fields__
_CLUES = Clues.__struct_fields__


Question = tuple[SquadQuestion, Sequence[Evidence]]


class Asked(msgspec.Struct, frozen=True):
    """One held-out question as it was read."""

    features: Features
    right: bool
    answerable: bool
    news: bool


def main(argv: Sequence[str] | None = None) -> None:
    """Fit, print how well it does on folds it was not fitted on, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train*.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="where the calibration is written")
    parser.add_argument("--cache", type=Path, default=Path(".cache/training/calibration"))
    parser.add_argument("--reader", default="", help="as QA_READER")
    parser.add_argument("--ranking", type=Path, help="a calibration whose ranking of passages is kept")
    parser.add_argument("--limit", type=int, default=350, help="questions drawn; time is proportional")
    parser.add_argument("--news", type=int, default=2600, help="questions drawn of those written on news")
    given_ = parser.parse_args(argv)
    reader = load_reader(given_.reader)
    articles, questions, trick = held_out(given_.data, limit=given_.limit)
    asked = (*written_rows(), *document_rows(given_.data.parent, versions=False))
    news = [row for row in asked if row.fold == HELD_OUT]
    written = {row.context: _article(row) for row in news}
    random.Random(5).shuffle(news)
    del news[given_.news :]
    encoder = load("all-MiniLM-L6-v2")
    texts = {article.id: article for article in articles}
    print(
        f"{len(articles):,} passages, {len(questions):,} questions, {len(trick):,} written to have no answer, "
        f"{len(news):,} on {len(written):,} articles of news, most of them invented",
        flush=True,
    )
    readings: list[Question] = []
    with kept([*articles, *written.values()], encoder, given_.cache) as corpus:
        questions += [_question(row, written) for row in news]
        readings += [(one, searched(one, corpus=corpus, encoder=encoder)) for one in questions]
    readings += [(one, given(texts[one.article_id])) for one in trick]
    remembering = RememberingReader(reader, readings=Memory(sys.maxsize))
    if given_.ranking:
        kept_from = read_calibration(given_.ranking)
        ranked = msgspec.structs.replace(GENERAL, ranking=kept_from.ranking, ranking_bias=kept_from.ranking_bias)
    else:
        ranked = fit_ranking(readings, Recalibrated(remembering, GENERAL))
    calibration = fit(readings, Recalibrated(remembering, ranked))
    given_.out.write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    print(f"written to {given_.out}: {calibration}")


def held_out(data: Path, *, limit: int) -> tuple[list[Article], list[SquadQuestion], list[SquadQuestion]]:
    """Passages of the held-out fold, questions to be asked of all of them, and those without an answer in theirs."""
    rng = random.Random(3)
    rows = [row for row in rows_of(data / "train.jsonl.gz") if row.fold == HELD_OUT and row.source not in DEPENDENT]
    news = list(news_passages(rows_of(data / "train-sentences.jsonl.gz")))
    asked = [row for row in rows if not row.is_impossible and not row.source.startswith("squad2_unansq")]
    trick = [row for row in rows if row.is_impossible]
    drawn = rng.sample(asked, min(limit, len(asked))) + rng.sample(news, min(limit // 3, len(news)))
    tricks = rng.sample(trick, min(limit // 2, len(trick)))
    others = rng.sample(rows, min(2 * limit, len(rows)))
    articles = {row.context: _article(row) for row in (*drawn, *tricks, *others)}
    return (
        list(articles.values()),
        [_question(row, articles) for row in drawn],
        [_question(row, articles) for row in tricks],
    )


def news_passages(rows: Iterable[Row]) -> Iterator[Row]:
    """Held-out questions on Wikinews that name something, each on the sentences of its article put together."""
    articles: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        if row.fold == HELD_OUT and "wikinews" in row.group:
            articles.setdefault(row.group, {}).setdefault(row.context, []).append(row)
    for sentences in articles.values():
        context = " ".join(list(sentences)[:SENTENCES])
        for row in (row for asked in list(sentences.values())[:SENTENCES] for row in asked):
            at = context.index(row.context)
            named = any(word[:1].isupper() for word in row.question.split()[1:])
            if named:
                moved = tuple(Span(one.text, one.answer_start + at) for one in row.answers)
                yield msgspec.structs.replace(row, context=context, answers=moved)


def _article(row: Row) -> Article:
    version = article_version(row.context)
    return Article(id=version[:20], version=version, title=title_of(row), text=row.context)


def _question(row: Row, articles: dict[str, Article]) -> SquadQuestion:
    return SquadQuestion(
        id=row.question,
        question=row.question,
        article_id=articles[row.context].id,
        group=row.group,
        answers=tuple((one.text, one.answer_start) for one in row.answers) if not row.is_impossible else (),
    )


def fit_ranking(readings: Sequence[Question], reader: Reader) -> Calibration:
    """What makes a passage the right one: its best sentence holds the answer, among those of all passages read."""
    rows, right = [], []
    for question, evidence in readings:
        if not question.answers:
            continue
        accepted = [answer for answer, _ in question.answers]
        for one in read(_text(question), evidence, reader=reader).sentences:
            if one.clues is None:
                continue
            rows.append([getattr(one.clues, name) for name in _CLUES])
            right.append(f1(one.words, accepted) >= NEARLY_RIGHT)
    slopes, bias = _logistic(np.array(rows), np.array(right), None)
    weights = {name: round(float(value), 4) for name, value in zip(_CLUES, slopes, strict=True)}
    print(f"{len(rows):,} sentences, {sum(right):,} right: {weights}", flush=True)
    return msgspec.structs.replace(GENERAL, ranking=weights, ranking_bias=round(bias, 4))


def fit(readings: Sequence[Question], reader: Reader) -> Calibration:
    """The probability that the best sentence is right, and the threshold."""
    asked = list(_asked(readings, reader))
    rows = np.array([[getattr(one.features, name) for name in _FEATURES] for one in asked])
    right = np.array([one.right for one in asked])
    weights = _share_weights(asked)
    slopes, bias = _logistic(rows, right, weights)
    threshold = round(COST_OF_WRONG / (1.0 + COST_OF_WRONG), 4)
    _say(asked, _cross_fitted(rows, right, weights), threshold)
    return msgspec.structs.replace(
        reader.calibration,
        reader=reader.identity,
        weights={name: round(float(value), 4) for name, value in zip(_FEATURES, slopes, strict=True)},
        bias=round(bias, 4),
        threshold=threshold,
        fitted_on=f"fold {HELD_OUT} of the training files, {len(asked)} readings",
    )


def _asked(readings: Sequence[Question], reader: Reader) -> Iterator[Asked]:
    for question, evidence in readings:
        # Without the passage that answers, the same question has no answer: both kinds, from the same questions.
        yield _judged(question, evidence, reader)
        if question.answers:
            without = [item for item in evidence if item.stored.passage.article_id != question.article_id]
            if without and not any(_holds(item, question) for item in without):
                yield _judged(msgspec.structs.replace(question, answers=()), without, reader)


class Recalibrated:
    """The same reader, its readings weighed otherwise."""

    def __init__(self, reader: Reader, calibration: Calibration) -> None:
        self.identity = reader.identity
        self.languages = reader.languages
        self.calibration = calibration
        self.read = reader.read


def _text(question: SquadQuestion) -> str:
    return " ".join(question.question.split())


def _judged(question: SquadQuestion, evidence: Sequence[Evidence], reader: Reader) -> Asked:
    text = _text(question)
    reading: Reading = read(text, evidence, reader=reader)
    features = features_of(reading.sentences) or Features(logit=-30.0)
    accepted = [answer for answer, _ in question.answers]
    return Asked(
        features,
        right=_is_right(reading, accepted),
        answerable=bool(accepted),
        news=question.group.startswith(("written:", "documents:")),
    )


def _is_right(reading: Reading, accepted: Sequence[str]) -> bool:
    """Whether what is shown answers: the words, or, where a sentence is the answer, that they stand in it."""
    if not accepted or not reading.sentences:
        return False
    best = reading.sentences[0]
    if reading.kind in WHOLE and any(answer in best.sentence.text for answer in accepted):
        return True
    return f1(best.words, accepted) >= NEARLY_RIGHT


def _holds(item: Evidence, question: SquadQuestion) -> bool:
    text = item.stored.passage.text.casefold()
    return any(answer.casefold() in text for answer, _ in question.answers)


def _share_weights(asked: Sequence[Asked]) -> npt.NDArray[np.float64]:
    """The readings of news weigh `NEWS` times what all others do; of both kinds, `ANSWERABLE` are answerable."""
    answerable, news = (np.array([getattr(one, name) for one in asked]) for name in ("answerable", "news"))
    weights = np.zeros(len(asked))
    for of_news, total in ((True, NEWS), (False, 1.0)):
        for able, share in ((True, ANSWERABLE), (False, 1 - ANSWERABLE)):
            of_kind = (news == of_news) & (answerable == able)
            weights[of_kind] = total * share * len(asked) / (1 + NEWS) / max(int(of_kind.sum()), 1)
    return weights


def _logistic(rows: Any, right: Any, weights: Any) -> tuple[npt.NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    model = LogisticRegression(C=1.0, max_iter=1000).fit((rows - mean) / spread, right, sample_weight=weights)
    slopes = model.coef_[0] / spread
    return slopes, float(model.intercept_[0] - (slopes * mean).sum())


def _cross_fitted(rows: Any, right: Any, weights: Any) -> npt.NDArray[np.float64]:
    predicted = np.zeros(len(rows))
    for fold in range(5):
        out = np.arange(len(rows)) % 5 == fold
        slopes, bias = _logistic(rows[~out], right[~out], weights[~out])
        predicted[out] = 1 / (1 + np.exp(-(rows[out] @ slopes + bias)))
    return predicted


def _say(asked: Sequence[Asked], predicted: Any, threshold: float) -> None:
    from sklearn.metrics import roc_auc_score

    right = np.array([one.right for one in asked])
    answerable = np.array([one.answerable for one in asked])
    print(
        f"right first {right[answerable].mean():.3f} of {answerable.sum():,}; "
        f"AUROC of being right {roc_auc_score(right, predicted):.3f}",
        flush=True,
    )
    for limit in (0.2, 0.25, threshold, 0.4, 0.5, 0.6, 0.7):
        given_ = predicted >= limit
        print(
            f"  threshold {limit:.2f}: answered {given_[answerable].mean():.3f} of the answerable, right then "
            f"{right[given_ & answerable].mean():.3f}; declined {1 - given_[~answerable].mean():.3f} of the others",
            flush=True,
        )


if __name__ == "__main__":
    main()
