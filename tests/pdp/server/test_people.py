"""An approval names its page where people can log in to see it."""

from pathlib import Path

import pytest

from pdp.config import Http, HttpLogin
from pdp.dev.identity import USERS
from pdp.process.mongod import MongodProcess
from tests.parts import exporting, placet
from tests.pdp.reads import seen

URL = "https://placet.example.com"


@pytest.mark.parametrize(("url", "has_login"), [(URL, True), (URL, False), ("", True)])
async def test_page_is_named_where_it_has_an_address_and_people_log_in(
    tmp_path: Path, state: Path, mongod: MongodProcess, url: str, *, has_login: bool
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s" * 32)
    secret.chmod(0o600)
    login = HttpLogin(issuer=USERS, client_id="inbox", client_secret=secret) if has_login else None
    http = Http(listen="127.0.0.1:0", public_url=url, login=login)
    async with placet(state, mongod.uri, http=http) as server:
        held = (await server.authorize(exporting())).approval
        found = await seen(server, held, server.metadata("bob"))
        assert found.page == (f"{URL}/inbox/approvals/{held.approval_id}" if url and has_login else "")
