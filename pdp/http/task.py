"""A task of an access request in the JSON of its profile."""

from typing import Any

from pdp.access_request import TaskAt
from pdp.http.decision import instant

MODE = "reevaluate"
"""How an approval is used: by a new evaluation, which decides."""


def shown(found: TaskAt, endpoint: str) -> dict[str, Any]:
    """What the caller sees; `endpoint` is where access requests are submitted. Of people it tells numbers, no names."""
    where = location(found, endpoint)
    task: dict[str, Any] = {
        "id": found.task.id,
        "status": found.status.value,
        "status_endpoint": where,
        "links": {"cancel": f"{where}/cancel"},
    }
    if found.expires_at is not None:
        task["expires_at"] = instant(found.expires_at)
    if found.steps is not None:
        have, need = found.steps
        task["progress"] = {"current_step": min(have + 1, need), "total_steps": need}
    return {"task": task} | ({"result": _result(found)} if found.result else {})


def location(found: TaskAt, endpoint: str) -> str:
    """Where the task is."""
    return f"{endpoint}/{found.task.id}"


def _result(found: TaskAt) -> dict[str, Any]:
    result = found.result
    assert result is not None  # noqa: S101  # the one who calls has looked
    approval = {
        "id": result.approval_id,
        "approved_at": instant(result.approved_at),
        "approved_until": instant(result.approved_until),
    }
    return {"mode": MODE, "approval": approval}
