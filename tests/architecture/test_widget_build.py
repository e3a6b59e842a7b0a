"""The widget that is served is the one that its source makes, small, in small files, and knows the service's types."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from embeddings.types import Article
from qa import types as wire
from qa.server.wire import AnswerLink, Archive, KeptAnswer, Starters

MAX_GZIPPED = 30_000
"""Of what a reader loads; a language that is no part of the script is one file more, of at most MAX_LANGUAGE."""
MAX_LANGUAGE = 5_000
PLURALS = {"ar": {"one", "two", "few", "many", "other"}}
"""The forms of languages that have more than one and many; 0 is as 100 in Arabic."""
NONE_IS_AS_ONE = {"fr", "hi", "pt"}
"""What these say of one they say of none, too: the number has to be in it."""
AS_IN_ENGLISH = {"conversation", "source", "sources", "articleBy"}
"""Keys whose word is the same somewhere: in French."""
MAX_LINES = 300
NO_TOOLS = 3


@pytest.fixture(scope="module")
def rebuilt(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The widget built anew from its source; type errors in it fail the build."""
    folder = tmp_path_factory.mktemp("dist")
    build = [repo / "scripts" / "build_widget.sh", folder / "dist", folder / "npm"]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode == NO_TOOLS and not os.environ.get("CI"):
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_committed_build_is_that_of_the_source(repo: Path, rebuilt: Path) -> None:
    committed = repo / "qa" / "widget" / "dist"
    made = rebuilt / "dist"
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in committed.iterdir())
    for path in committed.iterdir():
        assert path.read_bytes() == (made / path.name).read_bytes(), f"{path.name}: run `make widget` and commit"


CONSUMER = """
import { define, type AnyEvent } from "sourceline-chat";
void define("https://answers.example");
const chat = document.createElement("sourceline-chat");
chat.tokenProvider = async () => "token";
void chat.ask("When?").then(() => chat.reset());
document.addEventListener("sourceline-feedback", ({ detail }) => detail.reasons.join(detail.verdict));
chat.addEventListener("sourceline-event", ({ detail }) => {
  const said: AnyEvent = detail;
  if (said.name === "search") console.log(said.results.toFixed());
  // @ts-expect-error: an answer that is completed has no results
  if (said.name === "completed") console.log(said.results);
});
"""


def test_the_package_is_installed_typed_and_harmless_on_a_server(repo: Path, rebuilt: Path, tmp_path: Path) -> None:
    version = msgspec.json.decode((rebuilt / "npm" / "package.json").read_bytes())["version"]
    assert version == msgspec.toml.decode((repo / "pyproject.toml").read_bytes())["project"]["version"]
    tmp_path.joinpath("package.json").write_text('{"name": "site", "private": true, "type": "module"}')
    tmp_path.joinpath("site.ts").write_text(CONSUMER)
    tmp_path.joinpath("server.mjs").write_text(
        'import { define } from "sourceline-chat"; await define("https://a.example");'
    )
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable"]
    for command in (
        ["npm", "install", "--offline", "--no-audit", "--no-fund", "--install-links", rebuilt / "npm"],
        [repo / "qa/widget/node_modules/.bin/tsc", *options, "site.ts"],
        ["node", "server.mjs"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_widget_is_small(repo: Path) -> None:
    pages = (path for path in (repo / "qa/widget/page").iterdir() if path.stem != "configure")
    files = [*(repo / "qa/widget/dist").iterdir(), *pages]
    total = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert total <= MAX_GZIPPED


def test_its_files_are_short(repo: Path) -> None:
    sources = [path for path in (repo / "qa/widget/src").rglob("*") if path.is_file()]
    assert len(sources) > 20
    assert [path.name for path in sources if path.read_text(encoding="utf-8").count("\n") > MAX_LINES] == []


def test_nothing_in_it_reads_text_as_markup(repo: Path) -> None:
    sinks = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function|setHTML|DOMParser|<style|\.style\s*="
    )
    for path in (repo / "qa/widget/src").rglob("*.ts"):
        assert re.findall(sinks, path.read_text(encoding="utf-8")) == [], path


def interfaces(repo: Path) -> dict[str, set[str]]:
    source = (repo / "qa/widget/src/types.ts").read_text(encoding="utf-8")
    blocks = re.findall(r"export interface (\w+) \{\n(.*?)\n\}", source, re.DOTALL)
    return {name: set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) for name, body in blocks}


