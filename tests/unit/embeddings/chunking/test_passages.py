from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embeddings import encoders
from embeddings.chunking.passages import cut_to_fit, encoder_input, encoder_title, split
from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article, Passage, article_version


@cache
def encoder(name: str) -> encoders.Encoder:
    return encoders.load(name)


def article(text: str, title: str = "Ferry service resumes") -> Article:
    return Article(id="a1", version=article_version(text), title=title, text=text)


def passages_of(
    item: Article, *, name: str = "hashing", max_tokens: int = 256, target: int = 96, overlap: int = 1
) -> tuple[Passage, ...]:
    count = encoder(name).count_tokens
    return split(item, max_tokens=max_tokens, target_tokens=target, overlap_sentences=overlap, count=count)


def canonical(raw: str) -> str:
    """What cleaning promises of a text, in short: NFC, LF, no lone surrogates, trimmed."""
    return unicodedata.normalize("NFC", raw.replace("\r\n", "\n")).strip()


CHARACTERS = st.characters(exclude_categories=["Cs"])
PIECES = st.sampled_from(
    [
        "The ferry left. ",
        "U.S. aid came, he said; then ",
        "\n\n",
        "Relief\n\n",
        "x" * 60,
        "👩‍👩‍👧",
        "🇺🇦🇱🇾",
        "e\u0301",
        "\u0323" * 9,
        "שלום לכולם. ",
        "ذهب الجميع؟ ",
        "市长星期一说洪水已经退去。",
        "𝔘𝔫𝔡 ",
        "한글",
        "\u202e",
        " ",
        "a,b;c ",
        "12.5 ",
        "각",
    ]
)
TEXTS = st.one_of(st.text(CHARACTERS), st.lists(PIECES, max_size=80).map("".join)).map(canonical)
TITLES = st.one_of(
    st.text(CHARACTERS, max_size=80), st.sampled_from(["Storm", "한글" * 99, "Long words " * 60, "🇺🇦" * 300])
)
ENCODERS = pytest.mark.parametrize("name", ["hashing", "all-MiniLM-L6-v2"])


@ENCODERS
@given(text=TEXTS, title=TITLES, max_tokens=st.sampled_from([32, 64, 256]), target=st.sampled_from([24, 96, 300]))
@example(text="word " * 3000, title="한글" * 99, max_tokens=32, target=24)
@example(text="한글과" * 500, title="", max_tokens=64, target=96)
@example(text="🇺🇦" * 2000, title="Flags", max_tokens=64, target=96)
def test_passages_are_exact_complete_and_within_the_limit(
    name: str, text: str, title: str, max_tokens: int, target: int
) -> None:
    item = article(text, title)
    found = passages_of(item, name=name, max_tokens=max_tokens, target=target)
    count = encoder(name).count_tokens
    head = encoder_title(title, max_tokens=max_tokens, count=count)
    assert all(text[one.start : one.end] == one.text == one.text.strip() != "" for one in found)
    assert all(size <= max_tokens for size in count([encoder_input(head, one.text) for one in found]))
    covered = {place for one in found for place in range(one.start, one.end)}
    assert all(place in covered or character.isspace() for place, character in enumerate(text))
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert passages_of(item, name=name, max_tokens=max_tokens, target=target) == found


@ENCODERS
@given(text=TEXTS, overlap=st.integers(0, 3))
def test_every_sentence_the_encoder_can_read_lies_whole_in_a_passage(name: str, text: str, overlap: int) -> None:
    item = article(text)
    found = passages_of(item, name=name, max_tokens=64, target=40, overlap=overlap)
    count = encoder(name).count_tokens
    for start, end in split_sentences(text):
        readable = count([encoder_input(item.title, text[start:end])])[0] <= 64 and end - start <= 8 * 40
        assert not readable or any(one.start <= start and end <= one.end for one in found), text[start:end]


def test_ids_name_the_span_and_nothing_else() -> None:
    text = "The bridge is open. " * 60
    one, two = passages_of(article(text.strip())), passages_of(article(text.strip(), title="Another title"))
    assert [passage.id for passage in one] == [passage.id for passage in two]
    assert len({passage.id for passage in one}) == len(one) > 2


def test_cuts_fall_at_paragraphs_and_not_after_a_heading() -> None:
    paragraph = "Crews cleared the road to the harbour on Sunday. Two lanes are open again. "
    text = "\n\n".join([(paragraph * 3).strip(), "What comes next", (paragraph * 3) + "Two lanes are open again."])
    found = passages_of(article(text), target=51, overlap=0)  # sizes would be evener after the heading
    assert len(found) == 2
    assert any(one.text.startswith("What comes next\n\nCrews") for one in found)
    assert all(text[one.end :].startswith("\n\n") for one in found[:-1])


