"""A guarded function runs at most once on one approval, whoever asks, dies or loses an answer."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from pdp.audit.record import Kind
from pdp.client import Client, Denied, guard
from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState, GetApprovalRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import Served, eventually, failing, served, verified_log
from tests.guarded import Agent, agent, export, ran
from tests.parts import Placet, exporting

FATES = ("the agents", "one agent", "the server", "nobody")
"""Who is killed in a round."""


def asked(run: str) -> AuthorizeRequest:
    """What the guarded function asks about."""
    return exporting(context={"run": run}, requestId=run)


async def test_two_agents_at_once_run_it_once_and_the_other_is_told(server: Placet, tmp_path: Path) -> None:
    run, token = uuid4().hex, identity.token(server.state, "report-bot")
    approval = await server.approved(asked(run))
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(agent(server.address, token, run, tmp_path / "ran")) for _ in "ab"]
        for one in both:
            one.begin()
        said = sorted([await one.said() for one in both])
    assert ran(tmp_path / "ran", run) == 1
    assert said[1] == "ran"
    request = GetApprovalRequest(approval_id=approval.approval_id)
    used = (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))).approval
    assert f"was used at {used.closed_at.ToDatetime():%Y-%m-%dT%H:%M:%SZ} by {used.used_by_decision_id}" in said[0]


async def test_two_request_ids_with_one_pending_approval_use_it_once(server: Placet) -> None:
    """Whichever asks first has it; the other execution needs an approval of its own."""
    run = uuid4().hex
    first, second = (exporting(context={"run": run}, requestId=f"{run}-{one}") for one in "ab")
    held, same = [(await server.authorize(one)).approval for one in (first, second)]
    assert held.approval_id == same.approval_id
    await server.review(held, "bob")
    await server.review(held, "carol")
    second.approval_id = held.approval_id
    assert (await server.authorize(second)).effect == Effect.EFFECT_ALLOW
    late = await server.authorize(first)
    assert late.effect == Effect.EFFECT_DENY
    assert late.reasons[0].rule == "pdp.approval_consumed"
    first.request_id = f"{run}-c"
    anew = await server.authorize(first)
    assert anew.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert anew.approval.approval_id != held.approval_id


class Losing:
    """A proxy that, while `loses`, lets calls through and no answers."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self.loses = False
        self.writers: list[asyncio.StreamWriter] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(self._host, int(self._port))
        self.writers += [writer, to_there]
        await asyncio.gather(self._pipe(reader, to_there), self._pipe(there, writer, answers=True))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        while (data := await reader.read(65536)) and not writer.is_closing():
            if not (answers and self.loses):
                writer.write(data)

    def hang_up(self) -> None:
        for writer in self.writers:
            writer.close()
        self.writers, self.loses = [], False


@asynccontextmanager
async def losing(target: str) -> AsyncIterator[tuple[Losing, str]]:
    proxy = Losing(target)
    listening = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    async with listening:
        yield proxy, f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        proxy.hang_up()


async def test_an_answer_that_is_lost_comes_again_to_its_own_attempt_and_to_no_other(
    server: Placet, tmp_path: Path
) -> None:
    run, token, file = uuid4().hex, identity.token(server.state, "report-bot"), tmp_path / "ran"
    approval = await server.approved(asked(run))
    async with losing(server.address) as (proxy, address), Client(address, token, timeout=30) as client:
        await guard(action="read", resource="table:customers", on_behalf_of=["user:alice"], client=client)(_nothing)()
        proxy.loses = True
        call = asyncio.create_task(export(client, file)(run))
        await eventually(lambda: _is_used(server, approval.approval_id))
        assert ran(file, run) == 0
        async with Client(server.address, token) as another:
            with pytest.raises(Denied, match=r"was used at .* by dec_"):
                await export(another, file)(run)
        proxy.hang_up()
        await call
    assert ran(file, run) == 1


async def test_killed_between_use_and_answer_it_never_runs_twice(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    """Each round: two agents call, the use is there and its answer held up; then a fate, and the dead start again."""
    database, file, fates = f"t{uuid4().hex[:16]}", tmp_path / "ran", Counter[str]()
    strikes = 4 * max(1, rounds - 1)
    async with _Stage(tmp_path, state, mongod.uri, database) as stage:
        for number in range(strikes):
            token = identity.token(state, "report-bot")  # it lives for 15 minutes
            run, fate = uuid4().hex, FATES[number % len(FATES)]
            approval = await stage.server.approved(asked(run))
            async with AsyncExitStack() as stack, AsyncMongoClient(mongod.uri) as client:
                approvals = client[database]["approvals"]
                used = {"_id": approval.approval_id, "state": "CONSUMED"}
                agents = [await stack.enter_async_context(agent(stage.address, token, run, file)) for _ in "ab"]
                async with failing(mongod.uri, f"{database}.batches", blockConnection=True, blockTimeMS=200):
                    for one in agents:
                        one.begin()
                    await eventually(lambda found=approvals, this=used: found.count_documents(this))
                    await stage.strike(fate, agents)
                for one in agents:
                    await one.said()
                assert stage.server.process.returncode is None, f"{fate}, round {number}: {stage.server.said}"
                again = await stack.enter_async_context(agent(stage.address, token, run, file))
                again.begin()
                assert "was used at" in await again.said()
            assert ran(file, run) <= 1
            assert ran(file, run) == 1 or fate != "nobody"
            fates[f"{fate}: {ran(file, run)}"] += 1
        log = await verified_log(stage.server)
    assert len(log.of(Kind.APPROVAL_CONSUMED)) == strikes
    print(dict(fates))  # noqa: T201  # the figure of a soak


class _Stage:
    """A server that is killed and started again at the same address, on the same database."""

    def __init__(self, folder: Path, state: Path, uri: str, database: str) -> None:
        self._folder, self._state, self._uri, self._database = folder, state, uri, database
        self._stack = AsyncExitStack()
        self.server: Served
        self.address = f"127.0.0.1:{_port()}"

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def strike(self, fate: str, agents: Sequence[Agent]) -> None:
        """Kill whom the fate says."""
        for one in agents[: {"the agents": 2, "one agent": 1}.get(fate, 0)]:
            await one.kill()
        if fate == "the server":
            await self.server.kill()
            await self._stack.aclose()
            await self._start()

    async def _start(self) -> None:
        how = {"database": self._database, "listen": self.address}
        serving = served(self._folder, self._state, self._uri, seconds=7200, **how)
        self.server = await self._stack.enter_async_context(serving)


def _port() -> int:
    """A free port that the system gives to nobody by itself: while the server is away, another must not get it."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


async def _nothing() -> None:
    """What makes the client ask who it is."""


async def _is_used(server: Placet, approval_id: str) -> bool:
    request = GetApprovalRequest(approval_id=approval_id)
    answer = await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))
    return answer.approval.state == ApprovalState.APPROVAL_STATE_CONSUMED
