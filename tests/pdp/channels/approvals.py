"""An approval as a person is shown it, without a server."""

from typing import Any

from google.protobuf import json_format

from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
from pdp.v1.request_pb2 import Request
from pdp.view.shown import Shown, of_answer

APPROVAL_ID = "apr_" + "0" * 32
PAGE = f"https://pdp.example/inbox/approvals/{APPROVAL_ID}"


def shown(context: dict[str, Any] | None = None, *, justification: str = "", **members: Any) -> Shown:
    """An approval whose request has this context; `members` are those of the approval."""
    request = {
        "subject": {"type": "agent", "id": "bot"},
        "action": {"name": "share"},
        "resource": {"type": "table", "id": "t"},
        "context": context or {},
    }
    held = Approval(
        approval_id=APPROVAL_ID,
        request=json_format.ParseDict(request, Request()),
        caller="agent:bot",
        justification=justification,
        **members,
    )
    return of_answer(GetApprovalResponse(approval=held, may_review=True, page=PAGE))
