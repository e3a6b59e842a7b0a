from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from embeddings.near_duplicates import contradict, overlapping, same_story, signature, similarity

WORDS = (
    "harbour crews storm ferry minister said Monday bridge repair winter council budget water hospital school road "
    "police fire rescue boats island village fuel price market train strike union talks court judge ruling appeal"
).split()


def story(seed: int, *, words: int = 400) -> str:
    """A text of random words in paragraphs: shares no run of three words with another seed but by chance."""
    chance = random.Random(seed)
    vocabulary = [f"{word}{chance.randrange(40)}" for word in WORDS for _ in range(20)]
    text = [chance.choice(vocabulary) for _ in range(words)]
    return "\n\n".join(" ".join(text[i : i + 40]) + "." for i in range(0, words, 40))


def replaced(text: str, share: float) -> str:
    chance = random.Random(7)
    return re.sub(r"\w+", lambda found: "changed" if chance.random() < share else found[0], text)


def cut(text: str, share: float) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(paragraphs[: round(len(paragraphs) * share)])


EDITS: dict[str, Callable[[str], str]] = {
    "same": lambda text: text,
    "case, punctuation, layout": lambda text: text.upper().replace(".", " ;").replace("\n\n", " "),
    "1 % of the words replaced": lambda text: replaced(text, 0.01),
    "2 % of the words replaced": lambda text: replaced(text, 0.02),
    "new first paragraph": lambda text: "\n\n".join(["The agency reports from the capital.", *text.split("\n\n")[1:]]),
    "agency line added": lambda text: (
        f"{text}\n\n(Reporting by A. Khan in Cairo; editing by P. Ross. All rights reserved.)"
    ),
    "first half only": lambda text: cut(text, 0.5),
    "first 40 % only": lambda text: cut(text, 0.4),
}


@pytest.mark.parametrize("name", EDITS)
def test_near_copies_are_one_story(name: str) -> None:
    missed = [seed for seed in range(20) if not same_story(signature(story(seed)), signature(EDITS[name](story(seed))))]
    assert len(missed) <= (2 if "only" in name else 0)  # how much of one text is in another is estimated more roughly


