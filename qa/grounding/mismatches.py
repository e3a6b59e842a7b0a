"""The hard checks: facts of a claim that the evidence does not say, or says differently.

`vetoes` are certain: they look for a figure or a name in the whole evidence. Which of two figures in one text is meant,
they leave to the network. `doubts` name what is likely wrong in a claim that the network refuses. `LexicalChecker`
needs no network: it uses shared words and the vetoes, for tests and as a baseline.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from qa.grounding import Mismatch, Provenance, Support, verdict_of
from qa.grounding.claim_evidence import (
    ClaimEvidence,
    best_rows,
    clauses,
    has_name,
    inside,
    is_in_a_date,
    supporting_spans,
    to_judge,
    words_for,
)
from qa.grounding.evidence import (
    AnalysedSentence,
    bears_out,
    comparable,
    counted,
    dated,
    same_parts,
    same_value,
    units_clash,
)
from qa.language.dates import Moment
from qa.language.names import NameWord, same_name
from qa.language.quantities import Quantity
from qa.language.words import Word, denials, families


def _name_mismatch(case: ClaimEvidence, name: NameWord, rows: Sequence[int]) -> Mismatch:
    """The mismatch, with another name from the best sentence, if it has one."""
    claimed = [other.text for other in case.claim.names]
    others = [
        other.text
        for row in rows[:1]
        for other in case.sentences[row].names
        if not any(same_name(other.text, text) for text in claimed)
    ]
    return Mismatch(kind="name", start=name.start, end=name.end, found=others[0] if others else "")


_BRACKETED = re.compile(r"\[[^\[\]]*\d[^\[\]]*\]")
_SAME_WORDS = 0.9
"""Share of a clause's words that a sentence must have before its denial counts. Of 1,425 claims held out from training,
this denies 17 false and 2 true ones; with fewer words in common it would deny as many true ones as false."""
_CLEARLY = 0.2
"""How much larger a share of the words around a figure another sentence must have than the sentence with the figure."""
_COUNTED = 4
"""Up to this, a number written as a word may count what the evidence lists."""
_ALIKE = 20
"""Up to this, a figure of the evidence may be the one that such a word got wrong."""


def vetoes(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """Numbers, units, dates and names of a claim that are nowhere in the evidence, and plain denials, in order."""
    return _unique(
        [
            *(item for quantity in case.claim.quantities if (item := _strange_quantity(case, quantity))),
            *(item for moment in case.claim.moments if moment.start >= 0 and (item := _strange_moment(case, moment))),
            *_bracketed(case),
            *_strange_names(case),
            *_negations(case, least=_SAME_WORDS),
        ]
    )


def doubts(case: ClaimEvidence) -> tuple[Mismatch, ...]:
    """What is likely wrong in an unsupported claim: all denials, and figures that belong to something else.

    These are no vetoes: "did not expect to win" denies no victory, and one figure may describe two things.
    """
    return _unique([*_negations(case), *_misplaced(case)])


def _misplaced(case: ClaimEvidence) -> Iterator[Mismatch]:
    """Figures in the evidence that seem misplaced: a sentence with more of the surrounding words has another figure."""
    for claimed in case.claim.quantities:
        near = case.near(claimed.start, claimed.unit_end)
        holders = [row for row, one in enumerate(case.sentences) if _holds(claimed, one)]
        if not holders:
            continue
        share = max(case.coverage.share([row], within=near) for row in holders)
        for row in best_rows(case.coverage, case.chosen, near):
            rivals = _rivals(case, claimed, case.sentences[row])
            if row not in holders and rivals and case.coverage.share([row], within=near) >= share + _CLEARLY:
                found = words_for(case.sentences[row], min(rivals, key=lambda rival: abs(rival.value - claimed.value)))
                yield Mismatch(kind="number", start=claimed.start, end=claimed.unit_end, found=found)
                break


def _unique(found: Iterable[Mismatch]) -> tuple[Mismatch, ...]:
    unique = {(item.start, item.end): item for item in found}
    return tuple(unique[key] for key in sorted(unique))


def _strange_names(case: ClaimEvidence) -> Iterator[Mismatch]:
    for name in case.claim.names:
        if not has_name(case, name):
            rows = best_rows(case.coverage, case.chosen, case.around(name.start, name.end))
            yield _name_mismatch(case, name, rows)


def _bracketed(case: ClaimEvidence) -> Iterator[Mismatch]:
    """Text in square brackets, usually a made-up reference, that no text of the evidence has."""
    for match in _BRACKETED.finditer(case.claim.text):
        if not any(match.group() in sentence.text for sentence in case.sentences):
            yield Mismatch(kind="number", start=match.start(), end=match.end())


def _strange_quantity(case: ClaimEvidence, claimed: Quantity) -> Mismatch | None:
    if any(_holds(claimed, sentence) for sentence in case.sentences) or _reckoned(case, claimed):
        return None
    span = {"start": claimed.start, "end": claimed.unit_end}
    near = _nearest(case, claimed.start, claimed.unit_end)
    for sentence in near:
        for said in sentence.quantities:
            if claimed.value == said.value and units_clash(claimed, said):
                return Mismatch(kind="unit", **span, found=words_for(sentence, said))
            if same_value(claimed, said) and not units_clash(claimed, said) and claimed.ordinal == said.ordinal:
                return Mismatch(kind="quantifier", **span, found=words_for(sentence, said))
    rivals = [(said, sentence) for sentence in near for said in _rivals(case, claimed, sentence)]
    spelt = claimed.value <= _COUNTED and case.claim.text[claimed.start].isalpha()
    if spelt and not any(1 <= said.value <= _ALIKE for said, _ in rivals):
        return None  # "the two" may sum up Ann and Ben
    # Among rival figures, take one of about the same size; else the one in the likeliest sentence.
    sized = [one for one in rivals if claimed.value / 2 <= one[0].value <= claimed.value * 2] or rivals[:1]
    return Mismatch(kind="number", **span, found=words_for(sized[0][1], sized[0][0]) if sized else "")


def _reckoned(case: ClaimEvidence, claimed: Quantity) -> bool:
    """Whether a figure need not be in the evidence: a share in words, or a bound that a figure there satisfies."""
    if claimed.bound in {"least", "most"}:
        said = [q.value for sentence in case.sentences for q in sentence.quantities if comparable(claimed, q)]
        return any(value >= claimed.value if claimed.bound == "least" else value <= claimed.value for value in said)
    return claimed.value < 1 and claimed.unit is None and case.claim.text[claimed.start].isalpha()


def _holds(claimed: Quantity, sentence: AnalysedSentence) -> bool:
    """Whether a sentence has a figure, whatever it describes."""
    return counted(claimed, sentence.quantities) or is_in_a_date(claimed, sentence)


def _rivals(case: ClaimEvidence, claimed: Quantity, sentence: AnalysedSentence) -> list[Quantity]:
    """The figures of a sentence that could replace the claimed one."""
    return [
        q
        for q in sentence.quantities
        if comparable(claimed, q) and not any(bears_out(own, q) for own in case.claim.quantities)
    ]


def _strange_moment(case: ClaimEvidence, claimed: Moment) -> Mismatch | None:
    bare = claimed.year is not None and claimed.month is None
    if any(
        dated(claimed, said.moments) or (bare and any(q.value == claimed.year for q in said.quantities))
        for said in case.sentences
    ):
        return None
    sentence = _nearest(case, claimed.start, claimed.end)[0]
    found = next((sentence.text[m.start : m.end] for m in sentence.moments if same_parts(claimed, m)), "")
    return Mismatch(kind="date", start=claimed.start, end=claimed.end, found=found)


def _nearest(case: ClaimEvidence, start: int, end: int) -> list[AnalysedSentence]:
    """The likely sentences; first the one with most of the clause's words around a fact."""
    return [case.sentences[row] for row in best_rows(case.coverage, case.chosen, case.around(start, end))]


