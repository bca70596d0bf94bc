"""A server that is killed between the event of what left and the end of its stream."""

from pathlib import Path

import grpc
import pytest

from pdp.arrow import table
from pdp.lineage.fact import Dataset
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from tests.faults import eventually, failing, served
from tests.masks import stream
from tests.parts import is_serving
from tests.pdp.outflow import ROWS, Kept, policy, say

OUT = Dataset("s3://lake", "out/newsletter")
DESTINATION = {"context": {"destination": "s3://lake/out/newsletter"}}


async def test_what_left_is_lineage_though_the_server_was_killed_before_the_end(
    mongod: MongodProcess, tmp_path: Path, state: Path
) -> None:
    rules = policy(tmp_path)
    async with served(tmp_path, state, mongod.uri, policy=[rules], masks=True, seconds=100) as server:
        kept = Kept(server, mongod)
        await eventually(lambda: is_serving(server, "masker"), seconds=60)
        await say(kept)
        call = server.masks.MaskStream(metadata=server.metadata("dev"))
        await call.write(mask_pb2.MaskStreamRequest(start=kept.opening(**DESTINATION)))
        assert (await call.read()).HasField("opened")
        async with failing(mongod.uri, f"{server.database}.batches", blockConnection=True, blockTimeMS=5000):
            for message in table.Writer(ROWS.schema).messages(ROWS):
                await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(message)))
            await call.done_writing()
            assert (await call.read()).arrow_message
            assert await eventually(kept.left)
            await server.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await call.read()
    again = {"realm": "faults", "mask_keys": tmp_path / "mask.json", "database": server.database}
    async with served(tmp_path, state, mongod.uri, policy=[rules], seconds=100, **again) as server:
        kept = Kept(server, mongod)
        await eventually(lambda: is_serving(server, "masker"), seconds=60)
        before = await kept.tags(OUT)
        assert before["recipient"] == ["contact:masked", "unclassified"]
        assert (await stream(server, [ROWS], kept.opening(**DESTINATION), by="dev")).end is not None
        assert await kept.tags(OUT) == before
        assert len(await kept.left()) == 2
