"""Bodies whose statements contradict each other are found."""

from pathlib import Path

import pytest

from tests.pdp.policy.test_never import found

HOUR = '[hour, _, _] := time.clock([input.now, "Europe/Berlin"])\n\t'
NEVER = {
    "a night within one body": f"{HOUR}hour >= 22\n\thour < 6",
    "bounds turned": "input.context.rows < 5\n\t10 < input.context.rows",
    "a bound without its end": "input.context.rows < 5\n\tinput.context.rows == 5",
    "behind a variable": "rows := input.context.rows\n\trows > 5\n\tinput.context.rows <= 5",
    "fewer than none": "count(data.blocked) < 0",
    "a text and not it": 'input.resource.id == "a"\n\tinput.resource.id != "a"',
    "a text outside of a list": 'input.resource.type == "table"\n\tinput.resource.type in {"file", "bucket"}',
    "two lists": 'input.resource.type in ["table"]\n\tinput.resource.type in {"file", "bucket"}',
    "a statement and its denial": "data.named[input.subject.id]\n\tnot data.named[input.subject.id]",
}
MAY_BE = {
    "a day": f"{HOUR}hour >= 6\n\thour < 22",
    "one number": "input.context.rows >= 5\n\tinput.context.rows <= 5",
    "two values": "input.context.rows > 5\n\tcount(data.blocked) < 5",
    "two items": 'data.blocked[_] == "a"\n\tdata.blocked[_] == "b"',
    "two names": 'input.resource.id != "a"\n\tinput.resource.id != "b"',
    "a name of two lists": 'input.resource.id in {"a", "b"}\n\tinput.resource.id in {"b", "c"}',
    "a denial of another": 'data.named[input.subject.id]\n\tnot data.named[input.resource.id]\n\tnot data.named["bot"]',
    "none": "count(data.blocked) <= 0",
}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER.keys())
def test_body_that_is_never_true_is_refused(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body)[0] == ["never-equal"]


@pytest.mark.parametrize("body", MAY_BE.values(), ids=MAY_BE.keys())
def test_body_that_may_be_true_is_fine(body: str, tmp_path: Path) -> None:
    assert found(tmp_path, body) == ([], [])
