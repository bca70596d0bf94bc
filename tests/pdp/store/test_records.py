"""Lists read the log itself: newest first, by one index, each record once."""

import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.record import Entry, Kind, entry
from pdp.store.batches import Batches, ids_of
from pdp.store.database import Database
from pdp.store.records import Place, Records, condition
from tests.pdp.scribe import Scribe

SCRIBE = Scribe(Ed25519PrivateKey.generate())
APPROVAL = "apr_" + "1" * 32
PLACE = Place(bytes(range(16)), 3)


def some() -> list[Entry]:
    """A batch's records of several kinds and effects; of the last kind there is one in a while."""
    made = [entry(Kind.DECISION, effect=effect, rules=[f"of.{effect}"]) for effect in ("ALLOW", "DENY", "ALLOW")]
    review = entry(Kind.APPROVAL_REVIEWED, approval_id=APPROVAL)
    asking = entry(Kind.DECISION, effect="NEEDS_APPROVAL", approval_id=APPROVAL)
    return [*made, *random.choice(([], [review], [review, asking]))]


async def kept(database: Database) -> list[Entry]:
    """Sixty batches of two writers by turns; their records in the order of the log."""
    writers, made = [SCRIBE.first(*some(), writer=bytes([number]) * 16) for number in (1, 2)], list[Entry]()
    for number in range(60):
        entries = some()
        batch = writers[number % 2] = SCRIBE.behind(writers[number % 2], *entries)
        assert await Batches(database).insert(batch, ids_of(entries))
        made += entries
    return made


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"kind": "decision"},
        {"effect": "DENY"},
        {"kind": "decision", "effect": "NEEDS_APPROVAL"},
        {"kind": "approval.reviewed"},
        {"kind": "approval.reviewed", "effect": "DENY"},
        {"approval_id": APPROVAL},
        {"approval_id": APPROVAL, "kind": "decision"},
        {"kind": "export"},
    ],
    ids=str,
)
async def test_pages_together_are_the_records_that_were_asked_for(database: Database, asked: dict[str, str]) -> None:
    made, found, after = await kept(database), list[str](), None
    while page := await Records(database).page(**asked, after=after, limit=7):
        found += [listed.members["id"] for listed in page]
        after = Place.parse(str(page[-1].place))
    parts = [f'"{name}":"{value}"'.encode() for name, value in asked.items()]
    assert found == [one.id for one in reversed(made) if all(part in one.record for part in parts)]


@pytest.mark.parametrize("asked", [("", "", ""), ("mask", "", ""), ("", "DENY", ""), ("", "", APPROVAL)])
async def test_lists_are_in_order_by_their_index(database: Database, asked: tuple[str, str, str]) -> None:
    wanted = condition(*asked, PLACE)
    plan = str((await database.database["batches"].find(wanted).sort("newest", -1).explain())["queryPlanner"])
    assert "'indexName': 'listed'" in plan
    assert "'stage': 'SORT'" not in plan


async def test_what_was_planted_among_the_batches_is_left_out(database: Database) -> None:
    [record] = entries = [entry(Kind.DECISION, effect="ALLOW")]
    assert await Batches(database).insert(SCRIBE.first(*entries, writer=b"w" * 16), ids_of(entries))
    planted: list[dict[str, Any]] = [
        {"records": 7},
        {"records": [b"{", b"[]", b"{}", 7, b'{"id":7}']},
        {"records": [record.record], "newest": 7},
        {"records": [record.record], "newest": b"short"},
        {"records": [record.record], "newest": [b"x", {}]},
        {},
    ]
    for number, document in enumerate(planted):
        newest = {"newest": b"\xff" * 16, "marks": "every"} | document
        await database.database["batches"].insert_one({"_id": {"writer": b"p" * 16, "seq": number}, **newest})
    assert [listed.members["id"] for listed in await Records(database).page(limit=9)] == [record.id]


@pytest.mark.parametrize(
    "text", ["", "x", "rec_1.1", str(PLACE)[:-2], f"{PLACE}0000", f"{PLACE}.1", "rec_" + "1" * 32 + ".٣"]
)
def test_place_of_another_form_is_none(text: str) -> None:
    assert Place.parse(text) is None
    assert Place.parse(str(PLACE)) == PLACE
