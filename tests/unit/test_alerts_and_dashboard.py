"""The alerting rules and the dashboard speak of what is counted, in PromQL that can be parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase
from promql_parser import VectorSelector

from cds_service import metrics
from cds_service.course import Stage

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "operations"
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text("utf-8"))
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
DURATION = re.compile(r"\d+(ms|s|m|h|d|w|y)")

VALUES = {
    "kept": {"database", "spool", "replayed", "lost"},
    "cards": {"some", "none"},
    "why": {"not recorded", "not available", "unreadable", "incomplete"},
    "stage": {stage.value for stage in Stage},
}
"""Label → all that it can be."""


def counted() -> dict[str, set[str]]:
    """Series that Prometheus has of us → their labels, besides those of the scrape."""
    found: dict[str, set[str]] = {}
    for one in vars(metrics).values():
        if isinstance(one, MetricWrapperBase):
            labels = set(one._labelnames)
            if one._type == "counter":
                found[f"{one._name}_total"] = labels
            else:
                found |= {f"{one._name}_bucket": labels | {"le"}}
                found |= {f"{one._name}_sum": labels, f"{one._name}_count": labels}
    return found | {"up": {"job", "instance"}}


def selectors(expression: str) -> Iterator[VectorSelector]:
    """Of a query, each thing that it selects. Raises ValueError for what is no PromQL."""
    found: list[VectorSelector] = []

    def look(node: Any) -> None:
        if isinstance(node, VectorSelector):
            found.append(node)
        for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
            if (inside := getattr(node, name, None)) is not None:
                look(inside)
        for inside in getattr(node, "args", ()):
            look(inside)

    look(promql_parser.parse(expression))
    yield from found


def without_variables(expression: str) -> str:
    """As Grafana fills it in."""
    filled = expression.replace("$__rate_interval", "5m").replace("$client", ".*")
    assert "$" not in filled
    return filled


QUERIES = {
    **{name: rule["expr"] for name, rule in ALERTS.items()},
    **{
        f"{panel['title']} {target['refId']}": without_variables(target["expr"])
        for panel in PANELS
        for target in panel["targets"]
    },
}


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_selects_what_is_counted(name: str) -> None:
    series = counted()
    selected = list(selectors(QUERIES[name]))
    assert selected
    for one in selected:
        assert one.name in series
        for matcher in one.matchers.matchers:
            if matcher.name == "__name__":
                continue
            assert matcher.name in series[one.name], f"{one.name} has no label {matcher.name}"
            if matcher.name in VALUES:
                assert set(matcher.value.split("|")) <= VALUES[matcher.name]


@pytest.mark.parametrize("name", QUERIES)
def test_every_label_that_is_grouped_by_is_one(name: str) -> None:
    """by (x), on (x): x is a label of what is selected."""
    labels = set().union(*(counted()[str(one.name)] for one in selectors(QUERIES[name])))
    for listed in re.findall(r"\b(?:by|on|group_left) \(([^)]*)\)", QUERIES[name]):
        assert {label.strip() for label in listed.split(",") if label.strip()} <= labels


@pytest.mark.parametrize("wrong", ["sum(rate(baclofen_cds_calls_total)", "rate(x[5q])", "sum by rule (x)"])
def test_what_is_no_promql_is_seen(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(selectors(wrong))


def test_selectors_are_found_wherever_they_stand() -> None:
    expression = 'sum by (a) (rate(x{b="c"}[5m])) / on (a) group_left () (y or z offset 1h) > max_over_time(w[1h:5m])'
    assert [one.name for one in selectors(expression)] == ["x", "y", "z", "w"]


# -------------------------------------------------------------------------------------------------------- the alerts


def test_alerts_have_what_prometheus_wants() -> None:
    assert RULES.keys() == {"groups"}
    assert len(ALERTS) == sum(len(group["rules"]) for group in RULES["groups"])
    assert len({group["name"] for group in RULES["groups"]}) == len(RULES["groups"])
    for group in RULES["groups"]:
        assert group.keys() == {"name", "rules"}
    for name, rule in ALERTS.items():
        assert re.fullmatch(r"BaclofenCds[A-Za-z]+", name)
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert "for" not in rule or DURATION.fullmatch(rule["for"])
        assert rule["labels"]["severity"] in {"page", "ticket", "review"}
        assert rule["annotations"].keys() == {"summary", "description"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_speaks_of_labels_that_it_has(name: str) -> None:
    rule = ALERTS[name]
    said = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    grouped = {label.strip() for listed in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in listed.split(",")}
    assert said <= (grouped or {"instance"})


def test_every_alert_stands_in_the_guide() -> None:
    page = (ROOT / "docs" / "operations" / "watching.md").read_text("utf-8")
    section = page.partition("## Alarms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(BaclofenCds\w+)` \|", section, re.MULTILINE)) == set(ALERTS)


# ------------------------------------------------------------------------------------------------------ the dashboard


def test_the_dashboard_can_be_imported() -> None:
    assert DASHBOARD["uid"] == "baclofen-cds"
    assert DASHBOARD["schemaVersion"] >= 36
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables.keys() == {"datasource", "client"}
    assert variables["client"]["query"] == "label_values(baclofen_cds_calls_total, client)"
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert "id" not in DASHBOARD, "that of another Grafana"
    for panel in PANELS:
        assert panel["type"] in {"stat", "timeseries", "bargauge"}
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= set(re.findall(r"\w+", target["expr"]))


def test_no_panel_covers_another() -> None:
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in DASHBOARD["panels"]), 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart or above
    tops = [panel["gridPos"]["y"] for panel in DASHBOARD["panels"]]
    assert all(upper <= lower for upper, lower in pairwise(tops))


def test_thresholds_rise() -> None:
    for panel in PANELS:
        steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        values = [step["value"] for step in steps]
        assert values[:1] in ([], [None])
        assert values[1:] == sorted(values[1:])


def test_nothing_of_a_patient_is_a_label() -> None:
    assert set().union(*counted().values()) == {
        "cards", "client", "hook", "indicator", "input", "instance", "job", "kept", "le", "outcome", "reason", "rule",
        "stage", "status", "why",
    }  # fmt: skip
