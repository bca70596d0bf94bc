"""Logs of any length, with real chains and signatures, put straight into MongoDB."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymongo import AsyncMongoClient

from pdp.audit.record import Entry, Kind, entry
from pdp.store.batches import ids_of
from pdp.v1.audit_pb2 import Batch
from tests.pdp.scribe import Scribe

AT_ONCE = 64
"""Batches of one insert."""
PAYLOAD = orjson.dumps(
    {
        "caller": {"identity": "agent:report-bot", "kind": "workload", "groups": []},
        "request": {
            "subject": {"type": "agent", "id": "report-bot"},
            "on_behalf_of": [{"type": "user", "id": "alice"}],
            "action": {"name": "read"},
            "resource": {"type": "table", "id": "customers", "properties": {"tags": []}},
            "context": {},
        },
        "request_digest": "x" * 43,
        "details": {"reasons": [{"rule": "tables.read", "reason": "the table is open to its readers"}]},
    }
)
"""About what the payload of a decision is."""


def decision(payload: bytes = PAYLOAD) -> Entry:
    return entry(Kind.DECISION, payload, effect="ALLOW", rules=["tables.read"], policy_revision="f" * 64)


def chain(
    scribe: Scribe, writer: bytes, batches: int, records: int, payload: bytes = PAYLOAD
) -> Iterator[tuple[Batch, Sequence[Entry]]]:
    """A writer's chain of decisions."""
    last: Batch | None = None
    for _ in range(batches):
        entries = [decision(payload) for _ in range(records)]
        last = scribe.behind(last, *entries) if last else scribe.first(*entries, writer=writer)
        yield last, entries


def document(batch: Batch, entries: Sequence[Entry]) -> dict[str, Any]:
    """A batch as a server stores it."""
    return {
        "_id": {"writer": batch.writer, "seq": batch.seq},
        **{name: getattr(batch, name) for name in ("prev", "head", "signature", "leaves")},
        "records": list(batch.records),
        "payloads": [{"salt": held.salt, "payload": held.payload} for held in batch.payloads],
        "ids": ids_of(entries),
    }


async def grow(
    uri: str,
    database: str,
    key: Ed25519PrivateKey,
    writers: int,
    batches: int,
    records: int,
    payload: bytes = PAYLOAD,
    at_once: int = AT_ONCE,
) -> None:
    """Put so many writers into a log, each with so many batches of so many records."""
    scribe = Scribe(key)
    async with AsyncMongoClient[dict[str, Any]](uri, serverMonitoringMode="poll") as client:
        for number in range(writers):
            waiting = []
            for made in chain(scribe, b"long" + number.to_bytes(12, "big"), batches, records, payload):
                waiting.append(document(*made))
                if len(waiting) == at_once:
                    await client[database]["batches"].insert_many(waiting)
                    waiting = []
                    await asyncio.sleep(0)
            if waiting:
                await client[database]["batches"].insert_many(waiting)
