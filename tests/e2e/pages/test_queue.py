"""The queue as it changes before somebody's eyes, and by keyboard, in a real Chromium."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.chromium import Reader, reader
from tests.parts import Placet, exporting, insisted, placet

LIVE = "Live: what changes is shown at once."
SOON_MS, MOST_SECONDS = 10_000, 5.0
"""An event is on screen within a second where nothing else runs; here others do."""


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server with a queue that nobody else fills."""
    async with placet(state, mongod.uri) as server:
        yield server


@pytest.fixture
async def bob(windows: Browser, own: Placet) -> AsyncIterator[Reader]:
    async with reader(windows, own, "bob") as window:
        yield window
        window.require_quiet()


async def opened(server: Placet) -> Approval:
    asked = exporting()
    return (await insisted(lambda: server.authorize(asked))).approval


async def reviewed(server: Placet, held: Approval, verdict: str = "DENY") -> None:
    await insisted(lambda: server.review(held, "carol", verdict, "read it"))


async def live(bob: Reader, path: str = "/inbox") -> None:
    assert await bob.open(path) == 200
    await expect(bob.page.locator("#connection")).to_have_text(LIVE, timeout=SOON_MS)


async def focused(bob: Reader) -> str:
    return str(await bob.page.evaluate("() => document.activeElement?.closest('li')?.id ?? document.activeElement?.id"))


async def test_request_is_on_screen_soon_after_it_was_asked_and_says_so(bob: Reader, own: Placet) -> None:
    await live(bob)
    began = time.monotonic()
    held = await opened(own)
    row = bob.page.locator(f"#{held.approval_id}")
    await expect(row).to_be_visible(timeout=SOON_MS)
    assert time.monotonic() - began < MOST_SECONDS
    await expect(bob.page.locator("#news")).to_have_text("1 new")
    await expect(row).to_contain_text("0 of 2")
    await reviewed(own, held, "APPROVE")
    await expect(row).to_contain_text("1 of 2", timeout=SOON_MS)
    assert await bob.violations() == []


async def test_what_left_stays_where_it_was_and_says_so(bob: Reader, own: Placet) -> None:
    held = await opened(own)
    await live(bob)
    await reviewed(own, held)
    row = bob.page.locator(f"#{held.approval_id}")
    await expect(row).to_contain_text("It no longer waits for you.", timeout=SOON_MS)
    assert "no longer waits for you" in await bob.page.inner_text("#news")
    assert await bob.violations() == []
    await bob.page.keyboard.press("?")
    assert await bob.violations() == []


async def test_update_moves_nothing_that_is_read_and_takes_no_focus_and_no_words(bob: Reader, own: Placet) -> None:
    gone, *_ = [await opened(own) for _ in range(12)]
    await bob.page.emulate_media(reduced_motion="reduce")  # else the focus is reached in a smooth scroll
    await live(bob)
    await bob.page.locator("#rows > li a").last.focus()
    marked = await focused(bob)
    last = bob.page.locator(f"#{marked}")
    before = await last.bounding_box()
    held = await opened(own)
    await reviewed(own, gone)
    await expect(bob.page.locator(f"#{held.approval_id}")).to_be_attached(timeout=SOON_MS)
    await expect(bob.page.locator(f"#{gone.approval_id}")).to_contain_text(
        "It no longer waits for you.", timeout=SOON_MS
    )
    after = await last.bounding_box()
    assert await focused(bob) == marked
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    await bob.page.keyboard.press("/")
    await bob.page.keyboard.type("half a wo")
    other = await opened(own)
    await expect(bob.page.locator(f"#{other.approval_id}")).to_be_attached(timeout=SOON_MS)
    assert await bob.page.input_value("#by-action") == "half a wo"
    assert await focused(bob) == "by-action"


