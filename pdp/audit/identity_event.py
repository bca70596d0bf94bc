"""Makes the records of links between chat accounts and people. Who it is is in the payload, which can be erased."""

from datetime import datetime
from typing import Any

import orjson

from pdp.account import Link
from pdp.audit.record import Entry, Kind, entry

TAMPERED = "LINK_TAMPERED"
"""The error of a record that says that a stored link or last login was not as a server wrote it."""


def linked(link: Link) -> Entry:
    """A person linked an account."""
    return _entry(Kind.IDENTITY_LINKED, link, at=link.at)


def unlinked(link: Link, at: datetime, why: str) -> Entry:
    """A link ended: `person` (who it is of), or `operator` (all that the person had ended)."""
    return _entry(Kind.IDENTITY_UNLINKED, link, at=at, why=why)


def refused(what: str) -> Entry:
    """A stored link or last login was refused; `what` says which of them."""
    sentence = f"a stored {what} was changed behind the servers' back; it was refused"
    return entry(Kind.ERROR, orjson.dumps({"details": {"message": sentence}}), error=TAMPERED)


def _entry(kind: Kind, link: Link, **further: Any) -> Entry:
    return entry(kind, orjson.dumps({"identity": link.identity, "account": link.account, **further}))
