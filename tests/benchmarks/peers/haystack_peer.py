"""Haystack: its splitter by words, embedders and store in memory, saved to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack import Document
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from measured_peer import Encoding, Make, main
from sentence_transformers import SentenceTransformer

CHARACTERS_A_WORD = 6.0


def prepare(model: Path, characters: int) -> tuple[Make, Encoding]:
    encoding = Encoding(SentenceTransformer, "encode")
    of_documents = SentenceTransformersDocumentEmbedder(model=str(model), progress_bar=False)
    of_texts = SentenceTransformersTextEmbedder(model=str(model), progress_bar=False)
    splitter = DocumentSplitter(split_by="word", split_length=round(characters / CHARACTERS_A_WORD))
    for part in (of_documents, of_texts, splitter):
        part.warm_up()

    class Haystack:
        def __init__(self, folder: Path) -> None:
            self._folder, self._store = folder, InMemoryDocumentStore()
            self._retriever = InMemoryEmbeddingRetriever(self._store, top_k=10)

        def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
            whole = [Document(content=text, meta={"title": title}) for title, text in articles]
            cut = splitter.run(documents=whole)["documents"]
            self._store.write_documents(of_documents.run(documents=cut)["documents"])
            self._store.save_to_disk(str(self._folder / "store.json"))
            return len(cut)

        def search(self, question: str) -> int:
            vector = of_texts.run(text=question)["embedding"]
            return len(self._retriever.run(query_embedding=vector)["documents"])

    return Haystack, encoding


if __name__ == "__main__":
    main(prepare)
