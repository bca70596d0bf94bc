"""The contract's enumerations and times, as a model has them."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pdp.v1.approval_pb2 import Approval, ApprovalState, ReviewChannel
from pdp.v1.request_pb2 import Effect


def named(enum: Any, value: int, prefix: str) -> str:
    """The name of an enum's value, or its number: a newer server may send a value that has no name here."""
    return str(enum.Name(value)).removeprefix(prefix) if value in enum.values() else f"{prefix}{value}"


def state(held: Approval) -> str:
    """The name of an approval's state."""
    return named(ApprovalState, held.state, "APPROVAL_STATE_")


def effect(value: int) -> str:
    """The name of an effect."""
    return named(Effect, value, "EFFECT_")


def channel(value: int) -> str:
    """Where a review came from or may come from; empty where the server does not say."""
    return named(ReviewChannel, value, "REVIEW_CHANNEL_") if value else ""


def moment(message: Message, field: str) -> datetime | None:
    """The time in a field of a message; None where it is not set."""
    return at(getattr(message, field)) if message.HasField(field) else None


def at(stamp: Timestamp) -> datetime:
    """A time of the contract."""
    return stamp.ToDatetime(UTC)
