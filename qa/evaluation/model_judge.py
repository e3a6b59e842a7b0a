"""Takes a run and a language model, gives the model's opinion of every claim that cites something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import aclosing

import msgspec

import prompts
from qa.errors import GeneratorFailed
from qa.evaluation.opinions import Opinion, opinion_key
from qa.evaluation.replies import reply
from qa.evaluation.run_folder import FinishedRun
from qa.generators.generator import Delta, Generator, Message

__all__ = ["Asked", "ask_judge", "claims_to_judge", "judge_name", "opinion_of"]

_ANSWER_TOKENS = 8
_CHARACTERS_PER_TOKEN = 3
"""Fewer than English has, so that what is thought to fit fits."""
_PROMPT_TOKENS = 350


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
                key = opinion_key(claim.text, cited, question=example.question)
                yield Asked(key=key, question=example.question, claim=claim.text, cited=cited)


async def _said(messages: list[Message], generator: Generator, seconds: float) -> str:
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(generator.stream(messages, max_tokens=_ANSWER_TOKENS, deadline=deadline)) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Delta)])
