"""Takes what was said with what it cites, gives a judgement of each claim by a support checker."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from qa.evaluation.metrics.citations import ClaimCitations, judge_citations
from qa.evaluation.replies import Reply, Said
from qa.grounding.protocol import Support, SupportChecker

__all__ = ["Judgement", "Remembering", "judge"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, judged."""

    citations: ClaimCitations
    support: Support
    """By the cited words where they support the claim, else by all that was cited or retrieved."""


class Remembering:
    """Passes on to a support checker what it was not asked before: citations are weighed in several combinations."""

    def __init__(self, checker: SupportChecker) -> None:
        self._checker = checker
        self._known: dict[tuple[str, tuple[str, ...], str], Support] = {}

    @property
    def identity(self) -> str:
        """The wrapped checker's."""
        return self._checker.identity

    def check(self, claim: str, evidence: Sequence[str], *, question: str = "") -> Support:
        """As the wrapped checker judges."""
        key = claim, tuple(evidence), question
        if key not in self._known:
            self._known[key] = self._checker.check(claim, evidence, question=question)
        return self._known[key]


def judge(reply: Reply, *, question: str, checker: SupportChecker) -> tuple[Judgement, ...]:
    """Judge every claim of a reply."""
    seen = list(dict.fromkeys([*(c.text for c in reply.citations if c.text), *(r.text for r in reply.retrieved)]))
    remembering = Remembering(checker)
    return tuple(_judged(said, seen, question, remembering) for said in reply.claims)


def _judged(said: Said, seen: Sequence[str], question: str, checker: Remembering) -> Judgement:
    cited = [one.text for one in said.cited]

    def supports(claim: str, texts: Sequence[str]) -> bool:
        known = [text for text in texts if text]
        return bool(known) and checker.check(claim, known, question=question).verdict == "supported"

    citations = judge_citations(said.text, cited=cited, supports=supports)
    known = [text for text in cited if text] if citations.recalled else list(seen)
    return Judgement(citations=citations, support=checker.check(said.text, known, question=question))
