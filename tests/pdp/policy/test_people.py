"""The maps of people say what a walk through the data says, and people whom no query could read are found."""

import json
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.decision import Effect, verdict
from pdp.environment import Environment
from pdp.errors import PolicyInvalid
from pdp.policy.bundle import build
from pdp.policy.check import checked, findings_in
from pdp.policy.people import FIRST, MANY_IDENTITIES, MANY_MEMBERS, MAX_BEHIND, MAX_IDENTITIES, maps, persons, warnings
from pdp.policy.sources import Source, core, read
from pdp.process import toolcache

OPA = toolcache.opa(Environment.read().tool_cache)
ALLOW = 'package policy\n\nallow contains {"rule": "all", "reason": "all"}\n'
DENY = 'package policy\n\ndeny contains {{"rule": "r", "reason": "r"}} if count({}) > 9\n'
USERS, AGENTS = ([f"{kind}:{number}" for number in range(5)] for kind in ("user", "agent"))
NAMES = st.lists(st.sampled_from([*USERS, *AGENTS]), max_size=2)
LINKS = st.dictionaries(st.sampled_from([*USERS, *AGENTS]), NAMES, max_size=5)
GROUPS = st.dictionaries(st.sampled_from(["g", "h"]), NAMES)
QUERY = """[{"principals": principals, "owners": owners, "person": person, "member": member} |
    some case in input
    principals := data.pdp.requester_principals with input as case.request with data.identities as case.identities
        with data.groups as case.groups with data.pdp.people as case.people with data.system.bundles as case.bundles
    owners := {name | some name in data.pdp.owners} with input as case.request with data.identities as case.identities
        with data.groups as case.groups with data.pdp.people as case.people with data.system.bundles as case.bundles
    person := {name: data.pdp.person(name) | some name in case.names} with data.identities as case.identities
        with data.pdp.people as case.people with data.system.bundles as case.bundles
    member := {[name, group] | some name in case.names; some group in ["g", "h"]; data.pdp.is_member(name, group)}
        with data.groups as case.groups with data.pdp.people as case.people with data.system.bundles as case.bundles
]"""


def made(identities: dict[str, Any], groups: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    data = {"identities": identities, "groups": groups}
    source = Source("policy", PurePosixPath("data.json"), "policy/data.json", json.dumps(data).encode())
    people, findings = maps([(source, data)], data)
    return people, [finding.sentence for finding in findings]


def evaluated(cases: list[dict[str, Any]]) -> list[Any]:
    command = [OPA, "eval", "--data", core(), "--stdin-input", "--format", "raw", QUERY]
    done = subprocess.run(command, input=json.dumps(cases).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(LINKS, LINKS, GROUPS), min_size=1, max_size=20))
def test_maps_say_what_a_walk_says(drawn: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]) -> None:
    walked, mapped = [], []
    for same_as, owners, groups in drawn:
        names = [*USERS, *AGENTS]
        identities = {name: {"same_as": same_as.get(name, []), "owners": owners.get(name, [])} for name in names}
        people, findings = made(identities, groups)
        if findings:  # a circle, which the build refuses
            continue
        request = {"subject": {"type": "agent", "id": "0"}, "on_behalf_of": [{"type": "user", "id": "1"}]}
        case = {"request": {**request, "caller": {"identity": "agent:2"}}, "names": [*names, "user:stranger"]}
        walked.append({**case, "identities": identities, "groups": groups, "people": {}, "bundles": False})
        mapped.append({**case, "identities": {}, "groups": {}, "people": people, "bundles": {"one": {}}})
    assert evaluated(walked) == evaluated(mapped)


def test_identities_that_are_linked_by_way_of_others_are_one_person() -> None:
    links = {"d:1": {"same_as": ["c:1"]}, "b:1": {"same_as": ["a:1"]}, "c:1": {"same_as": ["b:1", "c:1"]}}
    assert persons({**links, "x:1": {"owners": ["a:1"]}}) == dict.fromkeys(["a:1", "b:1", "c:1", "d:1"], "a:1")


def test_large_group_lists_the_first_people_of_each_type() -> None:
    users = [f"user:{number:04}" for number in range(FIRST + 50)]
    agents = [f"agent:{number}" for number in range(5)]
    people, _ = made({users[-1]: {"same_as": [users[0]]}}, {"all": [*users, *agents], "few": users[:FIRST]})
    assert people["first"] == {"all": [*agents, *users[:FIRST], users[-1]]}
    assert set(people["members"]["all"]) == {*users, *agents}


