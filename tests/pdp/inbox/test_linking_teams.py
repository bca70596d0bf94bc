"""How a person links an account of Teams, by a login at a double of Entra, and how nobody else can."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pdp.assertion import linking_challenge
from pdp.process.mongod import MongodProcess
from pdp.session import Login, hashed
from tests.authenticator import Authenticator
from tests.browser import Browser, Shown, browser
from tests.entra import other_issuer
from tests.parts import log
from tests.pdp.aged import session_sealer
from tests.pdp.channels.teams.conftest import buttons, reads
from tests.pdp.inbox.test_passkeys import logged_in_long_ago
from tests.pdp.linking_teams import Stage, begun, confirm, shown, signed_in, staged
from tests.pdp.mongo import database
from tests.pdp.passkeys import added, adding, device_of
from tests.teams import APP, ELSEWHERE, PEOPLE, TENANT, account

DAVE = account("dave")


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(state, mongod, tmp_path_factory.mktemp("teams")) as running:
        yield running


@pytest.fixture
async def bob(own: Stage) -> AsyncIterator[Browser]:
    own.entra.more, own.entra.token = {}, ""
    async with browser(own.server.http) as person:
        await person.log_in("bob")
        yield person
    for link in await own.links.held("user:bob"):
        await own.links.remove("user:bob", link.account)


async def test_person_sees_both_names_confirms_and_reviews_in_teams(own: Stage, bob: Browser) -> None:
    approval = await own.chat.asked()
    assert "belongs to nobody here" in reads(await own.chat.opened(approval, "dave"))
    seen = await shown(bob)
    assert (seen.status, "user:bob" in seen.text, DAVE in seen.text) == (200, True, True)
    assert "&lt;b&gt;dave" in seen.text
    assert "In Teams you signed in as" in seen.text
    assert not await own.links.held("user:bob")
    done = await confirm(bob, seen)
    assert (done.status, done.location) == (303, "/inbox/me")
    assert [link.account for link in await own.links.held("user:bob")] == [DAVE]
    assert DAVE in (await bob.get("/inbox/me")).text
    linked = [held for _, held in await log(own.server, "identity.linked")]
    assert (linked[-1]["account"], linked[-1]["identity"]) == (DAVE, "user:bob")
    opened = await own.chat.opened(approval, "dave")
    assert "You act as user:bob" in reads(opened)
    assert "Recorded: APPROVE as user:bob" in reads(await own.chat.sent(buttons(opened)["Approve"], "dave"))


async def test_login_asks_entra_for_the_profile_with_pkce_as_the_bots_app(bob: Browser) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(await begun(bob)).query).items()}
    assert (asked["client_id"], asked["scope"], asked["code_challenge_method"]) == (APP, "openid profile", "S256")
    assert asked["state"] != asked["nonce"]


async def test_callback_of_another_session_links_nothing(own: Stage, bob: Browser) -> None:
    back = await signed_in(bob, await begun(bob))
    async with browser(own.server.http) as carol:
        await carol.log_in("carol")
        stolen = await carol.get(back)
        assert (stolen.status, "nothing was linked" in stolen.text) == (403, True)
    back = await signed_in(bob, await begun(bob))
    await bob.log_out()
    await bob.log_in("bob")
    assert (await bob.get(back)).status == 403, "another session of the same person in the same browser"
    back = await signed_in(bob, await begun(bob))
    async with browser(own.server.http) as nobody:
        assert (await nobody.get(back)).location.startswith("/login?"), "without a session"
    assert not await own.links.held("user:bob")


async def test_link_that_an_attacker_started_and_bob_clicks_links_nothing(own: Stage, bob: Browser) -> None:
    async with browser(own.server.http) as mallory:
        await mallory.log_in("alice")
        seen = await bob.get(await signed_in(bob, await begun(mallory)))
        assert (seen.status, "nothing was linked" in seen.text) == (403, True)
        theirs = await shown(mallory)
        mine = (await bob.get("/inbox/me")).hidden["form"]
        assert (await confirm(bob, theirs, form=mine)).status == 403, "shown to another session"
    assert not await own.links.held("user:bob")
    assert not await own.links.held("user:alice")


async def test_state_counts_once_and_a_code_with_its_own_state(own: Stage, bob: Browser) -> None:
    back = await signed_in(bob, await begun(bob))
    assert (await bob.get(back)).status == 200
    again = await bob.get(back)
    assert (again.status, "finished before" in again.text) == (403, True)
    first, second = await signed_in(bob, await begun(bob)), await begun(bob)
    code, state = (parse_qs(urlsplit(one).query) for one in (first, second))
    mixed = await bob.get(f"/login/teams?code={code['code'][0]}&state={state['state'][0]}")
    assert mixed.status == 403, "PKCE binds a code to its login"
    for query in ("", "?state=x&code=y", "?error=access_denied"):
        assert (await bob.get(f"/login/teams{query}")).status == 403
    assert not await own.links.held("user:bob")


async def test_sign_in_of_an_account_is_no_login_and_a_login_no_sign_in(bob: Browser) -> None:
    back = await signed_in(bob, await begun(bob))
    seen = await bob.get(back.replace("/login/teams", "/login/callback"))
    assert (seen.status, "logs nobody in" in seen.text) == (403, True)
    login = await bob.choose(await bob.follow(await bob.get("/login")), "bob")
    assert (await bob.get(login.location.replace("/login/callback", "/login/teams"))).status == 403


async def test_sign_in_at_slack_is_none_at_teams(own: Stage, bob: Browser, mongod: MongodProcess) -> None:
    """Though both may have begun in the same session."""
    back = await signed_in(bob, await begun(bob))
    state = hashed(parse_qs(urlsplit(back).query)["state"][0])
    async with database(mongod, own.server) as found:
        held = await found["logins"].find_one({"_id": state})
        assert held is not None
        assert held["use"] == f"teams:{hashed(bob.cookie())}"
        names = ("browser", "back", "renews", "at", "use")
        login = replace(Login(id=state, **{name: held[name] for name in names}), use=f"slack:{hashed(bob.cookie())}")
        sealed = session_sealer(own.server).login(login)
        await found["logins"].update_one({"_id": state}, {"$set": {"use": sealed.use, "seal": sealed.seal}})
    assert (await bob.get(back)).status == 403


async def test_account_has_one_person(own: Stage, bob: Browser) -> None:
    await own.links.add("user:carol", DAVE)
    done = await confirm(bob, await shown(bob))
    await own.links.remove("user:carol", DAVE)
    assert (done.status, "linked already" in done.text) == (403, True)
    assert not await own.links.held("user:bob")


async def test_account_that_the_data_gives_to_another_is_not_linked(own: Stage, bob: Browser) -> None:
    done = await confirm(bob, await shown(bob, "carol"))
    assert (done.status, "the policy&#39;s data gives this account to somebody else" in done.text) == (403, True)
    assert not await own.links.held("user:bob")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"tid": ELSEWHERE}, "another tenant of Microsoft"),
        ({"tid": None}, "names no account"),
        ({"tid": [TENANT]}, "names no account"),
        ({"oid": None}, "names no account"),
        ({"oid": 7}, "names no account"),
        ({"oid": "dave@example.com"}, "names no account"),
        ({"oid": f"{PEOPLE['bob']}/x"}, "names no account"),
        ({"idp": f"https://sts.windows.net/{ELSEWHERE}/"}, "as a guest of the tenant"),
        ({"idp": "live.com"}, "as a guest of the tenant"),
        ({"idp": [ELSEWHERE]}, "as a guest of the tenant"),
        ({"acct": 1}, "as a guest of the tenant"),
        ({"acct": "0"}, "as a guest of the tenant"),
        ({"aud": "another-client"}, "not for this server"),
        ({"aud": [APP, "x"], "azp": "x"}, "not for this server"),
        ({"nonce": "another"}, "not for this server"),
        ({"nonce": None}, "not for this server"),
        ({"exp": 1}, "not for this server"),
        ({"act": {"sub": "x"}}, "not for this server"),
    ],
)
async def test_token_for_something_else_links_nothing(
    own: Stage, bob: Browser, more: dict[str, Any], sentence: str
) -> None:
    own.entra.more = more
    seen = await shown(bob)
    assert (seen.status, sentence in seen.text, "nothing was linked" in seen.text) == (403, True, True), seen.text


async def test_member_who_says_so_is_no_guest(own: Stage, bob: Browser) -> None:
    for more in (
        {"acct": 0, "idp": own.entra.issuer},
        {"idp": f"https://sts.windows.net/{TENANT}/"},
        {"tid": TENANT.upper(), "oid": PEOPLE["dave"].upper()},
    ):
        own.entra.more = more
        seen = await shown(bob)
        assert (seen.status, seen.hidden["account"]) == (200, DAVE)


async def test_names_and_addresses_say_nothing(own: Stage, bob: Browser) -> None:
    own.entra.more = {"name": "user:carol", "preferred_username": "carol@example.com", "email": "carol@example.com"}
    own.entra.more |= {"upn": "carol@example.com", "sub": PEOPLE["carol"]}
    assert (await shown(bob)).hidden["account"] == DAVE


def forged(own: Stage, good: str) -> dict[str, str]:
    """What comes in the place of a good token."""
    entra, connector, carol = own.entra, own.chat.teams.token, {"tid": TENANT, "oid": PEOPLE["carol"], "sub": "x"}
    return {
        "none": entra.unsigned(good),
        "HS256": entra.by_public_key(good),
        "empty": entra.signed({}),
        "of the connector": connector(),
        "of the connector, for carol": connector(**carol, iat=1),
        "by the connector's key": connector(**carol, iss=entra.issuer),
        "altered": f"{good[:-8]}AAAAAAAA",
        "not a token": "x.y.z",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "none",
        "HS256",
        "empty",
        "of the connector",
        "of the connector, for carol",
        "by the connector's key",
        "altered",
        "not a token",
    ],
)
async def test_token_that_entra_did_not_sign_links_nothing(own: Stage, bob: Browser, kind: str) -> None:
    asked = parse_qs(urlsplit(address := await begun(bob)).query)
    good = own.entra.id_token("dave", {"nonce": asked["nonce"][0], "scope": "openid profile"})
    own.entra.token = forged(own, good)[kind]
    seen = await bob.get(await signed_in(bob, address))
    assert (seen.status, "not for this server" in seen.text) == (403, True)


async def test_token_of_another_tenant_by_the_same_keys_links_nothing(own: Stage, bob: Browser) -> None:
    """Entra signs for all tenants with the same keys."""
    own.entra.more = {"iss": other_issuer(own.entra.issuer, ELSEWHERE), "tid": ELSEWHERE}
    seen = await shown(bob)
    assert (seen.status, "not for this server" in seen.text) == (403, True)
    own.entra.more = {"iss": own.entra.issuer.replace("/v2.0", "")}
    assert (await shown(bob)).status == 403


async def test_id_token_is_no_token_of_the_connector(own: Stage, bob: Browser) -> None:
    """Both are for the same app."""
    asked = parse_qs(urlsplit(await begun(bob)).query)
    token = own.entra.id_token("dave", {"nonce": asked["nonce"][0], "scope": "openid profile"})
    approval = await own.chat.asked()
    data = {"msteams": {"type": "task/fetch"}, "placet": "review", "approval": approval.approval_id}
    status, _ = await own.chat.teams.send(own.chat.teams.activity("task/fetch", data), token)
    assert status == 401


@pytest.mark.parametrize("changes", [{"account": account("alice")}, {"at": "9999999999"}, {"offer": "x"}, {"at": "x"}])
async def test_altered_offer_links_nothing(own: Stage, bob: Browser, changes: dict[str, str]) -> None:
    assert (await confirm(bob, await shown(bob), **changes)).status == 403
    assert not await own.links.held("user:bob")


async def test_other_secret_of_the_app_is_read_for_the_next_login(own: Stage, bob: Browser) -> None:
    file, teams = own.chat.folder.parent / "teams_secret", own.chat.teams
    before, teams.secret = teams.secret, "another~secret"
    assert (await shown(bob)).status == 403
    file.write_text(teams.secret)
    assert (await shown(bob)).status == 200
    file.chmod(0o644)
    assert (await shown(bob)).status == 503, "a secret that others can read is not sent"
    file.write_text(before)
    file.chmod(0o600)
    teams.secret = before


async def signing(bob: Browser, device: Authenticator) -> Shown:
    seen = await shown(bob)
    signed = device.get(linking_challenge("dev", seen.hidden["nonce"], seen.hidden["account"]))
    by = {"by": signed.pop("credential_id"), **{f"by_{name}": value for name, value in signed.items()}}
    return await confirm(bob, seen, **by)


async def test_who_has_a_passkey_links_with_it(own: Stage, bob: Browser, mongod: MongodProcess) -> None:
    device = device_of(own.server)
    async with adding(own.server, mongod) as (passkeys, keyrings):
        await added(passkeys, keyrings, device, "user:bob")
    without = await confirm(bob, await shown(bob))
    assert (without.status, "only with it" in without.text) == (403, True)
    assert (await signing(bob, device_of(own.server))).status == 403
    assert not await own.links.held("user:bob")
    assert (await signing(bob, device)).status == 303
    assert await own.links.held("user:bob")
    async with database(mongod, own.server) as found:
        await found["passkeys"].delete_many({})


async def test_old_login_links_nothing_without_a_passkey(own: Stage, bob: Browser, mongod: MongodProcess) -> None:
    seen = await shown(bob)
    await logged_in_long_ago(mongod, own.server, bob)
    done = await confirm(bob, seen)
    assert (done.status, "log in once more" in done.text) == (403, True)
    assert "Log in once more to connect Teams" in (await bob.get("/inbox/me")).text
    assert not await own.links.held("user:bob")
