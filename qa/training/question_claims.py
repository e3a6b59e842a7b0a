"""Claims in the words of questions that people answered from a text: as answered, and otherwise.

People ask in words of their own, so these claims are not copies of a sentence; what is false of them is one answer in
the place of another from the same text, or any answer to a question that the text leaves open. Asked whether a text
gives an answer, the checker learns most from the words that the reader would have shown: so each question is also read
in its own passage, and the reader's words are kept beside the right ones.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.metrics.answers import f1
from qa.reading import PassageText, Reader
from qa.training.checker_data import Label, Pair
from qa.training.reader_data import Row
from qa.training.rewordings import NAME

_LONGEST_ANSWER = 12  # words
_LONGEST_EVIDENCE = 6  # sentences
_KINDS = ("squad1", "squad2", "squadshifts_new_wiki", "nq_dev", "qed", "qamr", "written_news")
"""Reviews, posts and tales are too unlike news."""
_FIGURE = re.compile(r"(?<![\w.,-])\d[\d,.]*\d%?|(?<![\w.,-])\d%?(?![\w-])")


class Asked(msgspec.Struct, frozen=True):
    """A question over a text in sentences, and its answer; none where the text has none."""

    question: str
    sentences: tuple[str, ...]
    at: int
    """Sentence of the answer, or of what tempts; -1 for neither."""
    answer: str
    tempting: str = ""
    """Words that only seem to answer."""


def asked_of(rows: Sequence[Row], *, fold: int) -> list[Asked]:
    """The questions of people over encyclopedias and news, but those of one fold."""
    found = []
    for row in rows:
        if row.fold == fold or not row.source.startswith(_KINDS):
            continue
        spans = list(split_sentences(row.context))
        sentences = tuple(row.context[start:end] for start, end in spans)
        known = row.answers or row.plausible_answers
        if not known:
            found.append(Asked(row.question, sentences, -1, ""))
            continue
        words = known[0].text.strip(" .,;:")
        at = next((at for at, (_, end) in enumerate(spans) if known[0].answer_start < end), -1)
        if at >= 0 and 0 < len(words.split()) <= _LONGEST_ANSWER:
            told = {"answer": words} if row.answers else {"answer": "", "tempting": words}
            found.append(Asked(question=row.question, sentences=sentences, at=at, **told))
    return found


def question_pairs(asked: Sequence[Asked], rng: random.Random) -> Iterator[Pair]:
    """Claims with their evidence without end, as many false as true ones of the questions that have an answer."""
    answers: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for each in asked:
        if each.answer:
            answers.setdefault(each.sentences, set()).add((_kind(each.question), each.answer))
    while True:
        one = rng.choice(asked)
        evidence = _window(one, rng)
        if not one.answer:
            if (wrong := one.tempting or _answered(one, answers, rng) or _other(one, "", rng)) and (
                claim := claimed(one.question, wrong)
            ):
                yield Pair(evidence, claim, "not_entailment", "asked:open")
            continue
        true = claimed(one.question, one.answer)
        wrong = _answered(one, answers, rng) or _other(one, one.answer, rng)
        false = claimed(one.question, wrong) if wrong else None
        if true and false:
            yield Pair(evidence, true, "entailment", "asked:true")
            label: Label = "not_entailment"
            yield Pair(_window(one, rng), false, label, "asked:other")


def _kind(question: str) -> str:
    """What is asked for, as far as the first question word says."""
    found = re.search(
        r"\b(who|whose|when|where|how many|how much|(?:what|which)(?: (?!is|was|did|does)\w+)?)\b",
        question,
        re.IGNORECASE,
    )
    return found[1].lower() if found else ""


def _answered(one: Asked, answers: Mapping[tuple[str, ...], set[tuple[str, str]]], rng: random.Random) -> str | None:
    """The answer to another question of the kind over the same text; None where there is none that differs."""
    own = set(re.findall(r"\w+", one.answer.casefold()))
    asked = set(re.findall(r"\w+", one.question.casefold()))
    found = sorted(
        answer
        for kind, answer in answers.get(one.sentences, ())
        if kind == _kind(one.question)
        and not own & (words := set(re.findall(r"\w+", answer.casefold())))
        and not words & asked
        and _kind(one.question) not in {"what", "which", ""}
    )
    return rng.choice(found) if found else None


def _window(one: Asked, rng: random.Random) -> str:
    size = rng.choice([1, 2, 3, 3, 4, _LONGEST_EVIDENCE])
    at = one.at if one.at >= 0 else rng.randrange(len(one.sentences))
    begin = max(0, at - rng.randrange(size))
    return " ".join(one.sentences[begin : begin + size])


def _other(one: Asked, answer: str, rng: random.Random) -> str | None:
    """What a careless reader would take: another name or figure of the text, near the answer where there is one."""
    near = " ".join(one.sentences[max(0, one.at - 2) : one.at + 3] if one.at >= 0 else one.sentences)
    figures = re.search(r"\d", answer) or (not answer and re.match(r"when|how", one.question, re.IGNORECASE))
    kind = _FIGURE if figures else NAME
    if answer and kind is NAME and not re.search(r"[A-Z]", answer):
        return None
    own = set(re.findall(r"\w+", answer.casefold()))
    asked = set(re.findall(r"\w+", one.question.casefold()))
    found = [
        each
        for each in dict.fromkeys(kind.findall(near))
        if not own & (words := set(re.findall(r"\w+", each.casefold()))) and not words <= asked
    ]
    if kind is _FIGURE and re.fullmatch(r"1\d{3}|20\d{2}", answer):
        found = [each for each in found if re.fullmatch(r"1\d{3}|20\d{2}", each)]
        found = found or [str(int(answer) + rng.choice([-10, -3, -2, -1, 1, 2, 3, 10]))]
    return rng.choice(found) if found else None


# --- What the reader takes for the answers to these questions
_SOURCES = (
    "squad1",
    "squad2",
    "squadshifts_new_wiki",
    "nq_dev",
    "qed",
    "written_news",
    "mined_same",
    "mined_swap_entity",
)
"""Questions that say what they are about. Of the mined ones, which nothing answers, only as many as `_MINED`."""
_MINED = 6_000
_MOST = 16_000
"""Questions read: more would teach little, and reading them takes as long as a tenth of the training."""

_LONGEST_TEXT = 1_200
"""Characters of a passage: the rest of a longer one is not read."""
_RIGHT, _WRONG = 0.6, 0.2
"""Token F1 with a right answer from which words are right, and up to which they are wrong; those between are left."""
_FAR_BEHIND = 8.0
"""Log-odds behind the reader's first words: what lies further behind would tempt nobody."""
_BLOCK = 64


