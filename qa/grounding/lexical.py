"""A support checker without a model: shared words, and the hard checks; for tests, and the floor of the others."""

from __future__ import annotations

from collections.abc import Sequence

from qa.grounding import Provenance, Support, verdict_of
from qa.grounding.claim_evidence import supporting_spans, to_judge
from qa.grounding.mismatches import vetoes

__all__ = ["LexicalChecker"]

_DOUBT = 0.15
"""Score of a claim that a hard check fails, at most."""


class LexicalChecker:
    """Weighted share of a claim's words that few sentences have, struck down by any hard mismatch."""

    identity = "lexical 1"

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        case = to_judge(claim, evidence, question=question, contexts=contexts)
        if isinstance(case, Support):
            return case
        mismatches = vetoes(case)
        rows, share = supporting_spans(case)
        score = min(share, _DOUBT) if mismatches else share
        return Support(
            verdict=verdict_of(score, share, mismatches),
            score=round(score, 4),
            spans=rows,
            mismatches=mismatches,
        )
