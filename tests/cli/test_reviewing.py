"""The rest of `pdp approvals`: send back, revoke, cancel, several at once, what is new, and what became of it."""

import json
from uuid import uuid4

from pdp.v1.approval_pb2 import Approval
from tests.cli.terminal import EXPORT, Terminal
from tests.parts import Placet, exporting


async def opened(server: Placet, **context: object) -> Approval:
    return (await server.authorize(exporting(context={"run": uuid4().hex, **context}))).approval


async def approved(server: Placet, **context: object) -> Approval:
    held = await opened(server, **context)
    await server.review(held, "bob")
    await server.review(held, "carol")
    return held


async def test_send_back_ends_it_and_the_next_request_names_it(pdp: Terminal, server: Placet) -> None:
    held = await opened(server, rows=1000)
    suggestion = {"subject": {"type": "agent", "id": "report-bot"}, "action": {"name": "export"}}
    suggestion |= {"resource": {"type": "table", "id": "customers"}, "context": {"rows": 10}}
    (pdp.folder / "smaller.json").write_text(json.dumps(suggestion))
    command = ["approvals", "send-back", held.approval_id, "--as", "bob", "--reason", "fewer rows"]
    sent = await pdp(*command, "--suggest", "smaller.json")
    assert (sent.status, sent.json["state"]) == (0, "APPROVAL_STATE_DENIED")
    shown = await pdp("approvals", "show", held.approval_id, "--as", "report-bot", "-o", "table")
    assert "CHANGES_REQUESTED by user:bob" in shown.out
    assert "it would accept:\n" in shown.out
    assert "context.rows = 10\n" in shown.out
    again = [*EXPORT, "--context", "rows=10", "--context", f"run={uuid4().hex}", "--supersedes", held.approval_id]
    next_one = (await pdp(*again)).json["approval"]
    assert next_one["supersedes"] == held.approval_id
    assert "user:bob" in next_one["requesterPrincipals"]


async def test_revoke_and_cancel(pdp: Terminal, server: Placet) -> None:
    held = await approved(server)
    revoked = await pdp("approvals", "revoke", held.approval_id, "--as", "bob", "--reason", "second thoughts")
    assert (revoked.status, revoked.json["state"]) == (0, "APPROVAL_STATE_REVOKED")
    assert (revoked.json["closedBy"], revoked.json["closeReason"]) == ("user:bob", "second thoughts")
    other = await opened(server)
    cancelled = await pdp("approvals", "cancel", other.approval_id, "--as", "report-bot")
    assert (cancelled.status, cancelled.json["state"]) == (0, "APPROVAL_STATE_CANCELLED")
    strangers = await pdp("approvals", "cancel", other.approval_id, "--as", "dev")
    assert "APPROVAL_NOT_FOUND" in strangers.err


async def test_several_are_approved_in_one_command(pdp: Terminal, server: Placet) -> None:
    held = [await opened(server) for _ in range(2)]
    done = await pdp("approvals", "approve", *(one.approval_id for one in held), "--as", "bob", "-o", "jsonl")
    assert done.status == 0
    assert [line["approvalId"] for line in done.lines] == [one.approval_id for one in held]
    assert all(len(line["reviews"]) == 1 for line in done.lines)


async def test_show_says_what_is_new_and_who_may_review(pdp: Terminal, server: Placet) -> None:
    await approved(server, rows=1)
    held = await opened(server, rows=2)
    shown = (await pdp("approvals", "show", held.approval_id, "--as", "bob", "-o", "table")).out
    assert "the last of this kind that was approved:\n" in shown
    assert "-   context.rows = 1\n" in shown
    assert "+   context.rows = 2\n" in shown
    assert "may review    user:bob, user:carol" in shown


async def test_what_became_of_a_use(pdp: Terminal, server: Placet) -> None:
    held = await approved(server)
    early = await pdp("approvals", "outcome", held.approval_id, "succeeded", "--as", "report-bot")
    assert "APPROVAL_NOT_CONSUMED" in early.err
    used = await server.authorize(exporting(context=dict(held.request.context), approval_id=held.approval_id))
    assert used.grant
    done = await pdp("approvals", "outcome", held.approval_id, "failed", "--detail", "disk full", "--as", "report-bot")
    assert done.json["outcome"]["state"] == "OUTCOME_STATE_FAILED"
    shown = (await pdp("approvals", "show", held.approval_id, "--as", "report-bot", "-o", "table")).out
    assert "outcome       FAILED\n" in shown
    assert "| disk full" in shown
