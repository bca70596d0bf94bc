"""A server, put together as production does."""

import asyncio
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.process.mongod import MongodProcess
from pdp.server.connections import MAX_STREAMS
from pdp.server.running import running
from pdp.store.database import Database
from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.faults import children, eventually
from tests.parts import TOOL_CACHE, Placet, payload, placet
from tests.pdp.chain import stored


async def test_reflection_lists_every_service_and_describes_the_contract(server: Placet) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="pdp.v1.DecisionService"),
    ]
    answers = [answer async for answer in stub.ServerReflectionInfo(iter(questions))]
    names = {service.name for service in answers[0].list_services_response.service}
    contract = {
        f"pdp.v1.{name}Service"
        for name in ("Decision", "Approval", "Review", "Mask", "MaskJob", "Audit", "Lineage", "Info", "Person")
    }
    assert names == contract | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert answers[1].file_descriptor_response.file_descriptor_proto


async def test_connection_holds_so_many_calls_and_the_next_waits(state: Path, mongod: MongodProcess) -> None:
    more = 20
    async with placet(state, mongod.uri) as server:
        stub: Any = health_pb2_grpc.HealthStub(server.channel)
        calls = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(MAX_STREAMS + more)]
        answers = [asyncio.ensure_future(call.read()) for call in calls]

        async def are_answered() -> bool:
            return sum(one.done() for one in answers) >= MAX_STREAMS

        await eventually(are_answered, seconds=30)
        alone = [("grpc.use_local_subchannel_pool", 1)]  # else gRPC would share the connection
        async with grpc.aio.insecure_channel(server.address, options=alone) as another:
            await health_pb2_grpc.HealthStub(another).Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert sum(one.done() for one in answers) == MAX_STREAMS, "no other connection has to wait"
        for call in calls:
            call.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        await eventually(lambda: stub.Check(health_pb2.HealthCheckRequest(), timeout=5))


async def recorded_kinds(mongod: MongodProcess, name: str) -> list[tuple[str, str]]:
    """Kind and policy of every record, by id."""
    database = await Database.open(f"{mongod.uri}&serverMonitoringMode=poll", name)
    found: dict[str, tuple[str, str]] = {}
    for batch in await stored(database):
        for record in batch.records:
            members = payload(record)
            found[members["id"]] = (members["kind"], members.get("policy_revision", ""))
    await database.close()
    return list(found.values())


async def test_start_policies_and_end_are_in_the_log(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    def rule(name: str) -> str:
        return f'package policy\n\nallow contains {{"rule": "{name}", "reason": "x"}} if true\n'

    (tmp_path / "p.rego").write_text(rule("one"))
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:

        async def revision() -> str:
            by = server.metadata("alice")
            return str((await server.info.GetServerInfo(GetServerInfoRequest(), metadata=by)).policy_revision)

        before = await revision()
        (tmp_path / "p.rego").write_text(rule("two"))

        async def is_reloaded() -> bool:
            found = await recorded_kinds(mongod, server.database)
            return await revision() != before and ("policy.loaded", await revision()) in found

        await eventually(is_reloaded)
        after = await revision()
    found = await recorded_kinds(mongod, server.database)
    assert found[:2] == [("server.started", ""), ("policy.loaded", before)]
    assert found[-3:] == [("policy.loaded", after), ("server.stopped", ""), ("writer.closed", "")]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"listen": "0.0.0.0:0"}, "loopback"),
        ({"audit_key": Path("none.jwk")}, "none.jwk"),
        ({"grant_key": Path("none.jwk")}, "none.jwk"),
        ({"seal_key": Path("none.jwk")}, "pdp keys split FOLDER"),
        ({"opa_url": "ftp://x"}, "unix://"),
        ({"policy": (Path("none"),)}, "none"),
    ],
)
async def test_server_does_not_start_on_what_is_not_as_it_must_be_and_leaves_nothing(
    state: Path, mongod: MongodProcess, changes: dict[str, Any], says: str
) -> None:
    before = set(children(os.getpid()))
    plain = configuration(
        state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=f"{mongod.uri}&serverMonitoringMode=poll"
    )
    name = f"t{uuid4().hex[:16]}"
    config = plain.model_copy(update={"database": name, "mask_keys": None, **changes})
    with pytest.raises(SetupError, match=says):
        async with running(config, TOOL_CACHE, print):
            pass
    assert set(children(os.getpid())) <= before


async def test_server_of_another_realm_does_not_start_on_a_database(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri) as server:
        with pytest.raises(SetupError, match=r"this database is of realm .*, and this server of realm other"):
            async with placet(state, mongod.uri, database=server.database, realm="other"):
                pass
    async with placet(state, mongod.uri, database=server.database):
        pass
