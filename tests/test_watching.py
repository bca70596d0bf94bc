"""What is shipped for watching names metrics that exist, and the documents name all metrics and alerts."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from pdp import metrics
from pdp.instrument import Counter, Histogram
from tests.scrape import samples

PAGE = Path("docs/watching.md").read_text()
BOARD: dict[str, Any] = json.loads(Path("ops/grafana/placet.json").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load(Path("ops/alerts.yaml").read_text())["groups"][0]["rules"]
CASES: dict[str, Any] = yaml.safe_load(Path("tests/cases/alerts/alerts.yaml").read_text())
PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
NAME = re.compile(r"\b(?:pdp|rpc|process)_(?!method\b)\w+")
LABELS = re.compile(r"\b(\w+)=~?\"|by \(([^)]*)\)|\{\{ ?(?:\$labels\.)?(\w+) ?\}\}")


def exported() -> dict[str, tuple[str, ...]]:
    """The series of each metric as Prometheus names them, with their labels."""
    found = dict.fromkeys(PROCESS, ())
    for family in metrics.ALL:
        if isinstance(family, Histogram):
            found |= {f"{family.name}_{end}": (*family.labels, "le") for end in ("bucket", "count", "sum")}
        else:
            found[f"{family.name}_total" if isinstance(family, Counter) else family.name] = family.labels
    return found


def panels() -> list[tuple[str, str]]:
    """The questions of the dashboard, each with its legend."""
    return [(target["expr"], target["legendFormat"]) for panel in BOARD["panels"] for target in panel["targets"]]


def test_every_metric_and_label_of_the_dashboard_and_the_alerts_exists() -> None:
    known = exported()
    texts = [*panels(), *((rule["expr"], str(rule["annotations"])) for rule in RULES)]
    texts += [(one["input_series"][0]["series"], "") for one in CASES["tests"]]
    for expression, said in texts:
        names = set(NAME.findall(expression)) or {"up"}
        assert names <= {*known, "up"}, expression
        used = {
            word for found in LABELS.findall(expression + said) for one in found for word in one.split(", ") if word
        }
        allowed = {label for name in names for label in known.get(name, ())} | {"instance", "job", "value"}
        assert used <= allowed, expression


def test_dashboard_is_one_page_without_holes() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len(cells) == 24 * max(at["y"] + at["h"] for at in places)
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(places)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires = {case["alertname"]: [*()] for one in CASES["tests"] for case in one["alert_rule_test"]}
    for one in CASES["tests"]:
        for case in one["alert_rule_test"]:
            fires[case["alertname"]].append(bool(case["exp_alerts"]))
    assert fires.keys() == {rule["alert"] for rule in RULES}
    assert all({*seen} == {True, False} for seen in fires.values())


def test_every_metric_and_alert_is_documented() -> None:
    for family in metrics.ALL:
        shown = f"{family.name}_total" if isinstance(family, Counter) else family.name
        [row] = re.findall(rf"^\| `{shown}` \| ([^|]*) \|", PAGE, re.MULTILINE)
        assert tuple(re.findall(r"`(\w+)`", row)) == family.labels, shown
    assert set(re.findall(r"^\| `(Placet\w+)` \|", PAGE, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_what_a_scrape_shows_is_documented() -> None:
    from pdp.server.exposition import text  # noqa: PLC0415  # loads what the other tests need not

    assert {name.partition("{")[0] for name in samples(text()) if not name.startswith("process_")} <= set(exported())
