"""Takes recent articles, gives questions to begin with: their own statements turned round, so that they do answer them.

No model: a sentence of the form "X will be closed for 16 months" becomes "How long will X be closed?". Few sentences
have that form; one that does not is left alone. Whether a question is really answered is for the caller to try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from embeddings.sentences import split_sentences
from embeddings.types import Article
from qa.follow_ups.phrases import names
from qa.follow_ups.words import PRONOUNS, tokens
from qa.types import Answer

__all__ = ["Candidate", "answers_well", "candidates"]

_SURE = 0.5
"""At this support two of three sample answers are right, and these questions use the article's own words."""
_SENTENCES = 12
"""What an article is about stands at its top."""
_AUXILIARY = r"(?P<aux>will|was|were|has|have|is|are|had)"
_ABOUT = r"(?:(?:About|Around|Some|At least|More than|Nearly|Almost|Only|Up to) )?"
_NUMBER = r"\d[\d,.]*(?: (?:thousand|million|billion))?"
_CLAUSE = r"(?P<rest>[^,;:.()\"“”–—]{3,90}?)"
_LENGTH = rf"(?:{_NUMBER}|two|three|four|five|six|seven|eight|nine|ten) (?:hours|days|weeks|months|years)"
_DATE = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}"
    r"|(?:19|20)\d\d"
)
_SUBJECT = r"(?P<subject>[A-Z][^,;:.()\"“”–—]{3,60}?)"

_RULES = (
    (
        re.compile(rf"{_ABOUT}{_NUMBER} (?P<subject>[a-z][a-z -]{{2,40}}?) {_AUXILIARY} {_CLAUSE}[,.;]"),
        "How many {subject} {aux} {rest}?",
    ),
    (re.compile(rf"{_SUBJECT} {_AUXILIARY} {_CLAUSE} for {_LENGTH}\b"), "How long {aux} {subject} {rest}?"),
    (re.compile(rf"{_SUBJECT} {_AUXILIARY} {_CLAUSE} since (?:{_DATE})\b"), "Since when {aux} {subject} {rest}?"),
    (re.compile(rf"{_SUBJECT} {_AUXILIARY} {_CLAUSE} (?:on|from|in) (?:{_DATE})\b"), "When {aux} {subject} {rest}?"),
)
_LONGEST_WORDS = 14
_OPENERS = frozenset("the a an its their his her our this that these those but and".split())


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A question and the article that should answer it."""

    question: str
    article_id: str


def candidates(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions that these articles should answer, one an article, those of the latest articles first."""
    latest = sorted(articles, key=lambda article: (article.published_at or "", article.id), reverse=True)
    found: dict[str, Candidate] = {}
    for article in latest:
        question = next(_questions(article), None)
        if question is not None:
            found.setdefault(question, Candidate(question=question, article_id=article.id))
        if len(found) >= limit:
            break
    return list(found.values())


def answers_well(candidate: Candidate, answer: Answer) -> bool:
    """Whether a question may be offered: it is answered, surely, from the article that it was made of."""
    return (
        answer.answer_mode == "extractive"
        and answer.support_score >= _SURE
        and any(citation.article_id == candidate.article_id for citation in answer.citations[:1])
    )


def _questions(article: Article) -> Iterator[str]:
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        sentence = " ".join(article.text[start:end].split())
        for pattern, form in _RULES:
            match = pattern.match(sentence)
            if match and _stands_alone(match) and _begins_well(match["subject"], article.text):
                subject = match["subject"]
                yield form.format(aux=match["aux"], subject=_lowered(subject), rest=match["rest"])


def _stands_alone(match: re.Match[str]) -> bool:
    """Whether the words taken over name what they are about, and lean on nothing said before."""
    words = f"{match['subject']} {match['rest']}"
    low = [token.low for token in tokens(words)]
    named = names(f"of {words}")
    return bool(named) and len(low) <= _LONGEST_WORDS and not PRONOUNS & set(low)


def _begins_well(subject: str, text: str) -> bool:
    """Whether it is known how the first word is written within a sentence."""
    first = subject.split(maxsplit=1)[0].removesuffix("'s").removesuffix("’s")
    known = first.casefold() in _OPENERS or first[:1].islower() or first != subject.split(maxsplit=1)[0]
    return known or re.search(rf"[a-z,] {re.escape(first)}\b", text) is not None


def _lowered(subject: str) -> str:
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first.lower() in _OPENERS else subject
