"""Takes what was said with what it cites, gives a judgement of each claim by a support checker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

import msgspec

from qa.evaluation.metrics.citations import ClaimCitations, judge_citations
from qa.evaluation.opinions import NO_OPINIONS, Opinions, opinion_key
from qa.evaluation.replies import Reply, Said
from qa.grounding.checker import Context, Support, SupportChecker

__all__ = ["Judgement", "judge"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, judged."""

    citations: ClaimCitations
    support: Support
    """By the cited words where they support the claim, else by all that was cited or retrieved."""
    opinion: bool | None = None
    """Of a language model on the cited words; None where none was asked, or it did not say."""


Evidence = Mapping[str, Context]
"""Texts, with what they are from."""


def judge(
    reply: Reply, *, question: str, checker: SupportChecker, opinions: Opinions = NO_OPINIONS
) -> tuple[Judgement, ...]:
    """Judge every claim of a reply; a language model's opinions are put beside the judgement, not into it."""
    seen = {one.text: Context(title=one.title, published_at=one.published_at) for one in reply.retrieved}
    seen |= {one.text: Context(title=one.title, published_at=one.published_at) for one in reply.citations if one.text}
    # Citations are weighed in several combinations, which repeat.
    ask = cache(partial(_ask, checker, question, seen))
    return tuple(_judged(said, tuple(seen), ask, _opinion(said, question, opinions.supported)) for said in reply.claims)


def _opinion(said: Said, question: str, opinions: Mapping[str, bool | None]) -> bool | None:
    if not opinions:
        return None
    cited = [one.text for one in said.cited if one.text]
    return opinions.get(opinion_key(said.text, cited, question=question))


Ask = Callable[[str, tuple[str, ...]], Support]


def _ask(checker: SupportChecker, question: str, seen: Evidence, claim: str, texts: tuple[str, ...]) -> Support:
    return checker.check(claim, texts, question=question, contexts=[seen[text] for text in texts])


def _judged(said: Said, seen: tuple[str, ...], ask: Ask, opinion: bool | None) -> Judgement:
    def supports(claim: str, texts: Sequence[str]) -> bool:
        known = tuple(text for text in texts if text)
        return bool(known) and ask(claim, known).verdict == "supported"

    cited = tuple(one.text for one in said.cited)
    citations = judge_citations(said.text, cited=cited, supports=supports)
    known = tuple(text for text in cited if text) if citations.recalled else seen
    return Judgement(citations=citations, support=ask(said.text, known), opinion=opinion)
