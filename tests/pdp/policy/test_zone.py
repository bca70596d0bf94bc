"""The time zone of the machine plays no part: it is refused where it is written, and OPA runs in UTC."""

import json
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.policy.stock import output
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)


def rules(folder: Path, condition: str, data: str = "{}") -> list[str]:
    entry = '{"rule": "d", "reason": "no"}'
    (folder / "p.rego").write_text(f"package policy\n\ndeny contains {entry} if {{\n\t{condition}\n}}\n")
    (folder / "data.json").write_text(data)
    return [finding.rule for finding in findings_in(OPA, [folder], full=False)]


@pytest.mark.parametrize(
    "condition",
    [
        'time.clock([input.now, "Local"])[0] > 18',
        'time.weekday([input.now, "Local"]) == "Sunday"',
        'time.format([input.now, "Local", "RFC3339"]) == "x"',
        'zone := "Local"\n\ttime.date([input.now, zone])[0] > 2026',
    ],
)
def test_local_zone_is_refused(condition: str, tmp_path: Path) -> None:
    assert rules(tmp_path, condition) == ["local-zone"]


def test_other_zones_and_other_texts_are_fine(tmp_path: Path) -> None:
    assert rules(tmp_path, 'time.clock([input.now, "Europe/Berlin"])[0] > 18') == []
    assert rules(tmp_path, 'input.resource.id == "Local"') == []


def test_local_zone_of_data_is_refused(tmp_path: Path) -> None:
    condition = "time.clock([input.now, data.desk.time_zone])[0] > 18"
    assert rules(tmp_path, condition, '{"desk": {"time_zone": "Local"}}') == ["local-zone"]
    assert rules(tmp_path, condition, '{"desk": {"time_zone": "UTC"}}') == []


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_opa_runs_in_utc_on_every_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    answer = json.loads(output(OPA, "eval", 'time.clock([0, "Local"])', "--format", "json"))
    assert answer["result"][0]["expressions"][0]["value"] == [0, 0, 0]