class ReadAnswer(msgspec.Struct, frozen=True):
    """Words that answer a question, or that only seem to, and the sentence they stand in."""

    question: str
    sentences: tuple[str, ...]
    at: int
    words: str
    right: bool


def questions_to_read(rows: Sequence[Row], *, fold: int, rng: random.Random) -> list[Row]:
    """The questions to read, in a random order, but those of one fold."""
    own = [row for row in rows if row.fold != fold and row.source.startswith(_SOURCES)]
    rng.shuffle(own)
    mined = [row for row in own if row.source.startswith("mined")]
    left_out = {id(row) for row in mined[_MINED:]}
    return [row for row in own if id(row) not in left_out][:_MOST]


def read_answers(rows: Sequence[Row], reader: Reader, *, kept: Path) -> list[ReadAnswer]:
    """Read every question in its passage; what was read is kept in a file, and read on from there."""
    decoder = msgspec.json.Decoder(list[ReadAnswer])
    blocks = [decoder.decode(line) for line in kept.read_bytes().splitlines()] if kept.exists() else []
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("ab") as file:
        for begin in range(len(blocks) * _BLOCK, len(rows), _BLOCK):
            blocks.append([one for row in rows[begin : begin + _BLOCK] for one in _of_row(row, reader)])
            file.write(msgspec.json.encode(blocks[-1]) + b"\n")
            file.flush()
            if len(blocks) % 20 == 0:
                print(f"read {begin + _BLOCK:,} of {len(rows):,} questions", flush=True)
    return [one for block in blocks for one in block]


def _of_row(row: Row, reader: Reader) -> Iterator[ReadAnswer]:
    text = row.context[:_LONGEST_TEXT]
    spans = split_sentences(text)
    sentences = tuple(text[start:end] for start, end in spans)
    (read,) = reader.read(row.question, [PassageText(text=text, title="")])
    found = [(span.start, text[span.start : span.end], span.logit) for span in read]
    known = [(one.answer_start, one.text) for one in row.answers if one.answer_start + len(one.text) <= len(text)]
    if row.answers and not known:
        return
    right = [(start, words) for start, words, _ in found[:1] if _agrees(words, row) >= _RIGHT]
    wrong = [
        (start, words)
        for start, words, logit in found
        if logit > found[0][2] - _FAR_BEHIND and (not row.answers or _agrees(words, row) <= _WRONG)
    ]
    if not row.answers and row.plausible_answers:
        wrong = [(one.answer_start, one.text) for one in row.plausible_answers[:1]] + wrong[:1]
    for is_right, choices in ((True, known[:1] + right), (False, wrong[: 2 if row.answers else 1])):
        for start, words in dict.fromkeys(choices):
            at = next((at for at, (_, end) in enumerate(spans) if start < end), -1)
            if at >= 0 and 0 < len(words.split()) <= _LONGEST_ANSWER:
                yield ReadAnswer(row.question, sentences, at, words.strip(" .,;:"), is_right)


