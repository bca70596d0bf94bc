"""How many waits a caller may have open, over the wire."""

from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.server import edge
from pdp.v1.approval_pb2 import WaitApprovalRequest
from tests.parts import exporting, placet
from tests.pdp.wire import refused


async def test_caller_has_so_many_waits(state: Path, mongod: MongodProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MAX_WAITS", 2)
    async with placet(state, mongod.uri) as server:
        by = server.metadata("report-bot")
        asked = WaitApprovalRequest(approval_id=(await server.authorize(exporting())).approval.approval_id)
        waits = [server.approvals.WaitApproval(asked, metadata=by) for _ in range(2)]
        why = await refused(server.approvals.WaitApproval(asked, metadata=by))
        assert (why.code, why.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert "this caller has 2 waits here" in why.message
        for call in waits:
            call.cancel()
