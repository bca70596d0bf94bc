"""A server that keeps no lineage says so, and nothing waits for it."""

from pdp.lineage.view import State
from pdp.workflow.lineage_views import NO_LINEAGE


async def test_off_is_an_answer() -> None:
    assert NO_LINEAGE.view("table", "t").state is State.OFF
    assert NO_LINEAGE.columns_of("table", "t", ["a"]) == {}
    NO_LINEAGE.require_fresh()
    await NO_LINEAGE.at_least(9, 0.0)
