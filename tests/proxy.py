"""A TCP proxy that can freeze, like a NAT that forgot a connection or a laptop that slept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress


class Proxy:
    """Forwards to `target`. What is frozen stays so; connections after `thaw` are forwarded again."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._frozen = asyncio.Event()
        self._holds = False
        self.connections = 0
        self.address = ""
        self.delay_seconds = 0.0

    def freeze(self) -> None:
        """From now on no byte is forwarded, and new connections are taken and left alone."""
        self._frozen.set()
        self._holds = True

    def thaw(self) -> None:
        """Forward what new connections send. The old ones stay dead."""
        self._frozen = asyncio.Event()
        self._holds = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        frozen = self._frozen
        with suppress(OSError, asyncio.CancelledError), closing(writer):
            if self._holds:
                await asyncio.Event().wait()
            await asyncio.sleep(self.delay_seconds)
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            pumps = [
                asyncio.create_task(_pump(reader, far_writer, frozen)),
                asyncio.create_task(_pump(far_reader, writer, frozen)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                if frozen.is_set():
                    await asyncio.Event().wait()
            finally:
                for pump in pumps:
                    pump.cancel()
                far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frozen: asyncio.Event) -> None:
    while (content := await reader.read(65536)) and not frozen.is_set():
        writer.write(content)
        await writer.drain()


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[Proxy]:
    """A proxy on a free port before `target`."""
    made = Proxy(target)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await made.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
