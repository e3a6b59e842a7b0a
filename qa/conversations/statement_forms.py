"""The forms of statements that can be turned into questions: "X will be closed for 16 months" asks how long.

Each form is a pattern and the question that a sentence of it answers; `starters.txt` has the verbs.
"""

import re
from collections.abc import Iterator

import msgspec

from embeddings.month_names import ENGLISH_MONTHS
from embeddings.runtime import compiled_late, word_lists
from qa.language.quantities import NUMBER_WORDS

LISTS = {name: words.split() for name, words in word_lists("qa.conversations", "starters.txt").items()}
"""The words by which statements are turned, and told from those that cannot be."""
_PASTS = dict(pair.split(":") for pair in LISTS["past"])
"""Verbs of news in the past, with their infinitives: a question asks with "did"."""
_PAST = "|".join(_PASTS)
_ABOUT = r"(?:(?:[Aa]bout|[Aa]round|[Ss]ome|[Aa]t least|[Mm]ore than|[Nn]early|[Aa]lmost|[Oo]nly|[Uu]p to|[Oo]ver) )?"
_NUMBER = r"\d[\d,.]*(?: (?:thousand|million|billion|trillion))?"
_SMALL = "|".join(word for word, number in NUMBER_WORDS.items() if 2 <= number <= 12)
_CLAUSE = r"(?P<rest>[^,;:.()\"“”–—]{3,90}?)"
_LENGTH = rf"(?:{_NUMBER}|{_SMALL}) (?:hours|days|weeks|months|years)"
_DATE = (
    rf"(?:{'|'.join(ENGLISH_MONTHS)}) \d{{1,2}}"
    r"|(?:19|20)\d\d"
)
_NO_SUBJECT = r"(?!(?:And|But|Some|Many|Several|Most|One|While|When|After|If|In|On|At|As) )"
_SUBJECT = rf"(?P<subject>{_NO_SUBJECT}[A-Z][^,;:.()\"“”–—]{{3,60}}?)"
_PLURAL = r"(?P<counted>(?!of )[a-z][a-z-]{2,20}(?: [a-z-]{3,20})?s|people|children|men|women)"
_PLACE = r"(?P<rest> (?!and )[^,;:.()\"“”–—]{3,60}?)"
_OWNER = r"(?P<name>(?:[A-Z][\w’-]+ ){0,2}[A-Z][\w-]+)"
_HELD = (
    r"(?P<counted>residents|inhabitants|members|employees|workers|students|pupils|seats|lawmakers|patients|customers)"
)
_NAME = r"(?P<name>(?:[A-Z][\w'’.-]+ ){1,3}(?:al-)?[A-Z][\w'’-]+)"
_ROLE = (
    r"(?:president|minister|director|chief|head|chair|chairman|chairwoman|founder|professor|spokesman|spokeswoman"
    r"|spokesperson|secretary|leader|mayor|governor|author|manager|editor|economist|analyst|officer|executive|owner"
    r"|senator|commissioner|coach|captain|ambassador|researcher|scientist|engineer|senior|co-founder|vice|deputy)"
)
_OFFICE = (
    rf"(?P<asked>(?!while|who|now)(?:an? |the )?(?:[\w’'-]+ ){{0,3}}?{_ROLE}(?: \w+){{0,2}}? (?:of|at|for|in|with)"
    r" [^,.;:()\"“”]{3,60}),"
)
_TITLE = (
    r"(?:[A-Z]\w+ )(?:[Pp]resident|[Mm]inister|[Ss]pokes(?:man|woman|person)|[Dd]irector|[Cc]hief|[Mm]ayor|[Gg]overnor"
    r"|[Cc]oach)"
)
"""An office that stands before a name."""
_PARTICIPLE = r"(?P<done>built|founded|born|established|opened|launched|completed|created|formed|signed)"
_TAKES = dict(pair.split(":") for pair in LISTS["takes"])
"""Verbs in the present that tell of a plan, with their infinitives."""
_MEASURED = (
    r"(?P<unit>votes|percent|per cent|points|degrees|meters|metres|miles|kilometers|kilometres|hectares|goals|runs)"
)
_END = r"(?=[,.;]| (?:and|after|when|while|as|because|which|who|according)\b)"
_DONE = (
    r"(?:[a-z]+ed|[a-z]+(?:wn|en)|been|made|built|held|lost|won|sold|set|put|cut|hit|found|born|sent|kept|left|led|paid"
    r"|taught|bought|brought|caught|hurt|shut|begun|become|come|gone|done|struck|torn|sunk|risen|fallen|spent|read|due|back)\b"
)
"""What can follow a form of "be" or "have" in a passive or a perfect: a participle."""
_HOW = r"(?:not |also |already |long |recently |previously |first |officially |originally |\w+ly )?"
_DONE_CLAUSE = rf"(?P<rest>{_HOW}{_DONE}[^,;:.()\"“”–—]{{0,80}}?)"
_WINNER = r"(?:[A-Z][\w'’.-]+ ){0,3}[A-Z][\w'’-]+"
_AWARD = (
    r"(?:[Cc]up|[Pp]rize|[Ff]inal|[Cc]hampionship|[Tt]itle|[Tt]rophy|[Aa]ward|[Rr]ace|[Ee]lection|[Rr]unoff|[Mm]edal)"
)
_FAR = r"(?:metres|meters|kilometres|kilometers|km|miles|feet)"
_PLANNED = r"(?P<rest>(?:set|due|scheduled|expected|to be)\b[^,;:.()\"“”–—]{3,80}?)"
_RULES = tuple(
    (compiled_late(pattern), form)
    for pattern, form in (
        (
            (
                rf"{_ABOUT}(?P<asked>{_NUMBER}) (?P<subject>[a-z][a-z -]{{2,40}}?) (?P<aux>will|was|were|have|are|had)"
                rf" {_CLAUSE}[,.;]"
            ),
            "How many {subject} {aux} {rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<aux>will|was|were|has|have|had) {_CLAUSE} for {_ABOUT}(?P<asked>{_LENGTH})\b",
            "How long {aux} {subject} {rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<aux>has|have) (?P<rest>been [^,;:.()\"“”–—]{{3,80}}?) since (?P<asked>{_DATE})\b",
            "Since when {aux} {subject} {rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<aux>was|were) {_DONE_CLAUSE} (?:on|from|in) (?P<asked>{_DATE})\b",
            "When {aux} {subject} {rest}?",
        ),
        (rf"{_SUBJECT} (?P<aux>is|are) {_PLANNED} (?:on|from|in) (?P<asked>{_DATE})\b", "When {aux} {subject} {rest}?"),
        (rf"{_SUBJECT} (?P<aux>will) {_CLAUSE} (?:on|from|in) (?P<asked>{_DATE})\b", "When {aux} {subject} {rest}?"),
        (
            (
                rf"{_SUBJECT} (?P<aux>was|were|has|have|had|is|are) {_DONE_CLAUSE}"
                rf" (?:because of|because|due to) (?P<asked>[^,;:.()\"“”]{{8,60}})"
            ),
            "Why {aux} {subject} {rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<did>{_PAST}) {_ABOUT}(?P<asked>{_NUMBER}) {_PLURAL}{_PLACE}?{_END}",
            "How many {counted} did {subject} {base}{rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<aux>has|have|had) (?P<did>{_DONE}) {_ABOUT}(?P<asked>{_NUMBER}) {_PLURAL}{_PLACE}?{_END}",
            "How many {counted} {aux} {subject} {did}{rest}?",
        ),
        (rf"{_SUBJECT} (?P<did>{_PAST}) {_CLAUSE} (?:on|in) (?P<asked>{_DATE})\b", "When did {subject} {base} {rest}?"),
        (
            rf"{_SUBJECT} (?P<does>{'|'.join(_TAKES)}) (?P<rest>effect |place |)on (?P<asked>{_DATE})\b",
            "When does {subject} {base} {rest}?",
        ),
        (
            rf"{_SUBJECT}, (?:which was )?{_PARTICIPLE} (?:[a-z]+ [^,;:.()]{{2,30}} )?in (?P<asked>(?:19|20)\d\d),",
            "When was {subject} {done}?",
        ),
        (
            rf"{_SUBJECT} (?P<did>{_PAST}) {_CLAUSE} by {_ABOUT}(?P<asked>{_NUMBER}) {_MEASURED}\b",
            "By how many {unit} did {subject} {base} {rest}?",
        ),
        (
            rf"{_SUBJECT} (?P<aux>has|have|had) (?P<rest>{_DONE}) by {_ABOUT}(?P<asked>{_NUMBER}) {_MEASURED}\b",
            "By how many {unit} {aux} {subject} {rest}?",
        ),
        (
            (
                rf"{_SUBJECT} said (?:it|they) (?P<aux>had|has|have) (?P<rest>{_DONE}) {_ABOUT}(?P<asked>{_NUMBER})"
                rf" {_PLURAL}\b"
            ),
            "How many {counted} {aux} {subject} {rest}?",
        ),
        (
            rf"(?:.{{0,120}}? )?{_OWNER}['’]s? {_ABOUT}(?P<asked>{_NUMBER}) {_HELD}\b",
            "How many {counted} does {name} have?",
        ),
        (
            rf"{_SUBJECT},? (?:[^,.;:()]{{4,40}}, )?belongs to (?P<asked>(?:the )?[A-Z][^,.;:()]{{3,40}}?){_END}",
            "Who owns {subject}?",
        ),
        (
            (
                rf"(?:.{{0,120}}? )?{_OWNER}, an? (?:[a-z]+ )?(?:town|city|village|island|district|suburb) (?:of|with)"
                rf" {_ABOUT}(?P<asked>{_NUMBER}) (?P<counted>people|inhabitants|residents)\b"
            ),
            "How many {counted} live in {name}?",
        ),
        (rf"(?P<asked>{_WINNER}) won (?P<rest>the [^,.;:()]{{0,40}}?{_AWARD})\b", "Who won {rest}?"),
        (
            rf"{_SUBJECT}, {_ABOUT}(?P<asked>{_NUMBER} {_FAR}) (?P<rest>long|high|tall|wide|deep),",
            "How {rest} is {subject}?",
        ),
        (
            (
                rf"{_SUBJECT}, (?:who [^,.;:()]{{4,60}}, )?(?P<did>promised|demanded|proposed|offered)"
                rf" (?P<asked>(?:[^,.;:()\"“”]|(?<=\d),(?=\d)){{8,80}})"
            ),
            "What did {subject} {base}?",
        ),
        (rf"(?:.{{0,80}}? )?{_NAME}, (?P<asked>[1-9]\d), (?!\d)", "How old is {name}?"),
        (
            rf"(?:.{{0,80}}? )?(?P<asked>{_TITLE}) {_NAME}(?= (?:said|told|says|added|announced|was|will|is|has)\b)",
            "Who is {name}?",
        ),
        (rf"(?:.{{0,80}}(?:[,“] ?| (?:said|says|told|by) ))?{_NAME}, {_OFFICE}", "Who is {name}?"),
    )
)
_OPENING = re.compile(
    r"^(?:[A-Z][\w.,’' -]{1,40} )?(?:\([A-Z][\w /.]{1,20}\) ?)?(?:—|–|--|-) |^\([A-Z][\w /.]{1,20}\) "
)
"""Where an agency reports from: "KELMAR (AP) — ", "(CNN)"."""


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """A question without its subject put in."""

    form: str
    subject: str
    rest: str
    expected: str
    """The words asked for, which the sentence gives."""
    counted: str = ""
    """What a question for a number counts."""
    named: int = 0
    """Words of a name that the form itself holds."""

    def put(self, subject: str) -> str:
        """The question about this subject."""
        return " ".join(self.form.replace("\0", subject).split()).replace(" ?", "?")


def turned(sentence: str) -> Iterator[Turned]:
    """The questions that a sentence (its white space single spaces) answers.

    >>> [one.put(one.subject) for one in turned("The Velda ferry was cancelled because of high waves.")]
    ['Why was The Velda ferry cancelled?']
    """
    said = _OPENING.sub("", sentence, count=1)
    for pattern, form in _RULES:
        if found := pattern.match(said):
            parts = {name: value or "" for name, value in found.groupdict().items()}
            base = _PASTS.get(parts.get("did", ""), "") or _TAKES.get(parts.get("does", ""), "")
            name = parts.get("name", "")
            yield Turned(
                form=form.format(**{**parts, "subject": "\0", "base": base}),
                subject=parts.get("subject", ""),
                rest=parts.get("rest", "") or name,
                expected=parts["asked"],
                counted=parts.get("counted", ""),
                named=0 if not name else 2 if "counted" in parts else 1,
            )
