"""`pdp lineage suggest` as a user runs it."""

import json
from pathlib import Path

import pytest

from pdp.cli.suggest import suggestion_table
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import Suggestion, SuggestionState
from tests.cli.terminal import Terminal

ROWS = "email,note,card\nanna@example.com,hello,4111 1111 1111 1111\nbert@example.com,bye,5555 5555 5555 4444\n"


@pytest.fixture
def alone(tmp_path: Path) -> Terminal:
    """Commands without a server."""
    (tmp_path / "customers.csv").write_text(ROWS)
    return Terminal(tmp_path, {"PDP_ADDRESS": "127.0.0.1:1"})


async def test_columns_are_suggested_without_a_server_and_without_values(alone: Terminal) -> None:
    done = await alone("lineage", "suggest", "customers.csv", "--map", "email=contact")
    assert done.status == 0, done.err
    found = json.loads(done.out)["suggestions"]
    assert [(one["column"], one["tag"], one["score"], one["hits"]) for one in found] == [
        ("email", "contact", 1.0, 1.0),
        ("card", "pii", 1.0, 1.0),
    ]
    assert found[1]["recognizer"].startswith("presidio-analyzer/")
    assert found[1]["recognizer"].endswith(" CreditCardRecognizer credit_card")
    assert not [value for line in ROWS.splitlines()[1:] for value in line.split(",") if value in done.out + done.err]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--propose"], "--table"),
        (["--map", "email"], "KIND=TAG"),
        (["--map", "=x"], "KIND=TAG"),
        (["--table", "s3://b"], "NAMESPACE/NAME"),
    ],
)
async def test_what_is_missing_is_said(alone: Terminal, arguments: list[str], says: str) -> None:
    done = await alone("lineage", "suggest", "customers.csv", *arguments)
    assert done.status == 2
    assert says in done.err


async def test_proposing_needs_a_server(alone: Terminal) -> None:
    done = await alone("lineage", "suggest", "customers.csv", "--table", "crm.customers", "--propose")
    assert done.status == 69


def test_what_a_server_has_is_shown_with_its_state() -> None:
    one = Suggestion(column="c", tag="pii", score=0.5, hits=0.25, recognizer="r/1")
    assert suggestion_table([]) == "nothing is suggested"
    assert suggestion_table([one]).splitlines()[1].split() == ["c", "pii", "0.50", "25%", "r/1"]
    one.id, one.state = "sug_1", SuggestionState.SUGGESTION_STATE_REJECTED
    one.dataset.CopyFrom(DatasetName(namespace="s3://b", name="t"))
    assert suggestion_table([one]).splitlines()[1].split()[:4] == ["sug_1", "s3://b/t", "REJECTED", "c"]
