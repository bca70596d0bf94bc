"""The envelope by hand is protobuf's, and whatever differs from it is left to protobuf."""

import pyarrow as pa
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from pdp.arrow import envelope
from pdp.v1 import mask_pb2

ENVELOPES = (
    mask_pb2.MaskStreamRequest,
    mask_pb2.MaskStreamResponse,
    mask_pb2.RewrapRequest,
    mask_pb2.RewrapResponse,
)


@pytest.mark.parametrize("message_class", ENVELOPES)
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152])
def test_an_envelope_is_what_protobuf_writes(message_class: type, size: int) -> None:
    message = bytes(size)
    body = message_class(arrow_message=message).SerializeToString()
    assert envelope.has_frames(message_class.DESCRIPTOR)  # type: ignore[attr-defined]
    assert envelope.wrap(message) == envelope.wrap(pa.py_buffer(message)) == body
    assert envelope.unwrap(body) == message


def test_only_messages_with_that_field_have_frames() -> None:
    assert not envelope.has_frames(mask_pb2.MaskRequest.DESCRIPTOR)
    assert not envelope.has_frames(mask_pb2.MaskShape.DESCRIPTOR)  # there it is another field


@pytest.mark.parametrize(
    "body",
    {
        "empty": b"",
        "only a tag": b"\x12",
        "no length": b"\x12\x80",
        "another field": b"\x0a\x01a",
        "too short": b"\x12\x03ab",
        "more behind it": b"\x12\x01ab",
        "twice": b"\x12\x01a\x12\x01b",
        "an unknown field behind it": b"\x12\x01a\x7a\x01b",
        "a length that is not the shortest": b"\x12\x81\x00a",
        "an empty length that is not the shortest": b"\x12\x80\x00",
        "a length without end": b"\x12" + b"\x80" * 12,
        "a length of five bytes": b"\x12\xff\xff\xff\xff\x0f",
    }.values(),
)
def test_anything_else_is_no_frame(body: bytes) -> None:
    assert envelope.unwrap(body) is None


@given(st.binary(max_size=40).map(lambda tail: b"\x12" + tail) | st.binary(max_size=40))
def test_a_frame_is_never_read_otherwise_than_by_protobuf(body: bytes) -> None:
    taken = envelope.unwrap(body)
    if taken is None:
        return
    try:
        parsed = mask_pb2.MaskStreamRequest.FromString(body)
    except DecodeError:
        pytest.fail("protobuf refuses what was taken for a frame")
    assert parsed.arrow_message == taken
    assert parsed.SerializeToString() == body
