"""How many processors count, that native threads sleep, lists of words, and expressions compiled late."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from embeddings.runtime import compiled_late, let_threads_sleep, native_threads, usable_processors, word_lists

V2, V1 = "0::{group}\n", "12:cpuset:/\n5:cpu,cpuacct:{group}\n1:name=systemd:/\n"


@pytest.fixture(autouse=True)
def sixteen_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


def machine(folder: Path, cgroup: str, **files: str) -> Path:
    """A machine's `proc` and `sys`, as far as they are read; `__` stands for a slash, `_dot_` for a dot."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(cgroup)
    for name, text in files.items():
        path = folder / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".").replace("_and_", ",")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 1),
        ("50000 100000\n", 1),
        ("max 100000\n", 16),
        ("6400000 100000", 16),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, quota: str, found: int) -> None:
    root = machine(tmp_path, V2.format(group="/"), cpu_dot_max=quota)
    assert usable_processors(root=root) == found


def test_the_narrowest_group_around_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        V2.format(group="/system/web"),
        cpu_dot_max="max 100000",
        system__cpu_dot_max="300000 100000",
        system__web__cpu_dot_max="800000 100000",
    )
    assert usable_processors(root=root) == 3


def test_a_group_that_is_only_named_is_no_other(tmp_path: Path) -> None:
    """Without a namespace of its own a container reads its host's path, and finds its own files at the mount."""
    root = machine(tmp_path, V2.format(group="/docker/0123"), cpu_dot_max="400000 100000")
    assert usable_processors(root=root) == 4
    outside = machine(tmp_path / "b", V2.format(group="/../../other"), cpu_dot_max="500000 100000")
    assert usable_processors(root=outside) == 5


@pytest.mark.parametrize(("quota", "found"), [("250000", 2), ("-1", 16)])
def test_version_1(tmp_path: Path, quota: str, found: int) -> None:
    files = {
        "cpu_and_cpuacct__docker__a__cpu_dot_cfs_quota_us": quota,
        "cpu_and_cpuacct__docker__a__cpu_dot_cfs_period_us": "100000",
    }
    assert usable_processors(root=machine(tmp_path, V1.format(group="/docker/a"), **files)) == found


@pytest.mark.parametrize("text", ["", "0 0", "100000 0", "many 100000", "1 2 3"])
def test_what_cannot_be_read_is_no_quota(tmp_path: Path, text: str) -> None:
    assert usable_processors(root=machine(tmp_path, V2.format(group="/"), cpu_dot_max=text)) == 16
    assert usable_processors(root=tmp_path / "nowhere") == 16


def test_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 7})
    root = machine(tmp_path, V2.format(group="/"), cpu_dot_max="800000 100000")
    assert usable_processors(root=root) == 2


def test_threads_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})
    assert native_threads(3, environ={"OMP_NUM_THREADS": "5"}) == 3
    assert native_threads(0, environ={"OMP_NUM_THREADS": "5,2"}) == 5
    assert native_threads(0, environ={"OMP_NUM_THREADS": "0"}) == native_threads(0, environ={}) == 1


def test_threads_sleep_unless_told_otherwise() -> None:
    for given, wanted in (({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")):
        environ = dict(given)
        let_threads_sleep(environ)
        assert environ["OMP_WAIT_POLICY"] == wanted


def test_blas_starts_no_threads_unless_told_otherwise() -> None:
    for given, wanted in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4"), ({"OMP_NUM_THREADS": "4"}, None)):
        environ = dict(given)
        let_threads_sleep(environ)
        assert environ.get("OPENBLAS_NUM_THREADS") == wanted


def test_tokenizers_share_nothing_out_unless_told_otherwise() -> None:
    for given, wanted in (({}, "false"), ({"TOKENIZERS_PARALLELISM": "true"}, "true")):
        environ = dict(given)
        let_threads_sleep(environ)
        assert environ["TOKENIZERS_PARALLELISM"] == wanted


def test_it_is_said_before_openmp_is_loaded() -> None:
    """Whatever is imported first of the offline half, the policy stands before FAISS is there."""
    told = (
        "import sys, os; import embeddings; "
        "print('faiss' in sys.modules, 'torch' in sys.modules, os.environ.get('OMP_WAIT_POLICY'))"
    )
    environ = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    run = subprocess.run([sys.executable, "-c", told], env=environ, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False", "passive"]


def test_an_expression_is_compiled_when_it_is_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    really = re.compile
    monkeypatch.setattr(re, "compile", lambda pattern, flags: compiled.append(pattern) or really(pattern, flags))
    late = compiled_late("(b)C", re.IGNORECASE)
    assert late.pattern == "(b)C"
    assert compiled == []
    assert late.sub(r"\1", "abc") == "ab"
    assert [found[1] for found in late.finditer("bc BC")] == ["b", "B"]
    assert late.sub("", "abc") == "a"
    assert late.groups == 1
    assert compiled == ["(b)C"] * 3, "each of sub, finditer and groups was looked for once"


def late_expressions(value: object) -> list[re.Pattern[str]]:
    if isinstance(value, tuple | list):
        return [found for one in value for found in late_expressions(one)]
    return [value] if type(value) is type(compiled_late("")) else []  # type: ignore[list-item]


def test_each_expression_that_is_compiled_late_can_be_compiled(repo: Path) -> None:
    found: list[re.Pattern[str]] = []
    for path in sorted([*repo.glob("embeddings/**/*.py"), *repo.glob("qa/**/*.py")]):
        if " compiled_late(" in path.read_text(encoding="utf-8"):
            name = ".".join(path.relative_to(repo).with_suffix("").parts)
            found += [one for value in vars(importlib.import_module(name)).values() for one in late_expressions(value)]
    assert len(found) > 50
    assert all(one.groups >= 0 for one in found)


@pytest.mark.parametrize("said", [None, "0"])
def test_the_networks_leave_nothing_in_the_users_home(tmp_path: Path, said: str | None) -> None:
    """ONNX Runtime keeps an id of the machine and a queue of events for Microsoft there, unless it is told not to."""
    code = (
        "from embeddings.encoders.bundled import BundledEncoder\n"
        "assert BundledEncoder().encode_query('Who built the bridge?').size"
    )
    # Nothing of ours: under CI, ONNX Runtime keeps still by itself.
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    environment |= {} if said is None else {"ORT_DISABLE_TELEMETRY": said}
    subprocess.run([sys.executable, "-B", "-c", code], env=environment, cwd=tmp_path, check=True, timeout=300)
    assert list(tmp_path.rglob("*")) == []


LISTS = {
    "embeddings": "month_names.txt",
    "embeddings.chunking": "abbreviations.txt",
    "embeddings.cleaning": "labels.txt",
    "embeddings.parsers": "columns.txt",
    "qa.conversations": "starters.txt",
    "qa.language": "names.txt question_words.txt units.txt",
}


@pytest.mark.parametrize(("package", "file"), [(one, file) for one, files in LISTS.items() for file in files.split()])
def test_no_line_of_a_list_is_passed_over(repo: Path, package: str, file: str) -> None:
    text = (repo / package.replace(".", "/") / file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    lists = word_lists(package, file)
    names = [line.partition(": ")[0] for line in lines if not line.startswith(" ")]
    assert list(lists) == names  # none twice
    told = " ".join(line.partition(": ")[2] if not line.startswith(" ") else line for line in lines)
    assert " ".join(lists.values()) == " ".join(told.split())
