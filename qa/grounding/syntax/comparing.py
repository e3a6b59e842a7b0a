"""Takes a claim and the sentences it rests on, parsed, gives what stands in another's place: figures, names, speakers.

Of every figure of the claim it asks whether the evidence ties the same figure to the same words, or rather another one;
of every name that does or suffers something, whether another name of its sentence does. In the manner of dependency arc
entailment (Goyal & Durrett, 2020), counted instead of trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from qa.grounding.facts import bears_out, comparable, same_value
from qa.grounding.reading import Sentence as Read
from qa.grounding.syntax.bonds import Bond
from qa.grounding.syntax.speakers import other_speaker
from qa.grounding.syntax.ties import Sentence, Tie, kindred, likeness
from qa.language.names import Name, same_name
from qa.language.quantities import Quantity

__all__ = ["Comparison", "Rivalled"]

_LEAST_TIED = 0.75
"""A fact tied to less than this of the evidence's words is not compared: anything would do."""
_DOING = ("subject", "object", "by")
_CLOSE = 2
"""Bonds over which two names may be one's: "the captain, Ines Marlowe"."""
_POINTING = frozenset("he she it they him her them his its their who which that this these those i we you".split(" "))

Place = tuple[int, int]
"""A word of the evidence: number of its sentence, place in it."""


