"""A domain that was used is never declared otherwise again, whichever server, process or policy comes next."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from pdp.errors import MaskPlanRefused, SetupError
from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.domains import Domains
from pdp.v1 import mask_pb2
from tests.masks import arrow, columns, masking, scope, shape, stream
from tests.parts import Placet, log, refusal

ROW = pa.record_batch({"surname": ["Smith"], "suburb": ["Ryde"]})
CHANGED: dict[str, Any] = {"mask": "token", "kind": "name", "canonical": ["trim"], "values": "open"}


def policy(folder: Path, **domains: Any) -> list[Path]:
    """The reference policy with these domains declared otherwise."""
    shutil.copytree(rego(), folder, ignore=shutil.ignore_patterns("pdp"))
    data = json.loads((folder / "data.json").read_text())
    data["domains"] |= {name.replace("_", "."): domain for name, domain in domains.items()}
    (folder / "data.json").write_text(json.dumps(data))
    return [folder]


async def masked(server: Placet) -> dict[str, list[Any]]:
    request = mask_pb2.MaskRequest(scope=scope(), data=arrow(ROW))
    return columns((await server.masks.Mask(request, metadata=server.metadata("report-bot"))).data)


async def refused(server: Placet) -> list[Any]:
    """What each way to mask with the domain of names ends with."""
    metadata = server.metadata("report-bot")
    calls = [
        server.masks.Mask(mask_pb2.MaskRequest(scope=scope(), data=arrow(ROW)), metadata=metadata),
        server.masks.GetMaskPlan(
            mask_pb2.GetMaskPlanRequest(scope=scope(), shape=shape(ROW.schema)), metadata=metadata
        ),
        stream(server, [ROW]),
    ]
    found = []
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call
        found.append(refusal(error.value))
    return found


async def test_a_server_does_not_start_on_a_used_domain_that_was_changed(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    database = f"t{uuid4().hex[:16]}"
    async with masking(state, mongod.uri, policy=policy(tmp_path / "old"), database=database) as server:
        before = await masked(server)
    changed = policy(tmp_path / "changed", customer_name=CHANGED)
    with pytest.raises(SetupError, match=r"data\.domains\.customer\.name.*under a new name"):
        async with masking(state, mongod.uri, policy=changed, database=database):
            pass
    others = policy(tmp_path / "others", customer_ssn=CHANGED, customer_name2=CHANGED)  # one unused, one new
    async with masking(state, mongod.uri, policy=others, database=database) as server:
        assert await masked(server) == before


async def test_of_two_servers_with_two_declarations_only_the_first_masks(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    database = f"t{uuid4().hex[:16]}"
    changed = policy(tmp_path / "changed", customer_name=CHANGED)
    async with (
        masking(state, mongod.uri, database=database) as first,
        masking(state, mongod.uri, database=database, policy=changed) as second,
    ):
        assert await masked(first)
        for why in await refused(second):
            assert (why.code, why.reason) == ("FAILED_PRECONDITION", "MASK_PLAN_REFUSED")
            assert why.metadata["domain"] == "customer.name"
            assert "under a new name" in why.message
        assert len(await log(second, "mask")) == 1  # nothing but the first server's
        assert await masked(first)


async def test_a_plan_that_was_handed_out_counts_as_use(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    database = f"t{uuid4().hex[:16]}"
    async with masking(state, mongod.uri, database=database) as server:
        request = mask_pb2.GetMaskPlanRequest(scope=scope(), shape=shape(ROW.schema))
        await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))
    changed = policy(tmp_path / "changed", customer_name=CHANGED)
    with pytest.raises(SetupError, match="changed-domain"):
        async with masking(state, mongod.uri, policy=changed, database=database):
            pass


async def test_who_is_denied_uses_no_domain(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    database = f"t{uuid4().hex[:16]}"
    async with masking(state, mongod.uri, database=database) as server:
        denied = scope()
        denied.on_behalf_of[0].id = "eve"
        request = mask_pb2.MaskRequest(scope=denied, data=arrow(ROW))
        answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
        assert not answer.HasField("data")
    changed = policy(tmp_path / "changed", customer_name=CHANGED)
    async with masking(state, mongod.uri, policy=changed, database=database) as server:
        assert await masked(server)


async def test_the_first_claim_wins_in_its_realm(mongod: MongodProcess) -> None:
    database = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    try:
        ours, others, elsewhere = Domains(database, "r"), Domains(database, "r"), Domains(database, "s")
        first, second = {"d": {"mask": "token", "kind": "a"}}, {"d": {"kind": "b", "mask": "token"}}
        await others.require(second)  # used by nobody yet
        await ours.claim(first)
        await ours.claim({"d": {"kind": "a", "mask": "token"}})  # the order of its members is nothing
        await ours.claim(
            {"d": {"kind": "a", "mask": "token", "values": 7, "guessable": "why"}}
        )  # no token depends on it
        for asked in (others.require, others.claim, ours.claim):
            with pytest.raises(MaskPlanRefused, match="under a new name"):
                await asked(second)
        await elsewhere.claim(second)
        assert (await ours.used(), await elsewhere.used()) == (first, second)
        with pytest.raises(MaskPlanRefused):
            await ours.claim({"d": {"mask": "token", "kind": "a", "canonical": []}})
    finally:
        await database.close()
