"""Every error that the offline half raises on purpose.

EmbeddingsError
├── InputError            the caller's input is at fault; nothing was written
│   ├── UnreadableFile    a file, or one record of it, cannot be read
│   ├── InvalidArticle    an article breaks a limit or has no usable text
│   └── AmbiguousId       an id is that of articles in several collections
├── EncoderError          the encoder cannot be loaded or gave unusable vectors
│   └── WeightsMismatch   a bundled weights file is not the file we pinned
├── StoreError            the store cannot be opened, read or written
│   ├── StoreBusy         another process is writing to it
│   ├── StoreReadOnly     its folder may be read only
│   ├── StoreFull         the disk has no room for what should be written
│   ├── StoreCorrupt      a stored text no longer matches its hash
│   └── EncoderMismatch   the store was filled by another encoder than the configured one
└── IndexDamaged          a derived index file does not match its manifest (it is rebuilt, never served)
"""


class EmbeddingsError(Exception):
    """Root of the tree; `str(error)` says what happened, where, and what to do."""


class InputError(EmbeddingsError):
    """The input is at fault; nothing of it was written."""


class UnreadableFile(InputError):
    """A file, or one record in it, cannot be read."""


class InvalidArticle(InputError):
    """An article breaks a limit or has no text left after cleaning."""


class AmbiguousId(InputError):
    """An id is that of articles in several collections, and the caller did not say which."""


class EncoderError(EmbeddingsError):
    """The encoder cannot be loaded, or returned vectors that must not be stored."""


class WeightsMismatch(EncoderError):
    """The bundled weights file does not have the SHA-256 this project pins."""


class StoreError(EmbeddingsError):
    """The store cannot be opened, read or written."""


class StoreBusy(StoreError):
    """Another process holds the store's write lock."""


class StoreReadOnly(StoreError):
    """The store may be read only: its folder does not let this user write, or it was opened so."""


class StoreFull(StoreError):
    """The disk, or the user's share of it, has no room for what should be written; what was stored can be read."""


class StoreCorrupt(StoreError):
    """A stored text no longer matches the hash it was stored under."""


class EncoderMismatch(StoreError):
    """The store's vectors come from another encoder than the one configured."""


class IndexDamaged(EmbeddingsError):
    """A derived index file does not match its manifest; rebuild it from the store."""