def _agrees(words: str, row: Row) -> float:
    return f1(words, [one.text for one in row.answers])


def verdict_pairs(answers: Sequence[ReadAnswer], rng: random.Random) -> Iterator[Pair]:
    """Claims that words answer a question, with their evidence, without end; as many true as false ones."""
    right, wrong = ([one for one in answers if one.right is kind] for kind in (True, False))
    while True:
        for one in (rng.choice(right), rng.choice(wrong)):
            size = rng.choice([1, 1, 2, 2, 3, _LONGEST_EVIDENCE])
            begin = max(0, one.at - rng.randrange(size))
            evidence = " ".join(one.sentences[begin : begin + size])
            claim = claim_of(one.question, one.words)
            yield Pair(evidence, claim, "entailment" if one.right else "not_entailment", "answer")


# --- A question with words that may answer it, as one sentence
_PAST: Mapping[str, str] = {
    "win": "won", "become": "became", "begin": "began", "take": "took", "make": "made", "get": "got", "give": "gave",
    "go": "went", "come": "came", "say": "said", "see": "saw", "find": "found", "lose": "lost", "leave": "left",
    "meet": "met", "build": "built", "hold": "held", "keep": "kept", "lead": "led", "write": "wrote", "sell": "sold",
    "buy": "bought", "send": "sent", "speak": "spoke", "tell": "told", "think": "thought", "teach": "taught",
    "fight": "fought", "fall": "fell", "rise": "rose", "run": "ran", "sign": "signed", "grow": "grew", "know": "knew",
    "show": "showed", "draw": "drew", "choose": "chose", "drive": "drove", "feel": "felt", "have": "had", "do": "did",
    "serve": "served", "die": "died", "move": "moved", "live": "lived", "use": "used", "create": "created",
    "release": "released", "receive": "received", "announce": "announced", "propose": "proposed", "state": "stated",
    "believe": "believed", "replace": "replaced", "invade": "invaded", "marry": "married", "study": "studied",
    "occupy": "occupied", "want": "wanted", "start": "started", "work": "worked", "play": "played", "join": "joined",
    "attack": "attacked", "attend": "attended", "call": "called", "appear": "appeared", "return": "returned",
    "open": "opened", "happen": "happened", "occur": "occurred", "help": "helped", "add": "added", "end": "ended",
    "reach": "reached", "record": "recorded", "publish": "published", "perform": "performed", "produce": "produced",
    "develop": "developed", "establish": "established", "refer": "referred", "allow": "allowed", "form": "formed",
    "claim": "claimed", "offer": "offered", "kill": "killed", "visit": "visited", "launch": "launched",
}  # fmt: skip
_PARTICIPLES = (
    re.compile(
        r" (?=(?:\w{2,}ed|born|built|made|known|found|held|given|taken|written|won|sold|led|seen|sent|thought|kept|"
        r"spoken|going|said|told|chosen|shown|drawn|lost|left|being|put|set|cut|hit|shot|caught|brought|bought)\b)"
    ),
    re.compile(r" (?=\w{3,}ing\b)"),
)
"""Of most verbs the past one; words in -ing are nouns more often ("the meeting"), so that they are looked for last."""
_NO_VERB = re.compile(r"(?:\b(?:the|an?|his|her|its|their|this|that|of|in|at|for|by|\w+ly)|\d)$", re.IGNORECASE)
"""What stands before a noun, or before a word that describes one."""
_AUXILIARIES = r"(?:is|was|were|are|has|had|have|will|would|can|could)"
_KIND = rf"(?:(?:what|which)(?: (?!{_AUXILIARIES}\b|(?:the|a|an|did|do|does|in|of|to)\b)\w+){{0,3}}|who)"
_SUBJECT = re.compile(
    rf"^{_KIND} ((?:{_AUXILIARIES}\b"
    r"(?! (?:the|a|an|there|he|she|it|they|his|her|its|their|this|that|these|those|(?-i:[A-Z]))\b)|"
    r"(?!did\b|do\b|does\b)\w{2,}ed\b|"
    r"(?:won|wrote|led|made|became|began|took|gave|said|ran|built|sold|held|found|sings|plays|sang)\b).+)$",
    re.IGNORECASE,
)
_IS = re.compile(
    r"^(?:who|what|which) (is|was|were|are) ((?:the|a|an|his|her|its|their) .+|(?-i:[A-Z]).+)$", re.IGNORECASE
)
_OPEN = re.compile(r"\b(?:about|for|of|in|with|to|from|at|on|by|like)$")
"""How a question ends whose answer belongs behind that word."""
_INVERTED = re.compile(
    r"^(when|where|what year|in what year|in which year|on what date|on what day|what|who|how many \w+|how much|"
    r"(?:in|at|on|to|for|from) (?:what|which) \w+) (is|was|were|are|did|has|had) (.+)$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"^how (?:many|much) ((?!(?:did|do|does|is|was|were|are)\b)\w+ .+)$", re.IGNORECASE)
_PLACED = re.compile(
    r"^(?:in|at|on|near|during|from|by|since|after|before|to|between|around|under|for|of|with)\b", re.IGNORECASE
)


def claim_of(question: str, answer: str) -> str:
    """The sentence that a question makes with its answer; where its form is not known, both behind each other.

    >>> claim_of("Who won the cup?", "Ajax"), claim_of("Why did it close?", "floods")
    ('Ajax won the cup.', 'Why did it close? floods.')
    """
    return claimed(question, answer) or f"{question.strip()} {answer.rstrip('.')}."


def claimed(question: str, answer: str) -> str | None:
    """A question with its answer as a sentence; None where its form is not known.

    >>> claimed("When was the tower built?", "1889"), claimed("Who won the cup?", "Ajax")
    ('The tower was built in 1889.', 'Ajax won the cup.')
    >>> claimed("Where did Ann Lee win the race?", "Oslo"), claimed("How many people live there?", "300")
    ('Ann Lee won the race in Oslo.', '300 people live there.')
    """
    asked = question.strip().rstrip("? .").strip()
    made = _amount(asked, answer) or _subject(asked, answer) or _inverted(asked, answer) or _is(asked, answer)
    return f"{made[:1].upper()}{made[1:]}." if made else None


def _subject(asked: str, answer: str) -> str | None:
    match = _SUBJECT.match(asked)
    return f"{answer} {match[1]}" if match else None


def _is(asked: str, answer: str) -> str | None:
    match = _IS.match(asked)
    if not match or _verb_at(match[2]) is not None or _OPEN.search(match[2]):
        return None
    return f"{match[2]} {match[1].lower()} {answer}"


def _amount(asked: str, answer: str) -> str | None:
    match = _AMOUNT.match(asked)
    if not match or re.search(r" (?:did|do|does|is|are|was|were|has|had|have|will|can) ", f" {match[1]} "):
        return None
    return f"{answer} {match[1]}" if re.search(r"\d|hundred|thousand|million|two|three|four|five", answer) else None


def _inverted(asked: str, answer: str) -> str | None:
    match = _INVERTED.match(asked)
    if not match:
        return None
    kind, auxiliary, rest = match[1].lower(), match[2].lower(), match[3]
    if auxiliary == "did":
        said = _told(rest)
    elif (at := _verb_at(rest)) is not None:
        said = f"{rest[:at]} {auxiliary}{rest[at:]}"
    else:
        said = None
    if said is None:
        return None
    if kind.startswith("how"):
        return f"{said} {answer} {kind.split()[2]}" if kind.startswith("how many") else f"{said} {answer}"
    return f"{said} {_placed(kind, answer)}"


def _verb_at(rest: str) -> int | None:
    """Where the space before the participle stands: "the meeting held" -> 11; None without one."""
    found = (cut.start() for pattern in _PARTICIPLES for cut in pattern.finditer(rest, 1))
    return next((at for at in found if not _NO_VERB.search(rest[:at])), None)


def _told(rest: str) -> str | None:
    """ "Ann Lee win the race" becomes "Ann Lee won the race"."""
    words = rest.split()
    for at, word in enumerate(words[1:], start=1):
        if word in _PAST and words[at - 1] not in {"to", "the", "a", "an", "of"}:
            return " ".join([*words[:at], _PAST[word], *words[at + 1 :]])
    return None


def _placed(kind: str, answer: str) -> str:
    if _PLACED.match(answer) or kind in {"what", "who"}:
        return answer
    before = kind.split(maxsplit=1)[0]
    if before in {"in", "at", "on", "to", "for", "from"}:
        return f"{before} {answer}"
    return f"on {answer}" if re.match(r"[A-Z][a-z]+ \d{1,2}\b|\d{1,2} [A-Z]|\w+day\b", answer) else f"in {answer}"
