"""Many threads search while one writes: every search sees one state, and no article half applied."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from embeddings.corpus import Corpus
from embeddings.types import Article, Where

ARTICLES, PASSAGES, SEARCHERS = 12, 3, 8
SECONDS, WRITES = 2.0, 30
EVERYTHING = Where()


def version_of(made: Any, number: int, turn: int) -> Article:
    """Every passage of a version holds that version's own word."""
    lines = [f"subject{number} turn{turn} part{part}" for part in range(PASSAGES)]
    return made.article(f"a{number}", "\n".join(lines), source=f"s{number}")  # type: ignore[no-any-return]


def one_turn(corpus: Corpus, made: Any, number: int, turn: int) -> None:
    """Change two articles, or delete one of the second half; those of the first half are there at every moment."""
    if turn % 5 == 4 and number >= ARTICLES // 2:
        corpus.delete(Where(article_ids=(f"a{number}",)))
    else:
        made.put(corpus, version_of(made, number, turn), version_of(made, (number + 1) % ARTICLES, turn))


def look(corpus: Corpus, made: Any, number: int) -> int:
    """Search for one article and prove that it is there whole or not at all; how many passages were seen."""
    where = Where(sources=(f"s{number}",)) if number % 2 else Where(article_ids=(f"a{number}",))
    hits = corpus.search(made.vector("x"), f"subject{number}", k=50, where=where)
    keys = [hit.key for hit in hits.dense]
    allowed = (PASSAGES,) if number < ARTICLES // 2 else (0, PASSAGES)
    assert len(keys) in allowed, "a search saw half an article, or missed one that was never deleted"
    assert {hit.key for hit in hits.lexical} == set(keys), "the two lists show two states"
    found = corpus.passages(keys)
    assert len(found) in (0, PASSAGES), "the passages of one article went one by one"
    assert len({stored.passage.article_version for stored in found.values()}) <= 1
    assert all(stored.passage.text.startswith(f"subject{number} ") for stored in found.values())
    everywhere = corpus.search(made.vector("x"), "", k=1000, where=EVERYTHING)
    assert len(everywhere.dense) % PASSAGES == 0, "a search over everything saw half an article"
    article = corpus.get(f"a{number}")
    assert article is None or article.text.startswith(f"subject{number} ")
    return len(found)


def keep(work: Callable[[int], int], stop: threading.Event) -> int:
    """Work turn after turn until told to stop, or until anybody fails; the sum of what the turns gave."""
    done = turn = 0
    try:
        while not stop.is_set():
            done += work(turn)
            turn += 1
    finally:
        stop.set()
    return done


def test_searching_while_writing_never_sees_half_an_article(corpus: Corpus, made: Any) -> None:
    for number in range(ARTICLES):
        made.put(corpus, version_of(made, number, 0))

    def write(turn: int) -> int:
        one_turn(corpus, made, turn % ARTICLES, turn)
        if turn == WRITES:
            enough.set()
        return 1

    def searching(thread: int) -> Callable[[int], int]:
        def search(turn: int) -> int:
            found = look(corpus, made, (thread + turn) % ARTICLES)
            seen[thread] += found
            return found

        return search

    stop, enough, seen = threading.Event(), threading.Event(), [0] * SEARCHERS
    with ThreadPoolExecutor(1 + SEARCHERS) as pool:
        writer = pool.submit(keep, write, stop)
        searchers = [pool.submit(keep, searching(thread), stop) for thread in range(SEARCHERS)]
        stop.wait(SECONDS)
        while not (stop.wait(0.1) or (enough.is_set() and all(seen))):
            pass
        stop.set()
    assert writer.result() > WRITES
    assert min(searcher.result() for searcher in searchers) > 0
