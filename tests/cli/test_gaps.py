"""After a restore that lost records a person accepts the gap; every verification names it from then on."""

import asyncio
import json
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from pdp.process.mongod import MongodProcess
from tests.cli.terminal import Done, Terminal
from tests.cli.test_approvals import on_terminal
from tests.parts import asking, placet


async def test_gap_is_seen_accepted_and_named(tmp_path: Path, mongod: MongodProcess) -> None:
    own = tmp_path / "state"
    async with placet(own, mongod.uri, database="restored") as server:
        for _ in range(3):
            await server.authorize(asking())
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(own)})
        before = await audit(pdp, "verify")
        assert before.status == 0
        (tmp_path / "before.json").write_text(before.out)
        nothing = await accept(pdp, "before.json")
        assert nothing.status == 2
        assert "saw nothing that the log does not have" in nothing.err
    async with AsyncMongoClient[dict[str, Any]](mongod.uri, serverMonitoringMode="poll") as client:
        newest = await client["restored"]["batches"].find().sort("_id", -1).to_list(1)
        writer = newest[0]["_id"]["writer"]
        await client["restored"]["batches"].delete_many({"_id.writer": writer, "_id.seq": {"$gte": 2}})
    async with placet(own, mongod.uri, database="restored") as server:
        pdp = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(own)})
        lost = await audit(pdp, "verify", "--since", "before.json")
        assert lost.status == 13
        assert f"tail-missing at writer {writer.hex()} batch 2" in lost.err
        by_workload = await accept(pdp, "before.json", "--as", "report-bot")
        assert by_workload.status == 77
        elsewhere = Terminal(own, pdp.variables)
        command = ("audit", "accept-gap", "--since", "../before.json", "--reason", "at once", "--as", "dana")
        accepted, (shown, status) = await asyncio.gather(
            accept(pdp, "before.json"), on_terminal(elsewhere, b"", *command)
        )
        assert (accepted.status, status) == (0, 0), accepted.err + shown
        assert "accepted, as rec_" in accepted.err
        assert "accepted, as rec_" in shown
        named = await audit(pdp, "verify", "--since", "before.json")
        assert (named.status, named.out) == (13, "")
        assert named.err.count("a gap was accepted by user:dana at 2") == len((accepted, shown))
        assert ": at once\n" in named.err
        assert f"writer {writer.hex()}: batches up to " in named.err
        assert "--accepted lets them pass" in named.err
        passed = await audit(pdp, "verify", "--since", "before.json", "--accepted")
        assert passed.status == 0
        assert "a gap was accepted by user:dana" in passed.err
        assert json.loads(passed.out)["realm"] == "dev"


async def audit(pdp: Terminal, *arguments: str) -> Done:
    return await pdp("audit", *arguments, "--as", "dana", "-o", "json")


async def accept(pdp: Terminal, since: str, *caller: str) -> Done:
    return await pdp(
        "audit", "accept-gap", "--since", since, "--reason", "the disk broke", *(caller or ("--as", "dana"))
    )
