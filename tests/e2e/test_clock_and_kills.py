"""A server whose clock is an hour wrong, and uses that race while the server or the primary is killed."""

import asyncio
import json
import random
import time
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from joserfc import jws

from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests import tokens
from tests.faults import Served, served, verified_log
from tests.parts import Placet, exporting
from tests.replica import replicas

RACERS = 32
HOUR = 3600


class Lasting(Placet):
    """Callers whose tokens hold on a clock that is an hour wrong."""

    def __init__(self, server: Placet) -> None:
        super().__init__(server.address, server.state, server.database, server.channel, server.said)

    def metadata(self, name: str) -> tokens.Metadata:
        identity = "agent:report-bot" if name == "report-bot" else f"user:{name}"
        groups = ["data-stewards"] if name in {"bob", "carol"} else []
        roles = ("requester",) if name == "report-bot" else ("requester", "reviewer", "auditor")
        return tokens.metadata(self.state, identity, *roles, groups=groups, iat=None, exp=int(time.time()) + 3 * HOUR)


@pytest.mark.parametrize("ahead_seconds", [-HOUR, HOUR])
async def test_approvals_do_not_ask_the_servers_clock(
    tmp_path: Path, state: Path, mongod: MongodProcess, ahead_seconds: int
) -> None:
    async with served(tmp_path, state, mongod.uri, ahead_seconds=ahead_seconds) as wrong:
        server = Lasting(wrong)
        request = exporting()
        approval = await server.approved(request)
        left = approval.expires_at.ToDatetime().timestamp() - approval.created_at.ToDatetime().timestamp()
        assert 14 * 60 < left < 17 * 60
        assert abs(approval.created_at.seconds - time.time()) < 60
        used = await server.authorize(again(request, approval))
        assert used.effect == Effect.EFFECT_ALLOW
        claims = json.loads(jws.extract_compact(used.grant.encode()).payload)
        assert abs(claims["iat"] - time.time()) < 60
        twice = await server.authorize(again(request, approval))
        assert twice.reasons[0].rule == "pdp.approval_consumed"


async def test_of_32_uses_racing_with_kills_one_is_allowed(tmp_path: Path, state: Path, rounds: int) -> None:
    async with replicas(tmp_path) as three:
        database = f"t{uuid4().hex[:16]}"
        for number in range(rounds):
            async with served(tmp_path, state, three.uri, database=database) as server:
                request = exporting()
                approval = await steadily(server, request)
                uses = [again(request, approval, uuid4().hex) for _ in range(RACERS)]
                racing = [asyncio.create_task(reply(server, use)) for use in uses]
                await asyncio.sleep(random.uniform(0, 0.05))
                killed = None
                if number % 2:
                    killed = await three.kill_primary()
                else:
                    await server.kill()
                answered = [one for one in await asyncio.gather(*racing) if one]
            if killed is not None:
                await killed.start()
            await three.ready()
            async with served(tmp_path, state, three.uri, database=database) as server:
                answered += await asyncio.gather(*(until_answered(server, use) for use in uses))
                allowed = {one.decision_id for one in answered if one.effect == Effect.EFFECT_ALLOW}
                assert len(allowed) <= 1
                used = [one for one in answered if one.effect == Effect.EFFECT_ALLOW]
                log = await verified_log(server)
                consumed = log.of(Kind.APPROVAL_CONSUMED, approval.approval_id)
                assert len(consumed) == 1
                if used:
                    log.used_once(used[0])


def again(request: AuthorizeRequest, approval: Approval, request_id: str = "") -> AuthorizeRequest:
    used = AuthorizeRequest(approval_id=approval.approval_id, request_id=request_id)
    used.MergeFrom(request)
    used.attempt_id = uuid4().hex
    return used


async def reply(server: Served, use: AuthorizeRequest) -> AuthorizeResponse | None:
    try:
        return await server.authorize(use, timeout=10)
    except grpc.aio.AioRpcError:
        return None


async def until_answered(server: Served, use: AuthorizeRequest) -> AuthorizeResponse:
    async with asyncio.timeout(60):
        while (answer := await reply(server, use)) is None:
            await asyncio.sleep(0.05)
        return answer


async def steadily(server: Served, request: AuthorizeRequest) -> Approval:
    """An approved approval, however often a new primary makes us ask."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await server.approved(request)
            except grpc.aio.AioRpcError:
                request.context["run"] = uuid4().hex
                await asyncio.sleep(0.1)
