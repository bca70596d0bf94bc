"""People's passkeys on a real database: who adds one, from when on it counts, and what planting one brings."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from pdp.errors import Conflict, NotFound
from pdp.passkey import MAX_PASSKEYS, PasskeySealer
from pdp.site import Site
from pdp.store.database import Database
from pdp.verdict_errors import PasskeyInvalid, PasskeyTooNew
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.told import Told
from tests.authenticator import ORIGIN, Authenticator, adding_challenge, b64
from tests.pdp.chain import KEY, recorded, writing
from tests.pdp.passkeys import added, let_in, registered

HOUR = timedelta(hours=1)


@pytest.fixture
async def keyrings(database: Database) -> AsyncIterator[Keyrings]:
    async with writing(database) as writer:
        yield Keyrings(database, writer, PasskeySealer(KEY, "dev"))


def people(keyrings: Keyrings, wait: timedelta = timedelta(), url: str = ORIGIN) -> Passkeys:
    return Passkeys(keyrings, Told(keyrings._writer), Site(url), wait)


async def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in await recorded(database)]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_passkey_is_added_after_a_fresh_login_and_recorded(
    keyrings: Keyrings, database: Database, algorithm: str
) -> None:
    passkeys, device = people(keyrings), Authenticator(algorithm)
    new = await added(passkeys, keyrings, device, "user:bob", minutes=4)
    assert await passkeys.held("user:bob") == (new,)
    assert not await passkeys.held("user:eve")
    assert (new.id, new.counts_from) == (b64(device.id), new.added_at)
    assert await kinds(database) == ["passkey.added"]


async def test_old_login_adds_none(keyrings: Keyrings) -> None:
    passkeys = people(keyrings)
    with pytest.raises(PasskeyInvalid, match="log in once more"):
        await added(passkeys, keyrings, Authenticator(), "user:bob", minutes=6)
    assert not await passkeys.held("user:bob")


async def test_passkey_of_a_login_counts_after_the_wait_and_one_that_another_let_in_at_once(keyrings: Keyrings) -> None:
    waiting, phone, key, third = people(keyrings, HOUR), Authenticator(), Authenticator(), Authenticator()
    first = await added(people(keyrings), keyrings, phone, "user:bob")
    assert (await added(waiting, keyrings, key, "user:bob")).counts_from - HOUR > first.counts_from
    with pytest.raises(PasskeyTooNew):
        await let_in(waiting, keyrings, third, key)
    new = await let_in(waiting, keyrings, third, phone)
    assert new.counts_from == new.added_at
    assert (await keyrings.of("user:bob")).find(first.id).counter == 1  # type: ignore[union-attr]


async def test_strangers_passkey_lets_none_in(keyrings: Keyrings) -> None:
    passkeys, mallory = people(keyrings), Authenticator()
    await added(passkeys, keyrings, Authenticator(), "user:bob")
    await added(passkeys, keyrings, mallory, "user:mallory")
    with pytest.raises(PasskeyInvalid, match="not one of your passkeys"):
        await let_in(passkeys, keyrings, Authenticator(), mallory)


async def test_passkey_that_signed_for_another_new_one_lets_none_in(keyrings: Keyrings) -> None:
    passkeys, phone, new = people(keyrings), Authenticator(), Authenticator()
    await added(passkeys, keyrings, phone, "user:bob")

    class Swapped(Authenticator):
        """What the page shows is another id than that of the passkey that comes in."""

        def get(self, _: bytes, **changes: Any) -> dict[str, str]:
            return phone.get(adding_challenge("nonce", "another"), **changes)

    with pytest.raises(PasskeyInvalid):
        await let_in(passkeys, keyrings, new, Swapped(id=phone.id))


async def test_nonce_is_of_one_person_and_counts_once(keyrings: Keyrings) -> None:
    passkeys, device = people(keyrings), Authenticator()
    asked, now = await passkeys.begin("user:bob"), await keyrings.now()
    answer = registered(device.create(adding_challenge(asked.nonce)))
    with pytest.raises(PasskeyInvalid, match="begin again"):
        await passkeys.add("user:eve", asked.nonce, answer, logged_in_at=now)
    with pytest.raises(PasskeyInvalid, match="begin again"):
        await passkeys.add("user:bob", asked.nonce, answer, logged_in_at=now)


async def test_there_are_ten_at_most_each_once_and_each_one_persons(keyrings: Keyrings) -> None:
    passkeys, device = people(keyrings), Authenticator()
    await added(passkeys, keyrings, device, "user:bob")
    with pytest.raises(PasskeyInvalid, match="already"):
        await added(passkeys, keyrings, device, "user:bob")
    with pytest.raises(Conflict):
        await added(passkeys, keyrings, device, "user:eve")
    for _ in range(MAX_PASSKEYS - 1):
        await added(passkeys, keyrings, Authenticator(), "user:bob")
    with pytest.raises(PasskeyInvalid, match="10 passkeys"):
        await added(passkeys, keyrings, Authenticator(), "user:bob")


async def test_removed_passkey_is_gone_at_once_and_recorded(keyrings: Keyrings, database: Database) -> None:
    passkeys = people(keyrings)
    new = await added(passkeys, keyrings, Authenticator(), "user:bob")
    with pytest.raises(NotFound):
        await passkeys.remove("user:eve", new.id)
    await passkeys.remove("user:bob", new.id)
    assert not await passkeys.held("user:bob")
    with pytest.raises(NotFound):
        await passkeys.remove("user:bob", new.id)
    assert await kinds(database) == ["passkey.added", "passkey.removed"]


async def test_of_two_at_once_both_are_told_what_became_of_theirs(keyrings: Keyrings) -> None:
    passkeys = people(keyrings)
    done = await asyncio.gather(
        *(added(passkeys, keyrings, Authenticator(), "user:bob") for _ in range(3)), return_exceptions=True
    )
    lost = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, Conflict) for one in lost)
    assert len(await passkeys.held("user:bob")) == len(done) - len(lost) >= 1


async def test_planted_passkey_is_refused_with_an_alarm(
    keyrings: Keyrings, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever writes to the database moves the passkey of another person, or signs with a key of its own."""
    passkeys, documents = people(keyrings), database.database["passkeys"]
    await added(passkeys, keyrings, Authenticator(), "user:mallory")
    document = await documents.find_one_and_delete({"_id": "user:mallory"})
    await documents.insert_one({**(document or {}), "_id": "user:bob"})
    with caplog.at_level(logging.ERROR):
        assert not await passkeys.held("user:bob")
    assert "stored passkeys were changed behind the servers' back" in caplog.text
    assert await kinds(database) == ["passkey.added", "error"]
    assert await documents.find_one({}) is None
    assert await added(passkeys, keyrings, Authenticator(), "user:bob")


async def test_planted_nonce_is_refused_with_an_alarm(keyrings: Keyrings, database: Database) -> None:
    passkeys, nonces = people(keyrings), database.database["nonces"]
    asked = await passkeys.begin("user:mallory")
    await nonces.update_one({}, {"$set": {"identity": "user:bob"}})
    answer = registered(Authenticator().create(adding_challenge(asked.nonce)))
    with pytest.raises(PasskeyInvalid, match="begin again"):
        await passkeys.add("user:bob", asked.nonce, answer, logged_in_at=await keyrings.now())
    assert await kinds(database) == ["error"]


async def test_server_without_pages_takes_none(keyrings: Keyrings) -> None:
    with pytest.raises(PasskeyInvalid, match="no pages"):
        await added(people(keyrings, url=""), keyrings, Authenticator(), "user:bob")
