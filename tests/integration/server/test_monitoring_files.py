"""Dashboard and alert rules ask for metrics and labels that `/metrics` gives; each alert says what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from qa.errors import AbstainReason, FallbackReason
from qa.settings import Settings
from qa.sources.ledger import Ledger
from qa.types import AnswerMode

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "monitoring"
OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus itself adds; to every other metric, the same labels."""
VALUES = {
    "mode": set(get_args(AnswerMode)),
    "fallback_reason": {"", *get_args(FallbackReason)},
    "reason": set(get_args(AbstainReason)),
}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return found


def expressions() -> dict[str, str]:
    alerts = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    panels = {
        f"panel {panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    }
    return alerts | panels


def parts(expression: Any) -> Iterator[Any]:
    """An expression of Prometheus' language and all that it is made of."""
    yield expression
    inner = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    for one in [*inner, *getattr(expression, "args", ())]:
        if isinstance(one, promql_parser.Expr):
            yield from parts(one)


@pytest.fixture(scope="module")
def given(serve: Any, faults: Any, articles: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The samples that a service gives after some use, with the names of their labels."""
    folder = tmp_path_factory.mktemp("watched")
    with faults.FaultyModel() as model:
        settings = Settings(
            data_dir=folder, encoder="hashing", llm_base_url=model.address("server-error"), llm_model="server-error"
        )
        with serve(settings) as client:
            client.post("/api/articles", json=articles).raise_for_status()
            with closing(Ledger.open(folder)) as ledger:
                ledger.heard("/srv/export", kind="folder", at=time.time(), brought=True)
            for question in ("When did the harbour of Velda reopen?", "Who invented the telescope?"):
                client.post("/api/ask", json={"question": question}).raise_for_status()
            client.post("/api/check", json={"text": "About 4,200 people work there."}).raise_for_status()
            # As the profile `monitoring` asks where there are no keys.
            text = client.get("/metrics", headers={"authorization": "Bearer none"}).raise_for_status().text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("where", expressions())
def test_an_expression_asks_for_what_there_is(where: str, given: dict[str, set[str]]) -> None:
    found = list(parts(promql_parser.parse(expressions()[where])))
    selectors = [one for one in found if isinstance(one, promql_parser.VectorSelector)]
    assert selectors
    labels: set[str] = set()
    for selector in selectors:
        own = OF_PROMETHEUS.get(selector.name) or given.get(selector.name)
        assert own is not None, f"{selector.name} is no metric"
        labels |= own | OF_PROMETHEUS["up"]
        for matcher in selector.matchers.matchers:
            assert matcher.name in own, f"{selector.name} has no label {matcher.name}"
            known = VALUES.get(matcher.name)
            if known is not None:
                pattern = matcher.value if "Re" in str(matcher.op) else re.escape(matcher.value)
                assert any(re.fullmatch(pattern, value) for value in known), matcher.value
    for aggregate in (one for one in found if isinstance(one, promql_parser.AggregateExpr)):
        if aggregate.modifier is not None:
            assert set(aggregate.modifier.labels) <= labels


def test_the_search_for_what_there_is_not_finds_it(given: dict[str, set[str]]) -> None:
    wrong = promql_parser.parse('sum(rate(sourceline_answer_total{mode="x"}[5m])) > 0.1 or absent(nothing)')
    names = {one.name for one in parts(wrong) if isinstance(one, promql_parser.VectorSelector)}
    assert names == {"sourceline_answer_total", "nothing"}
    assert not names & given.keys()
    assert {"sourceline_answers_total", "sourceline_source_brought_timestamp_seconds"} <= given.keys()


def test_every_alert_says_what_to_do_and_stands_in_the_documentation() -> None:
    page = (FOLDER.parent / "monitoring.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", page.partition("\n## Traces\n")[0], re.MULTILINE) == [
        rule["alert"] for rule in rules()
    ]
    for rule in rules():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[mh]", rule["for"])
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert len(rule["annotations"]["action"]) > 60
        assert rule["annotations"]["summary"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (of Prometheus) is not installed here")
def test_the_alerts_fire_where_something_is_wrong_and_nowhere_else() -> None:
    for words in (
        ["check", "rules", str(FOLDER / "alerts.yml")],
        ["test", "rules", str(Path(__file__).with_name("alerts.yml"))],
    ):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_and_grafana_are_given_these_files() -> None:
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text(encoding="utf-8"))
    services, configs = compose["services"], compose["configs"]
    given = {one["target"]: configs[one["source"]]["file"] for one in services["prometheus"]["configs"]}
    scraping = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = scraping["scrape_configs"]
    assert given["/etc/prometheus/prometheus.yml"] == "docs/monitoring/prometheus.yml"
    assert [given[file] for file in scraping["rule_files"]] == ["docs/monitoring/alerts.yml"]
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{services['prometheus']['secrets'][0]}"
    assert set(job["dns_sd_configs"][0]["names"]) <= services.keys()
    shown = {one["target"]: configs[one["source"]]["file"] for one in services["grafana"]["configs"]}
    (provider,) = yaml.safe_load((FOLDER / "dashboards.yml").read_text(encoding="utf-8"))["providers"]
    assert shown[f"{provider['options']['path']}/dashboard.json"] == "docs/monitoring/dashboard.json"
    (source,) = yaml.safe_load((FOLDER / "datasources.yml").read_text(encoding="utf-8"))["datasources"]
    assert {panel["datasource"]["uid"] for panel in dashboard()["panels"]} == {source["uid"]}
    assert source["url"].removeprefix("http://").partition(":")[0] in services
    assert {configs[name]["file"] for name in configs} >= {f"docs/monitoring/{path.name}" for path in FOLDER.iterdir()}
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["monitoring"]
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", services[name]["image"])
    assert services["grafana"]["networks"] == ["closed"]


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