OTHERS: dict[str, Callable[[str, str], str]] = {
    "a ticker that keeps 80 %": lambda text, other: cut(text, 0.8) + "\n\n" + cut(other, 0.2),
    "only its first tenth": lambda text, _: cut(text, 0.1),
    "a third rewritten": lambda text, other: cut(text, 0.7) + "\n\n" + cut(other, 0.3),
    "a fifth of it quoted elsewhere": lambda text, other: cut(text, 0.2) + "\n\n" + other,
    "8 % of the words replaced, and more": lambda text, other: replaced(text, 0.08) + cut(other, 0.1),
    "another text": lambda _, other: other,
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_texts_are_not(name: str) -> None:
    pairs = [(story(seed), OTHERS[name](story(seed), story(seed + 100))) for seed in range(20)]
    assert [one for one, two in pairs if same_story(signature(one), signature(two))] == []


def test_similarity_estimates_jaccard() -> None:
    one = story(1)
    for share in (0.02, 0.05, 0.1, 0.3):
        two = replaced(one, share)
        assert similarity(signature(one), signature(two)) == pytest.approx(jaccard(one, two), abs=0.09)
    assert similarity(signature(one), signature(one)) == 1.0
    assert similarity(signature(one), signature(story(2))) < 0.05


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return set(zip(words, words[1:], words[2:], strict=False))


def jaccard(one: str, two: str) -> float:
    return len(runs(one) & runs(two)) / len(runs(one) | runs(two))


def test_short_texts_are_not_found_inside_others() -> None:
    line = "Photos from the week in the harbour district by our staff."
    assert not same_story(signature(line), signature(line + " A dozen other words follow here to fill the notice up."))
    assert same_story(signature(line), signature(line))


@pytest.mark.parametrize("text", ["", "one", "one two", "。。。", "👩‍👩‍👧"])
def test_any_text_has_a_signature(text: str) -> None:
    assert len(signature(text)) == (523 if "two" in text else 517)
    assert same_story(signature(text), signature(text))


def test_chinese_is_compared_by_character() -> None:
    text = "市长星期一说洪水已经退去学校将于周三重新开放居民可以回家医院昨天恢复了供电道路仍然封闭" * 2
    assert similarity(signature(text), signature(text.replace("星期一", "星期二"))) > 0.8


def test_overlaps_of_many_at_once_are_those_of_each_pair() -> None:
    words = [f"word{number}" for number in range(120)]
    texts = [" ".join(words[first:] + ["other"] * first) for first in range(0, 120, 8)]
    signed = [signature(text) for text in texts]
    unreadable = [b"", signed[0][:200], b"\x02" + signed[0][1:]]
    some, others = signed[::2] + unreadable, unreadable + signed
    expected = [[similarity(one, other) >= 0.25 for other in others] for one in some]
    assert overlapping(some, others).tolist() == expected
    assert overlapping([], others).shape == (0, len(others))
    assert 20 < sum(map(sum, expected)) < len(some) * len(others) - 80


def test_signatures_of_other_versions_resemble_nothing() -> None:
    mine = signature(story(1))
    assert similarity(mine, b"\x02" + mine[1:]) == 0.0
    assert similarity(b"\x02" + mine[1:], b"\x02" + mine[1:]) == 0.0
    assert similarity(mine, mine[:515]) == similarity(mine, b"") == similarity(b"", b"") == 0.0


def test_stored_signatures_stay_comparable() -> None:
    """Fails when rensa or the way of shingling changes: then raise the version in `near_duplicates`."""
    assert (
        hashlib.sha256(signature("The ferry left at noon. Nobody was on board.")).hexdigest()[:16] == "e923cc3d5d5620a2"
    )
    assert signature("It left 12,000 homes dark on 3 days.")[517:].hex() == "1c716a906b83ba19397b6e68"
    assert signature("It left Lena Moor dark.")[517:].hex() == "ffffffffffff0bcaa03f01b40bca7ea9c8c7"


def test_real_articles_taken_for_one_story_share_their_words(shared: Path) -> None:
    with gzip.open(shared / "data/realtimeqa/articles-small.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))[:500]
    signatures = [signature(text) for text in texts]
    slots = np.array([np.frombuffer(one, "<u2", 256, offset=5) for one in signatures])
    # What shares next to nothing, as most of 124,750 pairs do, need not be looked at one by one.
    near = [(a, a + 1 + b) for a in range(len(texts)) for b in np.flatnonzero((slots[a + 1 :] == slots[a]).sum(1) >= 5)]
    assert len(near) > 100
    found = [(a, b) for a, b in near if same_story(signatures[a], signatures[b])]
    for a, b in found:
        shared = len(runs(texts[a]) & runs(texts[b])) / min(len(runs(texts[a])), len(runs(texts[b])))
        assert shared > 0.85, (texts[a][:100], texts[b][:100])
    assert len(found) < 10


REPORT = (
    "Voltnett said on Monday that a fire in a substation left {} homes without power for six hours. The cause was a "
    "worn cable. Repairs will take until March, the company said. Customers may claim 200 crowns each. The regulator "
    "has opened an inquiry into the age of the cables, most of which were laid before 1960."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REPORT.format("12,000"), REPORT.format("21,000")),
        (REPORT.format("12,000"), REPORT.format("12,500")),
        (REPORT.format("nine"), REPORT.format("eleven")),
        (REPORT.format("sixty"), REPORT.format("90")),
        (REPORT.format("sixty-five"), REPORT.format("sixty-six")),
        (REPORT.format("Twenty one"), REPORT.format("22")),
        (REPORT.format("two hundred"), REPORT.format("three hundred")),
        (REPORT.format("twelve thousand"), REPORT.format("21,000")),
        (REPORT.format("a hundred"), REPORT.format("a thousand")),
        (REPORT.format("many"), REPORT.format("many").replace("Monday", "Thursday")),
        (REPORT.format("many"), REPORT.format("many").replace("March", "August")),
        (REPORT.format("1.2 million"), REPORT.format("1.3 million")),
        (REPORT.format("many").replace("200 crowns", "£5m"), REPORT.format("many").replace("200 crowns", "£6m")),
        (REPORT.format("12,000"), story(3) + " " + REPORT.format("21,000").replace("Voltnett", "The operator") * 3),
    ],
)
def test_a_copy_with_another_figure_is_another_story(one: str, other: str) -> None:
    assert contradict(signature(one), signature(other))
    assert not same_story(signature(one), signature(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REPORT.format("12,000"), REPORT.format("12 000")),
        (REPORT.format("12,000"), REPORT.format("12\u202f000")),
        (REPORT.format("12,000"), REPORT.format("12000")),
        (REPORT.format("nine"), REPORT.format("9")),
        (REPORT.format("sixty"), REPORT.format("60")),
        (REPORT.format("twenty-one"), REPORT.format("21")),
        (REPORT.format("ninety five"), REPORT.format("95")),
        (REPORT.format("one hundred"), REPORT.format("100")),
        (REPORT.format("two hundred thirty-four"), REPORT.format("234")),
        (REPORT.format("twelve thousand"), REPORT.format("12,000")),
        (REPORT.format("sixty thousand three hundred"), REPORT.format("60,300")),
        (REPORT.format("many").replace("March", "December"), REPORT.format("many").replace("March", "Dec.")),
        (REPORT.format("12,000"), REPORT.format("12,000") + " Two people were hurt, and 3 cars burnt out."),
        (REPORT.format("12,000"), REPORT.format("12,000").replace("The cause was a worn cable. ", "")),
    ],
)
def test_the_same_figures_written_otherwise_or_more_of_them_are_one_story(one: str, other: str) -> None:
    assert not contradict(signature(one), signature(other))
    assert same_story(signature(one), signature(other))


