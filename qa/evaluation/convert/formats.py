"""The formats that can be converted, by the name the command line knows them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from qa.evaluation.convert import frameworks, realtimeqa, squad, tables
from qa.evaluation.convert.converted import Converted
from qa.evaluation.dataset import read_dataset

__all__ = ["FORMATS"]


def _own(paths: Sequence[Path]) -> Converted:
    return Converted(examples=tuple(example for path in paths for example in read_dataset(path).examples))


FORMATS: Final[Mapping[str, Callable[[Sequence[Path]], Converted]]] = MappingProxyType(
    {
        "squad": squad.convert,
        "realtimeqa": realtimeqa.convert,
        "ragas": frameworks.convert_ragas,
        "deepeval": frameworks.convert_deepeval,
        "csv": tables.convert,
        "seeds": _own,
    }
)
