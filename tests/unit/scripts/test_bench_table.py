"""The table of the benchmarks, with all peers, some, or none; in each all rows are as wide as the first."""

from __future__ import annotations

from typing import Any

import bench_table
import pytest

KEYS = (*bench_table.ROWS, "share_of_bare_by_cpu", "characters_per_passage", "passages", "passages_without_encoder")


def report(*measured: str) -> dict[str, Any]:
    """What `bench_peers` says where only these could be measured."""
    figures = {
        name: {key: {"median": 2.0 + number, "least": 1.0, "most": 9.0} for key in KEYS}
        for number, name in enumerate(("sourceline", *measured))
    }
    failed = {name: "not installed, status 1" for name in bench_table.NAMES if name not in measured}
    versions = {name: [f"{name}==1.2.3"] for name in bench_table.NAMES}
    return {
        "figures": figures,
        "versions": versions,
        "failed": failed,
        "articles": 60,
        "encoded_articles": 6,
        "rounds": 1,
    }


@pytest.mark.parametrize("measured", [(), ("txtai",), tuple(bench_table.NAMES)])
def test_every_row_is_as_wide_as_the_first_and_who_is_missing_is_named(measured: tuple[str, ...]) -> None:
    rows = list(bench_table.beside_peers(report(*measured)))
    table = [row for row in rows if row.startswith("|")]
    assert len(table) == 2 + len(bench_table.ROWS) + 2
    assert {row.count("|") for row in table} == {len(measured) + 3}
    told = "\n".join(rows)
    for name, shown in bench_table.NAMES.items():
        assert (f"{shown} 1.2.3" in told) is (name in measured)
        assert (f"{shown} was not measured: not installed, status 1" in told) is (name not in measured)


def test_peers_that_nobody_asked_for_are_named_too() -> None:
    told = "\n".join(bench_table.beside_peers({**report(), "failed": {}}))
    assert [f"{shown} was not measured: not asked for." in told for shown in bench_table.NAMES.values()] == [True] * 4


def test_peers_are_shares_of_ours() -> None:
    first = next(row for row in bench_table.beside_peers(report("txtai")) if row.startswith("| ingest:"))
    assert first == "| ingest: passages a CPU-second | 2.00 (1.00 to 9.00) | 1.50 × |"


def test_the_table_replaces_what_stands_between_the_marks() -> None:
    document = f"before\n{bench_table.OPENS}\nold\n{bench_table.CLOSES}\nafter\n"
    assert bench_table.written(document, ["| new |"]) == (
        f"before\n{bench_table.OPENS}\n\n| new |\n\n{bench_table.CLOSES}\nafter\n"
    )
    with pytest.raises(ValueError, match="has no"):
        bench_table.written("nothing", [])
