"""An approval names its page where people can log in to see it."""

from pathlib import Path

import pytest

from pdp.config import Http
from pdp.process.mongod import MongodProcess
from tests.parts import exporting, placet
from tests.pdp.reads import seen

URL = "https://placet.example.com"


@pytest.mark.parametrize("http", [Http(listen="127.0.0.1:0", public_url=URL), Http(listen="127.0.0.1:0"), None])
async def test_page_is_named_by_the_address_that_browsers_use(
    state: Path, mongod: MongodProcess, http: Http | None
) -> None:
    async with placet(state, mongod.uri, http=http) as server:
        held = (await server.authorize(exporting())).approval
        found = await seen(server, held, server.metadata("bob"))
        here = (http.public_url or server.http) if http else ""
        assert found.page == (f"{here}/inbox/approvals/{held.approval_id}" if here else "")
