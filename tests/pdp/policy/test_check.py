import json
from pathlib import Path
from textwrap import dedent

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.policy.sources import rego
from pdp.process.toolcache import opa
from tests import authored

OPA = opa(Environment.read().tool_cache)
CASES = Path("tests/cases")
POLICIES = {path.parent.name: json.loads(path.read_text()) for path in CASES.glob("policies/*/expected.json")}
CAUGHT = {name: case for name, case in POLICIES.items() if "check" in case}
TABLE = '{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}'


def rules(folder: Path, *, full: bool = True) -> list[str]:
    return [finding.rule for finding in findings_in(OPA, [folder], full=full)]


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
    return folder / "policy"


@pytest.mark.parametrize("folder", [rego(), CASES / "authzen-todo/policy"], ids=["reference", "authzen-todo"])
def test_shipped_policy_has_no_findings(folder: Path) -> None:
    assert findings_in(OPA, [folder]) == []


@pytest.mark.parametrize("name", CAUGHT)
def test_policy_that_fails_open_is_caught(name: str) -> None:
    assert rules(CASES / "policies" / name / "policy", full=False) == CAUGHT[name]["check"]


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - CAUGHT.keys()))
def test_policy_that_only_a_request_shows_passes_the_check(name: str) -> None:
    assert findings_in(OPA, [CASES / "policies" / name / "policy"], full=False) == []


MODULES = {
    "function of a set's name": ("not-a-set", "deny(x) := x"),
    "helper": ("misspelt-set", "is_open(x) := x"),
    "default of a set": ("not-a-set", "default allow := false"),
    "set of one key": ("not-a-set", 'allow["x"] := 1'),
    "path below a set": ("misspelt-set", 'allowed.x contains "y"'),
    "entry without reason": ("missing-key", 'deny contains {"rule": "x"}'),
    "entry that its body writes": ("wrong-type", "deny contains text if {\n\ttext := `no`\n}"),
    "requirement without reviewers": ("missing-key", 'needs_approval contains {"rule": "x", "reason": "x"}'),
    "obligation without type": ("missing-key", 'obligation contains {"rule": "x", "reason": "x"}'),
    "network": (
        "forbidden-builtin",
        'allow contains {"rule": "x", "reason": "x"} if http.send({"url": input.context.url})',
    ),
    "clock": ("forbidden-builtin", 'allow contains {"rule": "x", "reason": "x"} if time.now_ns() > 0'),
    "schema from the network": (
        "forbidden-builtin",
        "allow contains e if {\n\tsome e in json.match_schema({}, input.context)\n}",
    ),
    "misspelt input": (
        "unknown-attribute",
        'allow contains {"rule": "x", "reason": "x"} if input.subjct.id == "x"',
    ),
    "misspelt data": ("unknown-reference", 'allow contains {"rule": "x", "reason": "x"} if not data.lockd'),
    "misspelt helper": (
        "unknown-reference",
        'allow contains {"rule": "x", "reason": "x"} if not data.lib.locked',
    ),
    "reason from missing data": (
        "droppable-entry",
        'deny contains {"rule": "x", "reason": data.groups.stewards[0]} if input.now > 0',
    ),
    "no Rego": ("does-not-compile", "this is no Rego"),
    "never safe": ("does-not-compile", 'allow contains {"rule": "x", "reason": y} if true'),
}


@pytest.mark.parametrize(("rule", "body"), MODULES.values(), ids=MODULES.keys())
def test_fault_of_a_module_is_found(rule: str, body: str, tmp_path: Path) -> None:
    assert rule in rules(written(tmp_path, {"p.rego": f"package policy\n\n{body}\n"}), full=False)


REQUIREMENTS = {
    "count of none": ("wrong-type", '"count": 0'),
    "count in words": ("wrong-type", '"count": "2"'),
    "count beyond reason": ("wrong-type", '"count": 1001'),
    "duration without unit": ("wrong-type", '"pending_for": "4"'),
    "duration as number": ("wrong-type", '"valid_for": 900'),
    "duration of nothing": ("wrong-type", '"valid_for": "0s"'),
    "misspelt key": ("unknown-key", '"cuont": 2'),
    "misspelt reviewers": ("unknown-key", '"reviewers": {"group": ["stewards"]}'),
    "no reviewers": ("missing-key", '"reviewers": {}'),
    "group that is no list": ("wrong-type", '"reviewers": {"groups": "stewards"}'),
    "claims that are none": ("wrong-type", '"reviewers": {"claims": {}}'),
    "claims as a list": ("wrong-type", '"reviewers": {"claims": ["finance"]}'),
    "claim that is one of several": ("wrong-type", '"reviewers": {"claims": {"department": ["hr", "finance"]}}'),
    "misspelt claims": ("unknown-key", '"reviewers": {"groups": ["stewards"], "claim": {"department": "hr"}}'),
    "individual in words": ("wrong-type", '"individual": "yes"'),
    "individual every, without unit": ("wrong-type", '"individual_every": 10'),
    "summary of what is no path": ("wrong-type", '"summary": ["amount"]'),
}


