"""Removes sentences that answer another question than the one asked.

A reader looks for words of the right kind. It often misses that they are about a brother, about those who did not, or
about the reverse. Each rule here removes only what it is sure of.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from qa.language.quantities import UNITS, Unit, quantities_of
from qa.language.question_words import is_date_word, names
from qa.language.words import matter, words_of
from qa.reading import Calibration, is_said
from qa.reading.answer_types import WHOLE, kind_of
from qa.reading.name_filters import (
    does_something_else,
    exchanges_roles,
    has_it_done_to_the_doer,
    is_only_denied,
    is_the_one_asked_about,
    of_a_namesake,
    of_what_is_named,
)
from qa.reading.sentence_filters import (
    ends_the_other_way,
    is_another_in_turn,
    is_of_a_part,
    is_of_another_tense,
    is_the_value_before,
    on_the_other_side,
    says_the_opposite,
)
from qa.reading.sentence_ranking import Reading, ReadSentence, no_surer
from qa.types import Evidence

_WHEN = re.compile(
    r"\b(?:when|time|dates?|days?|nights?|mornings?|evenings?|hours?|weeks?|weekend|months?|years?|season|quarter|decade"
    r"|century|period|how (?:long|old|soon|often)|since|until|age|born)\b",
    re.IGNORECASE,
)
_ENUMERATED = re.compile(r"[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*(?:, [A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*)+,? and [A-Z]")
_HOW_MANY = re.compile(r"\bhow many (?P<words>[a-z]+(?: [a-z]+)?)", re.IGNORECASE)
_WEIGHS = re.compile(r"\b(?:weigh|heav|lift)", re.IGNORECASE)
_ASKS_WHO_DID = re.compile(r"whom? (?!is\b|was\b|are\b|were\b)", re.IGNORECASE)
_NAME_BEHIND = re.compile(r"(?P<whose>['’]s(?: [a-z]+){0,4})? (?P<name>[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)")
_ROLES = frozenset(
    "president minister premier chancellor governor mayor senator secretary king queen prince princess director chief"
    " coach captain leader commissioner general ambassador chairman judge justice candidate star singer actor".split()
)
_BEHIND = (
    (
        re.compile(
            r"(?i:when\b(?!.*\b(?:say|said|tell|told|announce|report|tweet|write|wrote|speak|spoke|interview)))"
        ),
        re.compile(r"\b(?:said|told|tweeted|wrote)\b(?: (?:the )?[A-Z][\w.]*){0,4}(?: in| on)? ?$"),
    ),
    (
        re.compile(r"(?:who|which [a-z]+) (?:has )?(?:won|wins)\b", re.IGNORECASE),
        re.compile(
            r"\b(?:defeat|beat|over|topp|edg|outlast|upset|rout)(?:ed|ing|s|en)?"
            r"(?: (?:the|then|fellow|[A-Z][\w’'-]*(?:['’]s)?))* $"
        ),
    ),
)
"""A question, and words after which no answer to it can follow."""
_ASKS_WHAT_WAS_SAID = re.compile(r"what (?:did|has|does) [^,;]{2,60} (?:say|said)\W*$", re.IGNORECASE)
_SAYS = re.compile(
    r"[\"“”«»]|\b(?:sa(?:y|id)|t(?:ell|old)|add|call|warn|promis|announc|thank|urg|ask|blam|den(?:y|ie)|admit|claim|argu"
    r"|insist|prais|vow|wr(?:it|ot)e|tweet|speak|spoke|report|confirm|demand|explain|accus|describ|declin|accord|pledg)",
    re.IGNORECASE,
)
"""A sentence without any of these says what somebody did, not what they said."""
_ASKS_WHERE = re.compile(r"(?:where|(?:in )?(?:which|what) (?:city|town|country|place))\b", re.IGNORECASE)
_DATELINE = re.compile(r"[A-Z][\w .,’-]{1,40}\((?:CNN|AP|Reuters|AFP|CNN Business)\)")
_CREDIT = re.compile(r"\((?:CNN|AP|Reuters|AFP|CNN Business)\)")
_HEDGE = re.compile(
    r"(?:^|(?<=\s))(?P<words>(?P<title>former)|almost|nearly|(?:more|less|fewer) than|at least|at most|up to|over|under"
    r"|as (?:many|much) as|an estimated) $",
    re.IGNORECASE,
)
"""Words that belong to the answer after them: almost 500 are not 500."""
_ASKS_A_BODY = re.compile(
    r"(?:which|what) (?:[a-z]+ )?(?:town|city|village|country|nation|state|region|council|company|firm|bank"
    r"|airline|university|school|party|union|team|club|agency|hospital|museum|court|newspaper|group)\b(?! of\b)",
    re.IGNORECASE,
)
_ASKS_OF_A_SIDE = re.compile(r"[Ww]hich (?P<side>[A-Z][\w-]+)(?:['’]s)? (?!of\b)[a-z]+\b")
_SIDE = re.compile(r"(?P<side>[A-Z][\w-]+)['’]s? (?:[a-z]+ ){0,3}[a-z]+,? $")
"""Before a name: whose captain or minister that is."""
_ASKS_PRESIDENT = re.compile(r"who(?: is|['’]s| was) (?!.*\bvice\b).*\bpresident\b", re.IGNORECASE)
_AS_MINISTER = re.compile(r"\b[Mm]inister,? [A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*$")
_ASKS_HOW_IT_MOVED = re.compile(
    r"how (?:much|high|far) (?:did|have|has|were|was) (?:the )?(?P<modifier>[a-z]+) (?P<noun>prices|costs|sales"
    r"|exports|imports|rates|wages|profits|shares|rents|production|output|spending|unemployment)\b",
    re.IGNORECASE,
)
_LEANS_ON_A_PERSON = re.compile(r"(?:He|She|His|Her)\b")
Again = Callable[[Sequence[Evidence]], Reading]
_LINK = re.compile(r"[A-Z][^:.\n]{1,40}:(?=[A-Za-z‘“'\"])")
"""A label set before a headline without a space, as pages print links to other articles."""
_BY, _AROUND = re.compile(r"^by ", re.IGNORECASE), " .,:;|()-–—"


def filter_answers(
    question: str,
    reading: Reading,
    evidence: Sequence[Evidence],
    *,
    calibration: Calibration,
    again: Again,
    strikes: Callable[[ReadSentence], bool] = lambda _: False,
) -> Reading:
    """The reading without sentences that answer another question; figures keep a unit that was not asked for.

    If the best sentence is removed, its passage is read `again` without it, because a reader drawn to it saw little
    else there; the probability is computed again. `strikes` selects more sentences to remove.
    """

    def another(one: ReadSentence) -> bool:
        return answers_another(question, one) or strikes(one)

    reading = of_what_is_named(question, reading, evidence, calibration=calibration)
    sided = tuple(_on_the_side_asked(question, one) for one in reading.sentences)
    reading = msgspec.structs.replace(reading, sentences=sided)
    struck = [one for one in reading.sentences if another(one)]
    kept = [one for one in reading.sentences if one not in struck]
    passages = 0
    if struck and struck[0] is reading.sentences[0]:
        number = struck[0].sentence.evidence
        second = again([_without(evidence[number], [one for one in struck if one.sentence.evidence == number])])
        passages = second.passages
        others = [one for one in kept if one.sentence.evidence != number]
        found = [moved for one in second.sentences if not another(moved := _moved(one, number))]
        kept = sorted([*others, *found], key=lambda one: -one.logit)
        reading = msgspec.structs.replace(reading, probability=no_surer(reading, kept, calibration=calibration))
    return msgspec.structs.replace(
        reading,
        sentences=tuple(_without_lone_item(with_unit(question, one), reading) for one in kept),
        passages=reading.passages + passages,
    )


def _on_the_side_asked(question: str, read: ReadSentence) -> ReadSentence:
    """The sentence with the loser as its words, where the reader took the winner and who lost is asked."""
    side = on_the_other_side(question, read.sentence.text, read.short[1]) if read.short else None
    return msgspec.structs.replace(read, short=side) if side else read


def _without(item: Evidence, struck: Sequence[ReadSentence]) -> Evidence:
    """The passage with blanks for these sentences, so that all offsets stay the same."""
    passage = item.stored.passage
    text = passage.text
    for one in struck:
        start, end = one.sentence.start - passage.start, one.sentence.end - passage.start
        text = text[:start] + " " * (end - start) + text[end:]
    stored = msgspec.structs.replace(item.stored, passage=msgspec.structs.replace(passage, text=text))
    return msgspec.structs.replace(item, stored=stored)


def _moved(one: ReadSentence, number: int) -> ReadSentence:
    return msgspec.structs.replace(one, sentence=msgspec.structs.replace(one.sentence, evidence=number))


def answers_another(question: str, read: ReadSentence) -> bool:
    """Whether a sentence, or the words found in it, cannot answer the question.

    The opposite also answers a yes-or-no question; a question with why or how may have any answer.
    """
    kind, sentence = kind_of(question), read.sentence.text
    if _is_no_prose(question, read) or _CREDIT.fullmatch(read.words.strip()):
        return True
    if _ASKS_WHAT_WAS_SAID.match(question) and not _SAYS.search(sentence):
        return True
    if kind != "decision" and has_it_done_to_the_doer(question, sentence):
        return True
    if kind in WHOLE:
        return False
    return (
        of_a_namesake(question, _with_whom_it_leans_on(question, read))
        or says_the_opposite(question, sentence)
        or exchanges_roles(question, sentence)
        or is_only_denied(question, sentence)
        or is_the_one_asked_about(question, read.words)
        or (read.short is not None and does_something_else(question, sentence, read.short[0]))
        or (read.short is not None and ends_the_other_way(question, sentence, read.short[1]))
        or _is_only_a_date(question, read.words)
        or _is_behind_another_verb(question, read)
        or _is_a_title_of_the_one_asked_about(question, read)
        or _is_of_the_dateline(question, read)
        or _measures_otherwise(question, read)
        or _is_a_person_where_a_body_is_asked(question, read)
        or _is_of_another_side(question, read)
        or _holds_another_office(question, read)
        or _has_another_modifier(question, read)
        or is_another_in_turn(question, sentence)
        or (read.short is not None and _is_of_another_occasion(question, read, read.short))
    )


def _is_no_prose(question: str, read: ReadSentence) -> bool:
    """Whether it is no prose: a link to another article, or only a byline or a place."""
    text = read.sentence.text
    if is_said(text):
        return False
    alone = _BY.sub("", text).strip(_AROUND) == read.words.strip(_AROUND) and not any(map(str.isdigit, text))
    return _LINK.match(text) is not None or (
        alone and kind_of(question) != "list" and not matter(question) & matter(text)
    )


def _is_of_another_occasion(question: str, read: ReadSentence, short: tuple[int, int]) -> bool:
    sentence, (start, end) = read.sentence.text, short
    return (
        is_of_another_tense(question, sentence, start)
        or is_of_a_part(question, sentence, end)
        or is_the_value_before(question, sentence, start)
    )


def with_unit(question: str, read: ReadSentence) -> ReadSentence:
    """The sentence with the hedge in its words, and the unit of a figure if another unit is asked for."""
    hedge = _HEDGE.search(read.sentence.text[: read.short[0]]) if read.short else None
    if read.short and hedge and (hedge["title"] or read.words[0].isdigit() or read.words[0] in "$£€"):
        read = msgspec.structs.replace(read, short=(hedge.start("words"), read.short[1]))
    asked = _unit_asked(question)
    if asked is None or read.short is None:
        return read
    start, end = read.short
    for one in quantities_of(read.sentence.text):
        if start <= one.start < end and one.unit is not None and one.unit != asked:
            return msgspec.structs.replace(read, short=(start, max(end, one.unit_end)))
    return read


def _without_lone_item(read: ReadSentence, reading: Reading) -> ReadSentence:
    """The sentence without short words, if the question asks for a list and they are outside the sentence's list."""
    listed = _ENUMERATED.search(read.sentence.text) if reading.kind == "list" and read.short else None
    if listed is None or read.short is None or (read.short[0] < listed.end() and listed.start() < read.short[1]):
        return read
    return msgspec.structs.replace(read, short=None)


