"""Reading with readers that need no network: what is judged, in which order, and how sure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest

from qa.reading import GENERAL, AnswerSpan, Calibration, Features, OverlapReader, PassageText
from qa.reading.answer_types import Kind, kind_of
from qa.reading.sentence_ranking import articles_in_turn, best_passages_first, read
from qa.types import Evidence

EvidenceOf = Callable[..., Evidence]
TEXT = "The army advanced. Derna is a port. Some 125,000 people live in Derna. Rain fell. Nobody knows why."


class Told:
    """A reader that finds the words it was told of, wherever a passage has them."""

    identity = "told"

    def __init__(self, logits: Mapping[str, float], calibration: Calibration = GENERAL) -> None:
        self.calibration = calibration
        self._logits = logits
        self.given: list[PassageText] = []

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        assert question
        self.given += passages
        return [
            tuple(
                AnswerSpan(passage.text.index(words), passage.text.index(words) + len(words), logit)
                for words, logit in sorted(self._logits.items(), key=lambda item: -item[1])
                if words in passage.text
            )
            for passage in passages
        ]


def test_the_sentence_that_answers_comes_first_with_its_words(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of("Rain is a kind of weather.", article="a0"), evidence_of(TEXT, title="Derna", score=0.8)]
    reader = Told({"125,000": 3.0, "a port": -1.0, "Rain": -2.0})
    found = read("What is said of people in Derna?", evidence, reader=reader)
    assert [one.words for one in found.sentences] == ["125,000", "a port", "Rain", "Rain"]
    best = found.sentences[0]
    assert best.sentence.text == "Some 125,000 people live in Derna."
    assert (best.sentence.evidence, best.sentence.before) == (1, "Derna is a port.")
    assert TEXT[best.sentence.before_start :].startswith(best.sentence.before)
    assert best.logit == pytest.approx(3.0 + math.log(0.8))
    assert best.clues is not None
    assert best.clues.sentence == 1.0
    assert (best.short_logit, found.passages) == (3.0, 2)
    assert best.clues.share == pytest.approx(math.exp(3.0) / (math.exp(3.0) + math.exp(-1.0) + math.exp(-2.0)))
    assert found.probability == pytest.approx(1 / (1 + math.exp(-best.logit)))
    assert [one.title for one in reader.given] == ["", "Derna"]


@pytest.mark.parametrize(
    ("before", "share"), [("Corm dismissed coach Karl Dorn.", 1.0), ("Corm has a coach, Karl Dorn.", 0.0)]
)
def test_who_follows_is_told_of_the_office_that_another_left(
    evidence_of: EvidenceOf, before: str, share: float
) -> None:
    evidence = [evidence_of(f"{before} Ida Gant takes over.")]
    reader = Told({"Ida Gant": 3.0})
    (found,) = read("Who is the coach of Corm?", evidence, reader=reader).sentences
    assert found.clues is not None
    assert found.clues.sentence == share


def test_an_old_article_answers_as_surely_but_after_a_fresh_one(evidence_of: EvidenceOf) -> None:
    old = msgspec.structs.replace(evidence_of("Ida Renn won.", article="old", score=0.6), freshness=0.6)
    (alone,) = read("Who won?", [evidence_of("Ida Renn won.", article="old")], reader=Told({"Ida Renn": 3.0})).sentences
    found = read("Who won?", [old], reader=Told({"Ida Renn": 3.0}))
    assert found.probability == pytest.approx(1 / (1 + math.exp(-3.0)))
    assert found.sentences[0].logit < alone.logit
    fresh = evidence_of("Tom Hale won.", article="fresh")
    both = read("Who won?", [old, fresh], reader=Told({"Ida Renn": 3.0, "Tom Hale": 2.9}))
    assert [one.words for one in both.sentences] == ["Tom Hale", "Ida Renn"]


@pytest.mark.parametrize(("question", "found"), [("How tall is she?", 0), ("How old is she?", 1)])
def test_an_age_answers_nothing_else(evidence_of: EvidenceOf, question: str, found: int) -> None:
    evidence = [evidence_of("Ada Roe, a 42-year-old teacher, was elected.")]
    assert len(read(question, evidence, reader=Told({"42": 3.0})).sentences) == found


def told_as(question: str) -> Callable[[Evidence], str]:
    return lambda _: question


def test_words_that_were_not_put_to_a_passage_are_not_missed_in_it(evidence_of: EvidenceOf) -> None:
    evidence, plain = [evidence_of(TEXT)], "Who lives in Derna?"
    dated = "Who lives in Derna in the past 48 hours?"
    both = [read(dated, evidence, reader=Told({"125,000": 3.0}), put=told_as(put)) for put in (plain, dated)]
    shares = [one.sentences[0].clues.sentence for one in both if one.sentences[0].clues]
    assert shares == [1.0, 0.4]


@pytest.mark.parametrize(
    ("question", "title", "read_with"),
    [
        ("Which team was invited to the White House?", "White House invites Braves", ""),
        ("Who led the visit of the Braves?", "White House invites Braves", "White House invites Braves"),
        ("How old is the White House?", "White House", "White House"),
    ],
    ids=["asks for the rest of the headline", "asks for something else", "a title that names a matter"],
)
def test_a_headline_that_the_question_tells_is_not_read(
    evidence_of: EvidenceOf, question: str, title: str, read_with: str
) -> None:
    reader = Told({"125,000": 3.0})
    read(question, [evidence_of(TEXT, title=title)], reader=reader)
    assert [one.title for one in reader.given] == [read_with]


def test_passages_that_answer_come_first_and_sentences_follow_them(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(f"Number {n} is here.", article=f"a{n}") for n in range(4)]
    reading = read("Which?", evidence, reader=Told({"2": 4.0, "0": 1.0, "3": -3.0, "1": -5.0}))
    moved, best = best_passages_first(reading, evidence, kept=3)
    assert [item.stored.passage.article_id for item in best] == ["a2", "a0", "a3"]
    assert [one.sentence.evidence for one in moved.sentences] == [0, 1, 2]
    assert [one.words for one in moved.sentences] == ["2", "0", "3"]
    scores = [item.score for item in best]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1 / (1 + math.exp(-4.0)))


def test_each_article_comes_once_before_any_comes_again_after_the_one_that_answers(evidence_of: EvidenceOf) -> None:
    articles = ("a", "a", "b", "c", "b")
    evidence = [evidence_of(f"Number {n} is here.", article=name) for n, name in enumerate(articles)]
    reading = read("Which?", evidence, reader=Told({"4": 4.0, "1": 1.0, "3": -2.0}))
    kept, shown = articles_in_turn(reading, evidence, kept=4, sure=True)
    assert shown == tuple(evidence[number] for number in (4, 0, 3, 1)), "the answer, then as they were found"
    assert [(one.words, one.sentence.evidence) for one in kept.sentences] == [("4", 0), ("1", 3), ("3", 2)]
    _, shown = articles_in_turn(reading, evidence, kept=4, sure=False)
    assert shown == tuple(evidence[number] for number in (0, 2, 3, 4)), "the best is kept, too"
    _, shown = articles_in_turn(msgspec.structs.replace(reading, sentences=()), evidence, kept=1, sure=True)
    assert shown == (evidence[0],)
    _, shown = articles_in_turn(reading, evidence, kept=2, sure=True)
    assert shown == tuple(evidence[number] for number in (4, 1)), "what else was found outweighs the place"
    kept, shown = articles_in_turn(reading, evidence, kept=2, sure=False)
    assert (shown, kept.sentences[0].words) == ((evidence[0], evidence[4]), "4"), (
        "the best is kept, and no more than that"
    )


def test_a_passage_in_which_nothing_was_found_keeps_its_place_at_the_end(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(text, article=text) for text in ("…", "Number 7.", "—")]
    _, best = best_passages_first(read("Which?", evidence, reader=Told({"7": -9.0})), evidence, kept=8)
    assert [item.stored.passage.article_id for item in best] == ["Number 7.", "…", "—"]


def test_a_question_in_the_text_answers_nothing(evidence_of: EvidenceOf) -> None:
    found = read("Who won?", [evidence_of("Did Ida win? Ida lost.")], reader=Told({"Ida win": 5.0, "Ida lost": 1.0}))
    assert [one.words for one in found.sentences] == ["Ida lost"]


def test_a_headline_yields_to_a_sentence_that_says_the_same(evidence_of: EvidenceOf) -> None:
    headline, text = "Ida Renn elected mayor", "The council elected Ida Renn on Monday."
    evidence = [evidence_of(headline, article="a0"), evidence_of(text, article="a1")]
    found = read("Who was elected?", evidence, reader=Told({"Ida Renn": 4.0}))
    assert found.sentences[0].sentence.text == text
    other = evidence_of("The council elected Tom Hale on Monday.", article="a1")
    kept = read("Who was elected?", [evidence[0], other], reader=Told({"Ida Renn": 4.0, "Tom Hale": 3.0}))
    assert kept.sentences[0].sentence.text == headline


def test_overlapping_passages_give_each_place_once(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(TEXT, span=(0, 71)), evidence_of(TEXT, span=(36, len(TEXT)))]
    found = read("How many?", evidence, reader=Told({"125,000": 2.0}))
    assert [one.words for one in found.sentences] == ["125,000"]


def test_how_sure_depends_on_rivals_and_the_length_of_the_answer(evidence_of: EvidenceOf) -> None:
    seen: list[Features] = []

    class Spying(Calibration, frozen=True, kw_only=True):
        def probability(self, features: Features) -> float:
            seen.append(features)
            return super().probability(features)

    calibration = Spying(reader="told", weights={"lead": 1.0}, bias=0.0, threshold=0.5, ranking={"logit": 1.0})
    texts = ["Ida Renn won in Kelmar.", "In Kelmar it was Renn, said Ida Renn.", "Tom Hale lost."]
    evidence = [evidence_of(text, article=f"a{number}") for number, text in enumerate(texts)]
    read("Who won in Kelmar and Torsby?", evidence, reader=Told({"Ida Renn": 3.0, "Tom Hale": 1.0}, calibration))
    (found,) = seen
    assert found == Features(logit=3.0, read=3.0, lead=2.0, words=2.0)


def test_where_a_sentence_is_the_answer_all_words_in_it_count(evidence_of: EvidenceOf) -> None:
    text = "Ida Renn said the roof leaks. Tom Hale laughed."
    reader = Told({"the roof": 1.0, "the roof leaks": 1.0, "Tom Hale": 1.0}, GENERAL)
    shares = []
    for question in ("What did Ida Renn say?", "What did Ida Renn mend?"):
        reading = read(question, [evidence_of(text)], reader=reader)
        best = reading.sentences[0]
        assert best.sentence.text == "Ida Renn said the roof leaks."
        shares.append(best.clues.share if best.clues else None)
    assert shares == pytest.approx([2 / 3, 1 / 3])


@pytest.mark.parametrize("text", ["", " \n ", "…"])
def test_evidence_without_words(evidence_of: EvidenceOf, text: str) -> None:
    found = read("Who?", [evidence_of(text)] if text else [], reader=OverlapReader())
    assert (found.sentences, found.probability) == ((), 0.0)


def test_reading_is_deterministic(evidence_of: EvidenceOf) -> None:
    evidence = [evidence_of(TEXT, article=name) for name in ("a1", "a2")]
    once, again = (read("Who advanced?", evidence, reader=OverlapReader()) for _ in range(2))
    assert once == again
    assert once.sentences[0].sentence.text == "The army advanced."


def test_passages_are_put_in_order_by_all_their_clues_and_sentences_by_the_reader(evidence_of: EvidenceOf) -> None:
    calibration = Calibration(reader="", weights={}, bias=0.0, threshold=0.5, ranking={"logit": 1.0, "sentence": 9.0})
    texts = ["It was red.", "The roof of the hall was blue. It was green, too."]
    evidence = [evidence_of(text, article=text) for text in texts]
    found = read(
        "What colour is the roof?", evidence, reader=Told({"red": 2.0, "blue": 1.0, "green": 0.5}, calibration)
    )
    assert [one.words for one in found.sentences] == ["blue", "green", "red"]
    assert [one.logit for one in found.sentences] == pytest.approx([1.0 + 4.5, 1.0 + 4.5 - 0.5, 2.0])
    better = read(
        "What colour is the roof?", evidence, reader=Told({"red": 2.0, "blue": 0.5, "green": 1.0}, calibration)
    )
    assert [one.words for one in better.sentences] == ["red", "green", "blue"]


def test_a_calibration_without_a_feature_leaves_it_out() -> None:
    plain = Calibration(reader="r", weights={"logit": 2.0}, bias=-1.0, threshold=0.5)
    assert plain.probability(Features(logit=0.5, lead=3.0)) == pytest.approx(0.5)
    lead = msgspec.structs.replace(plain, weights={"logit": 2.0, "lead": -1.0})
    assert lead.probability(Features(logit=0.5, lead=3.0)) == pytest.approx(1 / (1 + math.exp(3.0)))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who runs the airport?", "words"),
        ("When did the ferry sail?", "words"),
        ("How long was it shut?", "words"),
        ("What caused the fire?", "words"),
        ("Is it red or blue?", "words"),
        ("Which team won?", "words"),
        ("What was the result?", "words"),
        ("Which states voted against the bill?", "list"),
        ("Name the two towns that were flooded", "list"),
        ("Who were the victims?", "list"),
        ("Why was the bridge closed?", "sentence"),
        ("How did the fire start?", "sentence"),
        ("What did the mayor say about taxes?", "sentence"),
        ("What did the mayor deny?", "sentence"),
        ("What reason did the club give?", "sentence"),
        ("What did the mayor open?", "words"),
        ("What happened in Derna?", "sentence"),
        ("Did the senate pass the bill?", "decision"),
        ("Hasn't the bridge reopened?", "decision"),
    ],
)
def test_kinds_of_question(question: str, kind: Kind) -> None:
    assert kind_of(question) == kind


def test_words_of_the_wrong_type_are_passed_over_for_the_next_best(evidence_of: EvidenceOf) -> None:
    reader = Told({"a port": 3.0, "125,000": -1.0, "Rain": 1.0})
    found = read("How many people live in Derna?", [evidence_of(TEXT, title="Derna")], reader=reader)
    assert [one.words for one in found.sentences] == ["125,000"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many people died in the fire?", ["Three"]),
        ("How many people were driven from their homes?", ["1,900", "Three"]),
        ("How many houses were built after the captain died?", ["1,900", "Three"]),
    ],
)
def test_the_dead_are_counted_where_a_sentence_tells_of_them(
    question: str, words: list[str], evidence_of: EvidenceOf
) -> None:
    text = "The fire drove 1,900 people from home. It burned fast. Bodies lay in the valley. Three had fled too late."
    found = read(question, [evidence_of(text)], reader=Told({"1,900": 3.0, "Three": 1.0}))
    assert [one.words for one in found.sentences] == words


@pytest.mark.parametrize(
    ("question", "published", "words"),
    [
        ("When will the bridge open again?", "2024-06-04", ["October 2025"]),
        ("When did the bridge open?", "2024-06-04", ["August 12, 1961", "October 2025"]),
        ("When will the bridge open again?", None, ["August 12, 1961", "October 2025"]),
    ],
)
def test_what_will_be_is_not_answered_by_a_year_gone_by(
    question: str, published: str | None, words: list[str], evidence_of: EvidenceOf
) -> None:
    text = "The bridge was opened on August 12, 1961. Work is to end in October 2025."
    reader = Told({"August 12, 1961": 3.0, "August": 2.0, "October 2025": 1.0})
    found = read(question, [evidence_of(text, published_at=published)], reader=reader)
    assert [one.words for one in found.sentences] == words


def test_an_undated_article_is_taken_to_be_as_new_as_the_others_found(evidence_of: EvidenceOf) -> None:
    reader = Told({"August 12, 1961": 3.0})
    undated = evidence_of("The bridge was opened on August 12, 1961.")
    dated = evidence_of("The bridge is shut.", article="a2", published_at="2024-06-04")
    assert read("When will the bridge open again?", [undated], reader=reader).sentences
    assert not read("When will the bridge open again?", [undated, dated], reader=reader).sentences


def test_the_figure_of_a_name_counts_nothing(evidence_of: EvidenceOf) -> None:
    text = "The museum said 40 people work there. A guest fell ill with COVID-19."
    start = text.index("19")
    spans = {text[start : start + 2]: 5.0, "40": 1.0}
    found = read("How many people work for the museum?", [evidence_of(text)], reader=Told(spans))
    assert [one.words for one in found.sentences] == ["40"]


def test_a_figure_is_what_it_counts(evidence_of: EvidenceOf) -> None:
    text = "The stadium seats 22,000 people. It cost the town 90 million crowns."
    found = read("How much did the stadium cost?", [evidence_of(text)], reader=Told({"22,000": 5.0, "90": 1.0}))
    assert [one.words for one in found.sentences] == ["90"]
