"""NAME=VALUE on the command line: what was meant as a list or a flag never reaches a policy as text."""

import json
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from pdp.cli.members import members
from tests.cli.terminal import AS_ALICE, Terminal, invoked

NO_JSON = [
    "[pii]", "[", '["pii"', "{a:1}", "{", '"pii', ' ["pii]', "['pii']", "\t{", '\'["pii"]\'', "'[pii]'",
    '["a"] ["b"]', '{"a": 1, "a": 2}', "[NaN]", "[" * 100_000,
    "True", "FALSE", "Null", "None", " True ", "NaN", "-Infinity", "infinity", "nan",
]  # fmt: skip
TEXT = ["pii", "", "a=b", "-", "'", "it's", "truely", "007", "+1", "1,000", "v[1]", "x{", 'say "pii"', "\\[pii]"]


@pytest.mark.parametrize("value", NO_JSON)
@pytest.mark.parametrize("option", ["--property", "--context"])
def test_what_begins_like_json_and_is_none_is_refused_with_what_to_do(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as end:
        members([f"tags={value}"], [], option)
    said = capsys.readouterr().err
    assert end.value.exit_code == 2
    assert said.startswith(f"{option} tags: the value ")
    assert said.endswith(f"; if it is text, pass {option}-text tags=TEXT\n")
    assert members([], [f"tags={value}"], option) == {"tags": value}


def test_the_flags_of_other_languages_are_told_how_json_writes_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        members(["flag=True"], [], "--property")
    assert "flag=true, flag=false and flag=null" in capsys.readouterr().err


@pytest.mark.parametrize("value", TEXT)
def test_other_text_is_text(value: str) -> None:
    assert members([f"name={value}"], [], "--property") == {"name": value}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_json_is_what_it_says(value: Any) -> None:
    assert members([f"one={json.dumps(value)}"], [], "--property") == {"one": value}


@given(st.text())
def test_no_value_becomes_text_that_a_policy_would_mistake(value: str) -> None:
    try:
        (held,) = members([f"one={value}"], [], "--property").values()
    except typer.Exit:
        return
    begins = value.strip()[:1]
    assert begins not in {"[", "{", '"'} or held == json.loads(value)


def test_a_member_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    for one, other in ((["a=1", "a=2"], []), (["a=1"], ["a=x"]), ([], ["a=x", "a=y"])):
        with pytest.raises(typer.Exit):
            members(one, other, "--context")
        assert "gives a twice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["authorize", *AS_ALICE, "--action", "export", "--property", "tags=[pii]"],
        ["authorize", *AS_ALICE, "--action", "export", "--context", "tags=[pii]"],
        ["run", "--action", "a", "--resource", "b:c", "--property", "tags=[pii]", "true"],
        ["mask", "run", "x.csv", "--table", "t", "--subject", "a:b", "--to", "y.csv", "--context", "tags=[pii]"],
        ["mask", "plan", "--schema", "x.csv", "--table", "t", "--subject", "a:b", "--context", "tags=[pii]"],
        ["mask", "rewrap", "x.csv", "--table", "t", "--subject", "a:b", "--to", "y.csv", "--context", "tags=[pii]"],
        ["unmask", "x.csv", "--table", "t", "--subject", "a:b", "--to", "y.csv", "--context", "tags=[pii]"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_that_takes_them_refuses(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoked(*command, "--address", "127.0.0.1:1") == 2
    assert "begins like JSON and is none" in capsys.readouterr().err


async def test_a_policy_that_looks_for_a_tag_is_never_passed_by_its_text(pdp: Terminal) -> None:
    ask = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "export", "--dry-run"]
    asked = await pdp(*ask, "--property", 'tags=["pii"]')
    assert asked.status == 11
    unquoted = await pdp(*ask, "--property", "tags=[pii]")
    assert (unquoted.status, unquoted.out) == (2, "")
