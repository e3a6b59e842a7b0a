"""Completes a follow-up from the turns before it; a question that stands alone stays as it is.

By rules, closed word classes and the form of names decide. Precision comes before recall, since a wrong topic spoils
a good question, while a missed one leaves it no worse than it was. Where a model is set up, it rewrites the question,
if it keeps to the words that were said.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from itertools import pairwise

import msgspec

import prompts
from embeddings.corpus import Corpus, readable
from embeddings.runtime import Run
from qa.conversations.pronouns import SEVERAL, event_asked, places_of, someone, something, things
from qa.conversations.referents import SEPARATOR, completed, exchanged, is_short, new_name, person, place, topic
from qa.errors import GeneratorFailed
from qa.generators import Delta, Generator, Message
from qa.language.question_words import AUXILIARIES, FUNCTION_WORDS, PREPOSITIONS, PRONOUNS, WH_WORDS, names, topics
from qa.language.words import Token, stem_of, tokens
from qa.types import Turn

_PERSONAL = {"he": "", "she": "", "him": "", "his": "'s", "her": "", "hers": "'s"}
_THINGS = {"it": "", "its": "'s"}
_PLURAL = {"they": "", "them": "", "their": "'s", "theirs": "'s"}
_POINTING = frozenset("that this those these".split())
_POINTERS = frozenset({*_PERSONAL, *_THINGS, *_PLURAL, *_POINTING, "there"})
_TIMES = frozenset("week month year day night morning evening time season summer winter spring autumn weekend".split())
_OPENINGS = re.compile(r"^(?:and|but|so|also|ok|okay|then)\b[\s,]*", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|isn't|wasn't|be) it (?:\w+ )?(?:to|that|true|possible|likely|raining|snowing)\b"
    r"|\bit (?:takes?|took|costs?) .*\b(?:to|for)\b|\bit \w+ for\b|\bit (?:take|cost) to\b"
    r"|\bwhat time is it\b|\bit, the\b",
    re.IGNORECASE,
)
_EXISTENTIAL = re.compile(
    r"\b(?:is|are|was|were|will|be|been) there\b|\bthere (?:is|are|was|were|will)\b", re.IGNORECASE
)
_OWNING = frozenset("its their his her".split())
_JOINING = frozenset("that because when while if after before as said say says think thinks believe announced".split())
_MOST_BEFORE = 3
"""So many words of substance before a pronoun hold what it stands for, as a rule."""
_STARTS = (
    WH_WORDS
    | AUXILIARIES
    | PREPOSITIONS
    | frozenset("since until and but so about there tell please did what's who's where's how's the any".split())
)
_BARE = frozenset(
    "people person persons died dead killed injured hurt wounded missing happened happen won lost win lose second third"
    " started began ended cause cost kind day days year times".split()
)
"""What says nothing without a topic."""
_KNOWN = 0.99
"""This share of its words, as stems, stands in the turn or its articles where a question is about them."""
_LONGEST = 14
"""A longer question without any pronoun has enough words of its own."""
_LONGEST_CHARACTERS = 400
"""A longer question is no follow-up, and the search for names takes more time than its length grows."""
_EVENTS = frozenset("happen happened happening occur occurred".split())
"""What a thing or a person cannot do: a ferry does not happen."""
_FEMALE, _MALE = frozenset("she her hers".split()), frozenset("he him his".split())
_UNSOUND = ""
"""Instead of a rewritten question: it leans on the conversation, and no sound rewriting of it is known."""
_MOST_LOST = 0.5
"""A rewritten question keeps at least so many of the question's own words."""
_ARTICLES = 2
"""Cited articles of the last turn that are read."""
_ARTICLE_CHARACTERS = 20_000
_TURNS = 3
_ANSWER_CHARACTERS = 600
_TOKENS = 80
_SECONDS = 3.0
"""A model that is slower than this at one line is not waited for: rules answer at once."""
_LONGEST_REWRITTEN = 400


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """A question as its conversation completes it."""

    query: str
    """As it is shown: written out, or as it was asked where that cannot be done soundly."""
    lookup: str
    """What is searched for: `query`, with the words of the conversation where it was not written out."""
    article_ids: tuple[str, ...] = ()
    """Where it leans on the conversation: the articles of the last answer, in which to look first."""
    follows: bool = False
    """Whether it leans on the conversation."""
    reads: str | None = None
    """What is read for it, where that is not `query` without its topic."""
    near: bool = False
    """Whether the articles of the last answer are read before any other is looked for."""
    must_name: str | None = None
    """A name that an answer must tell of: that of "What about Tobruk?"."""
    about: tuple[str, ...] = ()
    """Names of the conversation, one of which another article must have to answer what is asked of this one."""


