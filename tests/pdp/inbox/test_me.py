"""One's own page: what it lists, what one removes and chooses there, and who sees nothing of the kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.channels.ways import Way
from pdp.errors import EngineUnavailable
from pdp.inbox.preference_form import WORDS
from pdp.process.mongod import MongodProcess
from pdp.v1.person_pb2 import GetPreferencesRequest, ListLinksRequest, RemoveLinkRequest
from tests.browser import Shown, browser
from tests.parts import Placet, log, placet
from tests.pdp.accounts import linking
from tests.pdp.wire import refused
from tests.told import Chat, way

ACCOUNT = "slack:T1/U1"


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri) as running:
        yield running


async def test_link_is_listed_and_ends_by_a_button(own: Placet, mongod: MongodProcess) -> None:
    async with linking(own, mongod) as links, browser(own.http) as bob:
        assert "You have linked none" in (await bob.log_in("bob")).text
        await links.add("user:bob", ACCOUNT)
        me = await bob.get("/inbox/me")
        assert ACCOUNT in me.text
        done = await bob.post("/inbox/links/remove", {"form": me.hidden["form"], "account": ACCOUNT})
        assert (done.status, done.location) == (303, "/inbox/me")
        assert ACCOUNT not in (await bob.get("/inbox/me")).text
        again = await bob.post("/inbox/links/remove", {"form": me.hidden["form"], "account": ACCOUNT})
        assert again.status == 404
    [(_, ended)] = [held for held in await log(own) if held[0]["kind"] == "identity.unlinked"]
    assert (ended["identity"], ended["account"], ended["why"]) == ("user:bob", ACCOUNT, "person")


async def test_nobody_sees_or_ends_the_link_of_another(own: Placet, mongod: MongodProcess) -> None:
    bob, carol = own.metadata("bob"), own.metadata("carol")
    async with linking(own, mongod) as links, browser(own.http) as window:
        await links.add("user:bob", ACCOUNT)
        me = await window.log_in("carol")
        assert ACCOUNT not in me.text
        form = {"form": me.hidden["form"], "account": ACCOUNT}
        assert (await window.post("/inbox/links/remove", form)).status == 404
        assert not (await own.person.ListLinks(ListLinksRequest(), metadata=carol)).links
        gone = await refused(own.person.RemoveLink(RemoveLinkRequest(account=ACCOUNT), metadata=carol))
        assert gone.reason == "LINK_NOT_FOUND"
        [one] = (await own.person.ListLinks(ListLinksRequest(), metadata=bob)).links
        assert (one.account, one.linked_at.seconds > 0) == (ACCOUNT, True)
        await own.person.RemoveLink(RemoveLinkRequest(account=ACCOUNT), metadata=bob)
        assert not await links.held("user:bob")


@pytest.fixture(scope="module")
async def reached(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose mail knows bob, and whose Slack knows bob and carol."""
    ways = [way(Chat(name="mail"), "bob"), way(Chat(name="slack"), "bob", "carol")]
    async with placet(state, mongod.uri, ways=ways) as running:
        yield running


def choice(page: Shown, *ticked: str, hours: tuple[str, str, str] = ("", "", "")) -> dict[str, str]:
    """The form as a browser sends it."""
    own = {name: page.hidden[name] for name in ("form", "shown")}
    return {**own, **{f"channel_{name}": "on" for name in ticked}, **dict(zip(WORDS, hours, strict=True))}


async def chosen(server: Placet, person: str) -> tuple[list[str], str, bool]:
    found = await server.person.GetPreferences(GetPreferencesRequest(), metadata=server.metadata(person))
    return list(found.muted), found.quiet, found.HasField("chosen_at")


async def test_person_chooses_channels_and_quiet_hours_and_goes_back(reached: Placet) -> None:
    async with browser(reached.http) as bob, browser(reached.http) as carol:
        me = await bob.log_in("bob")
        assert [me.text.count(text) for text in ('name="channel_mail" checked', 'name="channel_slack" checked')] == [
            1,
            1,
        ]
        assert "channel_mail" not in (await carol.log_in("carol")).text
        done = await bob.post("/inbox/preferences", choice(me, "mail", hours=("22:00", "07:00", "Europe/Berlin")))
        assert (done.status, done.location) == (303, "/inbox/me")
        assert await chosen(reached, "bob") == (["slack"], "22:00-07:00 Europe/Berlin", True)
        again = await bob.get("/inbox/me")
        assert 'name="channel_mail" checked' in again.text
        assert 'name="channel_slack">' in again.text
        assert 'value="Europe/Berlin"' in again.text
        assert await chosen(reached, "carol") == ([], "", False)
        done = await bob.post("/inbox/preferences/reset", {"form": me.hidden["form"]})
        assert (done.status, done.location) == (303, "/inbox/me")
        assert await chosen(reached, "bob") == ([], "", False)
        assert "Go back to what" not in (await bob.get("/inbox/me")).text


async def test_field_that_is_wrong_is_named_and_the_words_stay(reached: Placet) -> None:
    async with browser(reached.http) as bob:
        me = await bob.log_in("bob")
        bad = await bob.post("/inbox/preferences", choice(me, "slack", hours=('10 "pm"', "07:00", "<b>Here</b>")))
        assert bad.status == 400
        assert [name in bad.text for name in ("<code>quiet_from</code>", "<code>quiet_zone</code>")] == [True, True]
        assert 'value="10 &#34;pm&#34;"' in bad.text
        assert "&lt;b&gt;Here&lt;/b&gt;" in bad.text
        assert 'name="channel_slack" checked' in bad.text
        assert 'name="channel_mail">' in bad.text
        assert (await bob.post("/inbox/preferences", choice(bad, "teams"))).status == 400
        for changes in ({"more": "1"}, {"channel_MAIL": "on"}):
            assert (await bob.post("/inbox/preferences", {**choice(me), **changes})).status == 400
        for missing in ("shown", "quiet_zone"):
            left = {name: text for name, text in choice(me).items() if name != missing}
            assert missing in (await bob.post("/inbox/preferences", left)).text
        assert await chosen(reached, "bob") == ([], "", False)


async def test_choice_needs_the_session_s_own_form(reached: Placet) -> None:
    async with browser(reached.http) as bob, browser(reached.http) as carol:
        me, hers = await bob.log_in("bob"), await carol.log_in("carol")
        stolen = {**choice(me, hours=("22:00", "07:00", "UTC")), "form": hers.hidden["form"]}
        refused = await bob.post("/inbox/preferences", stolen)
        assert refused.status == 403
        assert "22:00" in refused.text
        assert (await bob.post("/inbox/preferences", choice(me), Origin="https://evil.example")).status == 403
        assert (await bob.post("/inbox/preferences/reset", {"form": hers.hidden["form"]})).status == 403
        assert await chosen(reached, "bob") == ([], "", False)


class Away:
    """Addresses that follow from the policy, which does not answer."""

    async def of(self, _: str) -> str:
        raise EngineUnavailable("OPA did not answer in time")


async def test_page_without_an_answer_of_the_policy_shows_the_rest(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, ways=[Way(Chat(), Away())]) as server, browser(server.http) as bob:
        me = await bob.log_in("bob")
    assert (me.status, "You have linked none" in me.text, "Save how I am told" in me.text) == (200, True, False)
    assert "This cannot be shown now" in me.text
