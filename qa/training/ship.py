"""Makes of trained weights what ships: an int8 network, its tokenizer, its calibration with the hash of both.

    python -m qa.training.ship reader|checker|encoder …

`make train-reader` and `make train-checker` end with it; of the bundled encoder nothing is trained. A calibration says
what log-odds are worth, and from where on a reader declines or a claim counts as supported.
"""

import argparse
import itertools
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

import seeds
from embeddings.cleaning.article import clean
from embeddings.encoders import BUNDLED_MODEL, locate, revision
from embeddings.encoders.bundled import Facts
from embeddings.parsers import find, read
from embeddings.runtime import sha256_of
from embeddings.types import RawArticle
from qa.evaluation.benchmarks.grounding_sets import read_sets
from qa.evaluation.metrics.confidence import auroc, balanced_accuracy
from qa.grounding import MOST_TOKENS, CheckerCalibration, Provenance, ShippedNetwork, Support
from qa.grounding.claim_evidence import supporting_rows, to_judge
from qa.grounding.mismatches import vetoes
from qa.grounding.trained import as_written, odds_of
from qa.language.words import matter
from qa.reading import GENERAL, networks
from qa.training.calibrate_reader import main as calibrate_reader
from qa.training.checker_data import development, judged_sentences, kept_back, pairs_of
from qa.training.export import export_int8, export_pair_network, sample_texts
from qa.training.written_examples import document_claims, edited_texts, written_claims


def ship_reader(argv: Sequence[str] | None = None) -> None:
    """Export, then calibrate what was exported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="trained", type=Path, nargs="+", required=True, help="model folders of training")
    parser.add_argument("--shares", type=float, nargs="+", default=[1.0], help="of each, in their average")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True, exist_ok=True)
    export_reader(given.trained, given.out, shares=given.shares)
    calibrate_reader(["--data", str(given.data), "--out", str(given.out / "reader.json")])


def export_reader(trained: Sequence[Path], out: Path, *, shares: Sequence[float] = (1.0,)) -> str:
    """Write network, tokenizer and a calibration that is not fitted yet; gives the reader's identity.

    Of several networks that were trained on from one another the weights are averaged (Wortsman et al. 2022).
    Raises ValueError where not each has its share, or these are not 1 together.
    """
    from transformers import AutoModelForQuestionAnswering

    if len(shares) != len(trained) or abs(sum(shares) - 1.0) > 1e-6:
        raise ValueError(f"{len(trained)} networks need as many shares that make 1, not {list(shares)}")
    model, *others = [AutoModelForQuestionAnswering.from_pretrained(folder) for folder in trained]
    states = [each.state_dict() for each in (model, *others)]
    model.load_state_dict(
        {name: sum(share * state[name] for share, state in zip(shares, states, strict=True)) for name in states[0]}
    )
    sha256 = export_pair_network(model, out / "reader.onnx", end="spans", most=networks.MOST_TOKENS)
    identity = f"sourceline-reader {sha256}"
    general = msgspec.structs.replace(GENERAL, reader=identity)
    (out / "reader.json").write_bytes(msgspec.json.format(msgspec.json.encode(general), indent=1) + b"\n")
    return identity


def ship_encoder(argv: Sequence[str] | None = None) -> None:
    """Write network, tokenizer and what the encoder says of itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args(argv).out
    from safetensors.numpy import load_file

    folder = locate(BUNDLED_MODEL)
    weights = load_file(folder / "model.safetensors")
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    limit = msgspec.json.decode((folder / "sentence_bert_config.json").read_bytes())["max_seq_length"]
    heads = config["num_attention_heads"]
    shutil.copyfile(folder / "tokenizer.json", out / "tokenizer.json")
    samples = sample_texts(out / "tokenizer.json", most=limit)
    network = export_int8(weights, out / "encoder.onnx", heads=heads, end="vector", samples=samples)
    facts = Facts(
        revision=revision(folder),
        dimension=config["hidden_size"],
        max_tokens=limit,
        network=network,
        tokenizer=sha256_of(out / "tokenizer.json"),
    )
    (out / "encoder.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n")


