"""Understands a question: makes it stand alone, corrects its spelling, and finds its period and filters."""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from embeddings.corpus import Corpus
from embeddings.encoders import Encoder
from embeddings.runtime import Run
from embeddings.types import Where
from qa.conversations.follow_ups import Resolved
from qa.conversations.referents import topics_in_front, without_topic
from qa.errors import InvalidQuestion
from qa.language import names
from qa.language.dates import Period, moment, stamp
from qa.language.quantities import NUMBER_WORDS, Quantity, quantities_of
from qa.language.question_words import AUXILIARIES, FUNCTION_WORDS, TITLES, WH_WORDS, is_date_word, language_of
from qa.language.question_words import names as proper_names
from qa.language.time_expressions import period_of, without_period
from qa.question.intents import Intent, intent_of
from qa.types import Filters, Question, SearchQuestion, Turn

# --- A question in the words of the articles: corrected spelling, and names and numbers as the articles write them
# A word is misspelled if no article has it, the encoder does not know it as one word, and articles have a word near it.
# Nothing changes silently: `resolved_query` shows the corrections. Names and numbers as the articles write them are for
# retrieval and reading only; the user sees the question as it was understood.
_WORD = re.compile(r"(?<![\w'’-])[A-Za-zÀ-ɏ]{4,40}(?![\w-])")
_SHORT = 4
"""A word this short is corrected only from name to name: too many other words are near it."""
_MOST = 2
"""A question with more unknown words than this, and more than a third of all words, is not corrected: it is in another
language, or no text."""
_WORDS = {value: word for word, value in NUMBER_WORDS.items()}
_ASKING = {
    **dict.fromkeys("wen whne wehn hwen".split(), "when"),
    **dict.fromkeys("wat waht whta hwat wath".split(), "what"),
    **dict.fromkeys("were wher whre wheer hwere wehre".split(), "where"),
    **dict.fromkeys("woh whoo".split(), "who"),
    **dict.fromkeys("wich whcih wihch hwich whitch".split(), "which"),
    **dict.fromkeys("hwo hwy".split(), ""),  # which of two, the next word tells
}
_WORDS_TOO = frozenset("wen wat were wath".split())
"""These can be names or words: misspelled only if the next word continues a question."""
_MISSPELLED_AUXILIARIES = {
    **dict.fromkeys("dose deos dos doe".split(), "does"),
    **dict.fromkeys("ddi didd dide dit".split(), "did"),
    **dict.fromkeys("si iz".split(), "is"),
    **dict.fromkeys("wsa waz".split(), "was"),
    **dict.fromkeys("wil wll".split(), "will"),
    **dict.fromkeys("hsa haz".split(), "has"),
    **dict.fromkeys("aer ar".split(), "are"),
}
_FIRST_WORDS = re.compile(r"(?P<first>[A-Za-z]{2,6}) (?P<second>[A-Za-z]{2,8})\b")
_MEASURED = frozenset("many much long old far big often tall high large fast deep did do does".split())
_GOES_ON = AUXILIARIES | {"time", "year", "day", "kind"}


class Correction(msgspec.Struct, frozen=True):
    """One word as written, and as corrected."""

    written: str
    read: str


