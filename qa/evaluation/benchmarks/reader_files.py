"""Takes SQuAD files, gives reports on the shipped reader over a fixed draw of their questions."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from embeddings.encoders import Encoder
from embeddings.types import Article
from qa.evaluation.benchmarks.reader import ReaderReport, given, read_all, report, searched
from qa.evaluation.cache import CachingEncoder, kept
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.metrics.squad import SquadQuestion, read_questions
from qa.reading.reader import Reader
from qa.types import Evidence

__all__ = ["FileReport", "draw", "measure"]

EvidenceOf = Callable[[SquadQuestion], Sequence[Evidence]]


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """Reports on one file."""

    file: str
    paragraphs: int
    reports: tuple[ReaderReport, ...]


def measure(
    path: Path,
    *,
    encoder: Encoder,
    reader: Reader,
    settings: Sequence[Literal["given", "open"]],
    limit: int | None = None,
    seed: int = 0,
    cache: Path | None = None,
    told: Callable[[str, int, int], None] = lambda _setting, _done, _total: None,
) -> FileReport:
    """Measure one file; `limit` draws so many questions by the seed, all paragraphs stay. Raises InvalidDataset."""
    try:
        articles, questions = read_questions(path)
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidDataset(f"{path.name}: neither a SQuAD file nor lines of questions ({error})") from None
    asked = draw(questions, limit=limit, seed=seed)
    if not asked:
        raise InvalidDataset(f"{path.name}: the file holds no questions")
    paragraphs = {article.id: article for article in articles}
    remembering = CachingEncoder(encoder)
    reports = []
    with ExitStack() as stack:
        for setting in settings:
            evidence_of: EvidenceOf
            if setting == "given":
                evidence_of = partial(_given, paragraphs)
            else:
                corpus = stack.enter_context(kept(articles, remembering, stack.enter_context(_folder(cache))))
                evidence_of = partial(searched, corpus=corpus, encoder=remembering)
            tell = partial(_tell, told, setting, len(asked))
            reports.append(
                report(
                    read_all(asked, evidence_of=evidence_of, reader=reader, told=tell),
                    setting=setting,
                    threshold=reader.calibration.threshold,
                    fitted_on_these=path.name in reader.calibration.fitted_on,
                )
            )
    return FileReport(file=path.name, paragraphs=len(articles), reports=tuple(reports))


def _tell(told: Callable[[str, int, int], None], setting: str, total: int, done: int) -> None:
    told(setting, done, total)


def _given(paragraphs: Mapping[str, Article], question: SquadQuestion) -> Sequence[Evidence]:
    return given(paragraphs[question.article_id])


def draw(questions: Sequence[SquadQuestion], *, limit: int | None, seed: int) -> list[SquadQuestion]:
    """So many of the questions, always the same ones for a seed, in their order."""
    if limit is None or limit >= len(questions):
        return list(questions)
    places = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311 - a sample, not a secret
    return [questions[place] for place in places]


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
