"""For people's eyes: which webhooks have not heard of an approval's steps."""

from collections.abc import Iterable, Iterator

from pdp.cli.visible import name, visible
from pdp.v1.approval_pb2 import Notification


def untold(notifications: Iterable[Notification]) -> Iterator[str]:
    """A line for each message that is dead or waits; delivered ones are left out."""
    for sent in notifications:
        if sent.state == "delivered":
            continue
        tries = "not tried yet" if not sent.attempts else f"tried {sent.attempts} x"
        why = f": {visible(sent.problem)}" if sent.problem else ""
        yield f"not told      {name(sent.webhook)} of {name(sent.event)}, {visible(sent.state)}, {tries}{why}"