def _is_only_a_date(question: str, words: str) -> bool:
    """Whether the words are only a day or a month, and the question does not ask when."""
    said = words_of(words)
    named = [word for word in said if not word.stop and not word.number]
    return bool(named) and all(is_date_word(word.text.casefold()) for word in named) and not _WHEN.search(question)


def _is_behind_another_verb(question: str, read: ReadSentence) -> bool:
    """Whether the time is when something was said ("told CNN in May"), or the winner is the one who was beaten."""
    head = read.sentence.text[: read.short[0]] if read.short else ""
    return any(asks.match(question) and behind.search(head) for asks, behind in _BEHIND)


def _is_a_title_of_the_one_asked_about(question: str, read: ReadSentence) -> bool:
    """Whether "Who shot Ana Roe?" is answered by a part of "Velda's Prime Minister Ana Roe"."""
    if read.short is None or not _ASKS_WHO_DID.match(question):
        return False
    behind = _NAME_BEHIND.match(read.sentence.text, read.short[1])
    if behind is None or not any(behind["name"] in name.text for name in names(question)):
        return False
    last = read.words.casefold().split()[-1:]
    return bool(behind["whose"] or (last and last[0] in _ROLES))


def _is_of_the_dateline(question: str, read: ReadSentence) -> bool:
    """Whether the place is the dateline: "London (CNN)"."""
    dateline = _DATELINE.match(read.sentence.text) if read.short and _ASKS_WHERE.match(question) else None
    return bool(dateline and read.short and read.short[0] < dateline.end())


