"""Opens the networks that ship as ONNX and their tokenizers: verified by hash, few threads, none of them spinning."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.errors import EncoderError, WeightsMismatch
from embeddings.runtime.processors import native_threads

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

__all__ = ["open_session", "open_tokenizer", "sha256_of"]

_parsed: dict[str, Tokenizer] = {}
"""By the hash of their file; networks that ship have the same one."""


def open_session(path: Path, *, sha256: str, threads: int = 0) -> onnxruntime.InferenceSession:
    """Load a network whose file has this SHA-256 (hex); `threads` of 0 means one per usable core.

    Raises EncoderError where the file cannot be read, WeightsMismatch where it is another one.
    """
    import onnxruntime

    found = sha256_of(path)
    if found != sha256:
        raise WeightsMismatch(f"{path} has SHA-256 {found}, expected {sha256}; reinstall the package")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = native_threads(threads)
    options.inter_op_num_threads = 1
    # A thread that waits by spinning takes the core from whatever else runs on the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        path,
        options,
        providers=["CPUExecutionProvider"],
        # What these make of two operators takes longer than both, by a quarter of an encoder's time (1.32).
        disabled_optimizers=["SkipLayerNormFusion", "EmbedLayerNormFusion"],
    )


def open_tokenizer(path: Path, *, sha256: str = "") -> Tokenizer:
    """Read a tokenizer whose file has this SHA-256 (hex; empty: any), set to cut and pad nothing.

    It is the caller's own to set up. Its vocabulary is shared with others from the same content: reading that takes as
    long as encoding a dozen questions. Raises EncoderError where the file cannot be read, WeightsMismatch where it is
    another one.
    """
    from tokenizers import Tokenizer

    found = sha256_of(path)
    if sha256 and found != sha256:
        raise WeightsMismatch(f"{path} is not the one that belongs to the network; reinstall the package")
    if found not in _parsed:
        _parsed[found] = Tokenizer.from_file(str(path))
    whole = _parsed[found]
    own = Tokenizer(whole.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        setattr(own, part, getattr(whole, part))
    own.add_special_tokens([token for _, token in sorted(whole.get_added_tokens_decoder().items())])
    return own


def sha256_of(path: Path) -> str:
    """Hash of a file, hex. Raises EncoderError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"cannot read {path}: {error.strerror}") from None
