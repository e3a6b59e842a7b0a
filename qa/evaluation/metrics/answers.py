"""Metrics of answers against accepted ones, of citations, and of rankings against relevant ids; reads SQuAD files.

Sources: the official script of Rajpurkar et al., "Know What You Don't Know: Unanswerable Questions for SQuAD" (2018);
Mallen et al., "When Not to Trust Language Models" (2023), who count an answer as right that contains an accepted one;
here after SQuAD's normalisation and on whole words, so that "7" is not found in "2017".

Citation recall and precision are those of ALCE (Gao, Yen, Yu and Chen, "Enabling Large Language Models to Generate Text
with Citations", 2023, arXiv 2305.14627, section 4). Recall of a claim: all its citations together support it, and it
has any. Precision of a citation: its claim is supported, and the citation either supports it alone or is needed, that
is, without it the others do not support the claim. ALCE averages both over the claims and citations of an answer,
then over answers. Minimality is ours and stricter: no citation of a supported claim can be left out.

A cited span is exact where invariant 1 of this project holds: `text[start:end] == cited words`, for the version that
the citation pins. Overlap of words is the floor of grounding: no support checker may do worse.
"""

import gzip
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from embeddings.types import Article, article_version
from qa.language.words import words_of


class SquadQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One question on one paragraph."""

    id: str
    question: str
    article_id: str
    """The paragraph it was asked on, as an article of its own."""
    group: str
    """Title of the whole article: questions of one group are not independent."""
    answers: tuple[tuple[str, int], ...]
    """Accepted answers with their offsets in the paragraph; empty for an unanswerable question."""


class _Answer(msgspec.Struct):
    text: str
    answer_start: int


class _Question(msgspec.Struct):
    id: str
    question: str
    answers: list[_Answer]


class _Paragraph(msgspec.Struct):
    context: str
    qas: list[_Question]


class _Entry(msgspec.Struct):
    title: str
    paragraphs: list[_Paragraph]


class _File(msgspec.Struct):
    data: list[_Entry]


def read_squad(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """Read a file: every paragraph becomes an article whose text is untouched, so that offsets hold."""
    articles, questions = [], []
    for entry in msgspec.json.decode(path.read_bytes(), type=_File).data:
        title = entry.title.replace("_", " ")
        for number, paragraph in enumerate(entry.paragraphs):
            article_id = f"{path.stem}-{entry.title}-{number}"
            version = article_version(paragraph.context)
            articles.append(Article(id=article_id, version=version, title=title, text=paragraph.context))
            questions += [
                SquadQuestion(
                    id=item.id,
                    question=item.question,
                    article_id=article_id,
                    group=entry.title,
                    answers=tuple((answer.text, answer.answer_start) for answer in item.answers),
                )
                for item in paragraph.qas
            ]
    return articles, questions


class _Row(msgspec.Struct):
    id: str
    question: str
    context: str
    answers: list[_Answer]
    group: str = ""


def read_questions(path: Path) -> tuple[list[Article], list[SquadQuestion]]:
    """Read a SQuAD file, or (`.jsonl.gz`) lines of questions, each with its paragraph."""
    if path.suffix != ".gz":
        return read_squad(path)
    articles: dict[str, Article] = {}
    questions = []
    with gzip.open(path, "rb") as lines:
        for row in (msgspec.json.decode(line, type=_Row) for line in lines):
            version = article_version(row.context)
            articles[version] = Article(id=version[:20], version=version, title="", text=row.context)
            answers = tuple((answer.text, answer.answer_start) for answer in row.answers)
            questions.append(
                SquadQuestion(
                    id=row.id, question=row.question, article_id=version[:20], group=row.group, answers=answers
                )
            )
    return list(articles.values()), questions


def normalise(text: str) -> str:
    """Lower case, without punctuation, articles and extra space.

    >>> normalise("The  Bab-Tobruk, district")
    'babtobruk district'
    """
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def exact_match(prediction: str, answers: Iterable[str]) -> float:
    """1 where the prediction equals an accepted answer; no accepted answer means that none must be given."""
    return float(any(normalise(prediction) == normalise(answer) for answer in list(answers) or [""]))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Best token F1 against the accepted answers.

    >>> round(f1("about 125,000 residents", ["125,000"]), 2)
    0.5
    """
    return max((_f1(prediction, answer) for answer in answers or [""]), default=0.0)


