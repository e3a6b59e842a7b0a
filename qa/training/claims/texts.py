"""Takes the reader's training files, gives their texts in sentences, as claims are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embeddings.chunking.sentences import split_sentences
from qa.training.reader_data import rows_of

__all__ = ["VALIDATION_FOLD", "Text", "sentences_of"]

Text = Sequence[str]  # its sentences
VALIDATION_FOLD = 0  # of the reader's files; left out here too
_SENTENCES_OF = ("train", "train-sentences")
_OTHER_KINDS = ("squadshifts", "fairytaleqa")  # shop reviews, forums, tales: too unlike news


def sentences_of(folder: Path) -> list[Text]:
    """The texts of the reader's training files, in sentences; single sentences by the article they are from."""
    texts: dict[str, list[str]] = {}
    for name in _SENTENCES_OF:
        for row in rows_of(folder / f"{name}.jsonl.gz"):
            if row.fold == VALIDATION_FOLD or row.source.startswith(_OTHER_KINDS):
                continue
            key = row.context if name == "train" else row.group
            own = texts.setdefault(key, [])
            if own and name == "train":
                continue
            cut = [row.context[start:end] for start, end in split_sentences(row.context)]
            own += [sentence for sentence in cut if _is_plain(sentence) and sentence not in own]
    return [text for text in texts.values() if len(text) > 1]


def _is_plain(sentence: str) -> bool:
    return 6 <= len(sentence.split()) <= 45 and sentence.endswith(".") and sentence[0].isupper() and "[" not in sentence
