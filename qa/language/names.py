"""The names in a text, and which spellings belong to one name.

So that "ECB" meets the European Central Bank, long forms are found in the texts that a question brought up.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_SHORT_MONTHS, ENGLISH_WEEKDAYS
from embeddings.runtime import word_lists
from qa.language.quantities import NUMBER_WORDS
from qa.language.words import Word, is_name, words_of

_SHORT = re.compile(r"(?<![\w.&-])(?:[A-Z](?:\.?[A-Z&]){1,6}\.?|[A-Z]{2,6}s?)(?![\w-])")
_PAIR = re.compile(r"\((?P<inside>[^()\n]{2,80})\)")
_NAME = re.compile(r"(?<![\w-])[A-Z][\w’'-]*(?:(?: (?:of|the|for|and|on|in|de|du|des|la|&))*[ -][A-Z][\w’'-]*){1,8}")
_SMALL = frozenset("of the for and on in de du des la &".split())
_NO_ACRONYMS = frozenset("A I AM PM OK TV UK US EU UN".split())
"""Too short or too common for initials alone to tell: "United Stores" are not the US. A written pair still counts."""
_LONGEST = 8


class NameWord(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a name; "Oda Lindqvist" is two, since either may stand alone for her."""

    start: int
    end: int
    text: str
    run: int
    """Words of one name share this number."""


_POSSESSIVE = re.compile(r"['’]s?$")
_PREFIX = re.compile(r"^(?:al|el|ad|as|az|an|ar|at|bin|ibn)[-‑]")
_SAME_SOUND = str.maketrans({"q": "k", "c": "k", "g": "k", "z": "s", "y": "i", "w": "v", "j": "i"})
_PARTED = re.compile(r"(?<=\w\w)[-‑](?=\w\w)")
_VOWELS = re.compile(r"[aeiouhv]+")
_DOUBLE = re.compile(r"(.)\1+")
_LEAST_LONG = 5
_LIKENESS = 0.8
_STOP_BEFORE = re.compile(r"(?:^|[.!?:;]\s*|[\"“‘'(\[]\s*|\n\s*|[–—-]\s+)$")
_VERB = re.compile(
    r"(?:has|had|is|was|will|would|said|says|told|did|does|won|lost|became|went|came|made|took|got|gave|left|found|also"
    r"|could|may|might|must|can|led|ran|held|met|saw|put|beat|died|and|who|\w+ed)"
)
_SINGULAR = re.compile(r"(?:has|is|was|says|does)")
"""Verbs that follow one person, not several things."""
_LISTS = word_lists("qa.language", "names.txt")
_OPENERS = frozenset(_LISTS["opener"].split())
"""Words that open sentences with a capital and are no names."""
_NO_NAMES = frozenset(_LISTS["no name"].split()).union(ENGLISH_MONTHS, ENGLISH_SHORT_MONTHS, ENGLISH_WEEKDAYS)
"""Capitals that are no name of their own: titles, months and weekdays, which are checked as dates."""
_PLACES = [words.replace(".", "").split() for name, words in _LISTS.items() if name.startswith("place ")]


def name_words(text: str, *, words: Sequence[Word] | None = None, lower: Collection[str] = ()) -> tuple[NameWord, ...]:
    """Every word of a text that is written as a name.

    A capital that opens a sentence says nothing: that word counts only where a second name follows it, or where it is
    not among `lower`, the words that the texts at hand also write small. `words` are those of the text, if known.

    >>> [name.text for name in name_words("Officials met Oda Lindqvist on Monday.", lower={"officials"})]
    ['Oda', 'Lindqvist']
    """
    words = words_of(text) if words is None else words
    found, run = [], 0
    for at, word in enumerate(words):
        bare = _POSSESSIVE.sub("", word.text)
        if not _is_name(text, words, at, lower) or bare.removeprefix("mid-") in _NO_NAMES:
            run += 1
            continue
        found.append(NameWord(start=word.start, end=word.start + len(bare), text=bare, run=run))
    return tuple(found)


