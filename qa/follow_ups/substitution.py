"""Follow-ups that borrow the words of the question before them: "What about Tobruk?", "And in June?", "Why?"."""

from __future__ import annotations

import re

from qa.follow_ups.phrases import Name, names
from qa.follow_ups.referents import SEPARATOR
from qa.follow_ups.words import AUXILIARIES, WH_WORDS, is_date_word, tokens
from qa.types import Turn

__all__ = ["completed", "exchanged"]

_ABOUT = re.compile(r"^(?:(?:and|but|so)\s+)?(?:what|how) about\s+(?P<what>.+?)\s*\??$", re.IGNORECASE)
_AND = re.compile(r"^(?:and|but)\s+(?P<what>[^?]+?)\s*\??$", re.IGNORECASE)
_PLACED = re.compile(r"^(?P<before>(?:in|on|at|for|from|by|since|to)\s+)?(?:the\s+)?(?P<what>.+)$", re.IGNORECASE)
_WH = re.compile(
    r"^(?:(?:and|but|so)\s+)?(?P<wh>(?:since|from|until|by|to|for|with|at|in|of)?\s*(?:why|when|where|who|whom|how"
    r"|how come|how (?:long|far|often|soon)|what time|which (?:day|year)))\s*\?*$",
    re.IGNORECASE,
)
_LONGEST = 6


def exchanged(asked: str, turn: Turn) -> str | None:
    """Ask the last question about something else: a name, a month, a year.

    After "How many people live in Derna?", "What about Tobruk?" is "How many people live in Tobruk?".
    """
    found = _ABOUT.match(asked) or _AND.match(asked)
    if found is None or not _is_phrase(found["what"]):
        return None
    placed = _PLACED.match(found["what"])
    what = placed["what"] if placed else found["what"]
    before = turn.resolved_query
    if is_date_word(what.split()[-1]):
        return _another_date(before, found["what"], what)
    new = names(f"about {what}")
    if not new or new[0].text != what.removesuffix("'s"):
        return None
    old = _counterpart(before, new[0], (placed["before"] or "").strip().casefold() if placed else "")
    return None if old is None else f"{before[: old.start]}{what}{before[old.end :]}"


def completed(asked: str, turn: Turn) -> str | None:
    """Ask the last question for another circumstance.

    After "How long will the Osprey Bridge be closed?", "Why?" is "Why will the Osprey Bridge be closed?".
    """
    found = _WH.match(asked)
    if found is None:
        return None
    head, parted, rest = turn.resolved_query.partition(SEPARATOR)
    before = rest if parted else head
    words = tokens(before)
    at = next((i for i, word in enumerate(words) if word.low in AUXILIARIES), None)
    if at is None or (at > 0 and words[0].low == "who" and at == 1):
        return f"{turn.resolved_query.rstrip('?. ')} – {found['wh'].casefold()}?"
    lost = " ".join(
        w.text for w in words[:at] if w.low not in WH_WORDS | {"many", "much", "long", "far", "often", "of", "since"}
    )
    body = before[words[at].start :].rstrip("?. ")
    body = body if at else body[:1].lower() + body[1:]
    wh = found["wh"].strip()
    clause = f"{wh[:1].upper()}{wh[1:]} {body}{' ' + lost if lost and at > 0 else ''}?"
    return f"{head}{SEPARATOR}{clause[:1].lower()}{clause[1:]}" if parted else clause


def _is_phrase(what: str) -> bool:
    """Whether words are a noun phrase and no clause."""
    low = [token.low for token in tokens(what)]
    return 0 < len(low) <= _LONGEST and not any(word in AUXILIARIES | WH_WORDS for word in low)


def _another_date(before: str, phrase: str, what: str) -> str:
    """The question with its date exchanged; at its end where it has none."""
    kind = what.rsplit(maxsplit=1)[-1].isdigit()
    for token in reversed(tokens(before)):
        if is_date_word(token.text) and token.text.isdigit() == kind:
            return f"{before[: token.start]}{what}{before[token.end :]}"
    inserted = phrase if phrase != what else f"in {what}"
    return f"{before.rstrip('?. ')} {inserted}?"


def _counterpart(before: str, new: Name, preposition: str) -> Name | None:
    """Which name of the last question the new one takes the place of."""
    old = [name for name in names(before) if name.text.casefold() != new.text.casefold()]
    if len(old) > 1 and preposition:
        old = [name for name in old if before[: name.start].casefold().split()[-1:] == [preposition]] or old
    return old[-1] if old else None