def resolve(question: str, turns: Sequence[Turn], *, background: str = "") -> str:
    """Make a follow-up stand alone, as `resolved` shows it."""
    return resolved(question, turns, background=background).query


def resolved(question: str, turns: Sequence[Turn], *, background: str = "") -> Resolved:
    """Complete a follow-up from the turns before it.

    `turns` are the earlier ones, oldest first; `background` is the text of the articles that the last one cited, which
    tells a question about them from one about something new.
    """
    turns = turns[-4:]
    asked = " ".join(question.split())
    if not turns or not asked or len(asked) > _LONGEST_CHARACTERS:
        return Resolved(query=question, lookup=question)
    ids, reads = turns[-1].article_ids, event_asked(asked, turns[-1])
    name = new_name(asked)
    found = None if reads else exchanged(asked, turns[-1]) or completed(asked, turns[-1])
    if found:
        return Resolved(query=found, lookup=found, article_ids=ids, follows=True, must_name=name)
    if not reads and not _says_more(asked):
        found = _pointed(asked, turns, background)
        if found is None:
            found = _elliptic(asked, turns, background)
    # "The ferry" of a rewriting without a name is that of the conversation, and every archive has others.
    near = not found or SEPARATOR in found or not names(found)
    about = _names_of(turns[-1]) if near and not name else ()
    if found:
        return Resolved(query=found, lookup=found, article_ids=ids, follows=True, near=near, about=about)
    if reads or found == _UNSOUND or is_short(asked):
        lookup = " ".join([asked, *_said(turns)])
        return Resolved(
            query=question,
            lookup=lookup,
            article_ids=ids,
            follows=True,
            reads=reads,
            near=True,
            must_name=name,
            about=about,
        )
    if _is_of_the_article(asked, background):
        return Resolved(query=question, lookup=question, article_ids=ids, follows=True, near=True, about=about)
    return Resolved(query=question, lookup=question)


def _names_of(turn: Turn) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.text for name in names(f"{turn.resolved_query} {turn.answer}")))


def _is_of_the_article(asked: str, background: str) -> bool:
    """Whether a question without a name asks of "the mayor" or "the line", of which the last answer's article tells."""
    words = tokens(asked)
    if names(asked) or len(words) > _LONGEST:
        return False
    definite = [after.low for the, after in pairwise(words) if the.low == "the" and not after.parted]
    nouns = [low for low in definite if low not in FUNCTION_WORDS]
    return bool(nouns) and _stems(nouns) <= _stems(token.low for token in tokens(background))


def _said(turns: Sequence[Turn]) -> Sequence[str]:
    """The words of a conversation that tell what it is about."""
    last = turns[-1]
    words = [topic(turns) or last.resolved_query, last.short_answer or person(turns) or ""]
    return list(dict.fromkeys(word for word in words if word))


def _pointed(asked: str, turns: Sequence[Turn], background: str) -> str | None:
    """Put in what a pronoun stands for; `_UNSOUND` where nobody knows."""
    words = tokens(asked)
    for at, word in enumerate(words):
        if word.low not in _POINTERS or _has_antecedent(asked, words, at):
            continue
        if word.low in _PERSONAL:
            whom = _whom(word, turns, background)
            said = f"{turns[-1].answer} {background}"
            return _replaced(asked, words, at, whom) if whom and _may_be(word, said) else _UNSOUND
        if word.low in _THINGS and not _EXPLETIVE.search(asked):
            what = something(turns[-1], places=_places(turns[-1], background))
            if what is None or any(other.low in _EVENTS for other in words):
                return _UNSOUND
            return _fronted(asked, turns) if what == SEVERAL else _replaced(asked, words, at, what)
        if word.low in _PLURAL:
            what = things(turns[-1])
            return _replaced(asked, words, at, what) if what else _fronted(asked, turns)
        if word.low == "there" and not _EXISTENTIAL.search(asked):
            where = place(turns)
            return f"{asked[: word.start]}in {where}{asked[word.end :]}" if where else _fronted(asked, turns)
        if word.low in _POINTING and _points(words, at):
            return _fronted(asked, turns)
    return None


