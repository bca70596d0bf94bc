"""No caller and no person gets more in an hour than the quota, whatever a request says and however many race."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from pdp.config import Config
from pdp.errors import QuotaExceeded
from pdp.masking_settings import Masking
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.quotas import Limits, Quotas, Reserved, reservation
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect, Subject
from tests.masks import arrow, columns, masking, shape, stream
from tests.parts import Placet, refusal
from tests.pdp.mongo import database

LIMIT = 5
POLICY = """package policy

allow contains {"rule": "all", "reason": "everybody may"} if input.resource.type == "table"

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}
"""
DATA = {
    "domains": {"person.id": {"mask": "token", "values": "open"}},
    "identities": {"agent:dev": {"owners": []}, "slack:U1": {"same_as": ["user:alice"]}},
}


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(json.dumps(DATA))
    limits: dict[str, Any] = {"mask_values_an_hour": LIMIT, "unmask_values_an_hour": LIMIT}
    async with masking(state, mongod.uri, policy=[folder], **limits) as running:
        yield running


@pytest.fixture(scope="module")
async def opened(mongod: MongodProcess) -> AsyncIterator[Database]:
    found = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield found
    await found.close()


@pytest.fixture(scope="module")
def quotas(opened: Database) -> tuple[Quotas, Quotas]:
    """Those of two processes."""
    return Quotas(opened), Quotas(opened)


async def begin_anew(server: Placet, mongod: MongodProcess) -> None:
    async with database(mongod, server) as found:
        await found["quotas"].delete_many({})


def scope(subject: str, chain: Sequence[str], table: str = "t", **context: Any) -> mask_pb2.MaskScope:
    made = mask_pb2.MaskScope(subject=subject_of(subject), on_behalf_of=map(subject_of, chain), table=table)
    made.context.update(context)
    return made


def subject_of(identity: str) -> Subject:
    kind, _, name = identity.partition(":")
    return Subject(type=kind, id=name)


async def got(server: Placet, rpc: str, data: Sequence[str], scope: mask_pb2.MaskScope, by: str = "dev") -> int:
    """How many values the call gave back; none where the quota is used up."""
    try:
        if rpc in {"MaskStream", "Rewrap"}:
            batch = pa.record_batch({"id": list(data)})
            start = mask_pb2.StreamStart(scope=scope, shape=shape(batch.schema))
            return (await stream(server, [batch], start, by=by, rpc=rpc)).table.num_rows
        request = getattr(mask_pb2, f"{rpc}Request")(scope=scope, data=arrow({"id": list(data)}))
        answer = await getattr(server.masks, rpc)(request, metadata=server.metadata(by))
    except grpc.aio.AioRpcError as error:
        if refusal(error).reason != "QUOTA_EXCEEDED":
            raise
        return 0
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    return int(answer.rows)


async def tokens(server: Placet, mongod: MongodProcess, values: int) -> list[str]:
    """Masked values, which another caller asked for."""
    await begin_anew(server, mongod)
    request = mask_pb2.MaskRequest(
        scope=scope("agent:report-bot", ["user:zoe"]), data=arrow({"id": [f"v{index}" for index in range(values)]})
    )
    return columns((await server.masks.Mask(request, metadata=server.metadata("report-bot"))).data)["id"]


names = st.sampled_from(["agent:dev", "user:alice", "user:bob", "slack:U1", "agent:other"])
calls = st.lists(
    st.tuples(
        st.sampled_from(["Mask", "MaskStream", "Rewrap", "Unmask"]),
        st.integers(1, 3),
        names,
        st.lists(names, max_size=3),
        st.sampled_from(["t", "u"]),
        st.integers(0, 2),
    ),
    min_size=4,
    max_size=9,
)
SOME_EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],  # to shrink takes minutes, and a failing list of calls is short already
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SOME_EXAMPLES
@given(calls=calls)
async def test_no_choice_of_a_request_gives_one_caller_more_than_the_limit(
    server: Placet, mongod: MongodProcess, calls: list[tuple[str, int, str, list[str], str, int]]
) -> None:
    masked = await tokens(server, mongod, 3)
    await begin_anew(server, mongod)
    hour, given = int(time.time() // 3600), {"mask": 0, "unmask": 0}
    for rpc, values, subject, chain, table, number in calls:
        data = masked[:values] if rpc in {"Rewrap", "Unmask"} else ["a", "b", "c"][:values]
        what = "unmask" if rpc == "Unmask" else "mask"
        given[what] += await got(server, rpc, data, scope(subject, chain, table, number=number))
    assume(hour == int(time.time() // 3600))
    assert max(given.values()) <= LIMIT


async def test_repeating_or_inventing_a_chain_gives_no_fresh_quota(server: Placet, mongod: MongodProcess) -> None:
    await begin_anew(server, mongod)
    assert await got(server, "Mask", ["a"] * LIMIT, scope("agent:dev", ["user:p0"])) == LIMIT
    for chain in (["user:p0", "user:p0"], ["user:p1"], [], ["agent:x", "user:p2"]):
        assert await got(server, "Mask", ["a"], scope("agent:dev", chain)) == 0


async def test_a_person_has_one_quota_under_all_names_and_behind_all_callers(
    server: Placet, mongod: MongodProcess
) -> None:
    await begin_anew(server, mongod)
    assert await got(server, "Mask", ["a"] * 3, scope("agent:dev", ["slack:U1"])) == 3
    alice = scope("agent:report-bot", ["user:alice"])
    assert await got(server, "Mask", ["a"] * 3, alice, by="report-bot") == 0
    assert await got(server, "Mask", ["a"] * 2, alice, by="report-bot") == 2
    bob = scope("agent:report-bot", ["user:bob"])
    assert await got(server, "Mask", ["a"] * 3, bob, by="report-bot") == 3


async def reserve(
    quotas: Quotas, what: str, caller: str, persons: Sequence[str], values: int, limit: int, domain: str = "d"
) -> Reserved:
    people = {person: [person] for person in persons}
    made = reservation(Limits(limit, limit, {"agent:etl": 50}), what, caller, people, {domain: values})
    await quotas.count(made)
    return made


async def test_each_domain_has_a_quota_and_a_caller_in_bulk_its_own(quotas: tuple[Quotas, Quotas]) -> None:
    one, other = quotas
    for domain in ("a", "b.c", "$d", ""):
        await reserve(one, "mask", "agent:each", ["user:each"], 10, 10, domain)
        with pytest.raises(
            QuotaExceeded, match=f"{re.escape(f'of domain {domain} ') if domain else 'values '}to mask than 10 "
        ):
            await reserve(other, "mask", "agent:each", [], 1, 10, domain)
    await reserve(one, "mask", "agent:etl", [], 49, 10, "a")
    with pytest.raises(QuotaExceeded, match="person behind"):
        await reserve(one, "mask", "agent:etl", ["user:each"], 1, 10, "a")
    await reserve(one, "mask", "agent:etl", ["user:other"], 1, 10, "a")
    with pytest.raises(QuotaExceeded):
        await reserve(one, "mask", "agent:etl", [], 1, 10, "a")


async def test_of_racing_reservations_only_as_many_as_fit_are_made(quotas: tuple[Quotas, Quotas]) -> None:
    async def reserved(at: int) -> bool:
        try:
            await reserve(quotas[at % 2], "mask", f"agent:{at}", ["user:racer"], 1, 10)
        except QuotaExceeded:
            return False
        return True

    assert sum(await asyncio.gather(*(reserved(at) for at in range(32)))) == 10


async def test_a_person_at_the_end_uses_nothing_of_the_callers_quota_up(quotas: tuple[Quotas, Quotas]) -> None:
    one, other = quotas
    await reserve(one, "mask", "agent:a", ["user:full"], 10, 10)
    for _ in range(20):
        with pytest.raises(QuotaExceeded, match="this caller or for a person"):
            await reserve(other, "mask", "agent:b", ["user:full"], 1, 10)
    await reserve(other, "mask", "agent:b", ["user:free"], 10, 10)
    with pytest.raises(QuotaExceeded):
        await reserve(other, "unmask", "agent:b", [], 11, 10)


async def counted(quotas: Quotas, reserved: Reserved) -> list[int]:
    found = {one["_id"]: sum(one["counts"].values()) async for one in quotas._collection.find({})}
    return [found[key] for key in reserved.limits]


async def test_a_reservation_is_given_back_once_and_not_after_it_is_kept(quotas: tuple[Quotas, Quotas]) -> None:
    one, other = quotas
    first = await reserve(one, "mask", "agent:back", ["user:back"], 3, 10)
    second = await reserve(one, "mask", "agent:back", ["user:back"], 4, 10)
    await asyncio.gather(*(each.give_back(first) for each in (one, other, one, other)))
    assert await counted(one, second) == [4, 4]
    one.keep(second)
    third = await reserve(one, "mask", "agent:back", ["user:back"], 2, 10)
    await one.give_back(second)
    await other.give_back(second)
    assert await counted(one, third) == [6, 6]


async def test_what_a_process_had_reserved_when_it_died_stays_counted(quotas: tuple[Quotas, Quotas]) -> None:
    dead, other = quotas
    reserved = await reserve(dead, "mask", "agent:dead", [], 9, 10)
    with pytest.raises(QuotaExceeded):
        await reserve(other, "mask", "agent:dead", [], 2, 10)
    assert await counted(other, reserved) == [9]


class Hasty(Quotas):
    """One that does not see what others took since it looked."""

    async def _full(self, *_: object) -> str | None:
        return None


async def test_a_counter_that_took_it_gives_it_back_where_another_is_full(
    quotas: tuple[Quotas, Quotas], opened: Database
) -> None:
    one, other = quotas
    await reserve(other, "mask", "agent:z", ["user:raced"], 10, 10)
    with pytest.raises(QuotaExceeded):
        await reserve(Hasty(opened), "mask", "agent:lost", ["user:raced"], 4, 10)
    assert await counted(one, await reserve(other, "mask", "agent:lost", [], 10, 10)) == [10]


async def test_a_counter_holds_few_ids_however_many_reservations_it_had(quotas: tuple[Quotas, Quotas]) -> None:
    one, _ = quotas
    for _ in range(20):
        reserved = await reserve(one, "mask", "agent:often", [], 1, 100)
        one.keep(reserved)
    [stored] = [each async for each in one._collection.find({"_id": next(iter(reserved.limits))})]
    assert (sum(stored["counts"].values()), len(stored["held"])) == (20, 1)


async def test_by_default_a_million_values_of_a_domain_are_masked_in_an_hour(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    (tmp_path / "policy.rego").write_text(POLICY)
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    default = Config.model_fields["mask_values_an_hour"].default
    bulk = Masking(bulk={"agent:report-bot": 2 * default})
    limits: dict[str, Any] = {"mask_values_an_hour": default, "masking": bulk}
    seven = pa.record_batch({"id": [f"{number:07}" for number in range(150_000)]})
    async with masking(state, mongod.uri, policy=[tmp_path], **limits) as server:
        for by, most in (("dev", default), ("report-bot", 2 * default)):
            start = mask_pb2.StreamStart(scope=scope(f"agent:{by}", []), shape=shape(seven.schema))
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stream(server, [seven] * (1 + most // 150_000), start, by=by)
            assert (refusal(error.value).reason, "person.id" in refusal(error.value).message) == (
                "QUOTA_EXCEEDED",
                True,
            )
            async with database(mongod, server) as found:
                counted = [sum(one["counts"].values()) async for one in found["quotas"].find({})]
            assert most - 150_000 < max(counted) <= most
            await begin_anew(server, mongod)