def _negations(case: ClaimEvidence, *, least: float = 0.0) -> Iterator[Mismatch]:
    """Denials: the sentence behind a clause denies what the clause affirms, or the reverse."""
    for span in clauses(case.claim):
        within = inside(case.coverage, span)
        for row in best_rows(case.coverage, case.chosen, within)[:1]:
            if case.coverage.share([row], within=within) < least:
                continue
            yield from _turned(case.claim, case.sentences[row], span) or _denied(case.claim, case.sentences[row])


# --- Does the claim deny what its evidence affirms, or the reverse?
_SAID_OF = 2
"""How many content words after a negation it applies to."""
_NEARLY = 0.8
"""Share of common words from which two sentences are the same but for a negation."""


def _turned(claim: AnalysedSentence, said: AnalysedSentence, span: tuple[int, int]) -> list[Mismatch]:
    """Words that one sentence denies and the other affirms."""
    found: list[Mismatch] = []
    heads = set(_targets(said))
    own = set(_targets(claim))
    for at, word in _words_inside(claim, span):
        if word.number or any(name.start <= word.start < name.end for name in claim.names):
            continue
        same = [other for other, theirs in enumerate(said.words) if not theirs.stop and _kindred(word, theirs)]
        if not same or any(said.negated[other] == claim.negated[at] for other in same):
            continue
        if at in own or any(other in heads for other in same):
            theirs = said.words[same[0]]
            found.append(
                Mismatch(kind="negation", start=word.start, end=word.end, found=_phrase(said, same[0], theirs))
            )
    return found


