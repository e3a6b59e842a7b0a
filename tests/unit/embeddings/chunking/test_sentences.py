from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.chunking.sentences import split_sentences

LABELLED = Path(__file__).with_name("test_sentences_labelled.txt")


def labelled_cases() -> Iterator[tuple[str, str, tuple[tuple[int, int], ...]]]:
    """Section, text and the spans marked by hand, case by case (see the file's head)."""
    section = ""
    for line in LABELLED.read_text(encoding="utf-8").splitlines():
        if line.startswith("=="):
            section = re.split(r"[:\s]", line)[1]
        elif line and not line.startswith("#"):
            yield section, *_unfold(line)


def _unfold(line: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    text, spans = "", []
    for mark, sentence in re.findall(r"([¦¶]?)([^¦¶]+)", line):
        spaceless = re.search(r"[一-鿿]", text) is not None
        text += {"": "", "¦": "" if spaceless else " ", "¶": "\n\n"}[mark]
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence
    return text, tuple(spans)


def _cases(*sections: str) -> list[object]:
    return [pytest.param(text, spans, id=text[:30]) for section, text, spans in labelled_cases() if section in sections]


@pytest.mark.parametrize(("text", "spans"), _cases("development", "held"))
def test_hand_labelled_boundaries(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert [text[a:b] for a, b in split_sentences(text)] == [text[a:b] for a, b in spans]
    assert split_sentences(text) == spans


@pytest.mark.xfail(reason="known error")
@pytest.mark.parametrize(("text", "spans"), _cases("missed"))
def test_known_errors(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert split_sentences(text) == spans


@pytest.mark.parametrize(
    "sentences",
    [
        ("The mill burned down in 2019.", "The owner never came back."),
        ("The vote was close!", "Nobody cheered."),
        ("“We left at dawn.”", "Bren nodded."),
        ("Brücke gesperrt.", "Die Fähre fährt."),
        ("Мост закрыт.", "Паром ходит."),
    ],
)
def test_a_lost_space_joins_no_sentences(sentences: tuple[str, str]) -> None:
    text = "".join(sentences)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Read it at www.orrin.Example today",
        "Open the file Report.Pdf first",
        "Booking.Com bought it",
        "Prof.Vaal came",
        "He runs U.S.Steel now",
    ],
)
def test_a_stop_inside_a_name_or_an_address_ends_nothing(text: str) -> None:
    assert split_sentences(text) == ((0, len(text)),)


@pytest.mark.parametrize(
    "lines",
    [
        ("Who pays for the bridge", "The town pays half of it."),
        ("Was jetzt geschieht", "Das Gericht tagt am Montag."),
        ("今後の予定", "裁判所は月曜日に開かれる。"),
        ("Weather", "Wind from the west, rain at night.", "Sunday stays dry."),
    ],
)
def test_a_heading_is_no_part_of_the_sentence_below_it(lines: tuple[str, ...]) -> None:
    text = "\n".join(lines)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == lines


def test_a_row_of_a_table_is_no_part_of_the_next() -> None:
    """Whatever the length of the rows, the case of their letters and the word they end with."""
    rows = [
        "North | Ann Lee | 1,204 votes in all",
        "South | Ole Brandt | 987 votes of",
        "the rest | nobody | 12 votes in all",
    ]
    text = "\n".join(rows)
    assert [text[start:end] for start, end in split_sentences(text)] == rows


@pytest.mark.parametrize(
    "text",
    [
        "The bridge was closed by Prime Minister Anna\nHolm on Monday.",
        "The mayor of the town, who has\nNever been seen, left.",
        "It was said by the\nMayor of the town and by nobody else.",
        "The bridge is\nclosed until the end of the month.",
    ],
)
def test_a_line_that_was_only_wrapped_runs_on(text: str) -> None:
    assert split_sentences(text) == ((0, len(text)),)


@pytest.mark.parametrize(
    "sentences",
    [
        ("Er rief: „Wir gehen.“", "Dann ging er."),
        ("Am 24. Dez. war die Brücke zu.", "Am 27. war sie es nicht."),
        ("Der 1. FC Orrin gewann.", "Niemand jubelte."),
        ("Die Fa. Holm schloss.", "Warum?"),
        ("A Cia. Silva fechou.", "Ninguém sabe porquê."),
        ("Вул. Садова, буд. 5 закрита.", "Чому?"),
        ("It was a gem.", "The owner knew."),
        ("Sie sahen die Burg.", "Danach gingen sie."),
    ],
)
def test_abbreviations_of_other_languages_end_nothing_and_words_do(sentences: tuple[str, str]) -> None:
    text = " ".join(sentences)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ("Wir trafen Dr. med. Vaal am 1. und 2. Adventstag.", "Er kam am 12. Juni?", "Nein."),
        ("Sie wohnt in der Marktstr. 5.", "Er kam auf Platz 3.", "Holm wurde Vierter."),
        ("Starostou je p. Novák.", "Nic neřekl."),
        ("Please turn to p. 55.", "See SEC. 12 and N°. 7.", "It cost Rs. 500."),
        ("Πού είναι το πλοίο;", "Έφυγε."),
        ("Կամուրջը փակ է:", "Ոչինչ:"),
        ("The vote is on p. 4.", "V. Holm lost."),
        ("Orla Pte. Ltd. filed for bankruptcy.", "Its ships lie in Velda."),
    ],
)
def test_marks_and_short_words_of_many_languages(sentences: tuple[str, ...]) -> None:
    text = " ".join(sentences)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ("እንዴት ነህ፧", "ድልድዩ ተዘጋ።", "ጀልባው ይሠራል።"),
        ("ស្ពានបានបិទ។", "ទូកដំណើរការ។"),
        ("市长说：“桥会修好。”然后走了。", "渡轮照开。"),
        ("桥已关闭（见图1。）。", "渡轮照开．", "没有人受伤。"),
        ("The road closed on Monday.", "Mr. Vaal left.", "THE ROAD REOPENED."),
    ],
)
def test_stops_without_a_space(sentences: tuple[str, ...]) -> None:
    text = "".join(sentences)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == sentences


