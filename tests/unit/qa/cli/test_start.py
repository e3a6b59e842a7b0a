"""What keeps the start short gives the same as what it stands in for."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import rich_click as click
from tokenizers import Tokenizer

from embeddings.errors import WeightsMismatch
from embeddings.runtime import open_tokenizer
from qa.cli import program
from qa.server import openapi
from qa.server.app import create_app
from qa.server.run import load
from qa.server.service import Service
from qa.settings import Settings

FOLDERS = ("embeddings.encoders:bundled_network", "qa.reading:weights")
UNUSED = ("qa.generation.writer", "qa.grounding.trained", "qa.checking.text_checker", "qa.generators.transport", "mcp")


@pytest.mark.parametrize("name", program.list_commands(click.Context(program)))
def test_the_list_of_commands_says_what_each_says(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    assert command.name == name
    assert command.help is not None
    assert program.commands[name].help == command.help.split("\n\n")[0].strip()


@pytest.mark.parametrize("place", FOLDERS)
def test_a_tokenizer_with_a_shared_vocabulary_is_the_one_of_its_file(place: str) -> None:
    package, folder = place.split(":")
    path = Path(str(files(package) / folder / "tokenizer.json"))
    whole = Tokenizer.from_file(str(path))
    whole.no_padding()
    whole.no_truncation()
    own, cutting = open_tokenizer(path), open_tokenizer(path)
    cutting.enable_truncation(8)
    assert own.to_str() == whole.to_str()
    assert len(cutting.encode("one two three four five six seven eight nine").ids) == 8


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsMismatch, match="reinstall"):
        open_tokenizer(tmp_path / "tokenizer.json", sha256="0" * 64)


def test_the_description_of_the_api_is_made_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(openapi, "describe", lambda *given, **_: made.append(given))
    create_app(Service(Settings(data_dir=tmp_path), load=load))
    assert not made


def test_an_application_does_without_the_framework_s_plugins_for_models_that_nothing_here_has() -> None:
    command = (
        "import sys; from qa.server.app import create_app; from qa.server.run import load;"
        "from qa.server.service import Service; from qa.settings import Settings;"
        "create_app(Service(Settings(), load=load)); print(*({'pydantic', 'attr'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def test_a_service_that_only_extracts_loads_nothing_that_writes_or_judges_or_speaks_mcp() -> None:
    command = (
        "import sys; import qa.server.run; from embeddings import encoders; from qa.assembly import assemble;"
        "from qa.settings import Settings;"
        "parts = assemble(Settings(), encoder=encoders.load('hashing'), checks=False);"
        f"print(parts.checker, *({set(UNUSED)} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None"]