class Spelled(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its corrections."""

    query: str
    corrections: tuple[Correction, ...] = ()


class Speller:
    """Corrects questions against one corpus. Blocking: takes as long as a search if a word is unknown."""

    def __init__(self, corpus: Corpus, *, encoder: Encoder) -> None:
        self._corpus = corpus
        self._encoder = encoder
        (self._overhead,) = encoder.count_tokens([""])

    def __call__(self, question: str) -> Spelled:
        """Correct a question. Raises what searching raises."""
        asked = asked_well(question)
        read = corrected(
            asked.query,
            spellings=partial(self._corpus.spellings, where=Where()),
            is_word=self._is_word,
            hasty=bool(asked.corrections),
        )
        return Spelled(query=read.query, corrections=asked.corrections + read.corrections)

    def at_first(self, question: str) -> Spelled:
        """Correct the first words of a question and, if one of them is misspelled, all others with them: nobody is
        shown a question that is corrected by half."""
        asked = asked_well(question)
        return self(question) if asked.corrections else asked

    def _is_word(self, word: str) -> bool:
        """Whether the encoder has a token for the whole word, because its training data had it often."""
        return self._encoder.count_tokens([word.casefold()]) == [self._overhead + 1]


def corrected(
    question: str,
    *,
    spellings: Callable[[Collection[str]], Mapping[str, tuple[str, ...]]],
    is_word: Callable[[str], bool],
    hasty: bool = False,
) -> Spelled:
    """Correct a question against the words of a corpus.

    `spellings` is `Corpus.spellings`, under a filter; `is_word` says whether a word is known otherwise, so that a
    horse that no article mentions does not become a house. `hasty`: its first words are misspelled, so that many
    unknown words do not make it another language.

    >>> near = {"Kelmer": ("Kelmar",)}
    >>> corrected("Who runs Kelmer Water?", spellings=lambda _: near, is_word=lambda _: False).query
    'Who runs Kelmar Water?'
    """
    words = dict.fromkeys(word for word in _WORD.findall(question) if _may_be_misspelled(word))
    unsure = [word for word in words if not is_word(word)]
    if not unsure:
        return Spelled(query=question)
    near = spellings(unsure)
    if not hasty and len(near) > _MOST and 3 * len(near) > len(question.split()):
        return Spelled(query=question)
    changed = [Correction(word, _cased(word, forms)) for word in unsure if (forms := _fit(word, near.get(word, ())))]
    query = question
    for correction in changed:
        query = re.sub(rf"(?<![\w'’-]){re.escape(correction.written)}(?![\w-])", correction.read, query)
    return Spelled(query=query, corrections=tuple(changed))


def asked_well(question: str) -> Spelled:
    """Correct the first two words of a question, if one is a misspelled question word.

    >>> asked_well("wen dose the rink open?").query, asked_well("Were is it?").query, asked_well("Wen Li won?").query
    ('when does the rink open?', 'Where is it?', 'Wen Li won?')
    """
    found = _FIRST_WORDS.match(question)
    if found is None or language_of(question) not in {None, "en"}:
        return Spelled(query=question)
    first, second = found["first"], found["second"]
    low = first.casefold()
    after = _MISSPELLED_AUXILIARIES.get(second, second)
    asking = _ASKING.get(low, low) or ("how" if after in _MEASURED else "why" if low == "hwy" else "who")
    if asking not in WH_WORDS or (low in _WORDS_TOO and after not in _GOES_ON):
        return Spelled(query=question)
    read = first if asking == low else asking if first.islower() else asking.capitalize()
    changed = tuple(Correction(was, now) for was, now in ((first, read), (second, after)) if was != now)
    return Spelled(query=f"{read} {after}{question[found.end() :]}", corrections=changed)


def _may_be_misspelled(word: str) -> bool:
    low = word.casefold()
    if len(word) <= _SHORT and not word.istitle():
        return False
    return low not in FUNCTION_WORDS | TITLES and not is_date_word(word) and not (word.isupper() and len(word) < 7)


def _fit(word: str, forms: Sequence[str]) -> Sequence[str]:
    """The forms that may be a correction of a word."""
    return forms if len(word) > _SHORT else [form for form in forms if form.istitle()]


def _cased(written: str, forms: Sequence[str]) -> str:
    """The nearest form, in the case of the question's word unless it is a name."""
    small = next((form for form in forms if form.casefold() == forms[0].casefold() and form.islower()), None)
    read = small or forms[0]
    if written.isupper():
        return read.upper()
    return read[:1].upper() + read[1:] if written[:1].isupper() else read


def in_their_words(question: str, texts: Sequence[str]) -> str:
    """The question with names short or long, and numbers in words or digits, as the texts write them.

    >>> in_their_words("Did 12 nurses of the KWA strike?", ["Twelve Kelmar Water Authority nurses did."])
    'Did Twelve nurses of the Kelmar Water Authority strike?'
    """
    return _numbers_met(names.meeting(question, texts), texts)


def with_numbers(question: str) -> str:
    """The question with each whole number in digits and in words, for the lexical search.

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
    if one.ordinal or not math.isfinite(one.value) or one.value != int(one.value):
        return None
    return _WORDS.get(int(one.value)) if written[0].isdecimal() else f"{one.value:,.0f}"


_WIDE = re.compile("[\uff01-\uff5e\uff65-\uff9f\u3000]+")
"""Full-width and half-width letters, which input methods write instead of plain ones."""


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A question that can be looked up."""

    resolved_query: str
    """The question that is answered; differs from the user's if that is a follow-up or misspelled."""
    lookup: str
    """The search text: `resolved_query`, plus the conversation's words if a follow-up could not be written out; only
    the topic if the question asks for the latest on it."""
    to_read: str
    """The question for the reader: `resolved_query` without a topic that only helps retrieval."""
    as_of: datetime
    """When it is asked; later articles are not used."""
    where: Where
    period: Period | None = None
    """The period that the question names; `qa.language.dates.shown` makes its form for answers."""
    habit: str = ""
    """A weekday, in small letters: only what tells of every such day answers."""
    stays_with: tuple[str, ...] = ()
    """Articles of the last answer, which are searched first if the question depends on the conversation."""
    near: bool = False
    """Whether those articles are read alone first."""
    must_name: str | None = None
    """A name that the answer must be about."""
    about: tuple[str, ...] = ()
    """Names of the conversation: an article that answers must have one of them; empty: any article may answer."""
    topics: tuple[str, ...] = ()
    """What was put in front of the question: an article that answers must tell of one of them."""
    intent: Intent
    """Small talk gets no quotation; a question for the latest on a topic gets the newest sentences about it."""
    corrections: tuple[Correction, ...] = ()
    """Corrected words; `resolved_query` has the corrections."""
    undated: str
    """`to_read` without its date words, for passages published then that do not say so (`recency.says_when`). Equal to
    `to_read` if it names no time."""


class Resolve(Protocol):
    """Turns a follow-up into a question that stands alone."""

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
        """`history` is oldest first; `by_model` says whether a model may be asked; `run` is for blocking work."""


async def as_put(question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
    """Take every question as it is."""
    del history, by_model, run
    return Resolved(query=question, lookup=question)


def as_written(question: str) -> Spelled:
    """Take every word as written."""
    return Spelled(query=question)


def checked(question: Question | SearchQuestion, *, now: datetime) -> Understood:
    """Understand a question that stands alone. Raises InvalidQuestion if its words, filter or date cannot be used."""
    text = _usable(question.question)
    as_of = moment(question.as_of, field="as_of") if question.as_of else now
    return _read(Resolved(query=text, lookup=text), as_of=as_of, where=where_of(question.filters, question.collection))


async def understand(
    question: Question | SearchQuestion,
    *,
    now: datetime,
    history: Sequence[Turn],
    resolve: Resolve,
    run: Run,
    spell: Callable[[str], Spelled] = as_written,
) -> Understood:
    """Understand a question in its conversation. Raises InvalidQuestion, before any work begins.

    `spell` corrects the spelling; it is blocking work.
    """
    alone = checked(question, now=now)
    if isinstance(question, Question) and question.as_written:
        return alone
    spelled = await run(lambda: spell(alone.resolved_query))
    if spelled.corrections:
        alone = _read(
            Resolved(query=spelled.query, lookup=spelled.query),
            as_of=alone.as_of,
            where=alone.where,
            corrections=spelled.corrections,
        )
    if not history:
        return alone
    by_model = isinstance(question, Question) and question.mode != "extractive"
    resolved = await resolve(alone.resolved_query, history=history, by_model=by_model, run=run)
    if not resolved.follows:
        return alone
    understood = _read(resolved, as_of=alone.as_of, where=alone.where, corrections=alone.corrections)
    last = history[-1]
    if understood.period is None and last.as_of and not understood.intent.newest:
        # "How many were hurt?" after a question about last May is about last May.
        carried = period_of(last.resolved_query, as_of=moment(last.as_of, field="as_of"))
        understood = msgspec.structs.replace(understood, period=carried)
    return understood


def _read(resolved: Resolved, *, as_of: datetime, where: Where, corrections: tuple[Correction, ...] = ()) -> Understood:
    intent = intent_of(resolved.query)
    to_read = resolved.reads or without_topic(resolved.query)
    changed = resolved.lookup != resolved.query
    return Understood(
        resolved_query=resolved.query,
        lookup=resolved.lookup if changed else intent.topic,
        to_read=to_read,
        as_of=as_of,
        where=where,
        period=period_of(resolved.query, as_of=as_of),
        undated=without_period(to_read, as_of=as_of),
        stays_with=resolved.article_ids,
        near=resolved.near,
        must_name=resolved.must_name,
        about=resolved.about,
        topics=_binding(resolved),
        intent=intent,
        corrections=corrections,
    )


def _binding(resolved: Resolved) -> tuple[str, ...]:
    """The topics that bind an answer: where the conversation has names, or an answer, what is asked about may be told
    of elsewhere under one of these."""
    topics = topics_in_front(resolved.query)
    unanswered = resolved.follows and not resolved.article_ids
    named = bool(resolved.about) or any(proper_names(topic) for topic in topics)
    return topics if unanswered or not named else ()


def _usable(text: str) -> str:
    folded = " ".join(_WIDE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text).split())
    if not any(character.isalnum() for character in folded):
        raise InvalidQuestion("the question has no words; ask in a sentence or a few key words")
    return folded


def where_of(filters: Filters, collection: str | None) -> Where:
    """The filters for the corpus, with valid dates in UTC. Raises InvalidQuestion for an invalid date."""
    after, before = (
        stamp(moment(text, field=f"filters.{name}")) if text else None
        for name, text in (("published_after", filters.published_after), ("published_before", filters.published_before))
    )
    return Where(
        collection=collection,
        sources=filters.source,
        sections=filters.section,
        languages=filters.language,
        authors=filters.author,
        article_ids=filters.article_ids,
        published_after=after,
        published_before=before,
    )
