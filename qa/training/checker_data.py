"""Token ids of claims with their evidence, from files of premises and claims, and from the grounding sets.

Of the grounding sets only `GroundingRow.part == "fit"` is read, and of that a part is kept back: thresholds are set
by documents never trained on.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, read_sets
from qa.grounding import Provenance
from qa.grounding.claim_evidence import passages_of, set_against
from qa.training.reader_data import WRITTEN, Row, written_articles
from qa.training.rewordings import NAME

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = [
    "LABELS",
    "Asked",
    "Encoded",
    "Label",
    "Pair",
    "asked_of",
    "claimed",
    "development",
    "encoded",
    "judged_sentences",
    "kept_back",
    "pairs_of",
    "pairs_of_sets",
    "question_pairs",
    "shares",
    "written_pairs",
]


Label = Literal["entailment", "contradiction", "neutral", "not_entailment"]
LABELS: tuple[Label, ...] = ("entailment", "contradiction", "neutral", "not_entailment")
"""The first three are the network's outcomes; the last says only that it is not the first."""
CLAIM_TOKENS = 80
TOKENS = 256
"""Of the whole input; longer evidence is cut at its end."""
DEVELOPMENT_CLAIMS = 200
"""The last claims of the documents are kept to choose by."""
DEVELOPMENT_SHARE = 40
"""One in so many short pairs is kept to choose by."""
_EVIDENCE_WORDS = 130
"""Of the evidence that a claim is read with."""
_KEPT_BACK = 4
"""One in so many documents of the fitting halves."""


class Pair(msgspec.Struct, frozen=True):
    """One line of the training files; other fields are passed over."""

    premise: str
    hypothesis: str
    label: Label
    source: str = ""


class WrittenClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that was written for an article: in other words and true, or nearly in its words and not."""

    claim: str
    label: Literal["supported", "contradicted", "not_said"]
    evidence: tuple[str, ...]
    """How the sentences begin that it was made of."""
    change: str = ""
    """What was changed, where it is not supported."""


class WrittenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of one article, by its title."""

    title: str
    claims: tuple[WrittenClaim, ...]


class Encoded(msgspec.Struct, frozen=True):
    """Token ids of one input: the claim, then its evidence."""

    ids: tuple[int, ...]
    second: int
    """Where the evidence begins."""
    label: int
    """Place in `LABELS`."""


def pairs_of(path: Path) -> Iterator[Pair]:
    """Read one file of pairs, gzipped JSON Lines."""
    with gzip.open(path, "rb") as lines:
        decoder = msgspec.json.Decoder(Pair)
        for line in lines:
            yield decoder.decode(line)


_OUTCOMES: Mapping[str, Label] = {
    "supported": "entailment",
    "contradicted": "contradiction",
    "not_said": "neutral",
}


def written_pairs(*, held_out: bool, folder: Path = WRITTEN) -> Iterator[Pair]:
    """The claims on invented news in `folder/claims`, each with the passage that the checker would read it with.

    Those of one article in five are held out. Raises ValueError where no article of the file of the same name has the
    title, or evidence does not stand in it.
    """
    decoder = msgspec.json.Decoder(WrittenClaims)
    for path in sorted((folder / "claims").glob("*.jsonl")):
        articles = {article.title: (fold, article.text) for fold, article in written_articles(folder / path.name)}
        for made in map(decoder.decode, path.read_bytes().splitlines()):
            fold, text = articles.get(made.title, (0, ""))
            for one in made.claims:
                if missing := [begins for begins in one.evidence if begins not in text]:
                    raise ValueError(f"{path}: {made.title!r} does not hold {missing[0]!r}")
                if (fold == 0) is not held_out:
                    continue
                case = set_against(one.claim, [text], question="", contexts=[Provenance(title=made.title)])
                if case is not None:
                    premise = passages_of(case, words=_EVIDENCE_WORDS)[0]
                    yield Pair(premise, one.claim, _OUTCOMES[one.label], "written_claims")


def development(short: Sequence[Pair], documents: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """What to train on, and what to choose by: no claim of a document stands in both."""
    claims = list(dict.fromkeys(pair.hypothesis for pair in documents))
    kept = set(claims[-DEVELOPMENT_CLAIMS:])
    train = [pair for at, pair in enumerate(short) if at % DEVELOPMENT_SHARE]
    train += [pair for pair in documents if pair.hypothesis not in kept]
    return train, [*short[::DEVELOPMENT_SHARE], *(pair for pair in documents if pair.hypothesis in kept)]


def shares(pairs: Iterable[Pair], rng: random.Random, *, times: Mapping[str, int]) -> list[Pair]:
    """The pairs of one epoch, each as often as the beginning of its source's name says, else once; shuffled."""
    made: list[Pair] = []
    for pair in pairs:
        made += [pair] * next((count for name, count in times.items() if pair.source.startswith(name)), 1)
    rng.shuffle(made)
    return made


def encoded(pairs: Sequence[Pair], tokenizer: Tokenizer) -> list[Encoded]:
    """Cut pairs into token ids as the checker reads them: `[CLS] claim [SEP] evidence [SEP]`."""
    cls, sep = tokenizer.encode("").ids
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.premise, pair.hypothesis)))
    ids = {
        text: tuple(each.ids)
        for text, each in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True)
    }
    made = []
    for pair in pairs:
        head = (cls, *ids[pair.hypothesis][:CLAIM_TOKENS], sep)
        evidence = ids[pair.premise][: TOKENS - len(head) - 1]
        made.append(Encoded((*head, *evidence, sep), len(head), LABELS.index(pair.label)))
    return made


