"""Cuts a model's stream into sentences, and strips their markup or drops them."""

import re
from collections.abc import Sequence

from embeddings.chunking.sentences import split_sentences
from embeddings.cleaning.unicode import canonical_line
from embeddings.runtime import compiled_late
from qa.citations import hang_back, marked_end, opens_bracket

_WORD_END = re.compile(r"(?<=\S)(?=\s)|(?<=\n)")
_STOP = re.compile(r"[.!?…。！？]")
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_MAYBE_THOUGHT = re.compile(
    r"<(?:t|th|thi|thin|think|thinki|thinkin|thinking|r|re|rea|reas|reaso|reason\w*)?$", re.IGNORECASE
)
_RUN_ON = re.compile(r"(?<=[a-z0-9%)\],])\s+(?=(?:The|This|These|Those|It|He|She|They|There|We|You)\s+[a-z])")
"""Where a sentence begins behind one that lacks its stop: checked together, the true one would carry the other."""
_LONGEST = 2_000
"""Characters without an end after which what came so far is taken for one sentence."""


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """The sentences of a whole text by their places, cut where those of a draft are; a wrapped line runs on.

    >>> sentence_spans("It sank in\\ncalm water The crew was saved.")
    ((0, 21), (22, 41))
    """
    found: list[tuple[int, int]] = []
    for start, end in split_sentences(text):
        breaks = [match.span() for match in _RUN_ON.finditer(text, start, end)]
        starts = [start, *(following for _, following in breaks)]
        found += zip(starts, [*(stop for stop, _ in breaks), end], strict=True)
    return tuple(found)