async def test_keys_move_open_and_help_and_are_off_in_fields(bob: Reader, own: Placet) -> None:
    for _ in range(3):
        await opened(own)
    await live(bob)
    keys, rows = bob.page.keyboard, await bob.page.locator("#rows > li").evaluate_all("all => all.map(one => one.id)")
    walked = []
    for key in ("j", "j", "k", "k", "k"):
        await keys.press(key)
        walked.append(await focused(bob))
    assert walked == [rows[0], rows[1], rows[0], rows[0], rows[0]]
    await keys.press("?")
    await expect(bob.page.locator("dialog#keys")).to_be_visible()
    await keys.press("Escape")
    await expect(bob.page.locator("dialog#keys")).to_be_hidden()
    await keys.press("/")
    await keys.type("jkadsr?/")
    assert await bob.page.input_value("#by-action") == "jkadsr?/"
    assert await focused(bob) == "by-action"
    await bob.page.locator("#rows > li a").nth(1).focus()
    await keys.press("Enter")
    await bob.page.wait_for_url(f"**/inbox/approvals/{rows[1]}")


@pytest.mark.parametrize(("key", "part"), [("a", "#to-approve"), ("d", "#deny"), ("s", "#what"), ("r", "#revoking")])
async def test_key_opens_the_row_of_the_focus_where_its_action_is(
    bob: Reader, own: Placet, key: str, part: str
) -> None:
    held = await opened(own)
    await live(bob)
    await bob.page.keyboard.press(key)  # nothing has the focus
    await bob.page.locator(f"#{held.approval_id} a").focus()
    await bob.page.keyboard.press(key)
    await bob.page.wait_for_url(f"**/inbox/approvals/{held.approval_id}{part}")
    if key in "ds":
        await expect(bob.page.locator(part)).to_be_focused(timeout=SOON_MS)
    else:
        await expect(bob.page.locator("#why")).to_contain_text("read to the end", timeout=SOON_MS)
        assert await focused(bob) != "approve", "what is not read is not approved by one more key"


async def test_everything_is_reached_by_tab(bob: Reader, own: Placet) -> None:
    await opened(own)
    await live(bob)
    reached = set()
    for _ in range(80):
        await bob.page.keyboard.press("Tab")
        reached.add(await bob.page.evaluate("() => document.activeElement?.tagName + ' ' + document.activeElement?.id"))
    assert {"SUMMARY ", "A ", "BUTTON help"} <= reached


async def test_page_says_that_it_is_not_connected_where_the_network_is_silent(windows: Browser, own: Placet) -> None:
    async with reader(windows, own, "bob") as bob:
        await bob.page.clock.install()
        await live(bob)
        answers = [own.http + "/inbox/events"]
        await bob.page.route(answers[0], lambda route: route.abort())
        await bob.page.clock.fast_forward(41_000)
        await expect(bob.page.locator("#connection")).to_contain_text("Not connected", timeout=SOON_MS)


async def test_page_goes_on_where_it_was_after_the_server_was_away(
    windows: Browser, state: Path, mongod: MongodProcess
) -> None:
    async with AsyncExitStack() as stack:
        async with placet(state, mongod.uri) as first:
            bob = await stack.enter_async_context(reader(windows, first, "bob"))
            await live(bob)
        await expect(bob.page.locator("#connection")).to_contain_text("Not connected", timeout=SOON_MS)
        http = Http(listen=first.http.replace("http://localhost", "127.0.0.1"))
        async with placet(state, mongod.uri, database=first.database, http=http) as second:
            held = await opened(second)
            await expect(bob.page.locator(f"#{held.approval_id}")).to_be_visible(timeout=SOON_MS)


async def test_without_scripts_the_queue_is_a_page(windows: Browser, own: Placet) -> None:
    held = await opened(own)
    async with reader(windows, own, "bob", java_script_enabled=False) as bob:
        assert await bob.open("/inbox") == 200
        assert "This page shows what waited when it was opened." in await bob.text()
        assert await bob.page.locator(f"#{held.approval_id} a").count() == 1


async def test_tick_of_a_row_is_large_enough_for_a_finger(windows: Browser, own: Placet) -> None:
    held = await opened(own)
    async with reader(windows, own, "bob", look=((390, 844), "light")) as bob:
        await live(bob)
        box = await bob.page.locator(f"#{held.approval_id} input[type=checkbox]").bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
