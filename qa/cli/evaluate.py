"""`qa evaluate`: the commands that measure answers; each is a file of its own and loads what it needs when it runs."""

from __future__ import annotations

import rich_click as click

from qa.cli.evaluate_checker import checker
from qa.cli.evaluate_compare import compare
from qa.cli.evaluate_convert import convert
from qa.cli.evaluate_gate import gate
from qa.cli.evaluate_judge import judge
from qa.cli.evaluate_reader import reader
from qa.cli.evaluate_report import report
from qa.cli.evaluate_run import run
from qa.cli.evaluate_score import score

__all__ = ["evaluate"]


@click.group()
def evaluate() -> None:
    """Measure how good answers are: run a dataset, score the run, compare it, gate a release."""


for command in (run, score, judge, report, compare, gate, convert, reader, checker):
    evaluate.add_command(command)
