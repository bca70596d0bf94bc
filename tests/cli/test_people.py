"""`pdp people end`: whoever left is let in by nothing that they had, in any process, and the log says so."""

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.dev.identity import AUDIENCE, USERS
from pdp.process.mongod import MongodProcess
from tests.browser import browser
from tests.cli.terminal import Terminal
from tests.parts import Placet, log, placet
from tests.pdp.accounts import linking
from tests.pdp.passkeys import added, adding, device_of

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
        done = await terminal("people", "end", "user:bob")
        assert (done.status, done.out) == (0, "ended of user:bob: sessions 2, links 1, passkeys 1\n")
        assert [(await window.get("/inbox/me")).status for window in (bob, phone, carol)] == [303, 303, 200]
        assert (await links.held("user:bob"), await passkeys.held("user:bob")) == ([], ())
        assert len(await links.held("user:carol")) == 1
        again = await terminal("people", "end", "user:bob")
        assert again.out == "ended of user:bob: sessions 0, links 0, passkeys 0\n"
    told = [(record["kind"], held) for record, held in await log(own)]
    assert [held["why"] for kind, held in told if kind == "session.ended"] == ["operator"] * 2
    assert [held["why"] for kind, held in told if kind == "identity.unlinked"] == ["operator"]
    assert [held["identity"] for kind, held in told if kind == "passkey.removed"] == ["user:bob"]


async def test_what_is_no_identity_and_what_is_no_deployment_is_said(terminal: Terminal) -> None:
    for identity in ("bob", ":bob", "user:"):
        assert (await terminal("people", "end", identity)).status == 2
    missing = await terminal("people", "end", "user:bob", "--config", "nothing.toml")
    assert missing.err.startswith("cannot read the configuration nothing.toml")
