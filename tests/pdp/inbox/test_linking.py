"""How a person links an account of Slack, at a second identity provider that stands for it, and how nobody else can."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.assertion import linking_challenge
from pdp.process.mongod import MongodProcess
from tests.authenticator import Authenticator
from tests.browser import Browser, Shown, browser
from tests.parts import Placet
from tests.pdp.inbox.test_passkeys import logged_in_long_ago
from tests.pdp.linking import Stage, staged
from tests.pdp.mongo import database
from tests.pdp.passkeys import added, adding, device_of


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folders = tmp_path_factory.mktemp("policy"), tmp_path_factory.mktemp("slack")
    async with staged(state, mongod, *folders) as running:
        yield running


@pytest.fixture
async def bob(own: Stage) -> AsyncIterator[Browser]:
    own.idp.more = {}
    async with browser(own.server.http, own.slack.http) as person:
        await person.log_in("bob")
        yield person
    for link in await own.links.held("user:bob"):
        await own.links.remove("user:bob", link.account)


async def begun(person: Browser) -> str:
    """Press the button; where it leads."""
    me = await person.get("/inbox/me")
    shown = await person.post("/inbox/links/slack", {"form": me.hidden["form"]})
    assert shown.status == 200, shown.text
    [address] = re.findall(r'href="([^"]*/authorize[^"]*)"', shown.text)
    return html.unescape(address)


async def signed_in(person: Browser, address: str, name: str = "bob") -> str:
    """Sign in at Slack as somebody; where it leads back to."""
    return (await person.choose(await person.get(address), name)).location


async def shown(person: Browser, name: str = "bob") -> Shown:
    """What one is asked to confirm."""
    return await person.get(await signed_in(person, await begun(person), name))


async def confirm(person: Browser, seen: Shown, **changes: str) -> Shown:
    return await person.post("/inbox/links/slack/confirm", {**seen.hidden, **changes})


async def test_person_sees_both_names_and_confirms(own: Stage, bob: Browser) -> None:
    seen = await shown(bob, "carol")
    assert (seen.status, "user:bob" in seen.text, "slack:T1/UCAROL" in seen.text) == (200, True, True)
    assert "&lt;b&gt;carol" in seen.text
    assert not await own.links.held("user:bob")
    done = await confirm(bob, seen)
    assert (done.status, done.location) == (303, "/inbox/me")
    assert [link.account for link in await own.links.held("user:bob")] == ["slack:T1/UCAROL"]
    assert "slack:T1/UCAROL" in (await bob.get("/inbox/me")).text


async def test_callback_of_another_session_links_nothing(own: Stage, bob: Browser) -> None:
    back = await signed_in(bob, await begun(bob))
    async with browser(own.server.http, own.slack.http) as carol:
        await carol.log_in("carol")
        stolen = await carol.get(back)
        assert (stolen.status, "nothing was linked" in stolen.text) == (403, True)
    back = await signed_in(bob, await begun(bob))
    await bob.log_out()
    await bob.log_in("bob")
    assert (await bob.get(back)).status == 403, "another session of the same person in the same browser"
    assert not await own.links.held("user:bob")


async def test_link_that_an_attacker_started_and_bob_clicks_links_nothing(own: Stage, bob: Browser) -> None:
    async with browser(own.server.http, own.slack.http) as mallory:
        await mallory.log_in("alice")
        address = await begun(mallory)
        seen = await bob.get(await signed_in(bob, address))
        assert (seen.status, "nothing was linked" in seen.text) == (403, True)
        theirs = await shown(mallory)
        mine = (await bob.get("/inbox/me")).hidden["form"]
        assert (await confirm(bob, theirs, form=mine)).status == 403, "shown to another session"
    assert not await own.links.held("user:bob")
    assert not await own.links.held("user:alice")


async def test_sign_in_of_an_account_is_no_login_and_a_login_no_sign_in(bob: Browser) -> None:
    back = await signed_in(bob, await begun(bob))
    seen = await bob.get(back.replace("/login/slack", "/login/callback"))
    assert (seen.status, "logs nobody in" in seen.text) == (403, True)
    login = await bob.choose(await bob.follow(await bob.get("/login")), "bob")
    assert (await bob.get(login.location.replace("/login/callback", "/login/slack"))).status == 403


async def test_account_has_one_person(own: Stage, bob: Browser) -> None:
    await own.links.add("user:carol", "slack:T1/UBOB")
    done = await confirm(bob, await shown(bob))
    await own.links.remove("user:carol", "slack:T1/UBOB")
    assert (done.status, "linked already" in done.text) == (403, True)
    assert not await own.links.held("user:bob")


async def test_account_that_the_data_gives_to_another_is_not_linked(own: Stage, bob: Browser) -> None:
    done = await confirm(bob, await shown(bob, "dana"))
    assert (done.status, "the policy&#39;s data gives this account to somebody else" in done.text) == (403, True)
    assert not await own.links.held("user:bob")


@pytest.mark.parametrize(
    "more",
    [
        {"https://slack.com/team_id": "T2"},
        {"https://slack.com/team_id": 7},
        {"https://slack.com/user_id": "bob/../x"},
        {"https://slack.com/user_id": None},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"exp": 1},
    ],
)
async def test_token_for_something_else_links_nothing(own: Stage, bob: Browser, more: dict[str, Any]) -> None:
    own.idp.more = more
    assert (await shown(bob)).status == 403


@pytest.mark.parametrize("changes", [{"account": "slack:T1/UEVE"}, {"at": "9999999999"}, {"offer": "x"}, {"at": "x"}])
async def test_altered_offer_links_nothing(own: Stage, bob: Browser, changes: dict[str, str]) -> None:
    seen = await shown(bob)
    assert (await confirm(bob, seen, **changes)).status == 403
    assert not await own.links.held("user:bob")


async def signing(bob: Browser, device: Authenticator, **changes: str) -> Shown:
    seen = await shown(bob)
    fields = {**seen.hidden, **changes}
    signed = device.get(linking_challenge("dev", fields["nonce"], seen.hidden["account"]))
    by = {"by": signed.pop("credential_id"), **{f"by_{name}": value for name, value in signed.items()}}
    return await confirm(bob, seen, **by, **changes)


async def test_who_has_a_passkey_links_with_it(own: Stage, bob: Browser, mongod: MongodProcess) -> None:
    device = device_of(own.server)
    async with adding(own.server, mongod) as (passkeys, keyrings):
        await added(passkeys, keyrings, device, "user:bob")
    without = await confirm(bob, await shown(bob))
    assert (without.status, "only with it" in without.text) == (403, True)
    for other in (device_of(own.server), device_of(own.server, id=device.id)):
        assert (await signing(bob, other)).status == 403
    assert (await signing(bob, device, nonce="a" * 43)).status == 403
    assert not await own.links.held("user:bob")
    assert (await signing(bob, device)).status == 303
    assert await own.links.held("user:bob")
    async with database(mongod, own.server) as found:
        await found["passkeys"].delete_many({})


async def test_old_login_links_nothing_without_a_passkey(own: Stage, bob: Browser, mongod: MongodProcess) -> None:
    """Or else who stole a session would remove the passkeys first."""
    seen = await shown(bob)
    await logged_in_long_ago(mongod, own.server, bob)
    done = await confirm(bob, seen)
    assert (done.status, "log in once more" in done.text) == (403, True)
    assert "Log in once more to connect Slack" in (await bob.get("/inbox/me")).text
    assert not await own.links.held("user:bob")


async def test_server_without_sign_in_offers_none(server: Placet) -> None:
    async with browser(server.http) as dana:
        me = await dana.log_in("dana")
        assert "Connect " not in me.text
        for kind in ("slack", "teams"):
            assert f"/inbox/links/{kind}" not in me.text
            assert (await dana.get(f"/login/{kind}")).status == 404