_SHORT = ("fever", "rte")
"""Short pairs that are like claims of answers; the others are captions, talk and school science."""
_MOST = 250
"""Claims of one source, for time."""
_EVERY = {"edits": 5, "written": 2, "real": 5}
"""One in so many of what was written for this, for time, too; odd where twins of both kinds follow each other."""
_WEIGHT = {"facts": 0.5, "summedits": 0.5, "wice": 0.5, "edits": 0.5}
"""What a source counts that is unlike the sentences of an answer over news; the others count 1."""
_MOST_FALSE = 0.2
"""Share of the false claims kept back that may pass. They are edited to pass: were one claim in seven false, as of a
small model's drafts, one in 20 of those shown would be."""
_ARTICLES = 3
"""Sample articles that a draft is held against, as many as the service may give."""
_TEXT_SOURCES = {"CG2C_doc": "documents", "fever": "facts", "rte": "facts", "summedits": "summedits", "wice": "wice"}


def ship_checker(argv: Sequence[str] | None = None) -> None:
    """Export, where a trained network is named, and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="trained", type=Path, help="folder of train_checker; else only calibrated")
    parser.add_argument("--data", type=Path, required=True, help="folder of train-pairs and train-documents")
    parser.add_argument("--sets", type=Path, required=True, help="folder of the grounding sets")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True, exist_ok=True)
    if given.trained is not None:
        _export_checker(given.trained / "model", given.out)
    calibrate_checker(["--data", str(given.data), "--sets", str(given.sets), "--out", str(given.out)])


def _export_checker(trained: Path, out: Path) -> str:
    """Write network, tokenizer and a calibration that is not fitted yet; gives the checker's identity."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(trained)
    sha256 = export_pair_network(model, out / "checker.onnx", end="labels", most=MOST_TOKENS)
    identity = f"sourceline-checker {sha256}"
    calibration = CheckerCalibration(checker=identity)
    (out / "checker.json").write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    return identity


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One claim as the service judges it, and whether it is true."""

    source: str
    log_odds: float
    vetoed: bool
    supported: bool


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A claim before its evidence."""

    source: str
    claim: str
    evidence: tuple[str, ...]
    contexts: tuple[Provenance, ...] = ()
    question: str = ""
    supported: bool


def calibrate_checker(argv: Sequence[str] | None = None) -> None:
    """Fit, print how well kept-back claims are judged, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of train-pairs and train-documents")
    parser.add_argument("--sets", type=Path, required=True, help="folder of the grounding sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of checker.onnx; its checker.json is written")
    given = parser.parse_args(argv)
    network = ShippedNetwork(folder=given.out)
    judged = [found for each in claims_of(given.data, given.sets) if (found := judged_of(each, network))]
    calibration = fit(judged, network.calibration.checker)
    (given.out / "checker.json").write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    print(f"written: {calibration}")


def claims_of(data: Path, sets: Path) -> Iterator[Sentence]:
    """Claims that nothing was trained on."""
    short, documents = (list(pairs_of(data / f"train-{name}.jsonl.gz")) for name in ("pairs", "documents"))
    _, kept = development(short, documents)
    counts: Counter[str] = Counter()
    for pair in kept:
        source = _TEXT_SOURCES.get(pair.source.partition("_")[0] if pair.source != "CG2C_doc" else pair.source, "")
        counts[source] += 1
        if source and (source == "documents" or counts[source] <= _MOST):
            yield Sentence(
                source=source, claim=pair.hypothesis, evidence=(pair.premise,), supported=pair.label == "entailment"
            )
    for pair in itertools.islice(edited_texts(held_out=True), 0, None, _EVERY["edits"]):
        yield Sentence(
            source="edits", claim=pair.hypothesis, evidence=(pair.premise,), supported=pair.label == "entailment"
        )
    for one, title, text in itertools.islice(written_claims(held_out=True), 0, None, _EVERY["written"]):
        yield Sentence(
            source="written",
            claim=one.claim,
            evidence=(text,),
            contexts=(Provenance(title=title),),
            supported=one.label == "supported",
        )
    for real, text in itertools.islice(document_claims(data.parent, held_out=True), 0, None, _EVERY["real"]):
        yield Sentence(source="real", claim=real.claim, evidence=(text,), supported=real.label == "supported")
    rows = sorted((row for row in read_sets(sets) if row.part == "fit" and kept_back(row)), key=lambda row: row.group)
    for row, claim, supported in judged_sentences(rows):
        source = _TEXT_SOURCES.get(row.set, "news")
        counts[row.set] += 1
        if counts[row.set] <= _MOST:
            contexts = (Provenance(title=row.title),)
            yield Sentence(source=source, claim=claim, evidence=(row.document,), contexts=contexts, supported=supported)
    yield from _drafts()


def _drafts() -> Iterator[Sentence]:
    """What a model might write of the sample articles, before the articles that share most of its words."""
    articles = [
        clean(raw) for path in find([seeds.articles_dir()]) for raw in read(path) if isinstance(raw, RawArticle)
    ]
    stems = [matter(f"{article.title} {article.text}") for article in articles]
    for draft in seeds.drafts():
        own = matter(f"{draft.question} {draft.text}")
        best = sorted(range(len(articles)), key=lambda at: -len(own & stems[at]))[:_ARTICLES]
        yield Sentence(
            source="drafts",
            claim=draft.text,
            evidence=tuple(articles[at].text for at in best),
            contexts=tuple(Provenance(title=articles[at].title, published_at=articles[at].published_at) for at in best),
            question=draft.question,
            supported=draft.supported,
        )


def judged_of(each: Sentence, network: ShippedNetwork) -> Judged | None:
    """The network's log-odds for a claim; None where it is a quotation, too long, or nothing of it could be cited."""
    case = to_judge(each.claim, each.evidence, question=each.question, contexts=each.contexts)
    if isinstance(case, Support) or not supporting_rows(case):
        return None
    odds = odds_of(network, as_written(case), case, each.contexts)
    if odds is None:
        return None
    return Judged(source=each.source, log_odds=odds.supported, vetoed=bool(vetoes(case)), supported=each.supported)


