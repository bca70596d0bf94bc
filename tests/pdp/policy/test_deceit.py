"""Texts that do not say what people read are refused, wherever an author writes them."""

import json
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
MIXED, HIDDEN = "mixed-scripts", "hidden-characters"


def rules(folder: Path, text: str, **files: str) -> list[str]:
    for name, content in {"p.rego": f"package policy\n\n{text}\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return sorted({finding.rule for finding in findings_in(OPA, [folder], full=False)})


def deny(condition: str, entry: str = '"rule": "d", "reason": "no"') -> str:
    return f"deny contains {{{entry}}} if {{\n\t{condition}\n}}"


BAD = {
    "compared, in two scripts": (deny('input.action.name == "exp\u043ert"'), MIXED),
    "compared, written as an escape": (deny('input.action.name == "exp\\u043ert"'), MIXED),
    "a member": (deny('input.subject.id in {"b\u043et"}'), MIXED),
    "a prefix": (deny('startswith(input.subject.id, "b\u043et-")'), MIXED),
    "a rule id": (deny("true", '"rule": "d\u0435ny", "reason": "no"'), MIXED),
    "a key": (deny('input.context["r\u043ews"] == 1'), MIXED),
    "a key of an object": (deny('{"r\u043ews": 1}[input.resource.id]'), MIXED),
    "compared, with a hidden character": (deny('input.action.name == "ex\u200bport"'), HIDDEN),
    "compared, with an escape of one": (deny('input.action.name == "ex\\u200bport"'), HIDDEN),
    "a reason with a hidden character": (deny("true", '"rule": "d", "reason": "n\u00ado"'), HIDDEN),
    "a reason of two lines": (deny("true", '"rule": "d", "reason": "no\\nyes"'), HIDDEN),
    "a reason that is made": (deny("true", '"rule": "d", "reason": sprintf("n\u202eo %v", [1])'), HIDDEN),
    "a rule id with a hidden character": (deny("true", '"rule": "d\u2060", "reason": "no"'), HIDDEN),
    "a comment that turns": ("# only \u202e\u2066 if admin \u2069\u2066\n" + deny("true"), HIDDEN),
    "a comment with a control character": ("# a\x1b[2J\n" + deny("true"), HIDDEN),
    "a group": (
        'needs_approval contains {"rule": "n", "reason": "r", "reviewers": {"groups": ["stew\u0430rds"]}}',
        MIXED,
    ),
}


@pytest.mark.parametrize(("text", "rule"), BAD.values(), ids=BAD.keys())
def test_deceiving_text_of_a_module_is_refused(text: str, rule: str, tmp_path: Path) -> None:
    assert rules(tmp_path, text) == [rule]


GOOD = {
    "another language": deny('input.action.name == "экспорт"', '"rule": "запрет", "reason": "нельзя: PDF-файл"'),
    "a sentence of two scripts in a word": deny("true", '"rule": "d", "reason": "ein D\u043eppelwort"'),
    "Japanese": deny('input.resource.id == "売上データ2026"', '"rule": "d", "reason": "社外秘です"'),
    "a separator": deny('count(split(input.resource.id, "\\n")) == 1'),
    "lines": deny('input.resource.id == "a\\tb\\nc"'),
    "a hidden character alone": deny('contains(input.resource.id, "\\u200b")'),
    "a comment": "# größe, экспорт, 👩\u200d💻, a\u00a0b\n" + deny("true"),
    "a backslash": deny('input.subject.id == "corp\\\\alice"', '"rule": "d", "reason": "not corp\\\\alice"'),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_text_that_says_what_people_read_is_fine(text: str, tmp_path: Path) -> None:
    assert rules(tmp_path, text) == []


DATA = {
    "a value": ({"blocked": ["b\u043et"]}, MIXED),
    "a key": ({"blocked": {"b\u043et": 1}}, MIXED),
    "a hidden character": ({"blocked": ["b\u200bot"]}, HIDDEN),
    "a reason": ({"blocked": [{"reason": "n\u202eo"}]}, HIDDEN),
    "an identity": ({"groups": {"g": ["user:\u0430lice"]}}, MIXED),
}


@pytest.mark.parametrize("is_escaped", [True, False])
@pytest.mark.parametrize(("data", "rule"), DATA.values(), ids=DATA.keys())
def test_deceiving_text_of_data_is_refused(data: object, rule: str, is_escaped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    text = json.dumps(data, ensure_ascii=is_escaped)
    assert rule in rules(tmp_path, deny("input.subject.id in data.blocked"), **{"data.json": text})


def test_deceiving_name_of_a_file_and_of_a_schema_is_refused(tmp_path: Path) -> None:
    assert rules(tmp_path / "a", deny("true"), **{"d\u0435ny.rego": "package lib.x\n"}) == [MIXED]
    schema = '{"type": "object", "properties": {"r\u043ews": {"type": "number"}}}'
    assert rules(tmp_path / "b", deny("true"), **{"schema/context/export.json": schema}) == [MIXED]
