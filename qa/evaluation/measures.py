"""Computes the values of every metric for one example and its prediction.

To that end it is told what the example expects and which of it was retrieved or cited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from embeddings.cleaning.identity import normalised_url
from qa.evaluation import Example, GoldSpan, Prediction
from qa.evaluation.judge import Judgement
from qa.evaluation.metrics import CUTOFFS
from qa.evaluation.metrics.answers import (
    average_precision,
    contains,
    exact_match,
    f1,
    first_rank,
    hit,
    ndcg,
    overlaps,
    recall,
    reciprocal_rank,
    said,
)
from qa.evaluation.metrics.confidence import abstention_precision, abstention_recall, brier
from qa.evaluation.replies import Cited, Reply
from qa.types import AlsoReported, SearchResult

_DEEPEST = CUTOFFS[-1]
_KINDS = {"numbers": {"number", "unit"}, "dates": {"date"}, "names": {"name"}, "negation": {"negation", "quantifier"}}
"""Which mismatches of the support checker each metric counts."""
Values = Mapping[str, tuple[float, ...]]


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one example."""

    example: Example
    values: Values
    """By metric; a metric over claims or citations has one value for each of them."""
    answered: bool
    declined: bool
    right: float | None
    """None where the example does not say what is right."""
    confidence: float | None
    latency_ms: float | None

    @property
    def group(self) -> str:
        """What the example is not independent of."""
        return self.example.group or self.example.id


def observe(
    example: Example, prediction: Prediction | None, *, reply: Reply | None, judgements: Sequence[Judgement]
) -> Observed:
    """Observe one example. Where asking failed there is no reply: nothing was found, answered or declined."""
    answered = reply is not None and not reply.declined
    right = _right(example, reply)
    latency = prediction.latency_ms if prediction is not None and reply is not None else None
    values = {
        "run.failed": (float(reply is None),),
        "answer.answered": (float(answered),),
        "latency.mean_ms": () if latency is None else (latency,),
        **_retrieval(example, reply, prediction),
        **_answer(example, reply, right),
        **_confidence(example, reply, right),
        **(_grounding(example, reply, judgements) if reply is not None and answered else {}),
    }
    return Observed(
        example=example,
        values={name: observed for name, observed in values.items() if observed},
        answered=answered,
        declined=reply is not None and reply.declined,
        right=right,
        confidence=reply.confidence if reply else None,
        latency_ms=latency,
    )


def _right(example: Example, reply: Reply | None) -> float | None:
    """Whether it was the right thing to say; None where the example does not tell."""
    if example.answerable is False:
        return float(reply is not None and reply.declined)
    if not (example.answers or example.gold or gold_articles(example)):
        return None
    if reply is None or reply.declined or said(reply.text, example.must_not_say):
        return 0.0
    if example.answers:
        return max(contains(text, example.answers) for text in (reply.text, reply.short or ""))
    touched = _touched(example, reply)
    return float(all(touched)) if touched else float(_cites_gold(example, reply))


def _retrieval(example: Example, reply: Reply | None, prediction: Prediction | None) -> Values:
    """Measures of the ranking; absent where the example names no article, or what was retrieved is not known."""
    if example.answerable is False or not gold_articles(example):
        return {}
    ranked: Sequence[SearchResult] = ()
    if reply is not None and prediction is not None:
        ranked = reply.retrieved if prediction.ranked is None else prediction.ranked
        if prediction.foreign is not None and prediction.ranked is None:
            return {}
    passages = passage_ranking(example, ranked)
    return {
        **_ranking("retrieval.article", article_ranking(example, ranked)),
        **(_ranking("retrieval.passage", passages) if passages.relevant else {}),
    }


def _ranking(name: str, ranking: Ranking) -> Values:
    names, relevant = ranking.names, ranking.relevant
    return {
        **{f"{name}.hit@{k}": (hit(names, relevant, within=k),) for k in CUTOFFS},
        f"{name}.recall@{_DEEPEST}": (recall(names, relevant, within=_DEEPEST),),
        f"{name}.mrr@{_DEEPEST}": (reciprocal_rank(first_rank(names, relevant), within=_DEEPEST),),
        f"{name}.ndcg@{_DEEPEST}": (ndcg(names, relevant, within=_DEEPEST),),
        f"{name}.map@{_DEEPEST}": (average_precision(names, relevant, within=_DEEPEST),),
    }


