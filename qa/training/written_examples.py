"""What was written for training: questions and claims on invented news, claims on edited texts, questions and claims on
the real news of DATA/support and of the halves of DATA/grounding that are fitted on.

Those texts stay there: a question names its text by hash and its words by place, a claim names its text. The passages
of DATA/support come in two versions, of which one lacks some facts: a question on such a fact has an answer in one and
none in the other, in nearly the same words.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from embeddings.chunking.sentences import split_sentences
from qa.evaluation.benchmarks.grounding_sets import GroundingRow, SetName, read_sets
from qa.grounding import Provenance
from qa.grounding.claim_evidence import passages_of, set_against
from qa.training.checker_data import EVIDENCE_WORDS, Label, Pair, kept_back, pairs_of
from qa.training.reader_data import Row, Span

WRITTEN = Path(__file__).parent / "news"
"""Invented articles of news with questions, written for this."""
WRITTEN_FOLDS = 5
PAIRS = "pairs"
"""Folder beside them: two articles each on one affair. What one leaves open the other may answer, so that nobody can
say that nothing does: none is held out."""
_NOT_HELD_OUT = 1
MOST_DECIDING = 25
"""Words; a reader takes 40 tokens at most."""


class WrittenQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question on an article that was written with it."""

    question: str
    sentence: str
    """How the sentence begins that holds the answer or what tempts."""
    answer: str | None
    tempting: str = ""
    """Words that only seem to answer, where nothing does."""
    why: str = ""


class WrittenArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An invented article of news."""

    title: str
    published: str
    text: str
    questions: tuple[WrittenQuestion, ...]


class WrittenFurther(msgspec.Struct, frozen=True, kw_only=True):
    """More questions on one article, by its title: what somebody said, why, and what takes something false for true."""

    title: str
    questions: tuple[WrittenQuestion, ...]


class WrittenDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A question that yes or no answers, or nothing in the article."""

    question: str
    answer: Literal["yes", "no"] | None
    sentence: str
    """How the sentence begins that decides, or only seems to."""


class WrittenDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one article, by its title."""

    title: str
    questions: tuple[WrittenDecision, ...]


_Made = TypeVar("_Made", bound=msgspec.Struct)


def written_articles(path: Path) -> Iterator[tuple[int, WrittenArticle]]:
    """The invented articles of one file, each with its fold; one in five is of fold 0, the one held out."""
    decoder = msgspec.json.Decoder(WrittenArticle)
    for number, line in enumerate(path.read_bytes().splitlines()):
        yield number % WRITTEN_FOLDS, decoder.decode(line)


def written_rows(folder: Path = WRITTEN) -> Iterator[Row]:
    """The questions on invented news: of `*.jsonl` and of `pairs/*.jsonl`, the further ones of `further/*.jsonl`, and
    those that yes or no answers.

    Raises ValueError where an answer does not stand behind the beginning of its sentence, or an article is missing.
    """
    articles = _folds(folder)
    asked = [(fold, article, one, "written_news") for fold, article in articles for one in article.questions]
    by_title = {article.title: (fold, article) for fold, article in articles}
    for made in _beside(folder / "further", WrittenFurther):
        fold, article = by_title.get(made.title, (0, None))
        if article is None:
            raise ValueError(f"no article is called {made.title!r}")
        asked += [(fold, article, one, "written_news_further") for one in made.questions]
    for fold, article, question, source in asked:
        words = question.tempting if question.answer is None else question.answer
        at = article.text.find(words, article.text.find(question.sentence))
        if question.sentence not in article.text or at < 0:
            raise ValueError(f"{article.title!r}: {words!r} does not stand where {question.question!r} says")
        answered = question.answer is not None
        yield _written(article, question.question, Span(words, at), answered=answered, fold=fold, source=source)
    for article, decided in written_decisions(folder):
        span, (fold, _) = deciding(article.text, decided.sentence), by_title[article.title]
        answered = decided.answer is not None
        yield _written(article, decided.question, span, answered=answered, fold=fold, source="written_news_further")


def _folds(folder: Path) -> list[tuple[int, WrittenArticle]]:
    single, paired = (sorted(place.glob("*.jsonl")) for place in (folder, folder / PAIRS))
    articles = [each for path in single for each in written_articles(path)]
    return articles + [(_NOT_HELD_OUT, article) for path in paired for _, article in written_articles(path)]


def _beside(folder: Path, kind: type[_Made]) -> Iterator[_Made]:
    decoder = msgspec.json.Decoder(kind)
    for path in sorted(folder.glob("*.jsonl")):
        yield from map(decoder.decode, path.read_bytes().splitlines())


def _written(article: WrittenArticle, question: str, span: Span, *, answered: bool, fold: int, source: str) -> Row:
    group = f"written:{article.title}"
    return _row(question, article.text, span, answered=answered, source=source, group=group, fold=fold)


def _row(question: str, context: str, span: Span | None, *, answered: bool, source: str, group: str, fold: int) -> Row:
    """`span`: the words that answer, or that only tempt; None where none do."""
    spans = (span,) if span else ()
    return Row(
        question=question,
        context=context,
        answers=spans if answered else (),
        plausible_answers=() if answered else spans,
        is_impossible=not answered,
        source=source,
        group=group,
        fold=fold,
    )


def deciding(text: str, sentence: str) -> Span:
    """The sentence that begins so, which decides yes or no; of a long one its last words, as many as a reader takes."""
    at = text.index(sentence)
    start, end = next((start, end) for start, end in split_sentences(text) if at < end)
    words = [(start + one.start(), start + one.end()) for one in re.finditer(r"\S+", text[start:end])]
    start = words[max(0, len(words) - MOST_DECIDING)][0]
    return Span(text[start:end], start)


def written_decisions(folder: Path = WRITTEN) -> Iterator[tuple[WrittenArticle, WrittenDecision]]:
    """The questions of `decisions/*.jsonl` on invented news, each with its article.

    Raises ValueError where no article has the title, or a sentence does not stand in it.
    """
    articles = {article.title: article for _, article in _folds(folder)}
    for made in _beside(folder / "decisions", WrittenDecisions):
        article = articles.get(made.title)
        for one in made.questions:
            if article is None or one.sentence not in article.text:
                raise ValueError(f"{made.title!r} does not hold {one.sentence!r}")
            yield article, one


# --- Claims on invented news, and on edited texts

Outcome = Literal["supported", "contradicted", "not_said"]
_OUTCOMES: Mapping[Outcome, Label] = {
    "supported": "entailment",
    "contradicted": "contradiction",
    "not_said": "neutral",
}
EDITED = Path(__file__).parent / "edits"
_EDITED_FOLDS = 10
_FEW_WORDS = 50
"""Of the shorter evidence that a written claim is read with too: the service gives both, and it costs half the time."""


class WrittenClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that was written for an article: in other words and true, or nearly in its words and not."""

    claim: str
    label: Outcome
    evidence: tuple[str, ...]
    """How the sentences begin that it was made of."""
    change: str = ""
    """What was changed, where it is not supported."""


class WrittenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of one article, by its title."""

    title: str
    claims: tuple[WrittenClaim, ...]


class EditedClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, and what each version of a text makes of it."""

    claim: str
    before: Outcome
    after: Outcome


class EditedText(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a text that differ in few facts: whoever judges by the claim alone is right of half."""

    before: str
    after: str
    claims: tuple[EditedClaim, ...]


def written_claims(*, held_out: bool, folder: Path = WRITTEN) -> Iterator[tuple[WrittenClaim, str, str]]:
    """The claims on invented news in `folder/claims`, each with title and text of its article.

    Those of one article in five are held out. Raises ValueError where no article of the file of the same name has the
    title, or evidence does not stand in it.
    """
    decoder = msgspec.json.Decoder(WrittenClaims)
    for path in sorted((folder / "claims").glob("*.jsonl")):
        articles = {article.title: (fold, article.text) for fold, article in written_articles(folder / path.name)}
        for made in map(decoder.decode, path.read_bytes().splitlines()):
            fold, text = articles.get(made.title, (0, ""))
            for one in made.claims:
                if missing := [begins for begins in one.evidence if begins not in text]:
                    raise ValueError(f"{path}: {made.title!r} does not hold {missing[0]!r}")
                if (fold == 0) is held_out:
                    yield one, made.title, text


def written_pairs(*, held_out: bool, folder: Path = WRITTEN) -> Iterator[Pair]:
    """The claims of `written_claims`, each with the passages that the checker would read it with."""
    for one, title, text in written_claims(held_out=held_out, folder=folder):
        yield from _read_as_served(one.claim, one.label, text, title, source="written_claims", held_out=held_out)


def edited_texts(*, held_out: bool, folder: Path = EDITED) -> Iterator[Pair]:
    """Each claim of `folder` with both versions of its text; one text in ten is held out."""
    decoder = msgspec.json.Decoder(EditedText)
    for path in sorted(folder.glob("*.jsonl")):
        for number, text in enumerate(map(decoder.decode, path.read_bytes().splitlines())):
            if (number % _EDITED_FOLDS == 0) is not held_out:
                continue
            for one in text.claims:
                yield Pair(text.before, one.claim, _OUTCOMES[one.before], "written_edits")
                yield Pair(text.after, one.claim, _OUTCOMES[one.after], "written_edits")


# --- Questions and claims on real news

ASKED = Path(__file__).parent / "documents"
"""Who asks what of which text."""
CLAIMED = ASKED / "claims"
DOCUMENTS = Path("support", "train-documents.jsonl.gz")
"""Under DATA: passages."""
ARTICLES = "grounding"
"""Under DATA: a folder of sets of summaries, whose articles are asked about where the set is of news."""
_NEWS_SETS: tuple[SetName, ...] = ("cliff", "qags-cnndm", "qags-xsum")
SOURCE = "asked_documents"
CLAIM_SOURCE = "written_documents"


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question and a place in its text: of the words that answer, or that only seem to."""

    question: str
    start: int
    end: int
    answered: bool = True


class AskedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The questions on one text."""

    document: str
    """Its key, see `document_key`."""
    questions: tuple[AskedQuestion, ...]


class DocumentClaim(msgspec.Struct, frozen=True):
    """A claim on a real text; most have a twin beside them that differs in one thing, and in truth."""

    claim: str
    label: Outcome


class ClaimedDocument(msgspec.Struct, frozen=True):
    """The claims on one text, which `document` names as in `AskedDocument`."""

    document: str
    claims: tuple[DocumentClaim, ...]


def document_key(text: str) -> str:
    """What names a text: the first 16 digits of its SHA-256.

    >>> document_key("Ida Holm owns the ferry.")
    '860d6c05e731cca6'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def document_rows(data: Path, folder: Path = ASKED, *, versions: bool = True) -> Iterator[Row]:
    """The questions of `folder` on texts under `data`; one text in five is of fold 0, the one held out.

    Without `versions`, on whole passages alone: asked of all of them, a question on a missing fact has its answer.

    Raises ValueError where a text is missing or a place lies outside it.
    """
    texts, lacking = _texts_of(data)
    decoder = msgspec.json.Decoder(AskedDocument)
    for path in sorted(folder.glob("*.jsonl")):
        for asked in map(decoder.decode, path.read_bytes().splitlines()):
            text = texts.get(asked.document)
            if text is None:
                raise ValueError(f"{data} holds no text {asked.document}, on which {path.name} asks")
            for one in asked.questions:
                if not 0 <= one.start < one.end <= len(text):
                    raise ValueError(f"{path.name}: {one.question!r} points outside of text {asked.document}")
                yield from _rows_of(asked, one, text, lacking=lacking.get(asked.document, ()) if versions else ())


def document_claims(data: Path, *, held_out: bool, folder: Path = CLAIMED) -> Iterator[tuple[DocumentClaim, str]]:
    """The claims of `folder`, each with its text under `data`.

    Held out are those of one text in five, and of the texts that thresholds are set by. Raises ValueError where a text
    is missing.
    """
    texts, _ = _texts_of(data)
    kept = {document_key(row.document) for row in _articles(data) if kept_back(row)}
    for made in _beside(folder, ClaimedDocument):
        if made.document not in texts:
            raise ValueError(f"{data} holds no text {made.document}, of which {made.claims[0].claim!r} is said")
        if (_fold(made.document) == 0 or made.document in kept) is held_out:
            yield from ((one, texts[made.document]) for one in made.claims)


def document_pairs(data: Path, *, held_out: bool, folder: Path = CLAIMED) -> Iterator[Pair]:
    """The claims of `document_claims`, each with the passages that the checker would read it with."""
    for one, text in document_claims(data, held_out=held_out, folder=folder):
        yield from _read_as_served(one.claim, one.label, text, "", source=CLAIM_SOURCE, held_out=held_out)


def _read_as_served(
    claim: str, outcome: Outcome, text: str, title: str, *, source: str, held_out: bool
) -> Iterator[Pair]:
    case = set_against(claim, [text], question="", contexts=[Provenance(title=title)])
    for words in (EVIDENCE_WORDS,) if held_out else (EVIDENCE_WORDS, _FEW_WORDS):
        if case is not None:
            yield Pair(passages_of(case, words=words)[0], claim, _OUTCOMES[outcome], source)


def _texts_of(data: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The real texts by key, and for passages of DATA/support those that lack some of their facts."""
    texts, lacking = _versions(pairs_of(data / DOCUMENTS))
    return texts | {document_key(row.document): row.document for row in _articles(data)}, lacking


def _articles(data: Path) -> Iterator[GroundingRow]:
    return (row for row in read_sets(data / ARTICLES, names=_NEWS_SETS) if row.part == "fit")


def _fold(key: str) -> int:
    return int(key[:8], 16) % WRITTEN_FOLDS


def _versions(pairs: Iterable[Pair]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Passages by key, and for each those that lack some of its facts: they share a claim."""
    whole: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for pair in pairs:
        by_claim = whole if pair.label == "entailment" else parts
        by_claim.setdefault(pair.hypothesis, []).append(pair.premise)
    texts: dict[str, str] = {}
    lacking: dict[str, dict[str, None]] = {}
    for claim, passages in whole.items():
        for text in passages:
            key = document_key(text)
            texts[key] = text
            lacking.setdefault(key, {}).update(dict.fromkeys(parts.get(claim, ())))
    return texts, {key: list(others) for key, others in lacking.items()}


def _rows_of(asked: AskedDocument, one: AskedQuestion, text: str, *, lacking: Sequence[str]) -> Iterator[Row]:
    """A question on its passage, and on those that lack the answer: they hold no other words that tempt."""
    words = text[one.start : one.end]
    row = partial(
        _row,
        one.question,
        source=SOURCE,
        group=f"documents:{asked.document}",
        fold=_fold(asked.document),
    )
    yield row(text, Span(words, one.start), answered=one.answered)
    if one.answered:
        yield from (row(other, None, answered=False) for other in lacking if words not in other)
