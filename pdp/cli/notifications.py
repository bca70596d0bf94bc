"""Shows people which webhooks did not get the messages about an approval."""

from collections.abc import Iterable, Iterator

from pdp.view.shown import Notice


def undelivered(notices: Iterable[Notice]) -> Iterator[str]:
    """A line for each message that is dead or still waits; delivered messages are left out."""
    for sent in notices:
        if sent.state.text == "delivered":
            continue
        tries = "not tried yet" if not sent.attempts else f"tried {sent.attempts} x"
        why = f": {sent.problem.visible}" if sent.problem else ""
        yield f"not told      {sent.webhook.name} of {sent.event.name}, {sent.state.visible}, {tries}{why}"
