"""The first stage of an evaluation: asks a target each example, and saves each prediction at once.

A manifest says under which conditions the answers came about. A foreign server names its sources by address alone:
with the words of those articles beside the predictions, its citations can be judged.
"""

import asyncio
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from embeddings.cleaning.article import clean
from embeddings.cleaning.identity import normalised_url
from embeddings.errors import InputError
from embeddings.parsers import find, read
from embeddings.types import Article, Rejected
from qa.evaluation import (
    ARTICLES_FILE,
    SCHEMA_VERSION,
    CitedArticle,
    Example,
    Machine,
    Manifest,
    Prediction,
    TargetFailed,
    targets,
)
from qa.evaluation.dataset import Dataset
from qa.evaluation.replies import served_as
from qa.evaluation.run_folder import FinishedRun, RunFolder, examples_hash
from qa.evaluation.targets import Asking, Facts, Reply, Respondent
from qa.language.dates import stamp
from qa.types import Answer

_ROOT = Path(__file__).resolve().parent.parent.parent
_CODE = ("qa", "embeddings", "prompts", "seeds")
_LIBRARIES = tuple("sourceline torch sentence-transformers transformers tokenizers faiss-cpu numpy apsw".split())


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one call of `run` did."""

    asked: int
    failed: int
    skipped: int
    """Answered by an earlier call."""


async def run(
    examples: Sequence[Example],
    *,
    respondent: Respondent,
    folder: RunFolder,
    jobs: int = 1,
    ranked: int = 10,
    progress: Callable[[Prediction], None] = lambda _: None,
) -> RunOutcome:
    """Ask every example that has no answer yet, `jobs` at a time, and write each prediction as it comes."""
    waiting = [example for example in examples if example.id not in folder.finished]
    queue = iter(waiting)
    failed = 0

    async def work() -> None:
        nonlocal failed
        for example in queue:
            prediction, articles = await predict(example, respondent=respondent, ranked=ranked, keeps=folder.keeps)
            folder.add(prediction, articles)
            failed += prediction.failure is not None
            progress(prediction)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, min(jobs, len(waiting)))):
                group.create_task(work())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None  # the first one ended the others
    folder.finish(stamp(datetime.now(UTC)))
    return RunOutcome(asked=len(waiting), failed=failed, skipped=len(examples) - len(waiting))


async def predict(
    example: Example,
    *,
    respondent: Respondent,
    ranked: int = 10,
    keeps: Callable[[str, str], bool] = lambda _id, _version: False,
) -> tuple[Prediction, list[CitedArticle]]:
    """Ask one example; a failure is a prediction too. Also gives the cited articles, but for those kept already."""
    started_at = stamp(datetime.now(UTC))
    try:
        reply = await respondent.ask(example)
        results = await respondent.search(_standing_alone(example, reply)) if ranked else None
        articles = await _cited_articles(reply, respondent, keeps)
    except TargetFailed as error:
        return Prediction(example_id=example.id, started_at=started_at, latency_ms=0.0, failure=error.failure), []
    prediction = Prediction(
        example_id=example.id,
        started_at=started_at,
        latency_ms=round(reply.latency_ms, 2),
        answer=reply.answer,
        foreign=reply.foreign,
        ranked=results,
    )
    return prediction, articles


def _standing_alone(example: Example, reply: Reply) -> Example:
    """A follow-up as it was understood: searched for as it was put, nothing would be found that it is about."""
    if reply.answer is None or not example.conversation:
        return example
    return msgspec.structs.replace(example, question=reply.answer.resolved_query)


async def _cited_articles(
    reply: Reply, respondent: Respondent, keeps: Callable[[str, str], bool]
) -> list[CitedArticle]:
    found = []
    for article_id, version in _named(reply.answer):
        if not keeps(article_id, version):
            article = await respondent.article(article_id, version=version)
            if article is not None:
                found.append(article)
    return found


def _named(answer: Answer | None) -> Iterable[tuple[str, str]]:
    """Article versions an answer points into, each once."""
    if answer is None:
        return ()
    named = [(citation.article_id, citation.article_version) for citation in answer.citations]
    if answer.short_answer is not None:
        named.append((answer.short_answer.article_id, answer.short_answer.article_version))
    return dict.fromkeys(named)


def make_manifest(
    dataset: Dataset, examples: Sequence[Example], *, facts: Facts, asking: Asking, selection: dict[str, str], seed: int
) -> Manifest:
    """`selection` says which examples of the dataset were chosen."""
    begun = datetime.now(UTC)
    options = {**selection, **{name: str(value) for name, value in msgspec.structs.asdict(asking).items()}}
    rows = examples_hash(examples)
    known = {**_versions(), "code": code_hash() if facts.target.kind == "in_process" else ""}
    decisive = (dataset.sha256, rows, facts, options, known, seed)
    fingerprint = hashlib.sha256(msgspec.json.encode(decisive, order="deterministic")).hexdigest()
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=f"{begun:%Y%m%dT%H%M%S}-{fingerprint[:8]}",
        fingerprint=fingerprint,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        examples=len(examples),
        examples_sha256=rows,
        target=facts.target,
        options=options,
        settings=facts.settings,
        encoder=facts.encoder,
        prompts=facts.prompts,
        corpus=facts.corpus,
        git_revision=checkout_revision(),
        versions=known,
        machine=machine(),
        seed=seed,
        started_at=stamp(begun),
    )


def checkout_revision() -> str:
    """The commit that this code is of, as `_git_revision` names it."""
    return _git_revision(_ROOT)


def _git_revision(root: Path) -> str:
    """The commit of a checkout, `+changed` where tracked files differ from it; empty outside of one."""
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return ""
    revision = _git(git, root, "rev-parse", "HEAD")
    return revision + ("+changed" if revision and _git(git, root, "status", "--porcelain", "-uno") else "")


@cache
def code_hash() -> str:
    """SHA-256 over every file of the packages: tells versions apart where git cannot. A process runs what it loaded."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(_ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    """Of this package and of the libraries that decide what is retrieved and answered."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> Machine:
    """The machine, without its name or its owner's."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        python=platform.python_version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(git: str, root: Path, *arguments: str) -> str:
    done = subprocess.run([git, "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""


def supply_articles(folder: Path, run: FinishedRun, paths: Sequence[Path]) -> int:
    """Add the articles of these files (such as `qa ingest` takes) that are cited and not kept yet; says how many.

    Raises UnreadableFile for a path that cannot be read at all.
    """
    links = [
        citation.url
        for prediction in run.predictions.values()
        for citation in (prediction.foreign.citations if prediction.foreign else ())
    ]
    cited, served = {normalised_url(url) for url in links} - {None}, {served_as(url) for url in links}
    found = {
        (one.id, one.version): one
        for one in _articles(paths)
        if normalised_url(one.url) in cited or (one.id, one.version) in served
    }
    new = [targets.cited(found[name]) for name in found if name not in run.articles]
    with (folder / ARTICLES_FILE).open("ab") as file:
        file.writelines(msgspec.json.encode(one) + b"\n" for one in new)
    return len(new)


def _articles(paths: Sequence[Path]) -> Iterator[Article]:
    for path in find(paths):
        for item in read(path):
            if isinstance(item, Rejected):
                continue
            try:
                yield clean(item)
            except InputError:
                continue  # what cannot be stored cannot have been answered from
