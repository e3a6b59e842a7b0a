"""Questions near one that nothing answers: the same at any time, what happened to what it names, statements like it.

No model, and few forms, as people word them. Whether one is really answered is for the caller to try (`answers_near`).
To ask the same of another place ("the capital of Teshkol?") reads well, and got wrong answers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from embeddings.types import Article
from qa.conversations.starters import Candidate, answers_well, is_plain
from qa.language.question_words import TITLES, Name, full_name, language_of, names
from qa.language.time_expressions import period_of, without_period
from qa.language.words import matter
from qa.types import Answer

__all__ = ["Kin", "answers_near", "nearby"]

_Kind = Literal["person", "place", "thing"]
_Sign = _Kind | Literal["the"]
_READ_CHARACTERS = 3_000
"""What an article is about stands at its top."""
_SHORTEST, _BEFORE = 4, 16
_ALIKE = 2
"""Words of matter that a statement shares with the question."""
_IN_PLACE = re.compile(r"\b(?:[Ii]n|near|around|off|(?:town|city|village|district|island) of) $")
"""What stands before the name of a place."""
_THING = re.compile(r"\bthe ([a-z]{4,})\b")
_DEMONYM = re.compile(r"[A-Z][a-z]+(?:ian|ean|ish|ese|ench|utch|i)")


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """A question near another one."""

    made: Candidate
    named: str = ""
    """What the sentence that answers it has to have; empty: its statement is known."""
    is_person: bool = False
    """Whether that is somebody, whom the sentence has to name first."""


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """A name of the articles."""

    kind: _Kind
    article_id: str
    """The first article that has it."""
    has_article: bool
    """Whether "the" stands before it."""


def nearby(asked: str, articles: Sequence[Article], turned: Sequence[Candidate]) -> Sequence[Kin]:
    """Questions near one that was asked, the nearest first; `articles` come in the order in which they were found.

    `turned` are statements of these articles that were turned round.
    """
    if not articles or language_of(asked) not in {"en", None}:
        return ()
    known = _known(articles)
    mine = [(name, _whole(name.text, known)) for name in names(asked)]
    told = [whole for _, whole in mine if whole in known]
    stories = {one.id for one in articles if any(_is_about(one, whole) for whole in told)}
    shared = {one.question: len(matter(asked) & matter(one.question)) for one in turned}
    usable = [one for one in turned if not _of_nobody(one, told)]
    close = sorted((one for one in usable if shared[one.question] >= _ALIKE), key=lambda one: -shared[one.question])
    plain = [one for one in usable if is_plain(one) and one in close]
    found = (
        *_at_any_time(asked, articles, told),
        *(Kin(made=one) for one in close if one not in plain),
        *(one for name, whole in mine if whole in known and (one := _what_happened(name, whole, known[whole]))),
        *(Kin(made=one) for one in (*plain, *usable) if one in plain or one.article_id in stories),
        *_of_things(asked, articles),
    )
    first = {one.made.question: one for one in reversed(found)}
    return [first[question] for question in dict.fromkeys(one.made.question for one in found) if question != asked]


def answers_near(kin: Kin, answer: Answer, *, among: Sequence[str]) -> bool:
    """Whether it may be offered: it is answered, surely, by a sentence about what it names, of an article `among` which
    it was made."""
    if not answers_well(kin.made, answer, among=among):
        return False
    said = answer.citations[0].cited_text
    place = said.casefold().find(kin.named.casefold())
    # What somebody did stands behind their name: "Lindqvist has beaten Vance" says nothing of what Vance did.
    return place >= 0 and (not kin.is_person or all(one.end >= place for one in names(said)))


def _known(articles: Sequence[Article]) -> Mapping[str, _Known]:
    """The names of articles by what they seem to name.

    Headlines say nothing: many write every word of theirs large.
    """
    signs: defaultdict[str, Counter[_Sign]] = defaultdict(Counter)
    first: dict[str, str] = {}
    for article in articles:
        text = article.text[:_READ_CHARACTERS]
        for one in names(text):
            whole = full_name(one.text, text=text)
            if "\n" not in whole and len(whole) >= _SHORTEST and not _DEMONYM.fullmatch(whole):
                first.setdefault(whole, article.id)
                signs[whole].update(_signs(text[max(0, one.start - _BEFORE) : one.start], text[one.end :][:1], one))
    return {
        whole: _Known(kind=_kind_of(told), article_id=first[whole], has_article=3 * told["the"] > told.total())
        for whole, told in signs.items()
    }


def _signs(before: str, after: str, name: Name) -> Iterator[_Sign]:
    yield "person" if name.person else "place" if _IN_PLACE.search(before) else "thing"
    # "the Veldany city": a single word may only say of what kind the next one is.
    if before[-4:].casefold() == "the " and (" " in name.text or not after.isspace()):
        yield "the"


def _kind_of(told: Counter[_Sign]) -> _Kind:
    if told["person"] > told["place"]:
        return "person"
    return "place" if told["place"] > told["the"] else "thing"


def _whole(name: str, known: Mapping[str, _Known]) -> str:
    """A name as the articles have it: "Lindqvist" and "Judge Fielding" by the name that is known."""
    alike = (one for one, about in known.items() if _last(one) == _last(name) and about.kind == "person")
    return name if name in known else next(alike, name)


def _is_about(article: Article, name: str) -> bool:
    return _last(name) in article.title


def _last(name: str) -> str:
    return name.rpartition(" ")[2]


def _of_nobody(made: Candidate, told: Sequence[str]) -> bool:
    """Whether it asks about somebody who was not asked about."""
    about_people = is_plain(made) or made.question.startswith("What did ")
    return about_people and not any(_last(whole) in made.question for whole in told)


def _at_any_time(asked: str, articles: Sequence[Article], told: Sequence[str]) -> Iterator[Kin]:
    now = datetime.now(UTC)
    rest = without_period(asked, as_of=now)
    if period_of(asked, as_of=now) and told:
        yield Kin(made=Candidate(question=rest, article_id=articles[0].id), named=told[0])


def _what_happened(name: Name, whole: str, about: _Known) -> Kin | None:
    """Of somebody, or of a body without an article, is asked what they did; of a thing, what happened to it; of a
    single word that may be either, nothing."""
    said = name.text if " " in name.text else whole
    if about.kind == "place" or (name.placed and about.kind == "thing"):
        return Kin(made=Candidate(question=f"What happened in {said}?", article_id=about.article_id), named=whole)
    if about.has_article:
        return Kin(made=Candidate(question=f"What happened to the {said}?", article_id=about.article_id), named=whole)
    if " " not in whole and about.kind != "person":
        return None
    made = Candidate(question=f"What did {said} do?", article_id=about.article_id)
    return Kin(made=made, named=_last(whole), is_person=True)


def _of_things(asked: str, articles: Sequence[Article]) -> Iterator[Kin]:
    """Things that are asked about without a name, where a headline is about them: "the comet"."""
    for noun in dict.fromkeys(_THING.findall(asked)):
        about = next((one for one in articles if noun in one.title.casefold().split()), None)
        if about is not None and noun not in TITLES:
            made = Candidate(question=f"What happened to the {noun}?", article_id=about.id)
            yield Kin(made=made, named=noun)
