"""A page of a history reads about as many documents as it shows, however many there are."""

from typing import Any

import pytest

from pdp.store.approvals import Approvals
from pdp.store.database import Database
from pdp.store.history import Filters, History, condition
from tests.pdp.specimens import SEALER
from tests.pdp.store.test_approvals import opened

MANY = 300


@pytest.mark.parametrize("filters", [Filters(), Filters(in_my_name=True)])
async def test_page_is_read_from_indexes_in_their_order(database: Database, filters: Filters) -> None:
    approvals = Approvals(database, SEALER)
    made = [await opened(approvals, number) for number in range(1, MANY)]
    words, names = ["i:user:bob", "g:stewards"], {*made[0].principals}
    collection = database.database["approvals"]
    found = await collection.find(condition(words, names, filters, made[-1].id)).sort("_id", -1).limit(5).explain()
    stages = set(_stages(found["queryPlanner"]["winningPlan"]))
    assert not stages & {"SORT", "COLLSCAN"}, stages
    assert found["executionStats"]["totalDocsExamined"] <= 10
    page = await History(database).page(words, names, filters, made[-1].id, 5)
    assert [one.approval.id for one in page] == [one.id for one in reversed(made[-6:-1])]


async def test_those_of_one_request_are_that_callers_alone(database: Database) -> None:
    approvals = Approvals(database, SEALER)
    first = await opened(approvals, 1, digest="same")
    other = await opened(approvals, 2, digest="same", caller="agent:other")
    third = await opened(approvals, 3)
    history = History(database)
    found = await history.of_request(first.caller, "same", third.id, 10)
    assert [one.approval.id for one in found] == [first.id]
    assert await history.of_request(other.caller, "same", other.id, 10) == []


def _stages(plan: dict[str, Any]) -> list[str]:
    inner = [*plan.get("inputStages", []), *([plan["inputStage"]] if "inputStage" in plan else [])]
    inner += [plan["queryPlan"]] if "queryPlan" in plan else []
    return [*([plan["stage"]] if "stage" in plan else []), *(stage for one in inner for stage in _stages(one))]
