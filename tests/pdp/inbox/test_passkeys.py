"""Passkeys on one's own page, over HTTP with an authenticator in software."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pdp.config import Http
from pdp.dev.idp import Idp
from pdp.process.mongod import MongodProcess
from pdp.session import hashed
from tests.authenticator import Authenticator, adding_challenge, b64
from tests.browser import Browser, Shown, browser
from tests.parts import Placet, log, placet
from tests.pdp.aged import held, session_sealer, written
from tests.pdp.mongo import database
from tests.pdp.passkeys import device_of

BEGIN, ADD, REMOVE = "/inbox/passkeys/begin", "/inbox/passkeys", "/inbox/passkeys/remove"


@pytest.fixture(scope="module")
def idp(state: Path) -> Idp:
    return Idp(state)


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, idp: Idp) -> AsyncIterator[Placet]:
    """A server on which a passkey counts after an hour."""
    async with placet(state, mongod.uri, http=Http(listen="127.0.0.1:0", passkey_wait="1h"), demo=idp) as running:
        yield running


@pytest.fixture
async def bob(own: Placet) -> AsyncIterator[Browser]:
    async with browser(own.http) as person:
        await person.log_in("bob")
        yield person


async def form(person: Browser) -> dict[str, str]:
    """The token of a form on one's own page."""
    return {"form": (await person.get("/inbox/me")).hidden["form"]}


async def begun(person: Browser) -> Shown:
    shown = await person.post(BEGIN, await form(person))
    assert shown.status == 200, shown.text
    return shown


async def add(person: Browser, device: Authenticator, signer: Authenticator | None = None, **changes: str) -> Shown:
    """Add the passkey of a device, as the page's script does."""
    fields = {**(await begun(person)).hidden}
    made = device.create(adding_challenge(fields["nonce"]))
    fields |= made
    if signer is not None:
        signed = signer.get(adding_challenge(fields["nonce"], b64(device.id)))
        fields |= {"by": signed.pop("credential_id"), **{f"by_{name}": value for name, value in signed.items()}}
    return await person.post(ADD, {**fields, **changes})


async def logged_in_long_ago(mongod: MongodProcess, own: Placet, person: Browser, minutes: int = 6) -> None:
    """As if the issuer had said so."""
    async with database(mongod, own) as found:
        session = held(await found["sessions"].find_one({"_id": hashed(person.cookie())}) or {})
        claims = orjson.loads(session.claims)
        claims["auth_time"] -= minutes * 60
        old = session_sealer(own).session(replace(session, claims=orjson.dumps(claims).decode()))
        await found["sessions"].replace_one({"_id": old.id}, written(old))


async def ends(own: Placet, mongod: MongodProcess) -> None:
    """No passkey is left."""
    async with database(mongod, own) as found:
        await found["passkeys"].delete_many({})


async def test_passkey_is_added_by_a_fresh_login_shown_and_removed(
    own: Placet, bob: Browser, mongod: MongodProcess
) -> None:
    device, before = device_of(own), bob.cookie()
    done = await add(bob, device)
    assert (done.status, done.location) == (303, "/inbox/me")
    assert bob.cookie() != before
    me = await bob.get("/inbox/me")
    assert b64(device.id) in me.text
    assert "it counts\nfrom" in me.text
    removed = await bob.post(REMOVE, {**await form(bob), "passkey": b64(device.id)})
    assert (removed.status, removed.location) == (303, "/inbox/me")
    assert b64(device.id) not in (await bob.get("/inbox/me")).text
    told = [record["kind"] for record, _ in await log(own)]
    assert [kind for kind in told if kind.startswith("passkey.")] == ["passkey.added", "passkey.removed"]
    await ends(own, mongod)


async def test_session_has_a_new_id_and_the_old_one_ends(own: Placet, bob: Browser, mongod: MongodProcess) -> None:
    old = bob.cookie()
    await add(bob, device_of(own))
    async with browser(own.http) as thief:
        thief.keep(old)
        assert (await thief.get("/inbox/me")).status == 303
    assert (await bob.get("/inbox/me")).status == 200
    ended = [held for record, held in await log(own) if record["kind"] == "session.ended"]
    assert ended[-1]["why"] == "passkey"
    await ends(own, mongod)


