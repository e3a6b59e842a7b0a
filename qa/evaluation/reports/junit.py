"""Takes a scored run, gives JUnit XML: a test case for each question, for tools that show test results."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from qa.evaluation.run_folder import FinishedRun
from qa.evaluation.types import ExampleScores, Scores

__all__ = ["render_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FAULTS = {"wrong": "answered wrongly", "missed": "declined, though the articles answer it"}


def render_junit(run: FinishedRun, scores: Scores) -> str:
    """Right is a pass, wrong and missed are failures, no reply is an error, what nobody can judge is skipped."""
    questions = {one.id: one.question for one in run.examples}
    counts = {
        "tests": len(scores.examples),
        "failures": sum(one.outcome in _FAULTS for one in scores.examples),
        "errors": sum(one.outcome == "failed" for one in scores.examples),
        "skipped": sum(one.outcome in {"declined", "unjudged"} for one in scores.examples),
    }
    attributes = {"name": _text(run.manifest.dataset)} | {name: str(count) for name, count in counts.items()}
    suite = Xml.Element("testsuite", attributes)
    properties = Xml.SubElement(suite, "properties")
    for one in scores.scores:
        if one.value is not None:
            Xml.SubElement(properties, "property", name=one.metric, value=f"{one.value:.6f}")
    for one_example in scores.examples:
        _case(suite, one_example, questions.get(one_example.example_id, ""))
    suites = Xml.Element("testsuites")
    suites.append(suite)
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _case(suite: Xml.Element, one: ExampleScores, question: str) -> None:
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=_text(one.group),
        name=_text(one.example_id),
        time=f"{(one.latency_ms or 0.0) / 1000:.3f}",
    )
    if one.outcome in _FAULTS:
        Xml.SubElement(case, "failure", message=_FAULTS[one.outcome]).text = _text(question)
    elif one.outcome == "failed":
        Xml.SubElement(case, "error", message="no reply").text = _text(question)
    elif one.outcome != "right":
        Xml.SubElement(case, "skipped", message="the dataset does not say what is right")


def _text(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