def _whom(pronoun: Token, turns: Sequence[Turn], background: str) -> str | None:
    """Whom he or she is; where only its form says that a single word is a name, who is named as a person goes first."""
    places = _places(turns[-1], background)
    whom = person(turns, pronouns=_FEMALE if pronoun.low in _FEMALE else _MALE, never=places)
    if whom and (" " in whom or not background):
        return whom
    return someone(turns[-1], background, places=places) or whom


def _places(turn: Turn, background: str) -> frozenset[str]:
    return places_of(turn.resolved_query, turn.answer, background)


def _may_be(pronoun: Token, said: str) -> bool:
    """Whether what was said speaks of a woman where `she` is asked for, or of a man; where it says neither, it may."""
    spoken = {token.low for token in tokens(said)}
    same, other = (_FEMALE, _MALE) if pronoun.low in _FEMALE else (_MALE, _FEMALE)
    return bool(spoken & same) or not spoken & other


def _elliptic(asked: str, turns: Sequence[Turn], background: str) -> str | None:
    """Put the topic before a question that has none of its own."""
    words = tokens(asked)
    if names(asked) or len(words) > _LONGEST or not any(word.text.isascii() for word in words):
        return None
    content = [word.low for word in words if word.low not in FUNCTION_WORDS and not word.low.isdigit()]
    bare = _OPENINGS.match(asked) or all(word in _BARE for word in content)
    said = f"{turns[-1].resolved_query} {turns[-1].answer} {background}"
    known = _stems(content) & _stems(token.low for token in tokens(said))
    if bare or (content and len(known) >= _KNOWN * len(_stems(content))):
        return _fronted(asked, turns)
    return None


def _says_more(asked: str) -> bool:
    """Whether a question brings its own context: a sentence before it, or a statement to begin with."""
    words = tokens(_OPENINGS.sub("", asked))
    return not words or any(word.opens for word in words[1:]) or words[0].low not in _STARTS


def _has_antecedent(asked: str, words: Sequence[Token], at: int) -> bool:
    """Whether what a pronoun stands for comes before it in the question itself."""
    before = asked[: words[at].start]
    content = [word for word in words[:at] if word.low not in FUNCTION_WORDS]
    if len(content) > _MOST_BEFORE or any(name.end <= words[at].start for name in names(asked)):
        return True
    owns = words[at].low in _OWNING
    if (owns or words[at].low in _PLURAL) and topics(before):
        return True
    aux = next((i for i, word in enumerate(words[:at]) if word.low in AUXILIARIES), at)
    if words[0].low in {"which", "what"} and len([word for word in words[:aux] if word in content]) > 1:
        return True  # "Which airline said it would …?", "Which food chain is changing its …?"
    if owns and aux == at:
        return True  # "Who lowered its price?"
    joined = at > 0 and words[at - 1].low in _JOINING
    return joined and len(content) > 1


def _points(words: Sequence[Token], at: int) -> bool:
    """Whether `that` or `this` points back, rather than joining a clause or naming a time."""
    following = words[at + 1].low if at + 1 < len(words) else ""
    if following in _TIMES:
        return False
    if not following:
        return True
    return at > 0 and words[at - 1].low in AUXILIARIES | WH_WORDS


def _replaced(asked: str, words: Sequence[Token], at: int, what: str) -> str:
    word = words[at]
    following = words[at + 1] if at + 1 < len(words) and not words[at + 1].parted else None
    owns = word.low in {"his", "its", "hers", "their", "theirs"} or (
        word.low == "her" and following is not None and following.low not in FUNCTION_WORDS
    )
    name = what if not owns or what.endswith(("'s", "’s")) else f"{what}'s"
    return _stripped(f"{asked[: word.start]}{name}{asked[word.end :]}")


def _fronted(asked: str, turns: Sequence[Turn]) -> str | None:
    about = topic(turns)
    if about is None:
        return None
    rest = _stripped(asked)
    return f"{about}{SEPARATOR}{rest[:1].lower()}{rest[1:]}"


def _stripped(asked: str) -> str:
    rest = _OPENINGS.sub("", asked)
    return rest[:1].upper() + rest[1:]


