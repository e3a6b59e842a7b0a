"""Takes a claim, the words it cites and a test of support, gives how good the citations are.

Source: citation recall and precision of ALCE (Gao, Yen, Yu and Chen, "Enabling Large Language Models to Generate Text
with Citations", 2023, arXiv 2305.14627, section 4). Recall of a claim: all its citations together support it, and it
has any. Precision of a citation: its claim is supported, and the citation either supports it alone or is needed, that
is, without it the others do not support the claim. ALCE averages both over the claims and citations of an answer, then
over answers. Minimality is ours and stricter: no citation of a supported claim can be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

__all__ = ["ClaimCitations", "Supports", "judge_citations"]

Supports = Callable[[str, Sequence[str]], bool]
"""Whether texts, taken together, say what a claim says."""


class ClaimCitations(msgspec.Struct, frozen=True, kw_only=True):
    """What the citations of one claim are worth."""

    recalled: bool
    precise: tuple[bool, ...]
    """Of each citation, in order."""
    minimal: bool | None
    """None where the claim is not supported: nothing to be minimal about."""


def judge_citations(claim: str, *, cited: Sequence[str], supports: Supports) -> ClaimCitations:
    """Judge one claim with the words of each of its citations.

    >>> both = lambda claim, texts: {"a", "b"} <= set(texts)
    >>> judge_citations("ab", cited=["a", "b"], supports=both).precise
    (True, True)
    >>> judge_citations("ab", cited=["a", "b", "c"], supports=both).precise
    (True, True, False)
    """
    recalled = bool(cited) and supports(claim, cited)
    if not recalled:
        return ClaimCitations(recalled=False, precise=(False,) * len(cited), minimal=None)
    if len(cited) == 1:
        return ClaimCitations(recalled=True, precise=(True,), minimal=True)
    needed = [not supports(claim, [*cited[:n], *cited[n + 1 :]]) for n in range(len(cited))]
    precise = tuple(needed[n] or supports(claim, [text]) for n, text in enumerate(cited))
    return ClaimCitations(recalled=True, precise=precise, minimal=all(needed))
