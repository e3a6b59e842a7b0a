"""Prints how many true and false sentences each limit of `qa.grounding.aligned` strikes: they are chosen by it.

    python -m qa.training.aligned_checker.exchange_limits FOLDER

On the labelled drafts about the sample articles, and on the fitting half of the grounding sets in FOLDER.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

import seeds
from embeddings.encoders import load
from qa.evaluation.benchmarks.grounding_sets import read_sets
from qa.evaluation.benchmarks.samples import put_before
from qa.evaluation.cache import CachingEncoder
from qa.grounding.aligned import Judged, judge
from qa.grounding.claim_evidence import quotation
from qa.grounding.syntax.comparing import Rivalled, grammar_for
from qa.training.aligned_checker.examples import read_examples

__all__ = ["main"]

_LIMITS = (0.0, 0.05, 0.1, 0.2, 0.3)
_KEPT_TEXTS = 2_000


class _Read(msgspec.Struct, frozen=True):
    set: str
    supported: bool
    judged: Judged


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    encoder = CachingEncoder(load("all-MiniLM-L6-v2"), limit=_KEPT_TEXTS)
    read = [*_drafts(encoder), *_sets(options.folder, encoder)]
    for name in dict.fromkeys(item.set for item in read):
        for supported in (True, False):
            own = [item.judged for item in read if (item.set, item.supported) == (name, supported)]
            print(f"{name}, {'true' if supported else 'false'}: n={len(own)}", *_struck(own), sep="\n  ", flush=True)


def _struck(judged: Sequence[Judged]) -> Iterator[str]:
    for kind in ("numbers", "names"):
        leads = [_lead(getattr(one.comparison, kind)) for one in judged if one.comparison]
        told = ", ".join(f"{sum(lead > limit for lead in leads)} at {limit}" for limit in _LIMITS)
        yield f"{kind}: {told}"
    yield f"any exchange, as shipped: {sum(bool(one.exchanged) for one in judged)}"


def _lead(facts: Sequence[Rivalled]) -> float:
    return max((fact.lead for fact in facts), default=-1.0)


def _drafts(encoder: CachingEncoder) -> Iterator[_Read]:
    grammar = grammar_for(encoder.identity)
    for draft, put in put_before(seeds.drafts(), encoder=encoder):
        found = judge(
            put.claim, put.evidence, encoder=encoder, grammar=grammar, question=put.question, contexts=put.contexts
        )
        if found and not quotation(put.claim, put.evidence):
            yield _Read("drafts", draft.supported, found)


def _sets(folder: Path, encoder: CachingEncoder) -> Iterator[_Read]:
    rows = [row for row in read_sets(folder) if row.part == "fit"]
    for example in read_examples(rows, encoder=encoder):
        yield _Read(example.set, example.supported, example.judged)


if __name__ == "__main__":
    main()