def _f1(prediction: str, answer: str) -> float:
    said, accepted = normalise(prediction).split(), normalise(answer).split()
    if not said or not accepted:
        return float(said == accepted)
    common = sum((Counter(said) & Counter(accepted)).values())
    return 2 * common / (len(said) + len(accepted)) if common else 0.0


def contains(text: str, answers: Iterable[str]) -> float:
    """1 where an accepted answer stands in the text as a run of whole words.

    >>> contains("It was closed in 2017.", ["2017"]), contains("It was closed in 2017.", ["7"])
    (1.0, 0.0)
    """
    words = normalise(text).split()
    return float(any(_holds(words, normalise(answer).split()) for answer in answers))


def said(text: str, phrases: Sequence[str]) -> tuple[str, ...]:
    """Those of the phrases that the text contains."""
    return tuple(phrase for phrase in phrases if contains(text, [phrase]))


def _holds(words: Sequence[str], run: Sequence[str]) -> bool:
    return bool(run) and any(list(words[at : at + len(run)]) == list(run) for at in range(len(words) - len(run) + 1))


# --- What a ranking of ids is worth, given the relevant ones
def first_rank(ranking: Sequence[str], relevant: Collection[str]) -> int | None:
    """Place, from 1, of the first relevant id; None where there is none.

    >>> first_rank(["a", "b"], {"b"}), first_rank(["a"], {"b"})
    (2, None)
    """
    return next((place for place, name in enumerate(ranking, start=1) if name in relevant), None)


