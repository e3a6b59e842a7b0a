"""Links that open one version of one article, or one kept answer, to whoever has them: signed, so that nobody can make
one for another.

Who gets an answer over the API may pass its citations on to readers who have no key; they see what was cited and its
article, and nothing else. Who was given the link to an answer sees that answer, and nothing of its conversation.
"""

from __future__ import annotations

import base64
import hmac

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


def answer_signature(answer_id: str, *, secret: bytes) -> str:
    """What opens this kept answer."""
    return _signed(f"answer\0{answer_id}", secret)


def is_signed_answer(answer_id: str, *, given: str, secret: bytes) -> bool:
    """Whether a signature was made here for this answer."""
    return hmac.compare_digest(given.encode(errors="replace"), answer_signature(answer_id, secret=secret).encode())


def _signed(said: str, secret: bytes) -> str:
    digest = hmac.digest(secret, said.encode(errors="replace"), "sha256")
    return base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()
