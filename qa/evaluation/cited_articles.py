"""Takes the articles that a foreign server answers from, keeps those it cites in the run's folder.

Such a server names its sources by address alone. With their words beside the predictions, its citations can be judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from embeddings.cleaning.article import clean
from embeddings.cleaning.urls import normalised_url
from embeddings.errors import InputError
from embeddings.readers import find, read
from embeddings.types import Article, Rejected
from qa.evaluation.replies import served_as
from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.targets import questions
from qa.evaluation.types import ARTICLES_FILE

__all__ = ["supply_articles"]


def supply_articles(folder: Path, run: FinishedRun, paths: Sequence[Path]) -> int:
    """Add the articles of these files (such as `qa ingest` takes) that are cited and not kept yet; says how many.

    Raises UnreadableFile for a path that cannot be read at all.
    """
    links = [
        citation.url
        for prediction in run.predictions.values()
        for citation in (prediction.foreign.citations if prediction.foreign else ())
    ]
    cited, served = {normalised_url(url) for url in links} - {None}, {served_as(url) for url in links}
    found = {
        (one.id, one.version): one
        for one in _articles(paths)
        if normalised_url(one.url) in cited or (one.id, one.version) in served
    }
    new = [questions.cited(found[name]) for name in found if name not in run.articles]
    with (folder / ARTICLES_FILE).open("ab") as file:
        file.writelines(msgspec.json.encode(one) + b"\n" for one in new)
    return len(new)


def _articles(paths: Sequence[Path]) -> Iterator[Article]:
    for path in find(paths):
        for item in read(path):
            if isinstance(item, Rejected):
                continue
            try:
                yield clean(item)
            except InputError:
                continue  # what cannot be stored cannot have been answered from
