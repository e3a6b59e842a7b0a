"""What is remembered from question to question is what would be computed anew, and of nothing that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from embeddings import encoders
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import RememberingEncoder
from embeddings.ingest import ingest
from embeddings.runtime import Memory, key_of
from embeddings.types import RawArticle, Vector, Where
from qa.assembly import Assembly, assemble
from qa.reading import AnswerSpan, OverlapReader, PassageText, RememberingReader
from qa.settings import Settings
from qa.types import Answer, Question

FERRY = "The ferry Almeric carried 214 people to Skerra on Friday. It left the harbour at noon."
ASKED = "How many people did the ferry Almeric carry to Skerra?"


class CountingReader(OverlapReader):
    """Notes which passages it was given, and may be called something else."""

    name = "counting"

    def __init__(self) -> None:
        self.given: list[PassageText] = []

    @property
    def identity(self) -> str:
        return self.name

    def read(self, question: str, passages: Sequence[PassageText]) -> list[tuple[AnswerSpan, ...]]:
        self.given += passages
        return super().read(question, passages)


def test_a_memory_is_bounded_and_forgets_what_was_not_asked_for_longest() -> None:
    memory = Memory[str](2)
    memory.put(b"a", "A")
    memory.put(b"b", "B")
    assert memory.get(b"a") == "A"
    memory.put(b"c", "C")
    assert [memory.get(key) for key in (b"a", b"b", b"c")] == ["A", None, "C"]
    assert (len(memory), memory.hits, memory.misses) == (2, 3, 1)


def test_a_key_holds_no_words() -> None:
    assert len(key_of("Who?", "x" * 1000)) == 32
    assert b"Who" not in key_of("Who?")


def test_a_reading_is_of_one_reader_question_title_and_text() -> None:
    inner, plain = CountingReader(), OverlapReader()
    reader = RememberingReader(inner, readings=Memory(50))
    passages = [
        PassageText(text=FERRY, title="Ferry"),
        PassageText(text=FERRY, title="Ship"),
        PassageText(text="The bridge closes.", title="Ferry"),
        PassageText(text=FERRY, title="Ferry"),
    ]
    for _ in range(2):
        assert reader.read(ASKED, passages) == plain.read(ASKED, passages)
    assert inner.given == passages[:3], "each once, the same ones together"
    assert reader.read("When did it leave?", passages) == plain.read("When did it leave?", passages)
    assert len(inner.given) == 6
    inner.name = "another"
    reader.read(ASKED, passages[:1])
    assert len(inner.given) == 7


def test_a_vector_is_of_one_encoder_and_text_and_the_callers_own() -> None:
    hashing = encoders.load("hashing")
    memory = Memory[Vector](50)
    encoder = RememberingEncoder(hashing, vectors=memory)
    for text in ("a ferry", "a bridge", "a ferry"):
        vector = encoder.encode_query(text)
        assert np.array_equal(vector, hashing.encode_query(text))
        vector[:] = 0
    assert (memory.hits, memory.misses) == (1, 2)
    other = type(hashing)()
    other.identity = msgspec.structs.replace(hashing.identity, revision="2")  # type: ignore[misc]
    RememberingEncoder(other, vectors=memory).encode_query("a ferry")
    assert memory.misses == 3


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[EmbeddedCorpus]:
    encoder = encoders.load("hashing")
    opened = EmbeddedCorpus.open(tmp_path, identity=encoder.identity)
    yield opened
    opened.close()


@pytest.fixture
def inner() -> CountingReader:
    return CountingReader()


@pytest.fixture
def assembly(inner: CountingReader, monkeypatch: pytest.MonkeyPatch) -> Assembly:
    """The shipped reader's place is taken by one that counts."""
    monkeypatch.setattr("qa.assembly.load_reader", lambda *_, **__: inner)
    return assemble(Settings(), encoder=encoders.load("hashing"), checks=False)


def stored(corpus: EmbeddedCorpus, text: str, published: str | None = None) -> None:
    article = RawArticle(id="ferry", title="Ferry", text=text, published_at=published)
    ingest([article], corpus=corpus, encoder=encoders.load("hashing"))


