"""`pdp approvals list --queue` and what reviewers do with it: what differs, in order, all of it, several at once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.cli.terminal import Terminal
from tests.parts import Placet, asking, exporting, placet
from tests.tokens import metadata

RULES = """package policy

needs_approval contains object.union(
	{"rule": "share", "reason": "asked for", "reviewers": {"groups": ["data-stewards"]}},
	object.get(input, ["context", "asked"], {}),
) if input.action.name == "share"
"""
DATA = {
    "groups": {"data-stewards": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
}


@pytest.fixture
async def asked(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder = tmp_path / "asked"
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with placet(state, mongod.uri, policy=[folder]) as server:
        yield server


async def opened(server: Placet, rows: int = 1, **requirement: Any) -> Approval:
    context = {"rows": rows, "asked": requirement}
    return (await server.authorize(asking("share", context=context))).approval


async def test_table_shows_what_differs_for_whom_which_rule_and_how_far(pdp: Terminal, asked: Placet) -> None:
    first, second = await opened(asked, 1000), await opened(asked, 1_000_000, count=2)
    third = await opened(asked, 1000, count=2)
    await asked.review(second, "carol")
    table = await pdp("approvals", "list", "--queue", "--as", "bob", "-o", "table", PDP_ADDRESS=asked.address)
    header, *rows = table.out.splitlines()
    assert header.split() == ["APPROVAL", "ACTION", "WHAT", "WHO", "CARRIES", "NEEDS", "AGE", "UNTIL"]
    assert [row.split()[0] for row in rows] == [first.approval_id, second.approval_id, third.approval_id]
    assert "context.rows = 1000000" in rows[1]
    assert "  agent:report-bot for user:alice  unclassified  share 1 of 2  " in rows[1]
    assert len({row.split("share table:customers")[1].split(" s  ")[0] for row in rows}) == 3


async def test_queue_is_narrowed_by_options(pdp: Terminal, asked: Placet) -> None:
    await opened(asked, 1)
    mine = await opened(asked, 2, reviewers={"identities": ["user:bob"], "groups": ["others"]})
    listing = ("approvals", "list", "--queue", "--as", "bob", "-o", "jsonl")

    async def found(*options: str) -> list[str]:
        result = await pdp(*listing, *options, PDP_ADDRESS=asked.address)
        assert result.status == 0, result.err
        return [line["approvalId"] for line in result.lines]

    assert await found("--mine-only") == [mine.approval_id]
    assert await found("--group", "others", "--action", "share", "--resource-type", "table") == [mine.approval_id]
    assert len(await found("--caller", "agent:report-bot", "--person", "user:alice")) == 2
    assert await found("--action", "export") == []
    alone = await pdp("approvals", "list", "--as", "bob", "--mine-only", PDP_ADDRESS=asked.address)
    assert (alone.status, alone.out) == (2, "")
    assert "--queue" in alone.err


async def test_queue_is_not_empty_because_newer_ones_wait_for_others(pdp: Terminal, asked: Placet) -> None:
    mine = await opened(asked)
    for rows in range(52):
        await opened(asked, rows + 2, reviewers={"groups": ["others"]})
    table = await pdp("approvals", "list", "--queue", "--as", "bob", "-o", "table", PDP_ADDRESS=asked.address)
    assert [row.split()[0] for row in table.out.splitlines()[1:]] == [mine.approval_id]
    assert "there are more" not in table.err


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
async def test_all_pages_are_listed_in_the_order_of_their_deadlines(pdp: Terminal, asked: Placet, form: str) -> None:
    made = [await opened(asked, rows, pending_for=f"{200 - rows}m") for rows in range(70)]
    order = [one.approval_id for one in made[::-1]]
    command = ["approvals", "list", "--queue", "--as", "bob", "-o", form]
    few = await pdp(*command, "--page-size", "3", PDP_ADDRESS=asked.address)
    every = await pdp(*command, "--all", PDP_ADDRESS=asked.address)

    def listed(out: str) -> list[str]:
        if form == "table":
            return [row.split()[0] for row in out.splitlines()[1:]]
        documents = json.loads(out)["approvals"] if form == "json" else map(json.loads, out.splitlines())
        return [one["approvalId"] for one in documents]

    assert listed(few.out) == order[:3]
    assert "there are more" in few.err
    assert listed(every.out) == order
    assert "there are more" not in every.err


async def test_deny_takes_several(pdp: Terminal, server: Placet) -> None:
    approvals = [(await server.authorize(exporting())).approval for _ in range(3)]
    names = [one.approval_id for one in approvals]
    done = await pdp("approvals", "deny", *names, "--as", "bob", "--reason", "not today", "-o", "jsonl")
    assert [(line["approvalId"], line["state"]) for line in done.lines] == [
        (name, "APPROVAL_STATE_DENIED") for name in names
    ]


async def test_approve_says_what_is_still_open(pdp: Terminal, server: Placet) -> None:
    held = (await server.authorize(exporting())).approval
    first = await pdp("approvals", "approve", held.approval_id, "--as", "bob", "-o", "json")
    assert first.err.endswith("still open    1 of group data-stewards  [tags.pii.export]\n")
    second = await pdp("approvals", "approve", held.approval_id, "--as", "carol", "-o", "json")
    assert "still open" not in second.err


@pytest.mark.parametrize("command", ["approve", "deny", "send-back"])
async def test_who_may_not_review_is_refused_before_anything_is_asked_or_sent(
    pdp: Terminal, server: Placet, command: str
) -> None:
    held = (await server.authorize(exporting())).approval
    await server.review(held, "bob")
    for name, reason, status in (("bob", "ALREADY_REVIEWED", 1), ("alice", "REVIEWER_IS_REQUESTER", 77)):
        done = await pdp("approvals", command, held.approval_id, "--as", name, "--reason", "x")
        assert (done.status, done.out) == (status, "")
        assert done.err.splitlines()[-1].startswith(f"{reason}: you ")


async def test_late_denial_is_still_sent(pdp: Terminal, server: Placet) -> None:
    held = await server.approved(exporting())
    erin = metadata(server.state, "user:erin", "reviewer", groups=["data-stewards"])[0][1].removeprefix("Bearer ")
    refused = await pdp("approvals", "approve", held.approval_id, PDP_TOKEN=erin)
    assert "APPROVAL_NOT_PENDING: it is APPROVED" in refused.err
    denied = await pdp("approvals", "deny", held.approval_id, PDP_TOKEN=erin)
    assert denied.json["state"] == "APPROVAL_STATE_REVOKED"
