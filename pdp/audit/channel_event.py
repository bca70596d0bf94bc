"""Makes the records of what was refused in a chat. Who it was is in the payload, which can be erased."""

from datetime import datetime

import orjson

from pdp.audit.record import Entry, Kind, entry

TAMPERED = "VIEW_TAMPERED"
"""The error of a record that says that a stored view was not as a server wrote it."""

FURTHER = "FURTHER_REFUSED"
"""The error of a record that says how many more clicks of an account were refused in an hour."""


def refused(channel: str, account: str, reason: str, *, identity: str = "", approval_id: str = "") -> Entry:
    """A click or a verdict from a chat was refused; `identity` is whose account it is, where that is known."""
    who = {"channel": channel, "account": account, "identity": identity}
    payload = orjson.dumps({name: value for name, value in who.items() if value})
    return entry(Kind.CHANNEL_REFUSED, payload, approval_id=approval_id, error=reason)


def refused_more(channel: str, account: str, *, identity: str, hour: datetime, further: int) -> Entry:
    """In the hour that began at `hour`, `further` clicks of an account were refused beside those that have a record."""
    who = {"channel": channel, "account": account, "identity": identity}
    members = {name: value for name, value in who.items() if value}
    payload = orjson.dumps(members | {"hour": hour.isoformat(timespec="seconds"), "further": further})
    return entry(Kind.CHANNEL_REFUSED, payload, error=FURTHER)


def tampered() -> Entry:
    """A stored view was refused."""
    sentence = "a stored view of a chat was changed behind the servers' back; it was refused"
    return entry(Kind.ERROR, orjson.dumps({"details": {"message": sentence}}), error=TAMPERED)
