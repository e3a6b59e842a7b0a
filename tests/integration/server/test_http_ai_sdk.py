"""The Vercel AI SDK, unmodified, reads text and citations of the real service (`make test` installs it)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

NODE = shutil.which("node")
SURE = "When will the old bridge over the Tamar be repaired?"


@pytest.fixture(scope="module")
def asked(client: httpx.Client, repo: Path) -> Any:
    """What the SDK found, by the way it asked."""
    folder = repo / "tests" / "clients" / "ai_sdk"
    if NODE is None or not (folder / "node_modules").is_dir():
        pytest.skip(
            "NOT TESTED with the Vercel AI SDK: it needs node, and scripts/install_clients.sh (make test runs it)"
        )
    command = [NODE, str(folder / "ask.mjs"), f"{client.base_url}/v1", SURE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def native(client: httpx.Client) -> Any:
    answer = client.post("/api/ask", json={"question": SURE}).json()
    assert answer["citations"]
    return answer


@pytest.mark.parametrize("way", ["chat", "chat stream", "responses", "responses stream"])
def test_text_and_citations(asked: Any, native: Any, way: str) -> None:
    found = asked[way]
    assert found["text"] == native["answer"]
    assert [source["title"] for source in found["sources"]] == [one["title"] for one in native["citations"]]
    for source in found["sources"]:
        assert source["sourceType"] == "url"
        assert "#:~:text=" in source["url"]
    assert found["finishReason"] == "stop"
    assert "error" not in found.get("parts", [])


def test_errors(asked: Any) -> None:
    assert asked["error"]["status"] == 404
    assert "sourceline-links" in asked["error"]["message"]
