"""Shared runtime: blocking jobs, caches, stopwatch, and ONNX networks on few threads.

Networks and tokenizers are verified by hash; no thread spins. Also how many processors this process may really use,
lists of words, and regular expressions that a start does not wait for.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from embeddings.errors import EncoderError, WeightsMismatch

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer


# --- How a coroutine hands over blocking work: the service to its encoding thread, a script to itself
T = TypeVar("T")


class Run(Protocol):
    """Does a blocking job where such jobs are done, and waits for it."""

    async def __call__(self, job: Callable[[], T], /) -> T:
        """Raises what the job raises; cancelling forgets a job that was not begun."""


async def at_once(job: Callable[[], T], /) -> T:
    """Do the job here: for scripts, whose event loop has nothing else to do."""
    return job()


# --- Results that were computed before, by a hash of all that they depend on
# Such a result is never out of date: what it depends on is its key. Where an article is changed or removed, nobody asks
# for what was computed of its old words any more, and the hash says nothing of them.
class Memory(Generic[T]):
    """A bounded number of results; those that were not asked for longest make room. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        """How often something asked for was there."""
        self.misses = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: bytes) -> T | None:
        """What is held under a key of `key_of`; it is counted whether anything is."""
        with self._lock:
            if key not in self._held:
                self.misses += 1
                return None
            self.hits += 1
            self._held.move_to_end(key)
            return self._held[key]

    def put(self, key: bytes, result: T) -> None:
        """Hold a result, which nobody may change any more."""
        with self._lock:
            self._held[key] = result
            self._held.move_to_end(key)
            while len(self._held) > self._most:
                self._held.popitem(last=False)


def key_of(*parts: str) -> bytes:
    """A hash of texts in their order; of other texts, or of the same ones parted elsewhere, it is another.

    >>> key_of("ab", "c") == key_of("a", "bc"), key_of("a") == key_of("a")
    (False, True)
    """
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.digest()


# --- Lists of words that stand in files
def word_lists(package: str, file: str) -> dict[str, str]:
    """The lists of a file: `name: words`, going on in lines that are indented; `#` begins a comment."""
    lines = files(package).joinpath(file).read_text(encoding="utf-8").splitlines()
    told = "\n".join(line for line in lines if not line.startswith("#"))
    lists = re.findall(r"^(\S[^:]*): (.*(?:\n .*)*)", told, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in lists}


# --- Regular expressions that few questions need: all of them together took a seventh of a start
def compiled_late(pattern: str, flags: int = 0) -> re.Pattern[str]:
    r"""What `re.compile` gives, compiled when it is first used.

    >>> compiled_late(r"(\d+) euros?").findall("1 euro, 20 euros")
    ['1', '20']
    """
    return cast("re.Pattern[str]", _Late(pattern, flags))


