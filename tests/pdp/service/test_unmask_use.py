"""What one use may unmask: the quota or the requirement's `unmask_values`, for a day, while the policy allows it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from pdp.audit.verify import Tampered
from pdp.process.mongod import MongodProcess
from pdp.store import approval_document
from pdp.v1 import info_pb2, mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually, verified_log
from tests.masks import arrow, columns, masking, scope, shape
from tests.parts import Placet, log, refusal
from tests.pdp.mongo import database, sealer
from tests.unmasking import announced, masked, opened, unmasked

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}} if {
    object.get(input.context, "free", false) != true
    object.get(input.context, "values", null) == null
}

needs_approval contains {
    "rule": sprintf("many.%d", [values]),
    "reason": "many values",
    "reviewers": {"groups": ["data-stewards"]},
    "unmask_values": values,
} if {
    some values in input.context.values
}

allow contains {"rule": "free", "reason": "free"} if input.context.free == true

deny contains {"rule": "closed", "reason": "closed"} if data.closed

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}

mask contains {
    "rule": "docs",
    "reason": "both are ids",
    "columns": ["doc"],
    "mask": "json",
    "paths": {"a": {"domain": "person.id"}, "b": {"domain": "person.id"}, "n": {"mask": "clear"}},
}

mask contains {"rule": "notes", "reason": "no secret", "columns": ["note"], "mask": "clear"}
"""
PERSON = {"person.id": {"mask": "token", "values": "open"}}
DATA = {"domains": PERSON, "groups": {"data-stewards": ["user:bob"]}, "closed": False}
SCHEMA = {"type": "object", "properties": {"values": {"type": "array"}}, "additionalProperties": True}
ID = {"id": "person.id"}
QUOTA = 7
VALUES = [f"v{number}" for number in range(12)]


@dataclass
class Stage:
    """A server whose policy can change, and four masked chunks of three rows."""

    server: Placet
    folder: Path
    batches: list[pa.RecordBatch]

    def start(self, chunks: int = 4, **context: Any) -> mask_pb2.UnmaskStreamStart:
        made = scope(request_id=uuid4().hex)
        made.context.update({"run": uuid4().hex, **context})
        return announced(made, self.batches[:chunks], ID)

    async def approve(self, start: mask_pb2.UnmaskStreamStart) -> None:
        async with opened(self.server, start) as asked:
            assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL
            await self.server.review(asked.opened.decision.approval, "bob")

    async def close(self, *, closed: bool) -> None:
        """Change the policy, and wait until it is in force."""

        async def revision() -> str:
            request, by = info_pb2.GetServerInfoRequest(), self.server.metadata("dana")
            return (await self.server.info.GetServerInfo(request, metadata=by)).policy_revision

        before = await revision()
        (self.folder / "data.json").write_text(json.dumps({**DATA, "closed": closed}))

        async def has_changed() -> bool:
            return await revision() != before

        await eventually(has_changed)


@pytest.fixture(scope="module")
async def stage(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "schema/context").mkdir(parents=True)
    (folder / "schema/context/any.json").write_text(json.dumps(SCHEMA))
    (folder / "data.json").write_text(json.dumps(DATA))
    async with masking(state, mongod.uri, policy=[folder], unmask_values_an_hour=QUOTA) as server:
        free = scope()
        free.context["free"] = True
        table = await masked(server, {"id": VALUES, "note": VALUES}, free)
        yield Stage(server, folder, [table.slice(at, 3) for at in range(0, 12, 3)])


@pytest.fixture
async def counters(stage: Stage, mongod: MongodProcess) -> AsyncIterator[Any]:
    """How much is unmasked in this hour, by caller and person; nothing at the beginning."""
    async with database(mongod, stage.server) as found:
        await found["quotas"].delete_many({})

        async def counted() -> set[int]:
            found_now = found["quotas"].find({"_id": {"$regex": "^unmask"}})
            return {sum(one["counts"].values()) async for one in found_now} - {0}

        yield counted


async def refused(stage: Stage, start: mask_pb2.UnmaskStreamStart) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await unmasked(stage.server, start, stage.batches)
    return refusal(error.value).reason


