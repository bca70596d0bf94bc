"""Login and logout as a browser sees them, at the identity provider of `pdp dev`, and what attackers try."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pdp.dev.idp import COOKIE, Idp
from pdp.http.login import LOGIN_COOKIE, MOST_LOGINS, SESSION_COOKIE, back_of
from pdp.process.mongod import MongodProcess
from pdp.session import hashed
from tests.browser import Browser, Shown, browser
from tests.parts import Placet, log, placet
from tests.pdp.aged import age
from tests.pdp.mongo import database

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def idp(state: Path) -> Idp:
    return Idp(state)


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess, idp: Idp) -> AsyncIterator[Placet]:
    """A server of our own provider. Each browser has an address of its own, which may log in twenty times a minute."""
    async with placet(state, mongod.uri, demo=idp) as running:
        yield running


async def is_in(person: Browser) -> bool:
    return (await person.get("/inbox/me")).status == 200


async def at_the_provider(person: Browser, path: str = "/inbox/me") -> Shown:
    return await person.follow(await person.get(path))


async def test_a_person_logs_in_with_one_click_sees_who_it_is_and_leaves(own: Placet) -> None:
    async with browser(own.http) as bob:
        first = await bob.get("/inbox/me")
        assert (first.status, first.location) == (303, "/login?to=%2Finbox%2Fme")
        me = await bob.log_in("bob")
        assert me.status == 200
        assert "You are user:bob" in me.text
        assert "data-stewards" in me.text
        out = await bob.log_out()
        assert out.status == 200
        assert "You are logged out" in out.text
        assert not bob.cookie()
        assert not await is_in(bob)
        told = [(record["kind"], held) for record, held in await log(own) if record["kind"].startswith("session.")]
        assert [(kind, held["identity"]) for kind, held in told[-2:]] == [
            ("session.started", "user:bob"),
            ("session.ended", "user:bob"),
        ]
        assert told[-2][1]["session"] == told[-1][1]["session"]
        assert told[-1][1]["why"] == "logout"


async def test_cookies_are_out_of_reach_of_scripts_other_hosts_and_plaintext(own: Placet) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        sent = [value for shown in bob.seen for value in shown.headers.getall("Set-Cookie", [])]
    ours = [value for value in sent if not value.startswith(COOKIE)]
    assert {value.partition("=")[0] for value in ours} == {SESSION_COOKIE, LOGIN_COOKIE}
    for value in ours:
        assert set(value.split("; ")[1:]) - {"Max-Age=600"} == {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", value.partition("=")[2].partition(";")[0])


async def test_login_asks_with_pkce_state_and_nonce(own: Placet) -> None:
    async with browser(own.http) as bob:
        asked = (await bob.get("/login")).query
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert asked["redirect_uri"] == f"{own.http}/login/callback"


async def test_id_is_new_at_each_login_and_the_one_before_ends(own: Placet) -> None:
    async with browser(own.http) as bob, browser(own.http) as thief:
        bob.keep("a" * 43)  # fixed by an attacker
        thief.keep("a" * 43)
        await bob.log_in("bob")
        first = bob.cookie()
        assert first != "a" * 43
        assert not await is_in(thief)
        back = await bob.choose(await bob.follow(await bob.get("/login")), "bob")
        await bob.follow(back)
        assert bob.cookie() != first
        thief.keep(first)
        assert not await is_in(thief)


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/inbox",
        "//evil.example/inbox",
        "/\\evil.example",
        "/inbox//evil.example",
        "/inbox/../x",
        "/inboxes",
        "/login",
        "/access/v1/evaluation",
        "/inbox/a\r\nSet-Cookie: x=y",
        "/inbox/%2f%2fevil.example",
        "/inbox#@evil.example",
        "/inbox?a=/\\evil.example",
        "/\t/evil.example",
        "/inbox\t//evil.example",
        "/inbox/%5cevil.example",
        "/inbox/%09/evil.example",
        "/inbox/%2e%2e/login",
        "/inbox\n",
        "https:evil.example",
        "https:/evil.example/inbox",
        "\\\\evil.example",
        "//inbox/me",
        " /inbox",
        "/inbox/\u2044evil",
        "javascript:alert(1)",
        "",
    ],
)
def test_login_leads_back_to_a_page_and_nowhere_else(to: str) -> None:
    assert back_of(to) == "/inbox"


@pytest.mark.parametrize(
    "to", ["//evil.example", "/%5Cevil.example", "%2F%2Fevil.example", "/%09/evil.example", "/inbox/..%2F..%2Flogout"]
)
async def test_login_that_another_site_began_leads_to_the_inbox(own: Placet, to: str) -> None:
    async with browser(own.http) as bob:
        chooser = await bob.follow(await bob.get(f"/login?to={to}"))
        back = await bob.follow(await bob.choose(chooser, "bob"))
        assert back.url == f"{own.http}/inbox"
        assert {shown.location.partition("?")[0].removeprefix(own.http) for shown in bob.seen if shown.location} <= {
            "/dev/idp/authorize",
            "/login/callback",
            "/inbox",
        }


async def test_session_after_its_logout_opens_no_page_and_no_stream(own: Placet) -> None:
    async with browser(own.http) as bob, browser(own.http) as thief:
        await bob.log_in("bob")
        kept = bob.cookie()
        token = (await bob.get("/inbox/me")).hidden["form"]
        await bob.log_out()
        thief.keep(kept)
        for page in ("/inbox", "/inbox/me", "/inbox/history", "/inbox/approvals/apr_1"):
            assert (await thief.get(page)).location.startswith("/login?"), page
        assert (await thief.get("/inbox/events", Sec_Fetch_Mode="cors")).status == 401
        assert (await thief.post("/logout", {"form": token})).status == 401
        back = await thief.choose(await thief.follow(await thief.get("/login")), "carol")
        assert "You are user:carol" in (await thief.follow(back)).text or (await thief.get("/inbox/me")).status == 200
        assert thief.cookie() != kept, "a login gives another id"


async def test_login_leads_back_to_the_same_path_with_its_query(own: Placet) -> None:
    async with browser(own.http) as bob:
        me = await bob.log_in("bob", "/inbox/me?a=b%20c")
        assert me.url == f"{own.http}/inbox/me?a=b%20c"


async def test_callback_of_another_browser_logs_nobody_in(own: Placet) -> None:
    async with browser(own.http) as mallory, browser(own.http) as bob:
        back = await mallory.choose(await at_the_provider(mallory), "carol")
        for seen in (await bob.get(back.location), await bob.get(back.location)):
            assert seen.status == 403
        await at_the_provider(bob)  # now bob's browser has a login of its own
        assert (await bob.get(back.location)).status == 403
        assert not bob.cookie()
        assert await is_in(mallory) is False
        assert (await mallory.follow(back)).status == 200


async def test_callback_counts_once(own: Placet) -> None:
    async with browser(own.http) as bob:
        back = await bob.choose(await at_the_provider(bob), "bob")
        assert (await bob.get(back.location)).status == 303
        assert (await bob.get(back.location)).status == 403


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda url: re.sub(r"code=[^&]*", "code=x", url), 403),
        (lambda url: re.sub(r"code=[^&]*&", "", url), 403),
        (lambda url: re.sub(r"state=[^&]*", "state=x", url), 403),
        (lambda url: re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", url), 403),
        (lambda url: url + "&state=x", 400),
        (lambda url: re.sub(r"code=[^&]*", "error=access_denied", url), 403),
        (lambda url: re.sub(r"code=[^&]*", "error=%3Cscript%3E", url), 403),
    ],
)
async def test_altered_callback_logs_nobody_in(own: Placet, change: Callable[[str], str], status: int) -> None:
    async with browser(own.http) as bob:
        back = await bob.choose(await at_the_provider(bob), "bob")
        seen = await bob.get(change(back.location))
        assert seen.status == status
        assert "<script>" not in seen.text
        assert not bob.cookie()


async def test_code_of_another_login_is_no_use(own: Placet) -> None:
    """Carol's code, put into bob's callback: the provider holds it against bob's verifier."""
    async with browser(own.http) as bob, browser(own.http) as carol:
        theirs = await carol.choose(await at_the_provider(carol), "carol")
        mine = await bob.choose(await at_the_provider(bob), "bob")
        mixed = mine.location.replace(mine.query["code"], theirs.query["code"])
        assert (await bob.get(mixed)).status == 403
        assert not bob.cookie()


