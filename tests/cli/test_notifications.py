"""`pdp approvals show` says who could not be told."""

from pathlib import Path

from aiohttp import web

from pdp.notify.attempts import ATTEMPTS
from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Terminal
from tests.faults import eventually
from tests.notify import due_now, notifications, receiver
from tests.parts import exporting, placet
from tests.pdp.mongo import database


async def test_show_names_dead_and_waiting_messages(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async def failing(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with (
        receiver(tmp_path, failing) as down,
        receiver(tmp_path) as well,
        placet(state, mongod.uri, webhooks=(down.config("down"), well.config("well"))) as server,
    ):
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
        asked = (await server.authorize(exporting())).approval

        async def states() -> dict[str, tuple[str, int, str]]:
            found = await notifications(server, asked.approval_id)
            return {one.webhook: (one.state, one.attempts, one.problem) for one in found}

        async def tried() -> bool:
            wanted = {"down": ("waiting", 1, "HTTP status 503"), "well": ("delivered", 1, "")}
            return await states() == wanted

        await eventually(tried)
        shown = await pdp("approvals", "show", asked.approval_id, "--as", "bob", "-o", "table")
        assert "\nnot told      down of approval.created, waiting, tried 1 x: HTTP status 503\n" in shown.out
        assert "not told      well" not in shown.out
        assert "told webhook well of approval.created\n" in shown.out

        async with database(mongod, server) as found:
            await found["notifications"].update_one({"webhook": "down"}, {"$set": {"attempts": ATTEMPTS - 1}})
        await due_now(mongod.uri, server)

        async def dead() -> bool:
            return (await states())["down"][0] == "dead"

        await eventually(dead)
        shown = await pdp("approvals", "show", asked.approval_id, "--as", "report-bot", "-o", "table")
        assert "\nnot told      down of approval.created, dead, tried 10 x: HTTP status 503\n" in shown.out
        raw = (await pdp("approvals", "show", asked.approval_id, "--as", "bob")).json
        assert {one["webhook"]: one["state"] for one in raw["notifications"]} == {"down": "dead", "well": "delivered"}
