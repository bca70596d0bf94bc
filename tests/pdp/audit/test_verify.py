"""Whatever is done to a real log, it is seen and named; nothing is seen where nothing was done."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp import keys
from pdp.audit.batch import HASH_BYTES, head, sign
from pdp.audit.record import Entry, Kind, commitment, entry
from pdp.audit.verify import Anchor, Seen, Tampered, Verifier
from pdp.dev.stack import configuration
from pdp.merkle import leaf
from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import Batch, ExportRecordsRequest, Payload
from tests.parts import Placet, asking, awake, exporting, placet
from tests.pdp.scribe import Scribe

Log = list[Batch]


@pytest.fixture(scope="module")
def scribe(state: Path) -> Scribe:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
    return Scribe(keys.signing(keys.private_key(config.audit_key)))


@pytest.fixture(scope="module")
async def stored(state: Path, mongod: MongodProcess) -> Log:
    """The log of two servers that worked one after the other on one database."""
    database = "audit-verify"
    for _ in range(2):
        async with placet(state, mongod.uri, database=database) as server:
            await work(server)
    async with placet(state, mongod.uri, database=database) as server:
        exported = server.audit.ExportRecords(ExportRecordsRequest(), metadata=server.metadata("dana"))
        return [batch async for answer in exported for batch in answer.batches]


async def work(server: Placet) -> None:
    await awake(server)
    for action in ("read", "drop"):
        await server.authorize(asking(action))
    request = exporting(justification="for the audit")
    request.approval_id = (await server.approved(request)).approval_id
    await server.authorize(request)
    await server.review((await server.authorize(exporting())).approval, "bob", "DENY")


@pytest.fixture
def log(stored: Log) -> Log:
    copies = []
    for batch in stored:
        copies.append(Batch())
        copies[-1].CopyFrom(batch)
    return copies


def verified(scribe: Scribe, log: Log, since: Anchor | None = None) -> Anchor:
    verifier = Verifier(scribe.realm, scribe.key.public_key(), "kid", since)
    for batch in log:
        verifier.add(batch)
    return verifier.finish()


def found(scribe: Scribe, log: Log, since: Anchor | None = None) -> Tampered:
    with pytest.raises(Tampered) as caught:
        verified(scribe, log, since)
    return caught.value


def place(batch: Batch, record: int | None = None) -> str:
    where = f"writer {batch.writer.hex()} batch {batch.seq}"
    return where if record is None else f"{where} record {record}"


def flipped(raw: bytes, at: int) -> bytes:
    at %= len(raw)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def id_of(record: bytes) -> str:
    return str(orjson.loads(record)["id"])


def test_untouched_log_is_intact_and_anchored(scribe: Scribe, log: Log) -> None:
    anchor = verified(scribe, log)
    assert len(anchor.writers) == 3
    assert sum(seen.seq + 1 for seen in anchor.writers.values()) == len(log)
    assert verified(scribe, log, anchor) == anchor


def test_every_older_anchor_still_holds(scribe: Scribe, log: Log) -> None:
    for length in range(len(log) + 1):
        verified(scribe, log, verified(scribe, log[:length]))


def test_every_prefix_of_a_log_is_intact(scribe: Scribe, log: Log) -> None:
    verifier = Verifier(scribe.realm, scribe.key.public_key(), "kid")
    for batch in log:
        verifier.add(batch)
    assert verifier.records == sum(len(batch.records) for batch in log)


@pytest.mark.parametrize(
    ("field", "kinds"),
    [
        ("prev", {"chain"}),
        ("head", {"head", "leaves", "chain"}),
        ("signature", {"signature"}),
        ("leaves", {"leaves"}),
    ],
)
@pytest.mark.parametrize("position", [0, 7, 31, -1])
def test_flipped_byte_of_a_batch_is_found_there(
    scribe: Scribe, log: Log, field: str, kinds: set[str], position: int
) -> None:
    for at in range(len(log)):
        damaged = [Batch.FromString(batch.SerializeToString()) for batch in log]
        setattr(damaged[at], field, flipped(getattr(damaged[at], field), position))
        tampered = found(scribe, damaged)
        assert tampered.kind in kinds
        assert tampered.place.startswith(place(damaged[at]))


@pytest.mark.parametrize("position", [0, 5, 8, 20, 40, 60, 100, -2, -1])
def test_flipped_byte_of_a_record_names_that_record(scribe: Scribe, log: Log, position: int) -> None:
    for at, batch in enumerate(log):
        for index, record in enumerate(batch.records):
            damaged = [Batch.FromString(one.SerializeToString()) for one in log]
            damaged[at].records[index] = flipped(record, position)
            tampered = found(scribe, damaged)
            assert tampered.kind == "record"
            assert tampered.place.startswith(place(batch, index))
            if not 1 <= position % len(record) < 43:
                assert id_of(record) in tampered.place


@pytest.mark.parametrize("field", ["salt", "payload"])
@pytest.mark.parametrize("position", [0, 9, -1])
def test_flipped_byte_of_a_payload_names_its_record(scribe: Scribe, log: Log, field: str, position: int) -> None:
    for at, batch in enumerate(log):
        for index, record in enumerate(batch.records):
            damaged = [Batch.FromString(one.SerializeToString()) for one in log]
            payload = damaged[at].payloads[index]
            setattr(payload, field, flipped(getattr(payload, field), position))
            tampered = found(scribe, damaged)
            assert tampered.kind == "payload"
            assert tampered.place.startswith(place(batch, index))
            assert id_of(record) in tampered.place


def with_leaf(batch: Batch, index: int, record: bytes) -> None:
    """Change a record and its stored leaf hash: the head tells."""
    batch.records[index] = record
    size = HASH_BYTES
    batch.leaves = batch.leaves[: index * size] + leaf(record) + batch.leaves[(index + 1) * size :]


def middle(log: Log) -> int:
    """A batch with records of a decision, neither first nor last of its writer."""
    return next(
        at
        for at in range(1, len(log) - 1)
        if log[at - 1].writer == log[at].writer == log[at + 1].writer and len(log[at].records) > 1
    )


def edited(log: Log) -> Log:
    at = middle(log)
    with_leaf(log[at], 0, log[at].records[0].replace(b'"time":"2', b'"time":"3'))
    return log


def rehashed(log: Log) -> Log:
    edited(log)
    batch = log[middle(log)]
    batch.head = head(batch.prev, batch.writer, batch.seq, list(map(leaf, batch.records)))
    return log


def resigned(log: Log) -> Log:
    rehashed(log)
    batch = log[middle(log)]
    batch.signature = sign(Ed25519PrivateKey.generate(), "dev", batch.head)
    return log


def changed(change: Callable[[Batch], Any]) -> Callable[[Log], Log]:
    def tamper(log: Log) -> Log:
        change(log[middle(log)])
        return log

    return tamper


def swapped(log: Log) -> Log:
    at = middle(log)
    log[at], log[at + 1] = log[at + 1], log[at]
    return log


def renumbered(log: Log) -> Log:
    at = middle(log)
    del log[at]
    log[at].seq -= 1
    return log


def grafted(log: Log) -> Log:
    """Another writer's first batch as this one's."""
    other = next(batch for batch in log if batch.writer != log[0].writer)
    log[0].CopyFrom(other)
    return log


def swapped_records(batch: Batch) -> None:
    records, payloads = list(batch.records), list(batch.payloads)
    records[0], records[1] = records[1], records[0]
    payloads[0], payloads[1] = payloads[1], payloads[0]
    batch.records[:] = records
    del batch.payloads[:]
    batch.payloads.extend(payloads)


def swapped_payloads(batch: Batch) -> None:
    first, second = (Payload.FromString(batch.payloads[at].SerializeToString()) for at in (0, 1))
    batch.payloads[0].CopyFrom(second)
    batch.payloads[1].CopyFrom(first)


TAMPERINGS: dict[str, tuple[Callable[[Log], Log], str, int]] = {
    "record edited with its leaf": (edited, "head", 0),
    "record edited with leaf and head": (rehashed, "signature", 0),
    "batch signed with another key": (resigned, "signature", 0),
    "first batch dropped": (lambda log: log[1:], "gap", -1),
    "middle batch dropped": (lambda log: log[: middle(log)] + log[middle(log) + 1 :], "gap", 0),
    "middle batch dropped and the next renumbered": (renumbered, "chain", 0),
    "two batches swapped": (swapped, "gap", 0),
    "batch twice": (lambda log: log[: middle(log) + 1] + log[middle(log) :], "gap", 1),
    "another writer's batch in its place": (grafted, "gap", -1),
    "records swapped": (changed(swapped_records), "record", 0),
    "payloads swapped": (changed(swapped_payloads), "payload", 0),
    "record dropped": (changed(lambda batch: batch.records.pop()), "payload", 0),
    "record and payload dropped": (changed(lambda batch: (batch.records.pop(), batch.payloads.pop())), "leaves", 0),
    "record added": (changed(lambda batch: (batch.records.append(b"{}"), batch.payloads.add())), "leaves", 0),
    "payload dropped": (changed(lambda batch: batch.payloads.pop()), "payload-missing", 0),
    "payloads dropped": (changed(lambda batch: batch.ClearField("payloads")), "payload-missing", 0),
    "payload added": (changed(lambda batch: batch.payloads.add()), "payload", 0),
    "payload wiped but for its salt": (changed(lambda b: b.payloads[0].ClearField("payload")), "payload-missing", 0),
    "salt wiped": (changed(lambda batch: batch.payloads[0].ClearField("salt")), "payload-missing", 0),
    "payload replaced": (changed(lambda b: setattr(b.payloads[0], "payload", b'{"caller":{}}')), "payload", 0),
    "leaves gone": (changed(lambda batch: batch.ClearField("leaves")), "leaves", 0),
    "leaves cut": (changed(lambda batch: setattr(batch, "leaves", batch.leaves[:-1])), "leaves", 0),
    "signature gone": (changed(lambda batch: batch.ClearField("signature")), "signature", 0),
    "signature cut": (changed(lambda batch: setattr(batch, "signature", batch.signature[:-1])), "signature", 0),
    "head gone": (changed(lambda batch: batch.ClearField("head")), "head", 0),
    "prev gone": (changed(lambda batch: batch.ClearField("prev")), "chain", 0),
    "writer renamed": (changed(lambda batch: setattr(batch, "writer", b"x" * 16)), "gap", -1),
    "writer without a name": (changed(lambda batch: batch.ClearField("writer")), "writer", -1),
    "sequence forward": (changed(lambda batch: setattr(batch, "seq", batch.seq + 1)), "gap", 0),
    "sequence backward": (changed(lambda batch: setattr(batch, "seq", batch.seq - 1)), "gap", 0),
    "sequence negative": (changed(lambda batch: setattr(batch, "seq", -1)), "gap", 0),
    "emptied": (changed(lambda batch: (batch.ClearField("records"), batch.ClearField("payloads"))), "leaves", 0),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_with_its_kind_and_place(scribe: Scribe, log: Log, name: str) -> None:
    tamper, kind, offset = TAMPERINGS[name]
    at = middle(log)
    batch = Batch.FromString(log[at].SerializeToString())
    tampered = found(scribe, tamper(log))
    assert tampered.kind == kind
    if offset == 0:
        assert tampered.place.startswith(place(batch))
    elif offset > 0:
        batch.seq += offset
        assert tampered.place.startswith(place(batch))


def test_tail_is_missed_only_by_an_anchor(scribe: Scribe, log: Log) -> None:
    anchor, last = verified(scribe, log), log[-1]
    verified(scribe, log[:-1])
    tampered = found(scribe, log[:-1], anchor)
    assert tampered.kind == ("tail-missing" if last.seq else "writer-missing")
    assert last.writer.hex() in tampered.place


def test_every_missing_tail_is_named_by_its_first_batch(scribe: Scribe, log: Log) -> None:
    anchor = verified(scribe, log)
    writer = log[0].writer
    own = [batch for batch in log if batch.writer == writer]
    others = [batch for batch in log if batch.writer != writer]
    for kept in range(1, len(own)):
        tampered = found(scribe, own[:kept] + others, anchor)
        assert (tampered.kind, tampered.place) == ("tail-missing", place(own[kept]))


def test_lost_writer_is_missed_only_by_an_anchor(scribe: Scribe, log: Log) -> None:
    anchor = verified(scribe, log)
    for writer in {batch.writer for batch in log}:
        without = [batch for batch in log if batch.writer != writer]
        verified(scribe, without)
        tampered = found(scribe, without, anchor)
        assert (tampered.kind, tampered.place) == ("writer-missing", f"writer {writer.hex()}")


def test_empty_log_is_not_intact_where_an_anchor_saw_one(scribe: Scribe, log: Log) -> None:
    assert verified(scribe, []).writers == {}
    assert found(scribe, [], verified(scribe, log)).kind == "writer-missing"


def test_log_written_anew_with_the_stolen_key_is_a_fork(scribe: Scribe, log: Log) -> None:
    anchor = verified(scribe, log)
    own = [batch for batch in log if batch.writer == log[0].writer]
    forged = [scribe.first(entry(Kind.SERVER_STARTED), writer=log[0].writer)]
    while len(forged) < len(own):
        forged.append(scribe.behind(forged[-1], entry(Kind.DECISION, effect="ALLOW")))
    verified(scribe, forged)
    others = {name: seen for name, seen in anchor.writers.items() if name == log[0].writer.hex()}
    tampered = found(scribe, forged, replace(anchor, writers=others))
    assert (tampered.kind, tampered.place) == ("forked", place(own[-1]))


def test_wiped_payloads_are_missing_whichever_record_had_them(scribe: Scribe, log: Log) -> None:
    for at, batch in enumerate(log):
        for index in range(len(batch.payloads)):
            wiped = Batch.FromString(batch.SerializeToString())
            wiped.payloads[index].Clear()
            tampered = found(scribe, [*log[:at], wiped, *log[at + 1 :]])
            assert (tampered.kind, tampered.place.rpartition(" (")[0]) == ("payload-missing", place(batch, index))


def test_same_record_again_counts_once_and_another_under_its_id_is_found(scribe: Scribe) -> None:
    one = entry(Kind.DECISION, effect="DENY")
    first = scribe.first(one)
    again = scribe.behind(first, one)
    verified(scribe, [first, again])
    other = entry(Kind.DECISION, effect="ALLOW", record_id=one.id)
    tampered = found(scribe, [first, scribe.behind(first, other)])
    assert tampered.kind == "duplicate-id"
    assert one.id in tampered.place


def test_writer_that_goes_on_after_its_end_is_found(scribe: Scribe) -> None:
    first = scribe.first(entry(Kind.SERVER_STOPPED), entry(Kind.WRITER_CLOSED))
    verified(scribe, [first])
    later = scribe.behind(first, entry(Kind.DECISION))
    tampered = found(scribe, [first, later])
    assert (tampered.kind, tampered.place) == ("after-end", place(later))


def consumed(approval: str) -> Entry:
    return entry(Kind.APPROVAL_CONSUMED, approval_id=approval)


def test_approval_used_twice_is_found(scribe: Scribe) -> None:
    use, another = consumed(f"apr_{1:032x}"), consumed(f"apr_{2:032x}")
    first = scribe.first(use, another)
    verified(scribe, [first, scribe.behind(first, use)])
    second = consumed(f"apr_{1:032x}")
    tampered = found(scribe, [first, scribe.behind(first, second)])
    assert tampered.kind == "used-twice"
    assert second.id in tampered.place
    assert use.id in str(tampered)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[]",
        b"{}",
        b"no JSON",
        b"\xff",
        b'{"id":"rec_1"}',
        b'{"id":1,"kind":2,"payload_sha256":3}',
        b'{"id":[],"kind":{},"payload_sha256":null}',
        b'{"id":"rec_1","kind":"approval.consumed","payload_sha256":"%b"}' % commitment(b"s" * 16, b"{}").encode(),
    ],
    ids=repr,
)
def test_signed_nonsense_is_found_and_stops_nothing_else(scribe: Scribe, record: bytes) -> None:
    nonsense = Entry("rec_1", record, b"s" * 16, b"{}")
    assert found(scribe, [scribe.first(nonsense)]).kind in {"record", "payload"}


def test_log_of_another_realm_is_not_this_one(scribe: Scribe, log: Log) -> None:
    assert found(Scribe(scribe.key, "prod"), log).kind == "signature"


def test_seen_is_the_last_of_a_writer(scribe: Scribe) -> None:
    second = scribe.behind(first := scribe.first(entry(Kind.DECISION)), entry(Kind.DECISION))
    writers = verified(scribe, [first, second]).writers
    assert writers == {first.writer.hex(): Seen(1, second.head.hex())}
