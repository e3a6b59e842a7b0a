"""Prompts: files that say what they need, rendered strictly, named by their content."""

from __future__ import annotations

from importlib.resources import files

import pytest

import prompts
from prompts import PromptError, parse

NAMES = sorted(entry.name.removesuffix(".md") for entry in files("prompts").iterdir() if entry.name.endswith(".md"))
CONTENT = "variables: who, what\n---\nTell {{who}} of {{what}}, {{who}}.\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_is_sound(name: str) -> None:
    prompt = prompts.load(name)
    rendered = prompt.render(**{variable: f"<{variable}>" for variable in prompt.variables})
    assert "{{" not in rendered
    assert all(f"<{variable}>" in rendered for variable in prompt.variables)


def test_values_are_put_in_once_and_never_read() -> None:
    assert parse("p", CONTENT).render(who="{{what}}", what="\\1") == "Tell {{what}} of \\1, {{what}}."


@pytest.mark.parametrize("values", [{}, {"who": "a"}, {"who": "a", "what": "b", "why": "c"}])
def test_values_must_fit(values: dict[str, str]) -> None:
    with pytest.raises(PromptError, match="'p'"):
        parse("p", CONTENT).render(**values)


@pytest.mark.parametrize(
    "content",
    [
        "Tell {{who}}.",
        "variables: who\nTell {{who}}.",
        "variables:\n---\nTell {{who}}.",
        "variables: who, what\n---\nTell {{who}}.",
    ],
)
def test_a_file_must_declare_what_it_uses(content: str) -> None:
    with pytest.raises(PromptError, match="'p'"):
        parse("p", content)


def test_what_is_not_there() -> None:
    with pytest.raises(PromptError, match="no prompt"):
        prompts.load("../pyproject")


def test_the_fingerprint_names_the_content() -> None:
    assert parse("p", CONTENT).fingerprint == parse("q", CONTENT).fingerprint
    assert parse("p", CONTENT).fingerprint != parse("p", CONTENT.replace(".", "!")).fingerprint


def test_no_example_looks_like_a_source() -> None:
    """Sources are numbered from 1: a model that copies an example cites nothing."""
    prompt = prompts.load("answer_system")
    rendered = prompt.render(**dict.fromkeys(prompt.variables, "S"))
    assert "[S0]" in rendered
    assert not any(f"[S{number}" in rendered for number in range(1, 10))
