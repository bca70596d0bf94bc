"""Messages to webhooks, on a real server and a real receiver."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from pdp.errors import SetupError
from pdp.notify.attempts import ATTEMPTS, wait
from pdp.notify.endpoint import Endpoint
from pdp.notify.message import Step
from pdp.process.mongod import MongodProcess
from pdp.server.notifier import Courier
from pdp.store.database import Database
from pdp.store.notifications import Notifications
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, Notification
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.faults import eventually
from tests.notify import Receiver, due_now, notifications, receiver
from tests.parts import Placet, exporting, log, placet
from tests.pdp.mongo import database, set_back
from tests.pdp.test_canary import CANARY, planted

CREATED, REVIEWED = "dev.placet.approval.created", "dev.placet.approval.reviewed"
CONSUMED, CLOSED = "dev.placet.approval.consumed", "dev.placet.approval.closed"


async def opened(server: Placet, request: AuthorizeRequest | None = None) -> Approval:
    return await server.opened(request or exporting())


async def sent(
    server: Placet, approval_id: str, *, attempts: int, state: str = "waiting", problem: str = ""
) -> list[Notification]:
    """The approval's messages, as soon as all of them have come so far; a claim counts before its problem is known."""

    async def look() -> list[Notification]:
        found = await notifications(server, approval_id)
        come = [(one.state, one.attempts) == (state, attempts) and one.problem for one in found]
        return found if all(come) and problem in {"", *(one.problem for one in found)} else []

    return await eventually(look, seconds=60)


