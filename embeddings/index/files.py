"""The index files on disk: either exactly a snapshot, or not used.

Each segment lies in two files, by vector and by term, named for what is in them and never changed: saving writes the
segments that are new. A file is written under a temporary name, flushed to the disk and renamed; the manifest, which
holds the hash of each file and the state of the store they show, comes last. Whatever does not match is made again from
the store. (FAISS itself loads a file with a zeroed sector without a word and then finds the wrong passages.)

Files are checked when they are opened. Those of large, quantised segments are then read in place: the system keeps of
them what is used. What they find is ranked by the store's own vectors, and shown only with an unbroken seal.
"""

import hashlib
import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from embeddings.encoders import EncoderIdentity
from embeddings.errors import IndexDamaged
from embeddings.index import Buffer, dense, lexical
from embeddings.index.snapshot import Segment
from embeddings.index.terms import ANALYSIS
from embeddings.store.database import Fault
from embeddings.store.reads import State

_MANIFEST = "manifest.json"
_OURS = (".vectors", ".terms", ".tmp", ".faiss", ".npz")
"""How our files end; the last two are those of earlier versions."""
_LAYOUT = 2


class IndexOutdated(IndexDamaged):
    """The files are whole but show another state of the store, or there are none: normal after a crash."""


class FileRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One derived file."""

    name: str
    size: int
    sha256: str


class SegmentRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two files of a segment."""

    rows: int
    first: int
    """The least of its keys."""
    quantised: bool
    vectors: FileRecord
    terms: FileRecord


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the files show."""

    layout: int
    analysis: str
    store: str
    change: int
    stamp: str
    generation: int
    identity: EncoderIdentity
    top: int
    segments: tuple[SegmentRecord, ...]
    """In order of their keys; passages removed since one was made are still in it."""


class SealedManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest with the hash of its own bytes."""

    manifest: msgspec.Raw
    sha256: str


class _Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What every version's manifest says."""

    layout: int
    analysis: str


def write(folder: Path, segment: Segment, *, fault: Fault) -> SegmentRecord:
    """Write the files of one segment. Nothing uses them before a manifest names them. Raises OSError."""
    folder.mkdir(exist_ok=True)
    return SegmentRecord(
        rows=segment.size,
        first=int(segment.near.keys[0]),
        quantised=segment.quantised,
        vectors=_put_named(folder, "vectors", dense.dump(segment.near), fault=fault),
        terms=_put_named(folder, "terms", lexical.dump(segment.posted), fault=fault),
    )


def save(folder: Path, state: State, top: int, segments: Sequence[SegmentRecord], *, fault: Fault) -> None:
    """Let files that are there be what shows a state, and remove all others. Raises OSError; then nothing changed."""
    if state.active is None or not segments:
        (folder / _MANIFEST).unlink(missing_ok=True)
        _remove_others(folder, ())
        return
    manifest = Manifest(
        layout=_LAYOUT,
        analysis=ANALYSIS,
        store=state.store,
        change=state.change,
        stamp=state.stamp,
        generation=state.active.number,
        identity=state.active.identity,
        top=top,
        segments=tuple(segments),
    )
    written = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    sealed = SealedManifest(manifest=msgspec.Raw(written), sha256=hashlib.sha256(written).hexdigest())
    _put(folder, _MANIFEST, msgspec.json.encode(sealed), step=_MANIFEST, fault=fault)
    _remove_others(folder, segments)


def manifest_of(folder: Path, state: State) -> Manifest:
    """Read the manifest, if it shows exactly this state. Raises IndexOutdated or IndexDamaged."""
    manifest = read_manifest(folder)
    if not shows(manifest, state):
        raise outdated(folder, manifest, state)
    return manifest


def shows(manifest: Manifest, state: State) -> bool:
    """Whether files are of exactly this state."""
    return (manifest.store, manifest.stamp) == (state.store, state.stamp)