@pytest.mark.parametrize(("rule", "key"), REQUIREMENTS.values(), ids=REQUIREMENTS.keys())
def test_fault_of_a_requirement_is_found(rule: str, key: str, tmp_path: Path) -> None:
    reviewers = "" if "reviewers" in key else '"reviewers": {"groups": ["stewards"]},'
    body = f'needs_approval contains {{"rule": "x", "reason": "x", {reviewers} {key}}}'
    assert rules(written(tmp_path, {"p.rego": f"package policy\n\n{body}\n"}), full=False) == [rule]


def test_requirement_written_in_full_has_no_finding(tmp_path: Path) -> None:
    text = """
        package policy

        needs_approval contains {
            "rule": "export",
            "reason": sprintf("%s by %s", [input.action.name, object.get(input.context, "team", "nobody")]),
            "reviewers": {"groups": ["stewards"], "identities": [name | some name in input.context.owners]},
            "count": 2,
            "pending_for": "1h30m",
            "valid_for": "30s",
            "individual": input.action.name == "export",
        } if {
            input.action.name == "export"
        }

        needs_approval contains {
            "rule": "pay",
            "reason": "money leaves",
            "reviewers": {"claims": {"department": "finance", "level": count(input.on_behalf_of), "manager": true}},
            "individual": true,
            "individual_every": "1m",
            "summary": ["resource.properties.amount"],
        } if {
            input.action.name == "export"
        }
        """
    schema = '{"type": "object", "properties": {"team": {"type": "string"}, "owners": {"type": "array"}}}'
    folder = written(tmp_path, {"p.rego": text, "schema/context/export.json": schema})
    assert rules(folder, full=False) == []


@pytest.mark.parametrize("package", ["pdp", "pdp.more", "system", "system.log"])
def test_package_of_others_is_refused(package: str, tmp_path: Path) -> None:
    assert rules(written(tmp_path, {"p.rego": f"package {package}\n\nx := 1\n"}), full=False) == ["reserved-package"]


def test_misspelt_package_is_found(tmp_path: Path) -> None:
    module = 'package polcy\n\ndeny contains {"rule": "x", "reason": "x"}\n'
    assert rules(written(tmp_path, {"p.rego": module}), full=False) == ["misspelt-package"]


DATA = {
    "data under the core": ("reserved-data", {"data.json": '{"pdp": {}}'}),
    "data of OPA": ("reserved-data", {"system/data.json": '{"bundles": {}}'}),
    "data under a folder's name": ("reserved-data", {"policy/data.yaml": "deny: []\n"}),
    "data that is a list": ("bad-data", {"data.json": "[]"}),
    "data that is broken": ("bad-data", {"data.yaml": "a: [\n"}),
    "data under another name": ("stray-file", {"roles.json": "{}"}),
    "data twice": ("conflicting-data", {"data.json": '{"a": {"b": 1}}', "a/data.json": '{"b": 2}'}),
    "owner as text": ("bad-people", {"data.json": '{"identities": {"agent:x": {"owners": "user:alice"}}}'}),
    "misspelt owners": (
        "bad-people",
        {"data.json": '{"identities": {"agent:x": {"owner": ["user:alice"]}}}'},
    ),
    "owner without type": ("bad-people", {"data.json": '{"identities": {"agent:x": {"owners": ["alice"]}}}'}),
    "group as text": ("bad-people", {"data.json": '{"groups": {"stewards": "user:bob"}}'}),
    "groups as list": ("bad-people", {"data.json": '{"groups": ["user:bob"]}'}),
    "context schema that is none": ("bad-schema", {"schema/context/pay.json": '{"type": "string"}'}),
    "schema where nothing reads it": ("stray-file", {"schema/contexts/pay.json": TABLE}),
    "schema that is none": ("bad-schema", {"schema/resource/table.json": '{"type": "string"}'}),
    "schema that is broken": ("bad-schema", {"schema/resource/table.json": "{"}),
}


@pytest.mark.parametrize(("rule", "files"), DATA.values(), ids=DATA.keys())
def test_fault_of_the_data_is_found(rule: str, files: dict[str, str], tmp_path: Path) -> None:
    assert rules(written(tmp_path, files), full=False) == [rule]


ATTRIBUTES = {
    "reference": 'not input.resource.properties.tgs == ["pii"]',
    "variable": 'p := input.resource.properties\n\tnot p.tgs == ["pii"]',
    "object.get": 'object.get(input.resource.properties, "tgs", []) == []',
    "object.get of a path": 'object.get(input, ["resource", "properties", "tgs"], []) == []',
}


