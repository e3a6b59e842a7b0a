"""Which passages are left unread, and which never are: those with the answer, with another figure, of a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qa.reading import GENERAL, AnswerSpan, Calibration, PassageText
from qa.reading.sentence_ranking import Reading, ReadSentence, read
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
QUESTION = "How many people live in Derna?"
ANSWER = "Some 125,000 people live in Derna."
OTHERS = ["Rain fell on the hills.", "Nobody knows the reason.", "Bread was dear.", "The port lay idle."]


class Told:
    """Finds the words that it was told of, and remembers what it was given."""

    identity, languages = "told", None

    def __init__(self, logits: Mapping[str, float], calibration: Calibration) -> None:
        self._logits = logits
        self.calibration = calibration
        self.given: list[str] = []

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        assert question
        self.given += [passage.text for passage in passages]
        return [tuple(self._spans(passage.text)) for passage in passages]

    def _spans(self, text: str) -> list[AnswerSpan]:
        places = [(text.find(words), words, logit) for words, logit in self._logits.items()]
        return [AnswerSpan(at, at + len(words), logit) for at, words, logit in places if at >= 0]


def sparing(
    evidence_of: EvidenceOf,
    texts: Sequence[str],
    *,
    question: str = QUESTION,
    logits: Mapping[str, float] | None = None,
    ends_at: Callable[[ReadSentence], bool] | None = lambda _: True,
    calibration: Calibration = GENERAL,
) -> tuple[Reading, list[str]]:
    """What is read of passages of as many articles, each ranked a little lower than the one before."""
    evidence = [evidence_of(text, article=f"a{number}", score=1.0 - 0.02 * number) for number, text in enumerate(texts)]
    reader = Told(logits or {"125,000": 9.0}, calibration)
    return read(question, evidence, reader=reader, ends_at=ends_at), reader.given


def test_what_cannot_come_before_a_good_answer_is_not_read(evidence_of: EvidenceOf) -> None:
    reading, given = sparing(evidence_of, [ANSWER, *OTHERS])
    assert given == [ANSWER, OTHERS[0]]
    assert (reading.passages, reading.sentences[0].words) == (2, "125,000")


def test_the_most_promising_are_read_first(evidence_of: EvidenceOf) -> None:
    ranking = {"logit": 1.0, "retrieval": 1.0, "sentence": 3.0}
    calibration = Calibration(reader="told", weights={"logit": 1.0}, bias=0.0, threshold=0.5, ranking=ranking)
    reading, given = sparing(evidence_of, [*OTHERS, ANSWER], calibration=calibration)
    assert given == [ANSWER, OTHERS[0]], "it has the words of the question"
    assert reading.sentences[0].sentence.evidence == 4


def test_a_passage_with_the_same_answer_is_read(evidence_of: EvidenceOf) -> None:
    same = "The 2019 census counted 125,000 there."
    _, given = sparing(evidence_of, [ANSWER, *OTHERS, same], logits={"125,000": 6.5})
    assert given == [ANSWER, OTHERS[0], same]


def test_a_passage_with_another_figure_for_it_is_read(evidence_of: EvidenceOf) -> None:
    other = "In Derna live 90,000 people."
    _, given = sparing(evidence_of, [ANSWER, *OTHERS, other], logits={"125,000": 6.5})
    assert given == [ANSWER, OTHERS[0], other]


def test_a_figure_for_something_else_is_not_read(evidence_of: EvidenceOf) -> None:
    other = "The bridge cost 90,000 crowns."
    _, given = sparing(evidence_of, [ANSWER, *OTHERS, other], logits={"125,000": 6.5})
    assert given == [ANSWER, OTHERS[0]]


def test_all_are_read_where_the_best_sentence_cannot_stand_or_is_poor(evidence_of: EvidenceOf) -> None:
    texts = [ANSWER, *OTHERS]
    assert sparing(evidence_of, texts, ends_at=lambda _: False)[1] == texts
    assert sparing(evidence_of, texts, logits={"125,000": -1.0})[1] == texts
    assert sparing(evidence_of, texts, logits={"nothing of it": 9.0})[1] == texts


def test_all_are_read_for_a_list_and_unless_told_otherwise(evidence_of: EvidenceOf) -> None:
    texts = [ANSWER, *OTHERS, *[f"{text} Again." for text in OTHERS]]
    assert sparing(evidence_of, texts, question="Which cities are named?")[1] == texts
    assert sparing(evidence_of, texts[:6], ends_at=None)[1] == texts[:6]
