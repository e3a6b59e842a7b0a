"""Readers that are networks: the shipped one, and any question-answering model of transformers by name.

The one that ships is the bundled encoder fine-tuned to read, int8, run by ONNX Runtime; no torch. What it was trained
on, and how well it does, stands in `weights/MODEL_CARD.md`. Method: start and end of the answer as two distributions
over the tokens, the first token standing for "no answer here" (Devlin et al. 2019, section 4.3); passages longer than
the network reads are covered by overlapping windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.resources import as_file, files
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from embeddings.encoders import locate, revision
from embeddings.encoders.sentence_transformer import prepare_torch
from embeddings.errors import EncoderError
from embeddings.runtime import native_threads, open_session, open_tokenizer
from qa.reading import FILE_NAME, AnswerSpan, Calibration, PassageText, calibration_beside, read_calibration

if TYPE_CHECKING:
    import onnxruntime

MOST_TOKENS = 384
_MOST_TOKENS = 384
_SPECIAL = 4
"""Positions some architectures keep for themselves (RoBERTa counts from 2)."""
_SPANS_PER_PASSAGE = 20
TITLE_MARK = " | "
"""Parts a title from the text that it stands before, as in training."""
_CELL = " | "
"""Parts the cells of a row."""
_FIGURE = re.compile(r"\d")
_YEAR = re.compile(r"(?:19|20)\d\d")
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


class ShippedReader:
    """One long-lived session over the weights beside this file."""

    languages = frozenset({"en"})

    def __init__(self, *, threads: int = 0) -> None:
        """Nothing is loaded before the first question. `threads` of 0 means one per core."""
        self._threads = threads
        with as_file(files("qa.reading").joinpath("weights")) as folder:
            self._folder = Path(folder)

    @cached_property
    def calibration(self) -> Calibration:
        """What its log-odds are worth, fitted for exactly these weights."""
        return read_calibration(self._folder / "reader.json")

    @property
    def identity(self) -> str:
        """Name and hash of the weights."""
        return self.calibration.reader

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`.

        Each window has a run to itself: the network takes one, since activations are quantised by their range in a run
        and what is read in one passage would depend on the others.
        """
        run = map if native_threads(self._threads) == 1 else self._pool.map
        self._session  # noqa: B018 - opened here, or each thread would open its own
        return _read_windows(question, passages, tokenizer=self._tokenizer, network=self._network, together=1, run=run)

    def _network(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray]:
        inputs = {"input_ids": batch.ids, "token_type_ids": batch.kinds}
        starts, ends = self._session.run(["start_logits", "end_logits"], inputs)
        return starts, ends

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = open_tokenizer(self._folder / "tokenizer.json")
        limit_tokens(tokenizer, most=MOST_TOKENS)
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        sha256 = self.identity.rpartition(" ")[2]
        # One thread a run: runs beside each other use the processors better than one run does that is split up.
        return open_session(self._folder / "reader.onnx", sha256=sha256, threads=1)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(native_threads(self._threads), thread_name_prefix="reader")


