"""One body of tests for every encoder, and what each owes beyond it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.encoders import BUNDLED_MODEL, LIBRARY_NAME, Encoder, EncoderIdentity, bundled, load, revision
from embeddings.encoders.bundled import BundledEncoder
from embeddings.encoders.sentence_transformer import SentenceTransformerEncoder
from embeddings.errors import EncoderError, WeightsMismatch

TINY_MAX_TOKENS = 32
PLAIN = ["The ferry ran aground on Tuesday.", "Nobody was hurt.", "Rain fell in the hills; the river rose 3.5 metres."]
STRANGE = {
    "empty": "",
    "space": " \t\n ",
    "emoji": "Thanks 🙏🏽 said 👨‍👩‍👧 today",
    "combining": "Sa\u0303o Bra\u0301ulio met Zoe\u0308",
    "right to left": "قال المتحدث إن المدينة آمنة",
    "chinese": "渡轮星期二搁浅",
    "astral": "𝔉𝔢𝔯𝔯𝔶 𐍈",
    "lone punctuation": "…",
    "control characters": "a\x00b\x7f\u200bc\ufeff",
    "line ends": "one\r\ntwo\rthree",
}


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Encoder]:
    """Every encoder under test, loaded once, and let go with this module."""
    tiny = make_tiny_model(tmp_path_factory.mktemp("models"))
    found = {"hashing": load("hashing"), "bundled": load(BUNDLED_MODEL), "folder": load(str(tiny))}
    return {**found, "library": load(LIBRARY_NAME)}


@pytest.fixture(params=["hashing", "bundled", "folder"])
def encoder(request: pytest.FixtureRequest, encoders: dict[str, Encoder]) -> Encoder:
    return encoders[request.param]


@pytest.fixture(scope="module")
def tiny_model(encoders: dict[str, Encoder]) -> Path:
    """The folder of the tiny model; copy it before changing anything."""
    return Path(encoders["folder"].identity.name)


def make_tiny_model(folder: Path) -> Path:
    """Save a one-layer BERT with random weights, in the layout that sentence-transformers writes today."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.manual_seed(0)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", *letters, *(f"##{c}" for c in letters)]
    bare = folder / "bare"
    bare.mkdir()
    (bare / "vocab.txt").write_text("\n".join(entries), encoding="utf-8")
    BertTokenizer(str(bare / "vocab.txt")).save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(entries),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=2 * TINY_MAX_TOKENS,
    )
    BertModel(config).save_pretrained(bare)
    body = Transformer(str(bare), max_seq_length=TINY_MAX_TOKENS)
    model = SentenceTransformer(modules=[body, Pooling(config.hidden_size)], device="cpu")
    model.save(str(folder / "tiny"), create_model_card=False)
    return folder / "tiny"


# --- every encoder


