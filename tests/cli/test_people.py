"""`pdp people end`: whoever left is let in by nothing that they had, in any process, and the log says so."""

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.dev.identity import AUDIENCE, USERS
from pdp.process.mongod import MongodProcess
from pdp.v1.person_pb2 import GetPreferencesRequest, SetPreferencesRequest
from tests.browser import browser
from tests.cli.terminal import Terminal
from tests.parts import Placet, log, placet
from tests.pdp.accounts import linking
from tests.pdp.passkeys import added, adding, device_of
from tests.told import Chat, way

CONFIGURATION = """
realm = "dev"
mongodb_uri = "{uri}"
database = "{database}"
policy = ["policy"]
audit_key = "{state}/keys/audit.jwk"
grant_key = "{state}/keys/grant.jwk"

[[issuers]]
issuer = "{users}"
audience = "{audience}"
type = "user"
kind = "person"
jwks = "{state}/keys/issuer.jwk"
"""
ACCOUNT = "slack:T1/U1"
NIGHT = "22:00-07:00 Europe/Berlin"


@pytest.fixture
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.fixture
def terminal(own: Placet, mongod: MongodProcess, tmp_path: Path) -> Terminal:
    text = CONFIGURATION.format(uri=mongod.uri, database=own.database, state=own.state, users=USERS, audience=AUDIENCE)
    assert tomllib.loads(text)
    (tmp_path / "placet.toml").write_text(text)
    return Terminal(tmp_path, {"PDP_STATE": str(tmp_path), "PDP_CONFIG": "placet.toml"})


async def test_all_of_one_person_ends_at_once_and_nothing_of_others(
    own: Placet, terminal: Terminal, mongod: MongodProcess
) -> None:
    async with (
        browser(own.http) as bob,
        browser(own.http) as phone,
        browser(own.http) as carol,
        linking(own, mongod) as links,
        adding(own, mongod) as (passkeys, keyrings),
    ):
        for window, person in ((bob, "bob"), (phone, "bob"), (carol, "carol")):
            await window.log_in(person)
        await links.add("user:bob", ACCOUNT)
        await links.add("user:carol", "slack:T1/U2")
        await added(passkeys, keyrings, device_of(own), "user:bob")
        for name in ("bob", "carol"):
            await own.person.SetPreferences(SetPreferencesRequest(quiet=NIGHT), metadata=own.metadata(name))
        done = await terminal("people", "end", "user:bob")
        assert (done.status, done.out) == (0, "ended of user:bob: sessions 2, links 1, passkeys 1, preferences 1\n")
        assert [(await window.get("/inbox/me")).status for window in (bob, phone, carol)] == [303, 303, 200]
        assert (await links.held("user:bob"), await passkeys.held("user:bob")) == ([], ())
        assert len(await links.held("user:carol")) == 1
        assert [await quiet(own, name) for name in ("bob", "carol")] == ["", NIGHT]
        again = await terminal("people", "end", "user:bob")
        assert again.out == "ended of user:bob: sessions 0, links 0, passkeys 0, preferences 0\n"
    told = [(record["kind"], held) for record, held in await log(own)]
    assert [held["why"] for kind, held in told if kind == "session.ended"] == ["operator"] * 2
    assert [held["why"] for kind, held in told if kind == "identity.unlinked"] == ["operator"]
    assert [held["identity"] for kind, held in told if kind == "passkey.removed"] == ["user:bob"]
    [last] = [held for kind, held in told if kind == "preference.changed" and held["after"] is None]
    assert (last["identity"], last["why"]) == ("user:bob", "operator")


async def quiet(server: Placet, name: str) -> str:
    return str((await server.person.GetPreferences(GetPreferencesRequest(), metadata=server.metadata(name))).quiet)


async def test_what_is_no_identity_and_what_is_no_deployment_is_said(terminal: Terminal) -> None:
    for identity in ("bob", ":bob", "user:"):
        assert (await terminal("people", "end", identity)).status == 2
    missing = await terminal("people", "end", "user:bob", "--config", "nothing.toml")
    assert missing.err.startswith("cannot read the configuration nothing.toml")


async def test_whoami_lists_the_chat_accounts_of_a_person(own: Placet, mongod: MongodProcess, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"PDP_ADDRESS": own.address, "PDP_STATE": str(own.state)})
    async with linking(own, mongod) as links:
        await links.add("user:bob", ACCOUNT)
    assert f"account {ACCOUNT}, linked 2" in (await terminal("whoami", "--as", "bob", "-o", "table")).out
    [one] = (await terminal("whoami", "--as", "bob")).json["links"]
    assert one["account"] == ACCOUNT
    for other in ("carol", "report-bot"):
        assert "links" not in (await terminal("whoami", "--as", other)).json


async def test_whoami_says_how_a_person_chose_to_be_told(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    async with placet(state, mongod.uri, ways=[way(Chat(name="mail")), way(Chat(name="slack"))]) as server:
        terminal = Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})
        assert "preferences" not in (await terminal("whoami", "--as", "bob")).json
        choice = SetPreferencesRequest(muted=["slack"], quiet=NIGHT)
        await server.person.SetPreferences(choice, metadata=server.metadata("bob"))
        table = await terminal("whoami", "--as", "bob", "-o", "table")
        assert f"told in mail, not in slack; quiet hours {NIGHT}; chosen 2" in table.out
        own = (await terminal("whoami", "--as", "bob")).json["preferences"]
        assert (own["channels"], own["muted"], own["quiet"]) == (["mail", "slack"], ["slack"], NIGHT)
        for other in ("carol", "report-bot"):
            assert "preferences" not in (await terminal("whoami", "--as", other)).json
