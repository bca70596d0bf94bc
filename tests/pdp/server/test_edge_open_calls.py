"""How many waits and streams a caller may have open."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from pdp.admission import Admission
from pdp.errors import Overloaded
from pdp.process.mongod import MongodProcess
from pdp.server import edge
from pdp.turns import Turns
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


def test_streams_of_each_service_have_places_of_their_own_and_one_caller_half_of_them() -> None:
    made = edge.Edge(cast("Any", None), Admission(), Turns())
    with ExitStack() as open_streams:
        for number in range(edge.MOST_DATA_STREAMS):
            caller = "etl" if number < edge.MAX_DATA_STREAMS else f"c{number}"
            open_streams.enter_context(made._streaming("MaskService", caller))
            if number + 1 == edge.MAX_DATA_STREAMS:
                with pytest.raises(Overloaded, match="this caller has 64 streams"):
                    open_streams.enter_context(made._streaming("MaskService", "etl"))
        with pytest.raises(Overloaded, match="there are 128 streams"):
            open_streams.enter_context(made._streaming("MaskService", "stranger"))
        open_streams.enter_context(made._streaming("DecisionService", "stranger"))
    with made._streaming("MaskService", "stranger"):
        pass
