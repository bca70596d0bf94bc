"""A server tells people by e-mail, at the addresses of the policy's data."""

import json
from pathlib import Path

import pytest

from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from tests.mailbox import mailbox
from tests.parts import exporting, is_serving, placet
from tests.told import until


async def test_reviewer_with_an_address_in_the_data_gets_a_mail_and_the_requester_the_end(
    tmp_path: Path, state: Path, mongod: MongodProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "people"
    data.mkdir()
    contacts = {f"user:{name}": {"email": f"{name}@example.com"} for name in ("alice", "bob")}
    (data / "data.json").write_text(json.dumps({"contacts": contacts}))
    async with mailbox(tmp_path) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        async with placet(state, mongod.uri, policy=[rego(), data], mail=box.settings()) as server:
            held = await server.opened(exporting())
            await until(lambda: [to for to, _ in box.taken] == [["bob@example.com"]])
            await server.review(held, "bob", "DENY", reason="too much")
            await until(lambda: [to for to, _ in box.taken[1:]] == [["alice@example.com"]])
            assert await is_serving(server, "mail")
    asked, ended = (message.get_content() for _, message in box.taken)
    assert held.approval_id in asked
    assert "customers" not in asked + ended
    assert "> too much" in ended
