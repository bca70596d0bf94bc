"""A verification that goes on where the last one was finds what was done to the log before, behind and across it."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient

from pdp import identifier, keys
from pdp.audit.record import Entry, Kind, entry
from pdp.audit.verify import Anchor, Tampered, Verifier
from pdp.cli import verification
from pdp.cli.verify_progress import VerifyProgress
from pdp.client import Client
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import Batch
from tests.parts import Placet, placet
from tests.pdp.long_log import decision, document
from tests.pdp.scribe import Scribe

A, B, C = (letter * 16 for letter in (b"a", b"b", b"c"))
APPROVAL = identifier.new("apr")
Log = dict[tuple[bytes, int], tuple[Batch, list[Entry]]]


@dataclass
class Kept:
    """A server, what two writers wrote into its log, and the state of a verification of the first part."""

    server: Placet
    scribe: Scribe
    batches: Any
    folder: Path
    first: Log = field(default_factory=dict)

    def behind(self, writer: bytes, *entries: Entry, log: Log | None = None) -> tuple[Batch, list[Entry]]:
        """The writer's next batch."""
        log = self.first if log is None else log
        seq = max((seq for name, seq in log if name == writer), default=-1)
        batch = (
            self.scribe.behind(log[writer, seq][0], *entries)
            if seq >= 0
            else self.scribe.first(*entries, writer=writer)
        )
        return batch, list(entries)

    async def put(self, *made: tuple[Batch, list[Entry]]) -> None:
        await self.batches.insert_many([document(*one) for one in made])

    async def verified(self, state: Path, since: Path | None = None) -> tuple[Verifier, Anchor]:
        token = identity.token(self.server.state, "dana")
        async with Client(self.server.address, token) as client:
            with VerifyProgress.opened(state / "state") as progress:
                return await verification.of_live(client, since, None, state / "own", progress)


def used() -> Entry:
    return entry(Kind.APPROVAL_CONSUMED, orjson.dumps({"decision_id": "dec_1"}), approval_id=APPROVAL)


def masked(use: str) -> Entry:
    details = {"decision_id": "dec_9", "phase": "complete", "use": use}
    return entry(Kind.MASK, orjson.dumps({"caller": {}, "details": details}))


