"""Related questions: for one that nothing answers, and about the articles that somebody reads.

Beside an unanswered question: the same question at any time, what happened to the things it names, similar statements.
No model makes them, and they have few forms. The caller must try whether one is really answered (`answers_related`).
The same question about another place ("the capital of Teshkol?") reads well, but got wrong answers.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.runtime import compiled_late
from embeddings.types import Article
from qa.conversations.starters import Candidate, answers_well, candidates, is_plain, topic_of
from qa.language.question_words import TITLES, Name, full_name, language_of, names
from qa.language.time_expressions import period_of, without_period
from qa.language.words import matter
from qa.types import Answer

_Kind = Literal["person", "place", "thing"]
_Sign = _Kind | Literal["the"]
_READ_CHARACTERS = 3_000
"""What an article is about stands at its top."""
_SHORTEST, _BEFORE = 4, 16
_ALIKE = 2
"""Content words that a statement shares with the question."""
_IN_PLACE = re.compile(r"\b(?:[Ii]n|near|around|off|(?:town|city|village|district|island) of) $")
"""What stands before the name of a place."""
_THING = re.compile(r"\bthe ([a-z]{4,})\b")
_DEMONYM = re.compile(r"[A-Z][a-z]+(?:ian|ean|ish|ese|ench|utch|i)")


class RelatedQuestion(msgspec.Struct, frozen=True, kw_only=True):
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


def related_questions(
    asked: str, articles: Sequence[Article], turned: Sequence[Candidate]
) -> Sequence[RelatedQuestion]:
    """Questions near one that was asked, the nearest first; `articles` come in the order in which they were found.

    `turned` are statements of these articles that were turned round.
    """
    if not articles or language_of(asked) not in {"en", None}:
        return ()
    known = _known(articles)
    mine = [(name, _whole(name.text, known)) for name in names(asked)]
    told = [whole for _, whole in mine if whole in known]
    stories = {one.id for one in articles if any(_last(whole) in one.title for whole in told)}
    shared = {one.question: len(matter(asked) & matter(one.question)) for one in turned}
    usable = [one for one in turned if not _of_nobody(one, told)]
    close = sorted((one for one in usable if shared[one.question] >= _ALIKE), key=lambda one: -shared[one.question])
    plain = [one for one in usable if is_plain(one) and one in close]
    found = (
        *_at_any_time(asked, articles, told),
        *(RelatedQuestion(made=one) for one in close if one not in plain),
        *(one for name, whole in mine if whole in known and (one := _what_happened(name, whole, known[whole]))),
        *(RelatedQuestion(made=one) for one in (*plain, *usable) if one in plain or one.article_id in stories),
        *_of_things(asked, articles),
    )
    first = {one.made.question: one for one in reversed(found)}
    return [first[question] for question in dict.fromkeys(one.made.question for one in found) if question != asked]


def answers_related(kin: RelatedQuestion, answer: Answer, *, among: Sequence[str]) -> bool:
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


def _last(name: str) -> str:
    return name.rpartition(" ")[2]


def _of_nobody(made: Candidate, told: Sequence[str]) -> bool:
    """Whether it asks about somebody who was not asked about."""
    about_people = is_plain(made) or made.question.startswith("What did ")
    return about_people and not any(_last(whole) in made.question for whole in told)


def _at_any_time(asked: str, articles: Sequence[Article], told: Sequence[str]) -> Iterator[RelatedQuestion]:
    now = datetime.now(UTC)
    rest = without_period(asked, as_of=now)
    if period_of(asked, as_of=now) and told:
        yield RelatedQuestion(made=Candidate(question=rest, article_id=articles[0].id), named=told[0])


def _what_happened(name: Name, whole: str, about: _Known) -> RelatedQuestion | None:
    """Of somebody, or of a body without an article, is asked what they did; of a thing, what happened to it; of a
    single word that may be either, nothing."""
    said = name.text if " " in name.text else whole
    if about.kind == "place" or (name.placed and about.kind == "thing"):
        return RelatedQuestion(
            made=Candidate(question=f"What happened in {said}?", article_id=about.article_id), named=whole
        )
    if about.has_article:
        return RelatedQuestion(
            made=Candidate(question=f"What happened to the {said}?", article_id=about.article_id), named=whole
        )
    if " " not in whole and about.kind != "person":
        return None
    made = Candidate(question=f"What did {said} do?", article_id=about.article_id)
    return RelatedQuestion(made=made, named=_last(whole), is_person=True)


def _of_things(asked: str, articles: Sequence[Article]) -> Iterator[RelatedQuestion]:
    """Things that are asked about without a name, where a headline is about them: "the comet"."""
    for noun in dict.fromkeys(_THING.findall(asked)):
        about = next((one for one in articles if noun in one.title.casefold().split()), None)
        if about is not None and noun not in TITLES:
            made = Candidate(question=f"What happened to the {noun}?", article_id=about.id)
            yield RelatedQuestion(made=made, named=noun)


# --- Questions for somebody who reads an article: its statements, and what its people said
_SENTENCES = 30
"""What an article is about stands at its top."""
_AN_ARTICLE = 3
"""Questions that one article gives to begin with."""
_PERSON = r"(?:[A-Z][\w'’.-]* ){1,3}[A-Z][\w'’-]+"
_SAID = r"(?:also |has )?(?:said|says|told|added|warned)"
_SPEAKER = compiled_late(
    rf"\b(?:said|says) (?:[a-z-]+ ){{0,4}}(?P<after>{_PERSON})(?=[,.;])"
    rf"|\b(?P<before>{_PERSON})(?:, [^,.;“”\"]{{3,80}},)? {_SAID}\b"
)
"""Who said something; what stands around it says the same in the sentence that quotes them."""
_THE_BEFORE = re.compile(r"\bthe $", re.IGNORECASE)
_CAPITAL_BEFORE = re.compile(r"[A-Z][\w'’.-]*,? (?:(?:and|of|for|de|du|von|van|der|&) )*$")
_BODY = compiled_late(
    r"^(?:But|And|If|As|While|When|So|Yet|Still|Last|This|That|JUST|MUST)\b|(?-i:\b[A-Z]{2,}$)"
    r"|\b(?:Minister|Secretary|Commission|Commissioner|Ministry|Department|Office|Bureau|Agency|Authority|Association"
    r"|Federation|Union|Council|Committee|Court|Police|Bank|Institute|University|Society|League|Board|Service|Statistics"
    r"|Soccer|Football|Hockey|Democrat|Republican|Democrats|Republicans|Reserve|Force|Forces|Guard|Group|Center|Centre)$"
)
"""The name of a body without its article, an office without a name, or the first word of a sentence before a name."""
_NAMED_WHOLE = r"(?=[,.;:”\"]|$| (?:is|are|was|were|will|has|had|and|or|in|on|at|for|to|from|with|after|before)\b)"
_SPEAKERS = 3
"""People of one article whose words are asked for."""


def follow_ons(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions for somebody who reads these articles: all of the first, then of the next, plain ones last of each.

    Who is quoted in an article is asked for their words. Nobody comes upon that question who does not read the article.
    """
    found: dict[str, Candidate] = {}
    for article in articles:
        for one in sorted((*candidates([article], limit=_AN_ARTICLE), *_said_in(article)), key=_plainness):
            found.setdefault(one.question, one)
    return list(found.values())[:limit]


