"""What every test runs under: no network, no model hub, no settings of the operator; and what tests share."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports torch or a hub client: these are read once, at import.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Several test processes with a thread per core each would fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else str(os.cpu_count() or 1))
for name in [name for name in os.environ if name.startswith("QA_")]:
    del os.environ[name]

REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"
SHARED_ABSENT = "needs the data sets of ../shared, which is not here"


def pytest_configure() -> None:
    """Close the network and choose how hypothesis draws its examples."""
    close_network()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it runs in the background deaf to Ctrl-C, and with it every program that a test starts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # No deadline and no speed check: cores are shared, and a slow example is no defect.
    settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
    settings.load_profile("ci" if os.environ.get("CI") else "local")


def close_network() -> None:
    """Let this process connect to loopback only; a test that needs more is a defect."""
    for method in ("connect", "connect_ex"):
        setattr(socket.socket, method, guarded(getattr(socket.socket, method)))
    resolve = socket.getaddrinfo

    def resolve_loopback(host: Any, *args: Any, **kwargs: Any) -> Any:
        refuse_foreign(host)
        return resolve(host, *args, **kwargs)

    socket.getaddrinfo = resolve_loopback


def guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def connect_loopback(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse_foreign(address[0])
        return connect(self, address)

    return connect_loopback


def refuse_foreign(host: str | bytes | None) -> None:
    """Raise unless `host` is this machine."""
    text = host.decode() if isinstance(host, bytes) else host
    if text in (None, "", "localhost"):
        return
    try:
        allowed = ip_address(text.split("%")[0]).is_loopback or ip_address(text.split("%")[0]).is_unspecified
    except ValueError:
        allowed = False
    if not allowed:
        raise PermissionError(f"tests may not reach {text}: nothing is downloaded at run time")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout."""
    return REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets beside the checkout; a test that asks for it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(SHARED_ABSENT)
    return SHARED


collect_ignore = ["faulty_messages.py", "faulty_model.py"]
"""Servers for the tests, not tests: looking for doctests would import them by a name that they do not have."""


@cache
def load_double(name: str) -> Any:
    """A module of tests/; a folder of tests is no package, so it cannot be imported by name before it is loaded."""
    spec = importlib.util.spec_from_file_location(name, REPO / "tests" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_faults() -> Any:
    """tests/faulty_model.py."""
    return load_double("faulty_model")


def load_message_faults() -> Any:
    """tests/faulty_messages.py, which goes on from the other."""
    load_faults()
    return load_double("faulty_messages")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `fault` is run once for every kind of failing model; a `message_fault`, of the other API."""
    for fixture, load in (("fault", load_faults), ("message_fault", load_message_faults)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, load().KINDS)


@pytest.fixture(scope="session")
def faults() -> Any:
    """The module tests/faulty_model.py."""
    return load_faults()


@pytest.fixture
def faulty_model(faults: Any) -> Iterator[Any]:
    """An OpenAI-compatible server; the model's name says what goes wrong."""
    with faults.FaultyModel() as server:
        yield server


@pytest.fixture
def faulty_messages() -> Iterator[Any]:
    """A server that speaks Anthropic's Messages API; the model's name says what goes wrong."""
    with load_message_faults().FaultyMessages() as server:
        yield server


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly which tests on real data did not run."""
    skipped = [
        report.nodeid for report in terminalreporter.stats.get("skipped", []) if SHARED_ABSENT in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section(f"NOT TESTED: {len(skipped)} tests on real data", sep="!", red=True, bold=True)
        terminalreporter.line(f"They read {SHARED}, which does not exist:")
        for nodeid in sorted(set(skipped)):
            terminalreporter.line(f"  {nodeid}")
