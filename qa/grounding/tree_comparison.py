"""What of a claim stands in another's place in the sentences it rests on: figures, names, speakers.

Of every figure of the claim it asks whether the evidence ties the same figure to the same words, or rather another one;
of every name that does or suffers something, whether another name of its sentence does. In the manner of dependency arc
entailment (Goyal & Durrett, 2020), counted instead of trained. Parsed sentences are kept, the last few hundred.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import msgspec

from embeddings.encoders import EncoderIdentity, TokenVectors
from qa.grounding.evidence import AnalysedSentence, bears_out, comparable, same_value
from qa.grounding.trees import ARGUMENTS, Bond, Parser, Tree, bonds_of, load_parser
from qa.language.names import NameWord, same_name
from qa.language.quantities import Quantity
from qa.language.words import Word, families

__all__ = [
    "SAYS",
    "Comparison",
    "Grammar",
    "Rivalled",
    "SentenceSyntax",
    "Tie",
    "grammar_for",
    "kindred",
    "sentence_of",
]

_KEPT = 256
_LEAST_TIED = 0.75
"""A fact tied to less than this of the evidence's words is not compared: anything would do."""
_DOING = ("subject", "object", "by")
_CLOSE = 2
"""Bonds over which two names may be one's: "the captain, Ines Marlowe"."""
_POINTING = frozenset("he she it they him her them his its their who which that this these those i we you".split(" "))
Place = tuple[int, int]
"""A word of the evidence: number of its sentence, place in it."""
SAYS = re.compile(
    r"sa(?:y|ys|id|ying)|t(?:ell|ells|old)|according|claim(?:s|ed)?|call(?:s|ed)|th(?:inks?|ought)|believ(?:e|es|ed)"
    r"|announc(?:e|es|ed)|stat(?:es|ed)|add(?:s|ed)|warn(?:s|ed)?|promis(?:e|es|ed)|accus(?:e|es|ed)|alleg(?:e|es|ed)"
    r"|found|report(?:s|ed)?|den(?:y|ies|ied)|argu(?:e|es|ed)|insist(?:s|ed)?|admit(?:s|ted)?|confirm(?:s|ed)?"
    r"|estimat(?:e|es|ed)|wrote|writes?",
    re.IGNORECASE,
)
"""Verbs that have a speaker."""
_ACCORDING = re.compile(r"\baccording to\b", re.IGNORECASE)
_BEHIND = 5
_MEANS_SOMEBODY = frozenset({"he", "she", "they", "it", "who", "i", "we"})
_REACH = 3
_FARTHER = 0.5
"""What each further bond leaves of a tie."""
_LEAST = 0.25
_LEAST_NAME = 4
_ROLE_LOST, _ROLE_CHANGED, _EXCHANGED = 0.65, 0.5, 0.2
"""What is left of a tie where both sentences tie two words, but not in the same role: the last, subject for object."""
_MOVED = frozenset({*ARGUMENTS[:2], "by", "of", "from", "to"})


class Grammar:
    """One parser and its last sentences; calls belong on one thread at a time."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._kept: OrderedDict[str, SentenceSyntax] = OrderedDict()

    def compare(self, pairs: Sequence[tuple[AnalysedSentence, TokenVectors]]) -> Comparison | None:
        """Hold the first sentence, the claim, against the others; None where it cannot be parsed."""
        parsed = [(read, self._sentence(read, vectors)) for read, vectors in pairs]
        (claim, ours), *evidence = parsed
        theirs = [(read, sentence) for read, sentence in evidence if sentence is not None]
        return Comparison((claim, ours), theirs) if ours is not None and theirs else None

    def _sentence(self, read: AnalysedSentence, vectors: TokenVectors) -> SentenceSyntax | None:
        if found := self._kept.get(read.text):
            self._kept.move_to_end(read.text)
            return found
        tree = self._parser.parse(read.words, vectors)
        if tree is None:
            return None
        self._kept[read.text] = sentence_of(tree)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[read.text]


def grammar_for(identity: EncoderIdentity) -> Grammar | None:
    """Grammar over an encoder's vectors; None for an encoder that the parser was not fitted for."""
    parser = load_parser()
    return Grammar(parser) if identity.revision == parser.encoder else None


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
    said: Quantity | tuple[NameWord, ...]
    word: int
    own: frozenset[int]


class Comparison:
    """A claim held against its evidence."""

    def __init__(
        self,
        claim: tuple[AnalysedSentence, SentenceSyntax],
        evidence: Sequence[tuple[AnalysedSentence, SentenceSyntax]],
    ) -> None:
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
        return _other_speaker(self._claim, self._read)

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

    def _is_bond(self, claimed: Bond, said: Bond, sentence: SentenceSyntax) -> bool:
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
                    _likeness(tie, theirs[other])
                    for number, other in self._met[word]
                    if number == row and other != at and other in theirs
                ),
                default=0.0,
            )
            for word, tie in ties.items()
        )


def _facts(read: AnalysedSentence, parsed: SentenceSyntax) -> list[_Fact]:
    """Names, one for each run of them, and quantities of a sentence, at the words that head them."""
    runs: dict[int, list[NameWord]] = {}
    for name in read.names:
        runs.setdefault(name.run, []).append(name)
    found: list[_Fact] = []
    for run in runs.values():
        if own := _places(parsed, run[0].start, run[-1].end):
            head = next((at for at in own if parsed.tree.heads[at] not in own), own[0])
            found.append(_Fact(tuple(run), head, frozenset(own)))
    counted = ((quantity, _places(parsed, quantity.start, quantity.end)) for quantity in read.quantities)
    return [*found, *(_Fact(quantity, own[0], frozenset(own)) for quantity, own in counted if own)]


