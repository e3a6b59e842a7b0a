"""Takes a draft in pieces as they arrive, gives its sentences, each as soon as it is certain where it ends.

Where a sentence ends depends on the text alone, not on how it was cut into pieces: a stop is judged when the word
behind it is complete.
"""

from __future__ import annotations

import re

from embeddings.chunking.sentences import split_sentences
from qa.generation.citation_markers import hang_back, marked_end, opens_bracket

__all__ = ["SentenceCutter", "sentence_spans"]

_WORD_END = re.compile(r"(?<=\S)(?=\s)|(?<=\n)")
_STOP = re.compile(r"[.!?…。！？]")
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_MAYBE_THOUGHT = re.compile(
    r"<(?:t|th|thi|thin|think|thinki|thinkin|thinking|r|re|rea|reas|reaso|reason\w*)?$", re.IGNORECASE
)
_RUN_ON = re.compile(r"(?<=[a-z0-9%)\],])\s+(?=(?:The|This|These|Those|It|He|She|They|There|We|You)\s+[a-z])")
"""Where a sentence begins behind one that lacks its stop: checked together, the true one would carry the other."""
_LONGEST = 2_000
"""Characters without an end after which what came so far is taken for one sentence."""


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """The sentences of a whole text by their places, cut where those of a draft are; a wrapped line runs on.

    >>> sentence_spans("It sank in\\ncalm water The crew was saved.")
    ((0, 21), (22, 41))
    """
    found: list[tuple[int, int]] = []
    for start, end in split_sentences(text):
        breaks = [match.span() for match in _RUN_ON.finditer(text, start, end)]
        starts = [start, *(following for _, following in breaks)]
        found += zip(starts, [*(stop for stop, _ in breaks), end], strict=True)
    return tuple(found)


class SentenceCutter:
    """Cuts one draft. What a model thinks aloud, in tags, is left out."""

    def __init__(self, *, label: str) -> None:
        self._label = label
        self._raw = ""
        self._begun = False
        self._text = ""
        self._seen = 0
        """Characters of `_text` up to which every word end was judged."""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; give the sentences that are complete now."""
        self._text += self._without_thoughts(piece)
        return self._cut()

    def finish(self) -> list[str]:
        """Give what is left, when the draft is complete."""
        done = self._cut()
        rest, self._text, self._seen = self._text, "", 0
        return [*done, *self._sentences(rest)]

    def _without_thoughts(self, piece: str) -> str:
        """What of the draft so far may be read now; thoughts stand before everything else."""
        if self._begun:
            return piece
        self._raw += piece
        if not self._raw.strip() or _MAYBE_THOUGHT.match(self._raw.strip()):
            return ""
        thought = _THOUGHT.match(self._raw.lstrip())
        if thought is None:
            self._begun = True
            return self._raw
        if thought[0].lower().endswith(f"</{thought[1].lower()}>"):
            self._begun = True
            return self._raw.lstrip()[thought.end() :]
        return ""

    def _cut(self) -> list[str]:
        found: list[str] = []
        while (end := self._next_end()) is not None:
            sentences, rest = self._parted(self._text[:end])
            if sentences:
                found += sentences
                self._text, self._seen = rest + self._text[end:], len(rest)
            else:
                self._seen = end
        return found

    def _next_end(self) -> int | None:
        """Where the next complete word ends that has not been looked at."""
        match = _WORD_END.search(self._text, self._seen + 1) if self._seen < len(self._text) else None
        return match.start() if match else None

    def _parted(self, text: str) -> tuple[list[str], str]:
        """The sentences that have surely ended in a text that ends with a word, and the rest."""
        line, broken, rest = text.rpartition("\n")
        if broken and line.strip():
            return self._sentences(line), rest
        if not (_STOP.search(text) or _RUN_ON.search(text)):
            return ([text], "") if len(text) > _LONGEST else ([], text)
        hung = hang_back(text, label=self._label)
        start = self._second(hung)
        if start is None or opens_bracket(hung[start:]):
            return [], text
        return [hung[:start].strip()], hung[start:]

    def _second(self, text: str) -> int | None:
        """Where the second sentence of a text begins; None where there is one only."""
        run_on = _RUN_ON.search(text)
        starts = [
            *(start for start, _ in split_sentences(text)[1:2]),
            *([run_on.end()] if run_on else []),
            *([marked] if (marked := marked_end(text, label=self._label)) is not None else []),
        ]
        return min(starts, default=None)

    def _sentences(self, text: str) -> list[str]:
        """All sentences of text that has ended; each line has its own."""
        return [sentence for line in text.splitlines() for sentence in self._of_line(line.strip())]

    def _of_line(self, line: str) -> list[str]:
        hung, found = hang_back(line, label=self._label), []
        while hung:
            end = self._second(hung) or len(hung)
            found.append(hung[:end].strip())
            hung = hung[end:].strip()
        return found
