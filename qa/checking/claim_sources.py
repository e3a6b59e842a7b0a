"""Finds the sources for each claim: the texts sent along, or passages of the stored articles."""

import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import msgspec

from embeddings.chunking.passages import split
from embeddings.corpus import Corpus, readable
from embeddings.encoders import Encoder
from embeddings.runtime import compiled_late
from embeddings.types import Article, Passage, StoredPassage, Where, article_version
from qa.checking import NotJudged, SentText
from qa.generation.prompt import PromptSource, build
from qa.generation.sentence_stream import LONGEST, declines, sentence_spans
from qa.language.words import matter
from qa.question.intents import intent_of
from qa.retrieval.search import Depth, RankedBy, retrieve
from qa.types import Evidence

# --- The sentences of a text with their places, and which of them claim nothing; in doubt one claims
_LONGEST_WITH_LINKS = 2_000
"""Characters of a sentence with all its addresses; a sentence without them is held to `plain.LONGEST`."""
_LINK = re.compile(
    r"(?P<image>!)?\[(?P<words>[^\[\]\n]{0,300})\]\([^()\n]{0,1000}(?:\([^()\n]{0,200}\)[^()\n]{0,500})?\)"
)
_ADDRESS = re.compile(r"\s*[(<]?\bhttps?://[^\s<>()\"”]+[)>]?", re.IGNORECASE)
_REFERENCE = re.compile(r"\s*\[\^?\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\]")
"""A reference of the text's own, such as [3] or [^1]: it numbers sources that we were not given."""
_EMPHASIS = "*_"
_HEADING_MARK = re.compile(r"#{1,6}\s")
_BULLET = re.compile(r"(?:[-*+•▪►◦‣–—]|\d{1,3}[.)])\s")
_STOPS = ".!?…。！？؟۔।॥"
_CLOSERS = "\"'”’»)]」』*_ "
_HEADING_WORDS = 12
_BOLD_WORDS = 6
_SMALL_WORD = 3
"""Words of a title up to so many letters may be written small."""
_TO_THE_READER = compiled_late(
    r"(?:i hope (?:this|that|it|these) (?:\w+ ){0,6}\w+|(?:please )?let me know\b.{0,120}|feel free to\b.{0,120}"
    r"|if you have (?:any|more|further|other) questions\b.{0,80}|(?:i(?:'m|’m| am) )?(?:happy|glad) to help\b.{0,60}"
    r"|(?:(?:sure|certainly|of course|absolutely|based on [^,.:!?]{1,60})[,!]?\s*)?here(?:'s|’s| is| are) "
    r"(?:what [^.:!?]{1,80}|(?:an?|the|your|my|some) (?:[\w-]+ ){0,4}"
    r"(?:summary|answer|overview|list|draft|article|breakdown|response|points?|facts?|version)(?: (?:of|for|on|about) "
    r"[^.:!?]{1,80})?))[.:!]*",
    re.IGNORECASE,
)


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence: `text[start:end]` of the text it was cut from."""

    start: int
    end: int
    masked: str
    """Its words in their places, spaces where it has addresses, the frames of links, or references of its own."""
    not_judged: NotJudged | None
    """Why there is nothing to judge, or no way to; None for a claim."""

    @property
    def said(self) -> str:
        """What it says, in one line."""
        return " ".join(self.masked.split())


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """Cut a text; every character that is no white space lies in exactly one sentence.

    >>> [sentence.not_judged for sentence in sentences_of("# Derna\\n\\nWho lives there? It has 125,000 residents.")]
    ['heading', 'question', None]
    """
    return tuple(_sentence(text, start, end) for start, end in sentence_spans(text))


def _sentence(text: str, start: int, end: int) -> Sentence:
    if end - start > _LONGEST_WITH_LINKS:
        return Sentence(start=start, end=end, masked="", not_judged="too_long")
    sentence = Sentence(start=start, end=end, masked=_masked(text[start:end]), not_judged=None)
    reason = _why_not(sentence.said, alone=_is_alone(text, start, end))
    return msgspec.structs.replace(sentence, not_judged=reason)


def _masked(sentence: str) -> str:
    """A checked text is not shown as an answer: addresses, which no answer may have, are passed over, not refused."""
    words = _LINK.sub(_framed, sentence)
    return _REFERENCE.sub(_blank, _ADDRESS.sub(_blank, words))


def _framed(link: re.Match[str]) -> str:
    """A link with spaces in the place of its frame; of an image nothing is left."""
    if link["image"]:
        return _blank(link)
    start, end = (place - link.start() for place in link.span("words"))
    return " " * start + link["words"] + " " * (len(link[0]) - end)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _why_not(said: str, *, alone: bool) -> NotJudged | None:
    if len(said) > LONGEST:
        return "too_long"
    if not any(character.isalnum() for character in said):
        return "fragment"
    bare = said.rstrip(_CLOSERS)
    if bare.endswith(("?", "？", "؟")):
        return "question"
    if intent_of(said).kind == "small_talk" or _TO_THE_READER.fullmatch(bare):
        return "small_talk"
    if alone and _is_heading(said):
        return "heading"
    return "declines" if declines(said) else None


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether it has its lines to itself, in a text that has others."""
    ends = text.find("\n", end)
    before, after = text[text.rfind("\n", 0, start) + 1 : start], text[end : ends if ends >= 0 else len(text)]
    return not before.strip() and not after.strip() and (start > 0 or ends >= 0)


