"""A worker's answer to the process that started it: whether it can decide."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def telling_status(socket: Path, is_serving: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer on this unix socket until the block ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        status = b"200 OK" if is_serving() else b"503 Service Unavailable"
        writer.write(b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % status)
        writer.close()

    server = await asyncio.start_unix_server(answer, socket)
    try:
        yield
    finally:
        server.close()
