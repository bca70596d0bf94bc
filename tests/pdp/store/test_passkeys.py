"""Passkeys and nonces as documents: changed by compare-and-set, taken once, read whatever stands there."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pdp.passkey import NONCE_COUNTS, Keyring, Nonce, PasskeySealer
from pdp.store.database import Database
from pdp.store.passkeys import StoredPasskeys
from tests.pdp.chain import KEY
from tests.pdp.test_passkey import ONE, TWO

OURS = PasskeySealer(KEY, "dev")
NONE = Keyring(identity="user:bob")


def keyring(*held: Any, identity: str = "user:bob") -> Keyring:
    return OURS.keyring(Keyring(identity=identity, held=held))


async def test_keyring_is_read_as_it_was_stored_and_gone_without_passkeys(database: Database) -> None:
    stored = StoredPasskeys(database)
    assert await stored.find("user:bob") == NONE
    assert await stored.replace(NONE, keyring(ONE, TWO))
    assert await stored.find("user:bob") == keyring(ONE, TWO)
    assert await stored.replace(keyring(ONE, TWO), keyring())
    assert await stored.find("user:bob") == NONE


async def test_keyring_that_has_changed_is_not_replaced(database: Database) -> None:
    stored = StoredPasskeys(database)
    done = await asyncio.gather(*(stored.replace(NONE, keyring(one)) for one in (ONE, TWO)))
    assert sorted(done) == [False, True]
    before = await stored.find("user:bob")
    assert await stored.replace(before, keyring(replace(ONE, counter=1)))
    assert not await stored.replace(before, keyring(replace(ONE, counter=2)))


async def test_passkey_belongs_to_one_person(database: Database) -> None:
    stored = StoredPasskeys(database)
    assert await stored.replace(NONE, keyring(ONE))
    assert not await stored.replace(Keyring(identity="user:eve"), keyring(ONE, identity="user:eve"))
    assert not (await stored.find("user:eve")).held


async def test_nonce_is_taken_once_and_in_time(database: Database) -> None:
    stored, now = StoredPasskeys(database), await database.now()
    fresh, old = (OURS.nonce(Nonce(id=name, identity="user:bob", bound="b", at=at)) for name, at in (
        ("fresh", now), ("old", now - NONCE_COUNTS)
    ))  # fmt: skip
    for nonce in (fresh, old):
        await stored.insert(nonce)
    assert sorted(map(bool, await asyncio.gather(*(stored.take("fresh") for _ in range(3))))) == [False, False, True]
    assert await stored.take("old") is None
    await stored.insert(replace(fresh, id="again", at=now + timedelta(minutes=1)))
    assert await stored.take("again") is not None


@pytest.mark.parametrize(
    "held", [None, "x", [None], [{}], [{"id": 1, "counter": "1", "added_at": 5, "algorithm": True}]], ids=str
)
async def test_what_no_server_wrote_is_read_as_what_nobody_signed(database: Database, held: Any) -> None:
    await database.database["passkeys"].insert_one({"_id": "user:bob", "held": held, "seal": keyring(ONE).seal})
    assert not OURS.is_ours(await StoredPasskeys(database).find("user:bob"))
