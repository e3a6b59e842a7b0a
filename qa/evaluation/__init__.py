"""Measures the service: runs over datasets, scores, comparisons, gates, benchmarks, reports.

Here are the values: examples, predictions, the manifest of a run and its scores.

A run folder holds (all JSON in UTF-8; lines are appended, never rewritten):

    manifest.json       `Manifest`: what was asked of what; written first, `finished_at` filled in last
    examples.jsonl      `Example` a line: the rows asked, after `--filter` and `--limit`, in order
    predictions.jsonl   `Prediction` a line, in the order they came; of two lines for one example the last holds
    articles.jsonl      `CitedArticle` a line: each article version that an answer cites, once
    opinions.jsonl      a language model's opinion of a claim a line, where one was asked (`qa.evaluation.judge`)
    scores.json         `Scores`: computed from the files above, offline; may be deleted and made again
"""

from typing import Annotated, Final, Literal

import msgspec

from qa.errors import QAError
from qa.types import Answer, SearchResult, Verdict

SCHEMA_VERSION: Final = 1
"""Of every file of a run folder; raised when a reader of the older one would be misled."""

MANIFEST_FILE: Final = "manifest.json"
EXAMPLES_FILE: Final = "examples.jsonl"
PREDICTIONS_FILE: Final = "predictions.jsonl"
ARTICLES_FILE: Final = "articles.jsonl"
SCORES_FILE: Final = "scores.json"

Outcome = Literal["right", "wrong", "missed", "declined", "unjudged", "failed"]
"""Right answer, or rightly declined; wrong answer; declined though answerable; declined where nobody knows whether
rightly; answered likewise; no reply."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class GoldSpan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Words of an article that answer a question, or one part of it; the article is named in at least one way."""

    article_id: str | None = None
    url: str | None = None
    title: str | None = None
    """Title of the cleaned article."""
    text: str = ""
    """The words, as they stand in the canonical text."""
    start: int | None = None
    end: int | None = None
    """Offsets in the canonical text, where they are known."""
    part: int = 1
    """Spans of one part are alternatives; a full answer needs one of every part."""


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of a dataset: a question with what a good answer says and cites. Only `id` and `question` are needed."""

    id: Name
    question: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    asked_at: str | None = None
    """ISO 8601 moment of asking; None: now."""
    answerable: bool | None = None
    """Whether the articles answer it. None: not known, and then nothing is scored that depends on it."""
    answers: tuple[str, ...] = ()
    """Accepted short answers, alternatives of each other."""
    gold: tuple[GoldSpan, ...] = ()
    gold_urls: tuple[str, ...] = ()
    """Links of articles that answer it, in the normal form of the store."""
    gold_article_ids: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    """Words that a right answer does not contain: a superseded figure, another person's name."""
    conversation: tuple[str, ...] = ()
    """Earlier questions of the same conversation, asked first and not scored."""
    withheld_article_ids: tuple[str, ...] = ()
    """Articles hidden from this question, to ask what the corpus does not know. Only in-process runs can."""
    group: str = ""
    """Questions of one group are not independent (one article, one week); empty: a group of its own."""
    tags: tuple[str, ...] = ()


class ForeignCitation(msgspec.Struct, frozen=True, kw_only=True):
    """A `url_citation` of an OpenAI-compatible server."""

    url: str
    title: str = ""
    start: int | None = None
    end: int | None = None
    """Half-open offsets in the text it annotates, in code points, as the server gave them."""


class ForeignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an OpenAI-compatible server said."""

    text: str
    model: str = ""
    citations: tuple[ForeignCitation, ...] = ()
    finish_reason: str = ""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    kind: Literal["refused", "unreachable", "timed_out", "broken"]
    """The question was refused (4xx); no connection; too slow; the service failed (5xx, garbage, exception)."""
    message: str


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came back for one example: exactly one of `answer`, `foreign` and `failure` is present."""

    example_id: str
    started_at: str
    """ISO 8601, UTC."""
    latency_ms: float
    """Wall-clock time of the scored question alone, as its asker saw it."""
    answer: Answer | None = None
    foreign: ForeignAnswer | None = None
    failure: Failure | None = None
    ranked: tuple[SearchResult, ...] | None = None
    """One result per article or story, best first, as `POST /api/search` ranks them; None where it was not asked."""


