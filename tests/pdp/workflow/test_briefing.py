"""A reviewer is told what masks would do to data, and where its tags come from. Neither stands for more than today."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from pdp.lineage.explain import Reason
from pdp.lineage.fact import Dataset
from pdp.lineage.seen import kept, seen
from pdp.masking.question import MAX_COLUMNS
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.approval_pb2 import GetApprovalResponse
from pdp.workflow.briefing import MAX_ORIGINS, Briefing, carried_first
from tests.known import Known, view
from tests.masks import masking, scope
from tests.parts import Placet, exporting, placet
from tests.pdp import reads

TABLE = "crm.customers"
COLUMNS = {"email": ["pii"], "address_2": ["pii"], "given_name": [], "phone": ["contact"], "odd one": ["pii"]}
EMAIL = ("email", "email", "customer.email", "customers.email", "")


@pytest.fixture(scope="module")
def known() -> Known:
    return Known()


@pytest.fixture(scope="module")
async def masks(state: Path, mongod: MongodProcess, known: Known) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri, known=known) as running:
        yield running


async def told(server: Placet, by: str = "bob", table: str = TABLE, action: str = "export") -> GetApprovalResponse:
    asked = exporting(resource={"type": "table", "id": table, "properties": {"tags": ["pii"]}})
    asked.action.name = action
    return await reads.seen(server, (await server.authorize(asked)).approval, server.metadata(by))


def columns(answer: GetApprovalResponse) -> list[tuple[str, str, str, str, str]]:
    return [(one.name, one.mask, one.domain, one.rule, one.problem) for one in answer.mask_forecast.columns]


async def test_reviewer_is_told_the_mask_of_each_column_and_which_rule_demands_it(masks: Placet, known: Known) -> None:
    known.say(TABLE, **COLUMNS)
    answer = await told(masks)
    forecast = answer.mask_forecast
    assert (forecast.state, list(forecast.required_by)) == ("FORESEEN", ["customers.export"])
    assert forecast.policy_revision == answer.approval.policy_revision
    nothing = 'the policy has no mask for column ["odd one"]; `clear` lets a column through, but it must say so'
    assert columns(answer) == [
        ("address_2", "nullify", "", "customers.address_2", ""),
        EMAIL,
        ("given_name", "token", "customer.name", "customers.name", ""),
        ("odd one", "", "", "", nothing),
        ("phone", "email", "customer.email", "lineage.contact", ""),
    ]
    requester = await told(masks, by="report-bot")
    assert not requester.HasField("mask_forecast")


async def test_what_is_foreseen_is_what_a_plan_does(masks: Placet, known: Known) -> None:
    fit = {name: tags for name, tags in COLUMNS.items() if name != "odd one"}
    known.say(TABLE, **fit)
    foreseen = await told(masks)
    shape = mask_pb2.MaskShape(arrow_schema=pa.schema([(name, pa.string()) for name in fit]).serialize().to_pybytes())
    request = mask_pb2.GetMaskPlanRequest(scope=scope(), shape=shape)
    plan = await masks.masks.GetMaskPlan(request, metadata=masks.metadata("report-bot"))
    done = sorted((one.column, one.mask, one.domain, one.rule, "") for one in plan.plan.columns)
    assert done == columns(foreseen)


@pytest.mark.parametrize(("table", "outlook"), [("nobody.knows", "UNKNOWN"), ("wide", "TOO_WIDE")])
async def test_what_cannot_be_foreseen_is_said(masks: Placet, known: Known, table: str, outlook: str) -> None:
    known.say("wide", **{f"c{number}": [] for number in range(MAX_COLUMNS + 1)})
    forecast = (await told(masks, table=table)).mask_forecast
    assert (forecast.state, list(forecast.columns)) == (outlook, [])


async def test_server_without_masks_says_so_and_an_unmasking_has_none_to_foresee(
    state: Path, mongod: MongodProcess, masks: Placet
) -> None:
    unmasking = await told(masks, action="unmask")
    assert unmasking.approval.HasField("lineage")
    assert not unmasking.HasField("mask_forecast")
    async with placet(state, mongod.uri, known=Known({TABLE: COLUMNS})) as plain:
        assert (await told(plain)).mask_forecast.state == "OFF"


def test_most_sensitive_columns_are_explained_first_and_unclassified_last() -> None:
    now = view(
        {"a": ["pii:masked"], "b": ["pii", "unclassified"], "c": ["contact", "pii"], "d": ["new"]}, extra=["own"]
    )
    before = seen("")
    shown = carried_first(now, before)
    assert shown[-1] == ("b", "unclassified")
    known = view({**now.columns, "d": []}, extra=["own"])
    assert carried_first(now, seen(kept(known)))[:2] == [("d", "new"), ("c", "contact")]


@dataclass
class Explained(Known):
    """Every tag has an origin; it takes `slow` seconds to find."""

    slow: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def origin(self, _type: str, _id: str, column: str, tag: str) -> Any:
        self.asked.append((column, tag))
        await asyncio.sleep(self.slow)
        return Reason(Dataset("postgres://crm", "t"), column, (), ())


@pytest.mark.parametrize(("slow", "most"), [(0.0, MAX_ORIGINS), (0.3, 2)])
async def test_origins_are_few_and_take_little_time(slow: float, most: int) -> None:
    known = Explained(slow=slow)
    briefing = Briefing(cast("Any", None), known, frozenset(), masks=False)
    wide: dict[str, Sequence[str]] = {f"c{number:03}": ["pii"] for number in range(100)}
    found = await briefing.origins(view(wide), {"type": "table", "id": "t"}, seen(""))
    assert [(column, tag) for column, tag, _ in found] == [(f"c{number:03}", "pii") for number in range(most)]