def test_vectors_have_the_promised_shape_type_and_length(encoder: Encoder) -> None:
    rows = encoder.encode_passages([*PLAIN, *STRANGE.values()])
    assert rows.shape == (len(PLAIN) + len(STRANGE), encoder.identity.dimension)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_a_query_vector_is_one_row(encoder: Encoder) -> None:
    vector = encoder.encode_query(PLAIN[0])
    assert vector.shape == (encoder.identity.dimension,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_the_same_text_gives_the_same_vector(encoder: Encoder) -> None:
    np.testing.assert_array_equal(encoder.encode_passages(PLAIN), encoder.encode_passages(PLAIN))
    np.testing.assert_array_equal(encoder.encode_query(PLAIN[0]), encoder.encode_query(PLAIN[0]))


def test_rows_keep_the_order_of_the_texts(encoder: Encoder) -> None:
    # More texts than one batch, lengths mixed: batching sorts by length inside.
    texts = [f"report {i}{' of mud and rain' * (i % 7)}" for i in range(70)]
    rows = encoder.encode_passages(texts)
    alone = np.stack([encoder.encode_passages([text])[0] for text in texts])
    np.testing.assert_allclose(rows, alone, atol=1e-5)
    assert len({row.tobytes() for row in rows}) == len(texts)


def test_different_texts_have_different_vectors(encoder: Encoder) -> None:
    one, two = encoder.encode_passages(["rain in the hills", "the captain was sober"])
    assert float(one @ two) < 0.999


def test_nothing_in_nothing_out(encoder: Encoder) -> None:
    assert encoder.encode_passages([]).shape == (0, encoder.identity.dimension)
    assert encoder.encode_passages([]).dtype == np.float32
    assert encoder.count_tokens([]) == []


def test_counts_are_not_cut_at_what_the_encoder_reads(encoder: Encoder) -> None:
    counts = encoder.count_tokens(["word " * 10, "word " * 1000, "word " * 2000])
    assert counts[1] > max(1000, encoder.identity.max_tokens)
    assert counts[2] - counts[1] == 1000 * (counts[0] - encoder.count_tokens([""])[0]) // 10


def test_counts_do_not_depend_on_the_texts_beside(encoder: Encoder) -> None:
    texts = ["short", "a longer text than that " * 9, ""]
    assert encoder.count_tokens(texts) == [encoder.count_tokens([text])[0] for text in texts]


@given(text=st.text(max_size=40))
@settings(max_examples=60)
def test_any_unicode_can_be_encoded(encoders: dict[str, Encoder], text: str) -> None:
    for encoder in (encoders["hashing"], encoders["bundled"], encoders["folder"]):
        assert np.linalg.norm(encoder.encode_query(text)) == pytest.approx(1.0, abs=1e-5)


def test_identity_says_what_the_encoder_is(encoder: Encoder) -> None:
    identity = encoder.identity
    assert identity.normalised
    assert identity.dimension == encoder.encode_query("x").shape[0]
    assert identity.max_tokens > 2
    assert load(identity.name).identity == identity


def test_hashing_finds_shared_words_whatever_their_case() -> None:
    encoder = load("hashing")
    question = encoder.encode_query("FERRY aground")
    near, far = encoder.encode_passages(["The ferry ran aground", "A comet passed the mountain"])
    assert question @ near > question @ far + 0.2


def test_hashing_is_the_same_on_every_machine() -> None:
    vector = load("hashing").encode_query("ferry")
    found = {int(i): round(float(vector[i]), 4) for i in np.flatnonzero(vector)}
    assert found == {16: 0.6667, 31: 0.3333, 146: -0.3333, 158: -0.3333, 233: 0.3333, 247: 0.3333}


# --- the bundled model


@pytest.mark.parametrize("name", ["bundled", "library"])
def test_counts_are_the_models_own(encoders: dict[str, Encoder], name: str) -> None:
    library = encoders["library"]
    assert isinstance(library, SentenceTransformerEncoder)
    tokenizer = library._model.tokenizer
    texts = [*PLAIN, *STRANGE.values(), "Unpronounceable " * 200]
    own = [len(tokenizer(text, truncation=False, verbose=False)["input_ids"]) for text in texts]
    assert encoders[name].count_tokens(texts) == own


PIECES = st.one_of(
    st.sampled_from(["[SEP]", "[MASK", "]", "##s", "rain", "s", "\t", "\x1f", "\u0301", "x" * 99, *bundled._MARKS]),
    st.characters(exclude_categories=("Cs",)),
)


@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=20), most=st.sampled_from([0, 50_000]))
def test_counts_of_remembered_words_are_those_of_the_whole_text(
    encoders: dict[str, Encoder], pieces: list[str], most: int
) -> None:
    encoder = encoders["bundled"]
    assert isinstance(encoder, BundledEncoder)
    texts = ["".join(pieces), " ".join(pieces), "\n".join(pieces)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundled, "_MOST_WORDS", most)  # 0: all of them are forgotten each time
        assert encoder.count_tokens(texts) == [len(encoder._tokenizer.encode(text)) for text in texts]


def test_the_network_says_what_the_model_says(encoders: dict[str, Encoder]) -> None:
    """Each text close, and texts as far apart as they were: retrieval on real data is what `make bench` holds it to."""
    texts = [*PLAIN, "It rained in Kelmar all day, and the river rose. " * 40, *STRANGE.values()]
    small, whole = encoders["bundled"].encode_passages(texts), encoders["library"].encode_passages(texts)
    cosines = (small * whole).sum(axis=1)
    assert cosines[: len(PLAIN) + 1].min() > 0.995
    assert cosines.min() > 0.97, "a lone mark or a script it hardly knows"
    assert np.abs(small[:3] @ small[:3].T - whole[:3] @ whole[:3].T).max() < 0.02


@pytest.mark.parametrize("threads", [1, 3])
def test_a_vector_depends_on_no_other_text(encoders: dict[str, Encoder], threads: int) -> None:
    """To the last bit, whatever the range of its neighbours' activations: what is kept by text is kept for good."""
    texts = [*PLAIN, *STRANGE.values(), "word " * 400, *PLAIN[::-1]]
    together = load(BUNDLED_MODEL, threads=threads).encode_passages(texts)
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_array_equal(row, encoders["bundled"].encode_query(text))


def test_an_altered_network_is_refused(tmp_path: Path) -> None:
    encoder = BundledEncoder(threads=1)
    shutil.copytree(encoder._folder, tmp_path / "altered")
    encoder._folder = tmp_path / "altered"
    with (tmp_path / "altered" / "encoder.onnx").open("r+b") as file:
        file.seek(9_000_000)
        file.write(bytes(8))
    with pytest.raises(WeightsMismatch, match=r"encoder\.onnx has SHA-256"):
        encoder.encode_query("fog")
    (tmp_path / "altered" / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsMismatch, match=r"tokenizer\.json"):
        encoder.count_tokens(["fog"])