class CitedArticle(msgspec.Struct, frozen=True, kw_only=True):
    """The article version an answer cites, kept so that its words can be checked without the service."""

    id: str
    version: str
    title: str
    text: str
    source: str = ""
    url: str | None = None
    published_at: str | None = None


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run ran; says nothing that names its owner."""

    system: str
    processor: str
    cores: int
    memory_bytes: int
    python: str


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked: this process's own service, a native base URL, or an OpenAI-compatible one."""

    kind: Literal["in_process", "native", "openai"]
    url: str = ""
    """Without user, password and query."""
    model: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what a run says. Two runs are the same experiment when `fingerprint` is."""

    schema_version: int
    run_id: str
    fingerprint: str
    """SHA-256 over what decides the predictions: dataset, target, settings, encoder, prompts, corpus, options, code."""
    dataset: str
    """Name of the dataset file, without its folder."""
    dataset_sha256: str
    examples: int
    examples_sha256: str
    target: Target
    options: dict[str, str]
    """Options of the run that decide what is asked: limit, filter, seed, mode, as_of, ranked."""
    settings: dict[str, str]
    """Of an in-process run, by name, secrets left out."""
    encoder: dict[str, str]
    prompts: dict[str, str]
    """Fingerprint of every prompt, by name."""
    corpus: dict[str, str]
    """Articles, passages and `sha256` over ids and versions of all articles; empty where it cannot be known."""
    git_revision: str
    """With `+changed` where the checkout differs from it; empty outside a checkout."""
    versions: dict[str, str]
    """Of this package and of the libraries that decide results."""
    machine: Machine
    seed: int
    started_at: str
    finished_at: str | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One number with how sure one can be of it."""

    metric: str
    """Dotted name, such as `answer.f1`, `retrieval.article.hit@1`, `grounding.citation_precision`, `latency.p95_ms`."""
    value: float | None
    """None where there was nothing to measure (n = 0)."""
    n: int
    """Examples, claims or citations it is over; `unit` says which."""
    low: float | None = None
    high: float | None = None
    """95 % interval."""
    method: str = ""
    """Of the interval: `wilson`, `bootstrap`, `bootstrap by group`, or empty for none."""
    unit: str = "examples"


class ClaimScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One claim as the scorer's support checker judges it by what it cites, else by all that was retrieved."""

    text: str
    verdict: Verdict
    score: float
    cited_support: bool
    """Whether its citations alone support it."""
    precise: tuple[bool, ...] = ()
    """Of each of its citations: whether it supports the claim or is needed."""
    mismatches: tuple[str, ...] = ()
    """What the evidence does not say: kind, the claim's words, and the evidence's where it has others."""


class ExampleScores(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The metrics of one example, for pairing with another run and for the drill-down."""

    example_id: str
    group: str
    values: dict[str, float]
    """By the metric's name, means over its claims or citations; a metric that does not apply to it is absent."""
    outcome: Outcome
    confidence: float | None = None
    """As the answer gives it, also with an abstention."""
    latency_ms: float | None = None
    claims: tuple[ClaimScore, ...] = ()


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured on one run."""

    schema_version: int
    run_id: str
    fingerprint: str
    predictions_sha256: str
    scorer: dict[str, str]
    """Identity of what judged: package version, support checker, LLM judge if any."""
    scores: tuple[Score, ...]
    examples: tuple[ExampleScores, ...]


class InvalidDataset(QAError):
    """The message names file and line, and says what to change."""


class InvalidThreshold(QAError):
    """The message says how a limit is written, or which metrics there are."""


class RunRefused(QAError):
    """The run does not begin; nothing was written."""


class TargetFailed(QAError):
    """One question failed; the run goes on."""

    def __init__(self, failure: Failure) -> None:
        """The failure is what the prediction records."""
        super().__init__(failure.message)
        self.failure = failure


class UnreadableRun(QAError):
    """The message names the file and what to do."""
