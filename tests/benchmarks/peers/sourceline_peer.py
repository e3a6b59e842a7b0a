"""This project, measured as its peers are: `ingest` into a store, search as `/api/search` does it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from measured_peer import Encoding, Make, main

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders.bundled import BundledEncoder
from embeddings.ingest import ingest
from embeddings.types import RawArticle, Where
from qa.assembly import assemble
from qa.settings import Settings
from qa.types import SearchQuestion


def prepare(_model: Path, _characters: int) -> tuple[Make, Encoding]:
    encoding = Encoding(BundledEncoder, "encode_passages", "encode_query")
    encoder = encoders.load("all-MiniLM-L6-v2", threads=1)
    parts = assemble(Settings(), encoder=encoder, checks=False)

    class Sourceline:
        def __init__(self, folder: Path) -> None:
            self._corpus = EmbeddedCorpus.open(folder, identity=encoder.identity)
            self._answerer = parts.over(self._corpus)
            self._loop = asyncio.new_event_loop()  # one for all searches, as a service has it

        def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
            rows = [RawArticle(title=title, text=text) for title, text in articles]
            ingest(rows, corpus=self._corpus, encoder=encoder)
            return self._corpus.count(Where()).passages

        def search(self, question: str) -> int:
            asked = SearchQuestion(question=question, limit=10)
            return len(self._loop.run_until_complete(self._answerer.search(asked)).search_results)

    return Sourceline, encoding


if __name__ == "__main__":
    main(prepare)
