"""Claims of what the reader takes for the answers to its training questions."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from qa.reading import AnswerSpan, OverlapReader, PassageText
from qa.training.question_claims import claim_of, claimed, questions_to_read, read_answers, verdict_pairs
from qa.training.reader_data import Row, Span

TEXT = "The ferry Almeric sank in 1904. It carried 300 people. Ada Brandt saved twelve of them."


class Told(OverlapReader):
    """Finds two years and two figures, whatever is asked."""

    reads = 0

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """The same words each time."""
        assert question
        self.reads += len(passages)
        words = (("300", 5.0), ("1904", 4.0), ("twelve", -6.0))
        return [tuple(AnswerSpan(TEXT.index(one), TEXT.index(one) + len(one), logit) for one, logit in words)]


def row(question: str, *answers: str, tempting: str = "", source: str = "squad1", fold: int = 1) -> Row:
    return Row(
        question=question,
        context=TEXT,
        answers=tuple(Span(one, TEXT.index(one)) for one in answers),
        plausible_answers=(Span(tempting, TEXT.index(tempting)),) if tempting else (),
        source=source,
        fold=fold,
    )


def test_right_and_wrong_words_are_told_apart_and_kept(tmp_path: Path) -> None:
    reader, kept = Told(), tmp_path / "read.jsonl"
    rows = [row("When did it sink?", "1904"), row("Who built it?", tempting="Ada Brandt")]
    found = read_answers(rows, reader, kept=kept)
    assert [(one.words, one.at, one.right) for one in found] == [
        ("1904", 0, True),
        ("300", 1, False),
        ("Ada Brandt", 2, False),
    ], "what lies far behind tempts nobody, and one word tempts enough"
    assert read_answers(rows, reader, kept=kept) == found
    assert reader.reads == 2, "what was read is kept"


def test_as_many_claims_are_true_as_false_and_their_sentence_is_among_the_evidence(tmp_path: Path) -> None:
    answers = read_answers([row("When did it sink?", "1904")], Told(), kept=tmp_path / "read.jsonl")
    pairs = list(itertools.islice(verdict_pairs(answers, random.Random(0)), 40))
    assert [pair.label for pair in pairs] == ["entailment", "not_entailment"] * 20
    assert all(("1904." in pair.premise) if pair.label == "entailment" else ("300" in pair.premise) for pair in pairs)
    assert {pair.hypothesis for pair in pairs} == {"When did it sink? 1904.", "When did it sink? 300."}


def test_one_fold_and_other_kinds_are_left_out() -> None:
    rows = [row("Here?"), row("Held out?", fold=0), row("A post?", source="squadshifts_reddit")]
    assert [one.question for one in questions_to_read(rows, fold=0, rng=random.Random(0))] == ["Here?"]


@pytest.mark.parametrize(
    ("question", "answer", "claim"),
    [
        ("Who was shot by the police?", "Ada Brandt", "Ada Brandt was shot by the police."),
        ("What was the ferry called?", "Almeric", "The ferry was called Almeric."),
        ("In what year did the ferry sink?", "1904", None),
        ("How many people did it carry?", "300", None),
        ("On what date was it released?", "March 5, 2016", "It was released on March 5, 2016."),
        ("In which city was the meeting held?", "Skerra", "The meeting was held in Skerra."),
        ("Where was the wounded man taken?", "Skerra", "The wounded man was taken in Skerra."),
        ("When was the recently opened bridge closed?", "June 3", "The recently opened bridge was closed on June 3."),
        ("What is the meeting about?", "fares", None),
        ("What is the capital of Lunde?", "Skerra", "The capital of Lunde is Skerra."),
    ],
)
def test_a_question_and_its_answer_are_one_sentence(question: str, answer: str, claim: str | None) -> None:
    assert claimed(question, answer) == claim


def test_a_question_whose_form_is_unknown_stands_before_its_answer() -> None:
    assert claim_of("In what year did the ferry sink?", "1904.") == "In what year did the ferry sink? 1904."
