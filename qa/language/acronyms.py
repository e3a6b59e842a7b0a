"""Short and long forms of names: takes a question and the texts found, lets "ECB" meet the European Central Bank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

__all__ = ["Expansion", "expansions", "long_forms", "meeting"]

_SHORT = re.compile(r"(?<![\w.&-])(?:[A-Z](?:\.?[A-Z&]){1,6}\.?|[A-Z]{2,6}s?)(?![\w-])")
_PAIR = re.compile(r"\((?P<inside>[^()\n]{2,80})\)")
_NAME = re.compile(r"(?<![\w-])[A-Z][\w’'-]*(?:(?: (?:of|the|for|and|on|in|de|du|des|la|&))*[ -][A-Z][\w’'-]*){1,8}")
_SMALL = frozenset("of the for and on in de du des la &".split())
_NO_NAMES = frozenset("A I AM PM OK TV UK US EU UN".split())
"""Too short or too common for initials alone to tell: "United Stores" are not the US. A written pair still counts."""
_LONGEST = 8


class Expansion(msgspec.Struct, frozen=True):
    """A short form and the name it stands for, as both were written."""

    short: str
    long: str


def expansions(text: str) -> Sequence[Expansion]:
    """The pairs that a text itself writes: a name with its short form in brackets, or the other way round.

    After Schwartz and Hearst (2003): the letters of the short form are found in the words before it, from the end, the
    first one at the beginning of a word.

    >>> expansions("The Kelmar Rail Board (KRB) met; the KWA (Kelmar Water Authority) did not.")
    [Expansion(short='KRB', long='Kelmar Rail Board'), Expansion(short='KWA', long='Kelmar Water Authority')]
    """
    found: list[Expansion] = []
    for match in _PAIR.finditer(text):
        inside = match["inside"].strip("\"“”'‘’ ")
        before = text[max(0, match.start() - 160) : match.start()].rstrip()
        if _SHORT.fullmatch(inside) and (long := _before(_bare(inside), before)):
            found.append(Expansion(inside, long))
        elif (short := _last_short(before)) and _is_long(_bare(short), inside):
            found.append(Expansion(short, inside))
    return found


def long_forms(short: str, texts: Iterable[str]) -> Sequence[str]:
    """The names in texts that a short form may stand for: those written beside it, else those with its initials.

    >>> long_forms("KRB", ["The Kelmar Rail Board raised fares."])
    ['Kelmar Rail Board']
    """
    texts = list(texts)
    bare = _bare(short)
    written = [pair.long for text in texts for pair in expansions(text) if _bare(pair.short) == bare]
    if written or bare in _NO_NAMES or len(bare) < 3:
        return list(dict.fromkeys(written))
    named = (name.removeprefix("The ") for text in texts for name in _NAME.findall(text))
    return list(dict.fromkeys(name for part in named for name in _runs(part, len(bare)) if initials(name) == bare))


def meeting(question: str, texts: Sequence[str]) -> str:
    """The question in the words of the texts found, where it writes a name short and they long, or the other way.

    A form that the texts use, too, stays; so does one that may stand for several names. Never shown: for reading.

    >>> meeting("What did the KRB raise?", ["The Kelmar Rail Board raised fares."])
    'What did the Kelmar Rail Board raise?'
    >>> meeting("What did the Kelmar Rail Board raise?", ["The KRB raised fares, the Kelmar Rail Board (KRB) said."])
    'What did the Kelmar Rail Board raise?'
    """
    whole = "\n".join(texts)
    for short, longs in _shorts(question, texts).items():
        if len(longs) == 1 and not _holds(whole, short):
            question = _replaced(question, short, longs[0])
    for name in dict.fromkeys(_NAME.findall(question)):
        shorts = {
            s for s in _SHORT.findall(whole) if initials(name.removeprefix("The ")) == _bare(s) and len(_bare(s)) > 2
        }
        if len(shorts) == 1 and not _holds(whole, name):
            question = _replaced(question, name, shorts.pop())
    return question


def initials(name: str) -> str:
    """The first letters of a name's words, the small ones left out.

    >>> initials("Bank of the North-East")
    'BNE'
    """
    return "".join(word[0].upper() for word in re.split(r"[ -]", name) if word and word.casefold() not in _SMALL)


def _shorts(question: str, texts: Sequence[str]) -> Mapping[str, Sequence[str]]:
    if question.isupper():
        return {}
    return {short: long_forms(short, texts) for short in dict.fromkeys(_SHORT.findall(question))}


def _bare(short: str) -> str:
    letters = re.sub(r"[.&]", "", short)
    return letters[:-1] if letters.endswith("s") and letters[:-1].isupper() else letters


def _holds(text: str, form: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text) is not None


def _replaced(question: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, question)


def _last_short(before: str) -> str | None:
    found = list(_SHORT.finditer(before))
    return found[-1].group() if found and found[-1].end() == len(before) else None


def _is_long(short: str, name: str) -> bool:
    return initials(name) == short and name[:1].isupper()


def _before(short: str, before: str) -> str | None:
    """The shortest run of words at the end of a text that a short form abbreviates."""
    words = before.split()[-_LONGEST - len(short) :]
    for count in range(1, len(words) + 1):
        run = words[-count:]
        if any(word[-1] in ".;:!?" for word in run[:-1]):
            return None
        if run[0][:1].casefold() == short[0].casefold() and run[0].casefold() not in _SMALL and _letters(short, run):
            return " ".join(run)
    return None


def _letters(short: str, run: Sequence[str]) -> bool:
    """Whether the letters stand in the words in their order, each word of substance giving its first one."""
    telling = [word for word in run if word.casefold() not in _SMALL]
    if len(telling) > len(short):
        return False
    rest = short.casefold()
    for word in telling:
        if not rest or word[0].casefold() != rest[0]:
            return False
        rest = rest[1:]
        for letter in word[1:].casefold():
            left = len(telling) - telling.index(word) - 1
            if rest and letter == rest[0] and len(rest) > left:
                rest = rest[1:]
    return not rest


def _runs(name: str, count: int) -> Sequence[str]:
    """Runs of so many words of substance within a name: articles write "German Central Bank President"."""
    words = name.split(" ")
    return [
        " ".join(words[a:b])
        for a in range(len(words))
        for b in range(a + 1, len(words) + 1)
        if words[a].casefold() not in _SMALL and words[b - 1].casefold() not in _SMALL
        if len(initials(" ".join(words[a:b]))) == count
    ]
