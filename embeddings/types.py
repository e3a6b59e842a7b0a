"""The values of the offline half, all frozen.

Offsets are half-open Unicode code-point offsets into the canonical text of one article version.
"""

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
"""One embedding, shape (dimension,), float32."""

Vectors = npt.NDArray[np.float32]
"""Embeddings row by row, shape (n, dimension), float32, C-contiguous."""
Status = Literal["usable", "withheld", "canceled"]
"""Whether an article may be shown: `withheld` until its publisher says otherwise, `canceled` for good."""


class RawArticle(msgspec.Struct, frozen=True, kw_only=True):
    """One article as a parser found it: nothing cleaned, nothing normalised."""

    text: str
    title: str = ""
    id: str | None = None
    """The caller's own id, where it has one, which counts within its collection; otherwise one is derived (see
    `ingest`)."""
    url: str | None = None
    source: str | None = None
    published_at: str | None = None
    """As written in the source; cleaning turns it into ISO 8601 or drops it with a note."""
    language: str | None = None
    authors: tuple[str, ...] = ()
    section: str | None = None
    usage_terms: str | None = None
    embargoed_until: str | None = None
    """As written in the source; None where it says nothing of an embargo."""
    status: Status | None = None
    """None where the source says nothing of it: what was said of an earlier version then holds."""
    copies: bool = False
    """Whether what it says of when it may be shown holds for copies of the article, too (see `copies`)."""
    summary_only: bool = False
    """Whether this is a feed's summary of an article that stands elsewhere."""
    collection: str | None = None
    origin: str = ""
    """Where it was read, for messages: `path`, `path:line` or `request item 3`."""
    notes: tuple[str, ...] = ()
    """What the parser has to say of it: what it left out or could not be sure of."""
    pages: tuple[int, ...] = ()
    """Offsets in `text` at which its first page begins, its second …, where its source has pages."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A file or record that could not become an article; the others go on."""

    origin: str
    reason: str
    """For the person who must act: what is wrong and what would mend it."""
    link: str = ""
    """Where the article stands, as far as the source says."""
    refused: Literal["collection"] | None = None
    """Whether whoever sent it may not write to its collection."""


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one source text, cleaned."""

    id: str
    """Its own among all collections (see `identity.named_id`)."""
    version: str
    """SHA-256 (hex) of `text` in UTF-8."""
    title: str
    text: str
    """Canonical text: NFC, LF line ends, paragraphs parted by one empty line, no title inside."""
    source: str = ""
    url: str | None = None
    published_at: str | None = None
    """ISO 8601 date (`2024-06-04`) or time: UTC (`2024-06-04T10:30:00Z`), or with the source's zone where UTC would be
    another calendar day (`2024-06-04T23:30:00-04:00`). The first ten characters are the day as written."""
    language: str | None = None
    authors: tuple[str, ...] = ()
    collection: str = "default"
    pages: tuple[int, ...] = ()
    """Offsets in `text` at which its first page begins, its second …, where its source has pages (see `pages`)."""
    section: str = ""
    usage_terms: str = ""
    """On what terms its publisher lets it be used, in the publisher's words."""
    embargoed_until: str | None = None
    """ISO 8601 time in UTC before which nothing of it may be shown, whichever version."""
    status: Status = "usable"
    """Of the article, not of this version alone: where it is not `usable`, no version may be shown."""
    summary_only: bool = False
    """Whether `text` is a feed's summary only; the article itself takes its place when it comes."""


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A span of one article version, sized for one embedding: `article.text[start:end] == text`."""

    id: str
    article_id: str
    article_version: str
    start: int
    end: int
    text: str


class EncodedPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage with its embedding."""

    passage: Passage
    vector: Vector


