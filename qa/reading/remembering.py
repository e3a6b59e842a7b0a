"""A reader that remembers what it read lately: questions are asked again, and parts of them are read twice."""

from __future__ import annotations

from collections.abc import Sequence

from embeddings.runtime.memory import Memory, key_of
from qa.reading.calibration import Calibration
from qa.reading.reader import AnswerSpan, PassageText, Reader

__all__ = ["RememberingReader"]


class RememberingReader:
    """Passes on to a reader that reads every passage by itself, whatever else it is given; the same readings."""

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
        """Read what is not remembered for the same question, title and text; see `Reader`."""
        keys = [key_of(self.identity, question, passage.title, passage.text) for passage in passages]
        found = {key: known for key in dict.fromkeys(keys) if (known := self._readings.get(key)) is not None}
        new = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in found}
        if new:
            read = self._reader.read(question, list(new.values()))
            for key, spans in zip(new, read, strict=True):
                self._readings.put(key, spans)
                found[key] = spans
        return [found[key] for key in keys]
