"""The lists of files in docs/architecture.md are paths through the code: earlier files import every next one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import grimp
import pytest

PATHS = ("The path of a question", "The path of an article", "The path of a claim")
LONGEST = 12


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("qa", "embeddings", cache_dir=None)


def listed(text: str, *, heading: str) -> list[str]:
    """The file that each item of a numbered list begins with, in order."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    numbers = re.findall(r"^(\d+)\. ", section, re.MULTILINE)
    files = re.findall(r"^\d+\. `([^`]+)` ", section, re.MULTILINE)
    assert numbers == [str(place) for place in range(1, len(files) + 1)], f"{heading}: an item begins with no file"
    return files


def unreached(files: Sequence[str], imports: grimp.ImportGraph) -> list[str]:
    """Files that no earlier one imports, directly or through one module; the first is where the path begins."""
    names = [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files]
    near: set[str] = set()
    lost = []
    for place, name in enumerate(names):
        if place and name not in near:
            lost.append(files[place])
        direct = imports.find_modules_directly_imported_by(name)
        near |= direct.union(*map(imports.find_modules_directly_imported_by, direct))
    return lost


@pytest.mark.parametrize("heading", PATHS)
def test_the_path_is_one_through_the_code(repo: Path, imports: grimp.ImportGraph, heading: str) -> None:
    files = listed((repo / "docs" / "architecture.md").read_text(encoding="utf-8"), heading=heading)
    assert 5 < len(files) <= LONGEST
    assert len(set(files)) == len(files)
    assert [file for file in files if not (repo / file).is_file()] == []
    assert unreached(files, imports) == []


def test_a_list_that_is_no_path_is_found(imports: grimp.ImportGraph) -> None:
    assert unreached(["qa/assembly.py", "qa/generation/writer.py"], imports) == []
    assert unreached(["qa/assembly.py", "qa/generation/sentence_stream.py"], imports) != []
    assert unreached(["qa/types.py", "qa/answering.py"], imports) == ["qa/answering.py"]


def test_an_item_without_a_file_is_found() -> None:
    with pytest.raises(AssertionError, match="begins with no file"):
        listed("\n## Way\n\n1. `qa/types.py` is one.\n2. Then the rest.\n", heading="Way")