def _plainness(one: Candidate) -> tuple[bool, bool]:
    """What somebody said about something comes before what they said at all."""
    return is_plain(one), one.question.endswith(" say?")


def _said_in(article: Article) -> Iterator[Candidate]:
    topic = topic_of(article)
    speakers: dict[str, tuple[str, str]] = {}
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        sentence = " ".join(article.text[start:end].split())
        known = {name.text for name in names(sentence)}
        for told in _SPEAKER.finditer(sentence):
            group = "after" if told["after"] else "before"
            speaker, lead = told[group], sentence[: told.start(group)]
            # "Puerto Rico Gov. Pedro Pierluisi": a name that begins before is not known whole.
            if not _CAPITAL_BEFORE.search(lead) and any(name in speaker or speaker in name for name in known):
                told_of_whom = f"the {speaker}" if _THE_BEFORE.search(lead) else speaker
                whom = re.sub(r"^The ", "the ", told_of_whom)
                if whom.startswith("the ") or not _BODY.search(whom):
                    about = "" if topic in speaker or speaker in topic else _about(topic, sentence)
                    speakers.setdefault(whom, (about, told[0]))
    for speaker, (about, told_of) in list(speakers.items())[:_SPEAKERS]:
        yield Candidate(question=f"What did {speaker} say{about}?", article_id=article.id, expected=told_of)


def _about(topic: str, sentence: str) -> str:
    """ " about the Raven Bridge", where a sentence names that, and not as part of something else; else nothing."""
    found = re.search(rf"(?P<the>\b[Tt]he )?\b{re.escape(topic)}{_NAMED_WHOLE}", sentence) if topic else None
    return f" about {'the ' if found['the'] else ''}{topic}" if found else ""
