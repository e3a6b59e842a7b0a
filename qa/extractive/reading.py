"""Takes a question and evidence, gives the sentences that answer, best first, with the words in them that do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from embeddings.encoders.protocol import Encoder, TokenVectors
from qa.extractive.alignment import Alignment, ReadQuestion, align, read_question
from qa.extractive.candidates import Candidate, candidates_of
from qa.extractive.expectation import AnswerKind, Expectation, expectation_of
from qa.extractive.network import Reader
from qa.extractive.selection import SentenceAt, pick_sentences
from qa.extractive.sentence_features import Context, asked_nouns, inside, sentence_features
from qa.extractive.span_features import span_features
from qa.extractive.words import words_of
from qa.types import Evidence

__all__ = ["SENTENCE_LIMIT", "ReadSentence", "Reading", "read"]

SENTENCE_LIMIT = 32
"""Sentences encoded for one question, at most."""
_SHORT_FOR = 10
"""Best sentences in which a short answer is looked for: as many as an answer can hold."""
_SHORT_KINDS: frozenset[AnswerKind] = frozenset({"number", "quantity", "date", "person", "place", "name", "thing"})


class ReadSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, judged."""

    sentence: SentenceAt
    logit: float
    """Log-odds that it answers; higher is better."""
    short: tuple[int, int] | None
    """Span, in the sentence, of the words that answer; None where no few words do."""
    short_logit: float = 0.0


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All sentences read for one question, best first, and how sure the best one is."""

    expectation: Expectation
    sentences: tuple[ReadSentence, ...]
    probability: float
    """Calibrated probability that the best sentence answers the question; 0 with no sentence."""
    encodings: int
    """Texts encoded for it."""


def read(question: str, evidence: Sequence[Evidence], *, encoder: Encoder, reader: Reader) -> Reading:
    """Judge the most promising sentences of the evidence. Encodes the question's words and those sentences, no more."""
    expectation = expectation_of(question)
    picked = pick_sentences(expectation, evidence, limit=SENTENCE_LIMIT)
    if not picked:
        return Reading(expectation=expectation, sentences=(), probability=0.0, encodings=0)
    asked, *vectors = encoder.encode_tokens([question, *(sentence.text for sentence in picked)])
    asked_for = read_question(asked, expectation)
    prepared = prepare(asked_for, picked, vectors, evidence)
    logits = reader.sentence.logits(np.stack([item.features for item in prepared]))
    order = sorted(range(len(picked)), key=lambda i: (-float(logits[i]), i))
    judged = [
        _judge(prepared[i], float(logits[i]), asked_for if rank < _SHORT_FOR else None, reader)
        for rank, i in enumerate(order)
    ]
    runner_up = judged[1].logit if len(judged) > 1 else judged[0].logit - 5.0
    return Reading(
        expectation=expectation,
        sentences=tuple(judged),
        probability=reader.calibration.probability(judged[0].logit, runner_up, prepared[order[0]].features),
        encodings=len(picked) + 1,
    )


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with everything the networks look at."""

    sentence: SentenceAt
    alignment: Alignment
    candidates: tuple[Candidate, ...]
    features: np.ndarray[tuple[int], np.dtype[np.float32]]


def prepare(
    question: ReadQuestion,
    picked: Sequence[SentenceAt],
    vectors: Sequence[TokenVectors],
    evidence: Sequence[Evidence],
) -> list[Prepared]:
    """Compute the features of each picked sentence."""
    contexts = _contexts(evidence)
    prepared = []
    for sentence, vector in zip(picked, vectors, strict=True):
        alignment = align(question, vector)
        candidates = candidates_of(sentence.text, alignment.words)
        before = frozenset(word.stem for word in words_of(sentence.before))
        context = msgspec.structs.replace(contexts[sentence.evidence], position=sentence.position, before=before)
        row = sentence_features(question, alignment, candidates, context)
        prepared.append(Prepared(sentence=sentence, alignment=alignment, candidates=candidates, features=row))
    return prepared


def _contexts(evidence: Sequence[Evidence]) -> Mapping[int, Context]:
    """Title and passage words around each evidence's sentences, its cosine and its place in the ranking."""
    known = [item.cosine for item in evidence if item.cosine is not None]
    # Only the lexical list found the others: they are at most as near as the last of the dense list.
    floor = min(known, default=0.0)
    return {
        index: Context(
            stems=frozenset(word.stem for word in words_of(f"{item.stored.title} {item.stored.passage.text}")),
            passage_cosine=floor if item.cosine is None else item.cosine,
            passage_score=item.score,
            passage_rank=index,
            before=frozenset(),
            position=0,
        )
        for index, item in enumerate(evidence)
    }


def _judge(item: Prepared, logit: float, question: ReadQuestion | None, reader: Reader) -> ReadSentence:
    """A sentence with its score; `question` only where its short answer is wanted."""
    short, short_logit = _short_answer(item, question, reader) if question else (None, 0.0)
    return ReadSentence(sentence=item.sentence, logit=logit, short=short, short_logit=short_logit)


def _short_answer(item: Prepared, question: ReadQuestion, reader: Reader) -> tuple[tuple[int, int] | None, float]:
    """The best candidate, for the kinds of question that a few words answer."""
    candidates = _askable(item, question)
    if question.expectation.kind not in _SHORT_KINDS or not candidates:
        return None, 0.0
    text = item.sentence.text
    rows = np.stack([span_features(question, text, item.alignment, candidate) for candidate in candidates])
    logits = reader.span.logits(rows)
    best = int(logits.argmax())
    return (candidates[best].start, candidates[best].end), float(logits[best])


def _askable(item: Prepared, question: ReadQuestion) -> Sequence[Candidate]:
    """Of a question such as `which division`, only the names that contain the noun, where there are any."""
    if question.expectation.kind != "name":
        return item.candidates
    stems = {question.expectation.content[i].stem for i in asked_nouns(question)}
    words = item.alignment.words
    holding = [
        candidate
        for candidate in item.candidates
        if candidate.kind == "name" and any(words[i].stem in stems for i in inside(item.alignment, candidate))
    ]
    return holding or item.candidates
