"""What leaves is told to whoever else keeps lineage: at least once, and another Placet takes it."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pdp.dev import identity
from pdp.dev.stack import LINEAGE
from pdp.errors import SetupError
from pdp.lineage.fact import Dataset
from pdp.lineage_settings import Forward
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from tests.faults import eventually, failing
from tests.notify import Receiver, due_now, receiver
from tests.pdp.outflow import CRM, LETTER, TABLE, Kept, keeping

OUT = Dataset("s3://lake", "out/newsletter")
DESTINATION = {"context": {"destination": "s3://lake/out/newsletter"}}


def forwarding(folder: Path, port: int, token: str = "token-1") -> Any:  # noqa: S107  # of a test
    key = folder / "forward.key"
    key.write_text(token + "\n")
    key.chmod(0o600)
    return LINEAGE.model_copy(update={"forward": Forward(url=f"http://127.0.0.1:{port}/base/", api_key=key)})


async def waiting(mongod: MongodProcess, kept: Kept) -> list[Any]:
    """What is still to be told."""
    found = await Database.open(mongod.uri, kept.server.database)
    try:
        return await found.database["notifications"].find({}).to_list()
    finally:
        await found.close()


async def came(there: Receiver, count: int) -> list[Any]:
    async def look() -> list[Any]:
        return there.received if len(there.received) >= count else []

    return await eventually(look, seconds=20)


async def test_event_is_posted_with_the_key_and_then_not_kept(mongod: MongodProcess, tmp_path: Path) -> None:
    async with (
        receiver(tmp_path) as there,
        keeping(tmp_path, mongod, lineage=forwarding(tmp_path, there.port)) as kept,
    ):
        answer = await kept.mask(**DESTINATION)
        [one] = await came(there, 1)
        assert one.path == "/base/api/v1/lineage"
        headers = {name.lower(): value for name, value in one.headers.items()}
        assert (headers["authorization"], headers["content-type"]) == ("Bearer token-1", "application/json")
        event = json.loads(one.body)
        assert event["run"]["runId"].replace("-", "") == answer.decision.decision_id.removeprefix("dec_")
        assert event["outputs"][0]["name"] == OUT.name
        assert b"a@example.org" not in one.body

        async def none() -> bool:
            return not await waiting(mongod, kept)

        assert await eventually(none)


async def test_event_is_posted_again_until_it_is_taken_also_with_a_new_key(
    mongod: MongodProcess, tmp_path: Path
) -> None:
    async def refused(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401)

    async with (
        receiver(tmp_path, refused) as there,
        keeping(tmp_path, mongod, lineage=forwarding(tmp_path, there.port)) as kept,
    ):
        await kept.mask(**DESTINATION)
        await came(there, 1)

        async def told() -> list[Any]:
            return [one for one in await waiting(mongod, kept) if one["problem"]]

        [held] = await eventually(told)
        assert held["problem"] == "HTTP status 401"
        forwarding(tmp_path, there.port, "token-2")
        await due_now(mongod.uri, kept.server)
        again = (await came(there, 2))[1]
        assert again.headers["Authorization"] == "Bearer token-2"
        assert again.body == there.received[0].body
        (tmp_path / "forward.key").chmod(0o644)
        await due_now(mongod.uri, kept.server)

        async def unusable() -> bool:
            return any(one["problem"] == "its key cannot be used" for one in await waiting(mongod, kept))

        assert await eventually(unusable, seconds=20)
        assert len(there.received) == 2


async def test_crash_between_the_log_and_the_end_loses_nothing(mongod: MongodProcess, tmp_path: Path) -> None:
    async with (
        receiver(tmp_path) as there,
        keeping(tmp_path, mongod, lineage=forwarding(tmp_path, there.port)) as kept,
    ):
        async with failing(mongod.uri, f"{kept.server.database}.notifications", errorCode=6):
            with pytest.raises(Exception, match="UNAVAILABLE"):
                await kept.mask(**DESTINATION)
        assert not await kept.left(), "what is not kept for others is not in the log either"
        async with failing(mongod.uri, f"{kept.server.database}.batches", errorCode=6, mode={"skip": 1}):
            with pytest.raises(Exception, match="UNAVAILABLE"):
                await kept.mask(**DESTINATION)
        assert len(await kept.left()) == 1
        assert json.loads((await came(there, 1))[0].body)["outputs"][0]["name"] == OUT.name


async def test_another_placet_takes_it_and_explains_it(mongod: MongodProcess, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with keeping(tmp_path / "other", mongod, realm="other", masks=False) as other:
        port = int(other.server.http.rpartition(":")[2])
        token = identity.token(other.server.state, "etl")
        settings = forwarding(tmp_path, port, token)
        forward = settings.forward.model_copy(update={"url": f"http://127.0.0.1:{port}"})
        settings = settings.model_copy(update={"forward": forward})
        async with keeping(tmp_path, mongod, lineage=settings) as kept:
            await kept.mask(**DESTINATION)

            async def there() -> bool:
                return ("placet/dev", f"mask.{TABLE}") in [one.job for one in await other.events()]

            assert await eventually(there, seconds=20)
            tags = (await other.tags(OUT))["recipient"]
            assert "contact:masked" in tags
            why = await other.why(OUT, "recipient", "contact:masked")
            assert [one.job_name for one in why.steps] == ["newsletter", f"mask.{TABLE}"]
            assert [one.dataset.name for one in why.assertions] == [CRM.name]
            assert [one.dataset.name for one in why.steps] == [LETTER.name, OUT.name]
            assert [one.by for one in why.steps] == ["agent:etl", "agent:etl"]


@pytest.mark.parametrize("token", ["", "two words", "x" * 16_385, "é"])
async def test_server_does_not_start_with_a_key_that_cannot_be_used(
    mongod: MongodProcess, tmp_path: Path, token: str
) -> None:
    with pytest.raises(SetupError, match="API key"):
        async with keeping(tmp_path, mongod, lineage=forwarding(tmp_path, 1, token)):
            pass