def kept_back(row: GroundingRow) -> bool:
    """Whether thresholds, and not weights, are set by this row's document."""
    return hashlib.blake2b(row.group.encode(), digest_size=1, salt=b"kept").digest()[0] % _KEPT_BACK == 0


def pairs_of_sets(folder: Path) -> Iterator[Pair]:
    """Every sentence of a response that people judged, or that stands unedited in a response they found supported."""
    rows = sorted(
        (row for row in read_sets(folder) if row.part == "fit" and not kept_back(row)),
        key=lambda row: (row.set, row.group),  # a document is read once while its rows follow each other
    )
    seen = set()
    for row, claim, supported in judged_sentences(rows):
        key = (row.group, claim, supported)
        if key in seen:
            continue
        seen.add(key)
        case = set_against(claim, [row.document], question="", contexts=[Provenance(title=row.title)])
        if case is None:
            continue
        label: Label = "entailment" if supported else "not_entailment"
        yield Pair(passages_of(case, words=_EVIDENCE_WORDS)[0], claim, label, f"set:{row.set}")


def judged_sentences(rows: Sequence[GroundingRow]) -> Iterator[tuple[GroundingRow, str, bool]]:
    """Sentences whose own truth is known: of a false response of several, only those that an edit or a mark touches."""
    true = {
        (row.group, row.response[start:end])
        for row in rows
        if row.supported
        for start, end in split_sentences(row.response)
    }
    for row in rows:
        spans = list(split_sentences(row.response))
        for start, end in spans:
            claim = row.response[start:end]
            if row.supported or (row.group, claim) in true:
                yield row, claim, True
            elif len(spans) == 1 or row.original is not None:
                if row.original is None or claim not in row.original:
                    yield row, claim, False
            elif row.wrong and any(start < last and first < end for first, last in row.wrong):
                yield row, claim, False


# --- Claims in the words of questions that people answered from a text: as answered, and otherwise
# People ask in words of their own, so these claims are not copies of a sentence; what is false of them is one answer in
# the place of another from the same text, or any answer to a question that the text leaves open.
_LONGEST_ANSWER = 12  # words
_LONGEST_EVIDENCE = 6  # sentences
_KINDS = ("squad1", "squad2", "squadshifts_new_wiki", "nq_dev", "qed", "qamr")
"""Reviews, posts and tales are too unlike news."""
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
_PARTICIPLE = re.compile(
    r" (?=(?:\w{2,}ed|born|built|made|known|found|held|given|taken|written|won|sold|led|seen|sent|thought|kept|spoken|"
    r"located|going|used|said|told|chosen|shown|drawn|lost|left|being|\w{3,}ing)\b)"
)
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
_INVERTED = re.compile(
    r"^(when|where|what year|in what year|in which year|on what date|on what day|what|who|how many \w+|how much|"
    r"(?:in|at|on|to|for|from) (?:what|which) \w+) (is|was|were|are|did|has|had) (.+)$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"^how (?:many|much) ((?!(?:did|do|does|is|was|were|are)\b)\w+ .+)$", re.IGNORECASE)
_PLACED = re.compile(
    r"^(?:in|at|on|near|during|from|by|since|after|before|to|between|around|under|for|of|with)\b", re.IGNORECASE
)
_FIGURE = re.compile(r"(?<![\w.,-])\d[\d,.]*\d%?|(?<![\w.,-])\d%?(?![\w-])")


class Asked(msgspec.Struct, frozen=True):
    """A question over a text in sentences, and its answer; none where the text has none."""

    question: str
    sentences: tuple[str, ...]
    at: int
    """Sentence of the answer."""
    answer: str


def asked_of(rows: Sequence[Row], *, fold: int) -> list[Asked]:
    """The questions of people over encyclopedias and news, but those of one fold."""
    found = []
    for row in rows:
        if row.fold == fold or not row.source.startswith(_KINDS):
            continue
        spans = list(split_sentences(row.context))
        sentences = tuple(row.context[start:end] for start, end in spans)
        if not row.answers:
            found.append(Asked(row.question, sentences, -1, ""))
            continue
        answer = row.answers[0]
        at = next((at for at, (_, end) in enumerate(spans) if answer.answer_start < end), -1)
        if at >= 0 and 0 < len(answer.text.split()) <= _LONGEST_ANSWER:
            found.append(Asked(row.question, sentences, at, answer.text.strip(" .,;:")))
    return found


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
    if not match or _PARTICIPLE.search(match[2]):
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
    elif cut := _PARTICIPLE.search(rest, 1):
        said = f"{rest[: cut.start()]} {auxiliary} {rest[cut.end() :]}"
    else:
        said = None
    if said is None:
        return None
    if kind.startswith("how"):
        return f"{said} {answer} {kind.split()[2]}" if kind.startswith("how many") else f"{said} {answer}"
    return f"{said} {_placed(kind, answer)}"


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


def question_pairs(asked: Sequence[Asked], rng: random.Random) -> Iterator[Pair]:
    """Claims with their evidence without end, as many false as true ones of the questions that have an answer."""
    answers: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for each in asked:
        if each.answer:
            answers.setdefault(each.sentences, set()).add((_kind(each.question), each.answer))
    while True:
        one = rng.choice(asked)
        evidence = _window(one, rng)
        if one.at < 0:
            if (wrong := _answered(one, answers, rng) or _other(one, "", rng)) and (
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
