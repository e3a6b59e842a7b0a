"""The derived indexes on disk: takes a picture, gives files that are either exactly it or not used.

A file is written under a temporary name, flushed to the disk and renamed; the manifest, which holds the hash of
each file and the state of the store it shows, comes last. Whatever does not match is made again from the store.
(FAISS itself loads a file with a zeroed sector without a word and then finds the wrong passages.)
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np

from embeddings.encoders.encoder import EncoderIdentity
from embeddings.errors import IndexDamaged
from embeddings.index import dense, lexical
from embeddings.index.snapshot import Segment, Snapshot
from embeddings.index.terms import ANALYSIS
from embeddings.store.database import Fault
from embeddings.store.reads import State

__all__ = ["IndexOutdated", "load", "save"]

_VECTORS, _TERMS, _MANIFEST = "vectors.faiss", "terms.npz", "manifest.json"


class IndexOutdated(IndexDamaged):
    """The files are whole but show another state of the store, or there are none: normal after a crash."""


class FileRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One derived file."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the files show."""

    layout: int
    analysis: str
    store: str
    change: int
    stamp: str
    generation: int
    identity: EncoderIdentity
    rows: int
    top: int
    files: tuple[FileRecord, FileRecord]


class SealedManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest with the hash of its own bytes."""

    manifest: msgspec.Raw
    sha256: str


_LAYOUT = 1


def save(folder: Path, snapshot: Snapshot, *, fault: Fault) -> None:
    """Write a picture that consists of one segment at most. Raises OSError; the files before stay usable or unused."""
    active = snapshot.state.active
    if active is None or not snapshot.segments:
        (folder / _MANIFEST).unlink(missing_ok=True)
        return
    (segment,) = snapshot.segments
    folder.mkdir(exist_ok=True)
    vectors = _put(folder, _VECTORS, dense.dump(segment.near), fault=fault)
    words = _put(folder, _TERMS, lexical.dump(segment.posted, snapshot.vocabulary), fault=fault)
    manifest = Manifest(
        layout=_LAYOUT,
        analysis=ANALYSIS,
        store=snapshot.state.store,
        change=snapshot.state.change,
        stamp=snapshot.state.stamp,
        generation=active.number,
        identity=active.identity,
        rows=len(segment.near.keys),
        top=snapshot.top,
        files=(vectors, words),
    )
    written = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    sealed = SealedManifest(manifest=msgspec.Raw(written), sha256=hashlib.sha256(written).hexdigest())
    _put(folder, _MANIFEST, msgspec.json.encode(sealed), fault=fault)


def load(folder: Path, state: State) -> Snapshot:
    """Read the files if they are exactly the picture of this state.

    Raises IndexOutdated when they show another state or are not there, IndexDamaged when they are not what was saved.
    """
    manifest = _read_manifest(folder)
    if (manifest.layout, manifest.analysis) != (_LAYOUT, ANALYSIS):
        raise IndexOutdated(f"the index files in {folder} were made by another version of this program")
    if (manifest.store, manifest.stamp) != (state.store, state.stamp):
        raise IndexOutdated(
            f"the index files in {folder} show change {manifest.change} of their store; this one is at {state.change}"
        )
    vectors, words = (_read(folder, record) for record in manifest.files)
    near = dense.load(vectors, dimension=manifest.identity.dimension)
    posted, vocabulary = lexical.load(words)
    if not len(near.keys) == manifest.rows or not np.array_equal(near.keys, posted.keys):
        raise IndexDamaged(f"the index files in {folder} do not fit together")
    alive = np.zeros(manifest.top + 1, dtype=np.bool_)
    alive[near.keys] = True
    segments = (Segment(near, posted),)
    return Snapshot(state=state, top=manifest.top, alive=alive, segments=segments, vocabulary=vocabulary, filters={})


def _read_manifest(folder: Path) -> Manifest:
    try:
        sealed = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=SealedManifest)
        manifest = msgspec.json.decode(sealed.manifest, type=Manifest)
    except FileNotFoundError:
        raise IndexOutdated(f"there are no index files in {folder} yet") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise IndexDamaged(f"{folder / _MANIFEST} cannot be read: {error}") from error
    if hashlib.sha256(bytes(sealed.manifest)).hexdigest() != sealed.sha256:
        raise IndexDamaged(f"{folder / _MANIFEST} is not the manifest that was saved")
    return manifest


def _read(folder: Path, record: FileRecord) -> bytes:
    """The bytes of a file, if they are the bytes that were saved."""
    try:
        content = (folder / record.name).read_bytes()
    except OSError as error:
        raise IndexDamaged(f"{folder / record.name} cannot be read: {error}") from error
    if len(content) != record.size or hashlib.sha256(content).hexdigest() != record.sha256:
        raise IndexDamaged(f"{folder / record.name} is not the file that was saved")
    return content


def _put(folder: Path, name: str, content: bytes | memoryview, *, fault: Fault) -> FileRecord:
    """Put a file in place so that a crash leaves the old one or the new one, whole."""
    path, temporary = folder / name, folder / f"{name}.tmp"
    fault(f"before writing {name}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fault(f"before renaming {name}")
    temporary.replace(path)
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
    fault(f"after renaming {name}")
    return FileRecord(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
