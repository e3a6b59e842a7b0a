"""Links that open one version of one article to whoever has them: signed, so that nobody can make one for another.

Who gets an answer over the API may pass its citations on to readers who have no key; they see what was cited and its
article, and nothing else.
"""

from __future__ import annotations

import base64
import hmac

__all__ = ["is_signed", "signature"]

_BYTES = 16


def signature(article_id: str, *, version: str, secret: bytes) -> str:
    """What opens this version of this article; 22 characters that can stand in an address."""
    said = f"article page\0{article_id}\0{version}".encode(errors="replace")
    return base64.urlsafe_b64encode(hmac.digest(secret, said, "sha256")[:_BYTES]).rstrip(b"=").decode()


def is_signed(article_id: str, *, version: str, given: str, secret: bytes) -> bool:
    """Whether a signature was made here for this version of this article."""
    return hmac.compare_digest(
        given.encode(errors="replace"), signature(article_id, version=version, secret=secret).encode()
    )