async def test_all_values_are_reserved_before_the_approval_is_used(stage: Stage, counters: Any) -> None:
    start = stage.start()
    await stage.approve(start)
    assert await refused(stage, start) == "QUOTA_EXCEEDED"
    assert await counters() == set()
    smaller = stage.start(chunks=2)
    await stage.approve(smaller)
    async with opened(stage.server, smaller) as stream:
        assert await counters() == {6}
        await stream.send(0, stage.batches[0])
    assert await unmasked(stage.server, smaller, stage.batches[:2]) == VALUES[:6]
    assert await counters() == {6}
    assert await refused(stage, start) == "QUOTA_EXCEEDED"


@pytest.mark.parametrize(("allowed", "is_enough"), [([12], True), ([11], False), ([50, 12], True), ([50, 11], False)])
async def test_requirement_says_how_many_values_its_use_may_unmask(
    stage: Stage, counters: Any, allowed: list[int], *, is_enough: bool
) -> None:
    start = stage.start(values=allowed)
    async with opened(stage.server, start) as asked:
        requirements = asked.opened.decision.approval.requirements
        assert sorted(one.unmask_values for one in requirements) == sorted(allowed)
        await stage.server.review(asked.opened.decision.approval, "bob")
    if is_enough:
        assert await unmasked(stage.server, start, stage.batches) == VALUES
    else:
        assert await refused(stage, start) == "QUOTA_EXCEEDED"
    assert await counters() == set()


async def test_the_same_number_holds_for_a_few_rows(stage: Stage, counters: Any) -> None:
    made = scope(request_id=uuid4().hex)
    made.context["values"] = [9]
    table = pa.Table.from_batches(stage.batches[:3])
    request = mask_pb2.UnmaskRequest(scope=made, data=arrow(table), columns=["id"])
    asked = await stage.server.masks.Unmask(request, metadata=stage.server.metadata("report-bot"))
    await stage.server.review(asked.decision.approval, "bob")
    answer = await stage.server.masks.Unmask(request, metadata=stage.server.metadata("report-bot"))
    assert columns(answer.data)["id"] == VALUES[:9]
    assert await counters() == set()


async def test_policy_is_asked_at_each_stream_and_its_deny_ends_it(stage: Stage, counters: Any) -> None:
    start = stage.start(chunks=2)
    await stage.approve(start)
    async with opened(stage.server, start) as stream:
        await stream.send(0, stage.batches[0])
    await stage.close(closed=True)
    async with opened(stage.server, start) as stream:
        assert stream.effect == Effect.EFFECT_DENY
        assert not stream.opened.HasField("plan")
    await stage.close(closed=False)
    assert await unmasked(stage.server, start, stage.batches[:2]) == VALUES[:6]
    assert await counters() == {6}


async def test_work_without_an_approval_goes_on_by_its_request_id(stage: Stage, counters: Any) -> None:
    start = stage.start(chunks=2, free=True)
    async with opened(stage.server, start) as stream:
        assert stream.effect == Effect.EFFECT_ALLOW
        await stream.send(0, stage.batches[0])
        await stream.send(1, stage.batches[1])
    async with opened(stage.server, start) as stream:
        assert stream.opened.next_chunk == 1
        await stream.send(1, stage.batches[1])
        await stream.end()
    assert await counters() == {6}
    other = announced(start.scope, stage.batches[:1], ID)
    assert await refused(stage, other) == "REQUEST_ID_REUSED"
    await verified_log(stage.server)


