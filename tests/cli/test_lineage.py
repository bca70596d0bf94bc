"""The commands of lineage that read: each asks the server that it is told."""

import pytest

from tests.cli.terminal import invoked

NOWHERE = ["--address", "127.0.0.1:1", "--token", "none", "--timeout", "0.2"]


@pytest.mark.parametrize(
    "command",
    [
        ["show", "s3://lake/a", "--upstream", "9"],
        ["path", "s3://lake/a", "table:t"],
        ["why", "table:t", "--column", "c", "--tag", "pii", "--at", "3"],
        ["coverage"],
        ["problems", "--all"],
        ["tags", "list", "table:t"],
        ["tags", "export"],
        ["tags", "add", "t", "pii", "--namespace", "bigquery"],
        ["tags", "classify", "t", "a=pii,x", "b"],
        ["suggestions", "list", "--state", "all"],
        ["suggestions", "accept", "sug_1"],
        ["suggestions", "reject", "sug_1"],
    ],
)
def test_command_needs_only_a_server(command: list[str]) -> None:
    assert invoked("lineage", *command, *NOWHERE) == 69


@pytest.mark.parametrize("command", [["why", "table:t"], ["path", "s3://lake", "t"], ["tags", "list", "s3://lake"]])
def test_what_is_missing_is_said(command: list[str]) -> None:
    assert invoked("lineage", *command, *NOWHERE) == 2
