"""Several requests on one page, in a real Chromium: all are read to their ends before all are approved."""

from urllib.parse import urlencode

from playwright.async_api import Browser, expect

from pdp.v1.approval_pb2 import Approval
from tests.chromium import Reader, reader
from tests.parts import Placet, exporting

READ = "You have read all to their ends; you may approve."


async def three(server: Placet) -> list[str]:
    return [(await server.authorize(exporting())).approval.approval_id for _ in range(3)]


def address(ids: list[str]) -> str:
    return f"/inbox/review-many?{urlencode(dict.fromkeys(ids, 'on'))}"


async def read_all(bob: Reader) -> None:
    for end in await bob.page.locator(".end").all():
        await end.scroll_into_view_if_needed()
    await expect(bob.page.locator("#why")).to_have_text(READ)


async def test_axe_finds_nothing_and_the_console_is_quiet(windows: Browser, server: Placet) -> None:
    async with reader(windows, server, "bob") as bob:
        assert await bob.open(address(await three(server))) == 200
        assert await bob.faults_in_each_look() == []
        bob.require_quiet()


async def test_chosen_in_the_queue_read_to_their_ends_and_approved(windows: Browser, server: Placet) -> None:
    ids = await three(server)
    async with reader(windows, server, "bob") as bob:
        await bob.open("/inbox?person=user:alice")
        await bob.page.locator("#rows").wait_for()
        for one in ids:
            await bob.page.locator(f"#{one} input").check()
        await bob.page.click("#choose")
        await bob.page.wait_for_url("**/inbox/review-many?*")
        await expect(bob.page.locator("#approve")).to_be_disabled()
        await read_all(bob)
        await bob.page.click("#approve")
        await expect(bob.page.get_by_text("your verdict is kept")).to_have_count(3)
        assert await bob.violations() == []
        bob.require_quiet()


async def test_changed_page_and_changed_request_are_not_approved(windows: Browser, server: Placet) -> None:
    ids = await three(server)
    async with reader(windows, server, "bob") as bob:
        await bob.open(address(ids))
        await read_all(bob)
        held = await server.seen(Approval(approval_id=ids[1]), server.metadata("carol"))
        await server.review(held, "carol")
        await expect(bob.page.locator("#why")).to_contain_text("Number 2 changed since this page was opened")
        await expect(bob.page.locator("#approve")).to_be_disabled()
        await bob.open(address(ids))
        await read_all(bob)
        await bob.page.evaluate("() => document.querySelectorAll('.lines dd bdi')[1].append('x')")
        await bob.page.click("#approve")
        await expect(bob.page.locator("#why")).to_contain_text("Nothing can be approved here")