async def test_starts_of_open_streams_of_a_caller_are_bounded(stage: Stage, counters: Any) -> None:
    """Each holds 3 MiB, here of metadata; what has ended makes room, and others have their own."""
    schema = stage.batches[0].schema.with_metadata({"k": "x" * (3 << 20)})
    async with AsyncExitStack() as held:
        opening = [stage.start(chunks=1, free=True) for _ in range(12)]
        for start in opening:
            start.shape.CopyFrom(shape(schema))
            del start.chunks[:]
        for start in opening[:10]:
            assert (await held.enter_async_context(opened(stage.server, start))).effect == Effect.EFFECT_ALLOW
        with pytest.raises(grpc.aio.AioRpcError, match="32 MiB") as error:
            await unmasked(stage.server, opening[10], [])
        assert (refusal(error.value).code, refusal(error.value).reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        async with opened(stage.server, opening[10], by="dev"):
            pass
        assert await unmasked(stage.server, stage.start(chunks=1, free=True), stage.batches[:1]) == VALUES[:3]

    async def is_open() -> bool:
        try:
            return await unmasked(stage.server, opening[11], []) == []
        except grpc.aio.AioRpcError:
            return False

    await eventually(is_open)
    assert await counters() == {3}


OTHERS: dict[str, Callable[[mask_pb2.MaskScope], Any]] = {
    "another table": lambda made: setattr(made, "table", "crm.leads"),
    "another person": lambda made: setattr(made.on_behalf_of[0], "id", "carol"),
    "nobody behind it": lambda made: made.ClearField("on_behalf_of"),
    "another context": lambda made: made.context.update({"purpose": "other"}),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_work_goes_on_only_as_the_request_that_began_it(stage: Stage, counters: Any, name: str) -> None:
    start = stage.start(chunks=2, free=True)
    async with opened(stage.server, start) as stream:
        await stream.send(0, stage.batches[0])
    OTHERS[name](start.scope)
    assert await refused(stage, start) == "REQUEST_ID_REUSED"
    assert await counters() == {6}


@pytest.mark.parametrize(("ago", "goes_on"), [(timedelta(hours=23.9), True), (timedelta(hours=24.1), False)])
async def test_approved_work_goes_on_for_a_day(
    stage: Stage, mongod: MongodProcess, counters: Any, ago: timedelta, *, goes_on: bool
) -> None:
    start = stage.start(chunks=2)
    await stage.approve(start)
    async with opened(stage.server, start) as stream:
        await stream.send(0, stage.batches[0])
    async with database(mongod, stage.server) as found:
        document = await found["approvals"].find_one({"request_ids": start.scope.request_id}) or {}
        held = approval_document.from_document(document)
        assert held.used_by is not None
        assert held.used_by.at is not None
        earlier = replace(held.used_by, at=held.used_by.at - ago)
        signed = replace(earlier, signature=sealer(stage.server).use(held.id, held.digest, earlier))
        moved = {"used_by": approval_document.of_use(signed), "closed_at": document["closed_at"] - ago}
        await found["approvals"].update_one({"_id": held.id}, {"$set": moved})
    async with opened(stage.server, start) as stream:
        assert (stream.effect == Effect.EFFECT_ALLOW) == goes_on
    assert await counters() == {6}


async def test_work_without_an_approval_goes_on_for_a_day(stage: Stage, mongod: MongodProcess, counters: Any) -> None:
    start = stage.start(chunks=1, free=True)
    async with opened(stage.server, start) as stream:
        await stream.send(0, stage.batches[0])
    async with database(mongod, stage.server) as found:
        document = await found["unmaskings"].find_one({"request_id": start.scope.request_id}) or {}
        moved = {"at": document["at"] - timedelta(hours=24.1)}
        await found["unmaskings"].update_one({"_id": document["_id"]}, {"$set": moved})
    assert await refused(stage, start) == "DECISION_USED"
    assert await counters() == {3}


async def test_chunk_that_an_administrator_has_opened_again_is_found(
    state: Path, mongod: MongodProcess, stage: Stage
) -> None:
    """Whoever writes to the database can say that less was sent, and the log shows it."""
    async with masking(state, mongod.uri, policy=[stage.folder], unmask_values_an_hour=100) as server:
        start = stage.start(free=True)
        async with opened(server, start) as stream:
            for index in range(3):
                await stream.send(index, stage.batches[index])
        await verified_log(server)
        async with database(mongod, server) as found:
            await found["unmaskings"].update_one({}, {"$set": {"sent": 0}})
        assert await unmasked(server, start, stage.batches) == VALUES
        with pytest.raises(Tampered, match="chunk 0 was opened, and the last before it is 2") as tampered:
            await verified_log(server)
        assert tampered.value.kind == "chunk-order"


async def test_each_chunk_is_in_the_log_before_it_comes_back(stage: Stage, counters: Any) -> None:
    start = stage.start(chunks=2, free=True)
    async with opened(stage.server, start) as stream:
        for index in range(2):
            await stream.send(index, stage.batches[index])
            held = (await log(stage.server, "unmask"))[-1][1]["details"]
            assert (held["phase"], held["to_chunk"], held["rows"], held["values"]) == (
                "chunk", index + 1, 3 * index + 3, 3 * index + 3,
            )  # fmt: skip
    assert await counters() == {6}


@pytest.mark.parametrize("names_paths", [True, False])
async def test_each_value_in_a_text_of_json_is_counted_before_it_is_asked_for(
    stage: Stage, mongod: MongodProcess, counters: Any, *, names_paths: bool
) -> None:
    """Reviewers see as many as are reversed, a use that is too small uses nothing, and nobody can lower the count."""
    texts = [f'{{"a":"x{number}","b":"y{number}","n":"no secret"}}' for number in range(3)]
    free = scope()
    free.context["free"] = True
    table = await masked(stage.server, {"doc": texts}, free)
    counted = 6 if names_paths else 9
    if not names_paths:
        table = table.replace_schema_metadata().cast(pa.schema([("doc", pa.string())]))
    batches = [table.slice(at, 1) for at in range(3)]
    for allowed in (counted - 1, counted):
        made = scope(request_id=uuid4().hex)
        made.context.update({"values": [allowed]})
        start = announced(made, batches, {"doc": "person.id"})
        async with opened(stage.server, start) as asked:
            approval = asked.opened.decision.approval
            assert approval.request.context["count"] == counted
            await stage.server.review(approval, "bob")
        if allowed == counted:
            assert await unmasked(stage.server, start, batches) == texts
            continue
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await unmasked(stage.server, start, batches)
        assert refusal(error.value).reason == "QUOTA_EXCEEDED"
        async with database(mongod, stage.server) as found:
            assert (await found["approvals"].find_one({"_id": approval.approval_id}) or {})["state"] == "APPROVED"
    assert await counters() == set()


async def test_a_few_texts_of_json_count_the_same(stage: Stage, counters: Any) -> None:
    free, made = scope(), scope(request_id=uuid4().hex)
    free.context["free"] = True
    table = await masked(stage.server, {"doc": ['{"a":"x","b":"y","n":1}', None]}, free)
    request = mask_pb2.UnmaskRequest(scope=made, data=arrow(table), columns=["doc"])
    asked = await stage.server.masks.Unmask(request, metadata=stage.server.metadata("report-bot"))
    assert asked.decision.approval.request.context["count"] == 2
    assert await counters() == set()


@pytest.mark.parametrize("paths", ['{"a":{"mask":"token"}}', "{}"])
async def test_metadata_that_hides_a_path_is_refused_before_anybody_is_asked(stage: Stage, paths: str) -> None:
    schema = pa.schema([pa.field("doc", pa.string(), metadata={"placet.paths": paths})])
    batch = pa.record_batch([['{"a":"tok_1","b":"tok_2"}']], schema=schema)
    with pytest.raises(grpc.aio.AioRpcError, match="send it without this metadata") as error:
        await unmasked(stage.server, announced(scope(), [batch], {"doc": "person.id"}), [batch])
    assert refusal(error.value).reason == "MASK_PLAN_REFUSED"


@pytest.mark.parametrize(("collection", "counts"), [("batches", {6}), ("unmaskings", {6, 12})])
async def test_use_that_was_not_confirmed_goes_on_and_is_counted(
    stage: Stage, mongod: MongodProcess, counters: Any, collection: str, counts: set[int]
) -> None:
    """Whether it was used is not known to the call that failed; the next one never gets its values for nothing."""
    async with masking(
        stage.server.state, mongod.uri, policy=[stage.folder], unmask_values_an_hour=100, database=stage.server.database
    ) as server:
        start = stage.start(chunks=2)
        await stage.approve(start)
        async with database(mongod, server) as found:
            await delivered(found, start.scope.request_id)
            await found.command({"collMod": collection, "validator": {"never": {"$exists": True}}})
            try:
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await unmasked(server, start, stage.batches[:2])
                assert refusal(error.value).reason == "STORE_UNAVAILABLE"
            finally:
                await found.command({"collMod": collection, "validator": {}})
            assert (await delivered(found, start.scope.request_id))["state"] == "CONSUMED"
        assert await unmasked(server, start, stage.batches[:2]) == VALUES[:6]
    assert len(await counters()) == 1
    assert await counters() <= counts


async def delivered(found: Any, request_id: str) -> dict[str, Any]:
    """The approval of the request, whose records are in the log."""

    async def look() -> Any:
        return await found["approvals"].find_one({"request_ids": request_id, "outbox": []})

    approval: dict[str, Any] = await eventually(look)
    return approval
