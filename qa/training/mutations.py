"""Claims with their evidence, true and false, made of texts by rule, to train a support checker.

What is false by one change stands beside what is true after as many, and the change is made in the evidence as often
as in the claim: so neither a strange claim nor a changed word tells which is which. The texts are those of the
reader's training files.
"""

import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from embeddings.chunking.sentences import split_sentences
from embeddings.month_names import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from qa.training.checker_data import Label, Pair
from qa.training.reader_data import rows_of
from qa.training.rewordings import EXCHANGES, HEDGES, NAME, NUMBER, NUMBER_WORDS, UNITS, reworded, rounded

LONGEST_EVIDENCE = 6  # sentences
_JOINT = re.compile(r"^(?:,? (?:and|or|und|&|of|in) |, )$")
_SUBJECT = re.compile(
    r"^((?:The |A |An )?[^,;:()\"“]{2,60}?) (?=(?:was|were|is|are|has|had|will|would|can|could|became|made|said|won|"
    r"began|took|announced|received|moved|died|played|reported|told|served|released|wrote|used)\b)"
)
_AUXILIARY = re.compile(r"\b(was|were|is|are|has|had|will|would|can|could|did|does)\b(?! (?:not|no|never|n't)\b)")
_DENIAL = re.compile(r"\b(?:not|never) |(?<=\w)n['’]t\b|\bno (?=[a-z])")
Text = Sequence[str]  # its sentences
VALIDATION_FOLD = 0  # of the reader's files; left out here too
_SENTENCES_OF = ("train", "train-sentences")
_OTHER_KINDS = ("squadshifts", "fairytaleqa")  # shop reviews, forums, tales: too unlike news


