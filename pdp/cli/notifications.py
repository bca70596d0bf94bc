"""Shows people who did not get the messages about an approval."""

from collections.abc import Iterable, Iterator

from pdp.view.shown import Notice


def undelivered(notices: Iterable[Notice]) -> Iterator[str]:
    """A line for each message that is dead or still waits; delivered messages, and those not needed, are left out."""
    for sent in notices:
        if sent.state.text in ("delivered", "unneeded"):
            continue
        tries = "not tried yet" if not sent.attempts else f"tried {sent.attempts} x"
        why = f": {sent.problem.visible}" if sent.problem else ""
        whom = sent.webhook.name or "those whom it concerns"
        if sent.channel or sent.to:
            whom = f"{sent.to.name} in {sent.channel.name}"
        yield f"not told      {whom} of {sent.event.name}, {sent.state.visible}, {tries}{why}"
