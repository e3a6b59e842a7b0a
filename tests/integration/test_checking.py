"""Checks of whole texts: the verdicts of answers, exact words, what differs; against texts sent along and the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import HashingEncoder
from embeddings.ingest import ingest
from embeddings.types import RawArticle
from qa.answering import Answerer
from qa.checking import CheckedSentence, CheckReport, SentText, TextToCheck
from qa.checking.text_checker import MOST_SENTENCES, TextChecker
from qa.errors import InvalidQuestion, InvalidText
from qa.generators import Say, ScriptedGenerator
from qa.grounding import Mismatch, Support, SupportChecker, load_checker
from qa.grounding.mismatches import LexicalChecker
from qa.reading import OverlapReader
from qa.settings import Settings
from qa.types import Filters, Question

FERRY = (
    "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board. Rescuers saved 205 of them.\n\n"
    "The ship was built in 1974. Its owner, the Orsa Line, said that the captain had reported water in the engine room."
)
INQUIRY = "A court in Velda opened an inquiry into the sinking of the Almira. The captain was questioned for six hours."
DRAFT = (
    "# The Almira\n\nThe ferry Almira sank near the island of Orsa on Tuesday with 212 people on board.\n"
    "The ferry sank near the island of Orsa with **190** people on board. The captain was questioned for six hours. "
    "Who is to blame? A whale was seen.\n"
)
ENCODER = HashingEncoder()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCorpus]:
    with closing(EmbeddedCorpus.open(tmp_path_factory.mktemp("ferry"), identity=ENCODER.identity)) as found:
        articles = [
            RawArticle(id="ferry", title="Ferry sinks", text=FERRY, source="Wire", published_at="2024-06-05"),
            RawArticle(
                id="court",
                title="Inquiry opened",
                text=INQUIRY,
                source="Post",
                published_at="2024-06-09",
                url="https://post.example/inquiry",
            ),
        ]
        assert ingest(articles, corpus=found, encoder=ENCODER).rejected == ()
        yield found


def checker_of(corpus: EmbeddedCorpus | None = None, *, checker: Any = None) -> TextChecker:
    return TextChecker(corpus=corpus, encoder=ENCODER, checker=checker or LexicalChecker(), settings=Settings())


def checked(
    text: str, *against: str, corpus: EmbeddedCorpus | None = None, checker: Any = None, **more: Any
) -> CheckReport:
    """The report, after it was held against the text and the sources."""
    sent = tuple(SentText(text=one) for one in against)
    asked = TextToCheck(text=text, against=sent, **more)
    report = asyncio.run(checker_of(corpus, checker=checker).check(asked))
    uncovered = list(text)
    for sentence in report.sentences:
        assert text[sentence.start : sentence.end] == sentence.text
        assert (sentence.verdict is None) == (sentence.support_score is None) == (sentence.not_judged is not None)
        assert bool(sentence.citations) == (sentence.verdict in {"supported", "partly_supported"})
        uncovered[sentence.start : sentence.end] = " " * (sentence.end - sentence.start)
        for words in (*sentence.citations, *sentence.nearest):
            source = (
                against[words.against_index] if words.against_index is not None else _stored(corpus, words.article_id)
            )
            assert source[words.start_char_index : words.end_char_index] == words.cited_text != ""
        for difference in sentence.differences:
            assert text[difference.start : difference.end] == difference.claimed
            assert sentence.start <= difference.start < difference.end <= sentence.end
    assert not "".join(uncovered).strip()
    return report


def _stored(corpus: EmbeddedCorpus | None, article_id: str | None) -> str:
    assert corpus is not None
    assert article_id is not None
    article = corpus.get(article_id)
    assert article is not None
    return article.text


def by_start(report: CheckReport, words: str) -> CheckedSentence:
    return next(sentence for sentence in report.sentences if words in sentence.text)


@pytest.mark.parametrize("against", [(INQUIRY, FERRY), ()], ids=["sent along", "the store"])
def test_each_sentence_has_its_verdict_and_its_words(corpus: EmbeddedCorpus, against: tuple[str, ...]) -> None:
    report = checked(DRAFT, *against, corpus=corpus)
    assert [sentence.verdict or sentence.not_judged for sentence in report.sentences] == [
        *("heading", "supported", "contradicted", "supported", "question", "unsupported")
    ]
    assert report.summary.supported == 2
    assert report.summary.not_judged == 2
    assert report.complete
    assert report.support_score == min(s.support_score for s in report.sentences if s.support_score is not None)
    (difference,) = by_start(report, "190").differences
    assert (difference.kind, difference.claimed, difference.found) == ("number", "190", "212")
    assert difference.note == "claimed 190, the source says 212"
    (words,) = by_start(report, "six hours").citations
    assert words.cited_text == "The captain was questioned for six hours."
    if against:
        assert (words.against_index, words.article_id) == (0, None)
    else:
        assert (words.against_index, words.article_id, words.title, words.source) == (
            None,
            "court",
            "Inquiry opened",
            "Post",
        )
        assert (words.url, words.published_at) == ("https://post.example/inquiry", "2024-06-09")


def test_an_answer_and_a_check_are_of_one_opinion(corpus: EmbeddedCorpus) -> None:
    """What a model writes is shown by `ask` where, and as, a check of the same words supports it."""
    draft = (
        "The ferry Almira sank near the island of Orsa on Tuesday with 212 people on board. "
        "Rescuers saved 190 of them. Rescuers saved 205 of them. The mayor of Velda has fled with 3 million crowns."
    )
    answerer = Answerer(
        corpus=corpus,
        encoder=ENCODER,
        reader=OverlapReader(),
        settings=Settings(),
        generator=ScriptedGenerator([Say(draft)]),
        checker=LexicalChecker(),
    )
    question = "Where did the ferry Almira sink?"
    answer = answerer.ask(Question(question=question, max_citations=10))
    assert answer.answer_mode == "generated"
    report = checked(draft, corpus=corpus, question=question)
    supported = [s for s in report.sentences if s.verdict == "supported"]
    assert [(claim.text, claim.support_score) for claim in answer.claims] == [
        (s.text, s.support_score) for s in supported
    ]
    assert [c.cited_text for c in answer.citations] == [w.cited_text for s in supported for w in s.citations]
    assert len(supported) == 2


def test_filters_and_dates_choose_among_the_articles(corpus: EmbeddedCorpus) -> None:
    claim = "The captain was questioned for six hours."
    assert checked(claim, corpus=corpus).summary.supported == 1
    for narrowed in (
        {"filters": Filters(source=("Wire",))},
        {"filters": Filters(article_ids=("ferry",))},
        {"filters": Filters(published_before="2024-06-09")},
        {"as_of": "2024-06-06"},
        {"collection": "other"},
    ):
        assert checked(claim, corpus=corpus, **narrowed).summary.unsupported == 1, narrowed
    assert checked(claim, corpus=corpus, as_of="2024-06-10").summary.supported == 1


class Watching(LexicalChecker):
    """Remembers what each claim was held against."""

    def __init__(self) -> None:
        self.seen: list[Sequence[str]] = []

    def check(self, claim: str, evidence: Sequence[str], **more: Any) -> Support:
        self.seen.append(evidence)
        return super().check(claim, evidence, **more)


def test_a_sentence_is_also_held_against_what_the_one_before_was_about(tmp_path: Path) -> None:
    """Of many articles only a few are held against a sentence; "it" and "he" are what was spoken of."""
    watching = Watching()
    with closing(EmbeddedCorpus.open(tmp_path, identity=ENCODER.identity)) as corpus:
        others = [
            RawArticle(
                id=f"b{n}", title=f"Bananas {n}", text=f"Bananas of kind {n} grew dearer in {1900 + n}, by {n} a crate."
            )
            for n in range(20)
        ]
        ingest([*others, RawArticle(id="court", title="Inquiry", text=INQUIRY)], corpus=corpus, encoder=ENCODER)
        text = "The court opened an inquiry into the sinking of the Almira. It grew dearer than bananas by the crate."
        checked(text, corpus=corpus, checker=watching)
    first, second = watching.seen
    assert any("opened an inquiry" in text for text in first)
    assert any("opened an inquiry" in text for text in second)
    assert sum("Bananas" in text for text in second) >= 6
    assert len(second) == 8


def test_long_texts_are_held_against_the_passages_that_share_most() -> None:
    watching = Watching()
    filler = "\n\n".join(f"Paragraph {n} tells of harbours, bridges and tolls of another year." * 6 for n in range(120))
    long = f"{filler}\n\n{FERRY}\n\n{filler}"
    report = checked("Rescuers saved 190 of them.", "Nothing of it.", long, checker=watching)
    assert sum(map(len, watching.seen[0])) < len(long) / 4
    assert by_start(report, "190").differences[0].found == "205"
    assert checked("Rescuers saved 205 of them.", long).summary.supported == 1


@pytest.mark.parametrize(
    "text",
    [
        "Rescuers saved {} of them",
        "190. Rescuers saved {} of them [2].",
        "- Rescuers saved **{}** of _them_.",
        "Answer: rescuers saved {} of them.",
        "According to the sources, 190 years on, rescuers saved {} of them",
        "Rescuers   saved\n{} of them [190].",
        "Rescuers saved [**{}**](https://a.example/190) of them, e\u0301te\u0301 [^190].",
        "[190](https://a.example/190) rescuers saved {} of them.",
    ],
)
def test_places_are_found_whatever_was_taken_out_of_a_sentence(text: str) -> None:
    report = checked(text.format("190"), FERRY)
    assert text.index("{}") in {d.start for d in report.sentences[-1].differences if d.claimed == "190"}


def test_a_mismatch_in_a_sentence_that_stays_supported_is_not_told() -> None:
    class Lenient:
        identity = "lenient"

        def check(self, claim: str, evidence: Sequence[str], **_: Any) -> Support:
            found = LexicalChecker().check(claim, evidence)
            doubt = Mismatch(kind="name", start=0, end=3)
            return Support(verdict="supported", score=0.9, spans=found.spans, mismatches=(doubt,))

    (sentence,) = checked("The ship was built in 1974.", FERRY, checker=Lenient()).sentences
    assert (sentence.verdict, sentence.differences, sentence.nearest) == ("supported", (), ())


@pytest.mark.parametrize(
    ("text", "against", "expected"),
    [
        ("غرقت العبارة يوم الثلاثاء. كم عدد الركاب؟", "غرقت العبارة يوم الثلاثاء.", ["supported", "question"]),
        ("渡轮星期二沉没了。谁是船主？", "渡轮星期二沉没了。", ["supported", "question"]),
        ("渡轮星期二沉没了。", "The ferry sank.", ["unsupported"]),
        ("🙂🙂🙂", "The ferry sank.", None),
        ("\u202e\u200b.", "The ferry sank.", None),
        ("<table><tr><td>212 people</td></tr></table>", FERRY, ["markup"]),
        ("| people on board | 212 |", FERRY, ["markup"]),
        ("Rescuers saved\r\n205 of them.\r\n", FERRY.replace("\n", "\r\n"), ["supported"]),
        ("No.", FERRY, ["small_talk"]),
        ("Nobody died.", FERRY, ["fragment"]),
        ("The ferry sank.", "...", ["unsupported"]),
    ],
)  # fmt: skip
def test_other_scripts_and_odd_texts(text: str, against: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(InvalidText, match="no words"):
            checked(text, against)
        return
    assert [sentence.verdict or sentence.not_judged for sentence in checked(text, against).sentences] == expected


def test_what_nobody_looked_at_makes_a_report_incomplete() -> None:
    assert not checked("Rescuers saved 205 of them. The <b>ferry</b> sank twice that day.", FERRY).complete
    assert checked("Rescuers saved 205 of them. Who else? Nobody died.", FERRY).complete


def test_limits_are_said_before_anything_is_judged(corpus: EmbeddedCorpus) -> None:
    fits = "It sank again. " * MOST_SENTENCES
    assert len(checked(fits, FERRY).sentences) == MOST_SENTENCES
    with pytest.raises(InvalidText, match=r"501 sentences, more than the 500"):
        checked(fits + "It sank once more.", FERRY)
    with pytest.raises(InvalidText, match=r"more than 100,000 characters together"):
        checked("It sank again.", "a " * 30_000, "b " * 30_000)
    with pytest.raises(InvalidText, match="no articles"):
        checked("It sank again.")
    for bad in ({"collection": "news"}, {"as_of": "2024-06-04"}, {"filters": Filters(source=("Wire",))}):
        with pytest.raises(InvalidQuestion, match="leave out"):
            checked("It sank again.", FERRY, corpus=corpus, **bad)
    with pytest.raises(InvalidQuestion, match="as_of"):
        checked("It sank again.", corpus=corpus, as_of="someday")
    dated = TextToCheck(text="It sank again.", against=(SentText(text=FERRY, published_at="someday"),))
    with pytest.raises(InvalidQuestion, match=r"against\[0\].published_at"):
        asyncio.run(checker_of().check(dated))


def test_the_date_of_a_text_sent_along_is_used() -> None:
    asked = TextToCheck(
        text="The ferry Almira sank near the island of Orsa on June 4 with 212 people on board.",
        against=(SentText(text=FERRY, published_at="2024-06-05"),),
    )
    (sentence,) = asyncio.run(checker_of().check(asked)).sentences
    assert sentence.verdict == "supported"


def test_time_that_is_up_leaves_the_rest_unjudged_and_says_so() -> None:
    async def run(job: Callable[[], Any], /) -> Any:
        """The first jobs at once; the third batch of claims never gets its turn."""
        done.append(job)
        if len(done) > 4:
            await asyncio.Event().wait()
        return job()

    done: list[Any] = []
    text = "The ship was built in 1974. " * 20
    asked = TextToCheck(text=text, against=(SentText(text=FERRY),))
    report = asyncio.run(checker_of().check(asked, run=run, seconds=0.5))
    assert [s.verdict or s.not_judged for s in report.sentences] == ["supported"] * 8 + ["out_of_time"] * 12
    assert not report.complete
    done[:] = [None] * 10
    with pytest.raises(TimeoutError):
        asyncio.run(checker_of().check(asked, run=run, seconds=0.01))


@pytest.fixture(scope="module")
def default_checker() -> SupportChecker:
    return load_checker("")


@pytest.mark.parametrize(
    ("claim", "claimed", "found"),
    [
        ("The ferry Almira sank near Orsa with 312 people on board.", "312", "212"),
        ("The ship was built in 1984.", "1984", "1974"),
    ],
)
def test_the_default_checker_names_an_altered_figure(
    default_checker: SupportChecker, claim: str, claimed: str, found: str
) -> None:
    (sentence,) = checked(claim, FERRY, checker=default_checker).sentences
    assert sentence.verdict in {"unsupported", "contradicted"}
    assert claimed in {difference.claimed for difference in sentence.differences}
    said = next(difference for difference in sentence.differences if difference.claimed == claimed)
    assert found in str(said.found)
