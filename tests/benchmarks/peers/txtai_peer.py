"""txtai: its vectors and words with contents in SQLite, saved to a folder. It cuts no articles by itself: paragraphs
are put together up to a passage's length here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from measured_peer import Encoding, Make, main
from txtai import Embeddings
from txtai.vectors.dense.huggingface import HFVectors


def packed(text: str, characters: int) -> list[str]:
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        if found and len(found[-1]) + len(paragraph) < characters:
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    return found


def prepare(model: Path, characters: int) -> tuple[Make, Encoding]:
    encoding = Encoding(HFVectors, "encode")

    class Txtai:
        def __init__(self, folder: Path) -> None:
            self._folder = folder
            self._embeddings = Embeddings(path=str(model), content=True, hybrid=True, gpu=False)

        def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
            rows = [{"text": part, "title": title} for title, text in articles for part in packed(text, characters)]
            self._embeddings.index(rows)
            self._embeddings.save(str(self._folder / "index"))
            return len(rows)

        def search(self, question: str) -> int:
            return len(self._embeddings.search(question, 10))

    return Txtai, encoding


if __name__ == "__main__":
    main(prepare)
