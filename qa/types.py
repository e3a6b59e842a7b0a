"""The values of the online half. They are also the wire format.

`start`/`end` are half-open code-point offsets in `Answer.answer`; `start_char_index`/`end_char_index`
are offsets in the canonical text of the article version named beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import msgspec

from embeddings.cleaning.identity import MAX_ID
from embeddings.types import Article, StoredPassage
from qa.errors import AbstainReason, FallbackReason
from qa.language.dates import UnderstoodPeriod

AnswerMode = Literal["generated", "extractive", "abstained"]
Verdict = Literal["supported", "partly_supported", "unsupported", "contradicted"]
Origin = Literal["quoted", "model"]
"""`quoted`: the source's own words, character for character; `model`: written by a language model, then checked."""
_SUPPORT = "Probability; of a generated answer: that its weakest sentence is supported; else: that the evidence answers"
_Names = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=200)], ...], msgspec.Meta(max_length=100)]


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which articles may be used; an empty list restricts nothing."""

    source: _Names = ()
    section: _Names = ()
    language: _Names = ()
    """Language tags; `en` takes `en-gb`, too."""
    author: _Names = ()
    """Any of these."""
    published_after: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """At or after this ISO 8601 date or time."""
    published_before: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """Strictly before this ISO 8601 date or time."""
    article_ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=MAX_ID)], ...], msgspec.Meta(max_length=1000)
    ] = ()
    """One that no article has in full stands for all that publishers gave it to."""


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/ask` takes."""

    question: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    conversation_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """The conversation this question goes on with; the answer is kept there."""
    store: bool = False
    """Without a `conversation_id`: begin a conversation, named in the answer. Otherwise nothing of the question is
    kept."""
    replaces: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """The id of an answer of this conversation, to ask in its place: neither it nor what follows is heeded any more."""
    collection: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    filters: Filters = Filters()
    as_of: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """The moment the question is asked at, ISO 8601; now if absent."""
    mode: Literal["auto", "generated", "extractive"] = "auto"
    max_citations: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    """Citations at most, and so sentences: every sentence has one."""
    as_written: bool = False
    """Take the question as it stands: neither completed from its conversation nor corrected in its spelling."""
    stream: bool = False


class SearchQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/search` takes."""

    question: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    conversation_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """The conversation that the question may point back to; nothing is kept there."""
    collection: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    filters: Filters = Filters()
    as_of: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A passage retrieved for a question."""

    stored: StoredPassage
    score: float
    """Fused rank score: orders the evidence of one question; not comparable across questions."""
    freshness: float = 1.0
    """The factor of `score` that comes from the date; 1 for the date that suits the question best."""
    cosine: float | None
    """Raw cosine to the question; None where only the lexical list found it."""
    also: tuple[StoredPassage, ...] = ()
    """Passages of other articles that tell the same story, folded into this one."""

    @property
    def article_id(self) -> str:
        """The id of the passage's article."""
        return self.stored.passage.article_id


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the answer."""

    text: str
    start: int
    end: int
    verdict: Verdict
    support_score: float
    citation_ids: tuple[str, ...]
    origin: Origin | None = None
    """Whose words it is in; null in answers that were kept before this was noted."""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """The exact words that support a claim: `article.text[start_char_index:end_char_index] == cited_text`."""

    id: str
    start: int
    end: int
    article_id: str
    article_version: str
    title: str
    source: str
    url: str | None
    published_at: str | None
    cited_text: str
    start_char_index: int
    end_char_index: int
    page: int | None = None
    """The page of its source on which the cited words begin, counted from 1; null where the source has none."""


class ShortAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The few words that answer, where a few words do; an exact span of the article."""

    text: str
    article_id: str
    article_version: str
    start_char_index: int
    end_char_index: int
    elsewhere: int = 0
    """How many other articles among the search results hold the same words; copies of one story count once."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two sources that say different things about the same matter."""

    citation_ids: tuple[str, ...]
    note: str
    """Both statements with their sources and dates, in words."""
    kind: Literal["disagreement", "correction"] = "disagreement"
    values: tuple[str, ...] = ()
    """What each citation says, in their order and in their words."""
    later: str | None = None
    """The citation that was published later, where that is known."""


class AlsoReported(msgspec.Struct, frozen=True, kw_only=True):
    """Another article that tells the same story as a search result."""

    article_id: str
    article_version: str
    title: str
    source: str
    url: str | None
    published_at: str | None


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """One retrieved passage."""

    passage_id: str
    article_id: str
    article_version: str
    title: str
    source: str
    url: str | None
    published_at: str | None
    text: str
    start_char_index: int
    end_char_index: int
    score: float
    page: int | None = None
    """The page of its source on which the passage begins, counted from 1; null where the source has none."""
    also_reported_by: tuple[AlsoReported, ...] = ()
    """Articles of the same story that were folded into this one; a story counts as one source."""
    near: bool | None = None
    """Of a search: whether the passage is likely to be about what was looked for; null where that is not judged."""


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `POST /api/search` gives: passages, no answer."""

    question: str
    resolved_query: str
    as_of: str
    search_results: tuple[SearchResult, ...]
    timings_ms: dict[str, float]
    understood_period: UnderstoodPeriod | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer cost."""

    query_encodings: int = 0
    sentence_encodings: int = 0
    """Always 0 since passages are read whole; kept for those who read it."""
    passages_read: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    citations_dropped: int = 0
    """Citations withheld because their words no longer matched the stored article."""
    evidence_omitted: int = 0
    """Passages of evidence that did not fit into the model's context."""
    sentences_dropped: int = 0
    """Generated sentences withheld because the evidence does not support them."""
    markers_unresolved: int = 0
    """Source markers of the model that named no evidence it had been given."""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """What wrote a generated answer."""

    model: str
    prompts: dict[str, str]
    """Fingerprint of each prompt that was sent, by its name."""
    checker: str
    """What judged its sentences."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The one shape of every answer, whatever made it."""

    id: str
    conversation_id: str | None
    question: str
    resolved_query: str
    as_of: str
    answer: str
    answer_mode: AnswerMode
    fallback_reason: FallbackReason | None
    abstain_reason: AbstainReason | None
    short_answer: ShortAnswer | None
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    conflicts: tuple[Conflict, ...]
    search_results: tuple[SearchResult, ...]
    support_score: Annotated[float, msgspec.Meta(description=_SUPPORT)]
    usage: Usage
    timings_ms: dict[str, float]
    generation: Generation | None = None
    """Present where a model was asked, also where its draft was not used."""
    understood_period: UnderstoodPeriod | None = None
    unanswered: tuple[str, ...] = ()
    """Of a question that asks several things, those that are not answered while others are; `answer` ends with them."""
    filters: Filters | None = None
    """Those that the question was asked with; null where there were none, and in answers kept before this was noted."""
    period_kept: bool | None = None
    """Whether all that is cited is known to be of `understood_period`; null where that is null, or nothing is cited."""
    stale_citation_ids: tuple[str, ...] = ()
    """Of a question about how things are now, the citations a month or more older than something else that was found
    about it."""
    replaces: str | None = None
    """The answer in whose place this was asked: it, and those in between, stay kept, and no follow-up heeds them."""
    not_kept: bool = False
    """It was to be kept in a conversation, and there was no room or no right to: nothing can refer to it."""
    offset_unit: Literal["code_point"] = "code_point"


class SearchResultsEvent(msgspec.Struct, frozen=True, kw_only=True, tag="search_results", tag_field="type"):
    """First event of a streamed answer: what was retrieved, before anything is written."""

    id: str
    """The answer's id."""
    conversation_id: str | None
    question: str
    resolved_query: str
    as_of: str
    search_results: tuple[SearchResult, ...]
    understood_period: UnderstoodPeriod | None = None


class ClaimEvent(msgspec.Struct, frozen=True, kw_only=True, tag="claim", tag_field="type"):
    """One verified sentence with the citations it brings; final, never taken back."""

    claim: Claim
    citations: tuple[Citation, ...]
    """Those of the claim that no earlier event carried."""


class AnswerEvent(msgspec.Struct, frozen=True, kw_only=True, tag="answer", tag_field="type"):
    """Last event: the whole answer, equal to what the earlier events fold to."""

    answer: Answer


Event = SearchResultsEvent | ClaimEvent | AnswerEvent
"""The events of an answer in the making, in order: search results, claims, the answer."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier question of a conversation: the parts that a follow-up needs."""

    question: str
    resolved_query: str
    answer: str
    answer_mode: AnswerMode
    as_of: str
    short_answer: str | None = None
    article_ids: tuple[str, ...] = ()
    """The articles cited."""


_UNKNOWN = re.compile(
    r"(?P<what>Object contains unknown field `(?P<name>.*?)`)(?P<where> - at `\$(?P<path>.*)`)?", re.DOTALL
)
_LISTS = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType)
_LONGEST_NAME = 100
"""Of an unknown field, so much is compared."""
_STEP = re.compile(r"\.\w+|\[")


def naming_fields(message: str, *, of: Any) -> str:
    """What msgspec says of a value that is not of this type; of an unknown field also which may be meant, or all.

    >>> naming_fields("Object contains unknown field `after` - at `$.filters`", of=Question)
    'Object contains unknown field `after`; did you mean `published_after`? - at `$.filters`'
    """
    found = _UNKNOWN.fullmatch(message)
    known = _fields_at(of, found["path"] or "") if found else []
    if found is None or not known:
        return message
    name = found["name"].lower()
    like = [one for one in known if name and (one.startswith(name) or name in one.split("_"))]
    like += get_close_matches(name[:_LONGEST_NAME], known, n=1)
    said = f"did you mean `{like[0]}`?" if like else f"the fields are {', '.join(known)}"
    return f"{found['what']}; {said}{found['where'] or ''}"


def _fields_at(of: Any, path: str) -> list[str]:
    """Names of the fields that an object may have at a path of msgspec: `.filters`, `.against[...]`."""
    kinds = _each([msgspec.inspect.type_info(of)])
    for step in _STEP.findall(path):
        if step == "[":
            kinds = _each([kind.item_type for kind in kinds if isinstance(kind, _LISTS)])
        else:
            fields = [field for kind in kinds if isinstance(kind, msgspec.inspect.StructType) for field in kind.fields]
            kinds = _each([field.type for field in fields if field.encode_name == step[1:]])
    structs = [kind for kind in kinds if isinstance(kind, msgspec.inspect.StructType)]
    return [field.encode_name for kind in structs for field in kind.fields]


def _each(kinds: Sequence[msgspec.inspect.Type]) -> list[msgspec.inspect.Type]:
    """Types, those of unions one by one."""
    unions = [kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,) for kind in kinds]
    return [kind for kinds_of_one in unions for kind in kinds_of_one]


class ArticleNow(Article, frozen=True, kw_only=True):
    """An article in one version, with the version that is current."""

    current_version: str
    """Where it is another than `version`, the article was corrected or updated since."""

    @classmethod
    def of(cls, article: Article, *, now: Article) -> ArticleNow:
        """The article, given what it is `now`."""
        return cls(**msgspec.structs.asdict(article), current_version=now.version)
