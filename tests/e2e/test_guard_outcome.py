"""What became of a guarded action is reported for the approval that it used."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.client import Client, guard
from pdp.dev import identity
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, ListApprovalsRequest, OutcomeState
from tests.cli.terminal import Terminal
from tests.parts import Placet

EXPORT: dict[str, Any] = {
    "action": "export",
    "resource": "table:customers",
    "properties": {"tags": ["pii"]},
    "on_behalf_of": ["user:alice"],
    "wait": 60,
}
RUN = ["run", "--as", "report-bot", "--on-behalf-of", "user:alice", "--resource", "table:customers"]
RUN_EXPORT = [*RUN, "--action", "export", "--property", 'tags=["pii"]', "--wait", "1m"]


@pytest.fixture
async def client(server: Placet) -> AsyncIterator[Client]:
    async with Client(server.address, identity.token(server.state, "report-bot")) as client:
        yield client


async def approved(server: Placet, run: str) -> str:
    """Two stewards approve what has `run` in its context, once it is there."""
    async with asyncio.timeout(30):
        while not (found := [one for one in await pending(server) if run in str(one.request.context)]):
            await asyncio.sleep(0.05)
    for steward in ("bob", "carol"):
        await server.review(found[0], steward)
    return found[0].approval_id


async def pending(server: Placet) -> list[Approval]:
    request = ListApprovalsRequest(state=ApprovalState.APPROVAL_STATE_PENDING, page_size=100)
    return list((await server.approvals.ListApprovals(request, metadata=server.metadata("report-bot"))).approvals)


async def outcome(server: Placet, approval_id: str) -> tuple[int, str, bool]:
    request = GetApprovalRequest(approval_id=approval_id)
    answer = await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_CONSUMED
    reported = answer.approval.outcome
    return reported.state, reported.detail, reported.late


async def test_a_function_that_returns_succeeded(client: Client, server: Placet) -> None:
    run = uuid4().hex

    @guard(client=client, **EXPORT)
    async def export(run: str) -> str:
        return run

    call = asyncio.create_task(export(run))
    approval_id = await approved(server, run)
    assert await call == run
    assert await outcome(server, approval_id) == (OutcomeState.OUTCOME_STATE_SUCCEEDED, "", False)


async def test_a_function_that_raises_failed_and_its_words_stay_here(client: Client, server: Placet) -> None:
    run = uuid4().hex

    @guard(client=client, **EXPORT)
    async def export(run: str) -> None:
        raise LookupError(f"secret {run}")

    call = asyncio.create_task(export(run))
    approval_id = await approved(server, run)
    with pytest.raises(LookupError, match="secret"):
        await call
    assert await outcome(server, approval_id) == (OutcomeState.OUTCOME_STATE_FAILED, "LookupError", False)


@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_plain_function_is_reported_too(server: Placet, *, succeeds: bool) -> None:
    run = uuid4().hex

    @guard(client=lambda: Client(server.address, identity.token(server.state, "report-bot")), **EXPORT)
    def export(run: str) -> None:
        if not succeeds:
            raise KeyError(run)

    call = asyncio.create_task(asyncio.to_thread(export, run))
    approval_id = await approved(server, run)
    if succeeds:
        await call
    else:
        with pytest.raises(KeyError, match=run):
            await call
    wanted = (OutcomeState.OUTCOME_STATE_SUCCEEDED, "") if succeeds else (OutcomeState.OUTCOME_STATE_FAILED, "KeyError")
    assert (await outcome(server, approval_id))[:2] == wanted


@pytest.mark.parametrize(
    ("script", "status", "wanted", "detail"),
    [
        ("exit 0", 0, OutcomeState.OUTCOME_STATE_SUCCEEDED, "exit status 0"),
        ("exit 4", 4, OutcomeState.OUTCOME_STATE_FAILED, "exit status 4"),
        ("kill -TERM $$", 143, OutcomeState.OUTCOME_STATE_FAILED, "exit status 143"),
    ],
)
async def test_a_command_is_reported_with_its_status(
    tmp_path: Path, server: Placet, script: str, status: int, wanted: OutcomeState, detail: str
) -> None:
    run = uuid4().hex
    terminal = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
    command = asyncio.create_task(terminal(*RUN_EXPORT, "--", "sh", "-c", script, run))
    approval_id = await approved(server, run)
    done = await command
    assert done.status == status
    assert done.err == f"waiting for people to review {approval_id}\n"
    assert await outcome(server, approval_id) == (wanted, detail, False)
