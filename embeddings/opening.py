"""Opens a store at a place, as a corpus with what its operator needs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import EncoderIdentity
from embeddings.errors import InputError, StoreCorrupt, StoreError
from embeddings.index.files import flush
from embeddings.integrity import Finding, Stats
from embeddings.store.database import copy_database
from embeddings.types import CorpusCounts, Held, HeldPage, Hit, IndexedArticle, Place, Where

if TYPE_CHECKING:
    from embeddings.postgres.corpus import PostgresCorpus


class KeptCorpus(Corpus, Protocol):
    """A corpus with what its operator asks of it."""

    def whole(self, *, after: int | None, limit: int) -> HeldPage:
        """Articles with everything that is kept of them, as they were written, from the place after `after`."""

    def take(self, articles: Sequence[Held]) -> None:
        """Do what `replace` does, and keep earlier versions, too."""

    def encode_anew(self, articles: Sequence[IndexedArticle]) -> None:
        """Do what `replace` does for articles held as given; what was changed or deleted meanwhile stays so."""

    def filling(self) -> AbstractContextManager[None]:
        """While this is open many articles are written: what is derived from all of them may wait until the end."""

    def verify(self) -> list[Finding]:
        """Check everything held against its hashes, and what is derived against what is held."""

    def rebuild(self) -> None:
        """Make what is derived again from what is held. Needs no encoder."""

    def stats(self) -> Stats:
        """Sizes and state."""


def open_corpus(
    place: Place, *, identity: EncoderIdentity, read_only: bool = False, else_read: bool = False
) -> KeptCorpus:
    """Open the store at a place for use with one encoder; a writer creates it where there is none.

    With `else_read` a folder opens for reading while another process writes to it (see `EmbeddedCorpus.open`); a server
    takes any number of writers. Raises StoreError.
    """
    if not place.server:
        return EmbeddedCorpus.open(place.folder, identity=identity, read_only=read_only, else_read=else_read)
    return _on_server(place, identity=identity, read_only=read_only)


def active_identity(place: Place) -> EncoderIdentity | None:
    """The encoder whose passages a store searches; None while nothing was stored. Raises StoreError."""
    nobody = EncoderIdentity(name="", revision="", dimension=1, max_tokens=1, normalised=True)
    with closing(open_corpus(place, identity=nobody, read_only=True)) as corpus:
        return next((one.identity for one in corpus.stats().generations if one.active), None)


def exists(place: Place) -> bool:
    """Whether anything was ever put into a store; one that is there and unreadable exists. Raises StoreError."""
    if not place.server:
        return (place.folder / "store.db").exists()
    _require_driver()
    from embeddings.postgres.database import exists as exists_on_server

    return exists_on_server(place.server, schema=place.schema)


def _on_server(place: Place, *, identity: EncoderIdentity, read_only: bool) -> PostgresCorpus:
    _require_driver()
    from embeddings.postgres.corpus import PostgresCorpus

    return PostgresCorpus.open(place, identity=identity, read_only=read_only)


def _require_driver() -> None:
    """Raise StoreError unless the driver is installed: only who asks for a server needs it."""
    try:
        import psycopg  # noqa: F401 - only whether it can be
        import psycopg_pool  # noqa: F401
    except ImportError as error:
        raise StoreError(
            f"QA_STORE names a server, and its driver is not installed ({error}): "
            ".venv/bin/pip install --requirement requirements-postgres.lock (the extra `postgres` of this package)"
        ) from None


# --- Keeping a store: backups of a folder while it serves and the way back, and moving a corpus to another store
# The source is read page by page while it serves. Articles that the target holds as they are cost a lookup, so that the
# same call goes on after an interruption; what changed behind the reader's back, the next round brings over.
_PAGE = 64
_ROUNDS = 3
_SAMPLED, _DEPTH = 40, 10
_CLOSE = 1e-4
_ALIKE = 0.95
"""Search in the target may be approximate; so much of each list must be the same."""


class CopyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one copy did, and how the two stores compare at its end."""

    copied: int
    """Articles written; those that were there already are not among them."""
    left_out: tuple[str, ...]
    """Ids of articles that are damaged in the source, or not encoded: nothing is made up for them."""
    source: CorpusCounts
    target: CorpusCounts
    different: int
    """Articles that the two hold differently: other words, passages or vectors, or in the target alone."""
    versions_missing: int
    """Superseded versions that the target lacks."""
    searches: int
    """Searches made in both, each with a vector and words of a stored passage."""
    alike: float
    """Which share of their first ten passages was the same."""

    @property
    def verified(self) -> bool:
        """Whether the target holds exactly what the source does, and finds it."""
        same = self.source == self.target and not (self.different or self.versions_missing or self.left_out)
        return same and self.alike >= _ALIKE


def copy(source: KeptCorpus, target: KeptCorpus, *, progress: Callable[[int], None] = lambda _: None) -> CopyReport:
    """Bring every article of one corpus into another, then compare the two. Raises StoreError.

    `progress` hears how many articles have been looked at. Articles that only the target holds are left alone, and
    counted as different.
    """
    target.require_writing()
    copied = 0
    left_out: set[str] = set()
    for _ in range(_ROUNDS):
        written, left_out = _round(source, target, progress)
        copied += written
        if not written:
            break
    target.rebuild()
    return _compared(source, target, copied=copied, left_out=left_out)


