"""Markdown files: takes a `.md`, gives its article in plain text, with what its front matter says: YAML, or TOML
between `+++`.

A date and a byline below the title count where the front matter says none.

Fields read: `title`, `date` (or `published_at`, `published`), `author` (or `authors`), `url` (or `link`), `source`,
`id`, `language` (or `lang`), `collection`, `section`, and what may be shown: `status`, `embargoed_until`,
`usage_terms`; notes name others. Without a `title` the first `# heading` is the title.

Marks that shape are removed (headings, emphasis, links, code, quotes, tables' rules), what they shape stays; lists
keep their bullets and numbers, one line each. This is no full Markdown parser: what is not clearly a mark stays as
it is written. Every pattern reads its line once, so a hostile file costs no more than a long one (markdown-it needs
6 s for 100,000 times `![`).
"""

import html
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import yaml

from embeddings.cleaning.article import status_of
from embeddings.errors import InvalidArticle, UnreadableFile
from embeddings.parsers import decoding
from embeddings.parsers.text import headed
from embeddings.types import RawArticle, Rejected

_MAX_FRONT_MATTER: Final = 65_536
"""Longest front matter read, in characters."""
_MAX_BRACKETS: Final = 500
"""YAML's scanner takes time with the square of open brackets: 5,000 take seven seconds."""
_NAMES: Final = {
    "title": ("title",),
    "id": ("id",),
    "url": ("url", "link"),
    "source": ("source",),
    "published_at": ("published_at", "published", "date"),
    "language": ("language", "lang"),
    "collection": ("collection",),
    "section": ("section",),
    "usage_terms": ("usage_terms",),
    "embargoed_until": ("embargoed_until",),
    "status": ("status",),
}
_READ: Final = frozenset({"authors", "author", *(name for names in _NAMES.values() for name in names)})
_UNKNOWN: Final = ("", "~", "null")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_RULE = re.compile(r"(?:[-*_][ \t]*+){3,}+")
_ITEM = re.compile(r"[ \t]*+(?:([-*+])|(\d{1,9}[.)]))[ \t]+")
_QUOTED = re.compile(r"(?:[ \t]{0,3}+>)++[ \t]?")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_TABLE_RULE = re.compile(r"[ \t]*+(?:\|[ \t]*+)?:?-++:?[ \t]*+(?:\|[ \t]*+:?-*+:?[ \t]*+)*+")
_REFERENCE = re.compile(r" {0,3}\[[^\[\]^]{1,200}\]:[ \t]*\S")
_NOTE = re.compile(r" {0,3}\[\^[^\[\]]{1,100}\]:[ \t]*")
# What is taken word for word: an escaped mark, a code span, a bare link.
_LITERAL = re.compile(r"\\([!-/:-@\[-`{-~])|(?<!`)(`++)([^`\n]++)\2(?!`)|<((?:https?://|mailto:)[^<>\s]++)>")
_HIDE: Final = 0xF0000
"""Characters taken word for word travel in a private plane while marks are removed, so that none is taken for one."""
_HIDDEN = {code: chr(_HIDE + code) for code in range(0x21, 0x7F)}
_SHOWN = {_HIDE + code: chr(code) for code in range(0x21, 0x7F)}
_TARGET = r"\(\s*+(?:<[^<>\n]*+>|[^()\s<>]*+(?:\([^()\s]*+\)[^()\s]*+)?)(?:\s++(?:\"[^\"\n]*+\"|'[^'\n]*+'))?+\s*+\)"
_MARKED = re.compile(r"[\\<\[`*_~&]")
_INLINE = (
    (re.compile(r"</?[A-Za-z][^<>\n]{0,500}+>"), ""),
    (re.compile(rf"!\[([^\[\]]*+)\](?:{_TARGET}|\[[^\[\]]*+\])"), r"\1"),
    (re.compile(r"\[\^[^\[\]\s]{1,100}+\]"), ""),
    (re.compile(rf"\[([^\[\]]*+)\](?:{_TARGET}|\[[^\[\]]*+\])"), r"\1"),
    (re.compile(r"\*\*\*(?![\s*])([^*\n]++)(?<!\s)\*\*\*"), r"\1"),
    (re.compile(r"(?<!\*)\*(?![\s*])([^*\n]++)(?<!\s)\*(?!\*)"), r"\1"),
    (re.compile(r"\*\*(?![\s*])([^*\n]++)(?<!\s)\*\*"), r"\1"),
    (re.compile(r"(?<![\w_])__(?![\s_])([^_\n]++)(?<!\s)__(?![\w_])"), r"\1"),
    (re.compile(r"(?<![\w_])_(?![\s_])([^_\n]++)(?<!\s)_(?![\w_])"), r"\1"),
    (re.compile(r"~~(?![\s~])([^~\n]++)(?<!\s)~~"), r"\1"),
)


