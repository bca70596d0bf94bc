"""The gRPC server of this process. What it serves stays; its addresses may close and open again."""

from collections.abc import Callable, Sequence

import grpc


class Entrance:
    """A gRPC server that can be opened again after it was stopped."""

    def __init__(self, options: Sequence[tuple[str, int]], listen: Callable[[grpc.aio.Server], list[int]]) -> None:
        """`listen` opens the addresses for a server and returns their ports."""
        self._options, self._listen = options, listen
        self._handlers: list[grpc.GenericRpcHandler] = []
        self._server: grpc.aio.Server | None = None

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Serve these too, from the next `listen` on."""
        self._handlers.extend(handlers)

    def listen(self) -> list[int]:
        """Open the addresses and return their ports. Calls are answered after `start`. Raises `SetupError`."""
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers(tuple(self._handlers))
        ports = self._listen(server)
        self._server = server
        return ports

    async def start(self) -> None:
        """Answer calls."""
        if self._server is not None:
            await self._server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Close the addresses, and let calls in flight finish for so long."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(grace_seconds)
