"""A piece of masking at work: reserved before it is done, in order, and told to the log as far as it got."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import pyarrow as pa
import pytest

import masker
from masker import keys as key_files
from masker import plan
from pdp.arrow import table
from pdp.audit.record import Kind
from pdp.errors import InvalidRequest, QuotaExceeded, ValueRefused
from pdp.masking.count import Counted
from pdp.masking.job import SLICE_SECONDS, Job, Progress, Reservation
from pdp.masking.rows import Shape
from pdp.store.quotas import Limits, Reserved, reservation
from tests.pdp.specimens import BOT

LIMITS = Limits(mask=1600, unmask=10, bulk={"agent:etl": 5000, "user:etl": 7000})
SCHEMA = pa.schema([("id", pa.string()), ("zip", pa.string())])
MASKS = [
    {"column": "id", "rule": "r.id", "domain": "customer"},
    {"column": "zip", "rule": "r.zip", "mask": "generalize", "to": "zip3"},
]


@dataclass
class Quota:
    """A counter with a limit, as MongoDB keeps one."""

    limit: int = 1 << 30
    reserved: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    asked: list[Reserved] = field(default_factory=list)

    async def count(self, reserved: Reserved) -> None:
        self.asked.append(reserved)
        values = sum(reserved.values.values())
        if sum(self.reserved) + values > self.limit:
            raise QuotaExceeded("too many", 60)
        self.reserved.append(values)

    async def give_back(self, reserved: Reserved) -> None:
        values = sum(reserved.values.values())
        if values in self.reserved:
            self.reserved.remove(values)

    def keep(self, reserved: Reserved) -> None:
        self.kept.append(sum(reserved.values.values()))


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> masker.Keyring:
    path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "dev", now=datetime.now(UTC))
    return masker.Keyring.load(path)


def job(keyring: masker.Keyring, action: str = "mask", **bound: Any) -> Job:
    made = plan(SCHEMA, MASKS, {"customer": {"mask": "token"}}, direction=action, key_version=1, policy_revision="r1")
    return Job(action, BOT, {"user:alice": ["user:alice"]}, made, keyring, Shape(SCHEMA), bound, "dec_1", "use_1")


def reserving(quota: Quota, of: Job) -> Reservation:
    return Reservation(cast("Any", quota), LIMITS, of)


def progress(quota: Quota, of: Job) -> Progress:
    async def here(action: Callable[[], Any], _: int = 0, /) -> Any:
        return action()

    return Progress(of, reserving(quota, of), here)


def rows(*ids: str | None) -> pa.RecordBatch:
    return pa.record_batch({"id": pa.array(ids, pa.string()), "zip": pa.array(["08001"] * len(ids), pa.string())})


async def sent(*batches: pa.RecordBatch) -> AsyncIterator[memoryview]:
    for batch in batches:
        for message in table.Writer(SCHEMA).messages(batch):
            yield memoryview(bytes(message))


def counted(values: int) -> Counted:
    return Counted(values, {"customer": values})


@pytest.mark.parametrize(
    ("action", "what", "limit"), [("mask", "mask", 1600), ("unmask", "unmask", 10), ("rewrap", "mask", 1600)]
)
async def test_each_action_has_its_limit_and_counts_for_caller_and_persons(
    keyring: masker.Keyring, action: str, what: str, limit: int
) -> None:
    quota = Quota()
    await reserving(quota, job(keyring, action)).take(counted(3))
    wanted = reservation(Limits(limit, limit), what, "agent:bot", {"user:alice": []}, {"customer": 3})
    [asked] = quota.asked
    assert (asked.what, asked.limits, asked.values) == (what, wanted.limits, wanted.values)


def test_callers_and_people_in_bulk_have_limits_of_their_own_and_only_to_mask() -> None:
    assert [LIMITS.of("mask", [name]) for name in ("agent:bot", "agent:etl", "user:alice")] == [1600, 5000, 1600]
    assert LIMITS.of("mask", ["slack:U1", "user:etl"]) == 7000
    assert LIMITS.of("unmask", ["agent:etl"]) == 10
    assert Limits(100, 10, {"agent:slow": 1}).of("mask", ["agent:slow"]) == 1


async def test_until_the_decision_is_used_everything_is_given_back(keyring: masker.Keyring) -> None:
    quota = Quota(limit=9)
    work = progress(quota, job(keyring))
    await work.batch(rows("a", "b", None))
    with pytest.raises(QuotaExceeded):
        await work.batch(rows(*"abcdefgh"))
    await work.undecided()
    assert (quota.reserved, quota.kept) == ([], [])


async def test_once_the_decision_is_used_everything_stays_counted(keyring: masker.Keyring) -> None:
    quota = Quota()
    work = progress(quota, job(keyring))
    await work.batch(rows("a", "b"))
    work.decided("dec_2", "use_2")
    await work.batch(rows("c"))
    await work.undecided()
    assert quota.reserved == quota.kept == [2, 2]  # the second time as much ahead as was used
    assert (work.job.decision_id, work.job.use) == ("dec_2", "use_2")


async def test_stream_begins_only_where_the_quota_has_room(keyring: masker.Keyring) -> None:
    quota = Quota(limit=1)
    work = progress(quota, job(keyring))
    await work.has_room()
    assert quota.reserved == [1]
    with pytest.raises(QuotaExceeded):
        await progress(quota, job(keyring)).has_room()
    await work.batch(rows("a"))
    assert quota.reserved == [1]


async def test_stream_reserves_as_much_again_as_it_used(keyring: masker.Keyring) -> None:
    quota = Quota()
    taken = reserving(quota, job(keyring))
    for _ in range(100):
        await taken.take(counted(10))
    assert taken.used == 1000
    assert sum(quota.reserved) >= 1000
    assert sum(quota.reserved) <= 2 * 1000
    assert len(quota.reserved) <= 15


async def test_little_of_the_quota_is_reserved_ahead(keyring: masker.Keyring) -> None:
    quota = Quota()
    taken = reserving(quota, job(keyring))
    for _ in range(150):
        await taken.take(counted(10))
    assert 1500 <= sum(quota.reserved) <= 1500 + 1600 // 16


async def test_what_is_left_of_one_domain_is_not_for_another(keyring: masker.Keyring) -> None:
    quota = Quota()
    taken = reserving(quota, job(keyring))
    await taken.take(Counted(9, {"customer": 9, "mail": 1}))
    await taken.take(Counted(2, {"customer": 1, "mail": 1}))
    assert [dict(one.values) for one in quota.asked] == [{"customer": 9, "mail": 1}, {"customer": 9, "mail": 1}]
    await taken.take(Counted(9, {"customer": 8, "mail": 1}))
    assert dict(quota.asked[-1].values) == {"mail": 2}


async def test_near_the_limit_exactly_what_is_needed_is_reserved(keyring: masker.Keyring) -> None:
    quota = Quota(limit=25)
    taken = reserving(quota, job(keyring))
    await taken.take(counted(10))
    await taken.take(counted(10))
    with pytest.raises(QuotaExceeded):
        await taken.take(counted(10))
    assert taken.used == 20
    await taken.take(counted(5))
    assert sum(quota.reserved) <= 25


async def test_batch_is_reserved_before_it_is_masked_and_nulls_cost_nothing(keyring: masker.Keyring) -> None:
    quota = Quota()
    work = progress(quota, job(keyring))
    masked = (await work.batch(rows("a", None, "a"))).to_pydict()
    assert quota.reserved == [2]
    assert masked["id"][0] == masked["id"][2] != "a"
    assert masked["id"][1] is None
    assert masked["zip"] == ["080"] * 3
    with pytest.raises(QuotaExceeded):
        await progress(Quota(limit=1), job(keyring)).batch(rows("a", "b"))


async def test_stream_is_masked_in_order_and_counted_from_its_start(keyring: masker.Keyring) -> None:
    quota = Quota()
    work = progress(quota, job(keyring))
    batches = [rows(*(f"{number}-{index}" for index in range(5))) for number in range(8)]
    firsts = [(first, batch.num_rows) async for first, batch in work.admitted(sent(*batches))]
    assert firsts == [(5 * number, 5) for number in range(8)]
    again = progress(Quota(), job(keyring))
    counts = [count async for count, _ in again.masked(again.admitted(sent(*batches)))]
    assert counts == [5] * 8


async def test_row_of_a_refused_value_counts_from_the_start_of_the_stream(keyring: masker.Keyring) -> None:
    work = progress(Quota(), job(keyring, "unmask"))
    tokens = (await progress(Quota(), job(keyring)).batch(rows("a", "b"))).column(0).to_pylist()
    good = pa.record_batch({"id": tokens, "zip": ["1", "2"]})
    bad = pa.record_batch({"id": [tokens[0], "no token"], "zip": ["1", "2"]})
    with pytest.raises(ValueRefused) as refused:
        async for _ in work.masked(work.admitted(sent(good, bad))):
            pass
    assert refused.value.metadata["row"] == "3"
    assert "no token" not in refused.value.sentence


async def test_record_says_how_far_it_got(keyring: masker.Keyring) -> None:
    work = progress(Quota(), job(keyring, tokens_sha256="x", other="canary"))
    await work.batch(rows("a", "b", None))
    work.leaves(2)
    work.leaves(1)
    made = work.entry("broken", "CANCELLED")
    members, held = orjson.loads(made.record), orjson.loads(made.payload)["details"]
    assert (members["kind"], members["error"], members["rules"]) == (Kind.MASK, "CANCELLED", ["r.id", "r.zip"])
    assert members["policy_revision"] == "r1"
    assert (held["phase"], held["rows"], held["batches"], held["values"]) == ("broken", 3, 2, 2)
    assert (held["decision_id"], held["tokens_sha256"]) == ("dec_1", "x")
    assert b"canary" not in made.payload
    assert orjson.loads(progress(Quota(), job(keyring, "unmask")).entry("started").record)["kind"] == Kind.UNMASK


async def test_dictionary_without_its_batch_is_refused(keyring: masker.Keyring) -> None:
    coded = pa.schema([("id", pa.dictionary(pa.int32(), pa.string())), ("zip", pa.string())])
    made = plan(coded, MASKS, {"customer": {"mask": "token"}}, key_version=1)
    work = progress(Quota(), Job("mask", BOT, {}, made, keyring, Shape(coded)))
    batch = pa.record_batch({"id": pa.array(["a"]).dictionary_encode(), "zip": ["1"]})
    dictionary, body = (memoryview(bytes(message)) for message in table.Writer(coded).messages(batch))

    async def messages(*parts: memoryview) -> AsyncIterator[memoryview]:
        for part in parts:
            yield part

    assert [batch async for batch in work.admitted(messages(dictionary))] == []
    with pytest.raises(InvalidRequest):
        work.require_whole()
    assert len([batch async for batch in work.admitted(messages(body))]) == 1
    work.require_whole()


async def test_slow_rows_are_masked_in_slices_and_are_one_batch_again(keyring: masker.Keyring) -> None:
    work, batch = progress(Quota(), job(keyring)), rows(*(f"id {number}" for number in range(1000)))
    work._seconds_of_row = SLICE_SECONDS / 10
    parts = await work._made(batch, 0)
    assert parts[0].num_rows == 10
    assert sum(part.num_rows for part in parts) == 1000
    work._seconds_of_row = SLICE_SECONDS / 10
    sliced = await work.batch(batch)
    work._seconds_of_row = SLICE_SECONDS / 10_000
    assert sliced.equals(await work.batch(batch), check_metadata=True)


async def test_value_that_is_refused_in_a_later_slice_is_named_by_its_row(keyring: masker.Keyring) -> None:
    work = progress(Quota(), job(keyring))
    work._seconds_of_row = SLICE_SECONDS / 10
    batch = pa.record_batch({"id": ["x"] * 100, "zip": ["08001"] * 77 + ["no zip"] * 23})
    with pytest.raises(ValueRefused) as refused:
        await work.batch(batch)
    assert refused.value.metadata["row"] == "77"
