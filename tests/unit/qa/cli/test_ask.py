from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console

from qa.cli.ask import lay_out
from qa.types import Answer, Citation, Claim, Conflict, Filters, SearchResult, ShortAnswer, Usage

TEXT = "The storm hit at dawn. Some 125,000 people live in Derna. It is a port."
QUOTE = "Some 125,000 people live in Derna."
START = TEXT.index(QUOTE)


def citation(number: int, *, start: int, end: int, **fields: object) -> Citation:
    given = {
        "id": f"c{number}",
        "article_id": "a1",
        "article_version": "v1",
        "title": "Battle for Derna",
        "source": "Reuters",
        "url": "https://news.example/derna",
        "published_at": "2018-06-11T10:00:00Z",
        "cited_text": QUOTE,
        "start_char_index": START,
        "end_char_index": START + len(QUOTE),
        **fields,
    }
    return Citation(start=start, end=end, **given)  # type: ignore[arg-type]


def answer(**fields: object) -> Answer:
    text = f"{QUOTE} It is a port."
    given = {
        "answer": text,
        "answer_mode": "extractive",
        "abstain_reason": None,
        "fallback_reason": None,
        "short_answer": ShortAnswer(
            text="125,000",
            article_id="a1",
            article_version="v1",
            start_char_index=TEXT.index("125"),
            end_char_index=TEXT.index("125") + 7,
        ),
        "claims": (
            Claim(text=QUOTE, start=0, end=34, verdict="supported", support_score=0.9, citation_ids=("c1",)),
        ),
        "citations": (
            citation(1, start=0, end=34),
            citation(2, start=35, end=48, cited_text="It is a port.", title="The port", url=None, start_char_index=58,
                     end_char_index=71),
        ),
        "conflicts": (),
        "search_results": (),
        **fields,
    }  # fmt: skip
    return Answer(
        id="x",
        conversation_id=None,
        question="How many?",
        resolved_query="How many?",
        as_of="2024-01-01",
        support_score=0.9,
        usage=Usage(),
        timings_ms={},
        **given,  # type: ignore[arg-type]
    )


def shown(laid_out: object, *, colours: bool = False) -> str:
    output = io.StringIO()
    Console(file=output, force_terminal=colours, width=200, color_system="truecolor" if colours else None).print(
        laid_out
    )
    return output.getvalue()


def test_an_answer_is_followed_by_its_numbered_sources() -> None:
    assert shown(lay_out(answer())) == (
        "Some 125,000 people live in Derna. [1] It is a port. [2]\n"
        "\n"
        "[1] Battle for Derna — Reuters — 2018-06-11\n"
        "    https://news.example/derna\n"
        "    “Some 125,000 people live in Derna.”\n"
        "\n"
        "[2] The port — Reuters — 2018-06-11\n"
        "    “It is a port.”\n"
    )


def test_a_source_with_pages_names_the_page() -> None:
    first, second = answer().citations
    paged = answer(citations=(msgspec.structs.replace(first, page=4), second))
    assert "[1] Battle for Derna — Reuters — 2018-06-11 — p. 4\n" in shown(lay_out(paged))


def test_the_short_answer_stands_out_in_answer_and_quote() -> None:
    laid_out = lay_out(answer())
    marked = [laid_out.plain[span.start : span.end] for span in laid_out.spans if "reverse" in str(span.style)]
    assert marked == ["125,000", "125,000"]
    assert "\x1b[1;7m125,000" in shown(laid_out, colours=True)
    without = lay_out(answer(short_answer=None))
    assert not any("reverse" in str(span.style) for span in without.spans)
    assert without.plain == laid_out.plain


def test_a_short_answer_of_another_version_is_not_marked() -> None:
    other = ShortAnswer(text="125,000", article_id="a1", article_version="v2", start_char_index=28, end_char_index=35)
    assert not any("reverse" in str(span.style) for span in lay_out(answer(short_answer=other)).spans)


def test_conflicts_are_told() -> None:
    told = shown(lay_out(answer(conflicts=(Conflict(citation_ids=("c1", "c2"), note="31 or 23 injured"),))))
    assert told.endswith("Sources disagree: 31 or 23 injured\n")


def test_an_abstention_says_that_the_filters_leave_no_article() -> None:
    left = answer(
        answer_mode="abstained", abstain_reason="empty_corpus", citations=(), claims=(), search_results=(),
        short_answer=None, filters=Filters(section=("none",)),
    )  # fmt: skip
    assert "no article is left by the filters" in " ".join(shown(lay_out(left)).split())


@pytest.mark.parametrize("reason", ["empty_corpus", "no_match", "weak_match"])
def test_an_abstention_gives_its_reason_and_the_nearest_passages(reason: str) -> None:
    results = tuple(
        SearchResult(
            passage_id=f"p{number}",
            article_id="a1",
            article_version="v1",
            title=f"Title {number}",
            source="",
            url=None,
            published_at=None,
            text="word " * 100,
            start_char_index=0,
            end_char_index=9,
            score=0.5,
        )
        for number in range(5)
    )
    told = shown(
        lay_out(
            answer(
                answer_mode="abstained", abstain_reason=reason, answer="The articles do not answer this question.",
                short_answer=None, citations=(), claims=(), search_results=results,
            )
        )
    )  # fmt: skip
    assert told.startswith("No answer: ")
    assert f"({reason})" in told
    assert [f"Title {number}" in told for number in range(5)] == [True, True, True, False, False]
    assert "word …”" in told


def test_nothing_of_an_article_controls_the_terminal() -> None:
    attack = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\r[bold]x[/bold] :smile:"
    hostile = answer(
        answer=f"{attack} end",
        short_answer=None,
        citations=(citation(1, start=0, end=3, title=attack, source=attack, url=attack, cited_text=attack),),
    )
    told = shown(lay_out(hostile))
    assert not any(character in told for character in "\x1b\x07\x9b\u202e\r")
    assert told.count("evil[bold]x[/bold] :smile:") == 5


@pytest.mark.parametrize(
    ("mode", "reason", "told"),
    [
        ("extractive", "model_unreachable", "Quoted, not written by the model (model_unreachable)."),
        ("generated", "model_timed_out", "The model's draft ends early (model_timed_out)."),
        ("extractive", "no_model", None),
        ("generated", None, None),
    ],
)
def test_what_became_of_the_model_is_told(mode: str, reason: str | None, told: str | None) -> None:
    text = shown(lay_out(answer(answer_mode=mode, fallback_reason=reason)))
    assert text.endswith(f"{told}\n") if told else "model" not in text


def test_a_sentence_that_is_not_supported_says_so() -> None:
    """A terminal shows no verdicts, and QA_LENIENT promises that such sentences are marked."""
    sure = Claim(text=QUOTE, start=0, end=34, verdict="supported", support_score=0.9, citation_ids=("c1",))
    doubted = Claim(text="It is a port.", start=35, end=48, verdict="contradicted", support_score=0.1, citation_ids=())
    told = answer(answer_mode="generated", claims=(sure, doubted), citations=(citation(1, start=0, end=34),))
    first = shown(lay_out(told)).splitlines()[0]
    assert first == "Some 125,000 people live in Derna. [1] It is a port. (the sources say otherwise)"
