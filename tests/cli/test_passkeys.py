"""Passkeys at the terminal: who has which, and where a yes leads that needs one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from tests.authenticator import b64
from tests.cli.terminal import Terminal, without_anchors
from tests.parts import Placet, log, placet
from tests.pdp.passkeys import added, adding, begun, device_of, signed_review
from tests.pdp.workflow.test_signing import DATA, RULES, paying


@pytest.fixture
async def signing(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder = tmp_path / "signed"
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with placet(state, mongod.uri, policy=[folder]) as server:
        yield server


@pytest.fixture
def terminal(signing: Placet, tmp_path: Path) -> Terminal:
    own = without_anchors(signing.state, tmp_path)
    return Terminal(tmp_path, {"PDP_ADDRESS": signing.address, "PDP_STATE": own})


async def test_whoami_lists_the_passkeys_of_a_person(
    signing: Placet, terminal: Terminal, mongod: MongodProcess
) -> None:
    phone = device_of(signing)
    async with adding(signing, mongod) as (passkeys, keyrings):
        await added(passkeys, keyrings, phone, "user:bob")
    bob = await terminal("whoami", "--as", "bob", "-o", "table")
    assert f"passkey {b64(phone.id)}, added 2" in bob.out
    [one] = (await terminal("whoami", "--as", "bob")).json["passkeys"]
    assert one["addedAt"] == one["countsFrom"]
    assert "passkeys" not in (await terminal("whoami", "--as", "carol")).json
    assert "passkeys" not in (await terminal("whoami", "--as", "report-bot")).json


async def test_yes_that_needs_a_passkey_prints_the_page_and_exits_77(signing: Placet, terminal: Terminal) -> None:
    approval = (await signing.authorize(paying())).approval
    page = f"{signing.http}/inbox/approvals/{approval.approval_id}"
    approve = "approvals", "approve", approval.approval_id, "--as", "bob", "--yes"
    done = await terminal(*approve, "-o", "table")
    assert (done.status, done.out) == (77, f"{page}\n")
    assert "PASSKEY_REQUIRED: signed counts a yes only with your passkey" in done.err
    assert (await terminal(*approve)).json == {"page": page}


async def test_verification_says_how_many_reviews_passkeys_signed(
    signing: Placet, terminal: Terminal, mongod: MongodProcess
) -> None:
    phone = device_of(signing)
    async with adding(signing, mongod) as (passkeys, keyrings):
        await added(passkeys, keyrings, phone, "user:bob")
    approval = (await signing.authorize(paying())).approval
    asked = await begun(signing, approval, "bob")
    await signed_review(signing, approval, "bob", phone, asked.statement)
    assert await log(signing, "approval.reviewed")
    done = await terminal("audit", "verify", "--as", "dana", "-o", "table")
    assert (done.status, "1 reviews that their reviewers' passkeys signed" in done.err) == (0, True)
