"""What a second network makes of answers and of questions of yes or no, played by one that needs none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest

from qa.grounding import Odds
from qa.reading import GENERAL, OverlapReader
from qa.reading.second_opinion import confirmed, decided, decisions_of
from qa.reading.sentence_ranking import read
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
DECIDING = msgspec.structs.replace(GENERAL, decision={"verdict": 1.0, "share": 0.5}, decision_bias=-0.5)
ASKED = "Did the Corm council sell the tower?"
REFUSED, MILL = "It refused to sell the tower.", "The council of Corm will sell the mill."
TEXT = f"The Corm council met. {REFUSED} {MILL} Will it sell the tower?"


class Judge(OverlapReader):
    """Judges by the sentence that it is shown first."""

    calibration = DECIDING

    def __init__(self, verdicts: Mapping[str, tuple[float, float]]) -> None:
        self._verdicts = verdicts
        self.given: list[tuple[Sequence[str], Sequence[str]]] = []

    def confirm(self, claims: Sequence[str], texts: Sequence[str]) -> Odds:  # type: ignore[override]
        """As it was told."""
        self.given.append((claims, texts))
        supported, contradicted = self._verdicts.get(texts[0], (-5.0, -5.0))
        return Odds(supported=supported, contradicted=contradicted)


def test_the_sentence_that_says_otherwise_decides_too(evidence_of: EvidenceOf) -> None:
    judge = Judge({REFUSED: (-4.0, 2.0), MILL: (-1.0, 0.5)})
    found = decided(ASKED, [evidence_of(TEXT, title="Corm")], reader=judge)
    assert found is not None
    best = found.sentences[0]
    assert best.sentence.text == REFUSED
    assert (best.short, found.kind, found.passages) == (None, "decision", 1)
    # Half a word each for the title and the sentence before it.
    assert best.logit == pytest.approx(2.0 + 0.5 * (2 + 2 * 0.5) / 4 - 0.5)
    assert found.probability == pytest.approx(DECIDING.chance(best.logit))
    assert {claims for claims, _ in judge.given} == {("The Corm council sold the tower.",)}
    assert (REFUSED, f"Corm. The Corm council met. {REFUSED}") in [texts for _, texts in judge.given]


def test_only_sentences_that_speak_of_the_matter_are_judged(evidence_of: EvidenceOf) -> None:
    judge = Judge({})
    evidence = [evidence_of("Rain fell. The tower of Corm leans.", article="a"), evidence_of(TEXT, article="b")]
    shown = {sentence.text for sentence, _ in decisions_of(ASKED, evidence, reader=judge)}
    assert "Rain fell." not in shown
    assert not any(text.endswith("?") for text in shown)
    assert "The tower of Corm leans." in shown


def test_other_questions_and_readers_decide_nothing(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(TEXT)]
    assert decided("Who sold the tower?", evidence, reader=Judge({})) is None
    assert decided(ASKED, evidence, reader=OverlapReader()) is None


CONFIRMING = msgspec.structs.replace(GENERAL, confirmation={"sure": 1.0, "verdict": 0.5}, confirmation_bias=-0.25)


class Confirming(Judge):
    """The same, of answers."""

    calibration = CONFIRMING


@pytest.mark.parametrize(("supported", "more"), [(2.5, 1.0), (-3.5, -2.0)])
def test_an_answer_is_as_sure_as_the_verdict_lets_it_be(evidence_of: EvidenceOf, supported: float, more: float) -> None:
    sentence = "Ida Renn sold the tower."
    judge = Confirming({sentence: (supported, -supported)})
    evidence = [evidence_of(f"Corm met. {sentence}", title="Tower")]
    reading = read("Who sold the tower?", evidence, reader=judge)
    found = confirmed("Who sold the tower?", reading, evidence, reader=judge)
    before, after = (math.log(one.probability / (1 - one.probability)) for one in (reading, found))
    assert after - before == pytest.approx(more)
    assert found.sentences == reading.sentences
    words = reading.sentences[0].words
    claims = (f"Who sold the tower? {words}.", f"{words} sold the tower.")
    assert judge.given == [(claims, (sentence, f"Tower. Corm met. {sentence}"))]


def test_without_a_second_network_or_words_a_reading_stays_as_it_is(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of("Ida Renn sold the tower.")]
    reading = read("Who sold the tower?", evidence, reader=OverlapReader())
    assert confirmed("Who sold the tower?", reading, evidence, reader=OverlapReader()) is reading
    silent = msgspec.structs.replace(reading, sentences=())
    assert confirmed("Who sold the tower?", silent, evidence, reader=Confirming({})) is silent