def read(path: Path) -> Iterator[RawArticle | Rejected]:
    """Give the one article of the file, or why it cannot be used."""
    try:
        text, guessed = decoding.decode_or_guess(decoding.load(path))
        fields, body, line = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n"))
        given = {field: _scalar(fields, names) for field, names in _NAMES.items()}
        status = status_of(given.pop("status") or "")
        authors = _authors(fields)
    except (UnreadableFile, InvalidArticle) as error:
        yield Rejected(origin=f"{path}:1", reason=str(error))
        return
    title = given.pop("title")
    if not title:
        title, body = _heading(body)
    text = plain(body)
    if not text.strip():
        yield Rejected(origin=f"{path}:{line}", reason="there is no text below the front matter and the title")
        return
    if title:  # what the front matter does not say may stand below the title
        published_at, byline = headed(text)
        given["published_at"] = given["published_at"] or published_at
        authors = authors or byline
    unread = sorted(str(name) for name in fields.keys() - _READ)
    notes = (*guessed, *((f"fields that are not read: {', '.join(unread)[:300]}",) if unread else ()))
    article = RawArticle(text=text, title=title, authors=authors, status=status, origin=f"{path}:{line}", notes=notes)
    yield msgspec.structs.replace(article, **given)


def _front_matter(text: str) -> tuple[Mapping[str, object], str, int]:
    """Part the front matter from the body; give its fields, the body and the line the body begins at.

    Raises UnreadableFile where it is not closed, no YAML or TOML, or no mapping.
    """
    toml = text.startswith("+++\n")
    if not toml and not text.startswith("---\n"):
        return {}, text, 1
    ends = {"+++"} if toml else {"---", "..."}
    lines = text[: _MAX_FRONT_MATTER + 1].split("\n")
    closing = next((number for number, line in enumerate(lines) if number and line.rstrip() in ends), None)
    if closing is None:
        if toml or ":" not in lines[1]:
            return {}, text, 1  # a thematic break that opens the text
        raise UnreadableFile("the front matter that begins in line 1 is not closed; add a line `---` below it")
    described = "\n".join(lines[1:closing])
    if sum(map(described.count, "[{")) > _MAX_BRACKETS:
        raise UnreadableFile("the front matter is nested too deeply; write `name: value` lines")
    fields = _toml(described) if toml else _yaml(described)
    if fields in (None, ""):
        fields = {}
    if not isinstance(fields, dict):
        raise UnreadableFile("the front matter is no list of `name: value` lines")
    body = text.split("\n", closing + 1)[closing + 1 :]
    return fields, body[0] if body else "", closing + 2


def _yaml(described: str) -> object:
    """Read YAML. Raises UnreadableFile."""
    # BaseLoader builds texts, lists and mappings and nothing else: less than safe_load, which would read `id: 007` as
    # the number 7 and `title: No` as false, and would merge aliases until memory ends.
    try:
        return yaml.BaseLoader(described).get_single_data()
    except yaml.YAMLError as error:
        raise UnreadableFile(f"the front matter is no valid YAML: {_what(error)}") from None
    except RecursionError:
        raise UnreadableFile("the front matter is nested too deeply; write `name: value` lines") from None


def _toml(described: str) -> Mapping[str, object]:
    """Read TOML; dates and numbers as texts. Raises UnreadableFile."""
    try:
        fields = tomllib.loads(described)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFile(f"the front matter is no valid TOML: {error}") from None
    kept = (str, list, dict)
    return {name: value if isinstance(value, kept) else str(value) for name, value in fields.items()}