def _places(parsed: SentenceSyntax, start: int, end: int) -> list[int]:
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


def _other_speaker(claim: SentenceSyntax, evidence: Sequence[tuple[AnalysedSentence, SentenceSyntax]]) -> int | None:
    """The word of the claim for who says it, if the sentence of what is said has somebody else say something.

    A sentence without a speaker tells nothing: it may go on with what the one before it began.
    """
    for bond in claim.bonds:
        if not _is_speech(claim, bond) or claim.words[bond.dependent].stop:
            continue
        read, said = _where_it_is_said(claim, bond.head, evidence)
        theirs = [said.words[word] for word in _speakers(read, said)]
        if not theirs or any(word.text.lower() in _MEANS_SOMEBODY for word in theirs):
            continue
        known = [*theirs, *(said.words if _ACCORDING.search(read.text) else ())]
        if not any(kindred(claim.words[bond.dependent], word) for word in known):
            return bond.dependent
    return None


def _where_it_is_said(
    claim: SentenceSyntax, verb: int, evidence: Sequence[tuple[AnalysedSentence, SentenceSyntax]]
) -> tuple[AnalysedSentence, SentenceSyntax]:
    """The best sentence that has the word at the heart of what is said; the best of all where none has."""
    hearts = [claim.words[bond.dependent] for bond in claim.bonds if bond.head == verb and bond.role == "ccomp"]
    for pair in evidence:
        if any(kindred(heart, word) for heart in hearts for word in pair[1].words):
            return pair
    return evidence[0]


def _speakers(read: AnalysedSentence, said: SentenceSyntax) -> list[int]:
    return [*(bond.dependent for bond in said.bonds if _is_speech(said, bond)), *_named_after(read, said)]


def _named_after(read: AnalysedSentence, said: SentenceSyntax) -> list[int]:
    """Names right behind a verb of saying: "said engineer Ruth Amadi", which ends many a sentence of news."""
    found: list[int] = []
    for verb, word in enumerate(said.words):
        if not SAYS.fullmatch(word.text):
            continue
        for at in range(verb + 1, min(verb + 1 + _BEHIND, len(said.words))):
            if set(read.text[word.end : said.words[at].start]) & set(".,;:!?"):
                break
            if said.words[at].capital and not said.words[at].stop:
                found.append(at)
    return found


def _is_speech(sentence: SentenceSyntax, bond: Bond) -> bool:
    return bond.role == "subject" and bool(SAYS.fullmatch(sentence.words[bond.head].text))


class Tie(msgspec.Struct, frozen=True):
    """How one word hangs together with another: the roles on the way, `^` towards a head."""

    path: tuple[str, ...]
    strength: float


class SentenceSyntax(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed sentence."""

    words: tuple[Word, ...]
    tree: Tree
    bonds: tuple[Bond, ...]
    ties: tuple[Mapping[int, Tie], ...]
    """For each word, its ties to words that carry matter."""


def sentence_of(tree: Tree) -> SentenceSyntax:
    """Read a tree for what its words are tied to."""
    bonds = bonds_of(tree)
    near: list[list[tuple[int, str]]] = [[] for _ in tree.words]
    for bond in bonds:
        near[bond.dependent].append((bond.head, bond.role + "^"))
        near[bond.head].append((bond.dependent, bond.role))
    ties = tuple(_ties(word, near, tree.words) for word in range(len(tree.words)))
    return SentenceSyntax(words=tree.words, tree=tree, bonds=bonds, ties=ties)


def _ties(start: int, near: Sequence[Sequence[tuple[int, str]]], words: Sequence[Word]) -> dict[int, Tie]:
    found: dict[int, Tie] = {}
    front, seen = [(start, Tie((), 1.0))], {start}
    for distance in range(_REACH):
        further: list[tuple[int, Tie]] = []
        for at, tie in front:
            for other, role in near[at]:
                if other in seen:
                    continue
                seen.add(other)
                reached = Tie((*tie.path, role), tie.strength * (_FARTHER if distance else 1.0))
                further.append((other, reached))
                if not words[other].stop:
                    found[other] = reached
        front = further
    return found


def _likeness(ours: Tie, theirs: Tie) -> float:
    """How far a tie of the evidence is the claim's, from 0 to 1."""
    return _role_likeness(ours.path, theirs.path) * min(1.0, max(theirs.strength / ours.strength, _LEAST))


def _role_likeness(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    if ours == theirs:
        return 1.0
    if len(ours) == len(theirs) == 1:
        one, other = ours[0].rstrip("^"), theirs[0].rstrip("^")
        if {one, other} == {"subject", "object"}:
            return _EXCHANGED
        if one != other and one in _MOVED and other in _MOVED:
            return _ROLE_CHANGED
    return _ROLE_LOST


@lru_cache(maxsize=65536)
def kindred(one: Word, other: Word) -> bool:
    """Whether two words may stand for the same: forms of one word, spellings of one name, one family of news words."""
    if one.stem == other.stem:
        return True
    if one.capital and other.capital and len(one.text) >= _LEAST_NAME and same_name(one.text, other.text):
        return True
    ours = families().get(one.stem, frozenset[int]())
    return bool(ours and ours & families().get(other.stem, frozenset[int]()))
