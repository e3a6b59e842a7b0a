"""Takes a question and passages, gives what a network reads of them; turns its logits back into words.

Method: start and end of the answer as two distributions over the tokens, the first token standing for "no answer here"
(Devlin et al. 2019, section 4.3); passages longer than the network reads are covered by overlapping windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from qa.reading.reader import AnswerSpan, PassageText

__all__ = ["SPANS_PER_PASSAGE", "Batch", "Network", "read_windows"]

SPANS_PER_PASSAGE = 20
TITLE_MARK = " | "
"""Parts a title from the text that it stands before, as in training."""
_TITLE_WORDS = 18
_QUESTION_CHARACTERS = 400
"""A longer question leaves no room for passages; its beginning is read."""
_LONGEST_ANSWER = 40
"""Tokens of an answer, at most."""
_TOP = 20
"""Starts, and ends, that are combined with each other."""
_STRIDE = 64
"""Tokens that neighbouring windows of one passage share."""
_MICRO_BATCH = 8
"""Windows read at once, unless said otherwise: of about the same length, so that little is padding."""

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float32]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs of a network, each of shape (windows, tokens), padded with zeros."""

    ids: _Ints
    mask: _Ints
    kinds: _Ints
    """0 for the question, 1 for the passage."""


Network = Callable[[Batch], tuple[_Floats, _Floats]]
"""Start and end logits, each of shape (windows, tokens)."""


class _Window(msgspec.Struct, frozen=True, kw_only=True):
    passage: int
    encoding: Encoding
    shift: int
    """Where the text begins in what was read: after the title."""


def read_windows(
    question: str,
    passages: Sequence[PassageText],
    *,
    tokenizer: Tokenizer,
    network: Network,
    together: int = _MICRO_BATCH,
) -> list[tuple[AnswerSpan, ...]]:
    """Read every passage, `together` windows at once; `tokenizer` is set to cut by `limit_tokens` or its like."""
    windows = sorted(_windows(question, passages, tokenizer), key=lambda window: len(window.encoding.ids))
    found: list[dict[tuple[int, int], float]] = [{} for _ in passages]
    for at in range(0, len(windows), together):
        group = windows[at : at + together]
        starts, ends = network(_batch([window.encoding for window in group]))
        for window, first, last in zip(group, starts, ends, strict=True):
            for span in _spans(window, first, last):
                seen = found[window.passage]
                seen[span.start, span.end] = max(span.logit, seen.get((span.start, span.end), -np.inf))
    return [_best(spans) for spans in found]


def limit_tokens(tokenizer: Tokenizer, *, most: int) -> None:
    """Let a tokenizer cut passages, never questions, into windows of at most `most` tokens."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(most, stride=min(_STRIDE, most // 4), strategy="only_second")


def _windows(question: str, passages: Sequence[PassageText], tokenizer: Tokenizer) -> Iterator[_Window]:
    asked = question[:_QUESTION_CHARACTERS]
    titles = [" ".join(passage.title.split()[:_TITLE_WORDS]) for passage in passages]
    heads = [title + TITLE_MARK if title else "" for title in titles]
    pairs = [(asked, head + passage.text) for head, passage in zip(heads, passages, strict=True)]
    for number, encoding in enumerate(tokenizer.encode_batch(pairs)):
        if not any(character.isalnum() for character in passages[number].text):
            continue
        for window in (encoding, *encoding.overflowing):
            yield _Window(passage=number, encoding=window, shift=len(heads[number]))


def _batch(encodings: Sequence[Encoding]) -> Batch:
    width = max(len(encoding.ids) for encoding in encodings)
    ids, mask, kinds = (np.zeros((len(encodings), width), np.int64) for _ in range(3))
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
        kinds[row, : len(encoding.ids)] = encoding.type_ids
    return Batch(ids=ids, mask=mask, kinds=kinds)


def _spans(window: _Window, first: _Floats, last: _Floats) -> Iterator[AnswerSpan]:
    """Likely spans of one window, their log-odds against "no answer here"."""
    encoding = window.encoding
    places = [
        number
        for number, (kind, (start, end)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if kind == 1 and end > start >= window.shift
    ]
    if not places:
        return
    allowed = np.array(places)
    nothing = float(first[0] + last[0])
    begins = allowed[np.argsort(-first[allowed], kind="stable")[:_TOP]]
    ends = allowed[np.argsort(-last[allowed], kind="stable")[:_TOP]]
    pairs = [(int(b), int(e)) for b in begins for e in ends if b <= e < b + _LONGEST_ANSWER]
    pairs.sort(key=lambda pair: (-float(first[pair[0]] + last[pair[1]]), pair))
    for begin, end in pairs[:SPANS_PER_PASSAGE]:
        yield AnswerSpan(
            encoding.offsets[begin][0] - window.shift,
            encoding.offsets[end][1] - window.shift,
            float(first[begin] + last[end]) - nothing,
        )


def _best(spans: dict[tuple[int, int], float]) -> tuple[AnswerSpan, ...]:
    ordered = sorted(spans.items(), key=lambda item: (-item[1], item[0]))
    return tuple(AnswerSpan(start, end, logit) for (start, end), logit in ordered[:SPANS_PER_PASSAGE])
