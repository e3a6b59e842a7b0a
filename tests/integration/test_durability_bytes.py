"""Altered bytes on the disk: an index file is never served, an altered text is never shown."""

from __future__ import annotations

import importlib.util
import logging
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import apsw
import pytest

from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.errors import StoreCorrupt, StoreError
from embeddings.types import Article, Hits, Where

EVERYTHING = Where()
KINDS = ("vectors", "terms", "json")


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """Makes articles and vectors without a model."""
    spec = importlib.util.spec_from_file_location("durability_writer", Path(__file__).with_name("durability_writer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pristine(writer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, closed, with an index file of some hundred kilobytes."""
    folder = tmp_path_factory.mktemp("pristine") / "corpus"
    with_corpus(folder, writer, lambda corpus: corpus.replace([writer.indexed(each) for each in articles(writer)]))
    return folder


def index_files(folder: Path) -> dict[str, Path]:
    """The files of an index of one segment, by kind."""
    found = {path.suffix[1:]: path for path in (folder / "index").iterdir()}
    assert set(found) == set(KINDS)
    return found


def articles(writer: ModuleType) -> list[Article]:
    return [writer.article(f"article {number}", "first") for number in range(300)]


def with_corpus(folder: Path, writer: ModuleType, use: Callable[[EmbeddedCorpus], object]) -> None:
    corpus = EmbeddedCorpus.open(folder, identity=writer.IDENTITY)
    try:
        use(corpus)
    finally:
        corpus.close()


def answers(corpus: EmbeddedCorpus, writer: ModuleType) -> list[Hits]:
    return [
        corpus.search(writer.vector(word), word, k=20, where=where)
        for word in writer.WORDS
        for where in (EVERYTHING, Where(article_ids=("article 7", "article 8")))
    ]


def truncate(content: bytearray, draw: random.Random) -> bytes:
    return bytes(content[: draw.randrange(len(content))])


def zero_a_sector(content: bytearray, draw: random.Random) -> bytes:
    start = draw.randrange(max(1, len(content) // 512)) * 512
    end = min(start + 512, len(content))
    content[start:end] = bytes(end - start)
    return bytes(content)


def flip_a_bit(content: bytearray, draw: random.Random) -> bytes:
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content)


def append(content: bytearray, draw: random.Random) -> bytes:
    return bytes(content) + draw.randbytes(draw.randint(1, 600))


def swap_two_sectors(content: bytearray, draw: random.Random) -> bytes:
    first, second = (draw.randrange(max(1, len(content) // 64)) * 64 for _ in range(2))
    content[first : first + 64], content[second : second + 64] = (
        content[second : second + 64],
        content[first : first + 64],
    )
    return bytes(content)


def change_a_digit(content: bytearray, draw: random.Random) -> bytes:
    """A count, key or hash character that is plausible and wrong."""
    digits = [at for at, byte in enumerate(content) if byte in b"0123456789"]
    at = draw.choice(digits)
    content[at] = ord(str((int(chr(content[at])) + 1) % 10))
    return bytes(content)


MUTATIONS = (truncate, zero_a_sector, flip_a_bit, append, swap_two_sectors, change_a_digit)


def test_no_altered_index_file_is_ever_served(
    pristine: Path, writer: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="embeddings")
    reader = EmbeddedCorpus.open(pristine, identity=writer.IDENTITY, read_only=True)
    assert reader.verify() == []
    expected = answers(reader, writer)
    assert not caplog.records, "the untouched files were not used"
    reader.close()
    paths = index_files(pristine)
    original = {kind: path.read_bytes() for kind, path in paths.items()}
    draw = random.Random(1)
    altered = 0
    for number in range(108):
        name, mutate = KINDS[number % 3], MUTATIONS[number // 3 % len(MUTATIONS)]
        content = mutate(bytearray(original[name]), draw)
        paths[name].write_bytes(content)
        caplog.clear()
        reader = EmbeddedCorpus.open(pristine, identity=writer.IDENTITY, read_only=True)
        assert answers(reader, writer) == expected, f"{mutate.__name__} of {name} changed what is found"
        if content != original[name]:
            altered += 1
            assert caplog.records, f"{mutate.__name__} of {name} went unnoticed"
            assert [finding.kind for finding in reader.verify()] in (["index_damaged"], ["index_outdated"])
        reader.close()
        paths[name].write_bytes(original[name])
    assert altered >= 100


@pytest.mark.parametrize("name", KINDS)
def test_a_missing_index_file_is_made_again(pristine: Path, writer: ModuleType, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(pristine, tmp_path / "corpus")
    index_files(folder)[name].unlink()

    def use(corpus: EmbeddedCorpus) -> None:
        assert len(corpus.verify()) == 1
        assert len(answers(corpus, writer)) == 16
        corpus.checkpoint()
        assert corpus.verify() == []

    with_corpus(folder, writer, use)
    assert len(index_files(folder)) == len(list((folder / "index").iterdir()))


def test_the_index_files_of_another_store_are_not_used(pristine: Path, writer: ModuleType, tmp_path: Path) -> None:
    """Same counts, same changes, same encoder, other articles."""
    other = tmp_path / "other"
    told = [writer.article(f"article {number}", "second") for number in range(300)]
    with_corpus(other, writer, lambda corpus: corpus.replace([writer.indexed(each) for each in told]))
    shutil.copytree(pristine / "index", other / "index", dirs_exist_ok=True)
    reader = EmbeddedCorpus.open(other, identity=writer.IDENTITY, read_only=True)
    line = told[0].text.split("\n", maxsplit=1)[0]
    assert reader.search(writer.vector(line), "", k=1, where=EVERYTHING).dense[0].score == pytest.approx(1)
    assert [finding.kind for finding in reader.verify()] == ["index_outdated"]
    reader.close()


def test_index_files_newer_than_a_restored_backup_are_not_used(
    pristine: Path, writer: ModuleType, tmp_path: Path
) -> None:
    """The backup grows to the very same number of changes, with other articles: the counts alone would agree."""
    backup, ahead = (shutil.copytree(pristine, tmp_path / name) for name in ("backup", "ahead"))
    one, other = writer.article("article 1", "one"), writer.article("article 1", "other")
    with_corpus(ahead, writer, lambda corpus: corpus.replace([writer.indexed(one)]))
    with_corpus(backup, writer, lambda corpus: corpus.replace([writer.indexed(other)]))
    shutil.copytree(ahead / "index", backup / "index", dirs_exist_ok=True)
    reader = EmbeddedCorpus.open(backup, identity=writer.IDENTITY, read_only=True)
    line = other.text.split("\n", maxsplit=1)[0]
    assert reader.search(writer.vector(line), "", k=1, where=EVERYTHING).dense[0].score == pytest.approx(1)
    reader.close()


def alter(folder: Path, statement: str) -> None:
    db = apsw.Connection(str(folder / "store.db"))
    db.execute(statement)
    assert db.changes() == 1
    db.close()


ALTERATIONS = {
    "text": "UPDATE versions SET document = replace(document, 'article 7 first', 'article 7 fbrst') WHERE number = 8",
    "title": """UPDATE versions SET document = replace(document, '"title":"article', '"title":"brticle')
                WHERE number = 8""",
    "not even text": "UPDATE versions SET document = CAST(x'ff00fe' AS TEXT) WHERE number = 8",
    "span": "UPDATE passages SET start = start + 1 WHERE article = 8 AND start = 0",
    "id": "UPDATE passages SET id = 'x' || id WHERE article = 8 AND start = 0",
    "vector": "UPDATE passages SET vector = zeroblob(length(vector)) WHERE article = 8 AND start = 0",
    "type": "UPDATE passages SET stop = 'many' WHERE article = 8 AND start = 0",
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_altered_words_are_not_shown_but_reported_and_mended_by_ingesting_again(
    pristine: Path, writer: ModuleType, tmp_path: Path, what: str
) -> None:
    folder = shutil.copytree(pristine, tmp_path / "corpus")
    alter(folder, ALTERATIONS[what])
    told = writer.article("article 7", "first")
    original = {each.passage.text for each in writer.indexed(told).passages}
    only = Where(article_ids=("article 7",))

    def use(corpus: EmbeddedCorpus) -> None:
        corpus.rebuild()
        keys = [hit.key for hit in corpus.search(writer.vector("x"), "", k=99, where=only).dense]
        shown = {stored.passage.text for stored in corpus.passages(keys).values()}
        assert shown < original
        assert corpus.fingerprints(["article 7"]) == {}
        assert {finding.kind for finding in corpus.verify()} & {"article", "passage"}
        if what in ("text", "title", "not even text"):
            with pytest.raises(StoreCorrupt, match=r"'article 7'.*qa index verify"):
                corpus.get("article 7")
            with pytest.raises(StoreCorrupt, match="'article 7'"):
                corpus.scan(where=only, after=None, limit=1)
        corpus.replace([writer.indexed(told)])
        corpus.checkpoint()
        assert corpus.get("article 7") == told
        assert corpus.fingerprints(["article 7"]).keys() == {"article 7"}
        keys = [hit.key for hit in corpus.search(writer.vector("x"), "", k=99, where=only).dense]
        assert {stored.passage.text for stored in corpus.passages(keys).values()} == original
        assert corpus.verify() == []

    with_corpus(folder, writer, use)


def test_an_article_filed_under_a_wrong_date_or_source_is_reported(
    pristine: Path, writer: ModuleType, tmp_path: Path
) -> None:
    folder = shutil.copytree(pristine, tmp_path / "corpus")
    alter(folder, "UPDATE articles SET published = 0 WHERE number = 3")
    alter(folder, "UPDATE articles SET source = 'nade' WHERE number = 4")
    reader = EmbeddedCorpus.open(folder, identity=writer.IDENTITY, read_only=True)
    assert [finding.where for finding in reader.verify()] == ["article 'article 2'", "article 'article 3'"]
    reader.close()


def test_no_byte_altered_in_the_database_is_ever_quoted(pristine: Path, writer: ModuleType, tmp_path: Path) -> None:
    """150 single altered bytes anywhere in the file: what is shown is what was stored, or there is an error."""
    told = {each.id: each for each in articles(writer)}
    lines = {
        each.passage.id: each.passage.text for article in told.values() for each in writer.indexed(article).passages
    }
    folder = shutil.copytree(pristine, tmp_path / "corpus")
    content = (folder / "store.db").read_bytes()
    draw = random.Random(2)
    errors = 0
    for _ in range(150):
        altered = bytearray(content)
        altered[draw.randrange(len(altered))] ^= draw.randint(1, 255)
        (folder / "store.db").write_bytes(altered)
        for leftover in folder.glob("store.db-*"):
            leftover.unlink()
        try:
            reader = EmbeddedCorpus.open(folder, identity=writer.IDENTITY, read_only=True)
        except StoreError:
            errors += 1
            continue
        try:
            keys = range(1, len(lines) + 1)
            for stored in reader.passages(keys).values():
                assert lines[stored.passage.id] == stored.passage.text
                assert told[stored.passage.article_id].title == stored.title
            for name in list(told)[:: draw.randint(5, 10)]:
                assert reader.get(name) in (told[name], None)
        except StoreError:
            errors += 1
        finally:
            reader.close()
    assert errors < 150
