"""Takes a claim and its sentences with their vectors, gives them parsed and compared; keeps what it parsed last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from embeddings.encoders.encoder import EncoderIdentity, TokenVectors
from qa.grounding.reading import Sentence as Read
from qa.grounding.syntax.comparing import Comparison
from qa.grounding.syntax.parser import Parser, load_parser
from qa.grounding.syntax.ties import Sentence, sentence_of

__all__ = ["Grammar", "grammar_for"]

_KEPT = 256


class Grammar:
    """One parser and its last sentences; calls belong on one thread at a time."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._kept: OrderedDict[str, Sentence] = OrderedDict()

    def compare(self, pairs: Sequence[tuple[Read, TokenVectors]]) -> Comparison | None:
        """Hold the first sentence, the claim, against the others; None where it cannot be parsed."""
        parsed = [(read, self._sentence(read, vectors)) for read, vectors in pairs]
        (claim, ours), *evidence = parsed
        theirs = [(read, sentence) for read, sentence in evidence if sentence is not None]
        return Comparison((claim, ours), theirs) if ours is not None and theirs else None

    def _sentence(self, read: Read, vectors: TokenVectors) -> Sentence | None:
        if found := self._kept.get(read.text):
            self._kept.move_to_end(read.text)
            return found
        tree = self._parser.parse(read.words, vectors)
        if tree is None:
            return None
        self._kept[read.text] = sentence_of(tree)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[read.text]


def grammar_for(identity: EncoderIdentity) -> Grammar | None:
    """Grammar over an encoder's vectors; None for an encoder that the parser was not fitted for."""
    parser = load_parser()
    return Grammar(parser) if identity.revision == parser.encoder else None
