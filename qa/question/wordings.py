"""A question in the words of the articles: spelling corrected, names and numbers as they write them.

A word is misspelled where no article holds it, the encoder does not know it as one word, and articles hold one that
is near. Nothing is changed silently: what was corrected stands in `resolved_query`. Names and numbers as the articles
write them are for finding and for reading; what is shown is the question as it was understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.types import Where
from qa.language import names
from qa.language.quantities import NUMBER_WORDS, Quantity, quantities_of
from qa.language.question_words import FUNCTION_WORDS, TITLES, is_date_word

__all__ = ["Correction", "Spelled", "Speller", "corrected", "in_their_words", "with_numbers"]

_WORD = re.compile(r"(?<![\w'’-])[A-Za-zÀ-ɏ]{5,40}(?![\w-])")
_MOST = 2
"""A question with more unknown words than this, and more than a third of all, is in another language or no text."""
_WORDS = {value: word for word, value in NUMBER_WORDS.items()}


class Correction(msgspec.Struct, frozen=True):
    """One word as it was written, and as it is read."""

    written: str
    read: str


class Spelled(msgspec.Struct, frozen=True, kw_only=True):
    """A question with what was corrected in it."""

    query: str
    corrections: tuple[Correction, ...] = ()


class Speller:
    """Corrects questions against one corpus. Blocking, for as long as a search takes where a word is unknown."""

    def __init__(self, corpus: Corpus, *, encoder: Encoder) -> None:
        self._corpus = corpus
        self._encoder = encoder
        (self._overhead,) = encoder.count_tokens([""])

    def __call__(self, question: str) -> Spelled:
        """Give the question with what was corrected in it. Raises what searching raises."""
        return corrected(question, spellings=partial(self._corpus.spellings, where=Where()), is_word=self._is_word)

    def _is_word(self, word: str) -> bool:
        """Whether the encoder has a token for the whole word: it saw it often, whether or not this corpus does."""
        return self._encoder.count_tokens([word.casefold()]) == [self._overhead + 1]


def corrected(
    question: str,
    *,
    spellings: Callable[[Collection[str]], Mapping[str, tuple[str, ...]]],
    is_word: Callable[[str], bool],
) -> Spelled:
    """Correct a question against the words of a corpus.

    `spellings` is `Corpus.spellings`, under a filter; `is_word` says whether a word is known anyhow, so that a horse
    that no article mentions does not become a house.

    >>> near = {"Kelmer": ("Kelmar",)}
    >>> corrected("Who runs Kelmer Water?", spellings=lambda _: near, is_word=lambda _: False).query
    'Who runs Kelmar Water?'
    """
    words = dict.fromkeys(word for word in _WORD.findall(question) if _may_be_misspelled(word))
    unsure = [word for word in words if not is_word(word)]
    if not unsure:
        return Spelled(query=question)
    near = spellings(unsure)
    if len(near) > _MOST and 3 * len(near) > len(question.split()):
        return Spelled(query=question)
    changed = [Correction(word, _cased(word, near[word])) for word in unsure if near.get(word)]
    query = question
    for correction in changed:
        query = re.sub(rf"(?<![\w'’-]){re.escape(correction.written)}(?![\w-])", correction.read, query)
    return Spelled(query=query, corrections=tuple(changed))


def _may_be_misspelled(word: str) -> bool:
    low = word.casefold()
    return low not in FUNCTION_WORDS | TITLES and not is_date_word(word) and not (word.isupper() and len(word) < 7)


def _cased(written: str, forms: Sequence[str]) -> str:
    """The nearest form. A name keeps its capital; a word that articles also write small has the one of the question."""
    small = next((form for form in forms if form.casefold() == forms[0].casefold() and form.islower()), None)
    read = small or forms[0]
    if written.isupper():
        return read.upper()
    return read[:1].upper() + read[1:] if written[:1].isupper() else read


def in_their_words(question: str, texts: Sequence[str]) -> str:
    """The question with short names long, or long ones short, and numbers in words or digits, as the texts have them.

    >>> in_their_words("Did 12 nurses of the KWA strike?", ["Twelve Kelmar Water Authority nurses did."])
    'Did Twelve nurses of the Kelmar Water Authority strike?'
    """
    return _numbers_met(names.meeting(question, texts), texts)


def with_numbers(question: str) -> str:
    """The question with each whole number written the other way, too, for finding by words.

    >>> with_numbers("Which twelve towns lost 2,500 homes?")
    'Which twelve towns lost 2,500 homes? 12'
    """
    forms = [_otherwise(question[one.start : one.end], one) for one in quantities_of(question)]
    return " ".join([question, *(form for form in forms if form)])


def _numbers_met(question: str, texts: Sequence[str]) -> str:
    for asked in reversed(quantities_of(question)):
        written = question[asked.start : asked.end]
        if any(_holds(text, written) for text in texts):
            continue
        met = next((form for text in texts if (form := _same_number(asked, text))), None)
        if met:
            question = f"{question[: asked.start]}{met}{question[asked.end :]}"
    return question


def _same_number(asked: Quantity, text: str) -> str | None:
    for one in quantities_of(text):
        if (one.value, one.ordinal) == (asked.value, asked.ordinal):
            return text[one.start : one.end]
    return None


def _holds(text: str, written: str) -> bool:
    return re.search(rf"(?<![\w.,]){re.escape(written)}(?![\w])", text, re.IGNORECASE) is not None


def _otherwise(written: str, one: Quantity) -> str | None:
    if one.ordinal or one.value != int(one.value):
        return None
    return _WORDS.get(int(one.value)) if written[0].isdecimal() else f"{one.value:,.0f}"
