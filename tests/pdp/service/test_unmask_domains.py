"""A token opens by its domain, whichever table its caller names."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.masks import arrow, columns, masking, scope
from tests.parts import Placet, refusal
from tests.unmasking import announced, opened

POLICY = """package policy

allow contains {"rule": "mask", "reason": "anybody masks"} if input.action.name == "mask"

allow contains {"rule": "unmask.lax", "reason": "anybody unmasks the open table"} if {
	input.action.name == "unmask"
	input.resource.id == "lax"
}

deny contains {"rule": "unmask.strict", "reason": "nobody unmasks people"} if {
	input.action.name == "unmask"
	"people" in input.context.domains
}

mask contains {"rule": "people", "reason": "join", "columns": ["person"], "domain": "people"}

mask contains {"rule": "things", "reason": "join", "columns": ["thing"], "domain": "things"}
"""
DATA = {"domains": {"people": {"mask": "token", "values": "open"}, "things": {"mask": "token", "values": "open"}}}


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with masking(state, mongod.uri, policy=[folder]) as running:
        yield running


async def tokens(server: Placet, **rows: list[str]) -> dict[str, list[Any]]:
    request = mask_pb2.MaskRequest(scope=scope("strict"), data=arrow(rows))
    return columns((await server.masks.Mask(request, metadata=server.metadata("report-bot"))).data)


async def asked(server: Placet, rows: dict[str, list[Any]], table: str = "lax", **context: Any) -> Any:
    made = scope(table)
    made.context.update(context)
    request = mask_pb2.UnmaskRequest(scope=made, data=arrow(rows))
    return await server.masks.Unmask(request, metadata=server.metadata("report-bot"))


async def test_token_of_a_strict_table_does_not_open_under_a_laxer_tables_name(server: Placet) -> None:
    made = await tokens(server, person=["ann"], thing=["pen"])
    assert columns((await asked(server, {"thing": made["thing"]})).data) == {"thing": ["pen"]}
    for rows in ({"person": made["person"]}, {"thing": made["person"]}, made):
        answer = await asked(server, rows)
        assert (answer.decision.effect, answer.HasField("data")) == (Effect.EFFECT_DENY, False)
        assert [reason.rule for reason in answer.decision.reasons] == ["unmask.strict"]


async def test_in_chunks_the_domains_are_those_of_the_plan(server: Placet) -> None:
    made = await tokens(server, person=["ann"], thing=["pen"])
    for column, domain, effect in (("person", "people", "DENY"), ("thing", "things", "ALLOW")):
        batch = pa.record_batch({column: made[column]})
        async with opened(server, announced(scope("lax"), [batch], {column: domain})) as stream:
            assert Effect.Name(stream.effect) == f"EFFECT_{effect}"


async def test_caller_does_not_say_which_domains_it_opens(server: Placet) -> None:
    made = await tokens(server, person=["ann"])
    for name in ("domains", "column_domains"):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await asked(server, {"person": made["person"]}, **{name: ["things"]})
        assert (refusal(error.value).code, f"scope.context.{name}" in str(error.value)) == ("INVALID_ARGUMENT", True)
