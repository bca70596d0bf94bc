"""What a server that stands for one in a test says of itself: clients ask before they call."""

from typing import Any

import grpc

from pdp.v1 import info_pb2_grpc
from pdp.v1.info_pb2 import GetServerInfoResponse


class _Info(info_pb2_grpc.InfoServiceServicer):
    async def GetServerInfo(self, request: Any, context: Any) -> GetServerInfoResponse:  # noqa: ARG002, N802
        return GetServerInfoResponse(realm="dev")


def informed(server: grpc.aio.Server) -> grpc.aio.Server:
    """The server with the facts of one that takes no digests."""
    info_pb2_grpc.add_InfoServiceServicer_to_server(_Info(), server)  # type: ignore[no-untyped-call]
    return server
