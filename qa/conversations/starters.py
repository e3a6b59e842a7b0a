"""Takes articles, gives questions to begin with: their own statements turned round, so that they do answer them.

No model: a sentence of the form "X will be closed for 16 months" becomes "How long will X be closed?" (`turning`).
Whether a question is really answered is for the caller to try (`answers_well`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import zip_longest

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article
from qa.conversations.turning import Turned, turned
from qa.language.phrases import names
from qa.language.question_words import AUXILIARIES, PRONOUNS, tokens
from qa.language.words import words_of
from qa.types import Answer

__all__ = ["Candidate", "answers_well", "candidates", "latest_first", "latest_on"]

_SURE = 0.5
"""At this support two of three sample answers are right, and these questions use the article's own words."""
_SENTENCES = 12
"""What an article is about stands at its top."""
_LEAD = 600
"""Characters."""
_LONGEST_WORDS, _SHORTEST_WORDS = 14, 3
_OPENERS = frozenset("the a an its their his her our this that these those but and".split())
_VAGUE = frozenset(
    "man woman men women person people others officials police authorities sources study report survey move decision"
    " incident news announcement former new same other suspect victim victims some many most".split()
)
"""A question about "the man" is a question about anybody."""
_LEANING = frozenset(
    "also then meanwhile however too later earlier today yesterday tomorrow now ago here there last next"
    " recent recently current currently past monday tuesday wednesday thursday friday saturday sunday tonight"
    " says said say who which whose but because where when while after before".split()
)
"""Words that lean on the day of the article or on another clause, or that betray one."""
_FINITE = AUXILIARIES - {"be", "been", "being"}
"""A second one of these means a second clause, which does not survive being turned round."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and the article that should answer it with the words it was made without."""

    question: str
    article_id: str
    expected: str = ""
    """Words that the sentence quoted must have; white space as single spaces."""


def latest_first(articles: Sequence[Article]) -> Sequence[Article]:
    """The latest first, those without a date last."""
    return sorted(articles, key=lambda article: (article.published_at or "", article.id), reverse=True)


def candidates(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions that these articles should answer, one an article: the latest first, kinds of question in turn.

    None whose names were all asked about already.
    """
    kinds: dict[str, list[Candidate]] = {}
    seen: set[str] = set()
    for article in latest_first(articles):
        found = _best(article)
        named = {name.text for name in names(found.question)} if found else set()
        if found is None or named <= seen:
            continue
        seen |= named
        kinds.setdefault(" ".join(found.question.split()[:2]), []).append(found)
    turns = (one for row in zip_longest(*kinds.values()) for one in row if one is not None)
    return [one for one, _ in zip(turns, range(limit), strict=False)]


def latest_on(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions for the latest on whom and what these articles begin with: first what most of them name."""
    newest: dict[str, str] = {}
    told: Counter[str] = Counter()
    for article in latest_first(articles):
        for name in _subjects(article):
            newest.setdefault(name, article.id)
            told[name] += 1
    return [
        Candidate(question=f"What is the latest on {name}?", article_id=newest[name])
        for name, _ in told.most_common(limit)
    ]


def _subjects(article: Article) -> Collection[str]:
    """Names of several words in the lead that the title holds, too, or the text again.

    Of titles alone nothing is taken: in many every word is written large.
    """
    lead = names(article.text[:_LEAD])
    return {
        one.text for one in lead if " " in one.text and (one.text in article.title or article.text.count(one.text) > 1)
    }


def answers_well(candidate: Candidate, answer: Answer) -> bool:
    """Whether a question may be offered: it is answered, surely, by the very words that it was made without."""
    if answer.answer_mode != "extractive" or answer.support_score < _SURE or not answer.citations:
        return False
    cited, expected = answer.citations[0], {word.stem for word in words_of(candidate.expected)}
    short = {word.stem for word in words_of(answer.short_answer.text)} if answer.short_answer else expected
    return (
        cited.article_id == candidate.article_id
        and candidate.expected in " ".join(cited.cited_text.split())
        and len(expected & short) >= len(expected) / 2
    )


def _best(article: Article) -> Candidate | None:
    """The first question that an article's sentences give."""
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        for one in turned(" ".join(article.text[start:end].split())):
            if _stands_alone(one) and _begins_well(one.subject, article.text):
                return Candidate(question=one.put(_lowered(one.subject)), article_id=article.id, expected=one.expected)
    return None


def _stands_alone(found: Turned) -> bool:
    """Whether the words taken over name what they are about, and lean on nothing said before."""
    words = f"{found.subject} {found.rest}".strip()
    low = [token.low for token in tokens(words)]
    return (
        bool(names(f"of {words}"))
        and _SHORTEST_WORDS <= len(low) + found.named <= _LONGEST_WORDS
        and not (PRONOUNS | _LEANING) & set(low)
        and not _FINITE & set(low)
        and not _vague(found.subject)
        and words.count("'s ") + words.count("’s ") <= 1
    )


def _vague(subject: str) -> bool:
    """Whether it is said by an article and a common noun alone."""
    low = subject.casefold().split()
    return bool(low) and low[0] in _OPENERS and len(low) <= 2 and low[-1] in _VAGUE


def _begins_well(subject: str, text: str) -> bool:
    """Whether it is known how the first word is written within a sentence."""
    if not subject:
        return True
    word, *following = subject.split(maxsplit=2)
    first = word.removesuffix("'s").removesuffix("’s")
    named = first != word or (bool(following) and following[0][:1].isupper())
    known = named or first.casefold() in _OPENERS or first[:1].islower()
    return known or re.search(rf"[a-z,] {re.escape(first)}\b", text) is not None


def _lowered(subject: str) -> str:
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first.lower() in _OPENERS else subject
