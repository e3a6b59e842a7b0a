"""Starter questions: turns statements of articles into questions that these statements answer.

No model: a sentence of the form "X will be closed for 16 months" becomes "How long will X be closed?". Few sentences
have one of these forms (`statement_forms`); one that does not is left alone. Whether a question is really answered is
for the caller to try (`answers_well`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import msgspec

from embeddings.chunking.sentences import split_sentences
from embeddings.month_names import ENGLISH_WEEKDAYS
from embeddings.types import Article
from qa.conversations.statement_forms import LISTS, Turned, turned
from qa.language.question_words import (
    AUXILIARIES,
    FUNCTION_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    full_name,
    is_date_word,
    language_of,
    names,
)
from qa.language.words import stems, tokens
from qa.types import Answer

_SURE = 0.5
"""At this support two of three sample answers are right, and these questions use the article's own words."""
_SENTENCES = 30
"""What an article is about stands at its top, and its questions come first."""
_AN_ARTICLE = 3
"""Questions of one article."""
_TOPIC_CHARACTERS, _SHORTEST_TOPIC = 3_000, 4
_PLAIN = frozenset({"Who is", "How old"})
"""What is asked where nothing better is."""
_LONGEST_WORDS, _SHORTEST_WORDS = 14, 3
_OPENERS = frozenset("the a an its their his her our this that these those but and".split())
_VAGUE = frozenset(LISTS["vague"])
"""A question about "the man" is a question about anybody."""
_PEOPLE = frozenset(LISTS["people"])
"""With a word before it, one of these still stands for a name that the article gives elsewhere."""
_NATION = re.compile(r"[A-Z][a-z]+(?:ian|ean|ish|ese|can|van|ench|utch)")
_LEANING = frozenset(LISTS["leaning"]).union(map(str.lower, ENGLISH_WEEKDAYS))
"""Words that lean on the day of the article or on another clause, or that betray one."""
_FINITE = AUXILIARIES - {"be", "been", "being"}
"""A second one of these means a second clause, which does not survive being turned round."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and the article that should answer it with the words it was made without."""

    question: str
    article_id: str
    expected: str = ""
    """Words that the sentence quoted must have; white space as single spaces."""


def _latest_first(articles: Sequence[Article]) -> Sequence[Article]:
    """The latest first, those without a date last."""
    return sorted(articles, key=lambda article: (article.published_at or "", article.id), reverse=True)


