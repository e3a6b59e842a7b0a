"""Word documents: parses a `.docx` as one article, without pictures, comments and deleted words."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import mammoth

from embeddings.errors import UnreadableFile
from embeddings.parsers import fragments, zipped
from embeddings.parsers.text import dated, plausible_title, says
from embeddings.types import RawArticle

_STYLES: Final = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"
_PROPERTIES: Final = "docProps/core.xml"
_DUBLIN_CORE: Final = "{http://purl.org/dc/elements/1.1/}"
_LONGEST_TITLE: Final = 200
_HEAD: Final = 3_000
_OLD: Final = b"\xd0\xcf\x11\xe0"
_MAX_PART: Final = 200_000_000
_WRAPPING = re.compile(
    rb"""</?w:(?:fldSimple|ruby|rubyBase)\b(?:[^<>"']|"[^"]*"|'[^']*')*+>|<w:(rt|rubyPr)\b.*?</w:\1>""", re.DOTALL
)
"""What mammoth leaves out with all words in it: fields ("Figure 1"), and words with a reading aid, which goes."""
_EMBEDDED: Final = "text that it embeds as a file of its own is not read; open it in Word and save it again"


def read(path: Path, folder: Path) -> Iterator[RawArticle]:  # noqa: ARG001 - what every parser is given
    """Give the document. Raises UnreadableFile where it is none, or has no text."""
    with path.open("rb") as file:
        if file.read(4) == _OLD:
            raise UnreadableFile("it is locked with a password, or Word's old format; save it as .docx without one")
    with zipped.opened(path) as archive:
        if "word/document.xml" not in archive.namelist() and "[Content_Types].xml" not in archive.namelist():
            raise UnreadableFile("it is no Word document; name the file for what it is")
        properties = _properties(archive)
        with path.open("rb") as file:
            done = _converted(file)
        if _ignored(done, "w:fldSimple", "w:ruby"):
            done = _converted(_unwrapped(archive))
    embeds = _ignored(done, "w:altChunk", "w:subDoc")
    tree = fragments.tree_of(done.value or "<p></p>")
    text = fragments.text_of(tree)
    if not text.strip():
        pictures = "where its pages are pictures, make a .pdf of it by OCR"
        raise UnreadableFile(f"the document has no text; {_EMBEDDED if embeds else pictures}")
    creator = properties.get("creator", "")
    yield RawArticle(
        text=text,
        title=_title(text, heading=fragments.first_heading(tree, tags=("h1",)), given=properties.get("title", "")),
        published_at=dated(text.split("\n")),
        language=properties.get("language"),
        authors=(creator,) if " " in creator and says(text[:_HEAD], creator) else (),
        origin=f"{path}:1",
        notes=(_EMBEDDED,) if embeds else (),
    )


def _converted(file: IO[bytes]) -> Any:
    """The document as HTML, with messages on what mammoth left out."""
    return mammoth.convert_to_html(
        file,
        style_map=_STYLES,
        include_embedded_style_map=False,
        convert_image=mammoth.images.img_element(lambda _: {}),
    )


def _ignored(done: Any, *elements: str) -> bool:
    return any(one.message.endswith(elements) for one in done.messages)


def _unwrapped(archive: zipped.ZipFile) -> IO[bytes]:
    """The document without what keeps mammoth from its words."""
    packed = io.BytesIO()
    with zipped.ZipFile(packed, "w") as copy:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                copy.writestr(name, _WRAPPING.sub(b"", zipped.content(archive, name, most=_MAX_PART)))
    return packed


def _title(text: str, *, heading: str, given: str) -> str:
    """Its first heading, else the title in its properties where the document says it, else a first line like one."""
    if heading:
        return heading
    if plausible_title(given) and says(text[:_HEAD], given):
        return given
    line, _, rest = text.partition("\n")
    is_title = len(line) <= _LONGEST_TITLE and rest.strip() and not line.rstrip("”\"' ").endswith((".", ":", ",", ";"))
    return line if is_title and not line.startswith("- ") and " | " not in line else ""


def _properties(archive: zipped.ZipFile) -> dict[str, str]:
    """What the document says of itself; nothing where that cannot be read."""
    try:
        tree = fragments.xml_of(zipped.content(archive, _PROPERTIES, most=1_000_000))
    except UnreadableFile:
        return {}
    return {
        name: " ".join(found.split())
        for name in ("title", "creator", "language")
        if (found := tree.findtext(f"{_DUBLIN_CORE}{name}"))
    }
