"""One's own page: what it lists, what one removes there, and who sees nothing of the kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.person_pb2 import ListLinksRequest, RemoveLinkRequest
from tests.browser import browser
from tests.parts import Placet, log, placet
from tests.pdp.accounts import linking
from tests.pdp.wire import refused

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