def _what(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    # Counted from 1, plus the opening line, which YAML has not seen.
    return f"line {mark.line + 2}, column {mark.column + 1}: {problem}" if mark else str(problem)


def _scalar(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if value is None or value in _UNKNOWN:
            continue
        if isinstance(value, str):
            return value
        raise UnreadableFile(f"`{name}` in the front matter must be one text, not {_kind(value)}")
    return None


def _authors(fields: Mapping[str, object]) -> tuple[str, ...]:
    for name in ("authors", "author"):
        value = fields.get(name)
        if value is None or value in _UNKNOWN:
            continue
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise UnreadableFile(f"`{name}` in the front matter must be a name or a list of names, not {_kind(value)}")
    return ()


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"


def plain(markdown: str) -> str:
    r"""Give the text without its marks.

    >>> plain("## Dam *fails*\n\nSee [the map](https://example.com/a_(b))\nof **Derna**.\n\n* one\n* two")
    'Dam fails\n\nSee the map of Derna.\n\n- one\n- two'
    """
    return "\n\n".join(block for block in _blocks(_without_comments(markdown)) if block.strip())


def _heading(markdown: str) -> tuple[str, str]:
    """Part the first heading of level one from the rest, if the text begins with it; otherwise ("", all)."""
    body = markdown.lstrip("\n")
    first, _, rest = body.partition("\n")
    if first.startswith("# "):
        return _inline(first[2:].strip().rstrip("#").rstrip()), rest
    second, _, after = rest.partition("\n")
    if first.strip() and second.strip() and not second.strip(" ="):
        return _inline(first.strip()), after
    return "", markdown


def _without_comments(markdown: str) -> str:
    """Drop HTML comments, scripts and styles with what they hold."""
    for opening, closing in (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>")):
        kept: list[str] = []
        rest = markdown
        folded = rest if opening == "<!--" else _ascii_folded(rest)
        position = 0
        while (start := folded.find(opening, position)) >= 0 and (end := folded.find(closing, start)) >= 0:
            kept.append(rest[position:start])
            position = end + len(closing)
        kept.append(rest[position:])
        markdown = "".join(kept)
    return markdown


def _ascii_folded(text: str) -> str:
    """Lower-case A–Z only: full lower-casing changes lengths."""
    return text.translate({code: code + 32 for code in range(ord("A"), ord("Z") + 1)})


def _blocks(markdown: str) -> Iterator[str]:
    paragraph: list[str] = []
    fence = ""
    for line in [*markdown.split("\n"), ""]:
        bare = _unquoted(line)
        if fence:
            if bare.strip().startswith(fence) and not bare.strip(" `~"):
                yield "\n".join(paragraph)
                paragraph, fence = [], ""
            else:
                paragraph.append(line)
        elif opening := _FENCE.match(bare):
            yield _paragraph(paragraph)
            paragraph, fence = [], opening[1]
        elif not bare.strip() or _RULE.fullmatch(bare.strip()) or _HEADING.match(bare) or _UNDERLINE.fullmatch(bare):
            yield _paragraph(paragraph)
            paragraph = []
            if mark := _HEADING.match(bare):
                yield _inline(bare[mark.end() :].rstrip().rstrip("#").rstrip())
        elif not _REFERENCE.match(bare):
            paragraph.append(_NOTE.sub("", bare))
    yield "\n".join(paragraph) if fence else _paragraph(paragraph)


def _unquoted(line: str) -> str:
    mark = _QUOTED.match(line)
    return line[mark.end() :] if mark else line


def _paragraph(lines: Sequence[str]) -> str:
    """Join the lines of a paragraph; list items, table rows and forced breaks begin a new one."""
    joined: list[str] = []
    broken = True
    for line in lines:
        if _TABLE_RULE.fullmatch(line) and "-" in line:
            continue
        item = _ITEM.match(line)
        row = line.lstrip().startswith("|")
        text = (f"{item[2] or '-'} " + line[item.end() :] if item else line).strip()
        if row:
            text = text.strip("|").strip()
        forced = line.endswith(("  ", "\\"))
        text = text.removesuffix("\\").rstrip() if forced else text
        if broken or item or row:
            joined.append(text)
        else:
            joined[-1] += f" {text}"
        broken = forced or row
    return _inline("\n".join(joined))


def _inline(text: str) -> str:
    if not _MARKED.search(text):
        return text
    text = _LITERAL.sub(lambda found: (found[1] or found[3] or found[4]).translate(_HIDDEN), text)
    for pattern, kept in _INLINE:
        text = pattern.sub(kept, text)
    return html.unescape(text).translate(_SHOWN)
