"""A server that is killed at its worst moments loses no message."""

import asyncio
from pathlib import Path

from aiohttp import web

from pdp.process.mongod import MongodProcess
from tests.faults import served
from tests.notify import due_now, receiver
from tests.parts import exporting


async def test_step_is_told_although_the_server_was_killed_after_it(
    tmp_path: Path, state: Path, mongod: MongodProcess, rounds: int
) -> None:
    database = ""
    async with receiver(tmp_path) as ops:
        for _ in range(max(1, rounds - 1)):  # three starts of a server each
            hooks = [ops.config()]
            async with served(tmp_path, state, mongod.uri, database=database, webhooks=hooks) as server:
                database = server.database
                asked = (await server.authorize(exporting())).approval
                await server.kill()
            async with served(tmp_path, state, mongod.uri, database=database, webhooks=hooks) as again:
                first, *more = await ops.heard(asked.approval_id)
                reviewed = await again.review(asked, "bob")
                await again.kill()
            assert first.is_signed_by(ops.secret)
            assert {one.id for one in more} <= {first.id}
            async with served(tmp_path, state, mongod.uri, database=database, webhooks=hooks):
                heard = await ops.heard(reviewed.approval_id, 2)
            assert {one.event["type"].rpartition(".")[2] for one in heard} == {"created", "reviewed"}


async def test_message_is_sent_again_although_the_server_was_killed_while_sending(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    killed = asyncio.Event()

    async def waiting(_: web.Request) -> web.StreamResponse:
        await killed.wait()
        return web.Response(status=204)

    async with receiver(tmp_path, waiting) as ops:
        hooks = [ops.config()]
        async with served(tmp_path, state, mongod.uri, webhooks=hooks) as server:
            asked = (await server.authorize(exporting())).approval
            await ops.heard(asked.approval_id)
            await server.kill()
        killed.set()
        async with served(tmp_path, state, mongod.uri, database=server.database, webhooks=hooks) as again:
            await due_now(mongod.uri, again)
            first, second = await ops.heard(asked.approval_id, 2)
    assert (first.id, first.body) == (second.id, second.body)
    assert second.is_signed_by(ops.secret)