def test_one_model_in_two_runtimes_is_two_encoders(encoders: dict[str, Encoder]) -> None:
    small, whole = encoders["bundled"].identity, encoders["library"].identity
    assert isinstance(encoders["library"], SentenceTransformerEncoder)
    assert small.revision == whole.revision == revision(encoders["library"]._folder)
    assert small.runtime.startswith("onnxruntime int8 ")
    assert small != whole
    assert small.key != whole.key


def test_stores_know_the_former_default_again(encoders: dict[str, Encoder]) -> None:
    """It was kept under this name, without a word of a runtime."""
    assert json.loads(msgspec.json.encode(encoders["library"].identity)) == {
        "name": BUNDLED_MODEL,
        "revision": "c4a57a7f2011f2562b4fb34246d45976f6bb611ae1810569e0bd235637e8475f",
        "dimension": 384,
        "max_tokens": 256,
        "normalised": True,
    }


def test_what_exceeds_the_limit_is_what_the_model_cuts(encoders: dict[str, Encoder]) -> None:
    encoder = encoders["bundled"]
    limit = encoder.identity.max_tokens
    assert limit == 256
    full = "word " * (limit - 2)
    assert encoder.count_tokens([full]) == [limit]
    vectors = encoder.encode_passages([full + "Derna", full + "comet", "word " * (limit - 3) + "comet"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert float(vectors[1] @ vectors[2]) < 0.9999


@pytest.mark.parametrize(
    ("name", "used"), [("library", "pass"), ("bundled", "e.encode_query('x'); e.encode_passages('ab')")]
)
def test_what_needs_no_torch(encoders: dict[str, Encoder], name: str, used: str) -> None:
    """Identity and counts of any encoder, and all that the bundled one does for articles and questions."""
    code = (
        "import sys, msgspec; from embeddings.encoders import load; e = load(sys.argv[1]);"
        f"counts = e.count_tokens(['four words are here']); {used};"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules);"
        "sys.stdout.buffer.write(msgspec.json.encode([e.identity, counts]))"
    )
    named = {"library": LIBRARY_NAME, "bundled": BUNDLED_MODEL}[name]
    ran = subprocess.run([sys.executable, "-c", code, named], capture_output=True, check=True, text=True)
    identity, counts = json.loads(ran.stdout)
    assert msgspec.convert(identity, EncoderIdentity) == encoders[name].identity
    assert counts == [6]


# --- any other model folder


def test_the_limit_is_the_one_the_model_applies(encoders: dict[str, Encoder]) -> None:
    encoder = encoders["folder"]
    assert isinstance(encoder, SentenceTransformerEncoder)
    assert encoder.identity.max_tokens == encoder._model.max_seq_length == TINY_MAX_TOKENS


def test_prompts_count_and_are_used(tiny_model: Path, tmp_path: Path) -> None:
    prompted = tmp_path / "prompted"
    shutil.copytree(tiny_model, prompted)
    set_json(prompted / "config_sentence_transformers.json", prompts={"query": "ask ", "document": "say it "})
    encoder, plain = load(str(prompted)), load(str(tiny_model))
    assert encoder.identity.revision == revision(prompted)
    assert encoder.count_tokens(["fog"]) == plain.count_tokens(["say it fog"])
    np.testing.assert_allclose(encoder.encode_query("fog"), plain.encode_query("ask fog"), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_passages(["fog"]), plain.encode_passages(["say it fog"]), atol=1e-6)


@pytest.mark.parametrize(
    ("config", "given"),
    [
        ({"prompts": {"query": "ask ", "passage": "say it "}}, {}),
        ({"prompts": {"query": "ask ", "any": "say it "}, "default_prompt_name": "any"}, {}),
        ({"prompts": {"query": "tell ", "document": ""}}, {"query_prompt": "ask", "passage_prompt": "say it"}),
    ],
    ids=["by another name", "by default", "given"],
)
def test_prompts_that_the_library_does_not_take_by_itself(
    tiny_model: Path, tmp_path: Path, config: dict[str, object], given: dict[str, str]
) -> None:
    prompted = tmp_path / "prompted"
    shutil.copytree(tiny_model, prompted)
    set_json(prompted / "config_sentence_transformers.json", **config)
    encoder, plain = load(str(prompted), **given), load(str(tiny_model))  # type: ignore[arg-type]
    assert encoder.count_tokens(["fog"]) == plain.count_tokens(["say it fog"])
    np.testing.assert_allclose(encoder.encode_query("fog"), plain.encode_query("ask fog"), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_passages(["fog"]), plain.encode_passages(["say it fog"]), atol=1e-6)
    assert encoder.identity.revision != revision(prompted), "other vectors than this model's were until now"


def test_pickled_weights_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    shutil.copytree(tiny_model, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="pickled weights are refused"):
        load(str(pickled))


@pytest.mark.parametrize("name", ["no-such/model-anywhere", "not a model!", "/no/such/folder", "a/b/c"])
def test_an_unknown_name_says_what_to_do(name: str) -> None:
    with pytest.raises(EncoderError, match=f"QA_ENCODER.*{BUNDLED_MODEL}"):
        load(name)


def set_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")