@pytest.mark.parametrize(
    ("identities", "sentence"),
    [
        ({"agent:a": {"owners": ["agent:b"]}, "agent:b": {"owners": ["agent:a"]}}, "go in a circle"),
        ({"agent:a": {"owners": ["agent:a"]}}, "go in a circle"),
        ({"agent:a": {"owners": ["user:a"], "same_as": ["user:a"]}}, "go in a circle"),
        ({"user:hub": {"same_as": [f"user:{number}" for number in range(MAX_IDENTITIES)]}}, "101 identities"),
        ({"agent:a": {"owners": [f"user:{number}" for number in range(MAX_BEHIND + 1)]}}, "more than 1,000 people"),
    ],
)
def test_people_whom_no_query_could_read_are_found(identities: dict[str, Any], sentence: str) -> None:
    _, [found] = made(identities, {})
    assert sentence in found


def test_long_chain_of_owners_ends_at_the_limit() -> None:
    count = 3 * MAX_BEHIND
    _, found = made({f"agent:{one}": {"owners": [f"agent:{one + 1}"]} for one in range(count)}, {})
    assert len(found) == count - MAX_BEHIND


def test_check_names_the_file_of_people_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "allow.rego").write_text(ALLOW)
    (tmp_path / "data.json").write_text('{"identities": {"agent:a": {"owners": ["agent:a"]}}}')
    [found] = findings_in(OPA, [tmp_path])
    assert (found.file, found.rule) == (str(tmp_path / "data.json"), "unfit-people")


def test_bundle_without_the_maps_allows_nobody(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "allow.rego").write_text(ALLOW)
    plain, ours = tmp_path / "plain.tar.gz", tmp_path / "bundle" / "bundle.tar.gz"
    ours.parent.mkdir()
    subprocess.run([OPA, "build", "--revision", "r1", "-o", plain, core(), tmp_path / "policy"], check=True)
    build(OPA, read([tmp_path / "policy"]), ours)
    assert verdict(decided(ours), frozenset()).effect == Effect.ALLOW
    with pytest.raises(PolicyInvalid) as refused:
        verdict(decided(plain), frozenset())
    assert refused.value.problem == "no_revision"


def decided(bundle: Path) -> Any:
    command = [OPA, "eval", "--bundle", bundle, "--stdin-input", "--format", "raw", "data.pdp.decision"]
    return json.loads(subprocess.run(command, input=b"{}", check=True, capture_output=True).stdout)


@pytest.mark.parametrize(
    ("rule", "data", "stays"),
    [
        ("", '{"groups": {"g": ["user:a"]}, "limit": 10, "unread": ["limit"]}', {"limit": 10, "unread": ["limit"]}),
        ("", '{"groups": {"g": ["user:a"]}, "limit": 1.00000000000000000001, "unread": ["limit"]}', "whole"),
        (DENY.format("data.groups.g"), '{"groups": {"g": []}}', "whole"),
        (
            DENY.format("teams.g").replace("\n\n", "\n\nimport data.groups as teams\n\n"),
            '{"groups": {"g": []}}',
            "whole",
        ),
    ],
)
def test_people_leave_the_data_if_no_rule_reads_them(tmp_path: Path, rule: str, data: str, stays: Any) -> None:
    folder, bundle = tmp_path / "policy", tmp_path / "bundle" / "bundle.tar.gz"
    bundle.parent.mkdir()
    folder.mkdir()
    (folder / "allow.rego").write_text(rule or ALLOW)
    (folder / "data.json").write_text(data)
    build(OPA, read([folder]), bundle)
    with tarfile.open(bundle) as archive:
        content = archive.extractfile("/data.json")
        assert content is not None
        assert json.load(content) == (json.loads(data) if stays == "whole" else stays)


def test_rules_that_read_a_large_group_are_warned_with_its_size(tmp_path: Path) -> None:
    members = [f"user:{number}" for number in range(MANY_MEMBERS + 1)]
    (tmp_path / "data.json").write_text(json.dumps({"groups": {"g": members}}))
    (tmp_path / "deny.rego").write_text(ALLOW)
    assert checked(OPA, [tmp_path], {}) == ([], [])
    (tmp_path / "deny.rego").write_text(DENY.format("data.groups.g"))
    findings, [warning] = checked(OPA, [tmp_path], {})
    assert not findings
    assert "the group `g` has 10,001 members" in warning


def test_many_identities_are_counted() -> None:
    people, _ = made({f"agent:{number}": {"owners": ["user:a"]} for number in range(MANY_IDENTITIES + 1)}, {"g": []})
    [warning] = warnings(people, [])
    assert "100,001 linked or owned identities" in warning
