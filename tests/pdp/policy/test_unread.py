"""Every name in data is read to its end, or has a finding that proposes the near name."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
HEAD = 'package policy\n\nimport data.desk\n\nallow contains {"rule": "a", "reason": "open"} if {\n'


def found(folder: Path, body: str, data: Any, **files: Any) -> list[tuple[str, str]]:
    (folder / "p.rego").write_text(f"{HEAD}\tobject.get(desk, [], 1)\n\t{body}\n}}\n")
    for name, document in {"data.json": {"desk": {}, **data}, **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document))
    return [(finding.rule, finding.sentence) for finding in findings_in(OPA, [folder], full=False)]


READ = {
    "whole": ("input.subject.id in data.blocked", {"blocked": ["a"]}),
    "every member": ("some x in data.teams\n\tx.lead == input.subject.id", {"teams": [{"lead": "a"}, {"lead": "b"}]}),
    "a key that is computed": ("data.teams[input.subject.id].lead == 1", {"teams": {"a": {"lead": 1}}}),
    "by a name of the rule": ("t := data.teams\n\tt.a == 1\n\tt.b == 1", {"teams": {"a": 1, "b": 1}}),
    "a value bound to a name": ("t := data.teams[input.subject.id]\n\tt == 1", {"teams": {"a": 1}}),
    "by object.get": ('object.get(data.teams, "a", 0) == 1', {"teams": {"a": 1}}),
    "by object.get of a path": ('object.get(data.teams, ["a", "b"], 0) == 1', {"teams": {"a": {"b": 1}}}),
    "by object.get of a name": ('x := object.get(data.teams, "a", {})\n\tx.b == 1', {"teams": {"a": {"b": 1}}}),
    "keys alone": ("some name, _ in data.teams\n\tname == input.subject.id", {"teams": {"a": {"b": 1}}}),
    "every": ("every x in data.list { x != input.subject.id }", {"list": ["a"]}),
    "an argument": ("count(data.list) == 1", {"list": ["a"]}),
    "an argument of a call with a step": ("time.clock([0, data.zone])[0] == 1", {"zone": "UTC"}),
    "an index": ("data.list[0].a == 1", {"list": [{"a": 1}]}),
    "an object that is empty": ("input.subject.id in data.blocked.agents", {"blocked": {"agents": []}}),
    "in a comprehension": ("count([x | some x in data.list]) == 1", {"list": ["a"]}),
    "named as unread": ("input.subject.id in data.list.a", {"list": {"a": ["x"], "b": {"c": 1}}, "unread": ["list.b"]}),
    "of the core": ("true", {"groups": {"g": []}, "table_tags": {"t": ["pii"]}, "tags": ["pii"], "column_tags": {}}),
    "accepted of an attack": (
        "true",
        {"policy_attack": {"accepted": [{"rule": "a", "path": "b", "change": "null", "reason": "d"}]}},
    ),
}


@pytest.mark.parametrize(("body", "data"), READ.values(), ids=READ.keys())
def test_name_that_is_read_is_fine(body: str, data: Any, tmp_path: Path) -> None:
    assert found(tmp_path, body, data) == []


def test_remark_at_the_top_of_a_file_need_not_be_read(tmp_path: Path) -> None:
    remarks = {"_comment": "x", "$schema": "https://a.b/c", "description": "x"}
    assert found(tmp_path, "true", remarks, **{"desk__data.json": remarks}) == []
    ((rule, sentence),) = found(tmp_path, "data.list.a == 1", {"list": {"a": 1, "_comment": "x"}})
    assert (rule, sentence.startswith("no rule reads `data.list._comment`")) == ("unread-data", True)


UNREAD = {
    "of people": ("true", {"identites": {}}, "`data.identites`; is `identities` meant?"),
    "of tags": ("true", {"columns_tags": {"t": {"c": []}}}, "`data.columns_tags`; is `column_tags` meant?"),
    "beside the one that is read": (
        'object.get(data.blocked, "agnets", []) == []',
        {"blocked": {"agents": ["bot"]}},
        "`data.blocked.agents`; is `agnets` meant?",
    ),
    "below any key": (
        "data.teams[input.subject.id].lead == 1",
        {"teams": {"a": {"lead": 1, "leed": 1}}},
        "no rule reads `data.teams.a.leed`",
    ),
    "behind a name of the rule": (
        "t := data.limits\n\tt.manager > input.now",
        {"limits": {"manager": 5, "manger": 6}},
        "no rule reads `data.limits.manger`",
    ),
    "in members of a list": (
        "some x in data.teams\n\tx.lead == 1",
        {"teams": [{"lead": 1}, {"lead": 1, "deputy": 2}]},
        "no rule reads `data.teams.deputy`",
    ),
    "a text for a list": ("input.subject.id in data.blocked", {"blocked": "bot"}, "`data.blocked` is a text"),
    "a text for an object": ("data.teams[input.subject.id] == 1", {"teams": "bot"}, "`data.teams` is a text"),
    "a text among objects": (
        "data.teams[input.subject.id].lead == 1",
        {"teams": {"a": {"lead": 1}, "b": "none"}},
        "`data.teams.b` is a text",
    ),
    "a number, iterated": ("some x in data.list\n\tx == 1", {"list": 1}, "`data.list` is a number"),
    "a list for an object": (
        'object.get(data.list, "a", 1) == 1',
        {"list": [{"a": 1}]},
        "`data.list` is a list",
    ),
    "unread, which is not there": ("true", {"unread": ["list"]}, "`data.unread` names `list`"),
    "tags that are a text": ("true", {"table_tags": {"t": "pii"}}, "`data.table_tags`: write table"),
    "unread as a text": ("true", {"unread": "list"}, "`data.unread`: write a list"),
}


@pytest.mark.parametrize(("body", "data", "wanted"), UNREAD.values(), ids=UNREAD.keys())
def test_name_that_is_not_read_is_refused(body: str, data: Any, wanted: str, tmp_path: Path) -> None:
    [(_, sentence)] = found(tmp_path, body, data)
    assert wanted in sentence


def test_people_in_a_folder_are_refused(tmp_path: Path) -> None:
    more = {"people/data.json": {"identities": {"slack:U1": {"same_as": ["user:bob"]}}}}
    sentences = [sentence for _, sentence in found(tmp_path, "data.people != null", {}, **more)]
    assert sentences == []
    sentences = [sentence for _, sentence in found(tmp_path, 'object.get(data.people, "x", 1) == 1', {}, **more)]
    assert any("`identities` counts only at the top" in sentence for sentence in sentences)
    [(_, sentence)] = found(tmp_path, "true", {}, **more)
    assert "`data.people`; `identities` counts only at the top" in sentence


MISSING = {
    "second step": ("input.subject.id in data.blocked.agnets", "`data.blocked.agnets`; is `agents` meant?"),
    "behind a name": ("b := data.blocked\n\tinput.subject.id in b.agnets", "`data.blocked.agnets`"),
    "below any key": ("data.teams[input.subject.id].leed == 1", "`data.teams.*.leed`; is `lead` meant?"),
    "of a member": ("some t in data.teams\n\tt.leed == 1", "`data.teams.*.leed`"),
}


@pytest.mark.parametrize(("body", "wanted"), MISSING.values(), ids=MISSING.keys())
def test_step_that_data_does_not_have_is_refused(body: str, wanted: str, tmp_path: Path) -> None:
    sentences = [
        sentence
        for rule, sentence in found(tmp_path, body, {"blocked": {"agents": []}, "teams": {"a": {"lead": 1}}})
        if rule == "unknown-reference"
    ]
    assert any(wanted in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("body", "blocked", "rules"),
    [
        ("input.subject.id in data.blocked", {"bot": True}, ["never-in"]),
        ('b := data.blocked\n\t"bot" in b', {"bot": {"since": 1}}, ["never-in"]),
        ("input.subject.id in data.blocked", {"one": "bot"}, []),
        ("some b in data.blocked\n\tb.since == 1", {"bot": {"since": 1}}, []),
        ("data.blocked[input.subject.id]", {"bot": True}, []),
    ],
)
def test_text_that_is_asked_of_what_has_none_is_refused(
    body: str, blocked: Any, rules: list[str], tmp_path: Path
) -> None:
    assert [rule for rule, _ in found(tmp_path, body, {"blocked": blocked})] == rules


def test_what_tests_read_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "p_test.rego").write_text("package p_test\n\ntest_x if data.blocked.a == 1\n")
    [(rule, _)] = found(tmp_path, "true", {"blocked": {"a": 1}})
    assert rule == "unread-data"