async def test_old_login_leads_to_a_new_one_which_the_provider_dates(
    own: Placet, bob: Browser, mongod: MongodProcess
) -> None:
    fields = (await begun(bob)).hidden
    await logged_in_long_ago(mongod, own, bob)
    me = await bob.get("/inbox/me")
    assert "Log in once more" in me.text
    late = await bob.post(ADD, {**fields, **device_of(own).create(adding_challenge(fields["nonce"]))})
    assert (late.status, "log in once more" in late.text) == (403, True)
    begun_late = await bob.post(BEGIN, await form(bob))
    assert begun_late.status == 403
    asked = await bob.get("/login?to=%2Finbox%2Fme&fresh=yes")
    assert asked.query["max_age"] == "300"
    assert "prompt" not in asked.query
    await bob.follow(await bob.choose(await bob.follow(asked), "bob"))
    assert (await add(bob, device_of(own))).status == 303
    await ends(own, mongod)


async def test_provider_that_takes_an_earlier_login_for_a_new_one_is_refused(bob: Browser, idp: Idp) -> None:
    before = bob.cookie()
    back = await bob.choose(await bob.follow(await bob.get("/login?to=%2Finbox%2Fme&fresh=yes")), "bob")
    old = {name: replace(code, login=replace(code.login, at=code.login.at - 600)) for name, code in idp._codes.items()}
    idp._codes = old
    done = await bob.follow(back)
    assert (done.status, "auth_time" in done.text) == (403, True)
    assert bob.cookie() == before


async def test_another_passkey_that_counts_lets_one_in_long_after_the_login(
    own: Placet, bob: Browser, mongod: MongodProcess
) -> None:
    phone, key, third = device_of(own), device_of(own), device_of(own)
    await add(bob, phone)
    await logged_in_long_ago(mongod, own, bob)
    waits = await bob.post(BEGIN, await form(bob))
    assert waits.status == 403, "it does not count yet"
    async with browser(own.http) as again:
        await again.log_in("bob")
        early = await add(again, key, signer=phone)
        assert (early.status, "counts from" in early.text) == (403, True)
    await ends(own, mongod)
    http = Http(listen="127.0.0.1:0", passkey_wait="0")
    served = placet(own.state, mongod.uri, database=own.database, http=http)
    async with served as at_once, browser(at_once.http) as person:
        await person.log_in("bob")
        phone = device_of(at_once)
        assert (await add(person, phone)).status == 303
        await logged_in_long_ago(mongod, own, person)
        assert (await add(person, replace(third, origin=at_once.http), signer=phone)).status == 303
    await ends(own, mongod)


@pytest.mark.parametrize(
    "changes",
    [{"nonce": "a" * 43}, {"client_data": "e30"}, {"by": "AAAA"}, {"attestation": ""}],
)
async def test_answer_of_no_device_is_refused_and_nothing_is_added(
    own: Placet, bob: Browser, changes: dict[str, str]
) -> None:
    before = bob.cookie()
    assert (await add(bob, device_of(own), **changes)).status == 403
    assert bob.cookie() == before
    assert "You have none" in (await bob.get("/inbox/me")).text


async def test_page_of_another_site_adds_and_removes_nothing(own: Placet, bob: Browser) -> None:
    fields = (await begun(bob)).hidden
    made = {**fields, **device_of(own).create(adding_challenge(fields["nonce"]))}
    for path, sent in ((BEGIN, {}), (ADD, made), (REMOVE, {"passkey": "x"})):
        token = {"form": fields["form"], **sent}
        assert (await bob.post(path, token, Origin="https://evil.example")).status == 403
        assert (await bob.post(path, {**token, "form": "x"})).status == 403
        assert (await bob.post(path, {**token, "form": fields["form"], "more": "x"})).status == 400


async def test_passkey_of_another_person_is_not_removed(own: Placet, bob: Browser, mongod: MongodProcess) -> None:
    device = device_of(own)
    await add(bob, device)
    async with browser(own.http) as carol:
        await carol.log_in("carol")
        gone = await carol.post(REMOVE, {**await form(carol), "passkey": b64(device.id)})
        assert gone.status == 404
    assert b64(device.id) in (await bob.get("/inbox/me")).text
    await ends(own, mongod)
