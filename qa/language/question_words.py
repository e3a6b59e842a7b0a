"""Closed classes of words that tell what a question asks and leaves out, and the language of a question.

The language is told as far as its letters and its small words tell.
"""

from __future__ import annotations

import re

from embeddings.cleaning.dates import ENGLISH_MONTHS, ENGLISH_WEEKDAYS

__all__ = [
    "AUXILIARIES",
    "FUNCTION_WORDS",
    "PREPOSITIONS",
    "PRONOUNS",
    "TITLES",
    "WH_WORDS",
    "asking_words",
    "is_date_word",
    "language_of",
]

_YEAR = re.compile(r"(?:19|20)\d\d")
WH_WORDS = frozenset("who whom whose what which when where why how".split())
AUXILIARIES = frozenset(
    "is are was were am be been being do does did has have had will would can could may might shall should must"
    " isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't couldn't".split()
)
PREPOSITIONS = frozenset(
    "of in at on for from to by with over under near around about into off against between during since until through"
    " inside outside behind after before as than without within".split()
)
PRONOUNS = frozenset(
    "i you he she it we they me him her us them my your his its our their mine hers ours theirs himself herself itself"
    " themselves this that these those there here one ones".split()
)
FUNCTION_WORDS = (
    WH_WORDS
    | AUXILIARIES
    | PREPOSITIONS
    | PRONOUNS
    | frozenset(
        "a an the and or but so also then not no nor if because while any anybody anyone anything some somebody"
        " someone many much more most few less long far old big often soon high large only just still yet"
        " already ever never again too very up down out there's what's who's please tell say says said"
        " else instead now today yesterday tomorrow nobody none nothing normally really exactly come next last".split()
    )
)
TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir dame lord lady judge coach captain capt general colonel major brigadier"
    " lieutenant sergeant admiral commander president premier chancellor king queen prince princess pope bishop"
    " archbishop cardinal imam rabbi sheikh mayor governor senator congressman congresswoman minister secretary"
    " ambassador chief nurse purser inspector detective sheriff justice chairman chairwoman surgeon".split()
)
_DATE_WORDS = frozenset(map(str.lower, (*ENGLISH_MONTHS, *ENGLISH_WEEKDAYS)))
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
"""By script, the language that most questions in it are in; what shares the script is taken for it, too."""
_WORDS = {
    "en": "the of and is are was were did does do has have who what when where why how which many much in to for on",
    "de": "der die das und ist sind war waren wer wie wann wo warum welche welcher welches wurde wurden hat haben ohne"
    " nicht mit bei von im den dem ein eine viele viel zu auf",
    "fr": "le la les des du est sont était qui que quoi quand où pourquoi combien quel quelle quels quelles une dans"
    " avec sur pas pour et a ont au aux comment",
    "es": "el la los las del es son fue quién quien qué cuándo cuando dónde donde cuánto cuántos cuántas cuál por en"
    " una con y para no se cómo han ha",
    "it": "il lo la gli le del della è sono era chi che cosa quando dove perché quanto quanti quante quale una con non"
    " per di e ha hanno come nel",
    "pt": "o a os as do da dos das é são foi quem que quando onde porque quanto quantos quantas qual uma com não em e"
    " para como no na",
    "nl": "de het een van en is zijn was waren wie wat wanneer waar waarom hoe hoeveel welke werd werden niet met op"
    " voor bij heeft",
    "sv": "och är var vem vad när varför hur många mycket vilken vilket vilka det den ett en inte med på för av som"
    " blev har",
}
_PARTICLES = {
    "zh": "为什么 怎么样 有多少 什么时候 什么 怎么 多少 哪里 哪个 哪些 何时 谁 吗 呢",
    "ja": "ですか ますか でしたか ましたか なぜ どこ いつ だれ 誰 どの いくつ 何人 何",
    "ko": "무엇 누가 누구 어디 언제 얼마나 왜 어떻게 몇",
}
"""What asks in scripts without spaces, the longer before what it holds; a text that answers does not say it."""
_KNOWN = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_TELLING = 2
"""So many small words of a language, and more than of English, are needed: names are of every language."""


def is_date_word(word: str) -> bool:
    """Whether a word names a month, a weekday or a year.

    >>> is_date_word("June"), is_date_word("2024"), is_date_word("Kelmar")
    (True, True, False)
    """
    return word.casefold() in _DATE_WORDS or _YEAR.fullmatch(word) is not None


def asking_words(language: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The small words of a language, and what asks in a script without spaces: of a question, no matter of its own."""
    return (
        frozenset() if language == "en" else _KNOWN.get(language, frozenset()),
        tuple(_PARTICLES.get(language, "").split()),
    )


def language_of(question: str) -> str | None:
    """The ISO 639-1 code of the language; None where nothing tells, as in a question of two names.

    >>> language_of("Who built the dam?"), language_of("Wer hat den Damm gebaut?"), language_of("Velda Orrin")
    ('en', 'de', None)
    """
    letters = sum(character.isalpha() for character in question)
    for language, script in _SCRIPTS:
        if letters and 3 * len(script.findall(question)) > letters:
            return language
    words = re.findall(r"[^\W\d_]+", question.casefold())
    counts = {language: sum(word in known for word in words) for language, known in _KNOWN.items()}
    best = max(counts, key=lambda language: (counts[language], language == "en"))
    return best if counts[best] >= (1 if best == "en" else _TELLING) else None
