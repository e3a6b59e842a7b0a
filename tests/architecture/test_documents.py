"""The documents say what the code does: settings, commands, routes, errors, version, files; and the README is short."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
from litestar import Litestar
from litestar.routes import HTTPRoute

from qa.cli import program
from qa.evaluation import Example
from qa.server.app import create_app
from qa.server.http.problems import KINDS
from qa.server.parts import Parts
from qa.server.service import Service
from qa.settings import DESCRIPTIONS, Settings

REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *(f"docs/{path.name}" for path in sorted((REPO / "docs").glob("*.md"))),
)


def document(name: str) -> str:
    return (REPO / name).read_text(encoding="utf-8")


def test_the_readme_is_short_and_leads_to_every_document() -> None:
    readme = document("README.md")
    assert len(readme.split()) <= 900
    assert "docs/architecture.md" in readme.partition("\n## ")[0], "linked from the first screen"
    linked = set(re.findall(r"\]\(([^)#]+)[^)]*\)", readme))
    assert [name for name in DOCUMENTS if name.startswith("docs/") and name not in linked] == []


def test_the_configuration_table_is_that_of_the_settings() -> None:
    rows = re.findall(r"^\| `(QA_\w+)` \| `([^`]*)` \| (.*) \|$", document("docs/configuration.md"), re.MULTILINE)
    defaults = Settings()
    expected = [
        (name, str(getattr(defaults, name.removeprefix("QA_").lower())), text) for name, text in DESCRIPTIONS.items()
    ]
    assert rows == expected


def test_the_table_of_errors_is_that_of_the_service() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `([\w-]+)` \| (.*) \|$", document("docs/http.md"), re.MULTILINE)
    assert rows == sorted((str(kind.status), kind.slug, kind.meaning) for kind in KINDS.values())


def test_the_table_of_a_dataset_names_the_fields_of_an_example() -> None:
    section = document("docs/evaluation.md").partition("\n## The dataset\n")[2].partition("\n## ")[0]
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


def test_every_command_is_documented() -> None:
    found = [" ".join(path) for path in commands(program, click.Context(program, info_name="qa"), ("qa",))]
    assert len(found) > 3
    assert [name for name in found if not re.search(rf"`{name}\b", document("docs/commands.md"))] == []


def test_every_route_is_documented() -> None:
    routes = document("docs/http.md").partition("\n## Routes\n")[2].partition("\n## ")[0]

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
    assert sorted(route for route in found if f"`{route}`" not in routes) == []


def test_every_file_the_documents_name_exists(repo: Path) -> None:
    named: dict[str, list[str]] = {}
    for name in DOCUMENTS:
        text = re.sub(r"```.*?```", "", document(name), flags=re.DOTALL)
        named[name] = re.findall(r"`((?:qa|embeddings|prompts|seeds|tests|scripts|\.ci)/[\w./*-]*)`", text)
    assert min(len(named[name]) for name in ("docs/architecture.md", "CONTRIBUTING.md")) > 3
    missing = {
        f"{name}: {path}" for name, paths in named.items() for path in paths if not any(repo.glob(path.rstrip("/")))
    }
    assert missing == set()


def test_every_make_target_the_documents_name_exists(repo: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repo / "Makefile").read_text(), re.MULTILINE))
    named = {target for name in DOCUMENTS for target in re.findall(r"(?:`|\(|    )make ([a-z-]+)", document(name))}
    assert len(named) > 5
    assert named <= targets


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_between_the_documents_leads_somewhere(repo: Path) -> None:
    links = [
        ((repo / name).parent / target if target else repo / name, anchor)
        for name in DOCUMENTS
        for target, anchor in re.findall(r"\]\(((?!https?:)[^)#\s]*)#?([^)\s]*)\)", document(name))
    ]
    assert len(links) > 30
    assert len([anchor for _, anchor in links if anchor]) > 5
    assert [str(path) for path, _ in links if not path.exists()] == []
    assert [f"{path}#{part}" for path, part in links if part and part not in anchors(path.read_text("utf-8"))] == []


def test_the_changelog_starts_with_this_version(repo: Path) -> None:
    version = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", (repo / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == version
