"""Checks any text, sentence by sentence, against texts sent along or the stored articles; see `text_checker`.

Here is what a check takes and gives, and the wire format of `POST /api/check`, one and the same. `start`/`end` are
half-open code-point offsets in the text that was sent, `start_char_index`/`end_char_index` in the text quoted from.
"""

from typing import Annotated, Literal

import msgspec

from qa.types import Filters, Verdict

LONGEST_TEXT = 50_000
LONGEST_SOURCE = 100_000
"""Characters of all texts to check against together, too."""
MOST_SOURCES = 40

NotJudged = Literal["heading", "question", "small_talk", "declines", "fragment", "too_long", "markup", "out_of_time"]
CLAIMS_NOTHING: frozenset[NotJudged] = frozenset({"heading", "question", "small_talk", "declines", "fragment"})
"""A heading; a question; what a writer says to the reader; that the sources do not tell; a word or two. A sentence with
any other reason may claim something, and nobody has looked: it is longer than a sentence that can be checked; it is a
table, HTML or code; the time was up."""

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]
_Source = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_SOURCE)]


class SentText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text to check against, sent along."""

    text: _Source
    title: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """Names in it are what the text's pronouns may point at."""
    published_at: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """ISO 8601; "Tuesday" and "June 4" in the text are days near it."""


class TextToCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/check` takes: any text, and what to hold it against."""

    text: _Text
    against: Annotated[tuple[SentText, ...], msgspec.Meta(max_length=MOST_SOURCES)] = ()
    """Texts to check against; without any, the stored articles are searched for every sentence."""
    question: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    """What the text answers, if it answers something: what stands in it need not be said by a source."""
    collection: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    filters: Filters = Filters()
    as_of: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """ISO 8601; articles published later are not used. Without it, all are, whatever their age."""


class SourceWords(msgspec.Struct, frozen=True, kw_only=True):
    """Words of an article, or of a text that was sent along: `text[start_char_index:end_char_index] == cited_text`."""

    cited_text: str
    start_char_index: int
    end_char_index: int
    against_index: int | None
    """Which text of `against`, counted from 0; null for an article."""
    article_id: str | None
    article_version: str | None
    title: str
    source: str
    url: str | None
    published_at: str | None
    page: int | None = None
    """The page of the article's source on which the words begin, counted from 1; null where it has none."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a sentence that its sources do not say, or say otherwise."""

    kind: Literal["number", "unit", "date", "name", "negation", "quantifier", "meaning"]
    start: int
    end: int
    claimed: str
    """`text[start:end]` of the text that was checked."""
    found: str | None
    """What a source says in its place; null where none says anything."""
    note: str
    """Both, in words."""


class CheckedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the text: judged, or not, and then why."""

    text: str
    start: int
    end: int
    verdict: Verdict | None
    """Null where it was not judged."""
    not_judged: NotJudged | None
    support_score: float | None
    citations: tuple[SourceWords, ...]
    """The exact words that support it, together; empty unless something does."""
    nearest: tuple[SourceWords, ...]
    """Of a sentence that is not supported: the words of the sources nearest to it, best first."""
    differences: tuple[Difference, ...]


class CheckSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many sentences came to what."""

    sentences: int
    supported: int
    partly_supported: int
    unsupported: int
    contradicted: int
    not_judged: int


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /api/check` gives: every character of the text that is no white space lies in one of the sentences."""

    sentences: tuple[CheckedSentence, ...]
    summary: CheckSummary
    support_score: float | None
    """That of the weakest sentence; null where none was judged."""
    complete: bool
    """Whether every sentence that may claim something was judged; false where one is `too_long`, `markup` or
    `out_of_time`."""
    checker: str
    """What judged the sentences: equal names mean equal judgements."""
    timings_ms: dict[str, float]
    offset_unit: Literal["code_point"] = "code_point"
