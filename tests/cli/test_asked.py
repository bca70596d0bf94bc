"""A request by options, or by a file with options of the call."""

import json
from pathlib import Path
from uuid import uuid4

from tests.cli.terminal import Terminal


async def test_options_of_the_call_are_used_with_a_file_and_those_of_the_request_are_refused(
    pdp: Terminal, tmp_path: Path
) -> None:
    asked = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "read"},
        "resource": {"type": "table", "id": "customers"},
    }
    (tmp_path / "one.json").write_text(json.dumps(asked))
    (tmp_path / "two.jsonl").write_text(f"{json.dumps(asked)}\n" * 2)
    ask = ["authorize", "--as", "report-bot", "-f"]
    said = ["--dry-run", "--explain"]
    one = await pdp(*ask, "one.json", *said)
    assert (one.json["dryRun"], "fired" in one.json) == (True, True)
    two = await pdp(*ask, "two.jsonl", *said)
    assert [(line["dryRun"], "fired" in line) for line in two.lines] == [(True, True)] * 2
    granted = await pdp(*ask, "one.json", "--want-grant", "--request-id", uuid4().hex)
    assert granted.json["grant"]
    unknown = await pdp(*ask, "one.json", "--approval-id", f"apr_{uuid4().hex}")
    assert unknown.status != 0
    for option in ("--request-id", "--approval-id", "--supersedes"):
        done = await pdp(*ask, "two.jsonl", option, "x")
        assert (done.status, done.err.startswith(f"{option} is for one request")) == (2, True)
    for option in ("--subject", "--action", "--resource", "--property", "--context", "--on-behalf-of"):
        done = await pdp(*ask, "one.json", option, "a:b=c")
        assert (done.status, done.err) == (
            2,
            "one.json describes the request; leave out the options that do so, too\n",
        )