def _answer(example: Example, reply: Reply | None, right: float | None) -> Values:
    answered = reply is not None and not reply.declined
    values: dict[str, tuple[float, ...]] = {}
    if right is not None:
        values["answer.right"] = (right,)
        values["answer.right_when_answered"] = (right,) if answered else ()
    if reply is not None and answered and example.must_not_say:
        values["answer.must_not_say"] = (float(bool(said(reply.text, example.must_not_say))),)
    if example.answerable is False or example.answers:
        # What failed said nothing and did not decline: nothing it could have said counts for it.
        short = ("" if reply.declined else reply.short or reply.text) if reply else None
        exact = exact_match(short, example.answers) if short is not None else 0.0
        overlap = f1(short, example.answers) if short is not None else 0.0
        values |= {"answer.exact_match": (exact,), "answer.f1": (overlap,)}
        if example.answers:
            held = contains(reply.text, example.answers) if reply is not None and answered else 0.0
            values |= {"answer.exact_match.has_answer": (exact,), "answer.f1.has_answer": (overlap,)}
            values["answer.containment"] = (held,)
    return values


def _confidence(example: Example, reply: Reply | None, right: float | None) -> Values:
    """What one question adds to the measures of abstention and calibration that are means."""
    values: dict[str, tuple[float, ...]] = {}
    if reply is None:
        return values
    if example.answerable is not None:
        precision = abstention_precision(declined=reply.declined, answerable=example.answerable)
        recalled = abstention_recall(declined=reply.declined, answerable=example.answerable)
        values["abstention.precision"] = () if precision is None else (precision,)
        values["abstention.recall"] = () if recalled is None else (recalled,)
    if right is not None and reply.confidence is not None and not reply.declined:
        values["calibration.brier"] = (brier(reply.confidence, right),)
    return values


def _grounding(example: Example, reply: Reply, judgements: Sequence[Judgement]) -> Values:
    values: dict[str, tuple[float, ...]] = {
        "grounding.exact_spans": tuple(
            float(exact) for exact in (*(c.exact for c in reply.citations), reply.short_exact) if exact is not None
        ),
        "grounding.sources_known": tuple(float(one.article is not None) for one in reply.citations),
    }
    if judgements:
        recalled = [one.citations.recalled for one in judgements]
        precise = [good for one in judgements for good in one.citations.precise]
        values["grounding.citation_recall"] = (sum(recalled) / len(recalled),)
        # ALCE gives 0 to an answer that cites nothing.
        values["grounding.citation_precision"] = (sum(precise) / len(precise) if precise else 0.0,)
        values["grounding.citation_minimality"] = tuple(
            float(one.citations.minimal) for one in judgements if one.citations.minimal is not None
        )
        values |= {**_support(judgements), **_opinions(judgements)}
    if gold := gold_articles(example):
        values["grounding.cites_gold_article"] = (float(_cites_gold(example, reply)),)
    if gold or example.answers:
        values["grounding.cited_article_answers"] = tuple(
            float(_is_gold(one, gold) or _holds_answer(one, example)) for one in reply.citations
        )
    if touched := _touched(example, reply):
        values["grounding.cites_gold_words"] = (sum(touched) / len(touched),)
    return values


def _support(judgements: Sequence[Judgement]) -> Values:
    verdicts = [one.support.verdict for one in judgements]
    found = [{mismatch.kind for mismatch in one.support.mismatches} for one in judgements]
    return {
        "grounding.claims_supported": tuple(float(verdict == "supported") for verdict in verdicts),
        "grounding.claims_contradicted": tuple(float(verdict == "contradicted") for verdict in verdicts),
        **{
            f"grounding.unsupported_{name}": tuple(float(bool(seen & kinds)) for seen in found)
            for name, kinds in _KINDS.items()
        },
    }


def _opinions(judgements: Sequence[Judgement]) -> Values:
    """What a language model thinks, and where the support checker thinks so too."""
    told = [(one.opinion, one.citations.recalled) for one in judgements if one.opinion is not None]
    return {
        "judge.claims_supported": tuple(float(opinion) for opinion, _ in told),
        "judge.agreement": tuple(float(opinion == recalled) for opinion, recalled in told),
    }


def _touched(example: Example, reply: Reply) -> list[bool]:
    """Parts of the answer and whether they are cited; none where citations name whole articles, not words."""
    return parts_touched(example, reply.citations) if all(one.span for one in reply.citations) else []


