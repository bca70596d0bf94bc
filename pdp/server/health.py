"""`grpc.health.v1`: the server, each service and each dependency by name, from live probes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

from pdp import metrics
from pdp.server.readiness import Readiness
from pdp.server.strangers import Strangers

PROBE_SECONDS = 1.0
"""Seconds between two rounds of probes."""
KEYS = "issuers"
"""The probe of the issuers' keys. It has a status of its own, and a server without keys is not ready."""

_Status = health_pb2.HealthCheckResponse


class Health:
    """The server is SERVING if every dependency answers. A probe in `apart` has only a status of its own."""

    def __init__(
        self,
        probes: Mapping[str, Callable[[], Awaitable[bool]]],
        apart: Mapping[str, Callable[[], Awaitable[bool]]] = MappingProxyType({}),
        readiness: Readiness | None = None,
    ) -> None:
        """`readiness` is told what each round of probes found."""
        self._probes, self._apart = probes, apart
        self._readiness = readiness or Readiness()
        metrics.DEPENDENCY_UP.allow("name", [*probes, *apart])
        self._servicer = _Servicer()
        self._services: Sequence[str] = ()
        self._is_able = False
        self.names = [health.SERVICE_NAME]

    @property
    def is_able(self) -> bool:
        """Whether every dependency answered the last probes."""
        return self._is_able

    def handlers(self, strangers: Strangers, services: Sequence[str]) -> grpc.GenericRpcHandler:
        """The handlers that tell the health of `services` to everybody."""
        self._services = services
        return strangers.handlers(health_pb2.DESCRIPTOR.services_by_name["Health"], self._servicer)

    async def watch(self) -> None:
        """Probe until cancelled."""
        while True:
            answers = await asyncio.gather(*(probe() for probe in self._probes.values()))
            self._is_able = all(answers)
            needed = dict(zip(self._probes, answers, strict=True))
            others = {name: await probe() for name, probe in self._apart.items()}
            for name, healthy in (needed | others).items():
                await self._servicer.set(name, _status(healthy))
                metrics.DEPENDENCY_UP.at(name).set(healthy)
            for name in ("", *self._services):
                await self._servicer.set(name, _status(all(answers)))
            if KEYS in others:
                needed[KEYS] = others.pop(KEYS)
            self._readiness.told(needed, others)
            metrics.READY.at().set(self._readiness.is_ready)
            await asyncio.sleep(PROBE_SECONDS)

    async def leave(self) -> None:
        """Report NOT_SERVING from now on and ignore the probes. It is the last message of every watch."""
        self._servicer.leaving = True
        self._readiness.leave()
        metrics.READY.at().set(self._readiness.is_ready)
        await self._servicer.enter_graceful_shutdown()


class _Left(Exception):
    """A watch has got its last message."""


class _Servicer(health.aio.HealthServicer):
    """Ends its watches when the server stops: an open stream would delay the drain by its whole grace period."""

    leaving = False

    async def Watch(self, request: Any, context: Any) -> None:  # noqa: N802  # the RPC's name
        watcher: Any = _Watcher(self, context)
        with suppress(_Left):
            await super().Watch(request, watcher)


@dataclass(frozen=True, slots=True)
class _Watcher:
    """The part of a call's context that a watch uses."""

    servicer: _Servicer
    context: Any

    async def write(self, response: Any) -> None:
        await self.context.write(response)
        if self.servicer.leaving and response.status == _Status.NOT_SERVING:
            raise _Left


def _status(healthy: bool) -> int:  # noqa: FBT001  # one fact in, its name out
    return _Status.SERVING if healthy else _Status.NOT_SERVING