def _both(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    return dict(pairs) | {right: left for left, right in pairs}


def made_pairs(texts: Sequence[Text], rng: random.Random, *, limit: int) -> list[Pair]:
    """About `limit` claims with their evidence: for each that is false, one of the same sentence that is true."""
    made: list[Pair] = []
    while len(made) < limit:
        text = rng.choice(texts)
        at = rng.randrange(len(text))
        false = _false(text, at, rng)
        if false is not None:
            made += [false, _true(text, at, rng)]
    return made


def edited_pairs(pairs: Sequence[Pair], rng: random.Random, *, limit: int) -> list[Pair]:
    """About `limit` claims in people's own words, half of them falsified: of each pair, the claim or its evidence."""
    true = [pair for pair in pairs if pair.label == "entailment" and not pair.source.startswith("snli")]
    made: list[Pair] = []
    for pair in rng.sample(true, k=len(true)):
        if len(made) >= limit:
            break
        evidence = [pair.premise[start:end] for start, end in split_sentences(pair.premise)]
        changed = _changed([pair.hypothesis, *evidence], 0, rng)
        if changed is None or changed[1] in _VAGUE:
            continue
        made.append(Pair(pair.premise, changed[0], changed[2], f"edited:{changed[1]}"))
        made.append(pair)
    return made


def among_others(pair: Pair, texts: Sequence[Text], rng: random.Random) -> Pair:
    """The pair with its evidence among a few sentences of another text, which say nothing of the claim."""
    text = rng.choice(texts)
    begin = rng.randrange(len(text))
    others = " ".join(text[begin : begin + rng.choice([1, 1, 2, 3])])
    evidence = f"{others} {pair.premise}" if rng.random() < 0.5 else f"{pair.premise} {others}"
    return Pair(evidence, pair.hypothesis, pair.label, pair.source)


def _window(text: Text, at: int, rng: random.Random) -> tuple[list[str], int]:
    """A few sentences around one, and where it stands among them."""
    size = rng.choice([1, 1, 2, 3, 4, LONGEST_EVIDENCE])
    begin = max(0, at - rng.randrange(size))
    return list(text[begin : begin + size]), at - begin


def _true(text: Text, at: int, rng: random.Random) -> Pair:
    evidence, place = _window(text, at, rng)
    if rng.random() < 0.5 and (changed := _changed(text, at, rng)):
        evidence[place] = changed[0]
    source = evidence[place]
    claim = reworded(source, rng)
    if place + 1 < len(evidence) and rng.random() < 0.3:
        other = reworded(evidence[place + 1], rng, most=1)
        claim = _joined(claim, other, rng.choice(_NEUTRAL_LINKS))
    elif place and rng.random() < 0.5:
        claim = _named(evidence[place - 1], claim)
    return Pair(" ".join(evidence), claim, "entailment", "made:true")


def _false(text: Text, at: int, rng: random.Random) -> Pair | None:
    evidence, place = _window(text, at, rng)
    draw = rng.random()
    if draw < 0.12:
        others = [sentence for sentence in text if sentence not in evidence]
        return Pair(" ".join(evidence), reworded(rng.choice(others), rng), "neutral", "made:absent") if others else None
    if draw < 0.2 and place + 1 < len(evidence):
        link = rng.choice(_CAUSAL_LINKS)
        return Pair(" ".join(evidence), _joined(evidence[place], evidence[place + 1], link), "neutral", "made:cause")
    changed = _changed(text, at, rng)
    if changed is None:
        return None
    mutated, kind, label = changed
    claim = mutated
    if kind not in _ONE_WAY and rng.random() < 0.5:
        claim, evidence[place] = evidence[place], mutated
    if rng.random() < 0.6:
        claim = _reworded_apart(claim, evidence[place], rng)
    if place + 1 < len(evidence) and rng.random() < 0.2:
        first, second = rng.sample([claim, evidence[place + 1]], k=2)
        claim = _joined(first, second, rng.choice(_NEUTRAL_LINKS))
    return Pair(" ".join(evidence), claim, label, f"made:{kind}")


def _reworded_apart(claim: str, source: str, rng: random.Random) -> str:
    """A rewording that keeps every word that the source does not have; the claim itself where it would not."""
    made = reworded(claim, rng)
    own = set(re.findall(r"\w+", claim)) - set(re.findall(r"\w+", source))
    return made if own and own <= set(re.findall(r"\w+", made)) else claim


def _changed(text: Text, at: int, rng: random.Random) -> tuple[str, str, Label] | None:
    """A sentence falsified in one place, by which rule, and what its source makes of it."""
    others = [sentence for place, sentence in enumerate(text) if place != at]
    for kind in sorted(rng.sample(list(FALSIFIERS), k=7), key=lambda kind: _COMMONNESS.get(kind, 0) * rng.random()):
        falsify, label = FALSIFIERS[kind]
        made = falsify(text[at], others, rng)
        if made is not None and made != text[at]:
            return made, kind, label
    return None


def _joined(first: str, second: str, link: str) -> str:
    start = second[:1].lower() + second[1:] if re.match(r"(?:The|It|He|She|They|A|An|In|On|This) ", second) else second
    return f"{first.removesuffix('.')}{link}{start}"


def _named(before: str, claim: str) -> str:
    """A pronoun at the start replaced by the one person whom the sentence before speaks of."""
    subject = re.match(r"([A-Z][a-z]+ [A-Z][a-z]+) (?=was|is|had|has|became|won|said|played)", before)
    if not subject or len(NAME.findall(before)) > 1:
        return claim
    return re.sub(r"^(?:He|She) ", f"{subject[1]} ", claim)


def _number(text: str, others: Text, rng: random.Random) -> str | None:
    found = [*NUMBER.finditer(text), *re.finditer(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b", text)]
    if not found:
        return None
    chosen = rng.choice(found)
    written = chosen.group()
    elsewhere = [m.group() for s in others for m in NUMBER.finditer(s) if len(m.group()) == len(written)]
    if written in NUMBER_WORDS:
        other = rng.choice(NUMBER_WORDS)
    elif rng.random() < 0.3 and (loose := rounded(written, rng, after=text[chosen.end() :])):
        other = loose[1]
    elif elsewhere and rng.random() < 0.4:
        other = rng.choice(elsewhere)
    else:
        place = rng.choice([at for at, sign in enumerate(written) if sign.isdigit()][:3])
        other = written[:place] + rng.choice("123456789") + written[place + 1 :]
    return text[: chosen.start()] + other + text[chosen.end() :]


def _date(text: str, others: Text, rng: random.Random) -> str | None:
    del others
    for listed in (ENGLISH_WEEKDAYS, ENGLISH_MONTHS):
        if found := list(re.finditer(rf"\b(?:{'|'.join(listed)})\b", text)):
            chosen = rng.choice(found)
            return text[: chosen.start()] + rng.choice(listed) + text[chosen.end() :]
    if years := list(re.finditer(r"\b(1\d|20)\d\d\b", text)):
        chosen = rng.choice(years)
        return (
            text[: chosen.start()]
            + str(int(chosen.group()) + rng.choice([-10, -4, -2, -1, 1, 2, 3, 10]))
            + text[chosen.end() :]
        )
    return None


def _name(text: str, others: Text, rng: random.Random) -> str | None:
    found = list(NAME.finditer(text))
    strange: list[str] = [name for other in others for name in NAME.findall(other) if name not in text]
    if not found or not strange:
        return None
    chosen = rng.choice(found)
    if chosen.group() in ENGLISH_MONTHS or chosen.group() in ENGLISH_WEEKDAYS:
        return None
    return text[: chosen.start()] + rng.choice(strange) + text[chosen.end() :]


def _roles(text: str, others: Text, rng: random.Random) -> str | None:
    """Two names, or two numbers, of one sentence exchanged; not of a list, where their order says nothing."""
    del others
    for pattern in rng.sample([NAME, NUMBER], k=2):
        found = [m for m in pattern.finditer(text) if m.group() not in ENGLISH_MONTHS + ENGLISH_WEEKDAYS]
        pairs = [
            (left, right)
            for left, right in itertools.pairwise(found)
            if not _JOINT.match(text[left.end() : right.start()]) and left.group() not in right.group()
        ]
        if pairs:
            one, two = rng.choice(pairs)
            return text[: one.start()] + two.group() + text[one.end() : two.start()] + one.group() + text[two.end() :]
    return None


def _negation(text: str, others: Text, rng: random.Random) -> str | None:
    del others
    if denied := list(_DENIAL.finditer(text)):
        chosen = rng.choice(denied)
        return text[: chosen.start()] + text[chosen.end() :]
    match = _AUXILIARY.search(text)
    return f"{text[: match.end()]} {rng.choice(['not', 'never', 'not'])}{text[match.end() :]}" if match else None


def _exchange(table: Mapping[str, str]) -> Callable[[str, Text, random.Random], str | None]:
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(table, key=len, reverse=True))})(?![\w-])")

    def exchange(text: str, others: Text, rng: random.Random) -> str | None:
        del others
        found = list(pattern.finditer(text))
        if not found:
            return None
        chosen = rng.choice(found)
        return text[: chosen.start()] + table[chosen.group()] + text[chosen.end() :]

    return exchange


