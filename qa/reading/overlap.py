"""A reader without a network: the words that a question and a sentence share. For languages that no network reads."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.chunking.sentences import split_sentences
from embeddings.index.terms import UNSPACED
from qa.language.languages import asking_words, language_of
from qa.language.words import Word, words_of
from qa.reading.calibration import GENERAL, Calibration
from qa.reading.reader import AnswerSpan, PassageText

__all__ = ["OverlapReader"]

_SLOPE = 8.0


class OverlapReader:
    """A sentence answers as far as it has the question's words.

    In English its first new name or number is the answer; in other languages the whole sentence is, for in some of
    them every noun has a capital, and some know none. In scripts without spaces neighbouring characters are the words.
    """

    identity = "words 2"
    languages = None

    @property
    def calibration(self) -> Calibration:
        """The general one."""
        return GENERAL

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`."""
        language = language_of(question) or "en"
        asked = _stems(question, asking=language)
        return [_spans(passage.text, asked, whole=language != "en") for passage in passages]


def _spans(text: str, asked: frozenset[str], *, whole: bool) -> tuple[AnswerSpan, ...]:
    found = []
    for start, end in split_sentences(text):
        words = words_of(text[start:end])
        if not words:
            continue
        shared = len(asked & _stems(text[start:end])) / max(len(asked), 1)
        new = None if whole else next((word for word in words if _is_new(word, asked)), None)
        first, last = (new.start, new.end) if new else (words[0].start, words[-1].end)
        found.append(AnswerSpan(start + first, start + last, _SLOPE * (shared - 0.5)))
    return tuple(sorted(found, key=lambda span: (-span.logit, span.start)))


def _stems(text: str, *, asking: str = "en") -> frozenset[str]:
    """The words of a text, cut to their stems, without those that only ask; of unspaced scripts, all pairs."""
    small, particles = asking_words(asking)
    for particle in particles:
        text = text.replace(particle, " ")
    found: set[str] = set()
    for word in words_of(text):
        runs = UNSPACED.findall(word.text)
        found.update(run[at : at + 2] for run in runs for at in range(max(1, len(run) - 1)))
        if not runs and not word.stop and word.text.casefold() not in small:
            found.add(word.stem)
    return frozenset(found)


def _is_new(word: Word, asked: frozenset[str]) -> bool:
    return word.stem not in asked and (word.number or (word.capital and not word.stop))
