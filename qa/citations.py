"""Citations: links the words of an answer to the exact words of an article, and checks them before they are served.

In a drafted sentence a marker names its source, by a label and a number: `[S2]`. The label is chosen for each question
so that with a number behind it, it stands neither in the evidence nor in the question: prose is never taken for a
marker, whatever a model makes of its brackets.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from embeddings.chunking.sentences import MAYBE_LAST, NEVER_LAST
from embeddings.cleaning.article import page_at
from embeddings.cleaning.identity import of_one_publisher
from embeddings.types import Article, StoredPassage
from qa.types import AlsoReported, Citation, Evidence, SearchResult, ShortAnswer


def cite(stored: StoredPassage, *, number: int, cited: tuple[int, int], placed: tuple[int, int], text: str) -> Citation:
    """Cite `text`, at span `cited` of an article, for the words at span `placed` of the answer."""
    passage = stored.passage
    return Citation(
        id=f"c{number}",
        start=placed[0],
        end=placed[1],
        article_id=passage.article_id,
        article_version=passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
        cited_text=text,
        start_char_index=cited[0],
        end_char_index=cited[1],
        page=page_at(stored.pages, cited[0]),
    )


def is_exact(citation: Citation | ShortAnswer, article: Article | None) -> bool:
    """Whether the article version still has exactly the cited words at the cited place."""
    words = citation.cited_text if isinstance(citation, Citation) else citation.text
    return (
        article is not None
        and (article.id, article.version) == (citation.article_id, citation.article_version)
        # Python would count negative offsets from the end and cut those behind it.
        and 0 <= citation.start_char_index < citation.end_char_index <= len(article.text)
        and article.text[citation.start_char_index : citation.end_char_index] == words
    )


def short_answer(citation: Citation, span: tuple[int, int]) -> ShortAnswer:
    """The words at `span` of a citation's own text, without the full stop of its sentence, placed in its article."""
    words = citation.cited_text[span[0] : span[1]]
    span = (span[0], span[1] - (1 if _ends_with_the_sentence(words) else 0))
    start = citation.start_char_index + span[0]
    return ShortAnswer(
        text=citation.cited_text[span[0] : span[1]],
        article_id=citation.article_id,
        article_version=citation.article_version,
        start_char_index=start,
        end_char_index=citation.start_char_index + span[1],
    )


def _ends_with_the_sentence(words: str) -> bool:
    """Whether the last character is a full stop that is no part of the last word.

    >>> [_ends_with_the_sentence(words) for words in ("740 million.", "at 5 p.m.", "Acme Inc.", "John F.", "so ...")]
    [True, False, False, False, False]
    """
    last = words.rsplit(maxsplit=1)[-1] if words.strip() else ""
    word = last.rstrip(".。।")
    if len(last) - len(word) != 1 or not word:
        return False
    named = word.lstrip("\"'“‘(")
    return not (
        re.search(r"[^\W\d_]\.", named)
        or named in MAYBE_LAST
        or named in NEVER_LAST
        or (len(named) == 1 and named.isalpha())
    )


def search_result(evidence: Evidence, *, near: bool | None = None) -> SearchResult:
    """A retrieved passage as served; `near`: whether it is about the question, if known."""
    stored = evidence.stored
    passage = stored.passage
    return SearchResult(
        passage_id=passage.id,
        article_id=passage.article_id,
        article_version=passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
        text=passage.text,
        start_char_index=passage.start,
        end_char_index=passage.end,
        score=round(evidence.score, 6),
        page=page_at(stored.pages, passage.start),
        also_reported_by=_others(evidence),
        near=near,
    )


def _others(evidence: Evidence) -> tuple[AlsoReported, ...]:
    """The other publishers of the story, each once."""
    kept = [evidence.stored]
    for other in evidence.also:
        if not any(_one_publisher(other, one) for one in kept):
            kept.append(other)
    return tuple(map(_also, kept[1:]))


def _one_publisher(one: StoredPassage, other: StoredPassage) -> bool:
    """Whether two copies are from one site or source, or are one text in two collections: nobody confirms himself."""
    if one.collection != other.collection and one.passage.article_version == other.passage.article_version:
        return True
    return of_one_publisher((one.source, one.url), (other.source, other.url))


def _also(stored: StoredPassage) -> AlsoReported:
    return AlsoReported(
        article_id=stored.passage.article_id,
        article_version=stored.passage.article_version,
        title=stored.title,
        source=stored.source,
        url=stored.url,
        published_at=stored.published_at,
    )


# --- The markers of a draft

_LABELS = ("S", "Q", "K", "X", "Z", "J", "SQ", "KX", "QZ", "XJ", "ZK")
_OPEN, _CLOSE = r"[\[(【［{⟦<]", r"[\])】］}⟧>]"
_BARE_NUMBER = re.compile(r"\s*\[(\d{1,2})\](?=[\s.!?…\"”’]*$)")
_UNCLOSED = re.compile(rf"\s*{_OPEN}[^\])】］}}⟧>]{{0,40}}$")
_SPACE_BEFORE_STOP = re.compile(r"\s+(?=[.,;:!?…])")
_DOUBLED_STOP = re.compile(r"([.!?…])\s*[.,;]+(?=\s*$)")


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """A drafted sentence, its markers taken out."""

    text: str
    sources: tuple[int, ...]
    """Indexes (from 0) of the sources named, each once, in order."""
    unresolved: int
    """Numbers that name no source."""


