"""Declining: a model says that the sources do not answer; a source says that somebody did not."""

from __future__ import annotations

import pytest

from qa.generation.refusals import declines


@pytest.mark.parametrize(
    "sentence",
    [
        "NOT IN THE SOURCES",
        "Answer: Not in the sources.",
        "It is not in the sources.",
        "The provided sources do not mention his age.",
        "The sources do not say why [S1].",
        "The source [S2] does not mention the cost.",
        "The articles don’t say who paid for it.",
        "These passages do not explicitly state the date.",
        "The text does not specify how many people were on board.",
        "The context doesn't contain the answer.",
        "The sources provided did not give a date.",
        "The given information does not include the name of the captain.",
        "The articles contain no information about the price.",
        "These sentences do not say who paid.",
        "The sources say nothing about the crew.",
        "None of the sources mentions a cause.",
        "No source states when the bridge will open.",
        "The ferry sank on Tuesday, but the sources do not say why.",
        "Based on the sources, the articles do not indicate who won.",
        "There is no information about the cost in the articles.",
        "There is no information on who owns the ship.",
        "There is not enough information to answer the question.",
        "There is no mention of the captain's name.",
        "According to the sources, there is no information about the owner.",
        "No information is provided about the number of passengers.",
        "Insufficient information.",
        "Not mentioned.",
        "The cost is not mentioned in the sources.",
        "The name of the captain is not explicitly given in the provided text.",
        "This cannot be determined from the sources.",
        "It is not possible to answer this question from the given passages.",
        "The question cannot be answered.",
        "The answer to this question is not stated.",
        "I cannot answer this question.",
        "I'm sorry, but I can't help with that request.",
        "I don't have enough information.",
        "Unfortunately, I could not find it.",
        "Sorry, that is not known.",
    ],
)
def test_the_sources_or_the_model_have_nothing_to_say(sentence: str) -> None:
    assert declines(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Police gave no details of the suspects.",
        "The ministry did not say how many were hurt.",
        "The ministry did not say who was to blame.",
        "The information ministry did not say how many were hurt.",
        "Police have not given a cause.",
        "No bodies were found in the wreck.",
        "The report does not name the captain.",
        "Officials would not provide details of the plan.",
        "The company released no information about the crash.",
        "There was no immediate information on casualties.",
        "There was no information about the whereabouts of the crew.",
        "There is no information on the whereabouts of the crew, the coast guard said.",
        "Officials said there is no evidence of foul play.",
        "There is no indication yet that the dam was damaged.",
        "According to the coroner, there is no evidence of a struggle.",
        "No details were given of the talks.",
        "No evidence was found at the scene.",
        "The source did not name the victim.",
        "The sources did not say where the attack took place.",
        "Two sources close to the talks did not give a date.",
        "The document does not mention a ceasefire.",
        "The evidence does not support the charge, the judge ruled.",
        "The text of the treaty does not mention borders.",
        "Lawyers said the text does not mention damages.",
        "The magazine said its article did not name the woman.",
        "His name was not included in the list of the dead.",
        "The weapon was not mentioned in the documents released by the court.",
        "The passage through the strait is not open to tankers.",
        "The minister did not answer questions about the contract.",
        "The airline provided no explanation for the delay.",
        "Investigators do not have enough information to name a cause.",
        "The question of who pays is not settled.",
        "The cause of the fire was not immediately known.",
        "It is not possible to reach the village by road.",
        '"I cannot say more," the captain told reporters.',
        "The article of the constitution on free speech was not changed.",
        "Unknown attackers shot the mayor.",
        "The sentences do not include parole.",
        "The city draws its water from sources that do not dry up.",
    ],
)
def test_what_a_source_says_was_not_said_is_a_fact(sentence: str) -> None:
    assert not declines(sentence)
