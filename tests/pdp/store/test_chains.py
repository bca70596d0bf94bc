"""The log is read in pieces: whole, behind places, of some writers, and with what somebody planted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.record import Kind, entry
from pdp.store import chains
from pdp.store.batches import Batches, ids_of
from pdp.store.chains import Chains
from pdp.store.database import Database
from pdp.v1.audit_pb2 import Batch
from tests.pdp.scribe import Scribe
from tests.pdp.specimens import records

SCRIBE = Scribe(Ed25519PrivateKey.generate())
A, B, C = (letter * 16 for letter in (b"a", b"b", b"c"))
UNKNOWN = b"x" * 16


@pytest.fixture
async def log(database: Database) -> dict[bytes, list[Batch]]:
    """Three writers with four, one and three batches."""
    return {writer: await grown(database, writer, count) for writer, count in ((A, 4), (B, 1), (C, 3))}


async def grown(database: Database, writer: bytes, count: int, size: int = 0) -> list[Batch]:
    made: list[Batch] = []
    for _ in range(count):
        entries = [entry(Kind.DECISION, b"x" * size)] if size else records()
        made.append(SCRIBE.behind(made[-1], *entries) if made else SCRIBE.first(*entries, writer=writer))
        assert await Batches(database).insert(made[-1], ids_of(entries))
    return made


async def read(database: Database, after: dict[bytes, int] | None = None, writers: Sequence[bytes] = ()) -> list[Batch]:
    return [batch async for piece in Chains(database).pieces(after, writers) for batch in piece]


async def test_whole_log_comes_writer_by_writer(database: Database, log: dict[bytes, list[Batch]]) -> None:
    assert await read(database) == [*log[A], *log[B], *log[C]]


async def test_of_a_known_writer_only_the_rest_comes_and_of_others_all(
    database: Database, log: dict[bytes, list[Batch]]
) -> None:
    assert await read(database, {A: 1, C: 2, UNKNOWN: 7}) == [*log[A][2:], *log[B]]
    assert await read(database, {A: -1, B: 0}) == [*log[A], *log[C]]
    assert await read(database, {A: 3, B: 0, C: 2}) == []


async def test_only_these_writers_come(database: Database, log: dict[bytes, list[Batch]]) -> None:
    assert await read(database, writers=[C, A]) == [*log[C], *log[A]]
    assert await read(database, {C: 0}, [C, UNKNOWN]) == log[C][1:]


async def test_newest_of_each_writer(database: Database, log: dict[bytes, list[Batch]]) -> None:
    assert [batch async for batch in Chains(database).newest()] == [log[A][-1], log[B][-1], log[C][-1]]


async def test_heads_of_places(database: Database, log: dict[bytes, list[Batch]]) -> None:
    found = await Chains(database).heads([(A, 3), (B, 0), (B, 1), (UNKNOWN, 0)])
    assert found == {(A, 3): log[A][3].head, (B, 0): log[B][0].head}


PLANTED: list[Any] = [
    7,
    "text",
    float("nan"),
    datetime(2026, 1, 1, tzinfo=UTC),
    {"seq": 1, "writer": A},
    {"writer": A, "seq": 1.5},
    {"writer": A, "seq": float("nan")},
    {"writer": A, "seq": "text"},
    {"writer": A, "seq": 1, "more": 1},
    {"writer": "text", "seq": 0},
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
async def test_what_was_planted_is_read_and_ends_no_reading(
    database: Database, log: dict[bytes, list[Batch]], planted: Any
) -> None:
    await database.database["batches"].insert_one({"_id": planted, "head": b"planted"})
    for found in (await read(database), await read(database, {C: 2}), await read(database, {A: 0, B: 0})):
        assert sum(batch.head == b"planted" for batch in found) == 1
    assert sum(map(len, log.values())) + 1 == len(await read(database))
    assert len([batch async for batch in Chains(database).newest()]) <= len(log) + 1


async def test_large_batches_behind_small_ones_come_in_small_pieces(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "MOST_BYTES", 40_000)
    small = await grown(database, A, 20)
    large = await grown(database, B, 20, size=15_000)
    pieces = [piece async for piece in Chains(database).pieces()]
    assert [batch for piece in pieces for batch in piece] == [*small, *large]
    assert max(sum(batch.ByteSize() for batch in piece) for piece in pieces) <= 40_000
    assert len(pieces) < 20