def _is_a_person_where_a_body_is_asked(question: str, read: ReadSentence) -> bool:
    """Whether "Which town?" is answered by "Its mayor, Orla Best"."""
    if read.short is None or not _ASKS_A_BODY.match(question) or not read.words[:1].isupper():
        return False
    before = re.search(r"(?P<role>[\w-]+),? $", read.sentence.text[: read.short[0]])
    return before is not None and before["role"].casefold() in _ROLES


def _is_of_another_side(question: str, read: ReadSentence) -> bool:
    """Whether "Which Corran player?" is answered by "Lindale's captain, Mark Fell", without a word of Corran."""
    asked = _ASKS_OF_A_SIDE.match(question)
    side = _SIDE.search(read.sentence.text[: read.short[0]]) if asked and read.short else None
    if asked is None or side is None:
        return False
    stem = asked["side"][:4].casefold()
    return not side["side"].casefold().startswith(stem) and stem not in read.sentence.text.casefold()


def _holds_another_office(question: str, read: ReadSentence) -> bool:
    """Whether "Who is the president?" is answered by "Prime Minister Ada Roe"."""
    head = read.sentence.text[: read.short[0]] + read.words if read.short else ""
    asked = question.casefold()
    return (
        _ASKS_PRESIDENT.match(question) is not None
        and "minister" not in asked
        and _AS_MINISTER.search(head) is not None
        and "president" not in read.sentence.text.casefold()
    )


