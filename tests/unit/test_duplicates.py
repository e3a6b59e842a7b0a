from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from embeddings.duplicates import same_story, signature, similarity

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
    assert len(signature(text)) == 517
    assert same_story(signature(text), signature(text))


def test_chinese_is_compared_by_character() -> None:
    text = "市长星期一说洪水已经退去学校将于周三重新开放居民可以回家医院昨天恢复了供电道路仍然封闭" * 2
    assert similarity(signature(text), signature(text.replace("星期一", "星期二"))) > 0.8


def test_signatures_of_other_versions_resemble_nothing() -> None:
    mine = signature(story(1))
    assert similarity(mine, b"\x02" + mine[1:]) == 0.0
    assert similarity(b"\x02" + mine[1:], b"\x02" + mine[1:]) == 0.0
    assert similarity(mine, mine[:-2]) == similarity(mine, b"") == similarity(b"", b"") == 0.0


def test_stored_signatures_stay_comparable() -> None:
    """Fails when rensa or the way of shingling changes: then raise the version in `duplicates`."""
    assert (
        hashlib.sha256(signature("The ferry left at noon. Nobody was on board.")).hexdigest()[:16] == "e923cc3d5d5620a2"
    )


def test_real_articles_taken_for_one_story_share_their_words(shared: Path) -> None:
    with gzip.open(shared / "data/realtimeqa/articles-small.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = list({json.loads(line)["text"] for line in lines})[:500]
    signatures = [signature(text) for text in texts]
    found = [pair for pair in combinations(range(len(texts)), 2) if same_story(*(signatures[i] for i in pair))]
    for a, b in found:
        shared = len(runs(texts[a]) & runs(texts[b])) / min(len(runs(texts[a])), len(runs(texts[b])))
        assert shared > 0.85, (texts[a][:100], texts[b][:100])
    assert len(found) < 10
