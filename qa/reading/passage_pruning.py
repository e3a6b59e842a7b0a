"""Decides which passages are still worth reading, after some were read for the same question.

The retrieval score of a passage, and the question's words in its best sentence, bound what it can reach. Most passages
cannot overtake a good answer any more. Those with the same answer, or another figure for it, are read anyway, because
they are shown beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from qa.language.words import Word, matter, stems, words_of
from qa.reading import Calibration, Clues

if TYPE_CHECKING:
    from qa.reading.sentence_ranking import ReadSentence

_LOGIT, _SHARE = 5.0, 0.9
"""The reader's usual values when it finds the answer (docs/quality.md says what this misses)."""
_SHOWN_BESIDE = 2.0
"""How far, in log-odds, a passage may lie behind the best sentence and still be shown beside it."""
_TOGETHER = 2
"""Passages read together before deciding whether to read more. The same on every machine, since the answer depends on
it."""
_SHARED = 2
"""Content words that a sentence with another figure must share with the best one."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate for one passage before it is read."""

    logit: float
    """Log-odds of its best sentence if the reader finds the answer there."""
    sentences: tuple[tuple[Word, ...], ...]


def estimate_of(
    title: str, sentences: Sequence[str], *, retrieval: float, asked: frozenset[str], calibration: Calibration
) -> Estimate:
    """Estimate a passage with this title; `retrieval` as in `Clues`, `asked`: the question's stems."""
    cut = tuple(words_of(sentence) for sentence in sentences)
    untold = asked - stems(title)
    fewest = min((len(untold.difference(word.stem for word in words)) for words in cut), default=len(asked))
    most = len(asked) - fewest
    clues = Clues(logit=_LOGIT, retrieval=retrieval, share=_SHARE, sentence=most / max(len(asked), 1))
    return Estimate(logit=calibration.log_odds(clues), sentences=cut)


def is_worth_reading(estimate: Estimate, best: ReadSentence) -> bool:
    """Whether a passage may overtake the best sentence so far, or be shown beside its answer."""
    if estimate.logit > best.logit - _SHOWN_BESIDE and (_repeats(estimate, best) or _differs(estimate, best)):
        return True
    return estimate.logit > best.logit


class ReadingQueue:
    """The passages still to read: all at once; with estimates, two at a time, the most promising first."""

    def __init__(
        self,
        count: int,
        *,
        estimates: Sequence[Estimate] = (),
        ends_at: Callable[[ReadSentence], bool] = lambda _: False,
    ) -> None:
        """Passages that add nothing to the best sentence for which `ends_at` is true are skipped. `estimates`: one for
        each passage."""
        self.taken = 0
        self._left = sorted(range(count), key=lambda number: -estimates[number].logit if estimates else 0.0)
        self._estimates = estimates
        self._ends_at = ends_at

    def next(self, judged: Iterable[ReadSentence]) -> list[int]:
        """Take the next passages, given all that was read; none if no passage left is worth reading."""
        if not self._estimates:
            now = self._left
        else:
            best_first = sorted(judged, key=lambda one: -one.logit)
            if best := next(filter(self._ends_at, best_first), None):
                self._left = [number for number in self._left if is_worth_reading(self._estimates[number], best)]
            now = self._left[:_TOGETHER]
        self._left = self._left[len(now) :]
        self.taken += len(now)
        return now


def _repeats(estimate: Estimate, best: ReadSentence) -> bool:
    """Whether one of its sentences has all words of the answer."""
    words = matter(best.words)
    return bool(words) and any(words.issubset(word.stem for word in one) for one in estimate.sentences)


def _differs(estimate: Estimate, best: ReadSentence) -> bool:
    """Whether it has another figure than the answer, in a similar sentence."""
    if not any(word.number for word in words_of(best.words)):
        return False
    words = matter(best.words)
    about = {word.stem for word in words_of(best.sentence.text) if not word.stop and not word.number}
    return any(
        len(about.intersection(word.stem for word in one)) >= _SHARED
        and any(word.number and word.stem not in words for word in one)
        for one in estimate.sentences
    )