def _is_heading(line: str) -> bool:
    """Whether a line by itself is a heading, by its form: a plain line without a stop, or with a figure, may claim."""
    if _HEADING_MARK.match(line):
        return True
    bare = line.strip(_EMPHASIS + " ")
    words = bare.split()
    if not bare or bare.rstrip(_CLOSERS).endswith(tuple(_STOPS)) or len(words) > _HEADING_WORDS:
        return False
    if bare.endswith((":", "：")):
        return True
    if any(character.isdigit() for character in bare) or _BULLET.match(line):
        return False
    bold = line != bare and len(words) <= _BOLD_WORDS
    return bold or (len(words) > 1 and all(word[0].isupper() for word in words if len(word) > _SMALL_WORD))


_DEPTH = Depth(listed=40, kept=6, per_article=4)
_CARRIED = 2
"""Passages found for the claim before that serve this one, too: "It cost 3 million" is found by what "it" is."""
_READ_WHOLE = 12_000
"""Characters of texts sent along that a claim is held against as they are."""
_NO_BUDGET = sys.maxsize
"""A checker has no window to fill; the number of passages bounds what it reads."""
_ARTICLES_KEPT = 64


class Grounds(Protocol):
    """What claims may rest on; blocking."""

    def sources(self, claims: Sequence[str]) -> list[Sequence[PromptSource]]:
        """For each of some claims that follow each other, the texts to hold it against."""

    def article(self, article_id: str, version: str) -> Article | None:
        """The whole text that a source is from."""


class Sent:
    """Texts sent along; an article's id is its number among them.

    A few pages are held against every claim whole, as a passage of evidence is; of more, cut as an ingest cuts them,
    the passages that share most with the claim.
    """

    def __init__(self, texts: Sequence[SentText], *, encoder: Encoder) -> None:
        """Blocking."""
        self._articles = [
            Article(
                id=str(number),
                version=article_version(sent.text),
                title=sent.title,
                text=sent.text,
                published_at=sent.published_at,
            )
            for number, sent in enumerate(texts)
        ]
        few = sum(len(sent.text) for sent in texts) <= _READ_WHOLE
        passages = [
            (article, passage)
            for article in self._articles
            for passage in ([_whole(article)] if few else _passages(article, encoder))
        ]
        self._stored = [_stored(article, passage, key=key) for key, (article, passage) in enumerate(passages)]
        self._whole = self._among(range(len(passages))) if few else None
        self._words = _Words([] if few else [passage.text for _, passage in passages])

    def sources(self, claims: Sequence[str]) -> list[Sequence[PromptSource]]:
        """See `Grounds`."""
        return [self._whole or self._among(self._words.best(claim)) for claim in claims]

    def article(self, article_id: str, version: str) -> Article | None:
        """See `Grounds`."""
        del version
        return self._articles[int(article_id)]

    def _among(self, rows: Sequence[int]) -> Sequence[PromptSource]:
        evidence = [Evidence(stored=self._stored[row], score=0.0, cosine=None) for row in rows]
        return build(evidence, article=self.article, budget=_NO_BUDGET, most=len(self._stored)).sources


class _Words:
    """What passages share with a claim, rare words counting more."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._stems = [matter(text) for text in texts]
        holders = Counter(stem for stems in self._stems for stem in stems)
        self._weights = {stem: math.log(1 + len(texts) / number) for stem, number in holders.items()}

    def best(self, claim: str) -> Sequence[int]:
        """Rows of the passages that share most, best first; the first ones where none shares anything."""
        wanted = matter(claim)
        shared = [sum(self._weights[stem] for stem in wanted & stems) for stems in self._stems]
        return sorted(range(len(shared)), key=lambda row: -shared[row])[: _DEPTH.kept]


class ClaimSources:
    """Articles of a corpus: for every claim, the passages that retrieval finds for it."""

    def __init__(
        self, corpus: Corpus, *, encoder: Encoder, where: Where, as_of: datetime | None, ranked_by: RankedBy
    ) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._where = where
        self._as_of = as_of
        self._ranked_by = ranked_by
        self._before: Sequence[Evidence] = ()
        self.article = lru_cache(maxsize=_ARTICLES_KEPT)(self._article)

    def sources(self, claims: Sequence[str]) -> list[Sequence[PromptSource]]:
        """See `Grounds`; the claims are encoded in one batch."""
        vectors = self._encoder.encode_passages(claims)
        found: list[Sequence[PromptSource]] = []
        for claim, vector in zip(claims, vectors, strict=True):
            evidence = retrieve(
                self._corpus,
                text=claim,
                vector=vector,
                where=self._where,
                depth=_DEPTH,
                as_of=self._as_of,
                ranked_by=self._ranked_by,
            )
            known = {item.stored.key for item in evidence}
            carried = [item for item in self._before if item.stored.key not in known]
            self._before = evidence[:_CARRIED]
            found.append(
                build(
                    [*evidence, *carried], article=self.article, budget=_NO_BUDGET, most=len(evidence) + len(carried)
                ).sources
            )
        return found

    def _article(self, article_id: str, version: str) -> Article | None:
        return readable(self._corpus, article_id, version=version)


def _passages(article: Article, encoder: Encoder) -> Sequence[Passage]:
    return split(article, max_tokens=encoder.identity.max_tokens, count=encoder.count_tokens)


def _whole(article: Article) -> Passage:
    return Passage(
        id=article.id,
        article_id=article.id,
        article_version=article.version,
        start=0,
        end=len(article.text),
        text=article.text,
    )


def _stored(article: Article, passage: Passage, *, key: int) -> StoredPassage:
    return StoredPassage(
        key=key,
        passage=passage,
        title=article.title,
        source="",
        url=None,
        published_at=article.published_at,
        collection="",
        signature=b"",
    )
