"""The container image and the compose file: least rights, no secrets, nothing fetched when it runs."""

from __future__ import annotations

import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

Instruction = tuple[str, str]


@pytest.fixture(scope="module")
def stages(repo: Path) -> list[list[Instruction]]:
    """The Dockerfile's instructions, by stage; those before the first FROM belong to none."""
    text = re.sub(r"\\\n", " ", (repo / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[list[Instruction]] = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, " ".join(rest.split())))
    return found


def values(stage: list[Instruction], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def test_the_service_does_not_run_as_root(stages: list[list[Instruction]]) -> None:
    final = stages[-1]
    (user,) = values(final, "USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "numeric, so that a cluster can check that it is not root"
    after_user = final[final.index(("USER", user)) :]
    assert not {"RUN", "COPY", "ADD"} & {word for word, _ in after_user}


def test_the_final_stage_fetches_nothing(stages: list[list[Instruction]]) -> None:
    final = stages[-1]
    assert len(stages) == 2
    assert not values(final, "ADD")
    assert not re.search(r"pip|apt|curl|wget|https?://", " ".join(values(final, "RUN")))
    environment = " ".join(values(final, "ENV"))
    assert "HF_HUB_OFFLINE=1" in environment
    assert "ORT_DISABLE_TELEMETRY=1" in environment
    assert "TRANSFORMERS_OFFLINE=1" in environment


def test_it_serves_all_addresses_and_reports_its_health(stages: list[list[Instruction]]) -> None:
    final = stages[-1]
    assert values(final, "ENTRYPOINT") == ['["qa"]']
    assert values(final, "CMD") == ['["serve", "--host", "0.0.0.0"]']
    (health,) = values(final, "HEALTHCHECK")
    assert "/opt/sourceline/healthcheck.py" in health
    assert "scripts/healthcheck.py /opt/sourceline/healthcheck.py" in values(final, "COPY")


def test_the_build_proves_the_weights(repo: Path, stages: list[list[Instruction]]) -> None:
    assert any("scripts/install_image.sh" in run for run in values(stages[0], "RUN"))
    assert "verify_model.py" in (repo / "scripts" / "install_image.sh").read_text()


def test_what_is_copied_exists_and_may_enter(repo: Path, stages: list[list[Instruction]]) -> None:
    allowed = {line[1:] for line in (repo / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert (repo / ".dockerignore").read_text().splitlines()[1] == "*", "only what is named may enter the image"
    for copy in (copy for stage in stages for copy in values(stage, "COPY") if "--from" not in copy):
        for source in copy.split()[:-1]:
            assert (repo / source).exists(), f"Dockerfile copies {source}, which does not exist"
            assert source.split("/")[0] in allowed, f".dockerignore keeps {source} out of the image"


@pytest.fixture(scope="module")
def compose(repo: Path) -> dict[str, Any]:
    return yaml.safe_load((repo / "docker-compose.yml").read_text())


def test_every_service_has_least_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys(), name
        unheard = name == "worker"  # it listens to nobody
        assert service["healthcheck"].get("disable") is True if unheard else service["healthcheck"]["test"][0] == "CMD"


def test_the_service_is_published_on_this_machine_only(compose: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["sourceline"]["ports"])
    assert "ports" not in compose["services"]["llm"]


def test_the_service_has_no_way_out(compose: dict[str, Any]) -> None:
    """Its networks are internal, or answer no connection that it opens, unless whoever starts it says otherwise."""
    networks = compose["networks"]
    joined = compose["services"]["sourceline"]["networks"]
    option = "com.docker.network.bridge.enable_ip_masquerade"
    closed = {"${SOURCELINE_EGRESS:-false}"}
    assert joined
    for name in joined:
        network = networks[name] or {}
        assert network.get("internal") or {network.get("driver_opts", {}).get(option)} == closed, name
    shared = set(joined) & set(compose["services"]["llm"]["networks"])
    assert [networks[name] for name in shared] == [{"internal": True}]


def test_without_keys_only_the_published_address_keeps_others_out(repo: Path, compose: dict[str, Any]) -> None:
    """The image alone refuses to serve all addresses without keys; compose, which publishes on loopback, lets it."""
    assert "QA_ALLOW_OPEN" not in (repo / "Dockerfile").read_text()
    environment = compose["services"]["sourceline"]["environment"]
    assert environment["QA_ALLOW_OPEN"] == "true"
    assert environment["QA_API_KEYS"] == "${QA_API_KEYS:-}"


def test_only_volumes_and_temporary_folders_can_be_written(compose: dict[str, Any]) -> None:
    service = compose["services"]["sourceline"]
    assert service["volumes"] == ["data:/data"]
    assert service["environment"]["QA_DATA_DIR"] == "/data"
    assert [entry.split(":")[0] for entry in service["tmpfs"]] == ["/tmp"]
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ())}
    assert used == set(compose["volumes"])


def test_the_language_model_is_optional_and_pinned(compose: dict[str, Any]) -> None:
    llm = compose["services"]["llm"]
    assert llm["profiles"] == ["llm"]
    assert re.fullmatch(r"ghcr\.io/ggml-org/llama\.cpp:server-b\d+", llm["image"])
    assert "profiles" not in compose["services"]["sourceline"]


def test_the_cluster_is_optional_and_closed(compose: dict[str, Any]) -> None:
    """Only the proxy is reached from outside, and that on this machine; the database from nowhere else."""
    cluster = {name: one for name, one in compose["services"].items() if one.get("profiles") == ["cluster"]}
    assert cluster.keys() == {"one", "two", "worker", "postgres", "proxy"}
    assert cluster["worker"]["command"] == ["work"]
    assert cluster["worker"]["environment"] == cluster["one"]["environment"]
    assert cluster["one"]["environment"]["QA_WORKERS"] == "${QA_WORKERS:-true}", "what it is sent is left to the worker"
    for name in ("QA_STORE", "QA_STORE_REPLICAS", "QA_STORE_REPLICA_SECONDS"):
        assert cluster["one"]["environment"][name].startswith(f"${{{name}:-"), "it is taken from .env"
    assert [name for name, one in cluster.items() if "ports" in one] == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in cluster["proxy"]["ports"])
    assert cluster["postgres"]["networks"] == ["cluster"]
    assert compose["networks"]["cluster"]["internal"] is True
    trusted = ip_network(cluster["one"]["environment"]["QA_TRUSTED_PROXIES"])
    assert trusted == ip_network(compose["networks"]["cluster"]["ipam"]["config"][0]["subnet"])
    assert cluster["one"]["volumes"] != cluster["two"]["volumes"], "a file of conversations has one service"
    assert cluster["one"]["image"] == cluster["two"]["image"] == compose["services"]["sourceline"]["image"]
    assert re.fullmatch(r"pgvector/pgvector:0\.8\.\d+-pg\d+", cluster["postgres"]["image"])
    assert int(cluster["postgres"]["image"].split(":")[1].split("-")[0].split(".")[2]) >= 3


def test_the_proxy_passes_streams_on_as_they_come(repo: Path, compose: dict[str, Any]) -> None:
    path = repo / compose["configs"]["proxy"]["file"]
    said = path.read_text()
    assert "proxy_buffering off;" in said
    assert set(re.findall(r"server (\w+):8000", said)) == {"one", "two"}
    assert "X-Forwarded-For $remote_addr;" in said, "what a caller says of itself must not be passed on"


def test_there_is_no_secret_in_it(repo: Path) -> None:
    for name in ("docker-compose.yml", "Dockerfile"):
        text = (repo / name).read_text()
        assert not re.search(r"(?i)(api_?key|password|secret|token)\s*[:=]\s*\S", text.replace("TOKENIZERS_", "")), name


def test_the_image_carries_the_version_of_the_project(repo: Path, compose: dict[str, Any]) -> None:
    version = re.search(r'^version = "(.+)"', (repo / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert compose["services"]["sourceline"]["image"] == f"sourceline:{version[1]}"


@pytest.fixture
def readiness() -> Iterator[tuple[str, list[int]]]:
    """A service that answers with the first status of the list, and the list."""
    statuses = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[0] if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", statuses
    server.shutdown()
    thread.join()
    server.server_close()


def healthcheck(repo: Path, address: str) -> int:
    command = [sys.executable, "-I", str(repo / "scripts" / "healthcheck.py"), address]
    return subprocess.run(command, check=False, timeout=240).returncode


def test_health_check_follows_readiness(repo: Path, readiness: tuple[str, list[int]]) -> None:
    address, statuses = readiness
    assert healthcheck(repo, address) == 0
    statuses[0] = 503
    assert healthcheck(repo, address) == 1
    assert healthcheck(repo, "http://127.0.0.1:9") == 1


def test_verification_refuses_altered_weights(repo: Path, tmp_path: Path) -> None:
    """One changed byte in a copy of the bundled network: exit status 1, and what to do."""
    original, copy = repo / "embeddings", tmp_path / "embeddings"
    for inner in ("", "encoders", "encoders/bundled_network"):
        (copy / inner).mkdir()
        for path in (original / inner).iterdir():
            if path.name not in {"encoders", "bundled_network", "encoder.onnx"}:
                (copy / inner / path.name).symlink_to(path)
    network = bytearray((original / "encoders/bundled_network/encoder.onnx").read_bytes())
    network[-1] ^= 1
    (copy / "encoders/bundled_network/encoder.onnx").write_bytes(network)
    done = subprocess.run(
        [sys.executable, str(repo / "scripts" / "verify_model.py")],
        env={"PYTHONPATH": f"{tmp_path}:{repo}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "encoder.onnx" in done.stderr
    assert "reinstall the package" in done.stderr