def outdated(folder: Path, manifest: Manifest, state: State) -> IndexOutdated:
    """What is to be said of files of another state."""
    return IndexOutdated(
        f"the index files in {folder} show change {manifest.change} of their store; this one is at {state.change}"
    )


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest. Raises IndexOutdated where this program did not make it, IndexDamaged where it was altered."""
    try:
        sealed = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=SealedManifest)
        if hashlib.sha256(bytes(sealed.manifest)).hexdigest() != sealed.sha256:
            raise IndexDamaged(f"{folder / _MANIFEST} is not the manifest that was saved")
        known = msgspec.json.decode(sealed.manifest, type=_Layout)
        if (known.layout, known.analysis) != (_LAYOUT, ANALYSIS):
            raise IndexOutdated(f"the index files in {folder} were made by another version of this program")
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except FileNotFoundError:
        raise IndexOutdated(f"there are no index files in {folder} yet") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise IndexDamaged(f"{folder / _MANIFEST} cannot be read: {error}") from error


def opened(folder: Path, record: SegmentRecord, *, dimension: int) -> Segment:
    """Open the files of a segment. Raises IndexDamaged when they are not what was saved."""
    bytes_of = _mapped if record.quantised else _read
    near = dense.load(bytes_of(folder, record.vectors), dimension=dimension, sifted=record.quantised)
    posted = lexical.load(bytes_of(folder, record.terms))
    if len(near.keys) != record.rows or not np.array_equal(near.keys, posted.keys):
        raise IndexDamaged(f"the index files {record.vectors.name} and {record.terms.name} do not fit together")
    return Segment(near, posted)


def are_there(folder: Path, record: SegmentRecord) -> bool:
    """Whether the files of a segment are in place; not whether they are what was saved."""
    try:
        return all((folder / file.name).stat().st_size == file.size for file in (record.vectors, record.terms))
    except OSError:
        return False


def _read(folder: Path, record: FileRecord) -> Buffer:
    """The bytes of a file, if they are the bytes that were saved."""
    try:
        content = (folder / record.name).read_bytes()
    except OSError as error:
        raise IndexDamaged(f"{folder / record.name} cannot be read: {error}") from error
    if (len(content), hashlib.sha256(content).hexdigest()) != (record.size, record.sha256):
        raise IndexDamaged(f"{folder / record.name} is not the file that was saved")
    return content


def _mapped(folder: Path, record: FileRecord) -> Buffer:
    """The same, in place: checked now, and read from the disk again where the system had to drop some of them."""
    path = folder / record.name
    try:
        with path.open("rb") as file:
            size, digest = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
            if (size, digest) != (record.size, record.sha256):
                raise IndexDamaged(f"{path} is not the file that was saved")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise IndexDamaged(f"{path} cannot be read: {error}") from error


def _put_named(folder: Path, kind: str, content: bytes | memoryview, *, fault: Fault) -> FileRecord:
    """Put a file in place under a name that no file with another content has."""
    digest = hashlib.sha256(content).hexdigest()
    name = f"{digest[:32]}.{kind}"
    _put(folder, name, content, step=kind, fault=fault)
    return FileRecord(name=name, size=len(content), sha256=digest)


def _put(folder: Path, name: str, content: bytes | memoryview, *, step: str, fault: Fault) -> None:
    """Put a file in place so that a crash leaves the old one or the new one, whole."""
    path, temporary = folder / name, folder / f"{name}.tmp"
    fault(f"before writing {step}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fault(f"before renaming {step}")
    temporary.replace(path)
    flush(folder)
    fault(f"after renaming {step}")


def flush(path: Path) -> None:
    """Have the disk hold what was written to a file, or which files lie in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _remove_others(folder: Path, segments: Sequence[SegmentRecord]) -> None:
    """Remove files that no manifest names any more; whoever has one open goes on reading it."""
    kept = {file.name for segment in segments for file in (segment.vectors, segment.terms)}
    for path in folder.glob("*"):
        if path.suffix in _OURS and path.name not in kept:
            path.unlink(missing_ok=True)