@pytest.mark.parametrize("place", ["image", "iframe", "empty"])
async def test_login_begins_in_a_window_and_other_pages_use_up_no_limit(server: Placet, place: str) -> None:
    async with browser(server.http) as person:
        for _ in range(MOST_LOGINS + 1):
            assert (await person.get("/login", **{"Sec-Fetch-Dest": place})).status == 403
        assert (await person.get("/login")).status == 303


async def test_twenty_logins_a_minute_from_one_address(own: Placet) -> None:
    async with browser(own.http) as bob:
        for _ in range(MOST_LOGINS):
            assert (await bob.get("/login")).status == 303
        refused = await bob.get("/login", X_Forwarded_For="198.51.100.7")
        assert refused.status == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60


async def test_old_claims_are_renewed_without_a_question_and_the_session_stays(
    own: Placet, mongod: MongodProcess
) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        kept = bob.cookie()
        await age(mongod, own, kept, renewed_at=HOUR, began_at=2 * HOUR)
        form = {"form": "x"}
        assert (await bob.post("/logout", form)).status == 401
        first = await bob.get("/inbox/me")
        asked = await bob.get(first.location)
        assert asked.query["prompt"] == "none"
        me = await bob.follow(asked)
        assert (me.status, me.url) == (200, f"{own.http}/inbox/me")
        assert bob.cookie() == kept
        async with database(mongod, own) as found:
            session = await found["sessions"].find_one({"_id": hashed(kept)})
            assert session is not None
            assert session["renewed_at"] - session["began_at"] > 2 * HOUR - timedelta(minutes=1)


