"""Takes articles, gives questions to begin with: their own statements turned round, so that they do answer them.

No model: a sentence of the form "X will be closed for 16 months" becomes "How long will X be closed?" (`turning`).
Whether a question is really answered is for the caller to try (`answers_well`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article
from qa.conversations.turning import Turned, turned
from qa.language.phrases import names
from qa.language.question_words import AUXILIARIES, PRONOUNS, tokens
from qa.language.words import words_of
from qa.types import Answer

__all__ = ["Candidate", "answers_well", "candidates", "latest_first"]

_SURE = 0.5
"""At this support two of three sample answers are right, and these questions use the article's own words."""
_SENTENCES = 30
"""What an article is about stands at its top, and its questions come first."""
_AN_ARTICLE = 3
"""Questions of one article."""
_PLAIN = frozenset({"Who is", "How old"})
"""What is asked where nothing better is."""
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
    """Questions that these articles should answer: first one of each article, then a second of each, and so on.

    In each round the latest come first, kinds of question in turn; plain kinds come last.
    """
    rounds = zip_longest(*(_questions(article) for article in latest_first(articles)))
    known = _Known()
    found: list[Candidate] = []
    for turn in rounds:
        found += _in_turn(one for one in turn if one is not None and known.adds(one))
    return sorted(found, key=_plain)[:limit]


class _Known:
    """What was asked about already."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._questions: set[str] = set()
        self._by_article: defaultdict[str, list[Candidate]] = defaultdict(list)

    def adds(self, made: Candidate) -> bool:
        """Whether a question is about something further, or of its article another kind; if so, it is known now.

        Of two questions neither may give the other's answer away.
        """
        named = {name.text for name in names(made.question)}
        before = self._by_article[made.article_id]
        further = bool(named - self._names) or bool(before and all(_kind(one) != _kind(made) for one in before))
        telling = any(one.expected in made.question or made.expected in one.question for one in before)
        if len(before) == _AN_ARTICLE or not further or telling or made.question in self._questions:
            return False
        self._names |= named
        self._questions.add(made.question)
        before.append(made)
        return True


def _in_turn(made: Iterable[Candidate]) -> Iterator[Candidate]:
    kinds: dict[str, list[Candidate]] = {}
    for one in made:
        kinds.setdefault(_kind(one), []).append(one)
    return (one for row in zip_longest(*kinds.values()) for one in row if one is not None)


def _kind(made: Candidate) -> str:
    return " ".join(made.question.split()[:2])


def _plain(made: Candidate) -> bool:
    return _kind(made) in _PLAIN


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


def _questions(article: Article) -> Iterator[Candidate]:
    """The questions that an article's sentences give, the best kinds first."""
    return iter(sorted(_turned(article), key=_plain))


def _turned(article: Article) -> Iterator[Candidate]:
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        for one in turned(" ".join(article.text[start:end].split())):
            if _stands_alone(one) and _begins_well(one.subject, article.text):
                yield Candidate(question=one.put(_lowered(one.subject)), article_id=article.id, expected=one.expected)


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