def _merged(text: str, others: Text, rng: random.Random) -> str | None:
    """Another sentence's subject."""
    own = _SUBJECT.match(text)
    subjects = [m[1] for s in others if (m := _SUBJECT.match(s)) and m[1] not in {"It", "He", "She", "They", "This"}]
    if not own or not subjects:
        return None
    other = rng.choice(subjects)
    same = set(own[1].casefold().split()) & set(other.casefold().split()) - {"the", "a", "an"}
    return None if same or len(own[1]) < 4 else other + text[own.end(1) :]


def _detail(text: str, others: Text, rng: random.Random) -> str | None:
    """A place, time or purpose of another sentence, added."""
    found = [m[1] for s in others for m in re.finditer(r" ((?:in|at|on|for|with|from|by) [^,.;:()\"“]{4,40})[,.]", s)]
    found = [phrase for phrase in found if phrase not in text]
    return f"{text.removesuffix('.')} {rng.choice(found)}." if found else None


def _turned(text: str, others: Text, rng: random.Random) -> str | None:
    """What caused or preceded, and what followed, exchanged."""
    del others, rng
    match = re.match(
        r"([A-Z][^,;:()\"“]{12,}),? (because|after|before|until|unless|so that) ([^,;:()\"“]{12,})\.$", text
    )
    if not match or re.search(r"\b(?:and|that|who|which)\b", match[0]):
        return None
    start = (
        match[1][:1].lower() + match[1][1:] if re.match(r"(?:The|It|He|She|They|A|An|This) ", match[1]) else match[1]
    )
    return f"{match[3][:1].upper()}{match[3][1:]} {match[2]} {start}."


