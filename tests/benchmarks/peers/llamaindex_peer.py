"""LlamaIndex: its sentence splitter and vector index, persisted to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from measured_peer import Encoding, Make, main
from sentence_transformers import SentenceTransformer

CHARACTERS_A_TOKEN = 4.6


def prepare(model: Path, characters: int) -> tuple[Make, Encoding]:
    encoding = Encoding(SentenceTransformer, "encode")
    encoder = HuggingFaceEmbedding(model_name=str(model), device="cpu")
    splitter = SentenceSplitter(chunk_size=round(characters / CHARACTERS_A_TOKEN), chunk_overlap=0)

    class LlamaIndex:
        def __init__(self, folder: Path) -> None:
            self._folder = folder
            self._index = VectorStoreIndex([], embed_model=encoder)
            self._retriever = self._index.as_retriever(similarity_top_k=10)

        def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
            whole = [Document(text=text, metadata={"title": title}) for title, text in articles]
            nodes = splitter.get_nodes_from_documents(whole)
            self._index.insert_nodes(nodes)
            self._index.storage_context.persist(str(self._folder))
            return len(nodes)

        def search(self, question: str) -> int:
            return len(self._retriever.retrieve(question))

    return LlamaIndex, encoding


if __name__ == "__main__":
    main(prepare)
