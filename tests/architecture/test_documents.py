"""README and CHANGELOG say what the code does: settings, commands, routes, version, files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from qa.cli.program import program
from qa.evaluation.types import Example
from qa.server.app import create_app
from qa.server.service import Parts, Service
from qa.settings import DESCRIPTIONS, Settings

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/access.md",
    "docs/chat.md",
    "docs/evaluation.md",
    "docs/yardsticks.md",
)


@pytest.fixture(scope="module")
def readme(repo: Path) -> str:
    return (repo / "README.md").read_text(encoding="utf-8")


def test_the_configuration_table_is_that_of_the_settings(readme: str) -> None:
    rows = re.findall(r"^\| `(QA_\w+)` \| `([^`]*)` \| (.*) \|$", readme, re.MULTILINE)
    defaults = Settings()
    expected = [
        (name, str(getattr(defaults, name.removeprefix("QA_").lower())), text) for name, text in DESCRIPTIONS.items()
    ]
    assert rows == expected


def test_the_table_of_a_dataset_names_the_fields_of_an_example(repo: Path) -> None:
    document = (repo / "docs" / "evaluation.md").read_text(encoding="utf-8")
    section = document.partition("\n## The dataset\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
    assert [name for cell in cells for name in re.findall(r"\w+", cell)] == list(Example.__struct_fields__)


def test_every_setting_is_described_and_every_description_is_of_a_setting() -> None:
    assert {f"QA_{name.upper()}" for name in Settings.__struct_fields__} == set(DESCRIPTIONS)


def commands(command: click.Command, context: click.Context, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, click.Context(child, parent=context, info_name=name), (*path, name))
    else:
        yield path


def test_every_command_is_in_the_readme(readme: str) -> None:
    found = [" ".join(path) for path in commands(program, click.Context(program, info_name="qa"), ("qa",))]
    assert len(found) > 3
    assert [name for name in found if name not in readme] == []


def test_every_route_is_in_the_readme(readme: str) -> None:
    def load(_: Settings) -> Parts:
        raise AssertionError("the routes are known without a model")

    app: Litestar = create_app(Service(Settings(), load=load))
    found = {
        f"{method} {re.sub(r':[a-z]+', '', route.path_format)}"
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method not in {"OPTIONS", "HEAD"}
    }
    assert len(found) > 5
    assert sorted(route for route in found if f"`{route}`" not in readme) == []


def test_every_file_the_documents_name_exists(repo: Path) -> None:
    named: dict[str, list[str]] = {}
    for name in DOCUMENTS:
        text = re.sub(r"```.*?```", "", (repo / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        named[name] = re.findall(r"`((?:qa|embeddings|prompts|seeds|tests|scripts|\.ci)/[\w./*-]*)`", text)
    assert min(len(named[name]) for name in ("README.md", "CONTRIBUTING.md")) > 3
    missing = {
        f"{name}: {path}" for name, paths in named.items() for path in paths if not any(repo.glob(path.rstrip("/")))
    }
    assert missing == set()


def test_every_make_target_the_documents_name_exists(repo: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repo / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for name in DOCUMENTS
        for target in re.findall(r"`make ([a-z-]+)", (repo / name).read_text(encoding="utf-8"))
    }
    assert len(named) > 5
    assert named <= targets


def test_every_link_between_the_documents_leads_somewhere(repo: Path) -> None:
    links = [
        (repo / name).parent / target
        for name in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:\s]+)\)", (repo / name).read_text(encoding="utf-8"))
    ]
    assert len(links) > 10
    assert [str(link) for link in links if not link.exists()] == []


def test_the_changelog_starts_with_this_version(repo: Path) -> None:
    version = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (repo / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version
