import pytest

from qa.reading.sentence_filters import is_another_in_turn, is_of_a_part, is_of_another_tense, is_the_value_before


@pytest.mark.parametrize(
    ("question", "text", "another"),
    [
        ("When did the pool open?", "It will open again on <May 3>.", True),
        ("When did the pool open?", "It opened on <May 3> and will stay open.", False),
        ("When did the pool open?", "The town will pay; it opened on <May 3>.", False),
        ("When did Velda buy Orrin?", "The court has until <May 3> to object.", True),
        ("When was the pool due to open?", "It will open on <May 3>.", False),
        ("When will the pool reopen?", "The bath opened its doors again on <Monday>.", True),
        ("When will the pool reopen?", "The bath, opened in May, will reopen on <Monday>.", False),
        ("When will the pool reopen?", "It reopens on <Monday>.", False),
        ("When was Leo Varn re-elected?", "Varn has been president since <2021>.", True),
        ("When did Leo Varn become president?", "Varn has been president since <2021>.", False),
        ("When was Leo Varn re-elected?", "Varn was chosen again in <2021>.", False),
    ],
)
def test_what_is_past_and_what_is_to_come(question: str, text: str, another: bool) -> None:
    plain = text.replace("<", "").replace(">", "")
    assert is_of_another_tense(question, plain, text.index("<")) is another


@pytest.mark.parametrize(
    ("question", "text", "another"),
    [
        ("How many doses are needed in the second year?", "Three doses are needed in the first year.", True),
        ("How many doses are needed in the first year?", "Three doses are needed in the first year.", False),
        ("How many in the second year?", "Three in the first year, one in the second year.", False),
        ("How many in the 2nd year?", "One in the second year.", False),
        ("How many doses in the second year?", "The first patients got three doses.", False),
        ("Who came second in the race?", "Ada Roe won the race on Sunday.", True),
        ("Who came second in the race?", "Ada Roe won the race ahead of Ida Gant.", False),
        ("Who finished second in the race?", "Second was Ida Gant.", False),
    ],
)
def test_which_one_in_turn(question: str, text: str, another: bool) -> None:
    assert is_another_in_turn(question, text) is another


@pytest.mark.parametrize(
    ("question", "text", "of_a_part"),
    [
        ("Who won the election?", "Ada Roe won the first round on Sunday.", True),
        ("Who won the first round?", "Ada Roe won the first round on Sunday.", False),
        ("Who won the match?", "Ada Roe won the first set and the match.", False),
        ("Who won the election?", "Ada Roe won the election on Sunday.", False),
        ("Who spoke on Sunday?", "Ada Roe won the first round on Sunday.", False),
    ],
)
def test_who_won_a_part(question: str, text: str, of_a_part: bool) -> None:
    assert is_of_a_part(question, text, len("Ada Roe")) is of_a_part


@pytest.mark.parametrize(
    ("question", "text", "before"),
    [
        ("How many were hurt?", "Police lowered the number from <31> to 23.", True),
        ("How many were hurt?", "Police lowered the number from 31 to <23>.", False),
        ("To what level did it rise?", "It was raised to 4 percent from the <3.5 percent> of May.", True),
        ("How many were hurt at first?", "Police lowered the number from <31> to 23.", False),
        ("How many came from Velda?", "Of those hurt, from <31> came letters.", False),
        ("By how much did it rise?", "It was raised from <3> to 4 percent.", False),
    ],
)
def test_a_figure_and_the_one_before(question: str, text: str, before: bool) -> None:
    plain = text.replace("<", "").replace(">", "")
    assert is_the_value_before(question, plain, text.index("<")) is before
