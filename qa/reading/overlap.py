"""A reader without a network: the words that a question and a sentence share. For languages that no network reads."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.chunking.sentences import split_sentences
from embeddings.index.terms import UNSPACED
from qa.language.question_words import asking_words, language_of
from qa.language.words import Word, words_of
from qa.reading.answer_types import Fits, type_test
from qa.reading.reader import GENERAL, AnswerSpan, Calibration, PassageText

__all__ = ["OverlapReader"]

_SLOPE = 8.0


class OverlapReader:
    """A sentence answers as far as it has the question's words.

    In English its first new name or number that can answer is the answer; in other languages the whole sentence is,
    for in some of them every noun has a capital, and some know none. In scripts without spaces neighbouring characters
    are the words.
    """

    identity = "words 3"
    languages = None

    @property
    def calibration(self) -> Calibration:
        """The general one."""
        return GENERAL

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`."""
        language = language_of(question) or "en"
        asked = _stems(question, asking=language)
        fits = (type_test(question) or _any) if language == "en" else None
        return [_spans(passage.text, asked, fits=fits) for passage in passages]


def _any(_: str) -> bool:
    return True


def _spans(text: str, asked: frozenset[str], *, fits: Fits | None) -> tuple[AnswerSpan, ...]:
    """Of each sentence its first new word that fits, or all of it where none does or no word is to be told apart."""
    found = []
    for start, end in split_sentences(text):
        words = words_of(text[start:end])
        if not words:
            continue
        shared = len(asked & _stems(text[start:end])) / max(len(asked), 1)
        new = next((word for word in words if fits and _is_new(word, asked) and fits(word.text)), None)
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
