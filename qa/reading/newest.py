"""Takes passages found for a topic, gives the newest sentences about it, as read: what "the latest on X" asks for.

No network reads here: no words of a text are the answer to "What is the latest?", its date is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from embeddings.types import StoredPassage
from qa.language.timestamps import BEGINNING, moment
from qa.language.words import words_of
from qa.reading.read import Reading, ReadSentence, SentenceAt, is_said, sentences_of
from qa.types import Evidence

__all__ = ["newest_first", "newest_said"]

_ABOUT = 0.66
"""A sentence is about a topic where, with its title, it holds so much of its words, all names among them."""
_TOGETHER = timedelta(days=7)
"""What is older than the newest by more than this is not the latest any more."""


def newest_first(found: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The same passages by date, each in the newest article of its story; the undated last, and in their order."""
    told = [msgspec.structs.replace(item, stored=max((item.stored, *item.also), key=_when_stored)) for item in found]
    return tuple(sorted(told, key=_when, reverse=True))


def newest_said(topic: str, found: Sequence[Evidence]) -> Reading | None:
    """One sentence about the topic for each of the newest articles, in the order of `found`; None where there is none.

    Its probability is the share of the topic's words that the first one holds with its title.
    """
    asked = {word.stem for word in words_of(topic) if not word.stop}
    named = {word.stem for word in words_of(topic) if word.capital and not word.stop}
    best: dict[str, tuple[float, SentenceAt]] = {}
    for number, item in enumerate(found):
        titled = {word.stem for word in words_of(item.stored.title)}
        for sentence in filter(lambda one: is_said(one.text), sentences_of(item, evidence=number)):
            held = titled | {word.stem for word in words_of(sentence.text)}
            share = len(asked & held) / max(len(asked), 1)
            own = len(asked & held - titled) / max(len(asked), 1)
            earlier = best.get(item.stored.passage.article_id)
            if share >= _ABOUT and named <= held and (earlier is None or _better((share + own, sentence), earlier)):
                best[item.stored.passage.article_id] = (share + own, sentence)
    chosen = [sentence for _, sentence in best.values()]
    latest = [one for one in chosen if _when(found[chosen[0].evidence]) - _when(found[one.evidence]) <= _TOGETHER]
    if not latest:
        return None
    share = min(best[found[latest[0].evidence].stored.passage.article_id][0], 1.0)
    said = tuple(ReadSentence(sentence=one, logit=0.0, short=None, short_logit=1.0) for one in latest)
    return Reading(sentences=said, probability=share, kind="sentence")


def _better(one: tuple[float, SentenceAt], other: tuple[float, SentenceAt]) -> bool:
    """Whether a sentence says more of the topic, or as much and earlier: an article begins with its news."""
    return (one[0], -one[1].start) > (other[0], -other[1].start)


def _when(item: Evidence) -> datetime:
    return _when_stored(item.stored)


def _when_stored(stored: StoredPassage) -> datetime:
    return moment(stored.published_at, field="published_at") if stored.published_at else BEGINNING
