"""What was sent about an approval becomes messages of the contract."""

from pdp.service.message import timestamp
from pdp.store.notifications import Notification
from pdp.v1 import approval_pb2


def notification(sent: Notification) -> approval_pb2.Notification:
    """How far one message got."""
    return approval_pb2.Notification(
        webhook=sent.webhook,
        event=sent.event,
        state=sent.progress,
        attempts=sent.attempts,
        problem=sent.problem,
        tried_at=timestamp(sent.tried_at),
        channel=sent.channel,
        to=sent.to,
    )
