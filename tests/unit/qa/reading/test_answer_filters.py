"""What answers another question than the one that was asked is left out; what answers it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from qa.reading import GENERAL, SentenceAt
from qa.reading.answer_filters import answers_another, filter_answers, with_unit
from qa.reading.answer_types import kind_of
from qa.reading.sentence_ranking import Reading, ReadSentence
from qa.types import Evidence


def read(text: str, words: str = "", *, logit: float = 2.0) -> ReadSentence:
    start = text.index(words)
    short = (start, start + len(words)) if words else None
    sentence = SentenceAt(text=text, start=0, end=len(text), evidence=0)
    return ReadSentence(sentence=sentence, logit=logit, short=short, short_logit=logit)


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("What is the variant called?", "(CNN) The variant of the year has arrived.", "(CNN)"),
        ("How old is Runa Vestby?", "Her sister Tora Vestby is 41, the club said.", "41"),
        ("Which towns are not connected to the grid?", "Velda and Orrin are connected to the grid.", "Velda"),
        ("Who did not vote for the budget?", "Nine members voted for the budget.", "Nine members"),
        ("Which pools are open during the strike?", "The pools of Velda are closed during the strike.", "Velda"),
        ("When was the opera house of Velda destroyed?", "The opera house of Velda was built in 1962.", "1962"),
        ("Who was acquitted of the fraud?", "Ivar Lund was convicted of the fraud.", "Ivar Lund"),
        ("How much did Kelmar donate to Orrin?", "Orrin donated 3 million crowns to Kelmar.", "3 million crowns"),
        ("Who beat Runa Vestby in the final?", "Runa Vestby beat Tora Lund in the final.", "Tora Lund"),
        ("Whom did Ivar Lund blame?", "Runa Vestby blamed the broker, Ivar Lund.", "Runa Vestby"),
        ("In which harbour does the ferry lie?", "The ferry has lain there since Tuesday.", "Tuesday"),
        ("How many kilometres is the new line?", "The new line takes 3 hours.", "3 hours"),
        ("How much was Ivar Lund fined?", "Ivar Roe was fined 300 crowns.", "300 crowns"),
        ("When did Ivar Lund resign?", "On Monday Lund said he was not going to resign.", "Monday"),
        ("Who beat Lund?", "Ivar Lund has beaten Runa Vestby.", "Ivar Lund"),
        ("Who leaked the draft?", "It was the draft written by Ivar Lund that was leaked in May.", "Ivar Lund"),
        ("How many goals did Vestby score?", "Tora Lund scored 33 goals for Orrin.", "33 goals"),
        ("How many years does Ivar Lund face?", "Roe faces six years.", "six years"),
        (
            "How much is Velda Board paying for Orrin Paper?",
            "Orrin Paper is paying 3 crowns for Velda Board.",
            "3 crowns",
        ),
        ("By how much did Orrin beat Velda?", "Orrin lost 3-1 to Velda.", "3-1"),
        ("By how much did exports of wheat rise?", "Exports of wheat fell by 12 percent.", "12 percent"),
        ("Which ferry is still running on Friday?", "Ferries to Velda are cancelled on Friday.", "Velda"),
        ("When will Ivar Lund be released?", "Lund is held unlawfully, a diplomat told the Post in May.", "May"),
        ("Who shot Ivar Lund?", "Former Prime Minister Ivar Lund was shot on Friday.", "Former Prime Minister"),
        ("Who shot Ivar Lund?", "Orrin’s former prime minister Ivar Lund was shot on Friday.", "Orrin"),
        ("Who won the final?", "Runa Vestby lifted the cup after beating Velda's Tora Lund in the final.", "Tora Lund"),
        ("Where is the brewery?", "London (AP) Workers of a brewery in Samlet may strike.", "London"),
        ("How old is Runa Vestby?", "The builder Ivar Vestby is 43.", "43"),
        ("Which pool is open until May?", "The pool of Velda stays closed until May.", "Velda"),
        ("Which town did not sign?", "Its mayor, Ivar Lund, did not sign.", "Ivar Lund"),
        ("Who is the president of Orrin?", "Leaders met with Orrin's Prime Minister Ivar Lund.", "Ivar Lund"),
        ("Which Orrin player was sent off?", "Velda's captain, Ivar Lund, was sent off.", "Ivar Lund"),
        ("How much did food prices rise?", "Consumer prices rose by 4 percent.", "4 percent"),
        ("Who beat Orrin?", "Samlet beat Velda 3-1.", "Samlet"),
        ("How much did Orrin Foods pay for Kelmar?", "Kelmar bought Orrin Foods for 3 million.", "3 million"),
        ("Whom did Orrin Paper buy?", "Velda Board has bought its rival Orrin Paper for 9 crowns.", "Velda Board"),
        ("Who voted against the tram?", "The council voted 14 to 9 to build the tram.", "The council"),
        ("Who won the vote in Orrin?", "Mayor Ivar Lund lost the vote in Orrin on Sunday.", "Mayor Ivar Lund"),
        ("Which team has won the cup?", "Velda was narrowly beaten in the final of the cup.", "Velda"),
        ("How many homes are without power?", "Power was restored to 4,000 homes.", "4,000"),
        ("Which team won the cup?", "Velda were beaten by Orrin in the final.", "Velda"),
        ("Who won the final?", "Tora Lund lost against Runa Vestby.", "Tora Lund"),
        ("Who won the vote?", "Ivar Lund lost to Runa Vestby, who won 52 percent.", "Ivar Lund"),
        ("How many members voted against it?", "Twelve members voted for it.", "Twelve"),
        ("Who lost the final?", "Runa Vestby clearly won the final on Monday.", "Runa Vestby"),
        ("When did Ivar Lund win the vote?", "Ivar Lund lost the vote on Sunday.", "Sunday"),
        ("Which pool of the old town is still closed?", "The pool of the town opened on Monday.", "pool"),
        ("Who resigned over the fine?", "Runa Vestby", "Runa Vestby"),
        ("Who resigned over the fine?", "By Runa Vestby", "Runa Vestby"),
        ("Where was the mayor arrested?", "VELDA CITY –", "VELDA CITY"),
        ("Who resigned over the fine?", "Velda:Ivar Lund resigns over the fine", "Ivar Lund"),
    ],
)
def test_another_question_is_answered(question: str, text: str, words: str) -> None:
    assert kind_of(question) in {"words", "list"}
    assert answers_another(question, read(text, words))


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("How old is Runa Vestby?", "Vestby is 43, the club said.", "43"),
        ("How old is Runa Vestby?", "Mayor Vestby is 43, the club said.", "43"),
        ("How old is Runa Vestby?", "Runa, who is 43, is the sister of Tora Vestby.", "43"),
        ("How old is Runa Vestby?", "Vestby, 43, lives here with her husband, the builder Ivar Vestby.", "43"),
        ("How old is Runa Vestby?", "At 43, the builder Vestby is the wife of Ivar Vestby.", "43"),
        ("When will the pool reopen?", "The pool stays closed until May at least.", "May"),
        ("How old is Rune Vestby?", "Runa Vestby is 43, the club said.", "43"),
        ("Which towns are not connected to the grid?", "Torsby is not connected to the grid.", "Torsby"),
        ("Who did not vote for the budget?", "Two members voted against the budget.", "Two members"),
        ("Which pools are open during the strike?", "The pool of Velda stays open, all others are closed.", "Velda"),
        ("Which pools are open during the strike?", "No pool of Velda is closed during the strike.", "Velda"),
        ("Who beat Runa Vestby in the final?", "Tora Lund beat Runa Vestby in the final.", "Tora Lund"),
        ("Who married Runa Vestby?", "Runa Vestby married Ivar Lund in May.", "Ivar Lund"),
        ("Whom did Ivar Lund blame?", "Ivar Lund blamed Runa Vestby.", "Runa Vestby"),
        ("Whom did Ivar Lund blame?", "Runa Vestby blamed Velda, said Ivar Lund.", "Velda"),
        ("Who did not vote for the budget?", "All members except Ivar Lund voted for the budget.", "Ivar Lund"),
        ("Whom did Velda Board buy?", "Velda Board has bought its rival Orrin Paper for 9 crowns.", "Orrin Paper"),
        ("How many homes are without power?", "A power cut left 900 homes without electricity.", "900"),
        ("How many homes are without power?", "Power was out in 900 homes on Monday.", "900"),
        ("How many homes are without gas?", "Gas for 900 homes was cut on Monday.", "900"),
        ("How many homes are without power?", "Power is back in 4,000 homes; 900 still have none.", "900"),
        ("Which teams are without a win?", "Orrin have yet to win this season.", "Orrin"),
        ("Which homes have no power?", "The mill, built without a permit, has no power.", "The mill"),
        ("Who voted against the tram?", "The Greens voted no because of the trees.", "The Greens"),
        ("Who won the vote in Orrin?", "Ivar Lund lost the vote in Orrin to Runa Vestby.", "Runa Vestby"),
        ("How many members voted against the bill?", "The bill passed by 312 votes to 204.", "204"),
        ("How many members voted against the tram?", "The council voted 14 to 9 to build the tram.", "9"),
        ("Who voted against the tram?", "The Greens voted to block the tram.", "The Greens"),
        ("Who voted against the tram?", "Only Ivar Lund did not vote for the tram.", "Ivar Lund"),
        ("Who voted against the tram?", "Ivar Lund broke ranks in the vote.", "Ivar Lund"),
        ("Who won the final?", "Runa Vestby lost the first set but beat Tora Lund 3-6 6-2 6-3.", "Runa Vestby"),
        ("Who won the match?", "Orrin conceded after a minute but won 3-1.", "Orrin"),
        ("Who won the league?", "Orrin lost just two games all season to take the league.", "Orrin"),
        ("Which team won the match?", "Orrin lost 4 players and still won 2-1.", "Orrin"),
        ("Who lost the final?", "Tora Lund won the first set, to lose 6-3 3-6 2-6.", "Tora Lund"),
        ("Who lost the vote?", "Ivar Lund won 45 percent, not enough to stay mayor.", "Ivar Lund"),
        ("Who lost the case?", "Velda Board won in the lower court and lost on appeal.", "Velda Board"),
        ("When did Ivar Lund win the seat?", "Lund lost the seat in 2016 and took it back in 2020.", "2020"),
        ("When did the polls close?", "The polls did not close until 8 p.m. on Sunday.", "8 p.m."),
        ("Who won the prize?", "Ivar Lund lost his father and won the prize in one year.", "Ivar Lund"),
        ("Who lost the final?", "Ivar Lund lost the final, which Runa Vestby won.", "Ivar Lund"),
        ("Who lost his house?", "Ivar Lund won the prize and lost his house.", "Ivar Lund"),
        ("When did Ivar Lund win the vote?", "Lund won the vote on Sunday, and Roe lost.", "Sunday"),
        ("When did Ivar Lund win the vote?", "He won it on Sunday.", "Sunday"),
        ("Did the pool close?", "The pool will open on Monday.", "Monday"),
        ("Why is the pool not open?", "The pool is open in summer only, the town said.", "summer"),
        ("How much did Kelmar donate to Orrin?", "Kelmar donated 3 million crowns to Orrin.", "3 million crowns"),
        (
            "How much did Kelmar donate to Orrin?",
            "To Orrin was donated by Kelmar, not to Velda: 3 million crowns.",
            "3 million crowns",
        ),
        ("On which day does the ferry sail?", "The ferry sails again on Tuesday.", "Tuesday"),
        ("Who rules in May?", "Theresa May rules.", "Theresa May"),
        ("How many kilometres is the new line?", "The new line is 40 miles long.", "40 miles"),
        ("How many pounds of cod were landed?", "Some 40 tonnes of cod were landed.", "40 tonnes"),
        ("How many degrees Fahrenheit was it?", "It was 31 degrees Celsius on Monday.", "31 degrees Celsius"),
        ("How many barrels were sold?", "It sold 3.5m barrels in May.", "3.5m barrels"),
        ("When did Ivar Lund resign?", "Lund resigned on Monday; Vestby did not resign.", "Monday"),
        ("When did Ivar Lund not resign?", "On Monday Lund said he was not going to resign.", "Monday"),
        ("Who painted it green?", "It was painted green by Ivar Lund in May.", "Ivar Lund"),
        ("Who leaked the draft?", "The draft was leaked by Ivar Lund, who had written it.", "Ivar Lund"),
        ("How many years does Ivar Lund face?", "He faces six years.", "six years"),
        ("By how much did exports rise or fall?", "Exports fell by 12 percent.", "12 percent"),
        ("How many people live in New Velda?", "New Orrin is north of Velda, with 3,000 people.", "3,000"),
        ("By how much did Orrin beat Velda?", "Orrin beat Velda 3-1 after it lost 2-0 in May.", "3-1"),
        ("When did a diplomat speak of Ivar Lund?", "Lund is held unlawfully, a diplomat told the Post in May.", "May"),
        ("When will Ivar Lund be released?", "Lund will be released in May, a diplomat said.", "May"),
        ("Who is Ivar Lund?", "Former Prime Minister Ivar Lund was shot on Friday.", "Former Prime Minister"),
        ("Who shot Ivar Lund?", "A colonel, Runa Vestby, shot Prime Minister Ivar Lund.", "A colonel, Runa Vestby"),
        ("Who won the final?", "Runa Vestby lifted the cup after beating Tora Lund in the final.", "Runa Vestby"),
        ("Where is the brewery?", "London (AP) Workers of a brewery in Samlet may strike.", "Samlet"),
        ("Which town did not sign?", "Its neighbour, the port of Samlet, did not sign.", "Samlet"),
        ("Which Orrin player was sent off?", "Orrin lost when Velda's captain, Ivar Lund, had to go.", "Ivar Lund"),
        ("Which Orrin player was sent off?", "Orrin's captain, Ivar Lund, was sent off.", "Ivar Lund"),
        ("How much did food prices rise?", "Food prices rose by 4 percent, consumer prices by 3.", "4 percent"),
        ("How much did food prices rise?", "What people eat rose by 4 percent.", "4 percent"),
        ("Who beat Orrin?", "Velda beat them 3-1.", "Velda"),
        ("Who is the president of Orrin?", "Leaders met with Orrin's President Ivar Lund.", "Ivar Lund"),
        ("Who is the president of Orrin?", "Once prime minister, Ivar Lund is president of Orrin.", "Ivar Lund"),
        ("Who beat Orrin?", "Velda beat Orrin 3-1.", "Velda"),
        ("How much did Kelmar pay for Orrin Foods?", "Kelmar bought Orrin Foods for 3 million.", "3 million"),
        ("Why did Kelmar sue the town?", "Kelmar sued the town because of the fee.", "because of the fee"),
        ("Who is the lawyer of Ivar Lund?", "His lawyer, Runa Vestby, will appeal.", "Runa Vestby"),
        ("Who resigned over the fine?", "Mayor Ivar Lund resigns over the fine", "Mayor Ivar Lund"),
        ("Who is the mayor of Velda?", "Mayor: Ivar Lund", "Ivar Lund"),
        ("What was the score of the final?", "Orrin 23, Velda 20", "Orrin 23, Velda 20"),
        ("Which songs are on the album?", "Cold Water", "Cold Water"),
    ],
)
def test_the_question_itself_is_answered(question: str, text: str, words: str) -> None:
    assert not answers_another(question, read(text, words))


def test_no_reason_is_given_for_what_was_done_to_whoever_is_asked_about() -> None:
    glad = read("The town, which had sued Kelmar, was glad.", "was glad")
    assert answers_another("Why did Kelmar sue the town?", glad)
    assert not answers_another("Why did the town sue Kelmar?", glad)
    sued = read("Ada Roe sued the shipping line Kelmar over its rope.", "over its rope")
    assert answers_another("Why did Kelmar sue Ada Roe?", sued)
    fired = read("The Kelmar Opera dismissed conductor Ada Roe after a quarrel.", "after a quarrel")
    assert answers_another("Why did Ada Roe dismiss the Kelmar Opera?", fired)
    assert not answers_another("Why did the Kelmar Opera dismiss Ada Roe?", fired)
    accused = read("Governor Ada Roe accused the bank of hiding losses.", "hiding losses")
    assert answers_another("What did the bank accuse Ada Roe of?", accused)
    assert not answers_another("What did Ada Roe accuse the bank of?", accused)
    offered = read("Ada Roe was offered the board's seat and pay of 9 crowns.", "9 crowns")
    assert not answers_another("How much did the board offer Ada Roe?", offered)


@pytest.mark.parametrize(
    ("question", "text", "words", "shown"),
    [
        ("Who lost the final?", "Ivar Lund beat Runa Vestby on Sunday.", "Ivar Lund", "Runa Vestby"),
        ("Who won the final?", "Runa Vestby lost the final to Ivar Lund.", "Runa Vestby", "Ivar Lund"),
        ("Who won the final?", "Runa Vestby was beaten by Ivar Lund.", "Runa Vestby", "Ivar Lund"),
        ("Who won the final?", "Ivar Lund beat Runa Vestby on Sunday.", "Ivar Lund", "Ivar Lund"),
    ],
)
def test_who_lost_is_the_other_one(
    question: str, text: str, words: str, shown: str, evidence_of: Callable[..., Evidence]
) -> None:
    reading = Reading(sentences=(read(text, words),), probability=0.9)
    found = filter_answers(
        question,
        reading,
        [evidence_of(text)],
        calibration=GENERAL,
        again=lambda _: Reading(sentences=(), probability=0),
    )
    assert [one.words for one in found.sentences] == [shown]


def test_his_lawyer_is_that_of_the_one_before() -> None:
    one = read("His lawyer, Runa Vestby, will appeal.", "Runa Vestby")
    told = msgspec.structs.replace(one.sentence, before="Otto Lund, 51, showed no emotion.")
    leaning = msgspec.structs.replace(one, sentence=told)
    assert answers_another("Who is Ivar Lund's lawyer?", leaning)
    assert not answers_another("Who is Otto Lund's lawyer?", leaning)


def test_a_figure_keeps_its_unit_where_another_was_asked() -> None:
    found = read("The lake covers 900 hectares.", "900")
    assert with_unit("How many acres does the lake cover?", found).words == "900 hectares"
    assert with_unit("How many hectares does the lake cover?", found).words == "900"
    assert with_unit("How large is the lake?", found).words == "900"
    heavy = read("The pumpkin weighed 410 kilograms.", "410")
    assert with_unit("How many pounds did the pumpkin weigh?", heavy).words == "410 kilograms"
    assert not answers_another("How many pounds did the pumpkin weigh?", with_unit("", heavy))


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("The fire drove out almost 500 people.", "500 people", "almost 500 people"),
        ("It was opened by former minister Ivar Lund.", "minister Ivar Lund", "former minister Ivar Lund"),
        ("Up to 500 people fled.", "500 people", "Up to 500 people"),
        ("It moved over 500 people.", "people", "people"),
    ],
)
def test_a_hedge_is_not_cut_off(text: str, words: str, shown: str) -> None:
    assert with_unit("How many fled?", read(text, words)).words == shown


def never(_: Sequence[Evidence]) -> Reading:
    raise AssertionError("nothing is read again")


def test_of_a_list_no_word_outside_it_is_the_short_answer(evidence_of: Callable[..., Evidence]) -> None:
    text = "Four towns founded the league in Skerra: Velda, Orrin, Torsby and Nordal."
    for words, left in (("Skerra", ""), ("Velda, Orrin", "Velda, Orrin")):
        found = Reading(sentences=(read(text, words),), probability=0.8, kind="list")
        asked = "Which towns founded the league?"
        fit = filter_answers(asked, found, [evidence_of(text)], calibration=GENERAL, again=never)
        assert (fit.sentences[0].words, fit.probability) == (left, 0.8)


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("How many goals did Runa Vestby score?", "Tora Lund scored 33 goals for Orrin.", False),
        ("How many goals did Runa Vestby score?", "Vestby scored 33 goals for Orrin.", True),
        ("How many boats has the Velda Yacht Club?", "The VYC has 33 boats.", True),
        ("How many Bretonia Glassworks are left?", "The Breton works lost 33 men.", True),
        ("How many goals did Vestby score?", "She scored 33 goals for Orrin.", False),
        ("How many goals did Vestby score?", "Vesby scored 33 goals for Orrin.", True),
        ("How many goals did the Vestbian score?", "She scored 33 goals for Vestby.", True),
        ("Who runs Paris?", "Ivar Harris runs 33 towns, in comparison.", False),
        ("How many goals did WFK score?", "She scored 33 goals for Orrin.", True),
        ("How much was Ivar Quill fined?", "Ivar Lund was fined 33 crowns.", False),
        ("How much was Ivar Quill fined?", "Ivar Quil was fined 33 crowns.", True),
        ("How many points did the Federal Reserve add?", "The Fed added 33 points, the Federal board said.", True),
        ("Wie viele Tore schoss Runa Vestby für den Verein?", "Tora Lund scored 33 goals for Orrin.", True),
    ],
)
def test_an_article_without_whom_the_question_names_does_not_answer(
    question: str, text: str, told: bool, evidence_of: Callable[..., Evidence]
) -> None:
    found = Reading(sentences=(read(text, "33" if "33" in text else text),), probability=0.8)
    fit = filter_answers(question, found, [evidence_of(text)], calibration=GENERAL, again=never)
    assert bool(fit.sentences) is told
    assert fit.probability == (0.8 if told else 0.0)


def test_a_single_name_may_stand_in_another_article(evidence_of: Callable[..., Evidence]) -> None:
    """One article calls her Vestby, another only "she": that nothing found has the name is what counts."""
    text = "She scored 33 goals for Orrin."
    found = Reading(sentences=(read(text, "33"),), probability=0.8)
    beside = [evidence_of(text), evidence_of("Vestby plays for Orrin.")]
    fit = filter_answers("How many goals did Vestby score?", found, beside, calibration=GENERAL, again=never)
    assert fit.probability == 0.8


def test_a_passage_is_read_again_without_what_was_struck(evidence_of: Callable[..., Evidence]) -> None:
    text = "Tora Vestby is 41. Runa Vestby is 43."
    best, evidence = read("Tora Vestby is 41.", "41"), [evidence_of(text)]
    given: list[Evidence] = []

    def again(items: Sequence[Evidence]) -> Reading:
        given.extend(items)
        sentence = SentenceAt(text="Runa Vestby is 43.", start=19, end=37, evidence=0)
        found = ReadSentence(sentence=sentence, logit=-1.0, short=(15, 17), short_logit=1.0)
        return Reading(sentences=(found,), probability=0.1, passages=1)

    reading = Reading(sentences=(best,), probability=0.9, passages=1)
    fit = filter_answers("How old is Runa Vestby?", reading, evidence, calibration=GENERAL, again=again)
    assert [item.stored.passage.text for item in given] == [" " * 18 + " Runa Vestby is 43."]
    assert [one.words for one in fit.sentences] == ["43"]
    assert fit.passages == 2
    assert fit.probability == pytest.approx(0.269, abs=0.001)
    nothing = filter_answers(
        "How old is Runa Vestby?", reading, evidence, calibration=GENERAL,
        again=lambda _: Reading(sentences=(), probability=0.0),
    )  # fmt: skip
    assert (nothing.sentences, nothing.probability) == ((), 0.0)
