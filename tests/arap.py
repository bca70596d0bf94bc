"""Access requests as any HTTP client makes them."""

from typing import Any
from uuid import uuid4

from pdp import keys
from pdp.binding_token import Binder
from pdp.dev.stack import REALM
from pdp.v1.approval_pb2 import Approval, ListApprovalsRequest
from pdp.v1.review_pb2 import RevokeApprovalRequest
from tests.parts import Placet
from tests.web import Response, evaluate, question, send

REQUESTS = "/access/v1/requests"
URN = "urn:openid:authzen:access-request:error:"


def export(**context: Any) -> dict[str, Any]:
    """The export that needs two data stewards, unlike any other."""
    return question("export", ["pii"], context={"run": uuid4().hex, **context})


async def denied(server: Placet, body: dict[str, Any]) -> dict[str, Any]:
    """How the denial of a question that needs people can be lifted."""
    context = (await evaluate(server, body)).json["context"]
    assert context["reason"] == "approval_required"
    return {
        "evaluation_id": context["evaluation_id"],
        **{name: context["access_request"][name] for name in ("expires_at", "template", "binding_token")},
    }


async def submit(
    server: Placet, body: dict[str, Any], denial: Any = None, by: str = "report-bot", key: str = "", **members: Any
) -> Response:
    """The submission of a question that was denied; `denial` is that of `denied`, unless one is given."""
    denial = denial or await denied(server, body)
    headers = {"Idempotency_Key": key} if key else {}
    return await send(server, "POST", REQUESTS, by, {**body, "denial": denial, **members}, **headers)


async def opened(server: Placet, body: dict[str, Any]) -> dict[str, Any]:
    """The pending task of a question."""
    response = await submit(server, body)
    assert response.status == 202, response.body
    return dict(response.json["task"])


async def task(server: Placet, task_id: str, by: str = "report-bot", **headers: str) -> Response:
    return await send(server, "GET", f"{REQUESTS}/{task_id}", by, **headers)


async def cancel(server: Placet, task_id: str, by: str = "report-bot", body: Any = None) -> Response:
    return await send(server, "POST", f"{REQUESTS}/{task_id}/cancel", by, body)


def problem(response: Response) -> tuple[int, str]:
    """The status and the type of a problem, without what all types of the profile begin with."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "decision" not in response.json
    return response.status, response.json["type"].removeprefix(URN)


async def newest(server: Placet) -> Approval:
    """The approval that `report-bot` opened last."""
    request = ListApprovalsRequest(page_size=1)
    [held] = (await server.approvals.ListApprovals(request, metadata=server.metadata("report-bot"))).approvals
    return held


async def approve(server: Placet, person: str, verdict: str = "APPROVE") -> None:
    """This person's verdict on the newest approval."""
    await server.review(await newest(server), person, verdict)


async def revoke(server: Placet, person: str) -> None:
    """This person takes the newest approval back."""
    held = await newest(server)
    request = RevokeApprovalRequest(approval_id=held.approval_id, reason="a mistake")
    await server.reviews.RevokeApproval(request, metadata=server.metadata(person))


def binder(server: Placet) -> Binder:
    """What this server issues binding tokens with."""
    return Binder(keys.private_key(server.state / "keys" / "seal.jwk"), REALM)
