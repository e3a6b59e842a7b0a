"""The wheel holds the four packages with their data and nothing else, and works where only it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PACKAGES = ("qa", "embeddings", "prompts", "seeds")
UNSHIPPED = ("qa/training/documents/", "qa/training/edits/", "qa/training/news/")
"""What only training reads."""
MAX_BYTES = 70_000_000
"""Source, prompts, sample articles and three networks of 23 MB: the encoder's, the reader's and the checker's."""


def run(command: list[str], *, cwd: Path | None = None, **variables: str) -> str:
    """Standard output of a command that must succeed."""
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} said: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repo)]
    run(command)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(repo: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, made by the script that makes the container image; gives its folder."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    # The dependencies are those of the environment the tests run in; the checkout is not among them.
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(
        [str(repo / "scripts" / "install_image.sh"), str(folder), str(wheel)],
        PIP_PYTHON=sys.executable,
        PIP_NO_INDEX="1",
    )
    return folder


def committed(repo: Path) -> set[str]:
    """Files of the four packages that git does not ignore."""
    listing = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES], cwd=repo)
    return {name for name in listing.splitlines() if (repo / name).is_file()}


def test_the_wheel_holds_the_packages_and_their_data(repo: Path, wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")]
    tops = {name.split("/")[0] for name in names}
    assert tops == {*PACKAGES, f"sourceline-{version('sourceline')}.dist-info"}
    travelling = {name for name in committed(repo) if not name.startswith(UNSHIPPED)}
    assert {name for name in names if name.split("/")[0] in PACKAGES} == travelling
    assert [name for name in names if name.endswith((".jsonl", ".html"))], "sample articles travel in the wheel"


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES


def test_the_licence_travels_with_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert f"sourceline-{version('sourceline')}.dist-info/licenses/LICENSE" in names


def test_the_names_belong_to_the_wheel(installed: Path) -> None:
    """`embeddings` is also the name of somebody else's project: ours must be the one that answers."""
    program = (
        "import importlib.resources as r, embeddings, prompts, qa, seeds, sys\n"
        "for package in (embeddings, prompts, qa, seeds): print(package.__file__)\n"
        "print(sum(1 for path in r.files('seeds').joinpath('articles').iterdir()))\n"
    )
    *files, articles = run([str(installed / "bin" / "python"), "-c", program], cwd=Path("/")).split()
    assert all(Path(file).is_relative_to(installed) for file in files)
    assert int(articles) > 10


def test_a_question_is_answered_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    """Ingest and ask as an operator would, in a folder that holds nothing of the checkout."""
    variables = {"QA_DATA_DIR": str(tmp_path / "data"), "QA_ENCODER": "hashing"}
    qa = str(installed / "bin" / "qa")
    article = tmp_path / "bridge.txt"
    article.write_text(
        "Old bridge reopens\n\nThe old bridge over the river Arl reopened on Friday after nine months.\n"
    )
    run([qa, "ingest", str(article)], cwd=tmp_path, **variables)
    answer = run([qa, "ask", "--json", "When did the old bridge over the river Arl reopen?"], cwd=tmp_path, **variables)
    assert json.loads(answer)["offset_unit"] == "code_point"
