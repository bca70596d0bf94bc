"""The addresses of a worker: open while it can decide, and left by its clients before it ends."""

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from pdp.background import background
from pdp.server.connections import Rooms, options
from pdp.server.entrance import Entrance
from pdp.server.newcomers import Newcomers
from pdp.server.opening import Opening
from pdp.server.share import Share
from tests.faults import ROOT, eventually

METHOD, WAIT, LASTS = "/x.Y/Z", b"wait", b"lasts"
AGE_SECONDS = 0.5


class Echo(grpc.GenericRpcHandler):
    """Answers every method with what it got, `WAIT` when the waiting calls are `told` to end, and `LASTS` late."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        async def echo(request: bytes, _: object) -> bytes:
            await (self.told.wait() if request == WAIT else asyncio.sleep(60 if request == LASTS else 0.002))
            return request

        return grpc.unary_unary_rpc_method_handler(echo)


class Worker:
    """A worker with nothing behind its address."""

    def __init__(self, port: int, *, can_decide: bool = True) -> None:
        self.can_decide, self._address = can_decide, f"127.0.0.1:{port}"
        share = Share(0, AGE_SECONDS, Path("handed"))
        self.entrance = Entrance(options(Rooms(), share), lambda server: [server.add_insecure_port(self._address)])
        self.echo = Echo()
        self.entrance.add_generic_rpc_handlers([self.echo])
        newcomers = Newcomers(100)
        around = self.entrance, None, newcomers, [port], lambda: self.can_decide
        self.opening = Opening(*around, [self.echo.told.set], unable_seconds=0.3)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Worker"]:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with background(self.opening.run(), failed):
            yield self
        await self.entrance.stop(5)


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def is_closed(port: int) -> bool:
    return not await is_open(port)


@asynccontextmanager
async def other(port: int) -> AsyncIterator[None]:
    """Another worker, in a process of its own."""
    program = (sys.executable, "-m", "tests.pdp.server.test_opening", str(port))
    process = await asyncio.create_subprocess_exec(*program, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def stand_beside(port: int) -> None:
    """Be a worker until this process is killed."""
    async with Worker(port).at_work() as worker:
        await worker.opening.opened.wait()
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def test_worker_listens_only_while_it_can_decide() -> None:
    port = free()
    async with Worker(port, can_decide=False).at_work() as worker:
        await asyncio.sleep(0.3)
        assert not await is_open(port)
        worker.can_decide = True
        await eventually(lambda: is_open(port))
        worker.can_decide = False
        await asyncio.sleep(0.1)
        worker.can_decide = True  # one late probe closes nothing
        await asyncio.sleep(0.4)
        assert await is_open(port)
        worker.can_decide = False
        await eventually(lambda: is_closed(port))
        worker.can_decide = True
        await eventually(lambda: is_open(port))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert await channel.unary_unary(METHOD)(b"again", timeout=5) == b"again"


async def test_new_connections_come_to_the_worker_that_can_decide() -> None:
    port = free()
    async with Worker(port).at_work() as able, Worker(port, can_decide=False).at_work() as unable:
        await able.opening.opened.wait()
        assert not unable.opening.opened.is_set()
        assert all([await is_open(port) for _ in range(30)])


async def test_worker_that_is_left_fails_no_call_on_a_connection_that_is_there() -> None:
    port = free()
    seen: Counter[str] = Counter()
    ends = asyncio.Event()

    async def calls(channel: grpc.aio.Channel) -> None:
        while not ends.is_set():
            try:
                await channel.unary_unary(METHOD)(b"x", timeout=5)
            except grpc.aio.AioRpcError as error:
                is_connecting = (error.details() or "").startswith("failed to connect")
                seen["reset while it opened" if is_connecting else error.code().name] += 1
            else:
                seen["answered"] += 1

    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", own) for _ in range(8)]
    async with Worker(port).at_work() as old:
        await old.opening.opened.wait()
        loops = [asyncio.create_task(calls(channel)) for channel in channels for _ in range(4)]
        await asyncio.sleep(0.2)
        async with other(port):
            await old.opening.leave(AGE_SECONDS, 20)
            await old.entrance.stop(5)
            before = seen["answered"]
            await asyncio.sleep(0.2)
            assert seen["answered"] > before, "the other worker answers"
            ends.set()
            await asyncio.gather(*loops)
    for channel in channels:
        await channel.close()
    assert seen.keys() <= {"answered", "reset while it opened"}


async def test_call_that_waits_is_ended_when_its_connection_takes_no_others() -> None:
    port = free()
    async with Worker(port).at_work() as old, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await old.opening.opened.wait()
        waiting = asyncio.ensure_future(channel.unary_unary(METHOD)(WAIT, timeout=30))
        await asyncio.sleep(0.2)
        leaving = asyncio.create_task(old.opening.leave(AGE_SECONDS, 20))
        await asyncio.sleep(AGE_SECONDS)
        assert not waiting.done()
        assert await waiting == WAIT
        await leaving


async def test_call_that_lasts_longer_than_a_worker_has_ends_with_unavailable() -> None:
    port = free()
    async with Worker(port).at_work() as old, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await old.opening.opened.wait()
        lasting = asyncio.ensure_future(channel.unary_unary(METHOD)(LASTS, timeout=60))
        await asyncio.sleep(0.2)
        await asyncio.wait_for(old.opening.leave(AGE_SECONDS, 0.3), 20)
        assert not lasting.done()
        await old.entrance.stop(0.1)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await lasting
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


if __name__ == "__main__":
    asyncio.run(stand_beside(int(sys.argv[1])))