def test_overlap_is_whole_short_sentences() -> None:
    text = " ".join(f"Sentence number {number} says little." for number in range(60))
    spans = split_sentences(text)
    found = passages_of(article(text), target=48, overlap=1)
    for one, two in pairwise(found):
        assert (two.start, one.end) in spans
    apart = passages_of(article(text), target=48, overlap=0)
    assert all(two.start > one.end for one, two in pairwise(apart))


@pytest.mark.parametrize("target", [96, 128, 192, 240])
def test_passages_come_close_to_the_target(target: int) -> None:
    sentence = "The minister said on Monday that repairs to the coastal road would take until spring."
    text = "\n\n".join([f"{sentence} {sentence}"] * 80)
    count = encoder("all-MiniLM-L6-v2").count_tokens
    sizes = count([one.text for one in passages_of(article(text), name="all-MiniLM-L6-v2", target=target, overlap=0)])
    assert 0.75 * target < sum(sizes) / len(sizes) < 1.25 * target


def test_a_sentence_too_long_is_cut_at_clauses() -> None:
    text = ", ".join(f"clause {number} of a very long sentence" for number in range(40)) + "."
    found = passages_of(article(text), max_tokens=64, overlap=0)
    assert len(found) > 3
    assert all(one.text.endswith((",", ".")) and one.text.startswith("clause") for one in found)


def test_the_title_is_cut_between_words_and_counted() -> None:
    count = encoder("all-MiniLM-L6-v2").count_tokens
    head = encoder_title("Harbour  reopens\nafter storm " * 20, max_tokens=256, count=count)
    assert head.startswith("Harbour reopens after storm Harbour")
    assert head.endswith(("Harbour", "reopens", "after", "storm"))
    assert 28 <= count([head])[0] - 2 <= 32
    assert encoder_title("Short", max_tokens=256, count=count) == "Short"
    assert encoder_input("", "words") == "words"


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧", "🇺🇦", "e\u0323\u0301", "👍🏽", "\u1112\u1161\u11ab"])
def test_hard_cuts_spare_what_readers_see_as_one_character(cluster: str) -> None:
    text = cluster * 500
    pieces = cut_to_fit(text, (0, len(text)), fits=lambda texts: [len(one) <= 64 for one in texts])
    assert "".join(text[start:end] for start, end in pieces) == text
    assert len(pieces) > 5
    assert all((end - start) % len(cluster) == 0 for start, end in pieces)


def test_single_characters_are_the_end_of_cutting() -> None:
    text = "a, b，c"
    pieces = cut_to_fit(text, (0, len(text)), fits=lambda texts: [False for _ in texts])
    assert [text[start:end] for start, end in pieces] == ["a", ",", "b", "，", "c"]


def test_a_cluster_longer_than_the_limit_is_cut_all_the_same() -> None:
    text = "e" + "\u0323" * 5000
    pieces = cut_to_fit(text, (0, len(text)), fits=lambda texts: [len(one) <= 64 for one in texts])
    assert "".join(text[start:end] for start, end in pieces) == text


def test_passages_are_counted_not_only_estimated() -> None:
    """A tokenizer whose tokens do not add up: text beyond 120 characters costs double."""

    def count(texts: Sequence[str]) -> list[int]:
        return [2 + len(one.split()) + (len(one.split()) if len(one) > 120 else 0) for one in texts]

    text = "The ferry left at noon with all its crew. " * 30
    found = split(article(text.strip()), max_tokens=40, target_tokens=30, overlap_sentences=1, count=count)
    assert max(count([encoder_input("Ferry service resumes", one.text) for one in found])) <= 40
    spans = split_sentences(text.strip())
    assert all(any(one.start <= start and end <= one.end for one in found) for start, end in spans)


def test_too_short_an_encoder_is_refused() -> None:
    with pytest.raises(ValueError, match="16 tokens is too short"):
        passages_of(article("Text."), max_tokens=16)


@pytest.mark.parametrize("unit", ["word ", "x", "Yes. ", "한", "🇺🇦", "\u0301", "line\n\n", "市长说。"])
def test_a_giant_text_is_cut_in_bounded_time(unit: str) -> None:
    text = (unit * (100_000 // len(unit))).strip()
    began = time.process_time()
    found = passages_of(article(text), target=192)
    assert time.process_time() - began < 20
    assert max(len(one.text) for one in found) < 3000