@pytest.fixture(scope="module")
async def kept(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
    scribe = Scribe(keys.signing(keys.private_key(config.audit_key)))
    async with (
        placet(state, mongod.uri) as server,
        AsyncMongoClient[dict[str, Any]](mongod.uri, serverMonitoringMode="poll") as client,
    ):
        made = Kept(server, scribe, client[server.database]["batches"], tmp_path_factory.mktemp("kept"))
        for writer, entries in (
            (A, [decision(), used()]),
            (A, [decision()]),
            (A, [masked("use_1"), decision()]),
            (B, [decision()]),
            (B, [decision(), decision()]),
            (C, [decision(), entry(Kind.WRITER_CLOSED)]),
        ):
            batch, its = made.behind(writer, *entries)
            made.first[writer, batch.seq] = batch, its
        await made.put(*made.first.values())
        await made.verified(made.folder)
        yield made


@pytest.fixture
async def state_folder(kept: Kept, tmp_path: Path) -> AsyncIterator[Path]:
    """A copy of the state; the log is as it was again afterwards."""
    copy = tmp_path / "copy"
    shutil.copytree(kept.folder, copy)
    yield copy
    await kept.batches.delete_many({"_id.writer": {"$in": [A, B, C]}})
    await kept.put(*kept.first.values())


Damage = Callable[[Kept], Any]


async def change_the_last(kept: Kept) -> None:
    record = kept.first[A, 2][0].records[1].replace(b"ALLOW", b"ALLOX")
    await kept.batches.update_one({"_id.writer": A, "_id.seq": 2}, {"$set": {"records.1": record}})


async def replace_the_last(kept: Kept) -> None:
    log = {place: made for place, made in kept.first.items() if place != (A, 2)}
    await kept.batches.delete_one({"_id.writer": A, "_id.seq": 2})
    await kept.put(kept.behind(A, decision(), log=log))


async def drop_the_last(kept: Kept) -> None:
    await kept.batches.delete_one({"_id.writer": A, "_id.seq": 2})


async def drop_the_last_before_another(kept: Kept) -> None:
    await kept.put(kept.behind(A, decision()))
    await drop_the_last(kept)


async def drop_a_writer(kept: Kept) -> None:
    await kept.batches.delete_many({"_id.writer": B})


async def drop_a_new_one(kept: Kept) -> None:
    log = dict(kept.first)
    log[A, 3] = kept.behind(A, decision(), log=log)
    await kept.put(kept.behind(A, decision(), log=log))


async def swap_two(kept: Kept) -> None:
    log = dict(kept.first)
    log[A, 3] = kept.behind(A, decision(), log=log)
    log[A, 4] = kept.behind(A, decision(), log=log)
    one, other = (document(*log[A, seq]) for seq in (3, 4))
    await kept.batches.insert_many([{**one, "_id": other["_id"]}, {**other, "_id": one["_id"]}])


async def double_a_record(kept: Kept) -> None:
    known = kept.first[A, 0][1][0]
    await kept.put(kept.behind(B, entry(Kind.DECISION, record_id=known.id)))


async def reorder_records(kept: Kept) -> None:
    batch, its = kept.behind(A, decision(), decision())
    made = document(batch, its)
    await kept.batches.insert_one({**made, "records": made["records"][::-1], "payloads": made["payloads"][::-1]})


async def use_twice(kept: Kept) -> None:
    await kept.put(kept.behind(B, used()))


async def mask_twice(kept: Kept) -> None:
    await kept.put(kept.behind(B, masked("use_2")))


async def add_behind_the_end(kept: Kept) -> None:
    await kept.put(kept.behind(C, decision()))


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (change_the_last, "record"),
        (replace_the_last, "changed"),
        (drop_the_last, "tail-missing"),
        (drop_the_last_before_another, "gap"),
        (drop_a_writer, "tail-missing"),
        (drop_a_new_one, "gap"),
        (swap_two, "chain"),
        (double_a_record, "duplicate-id"),
        (reorder_records, "record"),
        (use_twice, "used-twice"),
        (mask_twice, "masked-twice"),
        (add_behind_the_end, "after-end"),
    ],
)
async def test_damage_across_the_place_where_it_goes_on_is_found(
    kept: Kept, state_folder: Path, damage: Damage, kind: str
) -> None:
    await damage(kept)
    for _ in range(2):  # and found again by the next one
        with pytest.raises(Tampered) as tampered:
            await kept.verified(state_folder)
        assert tampered.value.kind == kind


async def test_what_is_new_is_read_and_nothing_is_found_where_nothing_was_done(kept: Kept, state_folder: Path) -> None:
    known = kept.first[A, 0][1]
    before, anchor = await kept.verified(state_folder)
    log = dict(kept.first)
    for entries in ([decision(), *known], [decision()]):  # a record that is there twice is one record
        batch, its = kept.behind(B, *entries, log=log)
        log[B, batch.seq] = batch, its
    await kept.put(log[B, 2], log[B, 3])
    after, newer = await kept.verified(state_folder)
    assert after.records - before.records == 4 + 4  # and its own four calls
    assert newer.writers[B.hex()].seq == 3
    assert newer.writers[A.hex()] == anchor.writers[A.hex()]


async def test_older_anchor_is_held_against_what_was_read_before(kept: Kept, state_folder: Path) -> None:
    verifier, anchor = await kept.verified(state_folder)
    older = {**anchor.writers, A.hex(): type(anchor.writers[A.hex()])(1, kept.first[A, 1][0].head.hex())}
    (state_folder / "older.json").write_bytes(Anchor(anchor.realm, anchor.key, older).to_json())
    await kept.verified(state_folder, state_folder / "older.json")
    older[A.hex()] = type(anchor.writers[A.hex()])(1, "0" * 64)
    (state_folder / "forked.json").write_bytes(Anchor(anchor.realm, anchor.key, older).to_json())
    with pytest.raises(Tampered, match="forked at writer 6161"):
        await kept.verified(state_folder, state_folder / "forked.json")
    assert verifier.kid == anchor.key


async def test_it_equals_a_whole_verification(kept: Kept, state_folder: Path, tmp_path: Path) -> None:
    batch, its = kept.behind(B, decision())
    await kept.put((batch, its))
    _, resumed = await kept.verified(state_folder)
    _, whole = await kept.verified(tmp_path)
    for writer in (A, B, C):
        assert resumed.writers[writer.hex()] == whole.writers[writer.hex()]
    assert resumed.writers[B.hex()].head == batch.head.hex()