def fit(judged: Sequence[Judged], checker: str) -> CheckerCalibration:
    """Platt's slope and shift (1999), and the lowest threshold at which few enough false claims pass.

    Sources count by `_WEIGHT`, whatever their size, and in each the true claims as much as the false.
    """
    from sklearn.linear_model import LogisticRegression

    truth = np.array([each.supported for each in judged], np.bool_)
    mass = _mass(judged)
    free = np.array([not each.vetoed for each in judged], np.bool_)
    odds = np.array([each.log_odds for each in judged])
    model = LogisticRegression(C=1e3).fit(odds[free, None], truth[free], sample_weight=mass[free])
    plain = CheckerCalibration(
        checker=checker,
        slope=round(float(model.coef_[0, 0]), 4),
        bias=round(float(model.intercept_[0]), 4),
        fitted_on=f"{len(judged)} claims kept back from training",
    )
    scores = [0.0 if each.vetoed else plain.probability(each.log_odds) for each in judged]
    values, false = np.array(scores), np.where(truth, 0.0, mass)
    threshold = min(score for score in scores if false[values >= score].sum() <= _MOST_FALSE * false.sum())
    fitted = msgspec.structs.replace(plain, threshold=round(threshold, 4))
    _say(judged, scores, fitted.threshold)
    return fitted


def _mass(judged: Sequence[Judged]) -> npt.NDArray[np.float64]:
    counts = Counter((each.source, each.supported) for each in judged)
    mass = np.array([_WEIGHT.get(each.source, 1.0) / counts[each.source, each.supported] for each in judged])
    return np.asarray(mass * len(mass) / mass.sum(), np.float64)


def _say(judged: Sequence[Judged], scores: Sequence[float], threshold: float) -> None:
    for source in sorted({each.source for each in judged}):
        own = [(score, each.supported) for score, each in zip(scores, judged, strict=True) if each.source == source]
        values, truth = [score for score, _ in own], [kind for _, kind in own]
        reached: Any = balanced_accuracy(
            [score >= threshold for score in values], truth, groups=list(map(str, range(len(own))))
        )
        print(f"{source}: n={len(own)}, AUROC {auroc(values, truth):.3f}, BAcc {reached.value:.3f}", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Ship one of the three networks."""
    kinds = {"reader": ship_reader, "checker": ship_checker, "encoder": ship_encoder}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=kinds)
    given = list(sys.argv[1:] if argv is None else argv)
    kinds[parser.parse_args(given[:1]).network](given[1:])


if __name__ == "__main__":
    main()
