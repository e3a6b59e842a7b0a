"""A question with words that may answer it, as claims that a support checker can judge."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PAST: Mapping[str, str] = {
    "win": "won", "become": "became", "begin": "began", "take": "took", "make": "made", "get": "got", "give": "gave",
    "go": "went", "come": "came", "say": "said", "see": "saw", "find": "found", "lose": "lost", "leave": "left",
    "meet": "met", "build": "built", "hold": "held", "keep": "kept", "lead": "led", "write": "wrote", "sell": "sold",
    "buy": "bought", "send": "sent", "speak": "spoke", "tell": "told", "think": "thought", "teach": "taught",
    "fight": "fought", "fall": "fell", "rise": "rose", "run": "ran", "sign": "signed", "grow": "grew", "know": "knew",
    "show": "showed", "draw": "drew", "choose": "chose", "drive": "drove", "feel": "felt", "have": "had", "do": "did",
    "serve": "served", "die": "died", "move": "moved", "live": "lived", "use": "used", "create": "created",
    "release": "released", "receive": "received", "announce": "announced", "propose": "proposed", "state": "stated",
    "believe": "believed", "replace": "replaced", "invade": "invaded", "marry": "married", "study": "studied",
    "occupy": "occupied", "want": "wanted", "start": "started", "work": "worked", "play": "played", "join": "joined",
    "attack": "attacked", "attend": "attended", "call": "called", "appear": "appeared", "return": "returned",
    "open": "opened", "happen": "happened", "occur": "occurred", "help": "helped", "add": "added", "end": "ended",
    "reach": "reached", "record": "recorded", "publish": "published", "perform": "performed", "produce": "produced",
    "develop": "developed", "establish": "established", "refer": "referred", "allow": "allowed", "form": "formed",
    "claim": "claimed", "offer": "offered", "kill": "killed", "visit": "visited", "launch": "launched",
}  # fmt: skip
_PARTICIPLES = (
    re.compile(
        r" (?=(?:\w{2,}ed|born|built|made|known|found|held|given|taken|written|won|sold|led|seen|sent|thought|kept|"
        r"spoken|going|said|told|chosen|shown|drawn|lost|left|being|put|set|cut|hit|shot|caught|brought|bought)\b)"
    ),
    re.compile(r" (?=\w{3,}ing\b)"),
)
"""Of most verbs the past one; words in -ing are nouns more often ("the meeting"), so that they are looked for last."""
_NO_VERB = re.compile(r"(?:\b(?:the|an?|his|her|its|their|this|that|of|in|at|for|by|\w+ly)|\d)$", re.IGNORECASE)
"""What stands before a noun, or before a word that describes one."""
_AUXILIARIES = r"(?:is|was|were|are|has|had|have|will|would|can|could)"
_KIND = rf"(?:(?:what|which)(?: (?!{_AUXILIARIES}\b|(?:the|a|an|did|do|does|in|of|to)\b)\w+){{0,3}}|who)"
_SUBJECT = re.compile(
    rf"^{_KIND} ((?:{_AUXILIARIES}\b"
    r"(?! (?:the|a|an|there|he|she|it|they|his|her|its|their|this|that|these|those|(?-i:[A-Z]))\b)|"
    r"(?!did\b|do\b|does\b)\w{2,}ed\b|"
    r"(?:won|wrote|led|made|became|began|took|gave|said|ran|built|sold|held|found|sings|plays|sang)\b).+)$",
    re.IGNORECASE,
)
_IS = re.compile(
    r"^(?:who|what|which) (is|was|were|are) ((?:the|a|an|his|her|its|their) .+|(?-i:[A-Z]).+)$", re.IGNORECASE
)
_OPEN = re.compile(r"\b(?:about|for|of|in|with|to|from|at|on|by|like)$")
"""How a question ends whose answer belongs behind that word."""
_INVERTED = re.compile(
    r"^(when|where|what year|in what year|in which year|on what date|on what day|what|who|how many \w+|how much|"
    r"(?:in|at|on|to|for|from) (?:what|which) \w+) (is|was|were|are|did|has|had) (.+)$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"^how (?:many|much) ((?!(?:did|do|does|is|was|were|are)\b)\w+ .+)$", re.IGNORECASE)
_PLACED = re.compile(
    r"^(?:in|at|on|near|during|from|by|since|after|before|to|between|around|under|for|of|with)\b", re.IGNORECASE
)


def claim_of(question: str, answer: str) -> str:
    """The sentence that a question makes with its answer; where its form is not known, both behind each other.

    >>> claim_of("Who won the cup?", "Ajax"), claim_of("Why did it close?", "floods")
    ('Ajax won the cup.', 'Why did it close? floods.')
    """
    return claimed(question, answer) or f"{question.strip()} {answer.rstrip('.')}."


def claimed(question: str, answer: str) -> str | None:
    """A question with its answer as a sentence; None where its form is not known.

    >>> claimed("When was the tower built?", "1889"), claimed("Who won the cup?", "Ajax")
    ('The tower was built in 1889.', 'Ajax won the cup.')
    >>> claimed("Where did Ann Lee win the race?", "Oslo"), claimed("How many people live there?", "300")
    ('Ann Lee won the race in Oslo.', '300 people live there.')
    """
    asked = question.strip().rstrip("? .").strip()
    made = _amount(asked, answer) or _subject(asked, answer) or _inverted(asked, answer) or _is(asked, answer)
    return f"{made[:1].upper()}{made[1:]}." if made else None


def _subject(asked: str, answer: str) -> str | None:
    match = _SUBJECT.match(asked)
    return f"{answer} {match[1]}" if match else None


def _is(asked: str, answer: str) -> str | None:
    match = _IS.match(asked)
    if not match or _verb_at(match[2]) is not None or _OPEN.search(match[2]):
        return None
    return f"{match[2]} {match[1].lower()} {answer}"


def _amount(asked: str, answer: str) -> str | None:
    match = _AMOUNT.match(asked)
    if not match or re.search(r" (?:did|do|does|is|are|was|were|has|had|have|will|can) ", f" {match[1]} "):
        return None
    return f"{answer} {match[1]}" if re.search(r"\d|hundred|thousand|million|two|three|four|five", answer) else None


def _inverted(asked: str, answer: str) -> str | None:
    match = _INVERTED.match(asked)
    if not match:
        return None
    kind, auxiliary, rest = match[1].lower(), match[2].lower(), match[3]
    if auxiliary == "did":
        said = _told(rest)
    elif (at := _verb_at(rest)) is not None:
        said = f"{rest[:at]} {auxiliary}{rest[at:]}"
    else:
        said = None
    if said is None:
        return None
    if kind.startswith("how"):
        return f"{said} {answer} {kind.split()[2]}" if kind.startswith("how many") else f"{said} {answer}"
    return f"{said} {_placed(kind, answer)}"


def _verb_at(rest: str) -> int | None:
    """Where the space before the participle stands: "the meeting held" -> 11; None without one."""
    found = (cut.start() for pattern in _PARTICIPLES for cut in pattern.finditer(rest, 1))
    return next((at for at in found if not _NO_VERB.search(rest[:at])), None)


def _told(rest: str) -> str | None:
    """ "Ann Lee win the race" becomes "Ann Lee won the race"."""
    words = rest.split()
    for at, word in enumerate(words[1:], start=1):
        if word in _PAST and words[at - 1] not in {"to", "the", "a", "an", "of"}:
            return " ".join([*words[:at], _PAST[word], *words[at + 1 :]])
    return None


def _placed(kind: str, answer: str) -> str:
    if _PLACED.match(answer) or kind in {"what", "who"}:
        return answer
    before = kind.split(maxsplit=1)[0]
    if before in {"in", "at", "on", "to", "for", "from"}:
        return f"{before} {answer}"
    return f"on {answer}" if re.match(r"[A-Z][a-z]+ \d{1,2}\b|\d{1,2} [A-Z]|\w+day\b", answer) else f"in {answer}"
