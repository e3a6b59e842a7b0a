"""Every reranker through the same body, and what reordering does to evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from embeddings.errors import EncoderError
from embeddings.types import Passage, StoredPassage
from qa.retrieval import Reranker, load_reranker, rerank
from qa.types import Evidence

QUESTION = "When did the harbour reopen?"
TEXTS = ["The harbour reopened on Monday.", "A court sat for six hours.", "x" * 5_000, "The harbour did reopen."]


def make_model(folder: Path, outputs: int) -> str:
    """Save a one-layer BERT with random weights that gives so many numbers."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    folder.mkdir()
    letters = "abcdefghijklmnopqrstuvwxyz"
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *letters, *(f"##{c}" for c in letters)]
    (folder / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(entries), max_position_embeddings=64, num_labels=outputs, **sizes)
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module", params=["words", "cross-encoder"])
def reranker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    model = tmp_path_factory.mktemp("rerankers") / "model"
    found = load_reranker(make_model(model, 1) if request.param == "cross-encoder" else "words", threads=1)
    assert found is not None
    return found


def test_a_score_for_each_text_always_the_same(reranker: Reranker) -> None:
    scores = list(reranker.scores(QUESTION, TEXTS))
    assert len(scores) == len(TEXTS)
    assert all(isinstance(score, float) and score == score for score in scores)
    assert len(set(scores)) > 1
    alone = [reranker.scores(QUESTION, [text])[0] for text in TEXTS]
    assert alone == pytest.approx(scores, abs=1e-4)
    assert list(reranker.scores(QUESTION, [])) == []
    assert reranker.identity


def test_no_name_no_reranker() -> None:
    assert load_reranker("") is None


def test_models_that_cannot_rerank_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError):
        load_reranker(str(tmp_path / "nothing"))
    several = load_reranker(make_model(tmp_path / "several", 3))
    assert several is not None
    with pytest.raises(EncoderError, match="3 numbers"):
        several.scores(QUESTION, TEXTS)


class Lengths:
    identity = "lengths"

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        assert question == QUESTION
        return [float(len(text)) for text in texts]


def evidence(text: str, *, title: str = "") -> Evidence:
    passage = Passage(id=text, article_id=text, article_version="v", start=0, end=len(text), text=text)
    stored = StoredPassage(
        key=0, passage=passage, title=title, source="", url=None, published_at=None, collection="", signature=b""
    )
    return Evidence(stored=stored, score=0.5, cosine=None)


def test_evidence_is_put_in_the_order_of_the_scores() -> None:
    found = [evidence("bb"), evidence("a"), evidence("cc"), evidence("d", title="long title")]
    kept = rerank(found, question=QUESTION, reranker=Lengths(), kept=3)
    assert [item.stored.passage.text for item in kept] == ["d", "bb", "cc"]
    assert kept[1] is found[0]
    assert rerank([], question="other", reranker=Lengths(), kept=3) == ()
