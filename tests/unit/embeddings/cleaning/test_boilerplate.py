"""Each boilerplate rule hits what it is for and spares what looks like it."""

from __future__ import annotations

import pytest

from embeddings.cleaning.boilerplate import MAX_BOILERPLATE, drop_boilerplate, drop_repeats


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("control", "TT"),
        ("control", "Share this article"),
        ("control", "A- A+"),
        ("control", "SKIP TO MAIN CONTENT"),
        ("more-link", "Read More"),
        ("more-link", "► Read the full story here."),
        ("advertisement", "ADVERTISEMENT - CONTINUE READING BELOW"),
        ("advertisement", "Story continues below."),
        ("reading-time", "3 min read"),
        ("reading-time", "Estimated reading time: 12 minutes"),
        ("player", "Video Ad Feedback See how the river rose 02:17 - Source: CNN"),
        ("player", "JUST WATCHED How the river rose Replay More Videos ... MUST WATCH How the river rose 01:45"),
        ("player", "JUST WATCHED"),
        ("player", "Replay More Videos ..."),
        ("dateline", "CNN —"),
        ("dateline", "(Reuters) -"),
        ("divider", "* * *"),
        ("divider", "________"),
        ("sign-up", "Sign up for our free weekly newsletter and never miss a story."),
        ("sign-up", "The news in your inbox: Subscribe here"),
        ("sign-up", "Would you like to receive our daily newsletter?"),
        ("follow", "Follow us on Facebook and Twitter."),
        ("follow", "Follow Ann Lee @annlee."),
        ("consent", "By signing up you agree to our terms of use and privacy policy."),
        ("consent", "We use cookies to improve your visit."),
        ("rights", "© 2024 The Example. All rights reserved."),
        ("rights", "Copyright 2024 Example Press."),
    ],
)
def test_a_crumb_is_dropped_whole_and_named(rule: str, line: str) -> None:
    kept, dropped = drop_boilerplate(["It rained.", "", line, "", "It stopped."])
    assert kept == ["It rained.", "", "", "It stopped."]
    assert [(boilerplate.rule, boilerplate.line) for boilerplate in dropped] == [(rule, line)]


@pytest.mark.parametrize(
    "line",
    [
        "TT races begin on Monday",
        "Just watched the replay of a film you must watch",
        "JUST WATCHED the replay of the final, he wrote.",
        "MUST WATCH: the film of the week",
        "Share prices fell",
        "share",
        "“Share”",
        "Advertisement revenue fell by 3%.",
        "Read more: Mayor resigns over dam",
        "Related: Dam fails",
        "It takes 3 minutes to read this.",
        "London CNN —",
        "—and then it rained",
        "1,200",
        "He urged readers to subscribe to his newsletter.",
        "Borrowers can sign up for alerts at the bank.",
        "Follow-up talks on Facebook's future begin",
        "Follow the money: how Facebook pays",
        "Followers of the prophet met.",
        "By signing the accord both sides agree to withdraw.",
        "By providing weapons the state would accept risks.",
        "We will use the money for schools.",
        "Copyright law was changed in 1976.",
        "This story has been updated with additional details.",
        "Contact Ann Lee at ann@example.com.",
        "9:55 p.m.",
        "Facebook",
        "20",
        "Sign up for the newsletter. " + "It rained for days in the valley. " * 13,
    ],
)
def test_what_only_looks_like_a_crumb_stays(line: str) -> None:
    assert drop_boilerplate(["It rained.", "", line, "", "It stopped."])[1] == []


def test_a_line_longer_than_the_limit_is_never_looked_at() -> None:
    line = "Sign up for our newsletter. " * 20
    assert len(line) > MAX_BOILERPLATE
    assert drop_boilerplate([line])[1] == []
    assert len(drop_boilerplate([line[:MAX_BOILERPLATE]])[1]) == 1


def test_numbers_go_only_right_after_a_font_size_control() -> None:
    assert drop_boilerplate(["TT", "", "20", "20", "Share", "20"])[0] == ["", "20", "20"]
    for no_size in ("2024", "5", "73", "1.", "٢٠"):
        assert drop_boilerplate(["TT", no_size])[0] == [no_size]


def test_buttons_go_only_beside_a_control() -> None:
    assert drop_boilerplate(["Print", "Email", "Share", "Facebook", "X", "It rained.", "Email"])[0] == [
        "It rained.",
        "Email",
    ]


CAPTION = "Residents cross the flooded square in boats on Monday."


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([CAPTION, "", CAPTION, "It rained."], [CAPTION, "It rained."]),
        ([CAPTION, "It rained.", CAPTION], [CAPTION, "It rained.", CAPTION]),
        (["A man. (AP)", "It rained.", "A man. (AP)"], ["A man. (AP)", "It rained."]),
        (["Rain Stops", "It rained.", "rain stops."], ["It rained."]),
        (["“Rain stops”", "It rained."], ["“Rain stops”", "It rained."]),
        (["Rain Stops | The Example", "It rained."], ["It rained."]),
        (["By Ann Lee", "Rain stops", "By Ann Lee", "It rained."], ["By Ann Lee", "It rained."]),
        (["It was so.", "It was so.", "It was so."], ["It was so.", "It was so.", "It was so."]),
        ([f'He said: "{CAPTION}"'] * 2, [f'He said: "{CAPTION}"'] * 2),
    ],
)
def test_headline_and_captions_stay_once(lines: list[str], kept: list[str]) -> None:
    assert [line for line in drop_repeats(lines, title="Rain stops")[0] if line] == kept
