"""`grpc.health.v1`: the server, each service and each dependency by name, from live probes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

PROBE_SECONDS = 1.0

_Status = health_pb2.HealthCheckResponse


class Health:
    """Serving is who can keep the promise: every dependency answers."""

    def __init__(self, probes: Mapping[str, Callable[[], Awaitable[bool]]]) -> None:
        self._probes = probes
        self._servicer = health.aio.HealthServicer()
        self._services: Sequence[str] = ()
        self.names = [health.SERVICE_NAME]

    def add_to(self, server: grpc.aio.Server, services: Sequence[str]) -> None:
        """Serve the health of `services` on `server`."""
        self._services = services
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def watch(self) -> None:
        """Probe until cancelled."""
        while True:
            answers = await asyncio.gather(*(probe() for probe in self._probes.values()))
            for name, healthy in zip(self._probes, answers, strict=True):
                await self._servicer.set(name, _status(healthy))
            for name in ("", *self._services):
                await self._servicer.set(name, _status(all(answers)))
            await asyncio.sleep(PROBE_SECONDS)

    async def leave(self) -> None:
        """NOT_SERVING from now on, whatever the probes say."""
        await self._servicer.enter_graceful_shutdown()


def _status(healthy: bool) -> int:  # noqa: FBT001  # one fact in, its name out
    return _Status.SERVING if healthy else _Status.NOT_SERVING