async def test_each_step_is_told_at_once_signed_and_as_a_cloud_event(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    async with receiver(tmp_path) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        request = exporting()
        asked = await opened(server, request)
        began = time.monotonic()
        (first,) = await ops.heard(asked.approval_id)
        assert time.monotonic() - began < 3
        await server.review(asked, "bob")
        approved = await server.review(asked, "carol")
        request.approval_id = asked.approval_id
        await server.authorize(request)
        heard = await ops.heard(asked.approval_id, 4)

        assert first.path == "/hook?a=1"
        assert first.headers["Content-Type"].startswith("application/cloudevents+json")
        assert abs(int(first.headers["webhook-timestamp"]) - time.time()) < 30
        recorded = {str(record["id"]): record for record, _ in await log(server)}
        record = recorded[first.id]
        assert first.event == {
            "specversion": "1.0",
            "id": first.id,
            "source": "dev",
            "type": CREATED,
            "subject": asked.approval_id,
            "time": record["time"],
            "datacontenttype": "application/json",
            "data": {
                "approval_id": asked.approval_id,
                "state": "PENDING",
                "caller": "agent:report-bot",
                "action": "export",
                "resource_type": "table",
                "groups": ["data-stewards"],
                "expires_at": first.event["data"]["expires_at"],
            },
        }
        assert all(one.is_signed_by(ops.secret) for one in heard)
        assert all(recorded[one.id]["approval_id"] == asked.approval_id for one in heard)
        assert len({one.id for one in heard}) == 4
        states = sorted((one.event["type"], one.event["data"]["state"]) for one in heard)
        assert states == sorted(
            [(CREATED, "PENDING"), (REVIEWED, "PENDING"), (REVIEWED, "APPROVED"), (CONSUMED, "CONSUMED")]
        )
        until = {one.event["data"]["state"]: one.event["data"].get("expires_at") for one in heard}
        assert until["CONSUMED"] is None
        assert datetime.fromisoformat(until["PENDING"]) == datetime.fromisoformat(asked.expires_at.ToJsonString())
        assert datetime.fromisoformat(until["APPROVED"]) == datetime.fromisoformat(approved.expires_at.ToJsonString())

        async def all_delivered() -> bool:
            found = await notifications(server, asked.approval_id)
            return [one.state for one in found] == ["delivered"] * 4

        await eventually(all_delivered)
        (told, *_) = await notifications(server, asked.approval_id, by="bob")
        assert (told.webhook, told.event, told.attempts, told.problem) == ("ops", "approval.created", 1, "")
        assert told.HasField("tried_at")


async def test_ends_are_told_whoever_brings_them_about(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async with (
        receiver(tmp_path) as ops,
        placet(state, mongod.uri, webhooks=(ops.config(events=("approval.closed",)),)) as server,
    ):
        denied, late = await opened(server), await opened(server)
        await server.review(denied, "bob", "DENY")
        await set_back(mongod, server, late.approval_id, "created_at", days=2)
        for approval, end in ((denied, "DENIED"), (late, "EXPIRED")):
            (heard,) = await ops.heard(approval.approval_id)
            assert (heard.event["type"], heard.event["data"]["state"]) == (CLOSED, end)
            assert "expires_at" not in heard.event["data"]
        assert len(ops.received) == 2


async def test_what_was_asked_stays_inside(
    tmp_path: Path, state: Path, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async def repeating(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500, text=CANARY, reason=CANARY)

    with caplog.at_level(logging.DEBUG):
        async with receiver(tmp_path, repeating) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
            request = planted()
            asked = await opened(server, request)
            await server.review(asked, "bob", reason=CANARY)
            heard = await ops.heard(asked.approval_id, 2)
            shown = await sent(server, asked.approval_id, attempts=1)
    ours = [record.getMessage() for record in caplog.records if record.name.partition(".")[0] in {"pdp", "asyncio"}]
    assert CANARY not in "".join(ours)
    assert ops.secret not in caplog.text
    assert CANARY not in str(shown)
    for one in heard:
        assert CANARY.encode() not in one.body
        assert CANARY not in str(one.headers)
        assert "alice" not in one.body.decode() + str(one.headers)
        assert "bob" not in one.body.decode()


async def test_nothing_that_comes_back_changes_anything(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async def approving(request: web.Request) -> web.StreamResponse:
        subject = (await request.json())["subject"]
        text = json.dumps({"approval_id": subject, "verdict": "APPROVE", "state": "APPROVED", "reviewer": "user:bob"})
        return web.Response(text=text, headers={"Set-Cookie": "verdict=APPROVE", "Content-Type": "application/json"})

    async with receiver(tmp_path, approving) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        asked = await opened(server)
        await ops.heard(asked.approval_id)

        async def delivered() -> bool:
            return {one.state for one in await notifications(server, asked.approval_id)} == {"delivered"}

        await eventually(delivered)
        request = GetApprovalRequest(approval_id=asked.approval_id)
        answer = await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))
        assert answer.approval == asked
        kinds = [record["kind"] for record, _ in await log(server) if record.get("approval_id") == asked.approval_id]
        assert sorted(kinds) == ["approval.created", "decision"]


async def test_message_is_tried_again_with_the_same_id_and_a_new_signature(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    answers = [503, 429, 404, 200]

    async def recovering(_: web.Request) -> web.StreamResponse:
        return web.Response(status=answers[min(len(ops.received), len(answers)) - 1])

    async with receiver(tmp_path, recovering) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        asked = await opened(server)
        for attempt, status in enumerate(answers[:-1], start=1):
            (refused,) = await sent(server, asked.approval_id, attempts=attempt, problem=f"HTTP status {status}")
            assert refused.state == "waiting"
            await due_now(mongod.uri, server)
        heard = await ops.heard(asked.approval_id, 4)
        assert len({(one.id, one.body) for one in heard}) == 1
        assert all(one.is_signed_by(ops.secret) for one in heard)


async def test_dead_letter_is_tried_no_more_and_shown(
    tmp_path: Path, state: Path, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(_: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    async with receiver(tmp_path, failing) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        asked = await opened(server)
        for attempt in range(1, ATTEMPTS):
            await sent(server, asked.approval_id, attempts=attempt)
            await due_now(mongod.uri, server)
        (dead,) = await sent(server, asked.approval_id, attempts=ATTEMPTS, state="dead")
        assert dead.problem == "HTTP status 500"
        assert f"webhook ops was not told of {ops.received[0].id}: HTTP status 500" in caplog.text
        await due_now(mongod.uri, server)
        other = await opened(server)
        await sent(server, other.approval_id, attempts=1)
        assert len(ops.events(asked.approval_id)) == ATTEMPTS


async def test_redirect_is_not_followed(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async def redirecting(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{other.port}/elsewhere"})

    async with (
        receiver(tmp_path) as other,
        receiver(tmp_path, redirecting) as ops,
        placet(state, mongod.uri, webhooks=(ops.config(),)) as server,
    ):
        asked = await opened(server)
        (waiting,) = await sent(server, asked.approval_id, attempts=1)
        assert waiting.problem == "HTTP status 307"
        assert (len(ops.received), len(other.received)) == (1, 0)


async def test_silent_webhook_is_given_up_and_holds_up_no_other(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    async def silent(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async with (
        receiver(tmp_path, silent) as slow,
        receiver(tmp_path, endless) as loud,
        receiver(tmp_path) as well,
        placet(state, mongod.uri, webhooks=(slow.config("slow"), loud.config("loud"), well.config("well"))) as server,
    ):
        first = await opened(server)
        await slow.heard(first.approval_id)
        began = time.monotonic()
        second = await opened(server)
        await well.heard(second.approval_id)
        assert time.monotonic() - began < 3

        async def seen() -> dict[str, Notification]:
            found = {one.webhook: one for one in await notifications(server, first.approval_id)}
            return found if found["slow"].problem else {}

        found = await eventually(seen)
        assert (found["slow"].state, found["slow"].problem) == ("waiting", "no answer within 5 s")
        assert (found["loud"].state, found["well"].state) == ("delivered", "delivered")


async def test_two_processes_share_the_work(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async with (
        receiver(tmp_path) as ops,
        placet(state, mongod.uri, webhooks=(ops.config(),)) as one,
        placet(state, mongod.uri, database=one.database, webhooks=(ops.config(),)) as two,
    ):
        asked = await asyncio.gather(*(opened(server) for server in (one, two) for _ in range(20)))
        for approval in asked:
            await ops.heard(approval.approval_id)
        assert len(ops.received) == len(asked)


async def test_message_that_many_find_due_is_sent_by_one(tmp_path: Path, mongod: MongodProcess) -> None:
    store = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    async with receiver(tmp_path) as ops, closing(store):
        found = Notifications(store)
        for number in range(20):
            step = Step(f"rec_{number}", "approval.created", "", "PENDING", None, "apr_1", "agent:a", b"", [])
            await found.add("ops", step, b'{"subject":"apr_1"}')
            await found.add("ops", step, b"another process found the step, too")
        await asyncio.gather(*(Courier(Endpoint.of(**dict(ops.config())), found).send() for _ in range(4)))
        assert sorted(one.id for one in ops.received) == sorted(f"rec_{number}" for number in range(20))
        told = await found.of_approval("apr_1")
        assert [(one.progress, one.attempts) for one in told] == [("delivered", 1)] * 20


@asynccontextmanager
async def closing(store: Database) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await store.close()


async def test_attempt_that_died_is_made_again_and_the_last_one_is_counted(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    async with receiver(tmp_path) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        asked = await opened(server)
        await ops.heard(asked.approval_id)
        async with database(mongod, server) as found:
            died = {"progress": "waiting", "attempts": ATTEMPTS}
            await found["notifications"].update_one({"approval_id": asked.approval_id}, {"$set": died})
        await due_now(mongod.uri, server)
        (dead,) = await sent(server, asked.approval_id, attempts=ATTEMPTS, state="dead")
        assert dead.problem == "the last attempt did not end"
        assert len(ops.received) == 1


async def test_step_whose_record_is_not_in_the_log_is_not_told(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    async with receiver(tmp_path) as ops, placet(state, mongod.uri, webhooks=(ops.config(),)) as server:
        asked = await opened(server)
        await ops.heard(asked.approval_id)
        async with database(mongod, server) as found:
            approvals = found["approvals"]
            step = {"record": "rec_x", "event": "approval.reviewed", "at": "2026-01-01T00:00:00Z", "state": "PENDING"}
            entry = {"id": "rec_x", "record": b"{}", "salt": b"", "payload": b"{}"}
            fresh = datetime.now(UTC) + timedelta(hours=1)  # whoever wrote it is still delivering it
            change = {"$set": {"untold": [step], "outbox": [entry], "updated_at": fresh}}
            await approvals.update_one({"_id": asked.approval_id}, change)
            other = await opened(server)
            await ops.heard(other.approval_id)
            assert len(ops.events(asked.approval_id)) == 1
            await approvals.update_one({"_id": asked.approval_id}, {"$set": {"outbox": []}})
        assert [one.event["type"] for one in await ops.heard(asked.approval_id, 2)] == [CREATED, REVIEWED]


async def test_reads_of_the_sweep_use_their_indexes(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri) as server, database(mongod, server) as found:
        await opened(server)
        untold = {"untold.record": {"$exists": True}, "outbox.0": {"$exists": False}}
        due = {"webhook": "ops", "progress": "waiting", "$expr": {"$lte": ["$due_at", "$$NOW"]}}
        for collection, condition, index in (("approvals", untold, "untold"), ("notifications", due, "due")):
            plan = await found[collection].find(condition).sort("due_at", 1).explain()
            assert f"'indexName': '{index}'" in str(plan["queryPlanner"]["winningPlan"])


async def test_without_webhooks_nothing_is_kept(server: Placet, mongod: MongodProcess) -> None:
    asked = await opened(server)
    await server.review(asked, "bob")
    async with database(mongod, server) as found:
        document = await found["approvals"].find_one({"_id": asked.approval_id})
        assert document is not None
        assert document["untold"] == []
        assert await found["notifications"].count_documents({}) == 0


async def test_secret_that_others_can_read_keeps_the_server_from_starting(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    hook = Receiver(tmp_path, port=1).config()
    hook.secret.chmod(0o644)
    with pytest.raises(SetupError, match="chmod 600"):
        async with placet(state, mongod.uri, webhooks=(hook,)):
            pass


def test_attempts_spread_over_about_a_day() -> None:
    waits = [[wait(attempts) for _ in range(100)] for attempts in range(ATTEMPTS - 1)]
    assert 8 <= min(waits[0]) < max(waits[0]) <= 12
    assert all(max(these) < min(longer) for these, longer in pairwise(waits))
    assert 20 < sum(map(min, waits)) / 3600 < sum(map(max, waits)) / 3600 < 36
