"""Shows people which webhooks did not get the messages about an approval."""

from collections.abc import Iterable, Iterator

from pdp.v1.approval_pb2 import Notification
from pdp.visible import name, visible


def undelivered(notifications: Iterable[Notification]) -> Iterator[str]:
    """A line for each message that is dead or still waits; delivered messages are left out."""
    for sent in notifications:
        if sent.state == "delivered":
            continue
        tries = "not tried yet" if not sent.attempts else f"tried {sent.attempts} x"
        why = f": {visible(sent.problem)}" if sent.problem else ""
        yield f"not told      {name(sent.webhook)} of {name(sent.event)}, {visible(sent.state)}, {tries}{why}"
