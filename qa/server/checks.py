"""Checks on the encoding thread: behind the questions, in small jobs, a few texts at a time, each within the deadline.

A long text takes as long as many questions. Its jobs are patient ones, as an ingest's are: a question waits for one of
them at most, and a check gets a quarter of the thread where questions never end.
"""

from __future__ import annotations

from typing import Protocol

from qa.checking.values import CheckReport, TextToCheck
from qa.executor import Run
from qa.server.errors import DeadlineExceeded, Unsupported
from qa.server.metrics import Metrics
from qa.server.worker import Permits, Worker
from qa.settings import Settings
from qa.tracing.spans import part

__all__ = ["Checking", "Checks"]

_WAITING = 8
"""Checks waiting or at work; further ones would hardly be finished within their deadline."""


class Checking(Protocol):
    """What judges texts, as the HTTP layer sees it."""

    async def check(self, asked: TextToCheck, *, run: Run, seconds: float | None) -> CheckReport:
        """Judge every sentence that claims something; blocking work goes to `run`.

        Sentences not reached within `seconds` say so. Raises InvalidText, InvalidQuestion, and TimeoutError where none
        was judged in time.
        """


class Checks:
    """The checks of one service."""

    def __init__(self, settings: Settings, *, worker: Worker, metrics: Metrics) -> None:
        self._seconds = settings.deadline_seconds
        self._worker = worker
        self._metrics = metrics
        self._admitted = Permits(_WAITING, what="checks")
        metrics.watch("checks_admitted", "Checks waiting or at work.", lambda: self._admitted.taken)

    async def check(self, text: TextToCheck, *, checking: Checking | None) -> CheckReport:
        """Judge the sentences of a text; where the deadline came first, some of them.

        Raises InvalidText, InvalidQuestion, Overloaded, and DeadlineExceeded where none could be judged in time.
        """
        if checking is None:
            raise Unsupported("this service checks no texts")
        with part("check") as span, self._admitted.one():
            try:
                report = await checking.check(text, run=self._worker.run_patiently, seconds=self._seconds)
            except TimeoutError:
                raise DeadlineExceeded(f"no sentence was judged within {self._seconds:g} seconds") from None
            span.tell({"sourceline.sentences": report.summary.sentences})
        self._metrics.checked(report)
        return report