class SentenceCutter:
    """Cuts one draft. What a model thinks aloud, in tags, is left out."""

    def __init__(self, *, label: str) -> None:
        self._label = label
        self._raw = ""
        self._begun = False
        self._text = ""
        self._seen = 0
        """Characters of `_text` up to which every word end was judged."""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; give the sentences that are complete now."""
        self._text += self._without_thoughts(piece)
        return self._cut()

    def finish(self) -> list[str]:
        """Give what is left, when the draft is complete."""
        done = self._cut()
        rest, self._text, self._seen = self._text, "", 0
        return [*done, *self._sentences(rest)]

    def _without_thoughts(self, piece: str) -> str:
        """What of the draft so far may be read now; thoughts stand before everything else."""
        if self._begun:
            return piece
        self._raw += piece
        if not self._raw.strip() or _MAYBE_THOUGHT.match(self._raw.strip()):
            return ""
        thought = _THOUGHT.match(self._raw.lstrip())
        if thought is None:
            self._begun = True
            return self._raw
        if thought[0].lower().endswith(f"</{thought[1].lower()}>"):
            self._begun = True
            return self._raw.lstrip()[thought.end() :]
        return ""

    def _cut(self) -> list[str]:
        found: list[str] = []
        while (end := self._next_end()) is not None:
            sentences, rest = self._parted(self._text[:end])
            if sentences:
                found += sentences
                self._text, self._seen = rest + self._text[end:], len(rest)
            else:
                self._seen = end
        return found

    def _next_end(self) -> int | None:
        """Where the next complete word ends that has not been looked at."""
        match = _WORD_END.search(self._text, self._seen + 1) if self._seen < len(self._text) else None
        return match.start() if match else None

    def _parted(self, text: str) -> tuple[list[str], str]:
        """The sentences that have surely ended in a text that ends with a word, and the rest."""
        line, broken, rest = text.rpartition("\n")
        if broken and line.strip():
            return self._sentences(line), rest
        if not (_STOP.search(text) or _RUN_ON.search(text)):
            return ([text], "") if len(text) > _LONGEST else ([], text)
        hung = hang_back(text, label=self._label)
        start = self._second(hung)
        if start is None or opens_bracket(hung[start:]):
            return [], text
        return [hung[:start].strip()], hung[start:]

    def _second(self, text: str) -> int | None:
        """Where the second sentence of a text begins; None where there is one only."""
        run_on = _RUN_ON.search(text)
        starts = [
            *(start for start, _ in split_sentences(text)[1:2]),
            *([run_on.end()] if run_on else []),
            *([marked] if (marked := marked_end(text, label=self._label)) is not None else []),
        ]
        return min(starts, default=None)

    def _sentences(self, text: str) -> list[str]:
        """All sentences of text that has ended; each line has its own."""
        return [sentence for line in text.splitlines() for sentence in self._of_line(line.strip())]

    def _of_line(self, line: str) -> list[str]:
        hung, found = hang_back(line, label=self._label), []
        while hung:
            end = self._second(hung) or len(hung)
            found.append(hung[:end].strip())
            hung = hung[end:].strip()
        return found


LONGEST = 600
"""Characters of a sentence at most; what is longer is no sentence that could be checked."""
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?"
)
_SPACE_BEFORE_STOP = re.compile(r"(?<=\w)\s+(?=[.,;!?…](?:\s|$))")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINERS = re.compile("[\u200c\u200d\u180e\ufe00-\ufe0f\U000e0000-\U000e01ef]")
_BULLET = compiled_late(r"^(?:#{1,6}\s+|>+\s*|[-*+•▪►‣–—]\s+|\d{1,2}[.)]\s+(?=\S))+")
_PREFACE = compiled_late(
    r"^(?:\**(?:short |final )?(?:answer|response)\**\s*:\**\s*|(?:yes|no)\b\s*(?:,|:|[–—]| - )\s*(?=\w)"
    r"|the answer (?:to (?:this|the|your) question )?is\b:?\s*(?:that\b)?\s*(?=\w))",
    re.IGNORECASE,
)
"""What leads up to a statement and says nothing that could be checked: whether it is a yes shows in the statement."""
_FROM_THE_SOURCES = compiled_late(
    r"^(?:according to|based on|as stated in|as per|per|from) (?:the |these |this )"
    r"(?:(?:provided|given|above|news) )?(?:sources?|articles?|texts?|contexts?|information|passages?|sentences?)"
    r"(?: (?:provided|given|above))?\s*,\s*(?=\w)",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"(?<!\w)(\*\*\*|\*\*|\*|___|__|_|~~|`{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_MARKUP = compiled_late(
    r"</?[a-z!?][^>]*>?|&(?:#\w+|[a-z]{2,8});|!\[|\[[^\]]*\]\s*[(\[:]|\]\(|```|\{\{|\}\}|\$\$|\*\*|__|~~|`"
    r"|^\s*\|.*\||<\||\|>|\[/?inst\]|^#{1,6}\s|\\[\[(a-z]",
    re.IGNORECASE,
)
_ADDRESS = compiled_late(
    r"\b[a-z][a-z0-9+.-]{1,15}://|\bhxxps?\b|//[\w-]+\.\w|\bwww\.\w|\b(?:javascript|vbscript|data|mailto|tel|file|blob)"
    r":\S|[\w.+-]+@[\w-]+\.\w|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,18}/|\b\d{1,3}(?:\.\d{1,3}){3}\b|\bxn--",
    re.IGNORECASE,
)
_HOST = compiled_late(
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2}|com|org|net|info|biz|dev|app|io|gov|edu|site|xyz|online|top)\b", re.IGNORECASE
)


def plain_line(text: str) -> str:
    r"""One line without anything that a reader cannot see or that could control a terminal.

    >>> plain_line("\x1b[31mRed\x1b[0m\u202e \u200bline\n")
    'Red line'
    """
    return _JOINERS.sub("", canonical_line(_SURROGATE.sub("\ufffd", _ANSI.sub("", text))))


def plain(sentence: str, *, sources: Sequence[str]) -> str | None:
    """The sentence as text, without list marks and emphasis; None for one that is empty or too long, or holds markup.

    No address of any kind passes, also none that stands in the sources: an answer has its sources beside it. A bare
    name such as `Example.com` passes where a source has it.

    >>> plain("- **Kelmar** has *two* bridges.", sources=[])
    'Kelmar has two bridges.'
    >>> plain("See ![x](https://a.example/?q=1) for more.", sources=[])
    """
    text = _without_preface(_BULLET.sub("", plain_line(sentence)), sources)
    while (bare := _EMPHASIS.sub(r"\2", text)) != text:
        text = bare
    text = _ended(_SPACE_BEFORE_STOP.sub("", _without_preface(text, sources).strip()))
    if not any(character.isalnum() for character in text) or len(text) > LONGEST:
        return None
    if _MARKUP.search(text) or _ADDRESS.search(text):
        return None
    hosts = (host[0] for host in _HOST.finditer(text))
    return text if all(any(host in source for source in sources) for host in hosts) else None


def _without_preface(text: str, sources: Sequence[str]) -> str:
    bare = _PREFACE.sub("", text)
    named = _FROM_THE_SOURCES.match(bare)
    # A newspaper has sources of its own, and whom it names belongs to what it says.
    if named and not any(named[0].casefold().rstrip(", ") in source.casefold() for source in sources):
        bare = bare[named.end() :]
    return text if bare == text else bare[:1].upper() + bare[1:]


def _ended(text: str) -> str:
    """The sentence with a stop at its end, so that the next one can follow it."""
    bare = text.rstrip(",;:–—- ")
    return f"{bare}." if bare and (bare != text or bare[-1].isalnum() or bare[-1] in "%)€$£") else text


# --- Recognises a model that says the sources do not answer: an answer too, but no statement of fact
# News itself tells what was not said ("Police gave no details"): that is a statement like any other. What sets the two
# apart is who is silent: the sources as such, or the model itself; not somebody that the sources tell of. In doubt a
# sentence is taken for news, since the check that follows drops what nothing supports.
NOTHING = "NOT IN THE SOURCES"
"""What the prompt asks a model to write where the sources do not answer."""

_NAMED = r"(?:(?:news )?(?:sources?|articles?|passages?|excerpts?|snippets?)|context)"
"""What a model calls the material as a whole; reporters seldom do, and never a context."""
_ANY = rf"(?:{_NAMED}|texts?|documents?|information|evidence|materials?|sentences?|quotations?|content)"
"""What news may speak of as well."""
_GIVEN = r"(?:provided|given|above|supplied|cited|quoted|listed|following)"
_WHICH = r"(?:the|these|this|those|your|all|both|any of the|either of the|neither of the|none of the)"
_THEM = rf"(?:{_WHICH} (?:{_GIVEN} {_ANY}|{_ANY} {_GIVEN}|available {_NAMED}|{_NAMED})|these sentences)"
"""The material, so called that nothing else can be meant."""
_MARKS = r"(?:\s*[\[(][^\])]{0,20}[\])])*"
_SAY = (
    r"(?:say|state|mention|specif|provid|contain|includ|g[ai]ve|answer|indicat|tell|report|disclos|reveal|address|name|"
    r"offer|discuss|describ|identif|explain|list|clarif|make|ha[vs]e?\b|speak|cover|confirm|detail|suggest|refer)"
)
_HOW = r"(?:(?:\w+ly|even|actually|in fact) )?"
_NOT = r"(?:do(?:es)? not|don[’']t|doesn[’']t|cannot|can[’']t|never)"
_DID_NOT = r"(?:did not|didn[’']t)"
_NONE = r"(?:no|not enough|not any|insufficient|too little|hardly any)"
_DETAILS = r"(?:information|mention|details?)"
_KNOWN = r"(?:information|mention|details?|data|indication|answer|evidence|reference|statement)"
_SILENT = (
    rf"(?:{_HOW}{_NOT} {_HOW}{_SAY}\w*|{_HOW}{_SAY}\w* (?:{_NONE} (?:\w+ ){{0,2}}{_KNOWN}|nothing)"
    r"|(?:is|are) (?:silent|unclear|not clear))\b"
)
_BEFORE = r"(?:^\W*|[,;:]\s+|\b(?:but|because|since|as|and|however|though|although|if)\s+)"
_SPOKEN = r"(?:mentioned|stated|specified|given|provided|found|included|answered|available|disclosed|contained|said)"
_SOURCES_ARE_SILENT = compiled_late(
    rf"{_BEFORE}{_THEM}{_MARKS}\s+(?:{_SILENT}|{_DID_NOT} {_HOW}{_SAY})"
    rf"|^\W*the text{_MARKS}\s+{_SILENT}"
    rf"|{_BEFORE}(?:none of {_THEM}|(?:none of|neither of|no|neither) (?:the )?{_NAMED}){_MARKS}\s+{_HOW}{_SAY}"
    rf"|{_BEFORE}nothing in {_THEM}"
    rf"|\bnot (?:{_HOW})?(?:{_SPOKEN} )?(?:anywhere )?(?:in|by|from|within) (?:any of )?(?:{_THEM}|the text\b)"
    rf"|\b(?:cannot|can[’']t|could not) be (?:\w+ ){{1,2}}(?:from|by|with|based on|using|in) (?:{_THEM}|the text\b)"
    rf"|{_NONE} (?:\w+ ){{0,2}}{_KNOWN}\b[^.]*\bin {_THEM}",
    re.IGNORECASE,
)
_ONLY_THE_SOURCE = re.compile(rf"^\W*the sources?{_MARKS}\s+{_DID_NOT}\b", re.IGNORECASE)
"""Reporters have sources too, and tell what these did not say."""
_THERE_IS_NONE = compiled_late(
    rf"{_BEFORE}there (?:is|are|isn[’']t|aren[’']t) (?:{_NONE}|any) (?:\w+ ){{0,2}}{_DETAILS}\b"
    rf"|^\W*{_NONE} (?:\w+ ){{0,2}}{_DETAILS}\b[^.]{{0,60}}\b(?:is|are) {_SPOKEN}\b"
    rf"|^\W*{_NONE} (?:\w+ ){{0,2}}{_KNOWN}(?: (?:{_SPOKEN}|to answer\b.*))?\W*$"
    r"|^\W*(?:not (?:mentioned|stated|specified|known|given|provided)|unknown|unclear|n/a)\W*$"
    r"|^\W*the (?:question|answer)\b[^.]{0,60}\b(?:cannot be|can[’']t be|could not be|is not|isn[’']t) "
    r"(?:answered|determined|given|provided|stated|mentioned|found|available|known|clear|specified)\b",
    re.IGNORECASE,
)
_SAID_BY_SOMEBODY = compiled_late(
    rf"\b(?:said|says|told|added|reported|announced|wrote)\b|\baccording to (?!{_THEM})|\b(?:so far|yet|immediate)\b",
    re.IGNORECASE,
)
_SORRY = r"(?:(?:(?:i am|i[’']m|we are) )?(?:very )?sorry,? (?:but )?|unfortunately,? )"
_CANNOT = r"(?: (?:cannot|can[’']t|could not|couldn[’']t|am unable to|am not able to)|[’']m (?:unable|not able) to)"
_FIRST_PERSON = compiled_late(
    rf"^[^\w\"“'‘]*(?:{_SORRY}?(?:"
    rf"(?:i|we){_CANNOT} (?:answer|assist|provide|comply|determine|help (?:you|with)|find (?:it|this|that|any|the)\b)"
    rf"|(?:i|we)(?: do not|n[’']t| don[’']t| did not| didn[’']t) (?:have|see|find) "
    rf"(?:(?:access|enough|any|sufficient|the|that|specific|further) )*(?:{_KNOWN}|context|to answer)\b"
    r"|(?:i|we) (?:do not|don[’']t) know\W*$|(?:unable|not able) to (?:answer|determine)\b|as an ai\b"
    r"|(?:it is|it[’']s) (?:not possible|impossible) to (?:say|answer|determine|tell)\b[^.]*\b"
    rf"(?:{_THEM}|the text|this question|the question)\b)"
    rf"|{_SORRY}(?:(?:the|that|this|no|there is no) (?:question|information|mention|answer|is not)\b)"
    r"|(?:(?:i am|i[’']m) )?sorry\W*$)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\W*(?:answer\W+)?(?:it is |this is |that is )?not in the sources\b", re.IGNORECASE)


def declines(sentence: str) -> bool:
    """Whether a sentence speaks of what the sources do not say, or refuses.

    >>> declines("NOT IN THE SOURCES."), declines("The provided sources do not mention his age.")
    (True, True)
    >>> declines("The ministry did not say who was to blame."), declines("Police gave no details of the suspects.")
    (False, False)
    """
    if _TOKEN.match(sentence) or _FIRST_PERSON.match(sentence):
        return True
    if _SOURCES_ARE_SILENT.search(sentence):
        return _ONLY_THE_SOURCE.match(sentence) is None
    return _THERE_IS_NONE.search(sentence) is not None and _SAID_BY_SOMEBODY.search(sentence) is None