def may_depend(question: str) -> bool:
    """Whether a question holds a pronoun or no name at all.

    >>> may_depend("Who is his lawyer?"), may_depend("How many people live in Derna?")
    (True, False)
    """
    return any(token.low in PRONOUNS for token in tokens(question)) or not names(question)


def adds_facts(rewritten: str, question: str, turns: Sequence[Turn]) -> bool:
    """Whether a rewritten question holds a name, a number or much else that nobody said, or drops the question.

    A model must not smuggle anything into what is looked up.
    """
    said = " ".join([question, *(f"{turn.question} {turn.resolved_query} {turn.answer}" for turn in turns)])
    known = _stems(token.low for token in tokens(said))
    new = [t for t in tokens(rewritten) if t.low not in FUNCTION_WORDS and not _stems([t.low]) <= known]
    if any(t.text[:1].isupper() or any(c.isdigit() for c in t.text) for t in new) or len(new) > 1:
        return True
    if {token.low for token in tokens(question)} & WH_WORDS - {token.low for token in tokens(rewritten)}:
        return True
    own = _stems(token.low for token in tokens(question) if token.low not in FUNCTION_WORDS)
    kept = own & _stems(token.low for token in tokens(rewritten))
    return len(kept) < _MOST_LOST * len(own)


def _stems(words: Iterable[str]) -> set[str]:
    return {stem_of(word) for word in words}


class FollowUps:
    """Makes follow-ups stand alone; used from the event loop."""

    def __init__(self, corpus: Corpus, *, generator: Generator | None = None, seconds: float = _SECONDS) -> None:
        self._corpus = corpus
        self._generator = generator
        self._seconds = seconds

    async def __call__(self, question: str, /, *, history: Sequence[Turn], by_model: bool, run: Run) -> Resolved:
        """Give the question as it is looked up; unchanged where it stands alone."""
        by_rules = await run(lambda: resolved(question, history, background=self._background(history)))
        if self._generator is None or not by_model or not (by_rules.follows or may_depend(question)):
            return by_rules
        written = await _rewrite(question, history, generator=self._generator, seconds=self._seconds)
        if written is None:
            return by_rules
        follows = by_rules.follows or written != question
        ids = history[-1].article_ids if history and follows else ()
        name = by_rules.must_name
        return Resolved(query=written, lookup=written, article_ids=ids, follows=follows, must_name=name)

    def _background(self, history: Sequence[Turn]) -> str:
        texts = []
        for article_id in history[-1].article_ids[:_ARTICLES] if history else ():
            article = readable(self._corpus, article_id)
            if article is not None:
                texts.append(f"{article.title}\n{article.text[:_ARTICLE_CHARACTERS]}")
        return "\n".join(texts)


async def _rewrite(question: str, turns: Sequence[Turn], *, generator: Generator, seconds: float) -> str | None:
    """Let a model write the question out; None where it fails, is too slow, or says what nobody has said.

    What it writes may hold no name and no number that stands in no turn, must be one line, and must keep to the
    question; see `qa.conversations.follow_ups.adds_facts`.
    """
    recent = turns[-_TURNS:]
    messages = [
        Message(role="system", content=prompts.load("rewrite_question_system").render()),
        Message(
            role="user",
            content=prompts.load("rewrite_question_user").render(conversation=_conversation(recent), question=question),
        ),
    ]
    try:
        async with asyncio.timeout(seconds):
            draft = await _draft(messages, generator=generator, seconds=seconds)
    except (TimeoutError, GeneratorFailed):
        return None
    lines = [line.strip().strip('"“”') for line in draft.splitlines() if line.strip()]
    if len(lines) != 1 or not 0 < len(lines[0]) <= _LONGEST_REWRITTEN or adds_facts(lines[0], question, recent):
        return None
    return " ".join(lines[0].split())


async def _draft(messages: Sequence[Message], *, generator: Generator, seconds: float) -> str:
    text = ""
    deadline = asyncio.get_running_loop().time() + seconds
    async with aclosing(generator.stream(messages, max_tokens=_TOKENS, deadline=deadline)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Delta):
                text += piece.text
                if len(text) > 2 * _LONGEST_REWRITTEN:
                    break
    return text


def _conversation(turns: Sequence[Turn]) -> str:
    return "\n".join(f"Question: {turn.resolved_query}\nAnswer: {turn.answer[:_ANSWER_CHARACTERS]}" for turn in turns)