async def test_session_that_the_provider_does_not_know_any_more_ends(own: Placet, mongod: MongodProcess) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        kept = bob.cookie()
        await age(mongod, own, kept, renewed_at=HOUR)
        bob.session.cookie_jar.clear(lambda cookie: cookie.key == COOKIE)
        chooser = await bob.follow(await bob.get("/inbox/me"))
        assert "Who are you?" in chooser.text
        async with database(mongod, own) as found:
            assert await found["sessions"].find_one({"_id": hashed(kept)}) is None
        assert (await log(own, "session.ended"))[-1][1]["why"] == "provider"


async def test_renewal_as_somebody_else_is_another_session(own: Placet, mongod: MongodProcess) -> None:
    async with browser(own.http) as shared:
        await shared.log_in("bob")
        kept = shared.cookie()
        chooser = await shared.follow(await shared.get("/login"))
        await shared.choose(chooser, "carol")  # at the provider alone: the way back is not gone
        await age(mongod, own, kept, renewed_at=HOUR)
        me = await shared.follow(await shared.get("/inbox/me"))
        assert "You are user:carol" in me.text
        assert shared.cookie() != kept


@pytest.mark.parametrize("member", ["sub", "sid"])
async def test_logout_at_the_provider_ends_it_in_every_process_at_once(
    own: Placet, state: Path, mongod: MongodProcess, idp: Idp, member: str
) -> None:
    async with (
        placet(state, mongod.uri, database=own.database, demo=Idp(state)) as other,
        browser(own.http) as bob,
        browser(other.http) as elsewhere,
        browser(own.http) as carol,
    ):
        await bob.log_in("bob")
        await carol.log_in("carol")
        elsewhere.keep(bob.cookie())
        assert await is_in(elsewhere)
        async with database(mongod, own) as found:
            session = await found["sessions"].find_one({"_id": hashed(bob.cookie())}) or {}
        token = idp.logout_token(**{member: "bob" if member == "sub" else session["sid"]})
        assert (await carol.send("POST", "/logout/backchannel", {"logout_token": token})).status == 200
        assert [await is_in(one) for one in (bob, elsewhere, carol)] == [False, False, True]


async def test_button_at_the_provider_tells_the_server(own: Placet) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        assert (await bob.post("/dev/idp/logout", {"person": "bob"})).status == 200
        assert not await is_in(bob)


async def test_what_is_no_logout_token_ends_nothing(own: Placet, state: Path, idp: Idp) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        another_client = Idp(state, client_id="another").logout_token(sub="bob")
        another_issuer = Idp(state, "https://another.example").logout_token(sub="bob")
        with_a_nonce = idp.logout_token(sub="bob", nonce="n")
        for token in ("", "x", another_client, another_issuer, with_a_nonce):
            answer = await bob.send("POST", "/logout/backchannel", {"logout_token": token})
            assert answer.status == 400
        assert await is_in(bob)


async def test_wrong_logout_tokens_are_limited_and_good_ones_are_not(own: Placet, idp: Idp) -> None:
    async with browser(own.http) as bob, browser(own.http) as stranger:
        await bob.log_in("bob")
        for _ in range(MOST_LOGINS + 2):
            token = {"logout_token": idp.logout_token(sub="carol")}
            assert (await bob.send("POST", "/logout/backchannel", token)).status == 200
        wrong = [await stranger.send("POST", "/logout/backchannel", {"logout_token": "x"}) for _ in range(22)]
        assert [one.status for one in wrong] == [400] * MOST_LOGINS + [429] * 2
        good = {"logout_token": idp.logout_token(sub="bob")}
        assert (await stranger.send("POST", "/logout/backchannel", good)).status == 429
        assert (await bob.send("POST", "/logout/backchannel", good)).status == 200
        assert not await is_in(bob)


async def test_link_scanners_change_nothing(own: Placet, mongod: MongodProcess) -> None:
    async with browser(own.http) as scanner, database(mongod, own) as found:
        before = [await found[name].count_documents({}) for name in ("sessions", "logins", "records")]
        for path in ("/inbox", "/inbox/me", "/inbox/approvals/apr_1"):
            await scanner.get(path)
            await scanner.send("HEAD", path)
        assert [await found[name].count_documents({}) for name in ("sessions", "logins", "records")] == before


async def test_tabs_that_log_in_at_one_time_do_not_break_each_other(own: Placet) -> None:
    async with browser(own.http) as bob:
        first = await at_the_provider(bob)
        second = await at_the_provider(bob)
        for chooser in (first, second):
            assert (await bob.follow(await bob.choose(chooser, "bob"))).status == 200


async def test_tabs_that_renew_at_one_time_stay_in(own: Placet, mongod: MongodProcess) -> None:
    async with browser(own.http) as bob:
        await bob.log_in("bob")
        await age(mongod, own, bob.cookie(), renewed_at=HOUR)
        tabs = [bob.get("/inbox/me") for _ in range(4)]
        shown = [await bob.follow(first) for first in await asyncio.gather(*tabs)]
        assert [one.status for one in shown] == [200] * 4
