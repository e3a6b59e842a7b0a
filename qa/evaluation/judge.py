"""Judges each claim by its citations, with a support checker or a language model.

Opinions are kept in a run's folder beside the predictions, so that scoring stays offline. A model is no measuring
instrument: its opinions are never mixed with the support checker's judgements. They are reported by names of their
own (`judge.…`), with the model and its prompts named, and with how often both agree.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import cache, partial
from pathlib import Path

import msgspec

import prompts
from qa.errors import GeneratorFailed
from qa.evaluation.metrics.answers import ClaimCitations, judge_citations
from qa.evaluation.replies import Reply, Said, reply
from qa.evaluation.run_folder import FinishedRun
from qa.generators import Delta, Generator, Message
from qa.grounding import Provenance, Support, SupportChecker

_ANSWER_TOKENS = 8
_CHARACTERS_PER_TOKEN = 3
"""Fewer than English has, so that what is thought to fit fits."""
_PROMPT_TOKENS = 350
OPINIONS_FILE = "opinions.jsonl"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, judged."""

    citations: ClaimCitations
    support: Support
    """By the cited words where they support the claim, else by all that was cited or retrieved."""
    opinion: bool | None = None
    """Of a language model on the cited words; None where none was asked, or it did not say."""


Evidence = Mapping[str, Provenance]
"""Texts, with what they are from."""


def _opinion(said: Said, question: str, opinions: Mapping[str, bool | None]) -> bool | None:
    if not opinions:
        return None
    cited = [one.text for one in said.cited if one.text]
    return opinions.get(_opinion_key(said.text, cited, question=question))


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


class Opinions(msgspec.Struct, frozen=True, kw_only=True):
    """Those of the judge that was asked last."""

    judge: str
    supported: Mapping[str, bool | None]
    """By key."""


def _opinion_key(claim: str, cited: Sequence[str], *, question: str) -> str:
    """Name of what a judge is asked."""
    return hashlib.sha256(msgspec.json.encode([claim, list(cited), question])).hexdigest()[:32]


NO_OPINIONS = Opinions(judge="", supported={})
"""Of a run that no model was asked about."""


def judge(
    reply: Reply, *, question: str, checker: SupportChecker, opinions: Opinions = NO_OPINIONS
) -> tuple[Judgement, ...]:
    """Judge every claim of a reply; a language model's opinions are put beside the judgement, not into it."""
    seen = {one.text: Provenance(title=one.title, published_at=one.published_at) for one in reply.retrieved}
    seen |= {
        one.text: Provenance(title=one.title, published_at=one.published_at) for one in reply.citations if one.text
    }
    # Citations are weighed in several combinations, which repeat.
    ask = cache(partial(_ask, checker, question, seen))
    return tuple(_judged(said, tuple(seen), ask, _opinion(said, question, opinions.supported)) for said in reply.claims)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with the words it cites."""

    key: str
    question: str
    claim: str
    cited: tuple[str, ...]


def claims_to_judge(run: FinishedRun, *, known: Collection[str] = ()) -> list[Asked]:
    """Claims that cite words, each once, without those whose keys are known."""
    found = {one.key: one for one in _claims(run)}
    return [one for key, one in found.items() if key not in known]


def judge_name(generator: Generator) -> str:
    """Model and prompts: equal names mean the same question to the same model."""
    fingerprints = "+".join(prompts.load(name).fingerprint[:8] for name in ("judge_system", "judge_user"))
    return f"{generator.model} {fingerprints}"


async def ask_judge(
    claims: list[Asked],
    *,
    generator: Generator,
    seconds: float,
    jobs: int = 1,
    told: Callable[[Opinion], None] = lambda _: None,
) -> int:
    """Ask of every claim and tell each opinion as it comes; returns how many the model failed to give.

    Raises GeneratorFailed where it fails on the first claim: it will on the others.
    """
    failed = 0
    queue = iter(claims)

    async def work() -> None:
        nonlocal failed
        for one in queue:
            try:
                told(await opinion_of(one, generator=generator, seconds=seconds))
            except GeneratorFailed:
                failed += 1

    if claims:
        told(await opinion_of(next(queue), generator=generator, seconds=seconds))
    async with asyncio.TaskGroup() as group:
        for _ in range(jobs):
            group.create_task(work())
    return failed


async def opinion_of(asked: Asked, *, generator: Generator, seconds: float) -> Opinion:
    """Ask of one claim; what does not fit into the model's window is not asked, and is no opinion."""
    quotations = "\n\n".join(asked.cited)
    room = (generator.context_tokens - _PROMPT_TOKENS) * _CHARACTERS_PER_TOKEN
    said = ""
    if len(quotations) + len(asked.claim) + len(asked.question) <= room:
        # Nobody who wrote an article can know the fence, and so end the quotation in it.
        user = prompts.load("judge_user").render(
            fence=f"#{asked.key[:12]}#", quotations=quotations, question=asked.question, claim=asked.claim
        )
        messages = [Message(role="system", content=prompts.load("judge_system").render())]
        said = await _said([*messages, Message(role="user", content=user)], generator, seconds)
    words = "".join(letter if letter.isalpha() else " " for letter in said.casefold()).split()
    verdict = {"yes": True, "no": False}.get(words[0]) if words else None
    return Opinion(key=asked.key, judge=judge_name(generator), supported=verdict)


def _claims(run: FinishedRun) -> Iterator[Asked]:
    for example in run.examples:
        prediction = run.predictions.get(example.id)
        said = reply(prediction, run.articles) if prediction else None
        for claim in said.claims if said else ():
            cited = tuple(one.text for one in claim.cited if one.text)
            if cited:
                key = _opinion_key(claim.text, cited, question=example.question)
                yield Asked(key=key, question=example.question, claim=claim.text, cited=cited)


async def _said(messages: list[Message], generator: Generator, seconds: float) -> str:
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(generator.stream(messages, max_tokens=_ANSWER_TOKENS, deadline=deadline)) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, as one model sees it."""

    key: str
    """Of the claim, what it answers and what it cites: what was judged, wherever it occurs."""
    judge: str
    """Model and prompts."""
    supported: bool | None
    """None where the model said neither yes nor no."""


def read_opinions(folder: Path) -> Opinions:
    """The opinions in a run's folder; lines that were cut off or damaged are no opinions."""
    path = folder / OPINIONS_FILE
    if not path.exists():
        return NO_OPINIONS
    found: list[Opinion] = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            found.append(msgspec.json.decode(line, type=Opinion))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    judge = found[-1].judge if found else ""
    return Opinions(judge=judge, supported={one.key: one.supported for one in found if one.judge == judge})


def append_opinions(folder: Path, opinions: Sequence[Opinion]) -> None:
    """Add opinions, each on a line of its own even where the last one was cut off."""
    path = folder / OPINIONS_FILE
    torn = path.exists() and not path.read_bytes().endswith(b"\n") and path.stat().st_size > 0
    with path.open("ab") as file:
        file.write((b"\n" if torn else b"") + b"".join(msgspec.json.encode(one) + b"\n" for one in opinions))
