"""How a checker's training pairs are made: what is called true says what its source says, what is false does not."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import random
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from embeddings.encoders import BUNDLED_MODEL, locate
from qa.evaluation.benchmarks.grounding_sets import GroundingRow
from qa.training.checker_data import (
    LABELS,
    TOKENS,
    Pair,
    development,
    encoded,
    judged_sentences,
    pairs_of,
)
from qa.training.mutations import FALSIFIERS, among_others, edited_pairs, made_pairs, sentences_of
from qa.training.question_claims import asked_of, question_pairs
from qa.training.reader_data import Row, Span
from qa.training.rewordings import reworded, rounded

TEXT = (
    "In March 2014, the ferry Almeric carried 1,234 people from Skerra to Port Elin, which lies on the mainland.",
    "Captain Jonas Weir said that all passengers were rescued within three hours.",
    "He was praised by Minister Ada Brandt after the inquiry in Kelmar.",
    "The company may sell two vessels to Norway before Tuesday.",
    "The harbour master has lived in Skerra for 30 months, after Norway had beaten Denmark.",
    "A retired nurse was his neighbour.",
)


def test_pairs_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    line = {"premise": "P.", "hypothesis": "H.", "label": "neutral", "source": "s", "licence": "x", "tag": None}
    path.write_bytes(gzip.compress(json.dumps(line).encode()))
    assert list(pairs_of(path)) == [Pair("P.", "H.", "neutral", "s")]


def test_what_is_chosen_by_is_not_trained_on() -> None:
    short = [Pair(f"p{n}", f"h{n}", "neutral") for n in range(100)]
    documents = [Pair(f"d{n}{part}", f"c{n}", "entailment", "CG2C_doc") for n in range(300) for part in "ab"]
    train, kept = development(short, documents)
    assert not {pair.hypothesis for pair in train} & {pair.hypothesis for pair in kept}
    assert len(train) + len(kept) == 700
    assert sum(pair.source == "CG2C_doc" for pair in kept) == 400


def test_a_claim_stands_before_its_evidence_which_is_cut() -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(locate(BUNDLED_MODEL) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    (one,) = encoded([Pair("It rained. " * 200, "Rain fell.", "not_entailment")], tokenizer)
    assert len(one.ids) == TOKENS
    assert tokenizer.decode(list(one.ids[: one.second])) == "rain fell."
    assert one.ids[one.second - 1] == one.ids[-1] == tokenizer.token_to_id("[SEP]")
    assert LABELS[one.label] == "not_entailment"


@pytest.mark.parametrize("kind", FALSIFIERS)
def test_every_rule_changes_a_sentence_of_these(kind: str) -> None:
    falsify, label = FALSIFIERS[kind]
    made = set()
    for seed in range(30):
        for at, sentence in enumerate(TEXT):
            others = [other for place, other in enumerate(TEXT) if place != at]
            found = falsify(sentence, others, random.Random(seed))
            if found is not None and found != sentence:
                made.add(found)
    assert made
    assert not made & set(TEXT)
    assert label != "entailment"


def test_numbers_are_rounded_truly_and_falsely() -> None:
    for written, after in (("1,234", ""), ("1,200", ""), ("104", ""), ("31", " people"), ("40", " houses")):
        value = int(written.replace(",", ""))
        for seed in range(60):
            true, false = rounded(written, random.Random(seed), after=after) or ("", "")
            assert _bears(true, value), (written, true)
            assert not _bears(false, value), (written, false)
    for written, after in (("1985", ""), ("31", ""), ("31", " May"), ("20", " percent"), ("9", " people")):
        assert rounded(written, random.Random(0), after=after) is None, (written, after)


def _bears(said: str, value: int) -> bool:
    number = int(re.sub(r"\D", "", said))
    word = said.split(maxsplit=1)[0]
    if word in {"more", "fewer"}:
        return value > number if word == "more" else value < number
    return abs(value - number) <= 0.06 * value and (word != "nearly" or value <= number)


def test_rewording_adds_no_number_or_name() -> None:
    for sentence in TEXT:
        for seed in range(80):
            made = reworded(sentence, random.Random(seed))
            strange = set(re.findall(r"[A-Z]\w+", made)) - set(re.findall(r"[A-Z]\w+", " ".join(TEXT)))
            assert strange <= {"The"}, made


def test_pairs_made_by_rule_are_half_true_and_false_ones_differ_from_their_evidence() -> None:
    texts = [TEXT, tuple(sentence.replace("Almeric", "Brenna").replace("Skerra", "Lunde") for sentence in TEXT)]
    made = made_pairs(texts, random.Random(1), limit=600)
    assert made == made_pairs(texts, random.Random(1), limit=600)
    true = [pair for pair in made if pair.label == "entailment"]
    assert 0.4 < len(true) / len(made) < 0.65
    for pair in made:
        if pair.label != "entailment":
            assert pair.hypothesis not in pair.premise, pair
    assert len({pair.source for pair in made}) > 8


def test_texts_of_the_validation_fold_and_of_other_kinds_are_left_out(tmp_path: Path) -> None:
    def line(context: str, **said: Any) -> bytes:
        row = {"question": "?", "context": context, "answers": [], "source": "qamr", "group": "g", "fold": 1, **said}
        return json.dumps(row).encode() + b"\n"

    two = "The old mayor opened the new bridge. The people of the town walked over it."
    one = "The mayor of the town also spoke for an hour."
    rows = [
        line(two),
        line(two.replace("mayor", "king"), fold=0),
        line(two.replace("mayor", "cook"), source="fairytaleqa"),
    ]
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(b"".join(rows)))
    (tmp_path / "train-sentences.jsonl.gz").write_bytes(
        gzip.compress(line(one, group="h") + line(one, group="h") + line(one.replace("hour", "hour or two"), group="h"))
    )
    texts = sentences_of(tmp_path)
    assert [len(text) for text in texts] == [2, 2]
    assert not any("king" in sentence or "cook" in sentence for text in texts for sentence in text)


def test_a_claim_not_entailed_is_learnt_as_either_of_the_other_outcomes() -> None:
    import torch

    from qa.training.checker_data import Encoded
    from qa.training.train_checker import loss_of

    class Says(torch.nn.Module):
        def __init__(self, shares: list[float]) -> None:
            super().__init__()
            self.logits = torch.nn.Parameter(torch.tensor(shares).log()[None])

        def forward(self, **inputs: Any) -> Any:
            rows = len(inputs["input_ids"])
            return type("Found", (), {"logits": self.logits.expand(rows, -1)})

    model = Says([0.2, 0.5, 0.3])
    for label, share in enumerate([0.2, 0.5, 0.3, 0.8]):
        assert loss_of(model, [Encoded((1, 2, 3), 2, label)]).item() == pytest.approx(-math.log(share), abs=1e-5)


def test_what_stands_among_others_keeps_its_label_and_its_evidence() -> None:
    pair = Pair("It rained in Skerra.", "Rain fell.", "entailment", "s")
    made = among_others(pair, [TEXT], random.Random(2))
    assert pair.premise in made.premise
    assert len(made.premise) > len(pair.premise)
    assert (made.hypothesis, made.label) == (pair.hypothesis, pair.label)


def test_claims_of_people_are_falsified_beside_themselves() -> None:
    true = Pair(" ".join(TEXT), "Jonas Weir rescued 1,234 people from Skerra, said Ada Brandt.", "entailment", "s")
    other = Pair(TEXT[0], "Nobody was there.", "contradiction", "s")
    for seed in range(20):
        made = edited_pairs([true, other], random.Random(seed), limit=10)
        assert [pair.label == "entailment" for pair in made] in ([False, True], [])
        assert all(pair.premise == true.premise for pair in made)


def test_what_followed_is_exchanged_with_what_caused_it() -> None:
    turned, _ = FALSIFIERS["turned"]
    said = "The harbour was closed after the storm had sunk two ships."
    assert turned(said, [], random.Random(0)) == "The storm had sunk two ships after the harbour was closed."
    assert turned("The harbour was closed on Monday.", [], random.Random(0)) is None


def test_a_false_answer_is_of_the_text_and_stands_beside_the_true_one() -> None:
    def row(question: str, source: str, *answers: Span, fold: int = 1) -> Row:
        return Row(question=question, context=" ".join(TEXT), answers=answers, source=source, fold=fold)

    rows = [
        row("Who said that all were rescued?", "squad1", Span("Jonas Weir", 117)),
        row("Who praised him?", "squad1", Span("Ada Brandt", 214)),
        row("Who praised her?", "squad2"),
        row("Who left?", "squadshifts_reddit"),
        row("Who ran?", "squad1", fold=0),
        msgspec.structs.replace(row("Who thanked him?", "written_news"), plausible_answers=(Span("Ada Brandt", 214),)),
    ]
    asked = asked_of(rows, fold=0)
    assert [(each.at, each.answer) for each in asked] == [(1, "Jonas Weir"), (2, "Ada Brandt"), (-1, ""), (2, "")]
    made = list(itertools.islice(question_pairs(asked, random.Random(1)), 40))
    found = {(pair.hypothesis, pair.label) for pair in made}
    assert ("Ada Brandt praised him.", "entailment") in found
    assert ("Jonas Weir praised him.", "not_entailment") in found
    assert ("Ada Brandt said that all were rescued.", "not_entailment") in found
    assert any(pair.source == "asked:open" for pair in made)
    assert ("Ada Brandt thanked him.", "not_entailment") in found, "what tempts is false"


def test_a_sentence_of_a_set_is_learnt_only_where_its_own_truth_is_known() -> None:
    def row(response: str, *, supported: bool, **said: Any) -> GroundingRow:
        return GroundingRow(
            set="summedits", id="1", domain="", group="g", document="", response=response, supported=supported, **said
        )

    rows = [
        row("It rained. Boats sank.", supported=True),
        row("It rained. Boats flew.", supported=False, original="It rained. Boats sank."),
        row("It was dry. Boats flew.", supported=False),
        row("It was hot. Boats burnt.", supported=False, wrong=((12, 23),)),
        row("Cars burnt.", supported=False),
    ]
    found = {(claim, supported) for _, claim, supported in judged_sentences(rows)}
    assert found == {
        ("It rained.", True),
        ("Boats sank.", True),
        ("Boats flew.", False),
        ("Boats burnt.", False),
        ("Cars burnt.", False),
    }