class Rivalled(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the claim with the one of the evidence that may stand in its place."""

    start: int
    end: int
    """Span in the claim."""
    lead: float
    """How much more of what the claim ties the fact to the evidence ties to the other: a share, below 0 where less."""
    rival: str
    """The other fact, in the words of the evidence."""


class _Fact(msgspec.Struct, frozen=True):
    said: Quantity | tuple[Name, ...]
    word: int
    own: frozenset[int]


class Comparison:
    """A claim held against its evidence."""

    def __init__(self, claim: tuple[Read, Sentence], evidence: Sequence[tuple[Read, Sentence]]) -> None:
        self._claim = claim[1]
        self._read = list(evidence)
        self._evidence = [parsed for _, parsed in evidence]
        self._facts = _facts(*claim)
        self._theirs = [(row, fact) for row, pair in enumerate(evidence) for fact in _facts(*pair)]
        self._met: list[list[Place]] = [
            [
                (row, at)
                for row, sentence in enumerate(self._evidence)
                for at, other in enumerate(sentence.words)
                if kindred(word, other)
            ]
            for word in self._claim.words
        ]

    @cached_property
    def numbers(self) -> tuple[Rivalled, ...]:
        """The claim's figures, each beside the best other one of its kind."""
        own = [fact for fact in self._facts if isinstance(fact.said, Quantity)]
        return tuple(item for fact in own if (item := self._rivalled(fact, self._rivals(fact))))

    @cached_property
    def names(self) -> tuple[Rivalled, ...]:
        """The claim's names that do or suffer what another name of the same sentence of evidence does or suffers."""
        own = [fact for fact in self._facts if not isinstance(fact.said, Quantity)]
        doing = [(fact, [one for one in self._rivals(fact) if self._has_role_of(fact, *one)]) for fact in own]
        return tuple(item for fact, rivals in doing if (item := self._rivalled(fact, rivals)))

    @cached_property
    def other_speaker(self) -> int | None:
        """The word of the claim for who says it, where the evidence has somebody else say it."""
        return other_speaker(self._claim, self._read)

    def _rivals(self, fact: _Fact) -> list[tuple[int, _Fact]]:
        return [(row, other) for row, other in self._theirs if _rival(fact, other)]

    def _rivalled(self, fact: _Fact, rivals: Sequence[tuple[int, _Fact]]) -> Rivalled | None:
        """A fact beside the best that may stand in its place; None without one, or where little is tied to it."""
        ties = {at: tie for at, tie in self._claim.ties[fact.word].items() if self._met[at] and at not in fact.own}
        total = sum(tie.strength for tie in ties.values())
        if total < _LEAST_TIED or not rivals:
            return None
        same = [(row, other.word) for row, other in self._theirs if _same(fact, other)]
        if not isinstance(fact.said, Quantity):
            same += self._pointing
        kept = max((self._share(ties, place) for place in same), default=0.0)
        best, (row, rival) = max(
            ((self._share(ties, (row, other.word)), (row, other)) for row, other in rivals), key=lambda item: item[0]
        )
        words = [self._claim.words[at] for at in fact.own]
        return Rivalled(
            start=min(word.start for word in words),
            end=max(word.end for word in words),
            lead=(best - kept) / total,
            rival=self._text(row, rival),
        )

    @cached_property
    def _pointing(self) -> list[Place]:
        """Pronouns of the evidence: any of them may be any name."""
        return [
            (row, at)
            for row, sentence in enumerate(self._evidence)
            for at, word in enumerate(sentence.words)
            if word.text.lower() in _POINTING
        ]

    def _has_role_of(self, fact: _Fact, row: int, rival: _Fact) -> bool:
        """Whether a name has the claimed one's role at the same verb, where the claimed one has another in it."""
        mine = frozenset[int]().union(*(other.own for at, other in self._theirs if at == row and _same(fact, other)))
        sentence = self._evidence[row]
        ties = sentence.ties[rival.word]
        if not mine or any(at in ties and _is_same_thing(ties[at]) for at in mine):
            return False
        claimed = [bond for bond in self._claim.bonds if bond.dependent in fact.own and bond.role in _DOING]
        return any(
            bond.dependent in rival.own
            and any(self._is_bond(one, bond, sentence) for one in claimed)
            and not any(
                other.dependent in mine and (other.head, other.role) == (bond.head, bond.role)
                for other in sentence.bonds
            )
            for bond in sentence.bonds
        )

    def _is_bond(self, claimed: Bond, said: Bond, sentence: Sentence) -> bool:
        return claimed.role == said.role and kindred(self._claim.words[claimed.head], sentence.words[said.head])

    def _text(self, row: int, fact: _Fact) -> str:
        read, parsed = self._read[row]
        words = [parsed.words[at] for at in fact.own]
        return read.text[min(word.start for word in words) : max(word.end for word in words)]

    def _share(self, ties: Mapping[int, Tie], place: Place) -> float:
        row, at = place
        theirs = self._evidence[row].ties[at]
        return sum(
            tie.strength
            * max(
                (
                    likeness(tie, theirs[other])
                    for number, other in self._met[word]
                    if number == row and other != at and other in theirs
                ),
                default=0.0,
            )
            for word, tie in ties.items()
        )


def _facts(read: Read, parsed: Sentence) -> list[_Fact]:
    """Names, one for each run of them, and quantities of a sentence, at the words that head them."""
    runs: dict[int, list[Name]] = {}
    for name in read.names:
        runs.setdefault(name.run, []).append(name)
    found: list[_Fact] = []
    for run in runs.values():
        if own := _places(parsed, run[0].start, run[-1].end):
            head = next((at for at in own if parsed.tree.heads[at] not in own), own[0])
            found.append(_Fact(tuple(run), head, frozenset(own)))
    counted = ((quantity, _places(parsed, quantity.start, quantity.end)) for quantity in read.quantities)
    return [*found, *(_Fact(quantity, own[0], frozenset(own)) for quantity, own in counted if own)]


def _places(parsed: Sentence, start: int, end: int) -> list[int]:
    return [at for at, word in enumerate(parsed.words) if word.start < end and start < word.end]


def _same(one: _Fact, other: _Fact) -> bool:
    if isinstance(one.said, Quantity) and isinstance(other.said, Quantity):
        return bears_out(one.said, other.said) or same_value(one.said, other.said) or one.said.value == other.said.value
    if isinstance(one.said, Quantity) or isinstance(other.said, Quantity):
        return False
    return any(same_name(ours.text, theirs.text) for ours in one.said for theirs in other.said)


def _rival(one: _Fact, other: _Fact) -> bool:
    if isinstance(one.said, Quantity) != isinstance(other.said, Quantity) or _same(one, other):
        return False
    if isinstance(one.said, Quantity) and isinstance(other.said, Quantity):
        return comparable(one.said, other.said)
    return True


def _is_same_thing(tie: Tie) -> bool:
    return len(tie.path) <= _CLOSE and any(role.rstrip("^") == "is" for role in tie.path)
