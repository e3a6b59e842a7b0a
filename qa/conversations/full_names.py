"""Takes a surname, gives the whole name: nobody knows who "Choi" is who has not read the article."""

from __future__ import annotations

from collections import Counter

from qa.language.question_words import names

__all__ = ["full_name"]

_LONGEST_WORDS = 3


def full_name(name: str, *, text: str) -> str:
    """The longer name of a text that ends in this single word, the most frequent one; the word where there is none.

    >>> full_name("Choi", text="The singer Minh Choi left. Choi was a doctor for years.")
    'Minh Choi'
    >>> full_name("The ferry", text="The ferry sank.")
    'The ferry'
    """
    if " " in name or not name[:1].isupper():
        return name
    longer = (one.text for one in names(text) if one.text.endswith(f" {name}") and "\n" not in one.text)
    told = Counter(one for one in longer if len(one.split()) <= _LONGEST_WORDS)
    return max(told, key=lambda one: told[one], default=name)
