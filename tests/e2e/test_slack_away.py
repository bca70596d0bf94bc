"""Slack is away for an hour: nothing waits for it, and what it is told afterwards is true then."""

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import Message
from pdp.notify.attempts import wait
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, CancelApprovalRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually
from tests.parts import Placet, asking, is_serving
from tests.pdp.channels.slack.conftest import Chat, connected, until, words
from tests.pdp.mongo import database
from tests.slack import double
from tests.team_slack import about, seen

HOUR_SECONDS = 3600


@pytest.mark.timeout(240)
async def test_nothing_waits_for_slack_and_its_queue_drains_by_the_state_of_then(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    async with double(time.monotonic) as slack, connected(state, mongod, tmp_path / "chat", slack=slack) as chat:
        port = int(slack.url.rpartition(":")[2])
        slack.is_away = True
        await slack.reconnect()
        denied, cancelled, used, half, fresh = [await chat.asked() for _ in range(5)]
        await chat.server.review(denied, "bob", "DENY")
        await cancel(chat.server, cancelled)
        passed, gone = 0.0, False
        while passed < HOUR_SECONDS:
            passed += await pass_over(mongod, chat.server)
            if not gone and passed > HOUR_SECONDS / 4:
                await slack.stop()
                gone = True
        await chat.server.review(half, "bob")
        for by in ("bob", "carol"):
            await chat.server.review(used, by)
        assert (await again(chat, used)).effect == Effect.EFFECT_ALLOW
        assert await is_serving(chat.server)
        assert not slack.space.messages
        slack.is_away = False
        await slack.start(port)
        await eventually(lambda: drained(mongod, chat.server), seconds=90)
        assert told(slack, fresh) == {"DBOB": ("PENDING", ()), "DCAROL": ("PENDING", ())}
        assert told(slack, half) == {"DCAROL": ("PENDING", (("APPROVE", "user:bob", "api"),))}
        assert not any(told(slack, one) for one in (denied, cancelled, used))
        endings = [words(one.blocks) for one in slack.space.messages if one.channel == "DALICE"]
        assert sorted(one.partition("state")[2].split()[0] for one in endings) == ["CANCELLED,", "DENIED,"]
        await carol_clicks(chat, half)
        assert await chat.state(half) == ("APPROVED", 2)


async def pass_over(mongod: MongodProcess, server: Placet) -> float:
    """Let everything be tried that is due, then go to where the next attempts are. Returns how long they wait."""

    async def tried() -> int:
        async with database(mongod, server) as found:
            soon = {"$lte": ["$due_at", {"$add": ["$$NOW", 3000]}]}
            now = {"$gte": ["$tried_at", {"$subtract": ["$$NOW", 2000]}]}
            sent = {"progress": "waiting", "webhook": "people:slack", "errand": {"$in": ["ask", "end"]}}
            waiting = await found["notifications"].find(sent).to_list()
            is_tried = await found["notifications"].find_one({**sent, "$expr": {"$or": [soon, now]}})
            return 0 if is_tried or not waiting else max(one["attempts"] for one in waiting)

    attempts = await eventually(tried, seconds=30)
    async with database(mongod, server) as found:
        await found["notifications"].update_many({"progress": "waiting"}, [{"$set": {"due_at": "$$NOW"}}])
    return wait(attempts - 1)


async def drained(mongod: MongodProcess, server: Placet) -> bool:
    async with database(mongod, server) as found:
        states = await found["notifications"].distinct("progress")
    assert "dead" not in states
    return "waiting" not in states


async def cancel(server: Placet, approval: Approval) -> None:
    request = CancelApprovalRequest(approval_id=approval.approval_id, reason="not needed")
    await server.approvals.CancelApproval(request, metadata=server.metadata("report-bot"))


async def again(chat: Chat, approval: Approval) -> Any:
    run = approval.request.context["run"]
    use = asking("share", context={"run": run}, approvalId=approval.approval_id, attemptId=uuid4().hex)
    return await chat.server.authorize(use)


def told(slack: SlackDouble, approval: Approval) -> dict[str, Any]:
    """What stands in each conversation about an approval."""
    return {one.channel: tuple(seen(one.blocks)) for one in notices(slack, approval)}


def notices(slack: SlackDouble, approval: Approval) -> list[Message]:
    return [one for one in slack.space.messages if about(one) == approval.approval_id]


async def carol_clicks(chat: Chat, approval: Approval) -> None:
    [notice] = notices(chat.slack, approval)
    await until(lambda: chat.slack.sockets)
    await chat.slack.click("UCAROL", notice, "placet.review")
    await until(lambda: chat.slack.space.open_view("UCAROL"))
    assert "Recorded: APPROVE" in await chat.sent("UCAROL")
