"""The sentences of a text with their places, and which of them claim nothing; in doubt one claims."""

from __future__ import annotations

import re

import msgspec

from qa.checking.values import NotJudged
from qa.generation.refusals import declines
from qa.generation.sentence_stream import LONGEST, sentence_spans
from qa.question.intents import intent_of

__all__ = ["Sentence", "sentences_of"]

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
_TO_THE_READER = re.compile(
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