class _Grammar(msgspec.Struct, frozen=True):
    """The patterns of one label."""

    marker: re.Pattern[str]
    number: re.Pattern[str]
    lead_in: re.Pattern[str]
    after_stop: re.Pattern[str]
    ended: re.Pattern[str]


def choose_label(texts: Iterable[str]) -> str:
    """The first label that no text uses with a number.

    >>> choose_label(["The Galaxy S24 is out.", "Take route Q7."])
    'K'
    """
    whole = "\n".join(texts)
    return next((label for label in _LABELS if not _grammar(label).marker.search(whole)), _LABELS[-1])


def resolve(sentence: str, *, label: str, sources: int) -> Marked:
    """Take the markers of a sentence out and look up what they name among `sources` sources.

    >>> resolve("It sank [S2, S9].", label="S", sources=3)
    Marked(text='It sank.', sources=(1,), unresolved=1)
    >>> resolve("Budget [2024], ref 12, see (1).", label="S", sources=3).sources
    ()
    """
    grammar = _grammar(label)
    numbers = [int(n) for mark in grammar.marker.finditer(sentence) for n in grammar.number.findall(mark[0])]
    opened = grammar.lead_in.match(sentence)
    text = grammar.marker.sub(" ", sentence[opened.end() :] if opened else sentence)
    # Some models number in their own way; that is no marker, and no part of what they say.
    text = _BARE_NUMBER.sub(lambda own: "" if 1 <= int(own[1]) <= sources else own[0], text)
    text = _DOUBLED_STOP.sub(r"\1", _SPACE_BEFORE_STOP.sub("", " ".join(text.split())))
    if opened and opened.end():
        text = text[:1].upper() + text[1:]
    named = dict.fromkeys(number - 1 for number in numbers if 1 <= number <= sources)
    return Marked(text=text, sources=tuple(named), unresolved=sum(not 1 <= n <= sources for n in numbers))


def hang_back(text: str, *, label: str) -> str:
    """Put markers that stand behind a full stop before it, so that they go with their sentence.

    >>> hang_back("It sank. [S1] [S2] Nobody drowned.", label="S")
    'It sank [S1] [S2]. Nobody drowned.'
    """
    return _grammar(label).after_stop.sub(r" \g<marks>\g<stop>\g<gap>", text)


def marked_end(text: str, *, label: str) -> int | None:
    """Where the next sentence begins after a marker and a stop, whatever it begins with; None where there is none.

    >>> marked_end("It sank [S1]. iPhones floated.", label="S")
    14
    """
    ended = _grammar(label).ended.search(text)
    return ended.end() if ended else None


def opens_bracket(text: str) -> bool:
    """Whether a text begins with a bracket that it does not close: a marker may still be coming."""
    return _UNCLOSED.match(text) is not None


@lru_cache(maxsize=len(_LABELS))
def _grammar(label: str) -> _Grammar:
    words = r"(?:(?:sources?|see|ref)\s*:?\s*)?"
    one = rf"\^?{words}(?<!\w){label}\s?[-_.#]?\s?\d{{1,3}}(?!\d|[.,]\d)"
    more = rf"(?:\s*(?:[,;/&–—-]|and)\s*{words}(?:{label}\s?[-_.#]?\s?)?\d{{1,3}}(?!\d|[.,]\d))*"
    plain = rf"{_OPEN}{{1,2}}\s*source\s*\d{{1,3}}\s*{_CLOSE}{{1,2}}"
    # Without brackets only as it was given: "the city's 27 bridges" names no source.
    bare = rf"(?<![\w'’])(?-i:{label})\d{{1,3}}(?!\w|[.,]\d)"
    marker = rf"(?:{_OPEN}{{1,2}}\s*{one}{more}\s*{_CLOSE}{{1,2}}|{plain}|{bare})"
    verb = r"(?:says|states|reports|notes|mentions|said|reported)(?:\s+that)?\b"
    lead_in = (
        rf"\s*(?:(?:according to|as (?:reported|stated|noted|mentioned|said) (?:in|by)|per|in|from)\s+)?"
        rf"(?:the\s+)?(?:source\s+)?{marker}\s*(?:,|:|{verb})\s*"
    )
    return _Grammar(
        re.compile(marker, re.IGNORECASE),
        re.compile(r"\d{1,3}"),
        re.compile(lead_in, re.IGNORECASE),
        re.compile(
            rf"(?P<stop>[.!?…]+[\"”’']*)(?P<before>\s*)(?P<marks>{marker}(?:\s*{marker})*)(?P<gap>[.]?(?=\s|$))",
            re.IGNORECASE,
        ),
        re.compile(rf"{marker}[.!?…]+[\"”’')]*\s+(?=\S)", re.IGNORECASE),
    )