class IndexedArticle(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one `Corpus.replace` writes for one article, all or nothing."""

    article: Article
    passages: tuple[EncodedPassage, ...]
    signature: bytes
    """MinHash signature of the canonical text (see `near_duplicates`)."""
    recipe: str = ""
    """How the passages were cut (see `passages.recipe`); part of the article's fingerprint."""
    known_by: tuple[str, ...] = ()
    """What later versions of it may be recognised by, beside its id (see `identity.known_by`)."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a corpus keeps of one article, so that another can take it over."""

    indexed: IndexedArticle
    earlier: tuple[Article, ...] = ()
    """Its superseded versions that can be read, the oldest first."""


class HeldPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some articles, those written first before the others: so that equal scores are ranked alike in a copy."""

    held: tuple[Held, ...]
    left_out: tuple[str, ...] = ()
    """Ids of those that are damaged, or have no passages of the encoder asked for."""
    last: int | None = None
    """The place to go on after; None at the end."""


class StoredPassage(msgspec.Struct, frozen=True, kw_only=True):
    """A passage as the store gives it back, with what a result list shows of its article."""

    key: int
    """The store's integer key, the only id FAISS ever sees."""
    passage: Passage
    title: str
    source: str
    url: str | None
    published_at: str | None
    collection: str
    signature: bytes
    pages: tuple[int, ...] = ()
    """Those of its article."""


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """A closed filter over articles; empty fields do not restrict."""

    collection: str | None = None
    sources: tuple[str, ...] = ()
    article_ids: tuple[str, ...] = ()
    published_after: str | None = None
    """At or after this ISO 8601 date or time. Undated articles never match a date filter."""
    published_before: str | None = None
    """Strictly before this ISO 8601 date or time."""
    known_by: str | None = None
    """At or before this ISO 8601 date or time, or undated: nothing says that such an article came later."""
    sections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Language tags in small letters; `en` takes `en-gb`, too."""
    authors: tuple[str, ...] = ()
    """Any of these."""
    usable_at: str | None = None
    """Only what may be shown at this ISO 8601 time: `usable`, and under no embargo that ends later."""
    statuses: tuple[Status, ...] = ()
    within: tuple[str, ...] | None = None
    """Only in these collections, in none where it is empty; None: in any. Rankings, counts and guesses at words then
    depend on these alone: they are as if there were no other."""

    def restricts(self) -> bool:
        """Whether any field restricts which articles are meant; `usable_at` says only what may be shown of them."""
        return msgspec.structs.replace(self, usable_at=None) != Where()


class Hit(msgspec.Struct, frozen=True):
    """One line of a ranked list."""

    key: int
    score: float
    """Raw cosine in a dense list, BM25 (higher is better) in a lexical one."""


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """The dense and the lexical list, apart: fusion is the caller's."""

    dense: tuple[Hit, ...]
    lexical: tuple[Hit, ...]


class CorpusCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Exact counts of what can be searched."""

    articles: int
    passages: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What current articles there are, at a glance."""

    articles: int
    sources: int
    """Different names of sources; articles without one count for none."""
    earliest: str | None
    """Day of the oldest dated article, ISO 8601; None with none."""
    latest: str | None
    """Day of the newest dated article."""
    newest: tuple[Article, ...]
    """Some of them, the newest first, the undated last."""


class DayTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many articles were published on one day."""

    day: str
    """ISO 8601, in UTC."""
    articles: int


class SourceTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many current articles one source has, and from when they are."""

    source: str
    """Empty: of those that name none."""
    articles: int
    undated: int
    earliest: str | None
    """Day of the oldest dated article, ISO 8601, in UTC."""
    latest: str | None
    days: tuple[DayTally, ...]
    """The latest days, as far back as was asked for, in order; those without an article are left out."""


def article_version(text: str) -> str:
    """Name a canonical text by its content.

    >>> article_version("")[:12]
    'e3b0c44298fc'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def passage_id(article_id: str, version: str, start: int, end: int) -> str:
    """Name a passage so that the same span of the same text always has the same id.

    >>> passage_id("a", "v", 0, 10) == passage_id("a", "v", 0, 10)
    True
    """
    return hashlib.sha256(f"{article_id}\0{version}\0{start}\0{end}".encode()).hexdigest()[:20]


_SERVER = re.compile(r"postgres(ql)?://", re.IGNORECASE)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One store. Do not print it: the URL may hold a password."""

    folder: Path = Path("data")
    server: str = ""
    """A connection URL; empty: the store is the folder's."""
    schema: str = "sourceline"
    """Which of the stores of one database."""
    connections: int = 8
    """To the server at once, from this process."""
    timeout: float = 30.0
    """Seconds to wait for a connection, and for one statement."""
    replicas: tuple[str, ...] = ()
    """URLs of read replicas of that server, which may answer searches."""
    replica_seconds: float = 5.0
    """How far they may be behind."""

    def __str__(self) -> str:
        """What messages call it."""
        if not self.server:
            return str(self.folder)
        address = re.sub(r"//[^@/?]*@", "//", self.server.split("?")[0])
        return f"{address} (schema {self.schema})"

    __repr__ = __str__


def is_server(text: str) -> bool:
    """Whether a text is the URL of a server.

    >>> is_server("postgresql://db.example/news"), is_server("data")
    (True, False)
    """
    return _SERVER.match(text) is not None
