"""Every test below this folder has a real Chromium. Without one it fails and says how to get it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.chromium import chromium


@pytest.fixture(scope="session")
async def windows() -> AsyncIterator[Browser]:
    """The Chromium of this worker; the server's fixture is `server`."""
    async with chromium() as browser:
        yield browser
