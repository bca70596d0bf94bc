"""The page of a record in a real browser, and the way to it from the timeline, which auditors alone have."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from pdp.caller import Role
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.visible import quoted
from tests.approvals_page import HOSTILE, LONG, hostile, path
from tests.chromium import LOOKS, reader
from tests.faults import eventually
from tests.parts import Placet, exporting, placet


@pytest.fixture(scope="module")
async def audited(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which all people may review and audit."""
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    both = {"roles": (Role.REVIEWER, Role.AUDITOR)}
    issuers = tuple(one.model_copy(update=both) if one.kind == "person" else one for one in plain.issuers)
    async with placet(state, mongod.uri, issuers=issuers) as running:
        yield running


async def test_axe_finds_nothing_and_the_console_is_quiet(windows: Browser, server: Placet) -> None:
    decided = await server.authorize(hostile())
    async with reader(windows, server, "dana") as dana:
        assert await dana.open(f"/inbox/records/rec_{decided.decision_id[4:]}") == 200
        assert await dana.faults_in_each_look() == []
        text = await dana.text()
        assert "This record is in the log" in text
        assert [literal for literal in (LONG, *HOSTILE) if quoted(literal) not in text] == []
        dana.require_quiet()


async def test_timeline_leads_an_auditor_to_the_record_and_its_verification(windows: Browser, audited: Placet) -> None:
    held = (await audited.authorize(exporting())).approval
    async with reader(windows, audited, "bob", look=LOOKS[-1]) as bob:

        async def linked() -> bool:
            await bob.open(path(held))
            return await bob.page.locator('a[href^="/inbox/records/rec_"]').count() > 0

        assert await eventually(linked, seconds=20)
        await bob.page.locator('a[href^="/inbox/records/rec_"]').first.click()
        await expect(bob.page.get_by_role("heading", name="A record of the log")).to_be_visible()
        text = await bob.text()
        assert "This record is in the log that the audit key signed" in text
        assert held.approval_id in text
        bob.require_quiet()


async def test_timeline_leads_others_nowhere(windows: Browser, server: Placet) -> None:
    held = (await server.authorize(exporting())).approval
    async with reader(windows, server, "bob") as bob:
        await bob.open(path(held))
        assert "What happened" in await bob.text()
        assert await bob.page.locator('a[href^="/inbox/records"]').count() == 0