def _round(source: KeptCorpus, target: KeptCorpus, progress: Callable[[int], None]) -> tuple[int, set[str]]:
    seen = written = 0
    left_out: set[str] = set()
    for page in _pages(source):
        new = _unlike(page.held, source, target)
        target.take(new)
        written += len(new)
        left_out.update(page.left_out)
        seen += len(page.held)
        progress(seen)
    return written, left_out


def _pages(source: KeptCorpus) -> Iterator[HeldPage]:
    after = None
    while True:
        page = source.whole(after=after, limit=_PAGE)
        yield page
        after = page.last
        if after is None:
            return


def _unlike(held: Sequence[Held], source: KeptCorpus, target: KeptCorpus) -> list[Held]:
    """Those of some articles that the target does not hold as the source does."""
    names = [each.indexed.article.id for each in held]
    expected, found = source.fingerprints(names), target.fingerprints(names)
    return [each for each, name in zip(held, names, strict=True) if expected.get(name) != found.get(name)]


def _compared(source: KeptCorpus, target: KeptCorpus, *, copied: int, left_out: set[str]) -> CopyReport:
    everything = Where()
    counts = source.count(everything)
    every = max(1, counts.articles // _SAMPLED)
    different = searches = same = wanted = seen = 0
    for page in _pages(source):
        different += len(_unlike(page.held, source, target))
        for held in page.held:
            seen += 1
            if seen % every == 0 and searches < _SAMPLED:
                both, most = _searched(held, source, target)
                searches, same, wanted = searches + 1, same + both, wanted + most
    held_there = target.count(everything)
    return CopyReport(
        copied=copied,
        left_out=tuple(sorted(left_out)),
        source=counts,
        target=held_there,
        different=different + max(0, held_there.articles - seen),
        versions_missing=max(0, source.stats().versions - target.stats().versions),
        searches=searches,
        alike=same / wanted if wanted else 1.0,
    )


def _searched(held: Held, source: KeptCorpus, target: KeptCorpus) -> tuple[int, int]:
    """How many passages of the source's first ones a search finds in the target, too, and how many there are."""
    first = held.indexed.passages[0]
    here, there = (
        corpus.search(first.vector, first.passage.text[:80], k=_DEPTH, where=Where()) for corpus in (source, target)
    )
    both = 0
    for expected, found in ((here.dense, there.dense), (here.lexical, there.lexical)):
        names, least = set(_names(target, found)), min((hit.score for hit in found), default=0.0)
        # Of equally good ones, either store may leave out another.
        both += sum(
            name in names or hit.score <= least * (1 + _CLOSE)
            for name, hit in zip(_names(source, expected), expected, strict=True)
        )
    return both, len(here.dense) + len(here.lexical)


def _names(corpus: KeptCorpus, hits: Sequence[Hit]) -> list[str]:
    found = corpus.passages([hit.key for hit in hits])
    return [found[hit.key].passage.id if hit.key in found else "" for hit in hits]


_MANIFEST = "backup.json"


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    size: int
    sha256: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    made_at: str
    files: tuple[BackedUp, ...]


def back_up(folder: Path, target: Path, *, names: Sequence[str]) -> Backup:
    """Copy those of some databases that a folder has into a new folder, which appears only when it is whole.

    Each file shows one state, a later one than all that was acknowledged before the call. Raises InputError where the
    target exists, StoreError where there is nothing to copy or it cannot be written.
    """
    found = [name for name in names if (folder / name).exists()]
    if not found:
        raise StoreError(f"there is no store in {folder}: nothing was backed up")
    if target.exists():
        raise InputError(f"{target} is there already; name a new folder for each backup")
    partial = target.with_name(f"{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
        for name in found:
            copy_database(folder / name, partial / name)
            (partial / name).chmod(0o600)
        backup = Backup(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            files=tuple(_described(partial / name) for name in found),
        )
        (partial / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(backup), indent=1))
        for path in partial.iterdir():
            flush(path)
        partial.rename(target)
        flush(target.parent)
    except OSError as error:
        raise StoreError(f"the backup in {target} cannot be written: {error}") from error
    return backup


def restore(source: Path, folder: Path) -> Backup:
    """Put the files of a backup into a folder that has none of them, after checking their hashes.

    Raises InputError where the folder holds any of them or the source is no backup, StoreCorrupt where one is not what
    was backed up; then nothing was written.
    """
    try:
        backup = msgspec.json.decode((source / _MANIFEST).read_bytes(), type=Backup)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{source} is no backup (`qa backup` makes one): {error}") from error
    for file in backup.files:
        if Path(file.name).name != file.name:
            raise InputError(f"{source} names a file outside of itself ({file.name!r}); it was not made by `qa backup`")
        for name in (file.name, f"{file.name}-wal"):  # the log of another file would be taken for this one's
            if (folder / name).exists():
                raise InputError(f"{folder / name} is there already; restore into another folder (QA_DATA_DIR)")
        if not (source / file.name).is_file() or _described(source / file.name) != file:
            raise StoreCorrupt(f"{source / file.name} is not the file that was backed up; nothing was restored")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in backup.files:
            partial = folder / f"{file.name}.partial"
            shutil.copyfile(source / file.name, partial)
            partial.chmod(0o600)
            flush(partial)
            partial.rename(folder / file.name)
        flush(folder)
    except OSError as error:
        raise StoreError(f"the backup cannot be put into {folder}: {error}") from error
    return backup


def _described(path: Path) -> BackedUp:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackedUp(name=path.name, size=path.stat().st_size, sha256=digest)
