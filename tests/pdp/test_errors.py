"""What an error carries, and that the edge has a status for each."""

from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from pdp.errors import Conflict, InvalidRequest, PdpError, Unauthenticated
from pdp.server.edge import status


def details(error: PdpError) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for packed in status(error).details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            if packed.Is(kind.DESCRIPTOR):
                unpacked = kind()
                packed.Unpack(unpacked)
                found[kind.__name__] = unpacked
    return found


def test_error_has_the_details_of_google_rpc() -> None:
    field = details(InvalidRequest.field("subject.id", "is required"))
    assert field["ErrorInfo"].domain == "placet.dev"
    assert field["ErrorInfo"].reason == "INVALID_REQUEST"
    assert [(v.field, v.description) for v in field["BadRequest"].field_violations] == [("subject.id", "is required")]
    assert "RetryInfo" not in field
    retry = details(Conflict("again"))
    assert retry["RetryInfo"].retry_delay.ToMilliseconds() == 100
    assert "BadRequest" not in retry
    assert set(details(Unauthenticated("who"))) == {"ErrorInfo"}


def every(kind: type[PdpError]) -> set[type[PdpError]]:
    return {kind}.union(*(every(below) for below in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(every(PdpError), key=lambda kind: kind.__name__))
def test_every_error_has_a_grpc_code(kind: type[PdpError]) -> None:
    assert kind.code in grpc.StatusCode.__members__