def _denied(claim: AnalysedSentence, said: AnalysedSentence) -> list[Mismatch]:
    """The whole claim, if the two sentences have nearly the same words and differ by a negation."""
    ours, theirs = {word.stem for word in claim.words}, {word.stem for word in said.words}
    if len(ours & theirs) < _NEARLY * max(len(ours), len(theirs)):
        return []
    if (denials(claim.text, claim.words) + denials(said.text, said.words)) % 2 == 0:
        return []
    return [Mismatch(kind="negation", start=claim.words[0].start, end=claim.words[-1].end, found=said.text)]


def _targets(sentence: AnalysedSentence) -> Iterator[int]:
    """Positions of the first content words that each negation reaches."""
    left = 0
    for at, word in enumerate(sentence.words):
        begins = sentence.negated[at] and not (at and sentence.negated[at - 1])
        left = _SAID_OF if begins else left if sentence.negated[at] else 0
        if left and not word.stop:
            yield at
            left -= 1


def _words_inside(sentence: AnalysedSentence, span: tuple[int, int]) -> Iterator[tuple[int, Word]]:
    """Content words in a span, with their positions."""
    return ((at, word) for at, word in enumerate(sentence.words) if span[0] <= word.start < span[1] and not word.stop)


def _kindred(one: Word, other: Word) -> bool:
    known = families()
    return one.stem == other.stem or bool(known.get(one.stem, frozenset()) & known.get(other.stem, frozenset()))


def _phrase(sentence: AnalysedSentence, at: int, word: Word) -> str:
    """A word of the evidence with up to three words before it, which likely include its negation."""
    return sentence.text[sentence.words[max(0, at - 3)].start : word.end]


# --- A checker of shared words and vetoes
_DOUBT = 0.15
"""Score of a claim that a hard check fails, at most."""


class LexicalChecker:
    """The weighted share of a claim's words that a few sentences have; any hard mismatch pulls it down."""

    identity = "lexical 1"

    def check(
        self, claim: str, evidence: Sequence[str], *, question: str = "", contexts: Sequence[Provenance] = ()
    ) -> Support:
        """Judge one sentence; see `SupportChecker`."""
        case = to_judge(claim, evidence, question=question, contexts=contexts)
        if isinstance(case, Support):
            return case
        mismatches = vetoes(case)
        rows, share = supporting_spans(case)
        score = min(share, _DOUBT) if mismatches else share
        return Support(
            verdict=verdict_of(score, share, mismatches), score=round(score, 4), spans=rows, mismatches=mismatches
        )
