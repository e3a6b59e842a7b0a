"""Say which files and functions are too long to see at once.

    python scripts/check_sizes.py FOLDER…

A file over 400 lines is worth a second look: it is named, and no more. A function over 40 (its docstring not counted)
does two things: exit status 1 when one is found.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

LONG_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def long_file(path: Path) -> Iterator[str]:
    """A warning where a file is long."""
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines > LONG_FILE_LINES:
        yield f"{path}: warning: {lines} lines, more than {LONG_FILE_LINES}: one idea, or two?"


def long_functions(path: Path) -> Iterator[str]:
    """One line of complaint for each function of a file that is too long."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
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
    warnings = [warning for path in files for warning in long_file(path)]
    complaints = [complaint for path in files for complaint in long_functions(path)]
    sys.stderr.write("".join(f"{line}\n" for line in warnings + complaints))
    sys.stdout.write(f"check_sizes: {len(files)} files, {len(warnings)} long, {len(complaints)} functions too long\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
