"""Takes a dependency tree, gives who does what to whom: pairs of words with the role of one at the other.

Voice, relative clauses, participles and shared subjects are undone, so that "beat him", "he was beaten", "beating him"
and "who beat him" come to the same roles.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from qa.grounding.syntax.tree import ROOT, Tree

__all__ = ["ARGUMENTS", "Bond", "bonds_of"]

_FORM = frozenset({"det", "case", "mark", "aux", "aux:pass", "cc", "punct", "cop", "expl", "discourse", "dep"})
"""Relations that say how, not what; `compound:prt` belongs to its verb."""
_RELATIVE = frozenset({"who", "which", "that", "whom"})
_SUBJECTS = ("nsubj", "nsubj:pass", "csubj", "csubj:pass")
_PLAIN = {
    "obj": "object",
    "iobj": "to",
    "nmod:poss": "of",
    "appos": "is",
    "flat": "name",
    "compound": "modifier",
    "amod": "modifier",
    "advmod": "modifier",
    "obl": "modifier",
    "nmod": "modifier",
    "nummod": "count",
}
ARGUMENTS = ("subject", "object", "is")
"""The roles at the heart of a sentence; others are prepositions, or say what kind of link it is."""


class Bond(msgspec.Struct, frozen=True):
    """`dependent` has `role` at `head`; both are places of words."""

    head: int
    role: str
    dependent: int


def bonds_of(tree: Tree) -> tuple[Bond, ...]:
    """All bonds of a sentence, those that are only meant along with those that are written."""
    subjects: dict[int, Bond] = {}
    found: list[Bond] = []
    for bond, is_subject in _written(tree):
        found.append(bond)
        if is_subject:
            subjects.setdefault(bond.head, bond)
    found += _joined(tree, found)
    found += _meant(tree, subjects)
    return tuple(dict.fromkeys(bond for bond in found if bond.head != bond.dependent))


def _written(tree: Tree) -> Iterator[tuple[Bond, bool]]:
    """Bonds that a word's own relation tells, and whether it is the subject there."""
    for word, (head, relation) in enumerate(zip(tree.heads, tree.relations, strict=True)):
        if head == ROOT or relation in _FORM or relation in {"conj", "compound:prt"}:
            continue
        if relation == "acl:relcl":
            yield _relative(tree, word, head)
        elif relation == "acl":  # the noun before a participle: "people injured", "a ferry carrying"
            yield Bond(word, "subject" if _low(tree, word).endswith("ing") else "object", head), True
        elif not (_low(tree, word) in _RELATIVE and tree.relations[head] == "acl:relcl"):
            yield Bond(head, _role(tree, word), word), relation in _SUBJECTS


def _relative(tree: Tree, verb: int, noun: int) -> tuple[Bond, bool]:
    """What the noun is in its relative clause: what the pronoun is, or what is missing."""
    for child in tree.children(verb, *_SUBJECTS, "obj"):
        if _low(tree, child) in _RELATIVE:
            return Bond(verb, _role(tree, child), noun), tree.relations[child] != "obj"
    if tree.children(verb, *_SUBJECTS):
        return Bond(verb, "object", noun), False
    return Bond(verb, "subject", noun), True


def _role(tree: Tree, word: int) -> str:
    head, relation = tree.heads[word], tree.relations[word]
    if relation in _SUBJECTS:
        if tree.children(head, "cop"):
            return "is"
        return "object" if relation.endswith(":pass") or tree.children(head, "aux:pass") else "subject"
    if relation == "obl:agent":
        return "subject"
    if cases := tree.children(word, "case"):
        preposition = _low(tree, cases[0])
        if preposition == "by" and (tree.children(head, "aux:pass") or tree.relations[head] == "acl"):
            return "subject"
        return "of" if preposition in {"'s", "’s"} else preposition
    return _PLAIN.get(relation, relation)


def _joined(tree: Tree, written: list[Bond]) -> list[Bond]:
    """What is joined to a word by "and" has its role, too."""
    first = {word: _first(tree, word) for word, relation in enumerate(tree.relations) if relation == "conj"}
    return [
        Bond(bond.head, bond.role, word)
        for word, start in first.items()
        for bond in written
        if bond.dependent == start and bond.role != "name"
    ]


def _meant(tree: Tree, subjects: dict[int, Bond]) -> list[Bond]:
    """Subjects that a joined verb, a participle or an infinitive shares with the verb it hangs on."""
    found: list[Bond] = []
    for word, relation in enumerate(tree.relations):
        if relation not in {"conj", "advcl", "xcomp"} or word in subjects:
            continue
        above = _first(tree, word) if relation == "conj" else tree.heads[word]
        is_noun = tree.words[word].capital or tree.words[word].number or tree.children(word, "det", "nummod", "case")
        if above in subjects and not (relation == "conj" and is_noun):
            role = "object" if tree.children(word, "aux:pass") else "subject"
            bond = Bond(word, role, subjects[above].dependent)
            subjects[word] = bond
            found.append(bond)
    return found


def _first(tree: Tree, word: int) -> int:
    """The first of the words that "and" joins."""
    while tree.relations[word] == "conj" and tree.heads[word] != ROOT:
        word = tree.heads[word]
    return word


def _low(tree: Tree, word: int) -> str:
    return tree.words[word].text.lower()
