"""One part of a job on an executor: its batches go to the server under the job's ticket, and come back masked.

1. A Python worker has one event loop and one connection, which all parts of a job use.
2. A stream that the server has no place for, or does not answer, is tried again for a while. Where one that has begun
   breaks, its attempt fails, and Spark begins another attempt.
3. A task of Spark may run several parts of ours, after `coalesce` or in a join with itself. To the server they are one,
   and each begins with the next piece.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

import grpc

from masker.errors import MaskRefused
from pdp.arrow.table import Batch
from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, call_error
from pdp.client.connection import Client
from pdp.client.masks import MaskCall, shape
from pdp.errors import PdpError
from pdp.spark.flow import LATE_SECONDS, Flow
from pdp.spark.own_loop import OwnLoop
from pdp.spark.refused import in_value
from pdp.v1.mask_pb2 import MaskJobPart, StreamStart
from pdp.v1.request_pb2 import Effect

PATIENCE_SECONDS = 60.0
"""Seconds for which a stream is tried again where the server, or what it needs, is away."""
CROWDED_SECONDS = 1800.0
"""The same where the server has no place for another stream: those that run have to end first."""


@dataclass(frozen=True, slots=True)
class Way:
    """How executors reach the server: its address, its authority in PEM, and the ticket."""

    address: str
    authority: bytes
    ticket: str = field(repr=False)


@dataclass(slots=True)
class _Worker:
    """What a Python worker has for one job."""

    process: int
    way: Way
    loop: OwnLoop
    client: Client


_PIECES: dict[tuple[str, int, int], Iterator[int]] = {}
"""The next piece of the attempt that this process worked at last."""
_WORKERS: list[_Worker] = []
"""The worker that this process is; empty before its first part."""


@dataclass(frozen=True, slots=True)
class PartStream:
    """Masks one attempt of a part."""

    way: Way
    table: str
    part: int
    attempt: int
    late_seconds: float = LATE_SECONDS

    def masked(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The masked batches, in Spark's own thread. Raises `MaskRefused`."""
        flow, worker = Flow(batches, self.late_seconds), _worker(self.way)
        streaming = worker.loop.begin(self._told(worker.client, flow))
        try:
            yield from flow.taken()
        finally:
            flow.close()
            streaming.cancel()

    async def _told(self, client: Client, flow: Flow) -> None:
        """All pieces; the flow hears how it ended."""
        failure: BaseException | None = None
        try:
            rows, pieces = 0, _pieces(self)
            while await asyncio.to_thread(flow.has_more):
                rows += await self._piece(client, flow, pieces, rows)
        except (asyncio.CancelledError, MaskRefused) as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # its text may quote a value
            failure = MaskRefused(f"masking ended with {type(error).__name__}", table=self.table, part=self.part)
        flow.end(failure)

    async def _piece(self, client: Client, flow: Flow, pieces: Iterator[int], before: int) -> int:
        """The rows of one stream. One that did not begin is tried again; a piece that is there, as the next one."""
        schema, loop = flow.first.schema, asyncio.get_running_loop()
        backoff, began, piece = Backoff(), loop.time(), next(pieces)
        while True:
            place = MaskJobPart(part=self.part, attempt=self.attempt, piece=piece)
            start = StreamStart(job=place, shape=shape(schema))
            async with MaskCall(client, start, schema, stop=flow.stop) as call:
                failure = await self._opened(call, flow)
                if failure is None:
                    return await self._through(call, flow, before)
            if failure.reason == "PART_REPEATED":
                piece = next(pieces)
                continue
            if loop.time() - began > _patience(failure):
                raise self._refused(failure, before)
            await backoff.pause()

    async def _opened(self, call: MaskCall, flow: Flow) -> CallError | None:
        try:
            opened = await call.open(flow.piece())
        except grpc.aio.AioRpcError as error:
            return call_error(error)
        if opened.decision.effect != Effect.EFFECT_ALLOW:
            return CallError("PERMISSION_DENIED", "NOT_ALLOWED", "the server does not let the part in")
        flow.open()
        return None

    async def _through(self, call: MaskCall, flow: Flow, before: int) -> int:
        problem: PdpError
        try:
            async for batch in call.batches():
                flow.give(batch)
        except grpc.aio.AioRpcError as error:
            problem = call_error(error)
        except PdpError as error:
            problem = error
        else:
            if call.rest is not None:
                flow.give_back(next(call.rest))
            return call.end.rows if call.end is not None else 0
        raise self._refused(problem, before)

    def _refused(self, error: PdpError, before: int) -> MaskRefused:
        return in_value(self.table, error.sentence, error.metadata, self.part, before)


def _pieces(parts: PartStream) -> Iterator[int]:
    """The pieces that this process has not begun, of the attempt that it works at."""
    attempt = parts.way.ticket, parts.part, parts.attempt
    if attempt not in _PIECES:
        _PIECES.clear()
        _PIECES[attempt] = count()
    return _PIECES[attempt]


def _patience(failure: CallError) -> float:
    """Seconds for which such a failure is worth another try."""
    if failure.reason == "OVERLOADED":
        return CROWDED_SECONDS
    return PATIENCE_SECONDS if failure.code == "UNAVAILABLE" else 0.0


def _worker(way: Way) -> _Worker:
    """The worker of this process for a job; that of another job is closed."""
    if _WORKERS and _WORKERS[0].process == os.getpid():
        if _WORKERS[0].way == way:
            return _WORKERS[0]
        _WORKERS[0].loop.run(_WORKERS[0].client.close())
        _WORKERS[:] = [_Worker(os.getpid(), way, _WORKERS[0].loop, _client(way))]
    else:
        _WORKERS[:] = [_Worker(os.getpid(), way, OwnLoop("placet"), _client(way))]
    return _WORKERS[0]


def _client(way: Way) -> Client:
    """A client that has the ticket as its token. Nothing comes from the executor's environment."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as authority:
        authority.write(way.authority)
        authority.flush()
        return Client(way.address, way.ticket, ca=authority.name if way.authority else "", certificate="", key="")