def _speaker(text: str, others: Text, rng: random.Random) -> str | None:
    """Said by somebody who is only named elsewhere in the text."""
    names = [name for sentence in others for name in NAME.findall(sentence) if " " in name and name not in text]
    if not names or not re.match(r"(?:The|It|He|She|They|A|An) ", text):
        return None
    return f"{rng.choice(names)} said {rng.choice(['', 'that '])}{text[:1].lower()}{text[1:]}"


# They falsify copies only: "some" of a paraphrase may be "all" of its source, and its source has details it leaves out.
_VAGUE = frozenset({"exchange", "hedge", "unit", "detail", "merged"})
_NEUTRAL_LINKS = (", and ", "; ", ", while ", ". ")
_CAUSAL_LINKS = (" because ", ", which caused that ", " as a result of the fact that ", " only after ")


# Changes that say more than the sentence: the other way round, the claim would be supported.
_ONE_WAY = frozenset({"detail", "speaker", "hedge"})
_COMMONNESS: Mapping[str, float] = {"detail": 3, "speaker": 3, "negation": 3, "name": 1.5, "exchange": 1, "roles": 1}
"""How many sentences take a change: the rarer are tried before, lest the others be most of all."""
FALSIFIERS: Mapping[str, tuple[Callable[[str, Text, random.Random], str | None], Label]] = {
    "number": (_number, "contradiction"),
    "date": (_date, "contradiction"),
    "name": (_name, "not_entailment"),
    "roles": (_roles, "not_entailment"),
    "negation": (_negation, "contradiction"),
    "exchange": (_exchange(_both(EXCHANGES)), "not_entailment"),
    "hedge": (_exchange(HEDGES), "not_entailment"),
    "unit": (_exchange(_both(UNITS)), "not_entailment"),
    "merged": (_merged, "not_entailment"),
    "turned": (_turned, "not_entailment"),
    "detail": (_detail, "neutral"),
    "speaker": (_speaker, "neutral"),
}


def sentences_of(folder: Path) -> list[Text]:
    """The texts of the reader's training files, in sentences; single sentences by the article they are from."""
    texts: dict[str, list[str]] = {}
    for name in _SENTENCES_OF:
        for row in rows_of(folder / f"{name}.jsonl.gz"):
            if row.fold == VALIDATION_FOLD or row.source.startswith(_OTHER_KINDS):
                continue
            key = row.context if name == "train" else row.group
            own = texts.setdefault(key, [])
            if own and name == "train":
                continue
            cut = [row.context[start:end] for start, end in split_sentences(row.context)]
            own += [sentence for sentence in cut if _is_plain(sentence) and sentence not in own]
    return [text for text in texts.values() if len(text) > 1]


def _is_plain(sentence: str) -> bool:
    return 6 <= len(sentence.split()) <= 45 and sentence.endswith(".") and sentence[0].isupper() and "[" not in sentence