def hit(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """1 where one of the first `within` ids is relevant: Hit@k, or success@k."""
    return float(any(name in relevant for name in ranking[:within]))


def recall(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Share of the relevant ids that are among the first `within`; 0 where nothing is relevant.

    >>> recall(["a", "b", "c"], {"b", "z"}, within=2)
    0.5
    """
    return len(set(ranking[:within]).intersection(relevant)) / len(relevant) if relevant else 0.0


def reciprocal_rank(rank: int | None, *, within: int) -> float:
    """One over a place, 0 beyond `within`.

    >>> reciprocal_rank(2, within=10), reciprocal_rank(11, within=10), reciprocal_rank(None, within=10)
    (0.5, 0.0, 0.0)
    """
    return 1.0 / rank if rank is not None and rank <= within else 0.0


def ndcg(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Normalised discounted cumulative gain.

    >>> round(ndcg(["x", "gold"], {"gold"}, within=10), 3)
    0.631
    """
    gains = [1.0 / math.log2(place + 1) for place, name in enumerate(ranking[:within], start=1) if name in relevant]
    ideal = sum(1.0 / math.log2(place + 1) for place in range(1, min(len(relevant), within) + 1))
    return sum(gains) / ideal if ideal else 0.0


def average_precision(ranking: Sequence[str], relevant: Collection[str], *, within: int) -> float:
    """Precision at the place of each relevant id, averaged over all relevant ids; its mean over questions is MAP.

    >>> round(average_precision(["gold", "x", "too"], {"gold", "too"}, within=10), 3)
    0.833
    """
    found = 0
    total = 0.0
    for place, name in enumerate(ranking[:within], start=1):
        if name in relevant:
            found += 1
            total += found / place
    return total / len(relevant) if relevant else 0.0


# --- What citations are worth, and how far words overlap
Supports = Callable[[str, Sequence[str]], bool]
"""Whether texts, taken together, say what a claim says."""
Span = tuple[int, int]


class ClaimCitations(msgspec.Struct, frozen=True, kw_only=True):
    """What the citations of one claim are worth."""

    recalled: bool
    precise: tuple[bool, ...]
    """Of each citation, in order."""
    minimal: bool | None
    """None where the claim is not supported: nothing to be minimal about."""


def judge_citations(claim: str, *, cited: Sequence[str], supports: Supports) -> ClaimCitations:
    """Judge one claim with the words of each of its citations.

    >>> both = lambda claim, texts: {"a", "b"} <= set(texts)
    >>> judge_citations("ab", cited=["a", "b"], supports=both).precise
    (True, True)
    >>> judge_citations("ab", cited=["a", "b", "c"], supports=both).precise
    (True, True, False)
    """
    recalled = bool(cited) and supports(claim, cited)
    if not recalled:
        return ClaimCitations(recalled=False, precise=(False,) * len(cited), minimal=None)
    if len(cited) == 1:
        return ClaimCitations(recalled=True, precise=(True,), minimal=True)
    needed = [not supports(claim, [*cited[:n], *cited[n + 1 :]]) for n in range(len(cited))]
    precise = tuple(needed[n] or supports(claim, [text]) for n, text in enumerate(cited))
    return ClaimCitations(recalled=True, precise=precise, minimal=all(needed))


def is_exact_span(text: str | None, start: int, end: int, *, words: str) -> bool:
    """Whether `words` are exactly the characters from `start` to `end`; False where the text is not known.

    >>> is_exact_span("125,000 people", 0, 7, words="125,000"), is_exact_span("125,000 people", 1, 8, words="125,000")
    (True, False)
    """
    # Python would count negative offsets from the end and cut those behind it.
    return text is not None and 0 <= start < end <= len(text) and text[start:end] == words


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two half-open spans share a character."""
    return max(one[0], other[0]) < min(one[1], other[1])


def ngram_overlap(response: str, document: str, *, n: int) -> float:
    """Share of the response's word n-grams that stand in the document (ROUGE-n precision, Lin, 2004).

    >>> ngram_overlap("the mayor resigned", "The mayor won.", n=1)
    0.6666666666666666
    """
    ours, theirs = _ngrams(response, n), set(_ngrams(document, n))
    return sum(gram in theirs for gram in ours) / len(ours) if ours else 1.0


def absent_words(response: str, document: str) -> tuple[Span, ...]:
    """Spans of the response's words that the document does not have: the floor of span detection.

    >>> absent_words("The mayor resigned.", "The mayor won.")
    ((10, 18),)
    """
    theirs = {word.text.casefold() for word in words_of(document)}
    return tuple((word.start, word.end) for word in words_of(response) if word.text.casefold() not in theirs)


def span_f1(predicted: Sequence[Sequence[Span]], marked: Sequence[Sequence[Span]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of characters, all responses pooled (as RAGTruth and LettuceDetect count).

    >>> span_f1([[(0, 4)]], [[(2, 6)]])
    (0.5, 0.5, 0.5)
    """
    ours = [_characters(spans) for spans in predicted]
    theirs = [_characters(spans) for spans in marked]
    common = sum(len(one & other) for one, other in zip(ours, theirs, strict=True))
    said, wanted = sum(map(len, ours)), sum(map(len, theirs))
    precision, recall = common / said if said else 0.0, common / wanted if wanted else 0.0
    return precision, recall, 2 * common / (said + wanted) if said + wanted else 1.0


def subset_f1(predicted: frozenset[int], accepted: Sequence[frozenset[int]]) -> float:
    """Best F1 of a set of sentences against the accepted sets (as WiCE scores supporting sentences).

    >>> subset_f1(frozenset({1, 2}), [frozenset({1}), frozenset({3})])
    0.6666666666666666
    """
    return max(
        (2 * len(predicted & one) / (len(predicted) + len(one)) if one else 0.0 for one in accepted), default=0.0
    )


def _ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    words = [word.text.casefold() for word in words_of(text)]
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _characters(spans: Sequence[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}
