"""The few words that answer: beside a generated sentence only where it says and cites them; who else says them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from qa.answers import agreed_short_answer, with_others
from qa.citations import cite
from qa.reading import SentenceAt
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.types import Claim, Evidence, SearchResult, ShortAnswer

TEXT = "It sailed at noon. The ferry carried 214 people to Skerra."
SENTENCE = (19, len(TEXT))
SHORT = (18, 21)


def agreed(
    evidence_of: Callable[..., Evidence],
    *,
    said: str = "It carried 214 people.",
    cited: tuple[int, int] = SENTENCE,
    cited_article: str = "a1",
    short: tuple[int, int] | None = SHORT,
    short_logit: float = 1.0,
) -> ShortAnswer | None:
    sentence = SentenceAt(text=TEXT[slice(*SENTENCE)], start=SENTENCE[0], end=SENTENCE[1], evidence=0)
    reading = Reading(
        sentences=(ReadSentence(sentence=sentence, logit=1.0, short=short, short_logit=short_logit),),
        probability=0.9,
    )
    stored = evidence_of(TEXT, article=cited_article).stored
    citation = cite(stored, number=1, cited=cited, placed=(0, len(said)), text=TEXT[slice(*cited)])
    claim = Claim(
        text=said, start=0, end=len(said), verdict="supported", support_score=1.0, citation_ids=(citation.id,)
    )
    return agreed_short_answer([claim], [citation], reading, [evidence_of(TEXT)])


@pytest.mark.parametrize("cited", [SENTENCE, (0, len(TEXT))])
def test_words_that_reader_and_model_agree_on(evidence_of: Callable[..., Evidence], cited: tuple[int, int]) -> None:
    found = agreed(evidence_of, cited=cited)
    assert found is not None
    assert found.text == "214" == TEXT[found.start_char_index : found.end_char_index]


def test_otherwise_there_are_none(evidence_of: Callable[..., Evidence]) -> None:
    assert agreed(evidence_of, said="It carried some people.") is None
    assert agreed(evidence_of, said="It carried 2,140 or 1214 people.") is None
    assert agreed(evidence_of, cited=(0, 18)) is None
    assert agreed(evidence_of, cited=(25, len(TEXT))) is None
    assert agreed(evidence_of, cited_article="other") is None
    assert agreed(evidence_of, short=None) is None
    assert agreed(evidence_of, short_logit=-1.0) is None


@pytest.mark.parametrize(
    ("words", "texts", "elsewhere"),
    [
        ("Ana Roe", ["Ana Roe won.", "It was ana roe.", "Ana Roemer lost.", "Bo Lind won."], 1),
        ("19", ["It took 19 days.", "In 2019 it took 18.", "The 19 left."], 1),
        ("六月", ["大桥六月开放。", "通车时间定在六月中旬。"], 1),
        ("الرياض", ["وصل إلى الرياض أمس.", "غادر والرياض هادئة."], 1),
    ],
)
def test_a_short_answer_knows_how_many_other_articles_say_it(words: str, texts: list[str], elsewhere: int) -> None:
    results = [
        SearchResult(
            passage_id=f"p{at}",
            article_id=f"a{at}",
            article_version="v",
            title="T",
            source="S",
            url=None,
            published_at=None,
            text=text,
            start_char_index=0,
            end_char_index=len(text),
            score=1.0,
        )
        for at, text in enumerate([*texts, texts[0]])
    ]
    results[-1] = msgspec.structs.replace(results[-1], article_id="a0")
    start = texts[0].lower().index(words.lower())
    short = ShortAnswer(
        text=words, article_id="a0", article_version="v", start_char_index=start, end_char_index=start + len(words)
    )
    found = with_others(short, results)
    assert found is not None
    assert found.elsewhere == elsewhere
    assert with_others(None, results) is None