@pytest.mark.parametrize("body", ATTRIBUTES.values(), ids=ATTRIBUTES.keys())
def test_misspelt_attribute_is_found_in_a_closed_folder(body: str, tmp_path: Path) -> None:
    module = f'package policy\n\nallow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}\n'
    assert rules(written(tmp_path, {"p.rego": module}), full=False) == []
    assert rules(written(tmp_path, {"schema/resource/table.json": TABLE}), full=False) == ["unknown-attribute"]


def test_type_without_a_schema_is_open(tmp_path: Path) -> None:
    module = """
        package policy

        allow contains {"rule": "x", "reason": "x"} if {
            input.resource.type == "file"
            input.resource.properties.owner == input.subject.id
        }
        """
    folder = written(tmp_path, {"p.rego": module, "schema/resource/table.json": TABLE})
    assert rules(folder, full=False) == []
    written(tmp_path, {"schema/resource/file.json": TABLE})
    assert rules(folder, full=False) == ["unknown-attribute"]


CONTEXTS = {
    "reference": "not input.context.dasy == 3",
    "variable": "c := input.context\n\tnot c.dasy == 3",
    "object.get": 'object.get(input.context, "dasy", 3) == 3',
    "object.get of a path": 'object.get(input, ["context", "dasy"], 3) == 3',
}


@pytest.mark.parametrize("body", CONTEXTS.values(), ids=CONTEXTS.keys())
def test_misspelt_member_of_a_context_is_found_in_a_closed_folder(body: str, tmp_path: Path) -> None:
    module = f'package policy\n\nallow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}\n'
    assert rules(written(tmp_path, {"p.rego": module}), full=False) == []
    assert rules(written(tmp_path, {"schema/context/pay.json": TABLE}), full=False) == ["unknown-attribute"]


def test_context_of_an_action_without_a_schema_is_open(tmp_path: Path) -> None:
    module = """
        package policy

        allow contains {"rule": "x", "reason": "x"} if {
            input.action.name == "export"
            input.context.purpose == "research"
        }
        """
    folder = written(tmp_path, {"p.rego": module, "schema/context/pay.json": TABLE})
    assert rules(folder, full=False) == []
    written(tmp_path, {"schema/context/export.json": TABLE})
    assert rules(folder, full=False) == ["unknown-attribute"]


def test_only_the_full_check_looks_at_form_and_tests(tmp_path: Path) -> None:
    module = 'package policy\nallow contains {"rule": "x","reason": "x"}\n'
    folder = written(tmp_path, {"p.rego": module, "p_test.rego": "package p_test\n\ntest_x if nothing\n"})
    assert rules(folder, full=False) == []
    assert rules(folder) == ["unformatted", "does-not-compile"]


def test_metadata_of_the_package_is_explained(tmp_path: Path) -> None:
    module = "# METADATA\n# title: x\npackage policy\n"
    findings = findings_in(OPA, [written(tmp_path, {"a.rego": module, "b.rego": module})])
    assert [finding.rule for finding in findings] == ["package-metadata"]


def test_finding_names_file_line_and_remedy(tmp_path: Path) -> None:
    folder = written(tmp_path, {"p.rego": "package policy\n\ndenied contains {}\n"})
    (finding,) = findings_in(OPA, [folder])
    assert str(finding).startswith(f"{folder}/p.rego:3: `package policy` has only the five sets, so `denied` ")


def test_misspelt_data_and_a_helper_in_the_wrong_package_say_what_to_write(tmp_path: Path) -> None:
    rego = 'package policy\n\nall_green if "a" in data.finl_skus\n'
    authored.written(tmp_path, {"p.rego": rego, "data.json": {"final_skus": ["a"]}})
    said = [finding.sentence for finding in authored.findings(tmp_path) if finding.file.endswith(".rego")]
    assert any("is `data.final_skus` meant?" in sentence for sentence in said)
    assert any("move it to a file with `package lib.helpers`" in sentence for sentence in said)


def test_default_that_does_not_fit_its_place_and_a_group_of_nobody_are_refused(tmp_path: Path) -> None:
    default = 'object.get(input.context, "x", "unknown")'
    entry = f'{{"rule": "x", "reason": "x", "reviewers": {{"groups": [{default}]}}, "count": {default}}}'
    authored.written(tmp_path, {"p.rego": f"package policy\n\nneeds_approval contains {entry}\n"})
    said = {finding.sentence for finding in authored.findings(tmp_path)}
    assert "in the default of `object.get`, make `count` a whole number from 1 to 1000" in said
    assert "in the default of `object.get`, nobody is in the group `unknown`; name one that may review" in said
