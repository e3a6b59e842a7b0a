"""What a publisher says again every day or week, in the same words with other figures."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from qa.reading import SentenceAt
from qa.reading.newest_answers import newest_of_series
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.types import Evidence

PRICE = "A kilo of butter costs {} crowns this week, the dairy board said on {}."


def said(
    evidence_of: Callable[..., Evidence], *told: tuple[str, str | None, str, str | None]
) -> tuple[Reading, list[Evidence]]:
    """Sentences (text, date, source, link) in the order in which they answer best."""
    evidence, sentences = [], []
    for number, (text, date, source, url) in enumerate(told):
        item = evidence_of(text, article=f"a{number}", published_at=date)
        stored = msgspec.structs.replace(item.stored, source=source, url=url)
        evidence.append(msgspec.structs.replace(item, stored=stored))
        sentence = SentenceAt(text=text, start=0, end=len(text), evidence=number)
        sentences.append(ReadSentence(sentence=sentence, logit=3.0 - number, short=(0, 5), short_logit=1.0))
    return Reading(sentences=tuple(sentences), probability=0.8), evidence


def test_the_newest_of_a_series_stands_for_it(evidence_of: Callable[..., Evidence]) -> None:
    reading, evidence = said(
        evidence_of,
        (PRICE.format("7.10", "Monday"), "2024-06-03", "Board", None),
        (PRICE.format("7.40", "Tuesday"), "2024-06-11", "Board", None),
        ("Butter is dear, the baker said.", "2024-06-02", "Board", None),
        (PRICE.format("6.90", "Monday"), "2024-05-27", "BOARD", None),
    )
    kept = newest_of_series(reading, evidence)
    assert [one.sentence.evidence for one in kept.sentences] == [1, 2]
    assert kept.probability == reading.probability


@pytest.mark.parametrize(
    ("text", "date", "source", "url"),
    [
        (PRICE.format("7.40", "Monday"), "2024-06-04", "Post", "https://post.example/b"),
        (PRICE.format("7.40", "Monday"), "2024-06-03", "Board", None),
        (PRICE.format("7.40", "Monday"), None, "Board", None),
        (PRICE.format("7.10", "Monday"), "2024-06-04", "Board", None),
        (PRICE.format("7.40", "Monday").replace("butter", "cheese"), "2024-06-04", "Board", None),
    ],
    ids=["another publisher", "the same day", "undated", "the same figure", "another thing"],
)
def test_what_is_no_series(
    evidence_of: Callable[..., Evidence], text: str, date: str | None, source: str, url: str | None
) -> None:
    first = (PRICE.format("7.10", "Monday"), "2024-06-03", "Board", "https://board.example/a")
    reading, evidence = said(evidence_of, first, (text, date, source, url))
    assert newest_of_series(reading, evidence) == reading
