"""Filters sentences about somebody else: with other names, or with the roles exchanged.

Roles are compared only in plain sentences; others are left alone.
"""

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

import msgspec
from rapidfuzz.fuzz import ratio

from qa.language.question_words import PRONOUNS, TITLES, language_of, names
from qa.language.words import Word, families, matter, negated, stems, words_of
from qa.reading import Calibration
from qa.reading.sentence_ranking import Reading, ReadSentence, no_surer
from qa.types import Evidence

_WORD = re.compile(r"[\w-]{2,}")
_ONE_NAME = 70.0
"""From this similarity on, two names may be spellings of one."""
_ONE_SHORT_NAME = 80.0
"""The same for a single word: Harris is not Paris."""
_SHARED_FIRST = frozenset(
    "New North South East West Northern Southern Eastern Western Great United San Santa Saint St Los Las Port Fort Lake"
    " Mount Cape Upper Lower Old Big National Royal Supreme Prime White House Third Second First Super World American"
    " British Central".split()
)
"""The first words of many names of places and bodies."""
_STEM = 4
"""How many letters a name shares with words made from it: Britain, British."""


def naming(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without sentences that lack these names, also in the sentence before and in the title.

    What shops in Velda have to do is no answer to "What about Kelmar?".
    """

    def told(one: ReadSentence) -> str:
        return f"{evidence[one.sentence.evidence].stored.title} {one.sentence.before} {one.sentence.text}"

    parts = _parts(known_as)
    return _kept(reading, lambda one: _says(parts, told(one)), calibration)


def from_articles_with(
    known_as: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles whose passages found have none of these names."""
    parts = _parts(known_as)
    telling = {article for article, text in _texts(evidence).items() if _says(parts, text)}
    return _kept(reading, lambda one: _article(one, evidence) in telling, calibration)


def from_articles_about(
    topics: Sequence[str], reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles whose passages found have not all words of one of these topics, or what means the
    same: how many were hurt on the ferry is no answer to "the tram: how many were hurt?"."""
    asked = [matter(topic) for topic in topics]
    telling = {article for article, text in _texts(evidence).items() if any(_tells_of(one, text) for one in asked)}
    return _kept(reading, lambda one: _article(one, evidence) in telling, calibration) if asked else reading


def _tells_of(words: Collection[str], text: str) -> bool:
    said = stems(text)
    meant = {number for stem in said for number in families().get(stem, ())}
    return all(word in said or not meant.isdisjoint(families().get(word, ())) for word in words)


def of_what_is_named(
    question: str, reading: Reading, evidence: Sequence[Evidence], *, calibration: Calibration
) -> Reading:
    """The reading without articles whose passages found lack a name of the question.

    An article without Ana Roe does not know how many goals she scored. A single word may be a name for what an article
    calls otherwise; but if nothing found has it, nothing tells of it: no article without Peru names its capital.
    """
    if language_of(question) not in {None, "en"}:
        return reading
    texts = _texts(evidence)
    if _is_unheard_of(question, texts.values()):
        return _kept(reading, lambda _: False, calibration)
    longer = [(name.text, words) for name in names(question) if len(words := _capitals(name.text)) > 1]
    foreign = {article for article, text in texts.items() if longer and _lacks(longer, text)}
    return _kept(reading, lambda one: _article(one, evidence) not in foreign, calibration)


def _is_spelled(name: str, said: Collection[str]) -> bool:
    """Whether one of these words is the name, or may be another spelling of it."""
    return any(ratio(name, word) >= _ONE_NAME for word in said)


def _kept(reading: Reading, holds: Callable[[ReadSentence], bool], calibration: Calibration) -> Reading:
    kept = [one for one in reading.sentences if holds(one)]
    if len(kept) == len(reading.sentences):
        return reading
    sure = no_surer(reading, kept, calibration=calibration)
    return msgspec.structs.replace(reading, sentences=tuple(kept), probability=sure)


def _texts(evidence: Sequence[Evidence]) -> dict[str, str]:
    """The title and all text found of each article."""
    texts: dict[str, str] = {}
    for item in evidence:
        passage = item.stored.passage
        texts[passage.article_id] = f"{texts.get(passage.article_id, item.stored.title)}\n{passage.text}"
    return texts


def _article(one: ReadSentence, evidence: Sequence[Evidence]) -> str:
    return evidence[one.sentence.evidence].stored.passage.article_id


def _parts(known_as: Sequence[str]) -> set[str]:
    return {word.casefold() for name in known_as for word in _WORD.findall(name) if word[0].isupper()}


def _says(parts: Collection[str], text: str) -> bool:
    return not parts or any(word.casefold() in parts for word in _WORD.findall(text))


def _capitals(name: str) -> list[str]:
    return [word for word in re.findall(r"[\w-]{3,}", name) if word[0].isupper()]


def _lacks(longer: Sequence[tuple[str, list[str]]], text: str) -> bool:
    """Whether a text lacks one of these names of several words: it has none of its words, nor its initials."""
    folded = text.casefold()
    initials = set(re.findall(r"\b[A-Z]{2,6}\b", text.replace(".", "")))
    for name, words in longer:
        if "".join(word[0] for word in name.split() if word[0].isupper()) in initials:
            continue
        held = any(word.casefold()[:_STEM] in folded for word in words)
        if held and len(words) == 2 and words[0] not in _SHARED_FIRST and words[1].casefold()[:_STEM] not in folded:
            behind = set(re.findall(rf"\b{re.escape(words[0])} ([A-Z]\w{{2,}})", text))
            held = not behind or _is_spelled(words[1], behind)  # otherwise a namesake
        if not held:
            return True
    return False


def _is_unheard_of(question: str, texts: Collection[str]) -> bool:
    """Whether a one-word name of the question stands in none of the texts, in no other form or spelling."""
    alone = [name.text for name in names(question) if re.fullmatch(r"[A-Z][a-z-]{3,}", name.text)]
    if not alone:
        return False
    said = set(re.findall(r"\b[A-Z]\w{3,}", "\n".join(texts)))
    return any(not any(_is_form_of(name, word) for word in said) for name in alone)


def _is_form_of(name: str, word: str) -> bool:
    return word.casefold().startswith(name.casefold()[:_STEM]) or ratio(name, word) >= _ONE_SHORT_NAME


def of_a_namesake(question: str, sentence: str) -> bool:
    """Whether it is about Karl Brandt, or Otto Lund, when the question is about Otto Brandt."""
    asked = [name.text.split() for name in names(question) if " " in name.text]
    told = [name.text.split() for name in names(sentence)] if asked else []
    said = {word for name in told for word in name}
    for first, *middle, last in asked:
        if first.casefold() in TITLES:
            continue
        if last not in said:
            shared = first not in _SHARED_FIRST and any(name[0] == first and len(name) == 2 for name in told)
            if shared and not middle and not _is_spelled(last, said):
                return True
            continue
        if _is_spelled(first, said):
            continue
        others = [name[-2] for name in told if len(name) > 1 and name[-1] == last]
        alone = any(name == [last] for name in told) or re.search(
            rf"(?:^|[^\w ] |\b[a-z]+ ){re.escape(last)}\b", sentence
        )
        if others and not alone and all(one.casefold() not in TITLES and not one.isupper() for one in others):
            return True
    return False


# --- Who does what to whom
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\b(?: \w+){0,3} by\b", re.IGNORECASE)
_DID = re.compile(r"\b(?:did|does|do|will|would|has|have|had|is|are|was|were)\b")
_WHERE = re.compile(r"\b(?:in|at|on|during|near)\b")
_ASKS_WHO = re.compile(
    r"(?:who|which [a-z]+(?: [a-z]+)?) (?!(?:do|does|did|will|would|has|have|had|can|could|is|are|was|were|be) )"
    r"(?P<verb>[a-z]+) (?=[A-Z])",
    re.IGNORECASE,
)
_ASKS_WHOM = re.compile(
    r"(?:who|whom|(?:which|what|how (?:many|much)) [a-z]+(?: [a-z]+)?) (?:did|does|do|will|would|has|have|had) ",
    re.IGNORECASE,
)
_DOER = re.compile(r"(?P<name>[A-Z][\w’'.-]+)(?: (?:has|have|had|will|would|also|later|then|[a-z]+ly))* $")
"""A name right before a verb: the agent."""
_OBJECT = re.compile(r" (?P<name>[A-Z][\w’'.-]+)")
"""A name right after a verb: the object."""
_PAYS = frozenset(word.stem for word in words_of("pay pays paid offer offers offered bid bids"))
"""Whoever pays for a company buys it."""
_NO_OBJECT = re.compile(r" (?:by|to|in|for|from|at|on|with)\b")
_NOT_THE_OBJECT = re.compile(r"[;:]|\b(?:by|with|for|from|to|in|at|on|that|who|which|when|after|before|and|but|said)\b")
"""Between a verb and a name, these mean that the name is not its object."""
_MUTUAL = frozenset(
    word.stem
    for word in words_of(
        "marry married marries wed meet met face faced faces play played plays"
        " fight fought date dated divorce divorced join joined border borders resemble"
    )
)
"""Verbs that work in both directions."""
_BEAT = frozenset(word.stem for word in words_of("beat beats beaten defeat defeated"))
_BY = re.compile(r"\b(?P<verb>[a-z]+(?:ed|en|wn|de|ld|ght)) by (?:(?:the|a|an|former) )*$")
_WHO_DID = re.compile(r"who (?:has |had |have |also )?(?P<verb>[a-z]+)\b", re.IGNORECASE)
_WHO_DOES = re.compile(r"whom? (?!is\b|was\b|are\b|were\b)(?!.*\bor\b)", re.IGNORECASE)
_DID_SOMETHING = re.compile(
    r"(?:why|how|when|where|(?:what|which|how (?:much|many))(?: [a-z]+){0,2}) (?:did|does|do|has|have|will|would) "
    r"(?:(?:the )?(?-i:(?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*))|the (?-i:(?P<noun>[a-z-]+(?: [a-z-]+)??)))"
    r" (?P<verb>[a-z]+) (?:the )?(?=[\w’'\"“])",
    re.IGNORECASE,
)
_OF_A_KIND = (  # "the streaming firm Lumo", "conductor Ines Brack"
    r"(?:(?:the|an?|its|his|her|their) (?:[a-z-]+ ){0,3}"
    r"|(?!(?:for|to|in|on|at|with|by|from|of|about|over|against|after|before|and|or|than|that|as)\b)[a-z-]+ )?"
)
_BEHIND_A_NOUN = (
    r"(?=\W*$|[,;:.]| (?:of|for|over|in|on|at|to|that|because|and|but|after|before|with|from|by|as|who|which)\b)"
)
"""A noun that ends here: the board, not the board's seat."""
_DONE = re.compile(
    r"(?:when|where|who|whom|(?:which|what|how (?:many|much)) [a-z]+) (?:did|does|do|has|have|had|was|were|is|are)\b"
    r".*?\b(?P<verb>[a-z]+)(?: (?:in|on|at|to|from|for|of|with|by|about)\b.*)?\?*$",
    re.IGNORECASE,
)
"""The last verb of a question, before its place, time or company."""
_NOT_BEFORE = re.compile(r"\b(?:until|till)\b", re.IGNORECASE)


class _Deed(msgspec.Struct, frozen=True):
    """Who does what to whom in a question; None for the one it asks for."""

    agent: str | None
    verb: Word
    patient: str | None


def exchanges_roles(question: str, sentence: str) -> bool:
    """Whether B does to A in the sentence what A does to B in the question: both active, the verb between the names."""
    if _PASSIVE.search(question) or _PASSIVE.search(sentence):
        return False
    deed = _deed(question)
    places = _places(deed, sentence) if deed else []
    if deed and deed.agent and not places and deed.verb.stem in _BEAT:
        return re.search(rf"{re.escape(deed.agent.split()[-1])}(?: [a-z]+)? lost\b", sentence) is not None
    if deed is None or len(places) != 1 or places[0].capital:
        return False
    head, tail = sentence[: places[0].start], sentence[places[0].end :]
    if deed.agent and deed.patient:
        agent, patient = deed.agent, deed.patient
        return patient in head and agent in tail and agent not in head and patient not in tail
    doer = _DOER.search(head)
    if doer is None:
        return False
    if deed.agent and deed.agent.split()[-1] not in sentence:
        return not _may_be(doer["name"], deed.agent)  # it is another one's
    if deed.verb.stem in _MUTUAL:
        return False
    if deed.patient:
        last = deed.patient.split()[-1]
        if last not in sentence and (other := _OBJECT.match(tail)):
            return not _may_be(other["name"], deed.patient)
        return doer["name"] == last and last not in tail and not _NO_OBJECT.match(tail)
    last = (deed.agent or "").split()[-1]
    return last not in head and last in tail and not _NOT_THE_OBJECT.search(tail[: tail.index(last)])


def has_it_done_to_the_doer(question: str, sentence: str) -> bool:
    """Whether the question is "Why did A sue them?", and in the sentence somebody sued A, and A sues nobody.

    >>> has_it_done_to_the_doer("Why did Orel sue the herders?", "The herders, who sued Orel, were glad.")
    True
    >>> has_it_done_to_the_doer("What did the bank accuse Ada Roe of?", "Ada Roe accused the bank of theft.")
    True
    """
    asked = _DID_SOMETHING.match(question)
    if asked is None or _stem(asked["verb"]) in _MUTUAL:
        return False
    agent = (asked["name"] or asked["noun"]).split()
    forms = {asked["verb"].casefold() + ending for ending in ("", "s", "d", "ed")}
    whom = " ".join(map(re.escape, agent))
    done = re.compile(rf" {_OF_A_KIND}{whom}\b" if asked["name"] else rf" (?:the|its|his|her) {whom}{_BEHIND_A_NOUN}")
    return any(
        word.text.casefold() in forms
        and done.match(sentence, word.end)
        and not any(part in sentence[: word.start] for part in agent)
        for word in words_of(sentence)
    )


def _places(deed: _Deed, sentence: str) -> list[Word]:
    """The words of a sentence that are the verb or mean it; with two names, "pay" and "offer" also mean "buy"."""
    said = words_of(sentence)
    found = [word for word in said if word.stem == deed.verb.stem]
    if found:
        return found
    pays = deed.agent and deed.patient and deed.verb.stem in _PAYS
    kin = families().get("buy" if pays else deed.verb.stem, frozenset())
    return [word for word in said if kin & families().get(word.stem, frozenset())]


def _may_be(doer: str, agent: str) -> bool:
    """Whether the doer may be the agent: a pronoun, initials, or the beginning of one of its words."""
    words = agent.split()
    short = "".join(word[0] for word in words)
    return doer.casefold() in PRONOUNS or doer.replace(".", "") == short or any(w[:3] == doer[:3] for w in words)


@lru_cache(maxsize=64)
def _deed(question: str) -> _Deed | None:
    """Of "How much did A offer for B?", "Whom did A beat?" or "Who beat B?", who does what to whom.

    >>> _deed("Who beat Tessa Brandt?").patient, _deed("Whom did Otto Prinz criticise?").agent
    ('Tessa Brandt', 'Otto Prinz')
    """
    words = words_of(question)
    runs: list[list[Word]] = []
    for word in words[1:]:
        if not word.capital or word.stop or word.number:
            continue
        if runs and question[runs[-1][-1].end : word.start] == " ":
            runs[-1].append(word)
        else:
            runs.append([word])
    if not runs:
        return None
    first = question[runs[0][0].start : runs[0][-1].end]
    if asked := _ASKS_WHO.match(question):
        verb = next((word for word in words if word.start == asked.start("verb")), None)
        told = asked.end() == runs[0][0].start and verb is not None and not verb.stop
        return _Deed(None, verb, first) if told and verb else None
    between = [word for word in words if word.start >= runs[0][-1].end and not word.stop]
    if not between or question[runs[0][-1].end : between[0].start] != " " or between[0].capital:
        return None
    if (asked := _ASKS_WHOM.match(question)) and asked.end() == runs[0][0].start:
        return _Deed(first, between[0], None)
    if len(runs) != 2 or not _DID.search(question[: runs[0][0].start]) or between[0].start >= runs[1][0].start:
        return None
    if _WHERE.search(question[between[0].end : runs[1][0].start]):
        return None
    return _Deed(first, between[0], question[runs[1][0].start : runs[1][-1].end])


def is_only_denied(question: str, sentence: str) -> bool:
    """Whether a sentence only denies the question's verb.

    >>> is_only_denied("When did Ada Renn resign?", "On Monday Renn said that she would not resign.")
    True
    """
    asked = _DONE.match(question)
    if asked is None or any(negated(question, words_of(question))):
        return False
    if _NOT_BEFORE.search(sentence):
        return False  # "did not close until May"
    stem = _stem(asked["verb"])
    said = words_of(sentence)
    denied = [no for word, no in zip(said, negated(sentence, said), strict=True) if word.stem == stem]
    return bool(denied) and all(denied)


def does_something_else(question: str, sentence: str, start: int) -> bool:
    """Whether the words at `start` did another thing: who wrote, in "written by Roe that was leaked".

    >>> does_something_else("Who leaked the draft?", "It is the draft written by Ada Roe that was leaked.", 27)
    True
    """
    done, asked = _BY.search(sentence[:start]), _WHO_DID.match(question)
    if done is None or asked is None:
        return False
    verb = _stem(asked["verb"])
    if verb in {word.stem for word in words_of(sentence[: done.start()])[-2:]}:
        return False  # "painted green by"
    return _stem(done["verb"]) != verb and any(word.stem == verb for word in words_of(sentence))


def _stem(verb: str) -> str:
    return next((word.stem for word in words_of(verb)), "")


def is_the_one_asked_about(question: str, words: str) -> bool:
    """Whether the words that should say who did it name the one it was done to.

    >>> is_the_one_asked_about("Who beat Renn?", "Ada Renn"), is_the_one_asked_about("Who is Renn?", "Ada Renn")
    (True, False)
    """
    if not _WHO_DOES.match(question):
        return False
    told, asked = ([word for word in words_of(text) if not word.stop] for text in (words, question))
    return bool(told and asked) and told[-1].capital and asked[-1].capital and told[-1].stem == asked[-1].stem
