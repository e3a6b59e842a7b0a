"""Runs the service: binds, loads the parts behind a live event loop, says when it is ready, stops cleanly.

Store, encoder and answerer are opened from settings, each used once, so that all are known to work.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TYPE_CHECKING

import msgspec
import uvicorn
from litestar import Litestar

from embeddings.corpus import Corpus
from embeddings.embedded_corpus import EmbeddedCorpus
from embeddings.encoders import Encoder
from embeddings.errors import EmbeddingsError, StoreReadOnly
from embeddings.index import live
from embeddings.ingest import ingest
from embeddings.opening import open_corpus
from embeddings.runtime import at_once, key_of
from embeddings.types import RawArticle, Where
from embeddings.usable_corpus import Clock, utc_now
from qa.access.origins import is_loopback
from qa.answers import fold
from qa.assembly import Assembly, assemble
from qa.errors import QAError, SettingsError
from qa.server.app import answer_head, create_app
from qa.server.errors import ShuttingDown
from qa.server.http.headers import squeezed
from qa.server.http.problems import StrictProtocol
from qa.server.monitoring import logged, traced
from qa.server.parts import Narrowed, Parts
from qa.server.service import Service
from qa.settings import Settings, load_encoder
from qa.tracing import open_tracing
from qa.types import Question

_TEXT = "Is everything ready?"
_REHEARSED = RawArticle(
    title="Stage opened",
    text="The stage of Velda was opened on Monday. About 4,200 people came, the town said.",
    origin="rehearsal",
)
_QUESTION = "How many people came?"


def load(settings: Settings, *, now: Clock = utc_now) -> Parts:
    """Open everything, verify (or rebuild) the index, warm up what answers: nothing is left to load for a question.

    Raises SettingsError, and EmbeddingsError, also where the store was filled by another encoder: no question could
    be answered. A model's server is not asked yet: without it, too, questions have answers.
    """
    encoder = load_encoder(settings)
    corpus = _opened(settings, encoder)
    try:
        corpus.activate(encoder.identity)  # refuses a store of another encoder before any weights are read
        assembly = msgspec.structs.replace(assemble(settings, encoder=encoder), now=now)
        _warm_up(corpus, encoder)
        _rehearse(assembly)
    except BaseException:
        corpus.close()
        raise

    def narrowed(within: tuple[str, ...]) -> Narrowed:
        return Narrowed(
            answering=assembly.over(corpus, within=within), checking=assembly.checks_against(corpus, within=within)
        )

    return Parts(
        corpus=corpus,
        encoder=encoder,
        answering=assembly.over(corpus),
        checking=assembly.checks_against(corpus),
        narrowed=narrowed,
        generator=assembly.generator,
        memories=assembly.memories,
        now=assembly.now,
        made_by=_made_by(assembly),
    )


def _made_by(assembly: Assembly) -> str:
    parts = (assembly.reader, assembly.reranker)
    named = [str(part.identity) for part in (*parts, assembly.encoder) if part]
    fitted = key_of(msgspec.json.encode(assembly.reader.calibration).decode()).hex()[:16]
    return " | ".join([version("sourceline"), *named, fitted, str(assembly.settings.answer_threshold)])


def _opened(settings: Settings, encoder: Encoder) -> Corpus:
    """The corpus; of a store that this user cannot write, for reading."""
    try:
        return open_corpus(settings.place, identity=encoder.identity, else_read=True)
    except StoreReadOnly as error:
        logger.warning("%s; questions are answered, articles cannot be added", error)
        return open_corpus(settings.place, identity=encoder.identity, read_only=True)


def _warm_up(corpus: Corpus, encoder: Encoder) -> None:
    """Do what a question does: the first time loads weights and index files."""
    corpus.search(encoder.encode_query(_TEXT), _TEXT, k=1, where=Where())


def _rehearse(assembly: Assembly) -> None:
    """Answer a question from an article of our own, and check a sentence of it where a model writes.

    Readers and cross-encoders read their weights when they are first used. A question that came first would wait for
    that within its own deadline, and the store may be empty still. Without a model only `/api/check` uses the checker:
    the shipped one loads with the first text (.17 CPU-s, 58 MB); one named by a setting is tried here, so that a fault
    in it is told at the start.
    """
    with TemporaryDirectory(prefix="sourceline-") as folder, _unsaid(folder):
        corpus = EmbeddedCorpus.open(Path(folder), identity=assembly.encoder.identity)
        try:
            ingest([_REHEARSED], corpus=corpus, encoder=assembly.encoder)
            question = Question(question=_QUESTION, mode="extractive")
            asyncio.run(fold(assembly.over(corpus).events(question, run=at_once)))
        finally:
            corpus.close()
    if assembly.checker is not None and (assembly.generator or assembly.settings.support_checker):
        assembly.checker.check("Velda opened its stage.", [_REHEARSED.text])  # a quotation needs no network


@contextmanager
def _unsaid(folder: str) -> Iterator[None]:
    """Keep out of the log that the index of this folder is new: whoever reads it has another folder in mind."""
    index_log = logging.getLogger(live.__name__)

    def elsewhere(record: logging.LogRecord) -> bool:
        return folder not in record.getMessage()

    index_log.addFilter(elsewhere)
    try:
        yield
    finally:
        index_log.removeFilter(elsewhere)


if TYPE_CHECKING:
    from qa.tracing.otlp import Tracing


_FAILED = 1
_SECONDS_TO_TELL = 5
"""After the time that running requests have at shutdown, so much for telling the ingests that are cut off."""

logger = logging.getLogger(__name__)


def serve(settings: Settings, *, load: Callable[[Settings], Parts] = load) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code: 0 after a clean stop, 1 where it could not start.

    Prints `Sourceline is ready at ADDRESS` to standard output once questions can be answered; while the parts are
    being loaded, `/health/live` answers already. What goes wrong at the start is one line on standard error.
    """
    _configure_logging(settings.log_level)
    os.umask(0o077)  # what is asked is nobody else's business on this machine
    try:
        tracing = open_tracing(settings.otel_endpoint, texts=settings.otel_texts) if settings.otel_endpoint else None
        listener = _bind(settings)
    except SettingsError as error:
        _complain(str(error))
        return _FAILED
    except OSError as error:
        _complain(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}. Choose another --port")
        return _FAILED
    with listener:
        code = _Run(settings, listener=listener, load=load, tracing=tracing).until_stopped()
    if tracing is not None:
        tracing.close()
    return code


