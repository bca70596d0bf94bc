"""What readers get: one approval, or every page of a list."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, GetApprovalResponse
from tests.parts import Placet
from tests.tokens import Metadata


def seen(server: Placet, approval: Approval, by: Metadata) -> Awaitable[GetApprovalResponse]:
    return server.approvals.GetApproval(GetApprovalRequest(approval_id=approval.approval_id), metadata=by)


async def pages(call: Callable[..., Any], request: Message, by: Metadata) -> AsyncIterator[Any]:
    while True:
        page = await call(request, metadata=by)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def ids(call: Callable[..., Any], request: Message, by: Metadata) -> list[str]:
    return [one.approval_id async for page in pages(call, request, by) for one in page.approvals]
