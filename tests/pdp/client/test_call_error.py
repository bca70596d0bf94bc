"""An error of a call, and one inside of an answer, are read alike."""

import pickle

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc.aio import AioRpcError, Metadata

from pdp.client.call_error import CallError, call_error, item_error
from pdp.errors import InvalidRequest, Overloaded, PdpError
from pdp.server.status import status
from pdp.service.batch import item_error as as_item


def of_grpc(code: grpc.StatusCode, details: str = "", trailers: tuple[tuple[str, bytes], ...] = ()) -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata(*trailers), details)


def sent(error: PdpError) -> CallError:
    """What a client makes of it."""
    made = status(error)
    trailers = (("grpc-status-details-bin", made.SerializeToString()),)
    return call_error(of_grpc(grpc.StatusCode[error.code], made.message, trailers))


ERRORS = [InvalidRequest.fields([("context.a", "is bad"), ("subject", "is required")]), Overloaded("too much", 2.5)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.reason)
def test_error_of_a_call_and_of_an_item_say_the_same(error: PdpError) -> None:
    call, item = sent(error), item_error(as_item(error))
    for read in (call, item):
        assert (read.code, read.reason, read.sentence) == (error.code, error.reason, error.sentence)
        assert [*read.violations] == [*error.violations]
        assert read.retry_seconds == error.retry_seconds


def test_error_without_details_of_ours_has_its_code_as_reason() -> None:
    assert call_error(of_grpc(grpc.StatusCode.UNAVAILABLE, "gone")).reason == "UNAVAILABLE"
    assert call_error(of_grpc(grpc.StatusCode.UNAVAILABLE)).sentence == "no answer"


def test_details_of_another_error_are_passed_over() -> None:
    trailers = (("grpc-status-details-bin", ErrorInfo(reason="X").SerializeToString()),)
    assert call_error(of_grpc(grpc.StatusCode.INTERNAL, "broke", trailers)).reason == "INTERNAL"


def test_closed_for_its_pings_says_what_to_change() -> None:
    read = call_error(of_grpc(grpc.StatusCode.UNAVAILABLE, "GOAWAY: too_many_pings"))
    assert (read.reason, "keepalive" in read.sentence) == ("TOO_MANY_PINGS", True)


def test_error_goes_through_a_pool_of_processes_whole_and_on_one_line() -> None:
    error = CallError("ABORTED", "CONFLICT", "two\nlines", [("a", "b")], {"k": "v"}, 1.5)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (again.sentence, again.violations, again.metadata) == ("two lines", (("a", "b"),), {"k": "v"})
    assert again.advising("try later").sentence == "two lines; try later"
    assert again.retry_seconds == error.retry_seconds
