"""The widget that is served is the one that its source makes, small, in small files, and knows the service's types."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qa import types as wire
from qa.conversations.changes import AnswerChanges, ArticleChanges, TextChange
from qa.server.wire import AnswerLink, Archive, KeptAnswer, Starters

PLURALS = {"ar": {"one", "two", "few", "many", "other"}}
"""The forms of languages that have more than one and many; 0 is as 100 in Arabic."""
NONE_IS_AS_ONE = {"fr", "hi", "pt"}
"""What these say of one they say of none, too: the number has to be in it."""
AS_IN_ENGLISH = {"conversation", "source", "sources", "articleBy", "articles", "sourcesCount"}
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
    packed = (committed / "sourceline-chat.js.gz").read_bytes()
    assert gzip.decompress(packed) == (committed / "sourceline-chat.js").read_bytes()
    keys = list(words(repo)["en"])
    for tag, table in words(repo).items():
        sent = msgspec.json.decode(gzip.decompress((committed / f"{tag}.words.json.gz").read_bytes()))
        assert sent == [table[key] for key in keys], tag


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
    kinds |= {"Article": wire.ArticleNow, "AskRequest": wire.Question, "Period": wire.UnderstoodPeriod}
    kinds |= {"Archive": Archive, "Beginning": Starters, "AnswerLink": AnswerLink, "KeptAnswer": KeptAnswer}
    kinds |= {"AnswerChanges": AnswerChanges, "ArticleChanges": ArticleChanges, "TextChange": TextChange}
    assert set(kinds) == set(found)
    for name, kind in kinds.items():
        fields = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert found[name] - fields - {"type"} == set(), name


def words(repo: Path) -> dict[str, dict[str, Any]]:
    """The words of each language, by its tag."""
    folder = repo / "qa/widget/languages"
    return {path.stem: msgspec.json.decode(path.read_bytes()) for path in sorted(folder.iterdir())}


def is_table(written: str | dict[str, str]) -> bool:
    """Whether it holds texts by what they are said of, not by the number put in."""
    return isinstance(written, dict) and "other" not in written


def put_into(written: str | dict[str, str]) -> set[str]:
    """The places where something is put in."""
    forms = [written] if isinstance(written, str) else written.values()
    return set(re.findall(r"\{\d\}", "".join(forms)))


def test_every_reason_of_the_service_has_words(repo: Path) -> None:
    english = words(repo)["en"]
    for key, kind in (("abstain", wire.AbstainReason), ("fallback", wire.FallbackReason), ("verdict", wire.Verdict)):
        assert set(kind.__args__) <= set(english[key])


def test_no_language_lacks_a_word(repo: Path) -> None:
    """Every key is there, with what is put in; the forms of its plural are those that the language has."""
    index = (repo / "qa/widget/src/strings/index.ts").read_text(encoding="utf-8")
    (named,) = re.findall(r"LANGUAGES = new Set\(\[(.*?)\]\)", index)
    found = words(repo)
    assert list(found) == re.findall(r"\w+", named)
    english = found.pop("en")
    assert len(english) > 70
    (put,) = re.findall(r"type Put =\n(.*?);", index, re.DOTALL)
    assert set(re.findall(r"\w+", put)) == {key for key, one in english.items() if put_into(one)}
    for tag, table in found.items():
        assert set(table) == set(english), tag
        for key, own in english.items():
            written = table[key]
            if is_table(own):
                assert set(written) == set(own), (tag, key)
                continue
            if isinstance(written, dict):
                assert set(written) == PLURALS.get(tag, {"one", "other"}), (tag, key)
                assert "{" in written["one"] or tag not in NONE_IS_AS_ONE, (tag, key)
            # Which of two ways a number is written does not matter, if it is written.
            assert bool(put_into(written)) == bool(put_into(own)), (tag, key)
            assert put_into(written) <= {"{0}", "{1}"}, (tag, key)


def test_no_word_was_left_in_english(repo: Path) -> None:
    def texts(table: dict[str, Any]) -> set[str]:
        return {one for text in table.values() for one in ([text] if isinstance(text, str) else text.values())} - {""}

    found = words(repo)
    ours = texts(found.pop("en"))
    for tag, table in found.items():
        same = {key for key in table if texts({key: table[key]}) & ours}
        assert same <= (AS_IN_ENGLISH if tag == "fr" else set()), tag


def test_the_page_that_makes_the_tag_has_all_its_words_in_every_language(repo: Path) -> None:
    page = repo / "qa/widget/page"
    script = (page / "configure-words.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"KEYS = (\[.*?\]);", script, re.DOTALL)
    keys = re.findall(r'"([^"]*)"', listed)
    used = set(re.findall(r'data-word="([^"]+)"', (page / "configure.html").read_text(encoding="utf-8")))
    assert used | {"copied", "refused"} == set(keys)
    found = {
        tag: re.findall(r'"([^"]*)"', texts)
        for tag, texts in re.findall(r"^  (\w\w): \[(.*?)^  \]", script, re.MULTILINE | re.DOTALL)
    }
    assert set(found) | {"en"} == set(words(repo))
    for tag, texts in found.items():
        assert len(texts) == len(keys), tag
        assert all(texts), tag


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
    made = tuple(re.findall(r"part: `([\w-]+-)\$", everything))
    written = {one for one in parts if not one.startswith(made)}
    assert made, "parts whose names end in a value"
    assert sorted(one for one in written if not re.search(rf'part: ["`]{one}["`]', everything)) == []
    (events,) = re.findall(r"type EventName =(.*?);", everything, re.DOTALL)
    assert [one for one in re.findall(r'"(\w+)"', events) if f"`{one}`" not in guide] == []
