"""Say which files and functions are too long to see at once.

    python scripts/check_sizes.py FOLDER…

A file over 300 lines or a function over 40 (its docstring not counted) is a sign that it does two things.
Exit status 1 when one is found.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40


def too_long(path: Path) -> Iterator[str]:
    """One line of complaint for each excess in a file."""
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{path}: {lines} lines, at most {MAX_FILE_LINES}"
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = function_lines(node)
            if length > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {MAX_FUNCTION_LINES}"


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end; explaining a function must not make it too long."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return total
    docstring = node.body[0]
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def main(folders: list[str]) -> int:
    """Check every Python file below the folders."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    if not files:
        sys.stderr.write(f"check_sizes: no Python file below {folders}\n")
        return 1
    complaints = [complaint for path in files for complaint in too_long(path)]
    sys.stderr.write("".join(f"{complaint}\n" for complaint in complaints))
    sys.stdout.write(f"check_sizes: {len(files)} files, {len(complaints)} too long\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
