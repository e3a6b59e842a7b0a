"""Mail: parses an `.eml` as one article, such as a press release or a newsletter."""

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import parseaddr
from pathlib import Path
from typing import Final

from embeddings.errors import UnreadableFile
from embeddings.parsers import decoding, fragments
from embeddings.parsers.text import unwrapped
from embeddings.types import RawArticle

_PASSED_ON = re.compile(r"^(?:(?:re|fwd?|aw|wg|tr|rv|vs)\s*:\s*)+", re.IGNORECASE)
_SIGNATURE = re.compile(r"\n-- ?\n.*", re.DOTALL)
_FEWEST_WORDS: Final = 5
_NO_MESSAGE: Final = "it is no message; save one with its headers as .eml"


def read(path: Path, folder: Path) -> Iterator[RawArticle]:  # noqa: ARG001 - what every parser is given
    """Give the message. Raises UnreadableFile where there is no text in it."""
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(decoding.load(path))
    if not any(name in message for name in ("from", "subject", "date", "received", "to")):
        raise UnreadableFile(_NO_MESSAGE)
    text = _text(message)
    attached = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    if len(text.split()) < _FEWEST_WORDS and len(text) < 10 * _FEWEST_WORDS:
        held = f"; save what is attached: {', '.join(attached)[:200]}" if attached else ""
        raise UnreadableFile(f"the message has no text, or hardly any{held}")
    name, address = parseaddr(_header(message, "from"))
    yield RawArticle(
        text=text,
        title=_PASSED_ON.sub("", _header(message, "subject")),
        source=address.rpartition("@")[2] or None,
        published_at=_header(message, "date") or None,
        language=_header(message, "content-language").split(",")[0] or None,
        authors=(name,) if name else (),
        origin=f"{path}:1",
        notes=(f"attachments that are not read: {', '.join(attached)[:300]}",) if attached else (),
    )


def _text(message: EmailMessage) -> str:
    """The message's plain text where it has one that says something, else its HTML as text."""
    plain = message.get_body(("plain",))
    marked_up = message.get_body(("html",))
    text = _SIGNATURE.sub("", _content(plain)) if plain is not None else ""
    if marked_up is not None:
        shown = fragments.text_of(_content(marked_up) or "<p></p>")
        if len(text.split()) < len(shown.split()) / 2 or fragments.looks_marked_up(text):
            return shown
    return unwrapped(text.replace("\r\n", "\n")) if text.strip() else ""


def _content(part: MIMEPart) -> str:
    """Decode a part; one whose charset is wrong or unknown as a file would be."""
    declared = part.get_content_charset()
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(declared or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return decoding.decode(data, declared=declared)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, IndexError, AttributeError, TypeError):  # the library stumbles over damaged headers
        return ""
