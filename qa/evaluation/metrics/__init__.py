"""Metrics of retrieval, answers, grounding, abstention and speed: pure functions, each with its source.

Here every metric by its name: what it is over, which direction is better, and what it says.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

CUTOFFS = (1, 4, 10)
"""Places of a ranking that Hit@k looks at."""
_DEEPEST = CUTOFFS[-1]

Unit = Literal["examples", "claims", "citations", "milliseconds"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is measured."""

    name: str
    about: str
    unit: Unit = "examples"
    higher_is_better: bool = True


def _ranking(level: str, relevant: str) -> list[Metric]:
    name = f"retrieval.{level}"
    return [
        *(Metric(name=f"{name}.hit@{k}", about=f"{relevant} among the first {k}") for k in CUTOFFS),
        Metric(name=f"{name}.recall@{_DEEPEST}", about=f"share of {relevant}s among the first {_DEEPEST}"),
        Metric(name=f"{name}.mrr@{_DEEPEST}", about=f"one over the place of the first {relevant}"),
        Metric(name=f"{name}.ndcg@{_DEEPEST}", about=f"discounted gain of {relevant}s, 1 at best"),
        Metric(name=f"{name}.map@{_DEEPEST}", about=f"average precision at the places of {relevant}s"),
    ]


_ANSWER = [
    Metric(name="answer.right", about="holds an accepted answer and nothing forbidden; unanswerable: declined"),
    Metric(name="answer.right_when_answered", about="the same, over questions that got an answer"),
    Metric(name="answer.exact_match", about="SQuAD 2.0 exact match; declining counts where nothing answers"),
    Metric(name="answer.f1", about="SQuAD 2.0 token F1"),
    Metric(name="answer.exact_match.has_answer", about="exact match over answerable questions"),
    Metric(name="answer.f1.has_answer", about="token F1 over answerable questions"),
    Metric(name="answer.containment", about="answerable: the answer holds an accepted one"),
    Metric(name="answer.must_not_say", about="answers that say what they must not", higher_is_better=False),
    Metric(name="answer.answered", about="questions that got an answer"),
]
_GROUNDING = [
    Metric(name="grounding.exact_spans", about="cited words stand exactly where the citation says", unit="citations"),
    Metric(name="grounding.sources_known", about="citations whose article the run has the text of", unit="citations"),
    Metric(name="grounding.citation_recall", about="ALCE: claims that their citations support, per answer"),
    Metric(name="grounding.citation_precision", about="ALCE: citations that support or are needed, per answer"),
    Metric(name="grounding.citation_minimality", about="supported claims that need all citations", unit="claims"),
    Metric(name="grounding.claims_supported", about="claims that the evidence supports", unit="claims"),
    Metric(
        name="grounding.claims_contradicted",
        about="claims that the evidence contradicts",
        unit="claims",
        higher_is_better=False,
    ),
    *(
        Metric(
            name=f"grounding.unsupported_{kind}",
            about=f"claims with {what} that the evidence does not say",
            unit="claims",
            higher_is_better=False,
        )
        for kind, what in (
            ("numbers", "a number"),
            ("dates", "a date"),
            ("names", "a name"),
            ("negation", "a negation or its lack"),
        )
    ),
    Metric(name="grounding.cites_gold_article", about="answers that cite a gold article"),
    Metric(name="grounding.cites_gold_words", about="gold parts that a citation touches, per answer"),
    Metric(
        name="grounding.cited_article_answers",
        about="cited articles that are gold or hold an accepted answer",
        unit="citations",
    ),
]
_JUDGE = [
    Metric(name="judge.claims_supported", about="claims a language model finds in the words they cite", unit="claims"),
    Metric(name="judge.agreement", about="claims on which it and the support checker agree", unit="claims"),
]
_CONFIDENCE = [
    Metric(name="abstention.precision", about="declined questions that have no answer"),
    Metric(name="abstention.recall", about="questions without an answer that were declined"),
    Metric(name="abstention.f1", about="harmonic mean of the two"),
    Metric(name="abstention.auroc", about="confidence parts answerable from unanswerable questions"),
    Metric(name="confidence.auroc", about="confidence parts right answers from wrong ones"),
    Metric(name="confidence.coverage_accuracy_area", about="mean accuracy over all coverages of the answered"),
    Metric(name="calibration.ece", about="distance of confidence and accuracy, 10 bins", higher_is_better=False),
    Metric(name="calibration.brier", about="squared distance of confidence and outcome", higher_is_better=False),
]
_LATENCY = [
    Metric(name=f"latency.{name}_ms", about="as whoever asked saw it", unit="milliseconds", higher_is_better=False)
    for name in ("mean", "p50", "p90", "p95", "p99")
]
_RUN = [Metric(name="run.failed", about="questions that got no reply at all", higher_is_better=False)]

METRICS: Mapping[str, Metric] = {
    one.name: one
    for one in (
        *_ranking("article", "gold article"),
        *_ranking("passage", "gold passage"),
        *_ANSWER,
        *_GROUNDING,
        *_JUDGE,
        *_CONFIDENCE,
        *_LATENCY,
        *_RUN,
    )
}
"""In the order in which reports show them."""


def metric(name: str) -> Metric:
    """The metric of this name; one that a later version or a judge adds counts as better when higher."""
    return METRICS.get(name) or Metric(name=name, about="")
