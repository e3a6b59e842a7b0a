"""Reading: which words of the retrieved passages answer a question, and how sure that is.

`load_reader` gives the reader of a name.
"""

from __future__ import annotations

from qa.reading.reader import Reader

__all__ = ["load_reader"]


def load_reader(name: str = "", *, threads: int = 0) -> Reader:
    """The shipped reader for no name, `words` for one without a network, else a transformers model by name or path.

    Raises EncoderError where no such model is on this machine, SettingsError where its calibration is another's.
    """
    if not name:
        from qa.reading.networks import ShippedReader

        return ShippedReader(threads=threads)
    if name == "words":
        from qa.reading.reader import OverlapReader

        return OverlapReader()
    from qa.reading.networks import NamedReader

    reader = NamedReader(name, threads=threads)
    _ = reader.calibration  # A calibration of other weights is an error now, not at the first question.
    return reader
