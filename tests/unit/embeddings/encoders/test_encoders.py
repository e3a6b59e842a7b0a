"""Finding a model's files and naming what they are; no weights are read into memory here."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from embeddings.encoders import BUNDLED_MODEL, load, locate, revision, verify_bundled
from embeddings.errors import EncoderError, WeightsMismatch

FILES = {
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "config.json": b'{"hidden_size": 32}',
    "1_Pooling/config.json": b'{"pooling_mode": "mean"}',
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the files of a model, if not their content."""
    folder = tmp_path / "model"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", [BUNDLED_MODEL, f"sentence-transformers/{BUNDLED_MODEL}"])
def test_the_bundled_model_has_two_names(name: str) -> None:
    folder = locate(name)
    assert (folder / "model.safetensors").stat().st_size > 90_000_000
    verify_bundled(folder)


def test_one_flipped_bit_in_the_bundled_weights_is_refused(tmp_path: Path) -> None:
    altered = tmp_path / "model.safetensors"
    shutil.copyfile(locate(BUNDLED_MODEL) / "model.safetensors", altered)
    verify_bundled(tmp_path)
    with altered.open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)[0]
        file.seek(50_000_000)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(WeightsMismatch, match="pip install --force-reinstall"):
        verify_bundled(tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"cannot read .*model\.safetensors"):
        verify_bundled(tmp_path)


def test_a_folder_is_found_by_its_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate(str(model)) == model.resolve()
    monkeypatch.chdir(model.parent)
    assert locate("model") == model.resolve()
    monkeypatch.setenv("HOME", str(model.parent))
    assert locate("~/model") == model.resolve()


def test_a_folder_of_the_bundled_name_does_not_stand_in_for_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model.rename(model.parent / BUNDLED_MODEL)
    monkeypatch.chdir(model.parent)
    assert locate(BUNDLED_MODEL) != (model.parent / BUNDLED_MODEL).resolve()


@pytest.mark.parametrize(
    ("missing", "message"),
    [("model.safetensors", "pickled weights are refused"), ("tokenizer.json", "fast tokenizer")],
)
def test_an_unusable_folder_is_refused(model: Path, missing: str, message: str) -> None:
    (model / missing).unlink()
    (model / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(EncoderError, match=message):
        locate(str(model))


@pytest.mark.parametrize("name", ["no-such/model-anywhere", "not a model!", "/no/such/folder", "a/b/c", ""])
def test_an_unknown_name_says_what_to_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match=f"QA_ENCODER.*{BUNDLED_MODEL}" if name else "safetensors"):
        locate(name)


@pytest.mark.parametrize("name", FILES)
def test_the_revision_changes_with_every_file_that_shapes_vectors(model: Path, name: str) -> None:
    before = revision(model)
    (model / name).write_bytes(FILES[name] + b" ")
    assert revision(model) != before


def test_the_revision_is_of_the_content_alone(model: Path, tmp_path: Path) -> None:
    before = revision(model)
    (model / "README.md").write_text("words for people", encoding="utf-8")
    (model / ".cache.json").write_text("{}", encoding="utf-8")
    os.utime(model / "model.safetensors", (0, 0))
    shutil.copytree(model, tmp_path / "moved")
    assert revision(model) == revision(tmp_path / "moved") == before
    (model / "config.json").rename(model / "other.json")
    assert revision(model) != before


@pytest.mark.parametrize("name", [BUNDLED_MODEL, "hashing"])
def test_what_ships_takes_no_prompts(name: str) -> None:
    with pytest.raises(EncoderError, match="QA_ENCODER_QUERY_PROMPT"):
        load(name, passage_prompt="passage:")
