"""LangChain: its recursive splitter, its store in memory, dumped to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from measured_peer import Encoding, Make, main
from sentence_transformers import SentenceTransformer


def prepare(model: Path, characters: int) -> tuple[Make, Encoding]:
    encoding = Encoding(SentenceTransformer, "encode")
    encoder = HuggingFaceEmbeddings(model_name=str(model), encode_kwargs={"normalize_embeddings": True})
    splitter = RecursiveCharacterTextSplitter(chunk_size=characters, chunk_overlap=0)

    class LangChain:
        def __init__(self, folder: Path) -> None:
            self._folder, self._store = folder, InMemoryVectorStore(encoder)

        def ingest(self, articles: Sequence[tuple[str, str]]) -> int:
            whole = [Document(page_content=text, metadata={"title": title}) for title, text in articles]
            cut = splitter.split_documents(whole)
            self._store.add_documents(cut)
            self._store.dump(str(self._folder / "store.json"))
            return len(cut)

        def search(self, question: str) -> int:
            return len(self._store.similarity_search(question, k=10))

    return LangChain, encoding


if __name__ == "__main__":
    main(prepare)
