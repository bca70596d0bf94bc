"""A table or column whose name is written another way is masked, also by a policy that shows what no mask names."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pyarrow as pa
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from tests.masks import arrow, masking, scope
from tests.parts import Placet, refusal

POLICY = """package policy

allow contains {"rule": "any", "reason": "any"} if input.action.name == "mask"

mask contains {"rule": "by.id", "reason": "hidden", "columns": ["ssn"], "mask": "redact"} if {
	input.resource.id == "crm.customers"
}

mask contains {"rule": "by.list", "reason": "hidden", "columns": ["ssn"], "mask": "redact"} if {
	input.resource.id in data.customer_tables
}

mask contains {"rule": "by.tag", "reason": "hidden", "tags": ["pii"], "mask": "redact"}

mask contains {"rule": "rest", "reason": "the rest", "columns": ["*"], "mask": "clear"}
"""
DATA = {
    "customer_tables": ["CRM.LEADS"],
    "column_tags": {"crm.customers": {"email": ["pii"]}, "CRM.LEADS": {"email": ["pii"]}},
}
ROW = {"ssn": ["123"], "email": ["a@b.c"], "note": ["hello"]}
HIDDEN = {"ssn": "[REDACTED]", "email": "[REDACTED]", "note": "hello"}


@pytest.fixture(scope="module")
async def shows_the_rest(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with masking(state, mongod.uri, policy=[folder]) as server:
        yield server


@pytest.fixture(scope="module")
async def reference(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as server:
        yield server


async def masked(server: Placet, name: str, row: dict[str, list[str]]) -> dict[str, str]:
    request = mask_pb2.MaskRequest(scope=scope(name), data=arrow(row))
    answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    [found] = pa.ipc.open_stream(answer.data.arrow_stream).read_all().to_pylist()
    return dict(found)


@pytest.mark.parametrize(
    "name", ["crm.customers", "CRM.customers", "CRM.CUSTOMERS", "Crm.Customers", "crm.leads", "CRM.LEADS", "Crm.leads"]
)
async def test_table_of_any_case_is_masked_beside_what_shows_the_rest(shows_the_rest: Placet, name: str) -> None:
    assert await masked(shows_the_rest, name, ROW) == HIDDEN


async def test_column_of_any_case_is_masked_beside_what_shows_the_rest(shows_the_rest: Placet) -> None:
    row = {"SSN": ["123"], "Email": ["a@b.c"], "Note": ["hello"]}
    found = await masked(shows_the_rest, "CRM.Customers", row)
    assert found == {"SSN": "[REDACTED]", "Email": "[REDACTED]", "Note": "hello"}


async def test_another_table_is_shown_as_the_policy_says(shows_the_rest: Placet) -> None:
    assert await masked(shows_the_rest, "crm.customers2", ROW) == {name: text for name, [text] in ROW.items()}


async def test_reference_policy_masks_a_table_of_any_case_and_nothing_else(reference: Placet) -> None:
    row = {"rec_id": ["rec-1-org"], "suburb": ["perth"]}
    one, other = [await masked(reference, name, row) for name in ("crm.customers", "CRM.Customers")]
    assert one == other
    assert one["rec_id"] != "rec-1-org"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await masked(reference, "crm.customers2", row)
    assert refusal(error.value).reason == "MASK_PLAN_REFUSED"