def candidates(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions that these articles should answer: first one of each article, then a second of each, and so on.

    In each round the latest come first, kinds of question in turn; plain kinds come last.
    """
    rounds = zip_longest(*(_questions(article) for article in _latest_first(articles)))
    known = _Known()
    found: list[Candidate] = []
    for turn in rounds:
        found += _in_turn(one for one in turn if one is not None and known.adds(one))
    return sorted(found, key=is_plain)[:limit]


def latest_on(articles: Sequence[Article]) -> Sequence[Candidate]:
    """For each article, the latest first, the question for the newest about what it names most often: where no
    statement of it can be turned round, this still has an answer. Only for articles in its own language."""
    english = [article for article in _latest_first(articles) if _is_english(article)]
    topics = {article.id: topic for article in english if (topic := topic_of(article))}
    by_topic = {topic: name for name, topic in reversed(topics.items())}
    return [
        Candidate(question=f"What is the latest on {topic}?", article_id=name)
        for name, topic in topics.items()
        if by_topic[topic] == name
    ]


def _is_english(article: Article) -> bool:
    tag = article.language or language_of(article.text[:_TOPIC_CHARACTERS]) or "en"
    return tag.casefold().partition("-")[0] == "en"


def topic_of(article: Article) -> str:
    """The name that stands most often in it, at least twice; the first of several. Empty where there is none."""
    text = article.text[:_TOPIC_CHARACTERS]
    found = Counter(
        name.text for name in names(text) if "\n" not in name.text and not is_date_word(name.text.casefold())
    )
    told: Counter[str] = Counter()
    for name, times in found.items():
        whole = full_name(name, text=text)
        if len(whole) >= _SHORTEST_TOPIC and (" " in whole or _is_known_alone(whole, text)):
            told[whole] += times
    topic, times = max(told.items(), key=lambda item: item[1], default=("", 0))
    return topic if times > 1 else ""


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


def is_plain(made: Candidate) -> bool:
    """Whether a question is of a kind that is asked where nothing better is."""
    return _kind(made) in _PLAIN


def answers_well(candidate: Candidate, answer: Answer, *, among: Sequence[str] = ()) -> bool:
    """Whether a question may be offered: it is answered, surely, by the very words that it was made without.

    They may stand in any of the articles `among` which it was made, by id: copies of a story are answered from one.
    """
    if answer.answer_mode != "extractive" or answer.support_score < _SURE or not answer.citations:
        return False
    cited, expected = answer.citations[0], stems(candidate.expected)
    short = stems(answer.short_answer.text) if answer.short_answer else expected
    return (
        cited.article_id in {candidate.article_id, *among}
        and candidate.expected in " ".join(cited.cited_text.split())
        and len(expected & short) >= len(expected) / 2
    )


def _questions(article: Article) -> Iterator[Candidate]:
    """The questions that an article's sentences give, the best kinds first."""
    return iter(sorted(_turned(article), key=is_plain))


def _turned(article: Article) -> Iterator[Candidate]:
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        for found in turned(" ".join(article.text[start:end].split())):
            top = article.text[:_TOPIC_CHARACTERS]
            one = msgspec.structs.replace(found, subject=_named_whole(found.subject, top))
            if _stands_alone(one) and _begins_well(one.subject, article.text):
                subject = full_name(one.subject, text=top)
                whole = msgspec.structs.replace(one, subject=subject)
                if _stands_alone(whole) and _is_whole(subject, article.text):
                    yield Candidate(question=one.put(_lowered(subject)), article_id=article.id, expected=one.expected)


def _named_whole(subject: str, text: str) -> str:
    """ "The bridge" as the one name of a text that ends in that word gives it: "the Osprey Bridge"."""
    noun = subject.removeprefix("The ")
    if noun == subject or not noun.islower() or " " in noun:
        return subject
    whole = {one.text for one in names(text) if one.text.endswith(f" {noun.capitalize()}") and "\n" not in one.text}
    return f"The {whole.pop()}" if len(whole) == 1 else subject


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
        and not (FUNCTION_WORDS | _LEANING | {"across"}) & set(found.counted.split())
        and words.count("'s ") + words.count("’s ") <= 1
    )


def _vague(subject: str) -> bool:
    """Whether it is said by an article and a common noun alone."""
    low = subject.casefold().split()
    return bool(low) and (low[0] in _OPENERS or subject == low[0].title()) and len(low) <= 2 and low[-1] in _VAGUE


def _is_whole(subject: str, text: str) -> bool:
    """Whether readers who do not know the article know what is meant; "the singer", "the Velsk singer", "Choi" are for
    those who do."""
    words = subject.split()
    if not words or PREPOSITIONS & set(words):
        return True
    if words[0].lower() in _OPENERS:
        named = [word for word in words[1:] if word[:1].isupper() and not _NATION.fullmatch(word)]
        return bool(named) and words[-1] not in _PEOPLE
    return len(words) > 1 or _is_known_alone(subject, text)


def _is_known_alone(name: str, text: str) -> bool:
    """Whether a name of one word is that of a place or a body: a person was called by the whole name before."""
    word = re.escape(re.sub(r"['’]s?$", "", name))
    if name != name.title() or re.search(rf"[a-z]{{2}}['’]?s? of {word}\b|\b(?:in|at|across|near) {word}\b", text):
        return True
    person = re.search(rf"\b{word} [A-Z][a-z]|\b{word}\b[^.]{{0,80}}\b(?:he|she|his|her|him|who)\b", text)
    return person is None and re.search(rf"[A-Z][\w.’-]+ {word}\b|\b{word} (?:said|told|says)\b", text) is None


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
