"""The folder as it is passes its tests; the weekday on which the suite runs does not matter to the requests."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from google.protobuf import json_format

from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.examples.visit import Visit
from tests.parts import Placet

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def close(folder: Path, days: Sequence[str]) -> None:
    """Edit the data as an author would."""
    file = folder / "policy" / "data.json"
    data = json.loads(file.read_text())
    assert data["refunds"].keys() >= {"closed", "time_zone"}
    data["refunds"]["closed"] = days
    file.write_text(json.dumps(data))


async def rules(server: Placet, folder: Path, name: str) -> list[str]:
    """The rules of the denial of one of the requests; none while it is not denied."""
    request = json_format.Parse((folder / "requests" / f"{name}.json").read_text(), AuthorizeRequest())
    answer = await server.authorize(request, by="dev")
    return [reason.rule for reason in answer.reasons] if answer.effect == Effect.EFFECT_DENY else []


async def test_the_readme_runs(visit: Callable[[str], Visit], state: Path, mongod: MongodProcess) -> None:
    refunds = visit("refunds")
    check, start, ask = refunds.blocks
    await refunds.type(check)
    close(refunds.folder, [])
    await refunds.type(check)  # the tests pass on whatever days are closed
    async with refunds.served(start, state, mongod.uri) as server:
        await refunds.type(ask)
        close(refunds.folder, WEEK)
        async with asyncio.timeout(30):
            while not (denied := await rules(server, refunds.folder, "small")):
                await asyncio.sleep(0.05)
        assert denied == ["refunds.closed"]