def test_a_weekly_series_is_not_one_story() -> None:
    weeks = [
        f"Diesel costs {price} crowns a litre at the pumps of Odda this week, the motorists' club found. Petrol costs "
        f"{price + 8}. The club asks 40 stations every Tuesday morning; the dearest are those at the motorway. " * 2
        for price in (171, 174, 169, 178)
    ]
    assert [pair for pair in combinations(weeks, 2) if same_story(*map(signature, pair))] == []


NOTICE = (
    "The district court of Almeric has opened insolvency proceedings over the assets of {}. Creditors may lodge claims "
    "until the end of next month. An administrator was appointed, and will report to the court in the autumn. Staff "
    "were told of the decision at a meeting on the premises, and wages are paid for three months from public funds."
)


def test_notices_of_different_names_are_different_stories() -> None:
    names = ("Stedlum Joba Ltd", "Quinor Joba Ltd", "Marfen Hask")
    signed = [signature(NOTICE.format(name)) for name in names]
    assert [pair for pair in combinations(signed, 2) if same_story(*pair)] == []
    begun = [
        signature(f"{name} appeared before the court, charged with fraud, and was fined." * 3) for name in names[:3]
    ]
    assert [pair for pair in combinations(begun, 2) if same_story(*pair)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (NOTICE.format("Stedlum Joba Ltd"), NOTICE.format("Stedlum Joba")),
        (
            " ".join(
                f"They met {name} in {place}." for name in ("Lena Moor", "Ali Sand", "Ida Kerr") for place in WORDS
            ),
            " ".join(
                f"They met {name} in {place}." for name in ("Lena Moor", "Aly Sand", "Ida Kerr") for place in WORDS
            ),
        ),
    ],
)
def test_a_shorter_name_or_one_of_many_spelt_otherwise_parts_no_copies(one: str, other: str) -> None:
    assert same_story(signature(one), signature(other))


def test_signatures_from_before_names_are_compared_without() -> None:
    one, other = (signature(NOTICE.format(name)) for name in ("Stedlum Joba Ltd", "Quinor Fen Ltd"))
    assert same_story(one[:517], other)
    assert not same_story(one, other)


def test_figures_that_stand_between_the_same_words_again_and_again_do_not_part_copies() -> None:
    scores = " ".join(f"{name} won by {points} points." for name, points in zip(WORDS, range(3, 40), strict=False))
    shortened = " ".join(scores.split(" ")[:150])
    assert not contradict(signature(scores), signature(shortened))


def test_signatures_from_before_figures_are_compared_by_their_words() -> None:
    one, other = signature(REPORT.format("12,000")), signature(REPORT.format("21,000"))
    assert same_story(one[:517], other)
    assert same_story(one[:517], other[:517])


@pytest.mark.parametrize("length", range(515, 545))
def test_a_signature_cut_short_compares_without_an_error(length: int) -> None:
    one, other = signature(REPORT.format("12,000")), signature(REPORT.format("21,000"))
    assert isinstance(same_story(one[:length], other), bool)