class NamedReader:
    """Reads with a model of this machine; torch runs it."""

    languages = None

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Locates the model. Raises EncoderError where it is not on this machine."""
        self._folder = locate(name)
        self._name = name
        self._threads = threads

    @cached_property
    def identity(self) -> str:
        """Name and hash of its files; its calibration is none of them."""
        return f"{self._name} {revision(self._folder, without=FILE_NAME)}"

    @cached_property
    def calibration(self) -> Calibration:
        """The one kept in the model's folder, or the general one. Raises SettingsError where it is another model's."""
        return calibration_beside(self._folder, reader=self.identity)

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        """See `Reader`."""
        return _read_windows(question, passages, tokenizer=self._tokenizer, network=self._network)

    def _network(self, batch: _Batch) -> tuple[np.ndarray, np.ndarray]:
        import torch

        inputs = {"input_ids": torch.from_numpy(batch.ids), "attention_mask": torch.from_numpy(batch.mask)}
        if getattr(self._model.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = torch.from_numpy(batch.kinds)
        with torch.inference_mode():
            found = self._model(**inputs)
        return found.start_logits.float().numpy(), found.end_logits.float().numpy()

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        positions = int(getattr(self._model.config, "max_position_embeddings", _MOST_TOKENS + _SPECIAL))
        limit_tokens(tokenizer, most=min(_MOST_TOKENS, positions - _SPECIAL))
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModelForQuestionAnswering

        prepare_torch(threads=self._threads)
        model, told = AutoModelForQuestionAnswering.from_pretrained(
            self._folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        if missing := sorted(told["missing_keys"]):
            raise EncoderError(
                f"{self._folder} is no question-answering model: its weights lack {', '.join(missing[:3])}; "
                "name one that was trained to find answers, such as one trained on SQuAD 2.0"
            )
        return model.eval()


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs of a network, each of shape (windows, tokens), padded with zeros."""

    ids: _Ints
    mask: _Ints
    kinds: _Ints
    """0 for the question, 1 for the passage."""


_Logits = tuple[_Floats, _Floats]
"""Of start and end, each of shape (windows, tokens)."""
_Network = Callable[[_Batch], _Logits]
_Run = Callable[[_Network, Iterable[_Batch]], Iterable[_Logits]]
"""How a network is run on some batches: as `map` does, or on several at once."""


class _Window(msgspec.Struct, frozen=True, kw_only=True):
    passage: int
    encoding: Encoding
    shift: int
    """Where the text begins in what was read: after the title."""


def _read_windows(
    question: str,
    passages: Sequence[PassageText],
    *,
    tokenizer: Tokenizer,
    network: _Network,
    together: int = _MICRO_BATCH,
    run: _Run = map,
) -> list[tuple[AnswerSpan, ...]]:
    """Read every passage, `together` windows in a batch; `tokenizer` is set to cut by `limit_tokens` or its like."""
    written = [_written_out(passage.text) for passage in passages]
    texts = [
        msgspec.structs.replace(passage, text=one.text) if one else passage
        for passage, one in zip(passages, written, strict=True)
    ]
    windows = sorted(_windows(question, texts, tokenizer), key=lambda window: len(window.encoding))
    groups = [windows[at : at + together] for at in range(0, len(windows), together)]
    batches = (_batch([window.encoding for window in group]) for group in groups)
    found: list[dict[tuple[int, int], float]] = [{} for _ in passages]
    for group, (starts, ends) in zip(groups, run(network, batches), strict=True):
        for window, first, last in zip(group, starts, ends, strict=True):
            for span in _spans(window, first, last):
                seen = found[window.passage]
                seen[span.start, span.end] = max(span.logit, seen.get((span.start, span.end), -np.inf))
    return [_best(one.back(spans) if one else spans) for one, spans in zip(written, found, strict=True)]


class _WrittenOut(msgspec.Struct, frozen=True):
    """A text whose rows of tables were written out as sentences."""

    text: str
    places: Sequence[int]
    """Of each character of it, its place in the text as it was; -1 for what was put in."""

    def back(self, spans: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], float]:
        """The spans where their words stand in the text as it was."""
        found: dict[tuple[int, int], float] = {}
        for (start, end), logit in spans.items():
            places = [place for place in self.places[start:end] if place >= 0]
            if places:
                kept = min(places), max(places) + 1
                found[kept] = max(logit, found.get(kept, -np.inf))
        return found


