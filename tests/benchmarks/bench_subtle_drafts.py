"""False sentences written by hand about the sample articles, put into a model's mouth: how many are shown; prints JSON.

    python tests/benchmarks/bench_subtle_drafts.py [--list]

Their words all stand in the articles: figures and roles are exchanged within a sentence, a speaker is dropped, a cause
made up. What the tests falsify by rule (`qa.evaluation.claim_mutations`) is far easier to catch. Sentences of the kind
`true` are paraphrases, and should be shown. `--list` adds every sentence that went wrong. Nothing is chosen by these:
the checker's limits are by `seeds/drafts.jsonl`, other sentences of other hands.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec

import seeds
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import load
from embeddings.ingest import ingest
from embeddings.readers import find, read
from qa.answering import Answerer
from qa.evaluation.memo import MemoEncoder
from qa.generators.scripted import Say, ScriptedGenerator
from qa.grounding.loading import load_checker
from qa.settings import Settings
from qa.types import Question

DRAFTS = Path(__file__).with_name("subtle_drafts.jsonl")
AS_OF = "2024-06-20"


class Draft(msgspec.Struct, frozen=True):
    """One sentence, and the question it pretends to answer."""

    question: str
    kind: str
    text: str


def shown(drafts: list[Draft]) -> list[bool]:
    """Whether each draft gets past the check."""
    encoder = MemoEncoder(load("all-MiniLM-L6-v2"))
    checker = load_checker("", encoder=encoder)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(EmbeddedCorpus.open(Path(folder), identity=encoder.identity)) as corpus,
    ):
        ingest((item for path in find([seeds.articles_dir()]) for item in read(path)), corpus=corpus, encoder=encoder)

        def passes(draft: Draft) -> bool:
            answerer = Answerer(
                corpus=corpus,
                encoder=encoder,
                settings=Settings(),
                generator=ScriptedGenerator([Say(draft.text)]),
                checker=checker,
            )
            question = Question(question=draft.question, as_of=AS_OF, max_citations=10)
            return answerer.ask(question).answer_mode == "generated"

        return [passes(draft) for draft in drafts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", dest="listed")
    options = parser.parse_args()
    drafts = [msgspec.json.decode(line, type=Draft) for line in DRAFTS.read_text(encoding="utf-8").splitlines()]
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