def asked(assembly: Assembly, corpus: EmbeddedCorpus, *, as_of: str | None = None) -> Answer:
    return assembly.over(corpus).ask(Question(question=ASKED, as_of=as_of))


def test_a_question_asked_again_is_answered_alike_without_reading(
    assembly: Assembly, corpus: EmbeddedCorpus, inner: CountingReader
) -> None:
    stored(corpus, FERRY)
    first = asked(assembly, corpus)
    read, made = len(inner.given), assembly.memories["vectors"].misses
    again = asked(assembly, corpus)
    assert first.citations
    assert first.citations[0].cited_text in FERRY
    assert read > 0
    assert len(inner.given) == read
    assert assembly.memories["vectors"].misses == made
    differing = {name for name in again.__struct_fields__ if getattr(again, name) != getattr(first, name)}
    assert differing <= {"id", "as_of", "timings_ms"}


def test_what_was_deleted_is_not_answered_from_memory(assembly: Assembly, corpus: EmbeddedCorpus) -> None:
    stored(corpus, FERRY)
    assert asked(assembly, corpus).citations
    assert corpus.delete(Where(article_ids=("ferry",))) == 1
    answer = asked(assembly, corpus)
    assert (answer.answer_mode, answer.citations, answer.search_results) == ("abstained", (), ())


def test_what_was_corrected_is_read_anew(assembly: Assembly, corpus: EmbeddedCorpus) -> None:
    stored(corpus, FERRY, "2024-06-01")
    assert "214" in asked(assembly, corpus).answer
    # The number stands elsewhere now: what was read in the old words would be cut out of the new ones wrongly.
    stored(
        corpus, "At noon on Friday the ferry Almeric left the harbour. It carried 241 people to Skerra.", "2024-06-02"
    )
    corrected = asked(assembly, corpus)
    assert "241" in corrected.answer
    shown = [corrected.answer, *(each.cited_text for each in corrected.citations)]
    assert not any("214" in text for text in (*shown, *(each.text for each in corrected.search_results)))
    assert corrected.short_answer is not None
    assert corrected.short_answer.text == "241"


def test_what_is_not_known_yet_is_not_answered_from_memory(assembly: Assembly, corpus: EmbeddedCorpus) -> None:
    stored(corpus, FERRY, "2024-06-01")
    assert asked(assembly, corpus, as_of="2024-06-02").citations
    before = asked(assembly, corpus, as_of="2024-05-20")
    assert (before.citations, before.search_results) == ((), ())


@pytest.mark.parametrize(
    ("question", "title", "text", "answer"),
    [
        (
            "¿Quién es la alcaldesa de Orlena?",
            "El puerto de Orlena cierra",
            "Orlena cerró el puerto. La alcaldesa, Lía Roe, habló.",
            1,
        ),
        ("Wann wurde die Almbrücke gebaut?", "", "Die Almbrücke hat Risse. Der Steg wurde 1962 gebaut.", 1),
        ("Quem é a presidente da empresa Orla?", "", "Caiu a empresa Orla. A presidente da empresa, Ana Rol, saiu.", 1),
        ("Сколько метров длина моста в Орлене?", "Новый мост", "В Орлене открылся мост. Его длина — 340 метров.", 1),
        ("アルマ橋の長さはいくらですか？", "橋が開通", "アルマ橋は三日に開通した。長さは二百メートルだ。", 1),
        ("¿Cuándo abrirá el puente de Orlena?", "Un puente", "Orlena cerró el puente el lunes. Lo abrirá en mayo.", 1),
        ("Quand le roi a-t-il visité Orlena ?", "Le pain d'Orlena", "« Un four », a-t-il dit. Il est tard.", None),
        ("Wie heißt der Bahnhof von Orlena?", "Orlena baut", "Orlena baut eine Schule.", None),
    ],
)
def test_by_words_a_title_is_known_and_the_kind_of_answer_decides(
    question: str, title: str, text: str, answer: int | None
) -> None:
    (found,) = OverlapReader().read(question, [PassageText(text=text, title=title)])
    second = next((text.index(stop) + len(stop) for stop in (". ", "。") if stop in text[:-1]), len(text))
    assert (int(found[0].start >= second) if found[0].logit > 0 else None) == answer
