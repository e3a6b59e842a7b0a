"""Questions to go on with, about articles that somebody reads: their statements, and what their people said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from embeddings.chunking.sentences import split_sentences
from embeddings.types import Article
from qa.conversations.starters import Candidate, candidates, is_plain
from qa.language.question_words import names

__all__ = ["follow_ons"]

_SENTENCES = 30
"""What an article is about stands at its top."""
_AN_ARTICLE = 3
"""Questions that one article gives to begin with."""
_PERSON = r"(?:[A-Z][\w'’.-]* ){1,3}[A-Z][\w'’-]+"
_SAID = r"(?:also |has )?(?:said|says|told|added|warned)"
_SPEAKER = re.compile(
    rf"\b(?:said|says) (?:[a-z-]+ ){{0,4}}(?P<after>{_PERSON})(?=[,.;])"
    rf"|\b(?P<before>{_PERSON})(?:, [^,.;“”\"]{{3,80}},)? {_SAID}\b"
)
"""Who said something; what stands around it says the same in the sentence that quotes them."""
_THE_BEFORE = re.compile(r"\bthe $", re.IGNORECASE)
_CAPITAL_BEFORE = re.compile(r"[A-Z][\w'’.-]* $")
_SPEAKERS = 3
"""People of one article whose words are asked for."""


def follow_ons(articles: Sequence[Article], *, limit: int) -> Sequence[Candidate]:
    """Questions for somebody who reads these articles: all of the first, then of the next, plain ones last of each.

    Who is quoted in an article is asked for their words. Nobody comes upon that question who does not read the article.
    """
    found: dict[str, Candidate] = {}
    for article in articles:
        for one in sorted((*candidates([article], limit=_AN_ARTICLE), *_said_in(article)), key=is_plain):
            found.setdefault(one.question, one)
    return list(found.values())[:limit]


def _said_in(article: Article) -> Iterator[Candidate]:
    speakers: dict[str, str] = {}
    for start, end in split_sentences(article.text)[:_SENTENCES]:
        sentence = " ".join(article.text[start:end].split())
        known = {name.text for name in names(sentence)}
        for told in _SPEAKER.finditer(sentence):
            group = "after" if told["after"] else "before"
            speaker, lead = told[group], sentence[: told.start(group)]
            # "Puerto Rico Gov. Pedro Pierluisi": a name that begins before is not known whole.
            if not _CAPITAL_BEFORE.search(lead) and any(name in speaker or speaker in name for name in known):
                told_of_whom = f"the {speaker}" if _THE_BEFORE.search(lead) else speaker
                speakers.setdefault(re.sub(r"^The ", "the ", told_of_whom), told[0])
    for speaker, told_of in list(speakers.items())[:_SPEAKERS]:
        yield Candidate(question=f"What did {speaker} say?", article_id=article.id, expected=told_of)