def test_the_widget_reads_only_fields_that_the_service_sends(repo: Path) -> None:
    found = interfaces(repo)
    kinds = {name: getattr(wire, name) for name in found if hasattr(wire, name)}
    kinds |= {"Article": Article, "AskRequest": wire.Question, "Period": wire.UnderstoodPeriod}
    kinds |= {"Archive": Archive, "Beginning": Starters, "AnswerLink": AnswerLink, "KeptAnswer": KeptAnswer}
    assert set(kinds) == set(found)
    for name, kind in kinds.items():
        fields = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert found[name] - fields - {"type"} == set(), name


def test_every_reason_of_the_service_has_words_in_every_language(repo: Path) -> None:
    for path in (repo / "qa/widget/src/strings").glob("*.ts"):
        text = path.read_text(encoding="utf-8")
        if path.name != "index.ts":
            for kind in (wire.AbstainReason, wire.FallbackReason, wire.Verdict):
                missing = [one for one in kind.__args__ if not re.search(rf"^    {one}: ", text, re.MULTILINE)]
                assert missing == [], path.name


def english(repo: Path) -> dict[str, tuple[set[int], set[str]]]:
    """Each key of the English words: what is put into it, by place, and the keys below it."""
    text = (repo / "qa/widget/src/strings/en.ts").read_text(encoding="utf-8")
    found: dict[str, tuple[set[int], set[str]]] = {}
    for key, arguments, inner in re.findall(
        r"^  (\w+): (?:\((.*?)\) =>|\{\n(.*?)\n  \} as|\")", text, re.DOTALL | re.MULTILINE
    ):
        count = len([one for one in arguments.split(", ") if one])
        found[key] = (set(range(count)), set(re.findall(r"^    (\w+): ", inner, re.MULTILINE)))
    return found


def test_no_language_lacks_a_word(repo: Path) -> None:
    """Every key is there, with what is put in; the forms of its plural are those that the language has."""
    wanted = english(repo)
    assert len(wanted) > 70
    index = (repo / "qa/widget/src/strings/index.ts").read_text(encoding="utf-8")
    (named,) = re.findall(r"FETCHED = new Set\(\[(.*?)\]\)", index)
    files = sorted((repo / "qa/widget/languages").iterdir())
    assert [path.stem for path in files] == re.findall(r"\w+", named)
    for path in files:
        table = msgspec.json.decode(path.read_bytes())
        assert set(table) == set(wanted), path.name
        for key, (places, below) in wanted.items():
            written = table[key]
            forms = list(written.values()) if isinstance(written, dict) and not below else [written]
            if below:
                assert set(written) == below, (path.name, key)
            elif len(forms) > 1:
                assert set(written) == PLURALS.get(path.stem, {"one", "other"}), (path.name, key)
                assert "{" in written["one"] or path.stem not in NONE_IS_AS_ONE, (path.name, key)
            if places and not below:
                # Which of two ways a number is written does not matter, if it is written.
                put = {int(place) for place in re.findall(r"\{(\d)\}", forms[-1])}
                assert put <= places, (path.name, key)
                assert put, (path.name, key)
        assert len(gzip.compress(path.read_bytes(), 9)) <= MAX_LANGUAGE


def test_no_word_was_left_in_english(repo: Path) -> None:
    ours = set(re.findall(r'"([^"]+)"', (repo / "qa/widget/src/strings/en.ts").read_text(encoding="utf-8")))
    for path in (repo / "qa/widget/languages").iterdir():
        for key, written in msgspec.json.decode(path.read_bytes()).items():
            words = {written} if isinstance(written, str) else set(written.values())
            assert words & ours == set() or (path.stem == "fr" and key in AS_IN_ENGLISH), (path.name, key)


def test_the_guide_names_what_there_is(repo: Path) -> None:
    guide = (repo / "docs" / "chat.md").read_text(encoding="utf-8")
    source = {path: path.read_text(encoding="utf-8") for path in (repo / "qa/widget/src").rglob("*.*")}
    everything = "\n".join(source.values())
    (attributes,) = re.findall(r"ATTRIBUTES = \[(.*?)\]", everything, re.DOTALL)
    assert [one for one in re.findall(r'"([\w-]+)"', attributes) if f"`{one}`" not in guide and one != "mode"] == []
    properties = set(re.findall(r"--sourceline(-[\w-]+)", everything))
    assert sorted(one for one in properties if f"`{one}`" not in guide and f"`--sourceline{one}`" not in guide) == []
    (named,) = re.findall(r"`::part\(\)`: (.*?)\.\n", guide, re.DOTALL)
    parts = set(re.findall(r"`([\w-]+)`", named))
    assert sorted(one for one in parts if not re.search(rf'part: ["`]{one}["`]', everything)) == []
    (events,) = re.findall(r"type EventName =(.*?);", everything, re.DOTALL)
    assert [one for one in re.findall(r'"(\w+)"', events) if f"`{one}`" not in guide] == []
