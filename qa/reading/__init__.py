"""Reading: which words of the retrieved passages answer a question, and how likely that is.

Here is the seam of readers, which find the words of passages that answer a question; `load_reader` opens a reader by
name. `OverlapReader` needs no network: it counts shared words, for languages that no network reads.

A calibration turns log-odds into the probability that the best answer is right; below a threshold, a reader declines.
A calibration belongs to one reader, named by its hash, and is refused with another. Its features come from the reading
and from words alone, so that the encoder can change without it. A reader may cache readings: questions are asked again,
and parts of them are read twice.

What the steps of reading exchange is a sentence of the evidence with its place, `SentenceAt`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.index.terms import UNSPACED
from embeddings.runtime import Memory, key_of
from qa.errors import SettingsError
from qa.grounding import chance
from qa.language.question_words import asking_words, asks_figure, asks_name, language_of
from qa.language.words import Word, words_of
from qa.reading.answer_types import Fits, type_test
from qa.types import Evidence

FILE_NAME = "sourceline-reader.json"
"""The file in a named model's folder that has its calibration."""


class PassageText(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a reader for one passage."""

    text: str
    title: str = ""
    """Context before the text; never part of the answer."""


class AnswerSpan(msgspec.Struct, frozen=True):
    """Words of a passage that may answer: `text[start:end]`."""

    start: int
    end: int
    logit: float
    """Log-odds of these words against no answer in the passage; comparable across passages."""


_ENDS = re.compile(r"[.!…。！]['\"”’»)\]]*$")


class SentenceAt(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence with its place: `article.text[start:end] == text`."""

    text: str
    start: int
    end: int
    evidence: int
    """Index of the evidence it was found in (the best-ranked one, where passages overlap)."""
    before: str = ""
    """The sentence before it in that passage; empty for the first."""
    before_start: int = 0
    """Where that one begins in the article."""


def sentences_of(item: Evidence, *, evidence: int) -> list[SentenceAt]:
    """All sentences of one passage, in order."""
    passage = item.stored.passage
    found: list[SentenceAt] = []
    for start, end in sentence_places(passage.text):
        earlier = found[-1] if found else None
        found.append(
            SentenceAt(
                text=passage.text[start:end],
                start=passage.start + start,
                end=passage.start + end,
                evidence=evidence,
                before=earlier.text if earlier else "",
                before_start=earlier.start if earlier else 0,
            )
        )
    return found


@lru_cache(maxsize=128)
def sentence_places(text: str) -> tuple[tuple[int, int], ...]:
    """Where the sentences of a passage lie; one answer asks several times for those of the passages that it reads."""
    return split_sentences(text)


def is_said(text: str) -> bool:
    """Whether a sentence ends as one that says something; headlines and captions do not.

    >>> is_said("The bridge reopened on Friday."), is_said("Bridge to reopen"), is_said("Will it reopen?")
    (True, False, False)
    """
    return _ENDS.search(text) is not None


class Reader(Protocol):
    """Finds answers in passages; blocking CPU work, deterministic.

    The shipped one is thread-safe; call others from one thread at a time.
    """

    @property
    def identity(self) -> str:
        """Name and hash: equal identity means equal readings. A calibration belongs to one identity."""

    @property
    def calibration(self) -> Calibration:
        """What its log-odds mean."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages that it can read, as ISO 639-1 codes; None for any, or if unknown."""

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """The likeliest spans of each passage, best first, two dozen at most; they may overlap.

        An empty tuple for a passage without words.
        """


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the best answer; the defaults are those of an undisputed one."""

    logit: float
    """Log-odds of its sentence, from all clues."""
    read: float = 0.0
    """Log-odds of its words, from the reader alone."""
    lead: float = 4.0
    """How far the next sentence with another answer lies behind, in log-odds; 8 at most."""
    words: float = 3.0
    """Words of the answer; 15 at most."""


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the best sentence of a passage, before passages are compared."""

    logit: float
    """The reader's log-odds of all its words against no answer in the passage."""
    retrieval: float = 0.0
    """Logarithm of the passage's retrieval score; 0 for the first of both lists."""
    share: float = 1.0
    """The best span's share of the probability of all spans; the best sentence's share, if a sentence is the answer."""
    sentence: float = 1.0
    """Share of the question's words that it or the title has."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fitted by `qa.training.calibrate_reader`, or general."""

    reader: str
    """Identity of the reader it belongs to; empty for the general one."""
    weights: dict[str, float]
    """By feature; others weigh nothing."""
    bias: float
    threshold: float
    """Below this probability the answer is an abstention."""
    ranking: dict[str, float] = {}
    """Weights of the clues in the log-odds of a passage's best sentence, by field of `Clues`; others weigh nothing."""
    ranking_bias: float = 0.0
    fitted_on: str = ""

    def log_odds(self, clues: Clues) -> float:
        """Log-odds that the best sentence of a passage has the answer; they order passages."""
        return self.ranking_bias + _weighed(self.ranking, clues)

    def probability(self, features: Features) -> float:
        """Probability that the best answer is right, 0 to 1."""
        return chance(self.bias + _weighed(self.weights, features))


def _weighed(weights: Mapping[str, float], known: msgspec.Struct) -> float:
    return float(sum(weight * getattr(known, name) for name, weight in weights.items()))


GENERAL = Calibration(
    reader="", weights={"logit": 1.0}, bias=0.0, threshold=0.5, ranking={"logit": 1.0, "retrieval": 1.0}
)
"""For uncalibrated readers: their own odds of an answer against none."""


def read_calibration(path: Path) -> Calibration:
    """Read a calibration. Raises SettingsError if it cannot be used."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path} is no calibration of a reader ({error}); fit it again") from None
    weighed = ((found.weights, {*Features.__struct_fields__}), (found.ranking, {*Clues.__struct_fields__}))
    if unknown := {name for weights, known in weighed for name in weights.keys() - known}:
        raise SettingsError(f"{path} weighs {', '.join(sorted(unknown))}, which no reading has; fit it again")
    return found


def calibration_beside(folder: Path, *, reader: str) -> Calibration:
    """The calibration in a model's folder, or the general one.

    Raises SettingsError if it belongs to other weights: their threshold would decline wrongly.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return GENERAL
    found = read_calibration(path)
    if found.reader != reader:
        raise SettingsError(
            f"{path} was fitted for {found.reader!r}, but the model there is {reader!r}; fit it again, or remove it "
            "to use the model's own odds"
        )
    return found


class RememberingReader:
    """Caches the readings of a reader that reads every passage independently of the others."""

    def __init__(self, reader: Reader, *, readings: Memory[tuple[AnswerSpan, ...]]) -> None:
        self._reader = reader
        self._readings = readings

    @property
    def identity(self) -> str:
        """The wrapped reader's."""
        return self._reader.identity

    @property
    def calibration(self) -> Calibration:
        """The wrapped reader's."""
        return self._reader.calibration

    @property
    def languages(self) -> frozenset[str] | None:
        """The wrapped reader's."""
        return self._reader.languages

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """Read only passages not cached for the same question, title and text; see `Reader`."""
        keys = [key_of(self.identity, question, passage.title, passage.text) for passage in passages]
        found = {key: known for key in dict.fromkeys(keys) if (known := self._readings.get(key)) is not None}
        new = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in found}
        if new:
            read = self._reader.read(question, list(new.values()))
            for key, spans in zip(new, read, strict=True):
                self._readings.put(key, spans)
                found[key] = spans
        return [found[key] for key in keys]