def configure(app: Litestar, *, shutdown_seconds: int, tracing: Tracing | None = None) -> uvicorn.Config:
    """How the application is served: one process, one connection protocol, no log of what readers ask.

    `tracing` is told of every request.
    """
    inner = logged(squeezed(app))
    return uvicorn.Config(
        answer_head(inner if tracing is None else traced(inner, tracing)),
        http=StrictProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # the guard decides whose X-Forwarded-For is believed
        timeout_graceful_shutdown=shutdown_seconds,
    )


class _Server(uvicorn.Server):
    """uvicorn, which at shutdown lets requests end, and tells ingests to stop when their time is up."""

    def __init__(self, config: uvicorn.Config, *, grace_seconds: float, interrupt: Callable[[], None]) -> None:
        super().__init__(config)
        self._grace_seconds = grace_seconds
        self._interrupt = interrupt

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End running requests, then the application."""
        asyncio.get_running_loop().call_later(self._grace_seconds, self._interrupt)
        await super().shutdown(sockets)


class _Run:
    """One run of the service, from the bound socket to the exit code."""

    def __init__(
        self, settings: Settings, *, listener: socket.socket, load: Callable[[Settings], Parts], tracing: Tracing | None
    ) -> None:
        self._listener = listener
        self._exit_code = 0
        self._service = Service(settings, load=load)
        grace_seconds = math.ceil(settings.deadline_seconds)
        app = create_app(self._service, lifespan=self._lifespan)
        config = configure(app, shutdown_seconds=grace_seconds + _SECONDS_TO_TELL, tracing=tracing)
        self._server = _Server(config, grace_seconds=grace_seconds, interrupt=self._service.interrupt_writes)

    def until_stopped(self) -> int:
        """Block until a signal, or until the start fails."""
        with _signals(self._server.handle_exit):
            self._server.run(sockets=[self._listener])
        return self._exit_code

    @asynccontextmanager
    async def _lifespan(self, app: Litestar) -> AsyncIterator[None]:  # noqa: ARG002 - the framework passes it
        starting = asyncio.create_task(self._start())
        try:
            yield
        finally:
            await self._service.close()
            starting.cancel()

    async def _start(self) -> None:
        try:
            await self._service.start()
        except ShuttingDown:
            return
        except (EmbeddingsError, QAError, OSError, ImportError) as error:
            self._fail(str(error))
        except Exception as error:
            logger.debug("the start failed", exc_info=True)
            self._fail(f"{type(error).__name__}: {error} (QA_LOG_LEVEL=debug shows where)")
        else:
            print(f"Sourceline is ready at {_address(self._listener)}", flush=True)  # noqa: T201 - it is the interface

    def _fail(self, why: str) -> None:
        _complain(f"cannot start: {why}")
        self._exit_code = _FAILED
        self._server.should_exit = True


def _bind(settings: Settings) -> socket.socket:
    """Listen at once, so that a taken port is found before anything is loaded.

    Raises OSError, and SettingsError where others could reach a service that has no keys.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    _refuse_open(settings, address=str(address[0]))
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refuse_open(settings: Settings, *, address: str) -> None:
    if settings.api_keys or is_loopback(address):
        return
    reach = (
        f"{address} can be reached from other machines, and without API keys whoever reaches it can change everything"
    )
    if not settings.allow_open:
        raise SettingsError(
            f"{reach}. Set QA_API_KEYS (`qa keys new` makes a key), use --host 127.0.0.1, or, where something in "
            "front of it decides who gets through, set QA_ALLOW_OPEN=true"
        )
    _complain(f"WARNING: {reach}; QA_ALLOW_OPEN says that something in front of it decides who gets through")


def _complain(line: str) -> None:
    print(f"qa serve: {line}", file=sys.stderr, flush=True)  # noqa: T201 - for the operator, whatever the log level


@contextmanager
def _signals(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for a stop from the first moment, and leave nothing for uvicorn to raise again."""
    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _configure_logging(level: str) -> None:
    """Our own loggers at the level asked for; libraries only warn, except where everything is wanted."""
    everything = level == "debug"
    logging.basicConfig(
        level=logging.DEBUG if everything else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for name in ("qa", "embeddings"):
        logging.getLogger(name).setLevel(level.upper())
