"""What a second network makes of answers, played by one that needs none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest

from qa.grounding import Odds
from qa.reading import GENERAL, OverlapReader
from qa.reading.second_opinion import confirmed
from qa.reading.sentence_ranking import read
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]


class Judge(OverlapReader):
    """Judges by the sentence that it is shown first."""

    def __init__(self, verdicts: Mapping[str, tuple[float, float]]) -> None:
        self._verdicts = verdicts
        self.given: list[tuple[Sequence[str], Sequence[str]]] = []

    def confirm(self, claims: Sequence[str], texts: Sequence[str]) -> Odds:  # type: ignore[override]
        """As it was told."""
        self.given.append((claims, texts))
        supported, contradicted = self._verdicts.get(texts[0], (-5.0, -5.0))
        return Odds(supported=supported, contradicted=contradicted)


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
