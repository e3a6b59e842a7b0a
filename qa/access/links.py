"""Links that open one version of one article, or one kept answer, to whoever has them: signed, so that nobody can make
one for another.

Who gets an answer over the API may pass its citations on to readers who have no key; they see what was cited and its
article, and nothing else. Who was given the link to an answer sees that answer, and nothing of its conversation, where
he may read every collection that its owner may.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote, unquote

from qa.access.scopes import Collections

__all__ = ["answer_signature", "is_signed", "is_signed_answer", "signature"]

_BYTES = 16


def signature(article_id: str, *, version: str, secret: bytes) -> str:
    """What opens this version of this article; 22 characters that can stand in an address."""
    return _signed(f"article page\0{article_id}\0{version}", secret)


def is_signed(article_id: str, *, version: str, given: str, secret: bytes) -> bool:
    """Whether a signature was made here for this version of this article."""
    return hmac.compare_digest(
        given.encode(errors="replace"), signature(article_id, version=version, secret=secret).encode()
    )


def answer_signature(answer_id: str, *, within: Collections, secret: bytes) -> str:
    """What opens this kept answer, whose owner may read these collections (None: all); they stand in it."""
    if within is None:
        return _signed(f"answer\0{answer_id}", secret)
    named = "+".join(quote(name, safe="") for name in within)
    mac = _signed(f"answer\0{answer_id}\0{named}", secret)
    return f"{mac}.{named}"


def is_signed_answer(answer_id: str, *, given: str, within: Collections, secret: bytes) -> bool:
    """Whether a signature was made here for this answer, by one who may read no more than these collections."""
    _, dot, named = given.partition(".")
    of_owner = tuple(unquote(name) for name in named.split("+")) if dot else None
    if within is not None and (of_owner is None or not set(of_owner) <= set(within)):
        return False
    expected = answer_signature(answer_id, within=of_owner, secret=secret)
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def _signed(said: str, secret: bytes) -> str:
    digest = hmac.digest(secret, said.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()
