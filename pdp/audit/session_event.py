"""Makes the records of people's sessions. Who it was is in the payload, which can be erased."""

from typing import Any

import orjson

from pdp.audit.record import Entry, Kind, entry
from pdp.session import LONGEST, Session

TAMPERED = "SESSION_TAMPERED"
"""The error of a record that says that a stored session or login was not as a server wrote it."""
_SHOWN = 16
"""Characters of a session's id in a record: they part sessions, and let nobody in."""


def started(session: Session) -> Entry:
    """A person logged in."""
    until = (session.began_at + LONGEST).isoformat(timespec="milliseconds")
    return entry(Kind.SESSION_STARTED, _payload(session, at_most_until=until))


def ended(session: Session, why: str) -> Entry:
    """A session ended: `logout`, `provider` (it said so, or knows the person no more), `login` (another one).

    `time`: it ran out; `passkey`: one was added, and it goes on under another id; `operator`: the person left.
    """
    return entry(Kind.SESSION_ENDED, _payload(session, why=why))


def refused(what: str) -> Entry:
    """A stored session or login was refused; `what` says which of them."""
    sentence = f"a stored {what} was changed behind the servers' back; it was refused"
    return entry(Kind.ERROR, orjson.dumps({"details": {"message": sentence}}), error=TAMPERED)


def _payload(session: Session, **further: Any) -> bytes:
    return orjson.dumps({"identity": session.identity, "session": session.id[:_SHOWN], **further})
