"""Answers what chat clients ask on their own behalf (a title, tags, follow-up questions), from the request alone.

Such prompts hold the whole conversation; retrieving for them would cost as much as a question and cite nonsense.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import msgspec

from qa.server.openai.cited_text import Piece

__all__ = ["answer_task", "task_pieces"]

_WANTED = re.compile(r'"(title|tags|follow_ups|queries|text|emoji)"\s*:')
_HISTORY = re.compile(r"<chat_history>(?P<chat>.*?)</chat_history>", re.DOTALL)
_USER = re.compile(r"^\s*USER:\s*(?P<text>.*?)(?=^\s*(?:USER|ASSISTANT):|\Z)", re.DOTALL | re.MULTILINE)
_TITLE = 60


def answer_task(prompt: str) -> str:
    """The JSON that the prompt asks for: the first question as the title, empty lists for the rest.

    >>> answer_task('### Task: ... {"title": "..."} <chat_history>USER: Who won?\\nASSISTANT: Ada.</chat_history>')
    '{"title":"Who won?"}'
    >>> answer_task('### Task: ... {"tags": ["a"]}')
    '{"tags":[]}'
    """
    wanted = {found[1]: None for found in _WANTED.finditer(prompt)}
    key = next(iter(wanted), "")
    if key == "title":
        return msgspec.json.encode({"title": _title(prompt)}).decode()
    if key in {"text", "emoji"}:
        return msgspec.json.encode({key: ""}).decode()
    return msgspec.json.encode({key: []} if key else {}).decode()


async def task_pieces(prompt: str) -> AsyncGenerator[Piece, None]:
    """The same as the pieces of a text."""
    yield Piece(text=answer_task(prompt))


def _title(prompt: str) -> str:
    chat = _HISTORY.search(prompt)
    first = _USER.search(chat["chat"] if chat else "")
    words = " ".join(first["text"].split()) if first else ""
    if len(words) <= _TITLE:
        return words or "News"
    return words[: _TITLE - 1].rpartition(" ")[0] + "…"