_SLOPE = 8.0
_FIGURE = re.compile(r"[\d一二三四五六七八九十百千万億两]")
_NAME = re.compile(r"(?<=[\w,»”] )[A-ZÀ-ÖØ-ÞА-Я]\w+")
"""A capitalised word that does not begin a sentence."""
_CARRIED = 0.5
"""What a word of the sentence before counts."""
_OF_THE_KIND = 0.03
"""Bonus for a sentence with such words: it comes before one with as many words of the question and none of these."""


class OverlapReader:
    """The more of the question's words a sentence has, the better it answers.

    In English, the answer is its first new name or number of the right kind. In other languages it is the whole
    sentence, because in some every noun has a capital, and others have no capitals. In scripts without spaces, pairs of
    neighbouring characters are the words.
    """

    identity = "words 5"
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
        kind = None if language == "en" else _kind_asked(question)
        return [_spans(passage, asked, fits=fits, kind=kind) for passage in passages]


def _any(_: str) -> bool:
    return True


def _spans(
    passage: PassageText, asked: frozenset[str], *, fits: Fits | None, kind: re.Pattern[str] | None
) -> tuple[AnswerSpan, ...]:
    """From each sentence its first new word that fits; the whole sentence if none does, or if `fits` is None.

    Words of the title count for a sentence that has another word of the question, and half as much those of the
    sentence before it: "It is 340 metres long" does not say again which bridge.
    """
    text, titled, before, found = passage.text, _stems(passage.title), frozenset[str](), []
    for start, end in split_sentences(text):
        words = words_of(text[start:end])
        if not words:
            continue
        said = _stems(text[start:end])
        own = asked & said
        near = own | (asked & titled) if own - titled else own
        carried = (asked & before) - near if near - before else ()
        shared = (len(near) + _CARRIED * len(carried)) / max(len(asked), 1)
        before = said
        if kind and any(_stems(one.group()) - titled - asked for one in kind.finditer(text[start:end])):
            shared += _OF_THE_KIND
        new = next((word for word in words if fits and _is_new(word, asked) and fits(word.text)), None)
        first, last = (new.start, new.end) if new else (words[0].start, words[-1].end)
        found.append(AnswerSpan(start + first, start + last, _SLOPE * (shared - 0.5)))
    return tuple(sorted(found, key=lambda span: (-span.logit, span.start)))


def _kind_asked(question: str) -> re.Pattern[str] | None:
    """What a sentence must have to say when, how many or who; None if the question asks something else."""
    return _FIGURE if asks_figure(question) else _NAME if asks_name(question) else None


def _stems(text: str, *, asking: str = "en") -> frozenset[str]:
    """The stems of a text's words, without question words; in unspaced scripts, all pairs of characters."""
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


def load_reader(name: str = "", *, threads: int = 0) -> Reader:
    """The shipped reader for an empty name, `words` for the one without a network, else a transformers model.

    Raises EncoderError if no such model is on this machine, SettingsError if the calibration belongs to another.
    """
    if not name:
        from qa.reading.networks import ShippedReader

        return ShippedReader(threads=threads)
    if name == "words":
        return OverlapReader()
    from qa.reading.networks import NamedReader

    reader = NamedReader(name, threads=threads)
    _ = reader.calibration  # a calibration of other weights is an error now, not at the first question
    return reader
