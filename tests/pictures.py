"""Takes the pictures of docs/pictures from a server of this checkout: `python -m tests.pictures`. Needs chromium."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page

from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.approvals_page import path
from tests.chromium import chromium, reader
from tests.parts import Placet, exporting, placet

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
PHONE = (390, 844)
CONTEXT = {"destination": "s3://partner-acme/in", "rows": 5000, "purpose": "churn model"}


async def main() -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "state").mkdir()
        (home / "data").mkdir()
        async with (
            MongodProcess(toolcache.mongod(), home / "data", say=print, test_commands=True) as mongod,
            placet(home / "state", mongod.uri) as server,
            chromium() as windows,
        ):
            await taken(windows, server)


async def taken(windows: Browser, server: Placet) -> None:
    """The queue; the page of an approval, by day on a phone, and by night at its end."""
    why = "The partner trains the model on it; as agreed in March."
    asked = exporting(context=CONTEXT, justification=why)
    approval = (await server.authorize(asked)).approval
    await server.review(approval, "carol", reason="The contract covers it.")
    others = [("q3", "s3://partner-acme/in"), ("q4", "s3://board/reports")]
    for quarter, destination in others:
        context = {"destination": destination, "rows": 120, "quarter": quarter}
        await server.authorize(exporting(context=context))
    async with reader(windows, server, "bob", look=((1000, 620), "light")) as bob:
        await bob.open("/inbox")
        await bob.page.get_by_text("Live: what changes").wait_for()
        await kept(bob.page, "queue")
    async with reader(windows, server, "bob", look=(PHONE, "light")) as bob:
        await bob.open(path(approval))
        await kept(bob.page, "approval-phone")
    async with reader(windows, server, "bob", look=((1000, 700), "dark")) as bob:
        await bob.open(path(approval))
        await bob.page.locator("#end").scroll_into_view_if_needed()
        await bob.page.locator("#approve:enabled").scroll_into_view_if_needed()
        await kept(bob.page, "approval-end")


async def kept(page: Page, name: str) -> None:
    """Write what is on the screen."""
    FOLDER.mkdir(exist_ok=True)
    await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    asyncio.run(main())