@pytest.mark.parametrize(
    "items",
    [
        ("1. Close the bridge", "2. Mend the hangers", "3. Open it again"),
        ("The plan has two steps:", "a) close the bridge", "b) mend it"),
        ("(1) Close the bridge.", "(2) Mend it."),
        ("• Fares rise", "• Trams run later"),
    ],
)
@pytest.mark.parametrize("between", [" ", "\n"])
def test_the_items_of_a_list_are_apart_in_one_line_or_in_several(items: tuple[str, ...], between: str) -> None:
    text = between.join(items)
    assert tuple(text[a:b] for a, b in split_sentences(text)) == items


@pytest.mark.parametrize(
    "text",
    ["1. FC Orrin stieg in die 2. Bundesliga auf.", "1. Mai bis 2. Mai geschlossen.", "It has 1) a roof and a wall."],
)
def test_a_number_that_counts_no_item_parts_nothing(text: str) -> None:
    assert split_sentences(text) == ((0, len(text)),)


def test_lines_too_short_to_be_wrapped_were_broken_on_purpose() -> None:
    assert split_sentences("Was jetzt geschieht\nDas Gericht tagt.") == ((0, 19), (20, 37))


def test_list_has_the_size_it_claims() -> None:
    sections = [section for section, _, _ in labelled_cases()]
    assert (sections.count("development"), sections.count("held"), sections.count("missed")) == (111, 40, 1)


PIECES = st.sampled_from(
    [
        "Dr. Ruiz came. ",
        "“Go.” ",
        "\n\n",
        "\n",
        "\r\n",
        " ",
        "U.S. ",
        "👩‍👩‍👧 ",
        "e\u0301. ",
        "שלום. ",
        "مرحبا؟ ",
        "完了。",
        "...",
        "𝔘𝔫. ",
        "\u200f",
        "(a. ",
        ") ",
        '"No!" ',
    ]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=30).map("".join))


@given(TEXTS)
def test_sentences_cover_every_character_once_and_in_order(text: str) -> None:
    spans = split_sentences(text)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= two[0] for one, two in pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    covered = "".join("".join(text[start:end].split()) for start, end in spans)
    assert covered == "".join(text.split())


@given(TEXTS)
def test_no_sentence_crosses_a_paragraph_break(text: str) -> None:
    assert not any(re.search(r"\n\s*\n", text[start:end]) for start, end in split_sentences(text))


@pytest.mark.parametrize(
    "unit",
    [
        ".",
        ". ",
        "a. ",
        "(. ",
        "“. ",
        '"A. ',
        "!x",
        "\n",
        "\n ",
        " ",
        "No. ",
        "? X ",
        ".)",
        "x.[1]",
        "\n1. ",
        "。",
        "((",
        "A " * 99 + "? ",
    ],
)
def test_time_stays_linear(unit: str) -> None:
    """200,000 characters of anything take far less than what a quadratic step would (minutes)."""
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    split_sentences(text)
    split_sentences(text + "x")
    assert time.process_time() - began < 5
