"""False sentences written by hand about the sample articles, put into a model's mouth: how many are shown; prints JSON.

    python tests/benchmarks/bench_subtle_drafts.py [--list]

Their words all stand in the articles: figures and roles are exchanged within a sentence, a speaker is dropped, a cause
made up. What the tests falsify by rule (`test_claim_mutations.py`) is far easier to catch. Sentences of the kind
`true` are paraphrases, and should be shown. `--list` adds every sentence that went wrong. Nothing is chosen by these:
the checker's limits are by `seeds/drafts.jsonl`, other sentences of other hands.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder, load
from embeddings.ingest import ingest
from embeddings.parsers import find, read
from qa.assembly import Assembly
from qa.evaluation.targets import CachingEncoder
from qa.generators import Say, ScriptedGenerator
from qa.grounding import SupportChecker, load_checker
from qa.reading import load_reader
from qa.settings import Settings
from qa.types import Answer, Question
from seeds import SeedDraft

DRAFTS = Path(__file__).with_name("subtle_drafts.jsonl")
AS_OF, CITATIONS = "2024-06-20", 10


def answered(
    drafts: Sequence[SeedDraft], *, encoder: Encoder, checker: SupportChecker
) -> Iterator[tuple[SeedDraft, Answer]]:
    """Ask each draft's question of the sample articles, with a model that answers with the draft."""
    reader = load_reader()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as corpus,
    ):
        ingest((item for path in find([seeds.articles_dir()]) for item in read(path)), corpus=corpus, encoder=encoder)
        for draft in drafts:
            assembly = Assembly(
                settings=Settings(),
                encoder=encoder,
                reader=reader,
                generator=ScriptedGenerator([Say(draft.text)]),
                checker=checker,
                reranker=None,
            )
            question = Question(question=draft.question, as_of=AS_OF, max_citations=CITATIONS)
            yield draft, assembly.over(corpus).ask(question)


def shown(drafts: Sequence[SeedDraft]) -> list[bool]:
    """Whether each draft gets past the check."""
    encoder = CachingEncoder(load("all-MiniLM-L6-v2"))
    checker = load_checker("")
    return [answer.answer_mode == "generated" for _, answer in answered(drafts, encoder=encoder, checker=checker)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", dest="listed")
    options = parser.parse_args()
    drafts = msgspec.json.Decoder(SeedDraft).decode_lines(DRAFTS.read_bytes())
    passed = shown(drafts)
    told = Counter(draft.kind for draft, past in zip(drafts, passed, strict=True) if past)
    wrong = [d.text for d, past in zip(drafts, passed, strict=True) if past != (d.kind == "true")]
    every = Counter(draft.kind for draft in drafts)
    report: dict[str, object] = {
        "bench": "subtle_drafts",
        "false": every.total() - every["true"],
        "false_shown": told.total() - told["true"],
        "true": every["true"],
        "true_shown": told["true"],
        "shown_by_kind": {kind: f"{told[kind]} of {number}" for kind, number in sorted(every.items())},
    }
    json.dump({**report, **({"wrong": wrong} if options.listed else {})}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