def _is_name(text: str, words: Sequence[Word], at: int, lower: Collection[str]) -> bool:
    word = words[at]
    if not is_name(word) or (word.number and not any(c.isalpha() for c in word.text)):
        return False
    if (word.number and word.text[0].isdecimal()) or word.text.split("-")[0].casefold() in NUMBER_WORDS:
        return False
    if not _STOP_BEFORE.search(text[max(0, word.start - 8) : word.start]):
        return True
    return _opens_as_name(words, at, lower)


def _opens_as_name(words: Sequence[Word], at: int, lower: Collection[str]) -> bool:
    """Whether a capital word that opens a sentence is a name, going by what follows it."""
    bare = _POSSESSIVE.sub("", words[at].text)
    if bare.casefold() in lower or bare in _OPENERS or bare.endswith(("ly", "ing")):
        return False
    following = words[at + 1] if at + 1 < len(words) else None
    if bare != words[at].text or (len(bare) > 1 and bare.isupper()) or following is None:
        return True
    if is_name(following):
        return not bare.endswith(("ers", "ists", "ans"))
    return bool((_SINGULAR if bare.endswith("s") else _VERB).fullmatch(following.text))


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are of one name.

    >>> same_name("Mesmari", "al-Mismari"), same_name("Austria", "Australia"), same_name("Dutch", "Netherlands")
    (True, False, True)
    """
    left, right = _folded(one), _folded(other)
    if left == right or _kin(left) & _kin(right):
        return True
    short, long = sorted((left, right), key=len)
    if (
        len(short) >= 4
        and long.startswith(short)
        and long[len(short) :] in {"n", "an", "ian", "s", "es", "i", "ese", "ish", "ns", "ans", "ians", "is"}
    ):
        return True
    if any(_PARTED.search(_PREFIX.sub("", name.casefold())) for name in (one, other)):
        return _same_part(one, other)
    if len(short) < _LEAST_LONG or left.isdigit() or right.isdigit():
        return False
    return _one_spelling(left, right)


def _same_part(one: str, other: str) -> bool:
    """Whether a double name is meant by one half of it, as "Jeffrey-Shaw" by "Shaw"."""
    left, right = ({_folded(part) for part in _PARTED.split(name) if len(part) > 2} for name in (one, other))
    return bool(left & right)


def _one_spelling(left: str, right: str) -> bool:
    """Same sound at the start, same consonants, or one letter apart in a long word."""
    from rapidfuzz.distance import Levenshtein

    first, second = left.translate(_SAME_SOUND), right.translate(_SAME_SOUND)
    if first[0] != second[0] or Levenshtein.normalized_similarity(left, right) < _LIKENESS:
        return False
    bones = _DOUBLE.sub(r"\1", _VOWELS.sub("", first)), _DOUBLE.sub(r"\1", _VOWELS.sub("", second))
    if len(bones[0]) >= 3 and bones[0] == bones[1] and left[-1] == right[-1]:
        return True
    return min(len(left), len(right)) >= 8 and Levenshtein.distance(left, right) == 1


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return _PREFIX.sub("", _POSSESSIVE.sub("", plain)).replace("-", "").replace(".", "").replace("’", "'")


@lru_cache(maxsize=65536)
def _kin(folded: str) -> frozenset[int]:
    return frozenset(number for number, spellings in enumerate(_PLACES) if folded in spellings)


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
    if written or bare in _NO_ACRONYMS or len(bare) < 3:
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
    names = {name: initials(name.removeprefix("The ")) for name in _NAME.findall(question)}
    names = {name: short_for_it for name, short_for_it in names.items() if len(short_for_it) > 2}
    used = {short: _bare(short) for short in _SHORT.findall(whole)} if names else {}
    for name, short_for_it in names.items():
        shorts = {short for short, bare in used.items() if bare == short_for_it}
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
