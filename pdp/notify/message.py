"""Makes the message about a step of an approval: CloudEvents 1.0 JSON in structured mode. Pure.

A message leaves the deployment, so it says only that something of a kind waits.
1. It has no justification, no resource id, no property and nothing of the context.
2. It names one identity, the caller.
3. A receiver that wants more asks the server for the approval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded step. `state` is the approval's state after it; `expires_at` is when that state ends by itself."""

    record_id: str
    event: str
    at: str
    state: str
    expires_at: datetime | None
    approval_id: str
    caller: str
    request: bytes
    groups: Sequence[str]


def message(step: Step, realm: str) -> bytes:
    """The exact bytes that are signed and sent. Its `id` is the record's id, so an equal id is the same event again."""
    request = orjson.loads(step.request)
    data = {
        "approval_id": step.approval_id,
        "state": step.state,
        "caller": step.caller,
        "action": request["action"]["name"],
        "resource_type": request["resource"]["type"],
        "groups": step.groups,
    }
    if step.expires_at is not None:
        data["expires_at"] = step.expires_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _event(step.record_id, realm, step.event, step.at, {"subject": step.approval_id, "data": data})


def trial(message_id: str, realm: str, now: datetime) -> bytes:
    """A message without content, to test a webhook."""
    return _event(message_id, realm, "test", now.astimezone(UTC).isoformat().replace("+00:00", "Z"), {"data": {}})


def _event(message_id: str, realm: str, event: str, at: str, more: Mapping[str, Any]) -> bytes:
    attributes = {
        "specversion": "1.0",
        "id": message_id,
        "source": realm,
        "type": f"dev.placet.{event}",
        "time": at,
        "datacontenttype": "application/json",
    }
    return orjson.dumps({**attributes, **more})
