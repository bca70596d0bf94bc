"""The commands of lineage that take something away: what they need, and what they send."""

import pytest

from tests.cli.terminal import invoked

NOWHERE = ["--address", "127.0.0.1:1", "--token", "none", "--timeout", "0.2"]
SAID = ["--reason", "because", "--revision", "7"]
COMMANDS = {
    "untag": ["table:t", "pii"],
    "end-edge": ["s3://lake/a", "table:t"],
    "unlink": ["s3://lake/a", "s3://lake/b"],
    "declassify": ["table:t", "pii", "--column", "c", "--until", "2030-01-01"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_needs_a_reason_and_the_revision_that_was_seen(command: str) -> None:
    arguments = ["lineage", command, *COMMANDS[command], *NOWHERE]
    assert invoked(*arguments, *SAID) == 69, "all is there but the server"
    assert invoked(*arguments, *SAID[:2]) == 2
    assert invoked(*arguments, *SAID[2:]) == 2


@pytest.mark.parametrize("arguments", [["end-edge", "table:a", "table:b"], ["unlink", "s3://lake/a", "b"]])
def test_what_must_be_a_dataset_is_not_a_resource(arguments: list[str]) -> None:
    assert invoked("lineage", *arguments, *SAID, *NOWHERE) == 2
