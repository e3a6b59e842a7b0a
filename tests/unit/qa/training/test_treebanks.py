"""Reading CoNLL-U, and laying its trees over our words."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.types import InvalidDataset
from qa.training.treebanks import Token, Treebank, TreebankSentence, over_words, read_treebank


def block(text: str | None, *rows: str) -> str:
    """One sentence of a file; a row is `number form head relation`."""
    lines = [] if text is None else [f"# text = {text}"]
    for row in rows:
        number, form, head, relation = row.split(" ")
        lines.append("\t".join([number, form, form.lower(), "X", "_", "_", head, relation, "_", "_"]))
    return "\n".join(lines) + "\n\n"


def read(folder: Path, *blocks: str) -> Treebank:
    path = folder / "own.conllu"
    path.write_text("".join(blocks), encoding="utf-8")
    return read_treebank([path])


def tree(folder: Path, text: str, *rows: str) -> list[tuple[str, str, str]]:
    """Each word with its relation and its head."""
    (sentence,) = read(folder, block(text, *rows)).sentences
    assert sentence.text == text
    return named(sentence)


def named(sentence: TreebankSentence) -> list[tuple[str, str, str]]:
    words = [word.text for word in sentence.words]
    heads = ["" if head == -1 else words[head] for head in sentence.heads]
    return list(zip(words, sentence.relations, heads, strict=True))


FERRY = block("Ferries stop.", "1 Ferries 2 nsubj", "2 stop 0 root", "3 . 2 punct")


def test_punctuation_is_dropped(tmp_path: Path) -> None:
    assert tree(
        tmp_path,
        "Ada, the mayor, left.",
        *["1 Ada 6 nsubj", "2 , 4 punct", "3 the 4 det", "4 mayor 1 appos", "5 , 4 punct", "6 left 0 root"],
        "7 . 6 punct",
    ) == [("Ada", "nsubj", "left"), ("the", "det", "mayor"), ("mayor", "appos", "Ada"), ("left", "root", "")]


def test_what_hangs_on_a_dropped_token_hangs_on_its_head(tmp_path: Path) -> None:
    rows = ["1 Ada 2 nsubj", "2 paid 0 root", "3 @ 2 obj", "4 once 3 advmod"]
    assert tree(tmp_path, "Ada paid @ once", *rows)[2] == ("once", "advmod", "paid")


def test_the_parts_of_a_multiword_token_become_one_word(tmp_path: Path) -> None:
    rows = ["1 They 4 nsubj", "2-3 don't _ _", "2 do 4 aux", "3 n't 4 advmod", "4 know 0 root"]
    assert tree(tmp_path, "They don't know", *rows) == [
        ("They", "nsubj", "know"),
        ("don't", "aux", "know"),
        ("know", "root", ""),
    ]


def test_a_multiword_token_may_stand_for_words_that_are_not_written(tmp_path: Path) -> None:
    rows = ["1 They 4 nsubj", "2-4 dunno _ _", "2 do 4 aux", "3 not 4 advmod", "4 know 0 root", "5 it 4 obj"]
    assert tree(tmp_path, "They dunno it", *rows)[1:] == [("dunno", "root", ""), ("it", "obj", "dunno")]


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_a_clitic_joins_its_word(tmp_path: Path, apostrophe: str) -> None:
    rows = [f"1-2 Derna{apostrophe}s _ _", "1 Derna 3 nmod:poss", f"2 {apostrophe}s 1 case", "3 mayor 0 root"]
    assert tree(tmp_path, f"Derna{apostrophe}s mayor", *rows)[0] == (f"Derna{apostrophe}s", "nmod:poss", "mayor")


def test_what_a_hyphen_joins_takes_the_place_of_its_highest_token(tmp_path: Path) -> None:
    rows = ["1 a 5 det", "2 West 4 amod", "3 - 2 punct", "4 Coast 5 compound", "5 port 0 root"]
    assert tree(tmp_path, "a West-Coast port", *rows)[1] == ("West-Coast", "compound", "port")


def test_nodes_that_are_only_in_the_enhanced_graph_are_skipped(tmp_path: Path) -> None:
    rows = ["1 Ada 2 nsubj", "2 sings 0 root", "3 Bo 2 conj", "3.1 sings _ _", "4 alto 3 orphan"]
    assert tree(tmp_path, "Ada sings Bo alto", *rows)[2:] == [("Bo", "conj", "sings"), ("alto", "orphan", "Bo")]


def test_subtypes_that_say_who_does_what_are_kept_and_others_are_not(tmp_path: Path) -> None:
    rows = ["1 He 3 nsubj:pass", "2 was 3 aux:pass", "3 seen 0 root", "4 Monday 3 obl:tmod"]
    assert [relation for _, relation, _ in tree(tmp_path, "He was seen Monday", *rows)] == [
        *["nsubj:pass", "aux:pass", "root", "obl"]
    ]


def test_where_the_root_is_no_word_the_highest_word_is_the_one_root(tmp_path: Path) -> None:
    rows = ["1 It 4 nsubj", "2 all 3 advmod", "3 costs 4 dep", "4 $$$ 0 root"]
    assert tree(tmp_path, "It all costs $$$", *rows) == [
        ("It", "root", ""),
        ("all", "advmod", "costs"),
        ("costs", "dep", "It"),
    ]


def test_tokens_of_one_word_that_hang_on_each_other_by_another_word_make_no_circle(tmp_path: Path) -> None:
    """By its first token `one-two` would hang on `three`, which hangs on it."""
    rows = ["1 one 4 dep", "2 - 1 punct", "3 two 5 obj", "4 three 3 nmod", "5 four 0 root"]
    assert tree(tmp_path, "one-two three four", *rows) == [
        ("one-two", "obj", "four"),
        ("three", "nmod", "one-two"),
        ("four", "root", ""),
    ]


@st.composite
def cut_sentences(draw: st.DrawFn) -> tuple[str, list[Token]]:
    """A text cut anywhere into tokens, with any tree over them."""
    text = draw(st.text("ab-'., ", min_size=1, max_size=24))
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=12))})
    spans = [(start, end) for start, end in pairwise(cuts) if text[start:end].strip()]
    order = draw(st.permutations(range(len(spans))))
    heads = {place: order[draw(st.integers(0, at - 1))] if at else -1 for at, place in enumerate(order)}
    relation = st.sampled_from(["nsubj", "obl:tmod", "conj"])
    tokens = [
        Token(start=start, end=end, head=heads[place], relation="root" if heads[place] == -1 else draw(relation))
        for place, (start, end) in enumerate(spans)
    ]
    return text, tokens


@given(cut_sentences())
def test_whatever_is_joined_one_root_is_reached_from_every_word(cut: tuple[str, list[Token]]) -> None:
    sentence = over_words(*cut)
    if sentence is None:
        return
    assert sentence.heads.count(-1) == 1
    assert [head == -1 for head in sentence.heads] == [relation == "root" for relation in sentence.relations]
    for word in range(len(sentence.words)):
        at, steps = word, 0
        while at != -1:
            at, steps = sentence.heads[at], steps + 1
            assert steps <= len(sentence.words)


def test_the_root_of_the_tokens_stays_the_root(tmp_path: Path) -> None:
    assert named(read(tmp_path, FERRY).sentences[0]) == [("Ferries", "nsubj", "stop"), ("stop", "root", "")]


@pytest.mark.parametrize(
    "unusable",
    [
        block("either/or", "1 either/or 0 root"),  # one token, two words of ours
        block("!!!", "1 !!! 0 root"),
        block(None, "1 Ferries 0 root"),
        block("Ferry stop.", "1 Ferries 2 nsubj", "2 stop 0 root"),  # not the text of the tokens
    ],
)
def test_a_sentence_cut_otherwise_is_left_out_and_counted(tmp_path: Path, unusable: str) -> None:
    bank = read(tmp_path, unusable, FERRY)
    assert [sentence.text for sentence in bank.sentences] == ["Ferries stop."]
    assert bank.left_out == 1


def test_files_below_folders_are_read_and_a_text_counts_once(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "one.conllu").write_text(FERRY, encoding="utf-8")
    (tmp_path / "deep" / "two.conllu").write_text(FERRY + block("Go.", "1 Go 0 root", "2 . 1 punct"), encoding="utf-8")
    (tmp_path / "deep" / "notes.txt").write_text("no treebank", encoding="utf-8")
    bank = read_treebank([tmp_path / "deep"])
    assert [sentence.text for sentence in bank.sentences] == ["Ferries stop.", "Go."]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (block("a b", "1 a 2 dep", "2 b 1 dep"), "exactly one root"),
        (block("a b", "1 a 0 root", "2 b 0 root"), "exactly one root"),
        (block("a b c", "1 a 0 root", "2 b 3 dep", "3 c 2 dep"), "lead in a circle"),
        (block("a b", "1 a 0 root", "2 b 7 dep"), "token 2 has no head"),
        (block("a b", "1 a 0 root", "2 b _ dep"), "token 2 has no head"),
        (block("a b", "1 a 0 root", "3 b 1 dep"), "count up from 1"),
        ("what is this?\n", "Invalid line format"),
    ],
)
def test_a_broken_sentence_is_refused_with_its_place(tmp_path: Path, broken: str, reason: str) -> None:
    with pytest.raises(InvalidDataset, match=rf"own\.conllu: sentence 2 is no CoNLL-U: .*{reason}"):
        read(tmp_path, FERRY, broken)


@pytest.mark.parametrize("name", ["", "absent.conllu"])
def test_where_there_is_no_file_one_is_told_what_to_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidDataset, match=r"no CoNLL-U file; name a \*\.conllu file"):
        read_treebank([tmp_path / name])
