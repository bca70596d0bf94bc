"""What JSON and YAML lose in silence is found in data and in schemas."""

from pathlib import Path, PurePosixPath

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.policy.notation import lost
from pdp.policy.sources import Source
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)


def found(name: str, text: str) -> list[tuple[int, str]]:
    return [
        (finding.line, finding.rule) for finding in lost(Source("p", PurePosixPath(name), f"p/{name}", text.encode()))
    ]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("data.json", '{"a": 1, "b": {"c": 1}, "d": [{"c": 2}, {"c": 3}]}', []),
        ("data.json", '{"a": 1, "a": 1}', [(0, "conflicting-data")]),
        ("data.json", '{"a": [{"b": {"c": 1, "\\u0063": 2}}]}', [(0, "conflicting-data")]),
        ("data.yaml", "a: {b: 1}\nc: [{b: 1}, {b: 2}]\n", []),
        ("data.yaml", "---\na: 1\n", []),
        ("data.yaml", "a: 1\nb: 2\na: 3\n", [(3, "conflicting-data")]),
        ("data.yml", 'x:\n  - {a: 1, "a": 2}\n', [(2, "conflicting-data")]),
        ("data.yml", '1: a\n"1": b\n', [(2, "conflicting-data")]),
        ("data.yaml", "a: 1\n---\nb: 2\n", [(2, "second-document")]),
        ("data.yaml", "a: 1\n---\n", [(2, "second-document")]),
    ],
)
def test_keys_twice_and_second_documents_are_found(name: str, text: str, wanted: list[tuple[int, str]]) -> None:
    assert found(name, text) == wanted


@pytest.mark.parametrize(
    "value", ["no", "Yes", "ON", "off", "y", "0777", "08", "-012", "1_000", "1_0.5", "1:30", "12:30:45", "01.5"]
)
def test_text_that_yaml_may_read_as_something_else_is_found(value: str) -> None:
    assert found("data.yaml", f"a:\n  - {value}\n") == [(2, "yaml-surprise")]
    assert found("data.yaml", f"a:\n  - '{value}'\n") == []


@pytest.mark.parametrize(
    "value",
    ["true", "False", "null", "~", "7", "-0.5", "1e3", "0", "0.5", "2026-01-01", "1.2.3", "none", "12ab", "a:1"],
)
def test_plain_values_are_fine(value: str) -> None:
    assert found("data.yaml", f"a: {value}\nno: 1\n") == []


def test_number_as_a_key_is_found() -> None:
    assert found("data.yaml", "0777: a\n") == [(1, "yaml-surprise")]


def test_long_file_is_searched_to_its_end() -> None:
    text = "".join(f'"k{number}": [],\n' for number in range(100_000))
    assert found("data.json", f'{{{text} "k7": [1]}}') == [(0, "conflicting-data")]


def test_key_twice_in_a_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "schema/context").mkdir(parents=True)
    (tmp_path / "p.rego").write_text('package policy\n\nallow contains {"rule": "x", "reason": "x"}\n')
    schema = '{"type": "object", "properties": {"a": {"type": "number"}, "a": {}}}'
    (tmp_path / "schema/context/pay.json").write_text(schema)
    assert [finding.rule for finding in findings_in(OPA, [tmp_path])] == ["conflicting-data"]