def _written_out(text: str) -> _WrittenOut | None:
    """Let each cell of a table say its row and its column; None for a text without a table.

    A network that has read sentences takes a cell for that of the row above, and what parts them for a title's end.

    >>> _written_out("Ship | Seats | Built\\nBelinda | 180 | 1998").text
    'Belinda, Seats: 180; Belinda, Built: 1998;'
    """
    if _CELL not in text:
        return None
    pieces: list[tuple[str, int]] = []
    at = 0
    for is_table, lines in groupby(text.split("\n"), key=lambda line: line.count(_CELL)):
        rows = list(lines)
        head = _head([row.split(_CELL) for row in rows]) if is_table else ()
        for number, row in enumerate(rows):
            if not is_table:
                pieces.append((f"{row}\n", at))
            elif number or not head:
                pieces += [*_cells(row, at, head), ("\n", at + len(row))]
            at += len(row) + 1
    places = [at + step if at >= 0 else -1 for piece, at in pieces for step in range(len(piece))]
    return _WrittenOut("".join(piece for piece, _ in pieces)[:-1], places[:-1])


def _head(rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """What stands above each column; nothing where the first row is one like the others."""
    first, *others = rows
    named = not any(map(_FIGURE.search, first[:1])) and all(
        not _FIGURE.search(cell) or _YEAR.fullmatch(cell.strip()) for cell in first[1:]
    )
    sure = len(first) > 2 or (len(others) > 1 and all(_FIGURE.search(row[1]) for row in others))
    return first if others and named and sure else ()


def _cells(row: str, at: int, head: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The cells of a row behind its first one, each with that and its head; and where they stand."""
    label, *cells = row.split(_CELL)
    place = at + len(label)
    for number, cell in enumerate(cells, start=1):
        yield label, at
        yield (f", {head[number]}: " if head else ": "), -1
        yield cell, place + len(_CELL)
        yield ("; " if number < len(cells) else ";"), -1
        place += len(_CELL) + len(cell)


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


def _batch(encodings: Sequence[Encoding]) -> _Batch:
    width = max(map(len, encodings))
    ids, mask, kinds = (np.zeros((len(encodings), width), np.int64) for _ in range(3))
    for row, encoding in enumerate(encodings):
        length = len(encoding)
        ids[row, :length] = encoding.ids
        mask[row, :length] = 1
        kinds[row, :length] = encoding.type_ids
    return _Batch(ids=ids, mask=mask, kinds=kinds)


def _spans(window: _Window, first: _Floats, last: _Floats) -> Iterator[AnswerSpan]:
    """Likely spans of one window, their log-odds against "no answer here"."""
    offsets = window.encoding.offsets  # made anew each time it is asked for
    places = [
        number
        for number, (kind, (start, end)) in enumerate(zip(window.encoding.sequence_ids, offsets, strict=True))
        if kind == 1 and end > start >= window.shift
    ]
    if not places:
        return
    allowed = np.array(places)
    begins = allowed[np.argsort(-first[allowed], kind="stable")[:_TOP]]
    ends = allowed[np.argsort(-last[allowed], kind="stable")[:_TOP]]
    pairs = np.stack(np.meshgrid(begins, ends, indexing="ij"), axis=-1).reshape(-1, 2)
    pairs = pairs[(pairs[:, 0] <= pairs[:, 1]) & (pairs[:, 1] < pairs[:, 0] + _LONGEST_ANSWER)]
    sums = first[pairs[:, 0]] + last[pairs[:, 1]]
    best = np.lexsort((pairs[:, 1], pairs[:, 0], -sums))[:_SPANS_PER_PASSAGE]
    nothing = float(first[0] + last[0])
    for (begin, end), total in zip(pairs[best].tolist(), sums[best].tolist(), strict=True):
        yield AnswerSpan(offsets[begin][0] - window.shift, offsets[end][1] - window.shift, total - nothing)


def _best(spans: dict[tuple[int, int], float]) -> tuple[AnswerSpan, ...]:
    ordered = sorted(spans.items(), key=lambda item: (-item[1], item[0]))
    return tuple(AnswerSpan(start, end, logit) for (start, end), logit in ordered[:_SPANS_PER_PASSAGE])