def _has_another_modifier(question: str, read: ReadSentence) -> bool:
    """Whether a question about food prices is answered with consumer prices."""
    asked = _ASKS_HOW_IT_MOVED.match(question)
    if asked is None or asked["modifier"] in read.sentence.text.casefold():
        return False
    return re.search(rf"\b[a-z]+ {asked['noun']}\b", read.sentence.text, re.IGNORECASE) is not None


def _with_whom_it_leans_on(question: str, read: ReadSentence) -> str:
    """The sentence, with the one before it if it begins with "His" and has no name of the question."""
    one = read.sentence
    if not _LEANS_ON_A_PERSON.match(one.text) or any(name.text.split()[-1] in one.text for name in names(question)):
        return one.text
    return f"{one.before} {one.text}"


def _measures_otherwise(question: str, read: ReadSentence) -> bool:
    """Whether the answer has hours where the question asks for kilometres."""
    asked = _unit_asked(question)
    if asked is None or read.short is None:
        return False
    start, end = read.short
    units = [one.unit for one in quantities_of(read.sentence.text) if start <= one.start < end and one.unit]
    # Degrees of both scales are one kind of measure: the figure then keeps its own.
    return bool(units) and all(unit.kind.split()[0] != asked.kind.split()[0] for unit in units)


def _unit_asked(question: str) -> Unit | None:
    found = _HOW_MANY.search(question)
    words = found["words"].casefold() if found else ""
    if words == "pounds of" or (words.startswith("pounds") and _WEIGHS.search(question)):  # of herring, say: no money
        return UNITS["lb"]
    return UNITS.get(words) or UNITS.get(words.partition(" ")[0])
