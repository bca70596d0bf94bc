"""What the server says of itself and of what it depends on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp.background import background
from pdp.server.health import Health
from pdp.server.strangers import Strangers
from tests.faults import eventually
from tests.parts import Placet
from tests.pdp.wire import refused

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def test_health_names_the_server_every_service_and_every_dependency(server: Placet) -> None:
    stub = health_pb2_grpc.HealthStub(server.channel)
    services = [f"pdp.v1.{name}Service" for name in ("Decision", "Approval", "Review", "Mask", "Audit", "Info")]
    for name in ("", "opa", "mongodb", *services):

        async def is_serving(name: str = name) -> bool:
            return await heard(stub, name) == {name: SERVING}

        await eventually(is_serving)
    assert (await refused(stub.Check(health_pb2.HealthCheckRequest(service="unknown")))).code == "NOT_FOUND"


class Dependency:
    """Something that answers or does not."""

    def __init__(self) -> None:
        self.answers = True

    async def probe(self) -> bool:
        return self.answers


@asynccontextmanager
async def watched(probes: dict[str, Dependency], apart: dict[str, Dependency]) -> AsyncIterator[tuple[Health, Any]]:
    """The health of a service `one` that needs `probes`, and a stub to ask for it."""
    health = Health(
        {name: dependency.probe for name, dependency in probes.items()},
        {name: dependency.probe for name, dependency in apart.items()},
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((health.handlers(Strangers(), ["one"]),))
    port = server.add_insecure_port("127.0.0.1:0")
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    await server.start()
    async with background(health.watch(), failed), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield health, health_pb2_grpc.HealthStub(channel)
    await server.stop(None)


async def heard(stub: Any, *names: str) -> dict[str, int]:
    return {name: (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status for name in names}


async def test_server_serves_while_every_dependency_answers_and_what_stands_apart_is_told_by_name_only() -> None:
    opa, mongodb, issuers = Dependency(), Dependency(), Dependency()
    issuers.answers = False
    async with watched({"opa": opa, "mongodb": mongodb}, {"issuers": issuers}) as (_, stub):

        async def told(wanted: dict[str, int]) -> None:
            async def is_told() -> bool:
                return await heard(stub, *wanted) == wanted

            await eventually(is_told)

        await told({"": SERVING, "one": SERVING, "opa": SERVING, "mongodb": SERVING, "issuers": NOT_SERVING})
        opa.answers = False
        await told({"": NOT_SERVING, "one": NOT_SERVING, "opa": NOT_SERVING, "mongodb": SERVING})
        opa.answers = True
        await told({"": SERVING, "one": SERVING, "opa": SERVING})


async def test_leaving_is_the_last_word_of_every_watch_whatever_the_probes_say() -> None:
    async with watched({"opa": Dependency()}, {}) as (health, stub):
        watch = stub.Watch(health_pb2.HealthCheckRequest(service="opa"))
        statuses: list[int] = []

        async def follow() -> None:
            statuses.extend([answer.status async for answer in watch])

        following = asyncio.create_task(follow())

        async def is_serving() -> bool:
            return await heard(stub, "opa") == {"opa": SERVING}

        await eventually(is_serving)
        await health.leave()
        await asyncio.wait_for(following, 5)
        assert statuses[-1] == NOT_SERVING
        assert await heard(stub, "", "opa") == {"": NOT_SERVING, "opa": NOT_SERVING}
