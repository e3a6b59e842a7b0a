"""Takes SQuAD files, gives reports on the shipped reader over a fixed draw of their questions."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from embeddings.encoders import Encoder
from qa.evaluation.errors import InvalidDataset
from qa.evaluation.memo import MemoEncoder, kept
from qa.evaluation.reader_benchmark import ReaderReport, read_all, report
from qa.evaluation.squad import SquadQuestion, read_squad
from qa.extractive.network import Reader, load_reader

__all__ = ["FileReport", "draw", "measure"]


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """Reports on one file."""

    file: str
    paragraphs: int
    reports: tuple[ReaderReport, ...]


def measure(
    path: Path,
    *,
    encoder: Encoder,
    settings: Sequence[Literal["given", "open"]],
    limit: int | None = None,
    seed: int = 0,
    cache: Path | None = None,
    told: Callable[[str, int, int], None] = lambda _setting, _done, _total: None,
) -> FileReport:
    """Measure one file; `limit` draws so many questions by the seed, all paragraphs stay. Raises InvalidDataset."""
    try:
        articles, questions = read_squad(path)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidDataset(f"{path.name}: not a SQuAD file ({error})") from None
    asked = draw(questions, limit=limit, seed=seed)
    if not asked:
        raise InvalidDataset(f"{path.name}: the file holds no questions")
    if "open" not in settings:  # nothing else is searched
        named = {question.article_id for question in asked}
        articles = [article for article in articles if article.id in named]
    reader, remembering = load_reader(), MemoEncoder(encoder)
    reports = []
    with _folder(cache) as folder, kept(articles, remembering, folder) as corpus:
        for setting in settings:

            def tell(done: int, setting: str = setting) -> None:
                told(setting, done, len(asked))

            reads = read_all(asked, corpus=corpus, encoder=remembering, reader=reader, setting=setting, told=tell)
            reports.append(
                report(
                    reads,
                    setting=setting,
                    threshold=reader.calibration.threshold,
                    fitted_on_these=_fitted_on(reader, path),
                )
            )
    return FileReport(file=path.name, paragraphs=len(articles), reports=tuple(reports))


def draw(questions: Sequence[SquadQuestion], *, limit: int | None, seed: int) -> list[SquadQuestion]:
    """So many of the questions, always the same ones for a seed, in their order."""
    if limit is None or limit >= len(questions):
        return list(questions)
    places = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311 - a sample, not a secret
    return [questions[place] for place in places]


def _fitted_on(reader: Reader, path: Path) -> bool:
    return path.name in reader.provenance


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
