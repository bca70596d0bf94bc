"""The flows of a server are made as it is configured."""

from pathlib import Path
from typing import Any

from pdp import metrics
from pdp.operations_settings import Operations
from pdp.process.mongod import MongodProcess
from tests.parts import Placet, asking, placet
from tests.scrape import scraped


async def test_rules_are_counted_only_if_that_is_wanted(state: Path, mongod: MongodProcess, server: Placet) -> None:
    before = counted()
    await server.authorize(asking())
    assert counted() == before
    wanted: dict[str, Any] = {"operations": Operations(listen="127.0.0.1:0", rule_metrics=True, drain_seconds=0)}
    async with placet(state, mongod.uri, **wanted) as counting:
        await counting.authorize(asking())
        assert [name for name in await scraped(counting.operations) if name.startswith("pdp_rule_decisions_total{")]


def counted() -> float:
    return sum(one.value for one in metrics.RULES.series.values())