def _cites_gold(example: Example, reply: Reply) -> bool:
    gold = gold_articles(example)
    return any(_is_gold(one, gold) for one in reply.citations)


def _is_gold(cited: Cited, gold: frozenset[str]) -> bool:
    return gold_key(cited, gold) is not None


def _holds_answer(cited: Cited, example: Example) -> bool:
    return cited.article is not None and bool(contains(cited.article.text, example.answers))


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """Names in the order of a ranking, and the relevant ones, found or not."""

    names: tuple[str, ...]
    relevant: frozenset[str]


def gold_articles(example: Example) -> frozenset[str]:
    """Keys of the articles that answer: by id where any is known, else by link, else by title."""
    ids = {*example.gold_article_ids, *(span.article_id for span in example.gold if span.article_id)}
    if ids:
        return frozenset(f"id {one}" for one in ids)
    urls = {*example.gold_urls, *(span.url for span in example.gold if span.url)}
    if urls:
        return frozenset(f"url {normalised_url(one) or one}" for one in urls)
    return frozenset(f"title {span.title}" for span in example.gold if span.title)


def _keys_of(article: SearchResult | AlsoReported | Cited) -> frozenset[str]:
    """What an article may be expected under: its id, its link, its title."""
    return frozenset((f"id {article.article_id}", f"url {normalised_url(article.url)}", f"title {article.title}"))


def gold_key(article: SearchResult | AlsoReported | Cited, gold: frozenset[str]) -> str | None:
    """The key under which an article is expected; None where it is not."""
    return min(_keys_of(article) & gold, default=None)


def article_ranking(example: Example, results: Sequence[SearchResult]) -> Ranking:
    """Articles in the order of their best passage; a story counts as its gold article where that tells it, too."""
    gold = gold_articles(example)
    names = dict.fromkeys(_teller(result, gold) for result in results)
    return Ranking(names=tuple(names), relevant=gold)


def passage_ranking(example: Example, results: Sequence[SearchResult]) -> Ranking:
    """Passages in order, named by the part of the answer that they are first to hold.

    Parts that one passage holds together count as one thing to find.
    """
    parts = _parts(example)
    relevant = {f"part {number}" for number in parts}
    names: list[str] = []
    for result in results:
        held = [number for number, spans in parts.items() if any(_holds(result, span) for span in spans)]
        names.append(f"part {held[0]}" if held else result.passage_id)
        relevant -= {f"part {number}" for number in held[1:]}
        for number in held:
            del parts[number]
    return Ranking(names=tuple(names), relevant=frozenset(relevant))


def parts_touched(example: Example, cited: Sequence[Cited]) -> list[bool]:
    """Of each part of the answer whose words are known: whether a citation touches one of them."""
    return [any(_touches(one, gold) for gold in spans for one in cited) for spans in _parts(example).values()]


def _parts(example: Example) -> dict[int, list[GoldSpan]]:
    """By part of the answer, the alternatives whose words are known."""
    parts: dict[int, list[GoldSpan]] = {}
    for span in example.gold:
        if span.text or span.start is not None:
            parts.setdefault(span.part, []).append(span)
    return parts


def _teller(result: SearchResult, gold: frozenset[str]) -> str:
    tellers: list[SearchResult | AlsoReported] = [result, *result.also_reported_by]
    for one in tellers:
        if key := gold_key(one, gold):
            return key
    return f"id {result.article_id}"


def _same_article(gold: GoldSpan, keys: frozenset[str]) -> bool:
    if gold.article_id:
        return f"id {gold.article_id}" in keys
    if gold.url:
        return f"url {normalised_url(gold.url)}" in keys
    return gold.title is None or f"title {gold.title}" in keys


def _holds(result: SearchResult, gold: GoldSpan) -> bool:
    if not _same_article(gold, _keys_of(result)):
        return False
    if gold.start is not None and gold.end is not None:
        return result.start_char_index <= gold.start and gold.end <= result.end_char_index
    return _folded(gold.text) in _folded(result.text)


def _touches(cited: Cited, gold: GoldSpan) -> bool:
    if not _same_article(gold, _keys_of(cited)):
        return False
    if cited.span is not None and gold.start is not None and gold.end is not None:
        return overlaps((gold.start, gold.end), cited.span)
    one, other = _folded(gold.text), _folded(cited.text)
    return bool(one and other) and (one in other or other in one)


def _folded(text: str) -> str:
    return " ".join(text.split())