class _Late:
    """Has each of the expression's methods for its own once it was asked for, so that later calls cost no more."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        """Whatever is not here yet; `re` remembers what it compiled."""
        found = getattr(re.compile(self.pattern, self._flags), name)
        setattr(self, name, found)
        return found


# --- How many milliseconds each step took, told to whoever listens as it ends
Heard = Callable[[str, float, float], None]
"""Is told of a step: its name, when it began and when it ended, by `time.perf_counter`. Called from any thread."""


class Stopwatch:
    """Milliseconds spent in each step, from its making on."""

    def __init__(self, heard: Heard | None = None) -> None:
        self._begun = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}
        self._heard = heard

    def lap(self, step: str) -> None:
        """End a step; the next one begins. What is done several times counts together.

        >>> clock = Stopwatch(lambda step, began, ended: print(step, ended >= began))
        >>> clock.lap("read")
        read True
        """
        began, now = self._last, time.perf_counter()
        self._laps[step] = round(self._laps.get(step, 0.0) + (now - began) * 1000, 2)
        self._last = now
        if self._heard is not None:
            self._heard(step, began, now)

    def mark(self, moment: str) -> None:
        """Note once how long after the start something happened first."""
        self._laps.setdefault(moment, round((time.perf_counter() - self._begun) * 1000, 2))

    def read(self) -> dict[str, float]:
        """All steps so far and the total."""
        return {**self._laps, "total": round((time.perf_counter() - self._begun) * 1000, 2)}


_parsed: dict[str, Tokenizer] = {}
"""By the hash of their file; networks that ship have the same one."""


def open_session(path: Path, *, sha256: str, threads: int = 0) -> onnxruntime.InferenceSession:
    """Load a network whose file has this SHA-256 (hex); `threads` of 0 means one per usable core.

    Raises EncoderError where the file cannot be read, WeightsMismatch where it is another one.
    """
    found = sha256_of(path)
    if found != sha256:
        raise WeightsMismatch(f"{path} has SHA-256 {found}, expected {sha256}; reinstall the package")
    # Before the import, which otherwise leaves an id of the machine and a queue of events for Microsoft in the home.
    # Set whatever the environment says: that nothing is sent is a promise.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # where somebody else imported it before us
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = native_threads(threads)
    options.inter_op_num_threads = 1
    # A thread that waits by spinning takes the core from whatever else runs on the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        path,
        options,
        providers=["CPUExecutionProvider"],
        # What these make of two operators takes longer than both, by a quarter of an encoder's time (1.32).
        disabled_optimizers=["SkipLayerNormFusion", "EmbedLayerNormFusion"],
    )


def open_tokenizer(path: Path, *, sha256: str = "") -> Tokenizer:
    """Read a tokenizer whose file has this SHA-256 (hex; empty: any), set to cut and pad nothing.

    It is the caller's own to set up. Its vocabulary is shared with others from the same content: reading that takes as
    long as encoding a dozen questions. Raises EncoderError where the file cannot be read, WeightsMismatch where it is
    another one.
    """
    from tokenizers import Tokenizer

    found = sha256_of(path)
    if sha256 and found != sha256:
        raise WeightsMismatch(f"{path} is not the one that belongs to the network; reinstall the package")
    if found not in _parsed:
        _parsed[found] = Tokenizer.from_file(str(path))
    whole = _parsed[found]
    own = Tokenizer(whole.model)
    for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        setattr(own, part, getattr(whole, part))
    own.add_special_tokens([token for _, token in sorted(whole.get_added_tokens_decoder().items())])
    return own


def sha256_of(path: Path) -> str:
    """Hash of a file, hex. Raises EncoderError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"cannot read {path}: {error.strerror}") from None


_CONTROLLERS = ("cpu,cpuacct", "cpu", "cpuacct,cpu")
"""Under which names version 1 is mounted."""


def native_threads(asked: int, *, environ: MutableMapping[str, str] = os.environ) -> int:
    """Threads for one native library: as many as were asked for; for 0, one per usable processor.

    `OMP_NUM_THREADS` is whoever started the process speaking to all such libraries at once, and is heeded in place of
    the latter. At least 1.
    """
    if asked > 0:
        return asked
    first = environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else usable_processors()


def usable_processors(*, root: Path = Path("/")) -> int:
    """Processors that the affinity allows, no more than the quota of any control group around this process; at least 1.

    A quota of a processor and a half is one: a second thread would be stopped half of the time, and the first wait.
    `root` is where `proc` and `sys` are.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(int(quota) for quota in _quotas(root))]))


def let_threads_sleep(environ: MutableMapping[str, str] = os.environ) -> None:
    """Have OpenMP's threads sleep while they wait for work, and NumPy's BLAS and the tokenizers start none, unless
    the environment says otherwise.

    Their default is to spin, which takes the processor from whoever has the work they wait for, and from every
    neighbour. BLAS starts one for every processor when NumPy is imported, a third of what that takes; our products of
    matrices are too small to be shared out, and so is what tokenizers are given: a few sentences. All read this once,
    when they are loaded: call it before a library that brings them is imported.
    """
    environ.setdefault("OMP_WAIT_POLICY", "passive")
    if "OMP_NUM_THREADS" not in environ:
        environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _quotas(root: Path) -> Iterator[float]:
    """Quotas of the control groups that this process is in, and of those around them, in processors."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            for folder in _upwards(root / "sys/fs/cgroup", group):
                yield from _quota(_words(folder / "cpu.max"))
        elif "cpu" in controllers.split(","):
            for name in _CONTROLLERS:
                for folder in _upwards(root / "sys/fs/cgroup" / name, group):
                    yield from _quota(_words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us"))


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    """The folder of a control group, and of each around it; without the host's view, only the mount exists."""
    path = PurePosixPath(group.lstrip("/"))
    for part in (path, *path.parents):
        if ".." not in part.parts:
            yield mount / part


def _quota(words: list[str]) -> Iterator[float]:
    """Read "QUOTA PERIOD", both in microseconds; `max` and -1 are no quota."""
    if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]) > 0:
        yield int(words[0]) / int(words[1])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []
