"""A yes that the reviewer's passkey signs on the page, with the authenticator that Chromium has for tests."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf import json_format
from playwright.async_api import Browser, Route, expect

from pdp.inbox import verdict_form
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalReview
from tests.approvals_page import fields, path
from tests.authenticator import UP, Authenticator, b64, verdict_challenge
from tests.browser import Browser as PlainBrowser
from tests.browser import browser as plain_browser
from tests.chromium import Reader, reader
from tests.parts import Placet, asking, placet
from tests.pdp.passkeys import added, adding, device_of

RULES = """package policy

needs_approval contains {
	"rule": "signed",
	"reason": "sign it",
	"reviewers": {"groups": ["readers"]},
	"passkey": true,
} if input.action.name == "pay"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
}
PROGRAM = Path(__file__).parents[2] / "recompute.py"


@dataclass
class Stage:
    """A server whose policy wants passkeys, and bob's phone, which it knows."""

    server: Placet
    phone: Authenticator

    async def opened(self) -> Approval:
        asked = asking("pay", context={"run": uuid4().hex, "payee": "ACME \u202e"})
        return (await self.server.authorize(asked)).approval

    async def reviews(self, approval: Approval) -> list[ApprovalReview]:
        return list((await self.server.seen(approval, self.server.metadata("bob"))).reviews)


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("signed")
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with (
        placet(state, mongod.uri, policy=[folder]) as server,
        adding(server, mongod) as (passkeys, keyrings),
    ):
        phone = device_of(server)
        await added(passkeys, keyrings, phone, "user:bob")
        yield Stage(server, phone)


async def hold(person: Reader, phone: Authenticator, *, verified: bool = True) -> None:
    """Give the window this passkey. `verified` says that the person unlocks it."""
    devtools = await person.page.context.new_cdp_session(person.page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": verified, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    key = phone.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    held = {
        "credentialId": b64encode(phone.id).decode(), "isResidentCredential": False, "rpId": phone.host,
        "privateKey": b64encode(key).decode(), "signCount": phone.counter,
    }  # fmt: skip
    await devtools.send("WebAuthn.addCredential", {"authenticatorId": made["authenticatorId"], "credential": held})
    phone.counter += 10


def recomputed(given: dict[str, Any]) -> str:
    """What the other program says; a request has all of its members in canonical form."""
    request = given["request"]
    for part in (request["subject"], *request["on_behalf_of"], request["action"], request["resource"]):
        part.setdefault("properties", {})
    command = [sys.executable, "-I", PROGRAM]
    return subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True).stdout


async def approve(person: Reader, approval: Approval) -> None:
    await person.open(path(approval))
    await person.page.locator("#end").scroll_into_view_if_needed()
    await expect(person.page.locator("#why")).to_have_text("You have read to the end; you may approve.")
    await person.page.fill("#reason", "seen\nall of it")
    await person.page.click("#approve")


async def test_yes_that_a_passkey_signs_is_over_what_another_program_computes_from_the_request(
    windows: Browser, stage: Stage
) -> None:
    approval = await stage.opened()
    async with reader(windows, stage.server, "bob") as bob:
        await hold(bob, stage.phone)
        await approve(bob, approval)
        await expect(bob.page.get_by_text("signed by a passkey")).to_be_visible()
        bob.require_quiet()
        assert await bob.violations() == []
    seen = await stage.server.seen(approval, stage.server.metadata("bob"))
    [review] = seen.reviews
    assert review.reason == "seen\nall of it"
    given = {
        "request": json_format.MessageToDict(approval.request, preserving_proto_field_name=True),
        "realm": "dev",
        "approval": approval.approval_id,
        "version": 1,
        "lineage": seen.lineage.digest,
        "reason": review.reason,
        "reviewer": "user:bob",
        "nonce": json.loads(review.passkey.statement)["nonce"],
        "client_data": b64(review.passkey.client_data),
    }
    assert recomputed(given) == f"{review.passkey.statement}\nequal\n"


async def test_without_a_passkey_the_page_says_so_and_sends_nothing(windows: Browser, stage: Stage) -> None:
    approval = await stage.opened()
    async with reader(windows, stage.server, "carol") as carol:
        await approve(carol, approval)
        await expect(carol.page.locator("#why")).to_contain_text("with your passkey only, and you have none")
        assert await carol.page.input_value("#reason") == "seen\nall of it"
        await carol.page.click("#deny")
        await expect(carol.page.get_by_text("It is denied, so it takes no more approvals.")).to_be_visible()
    assert len(await stage.reviews(approval)) == 1


@pytest.mark.parametrize("member", ["digest", "verdict", "version", "reviewer", "reason", "approval", "lineage"])
async def test_page_signs_no_other_statement_than_its_own(windows: Browser, stage: Stage, member: str) -> None:
    approval = await stage.opened()

    async def lying(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        said = json.loads(told["statement"])
        said[member] = 2 if member == "version" else "other"
        await route.fulfill(response=answer, json={**told, "statement": json.dumps(said, separators=(",", ":"))})

    async with reader(windows, stage.server, "bob") as bob:
        await hold(bob, stage.phone)
        await bob.page.route("**/begin", lying)
        await approve(bob, approval)
        await expect(bob.page.locator("#why")).to_contain_text("the server wants another statement signed")
    assert not await stage.reviews(approval)


async def test_passkey_that_nobody_unlocks_signs_nothing(windows: Browser, stage: Stage) -> None:
    approval = await stage.opened()
    async with reader(windows, stage.server, "bob") as bob:
        await hold(bob, stage.phone, verified=False)
        await approve(bob, approval)
        await expect(bob.page.locator("#why")).to_contain_text("your passkey did not sign; try again")
        await expect(bob.page.locator("#approve")).to_be_enabled()
    assert not await stage.reviews(approval)


async def test_change_between_the_question_and_the_signature_is_told(windows: Browser, stage: Stage) -> None:
    approval = await stage.opened()
    async with reader(windows, stage.server, "bob") as bob:
        await hold(bob, stage.phone)
        await bob.page.route("**/inbox/events", lambda route: route.fulfill(status=204))
        await bob.open(path(approval))
        await stage.server.review(approval, "carol", "CHANGES_REQUESTED")
        await bob.page.locator("#end").scroll_into_view_if_needed()
        await bob.page.click("#approve")
        await expect(bob.page.locator("#why")).to_contain_text("this approval changed since it was displayed")
    assert len(await stage.reviews(approval)) == 1


async def begun(person: PlainBrowser, approval: Approval, **changes: str) -> dict[str, str]:
    """A form with what the page's script would send before the passkey is asked, and the statement to sign."""
    sent = await fields(person, approval, "APPROVE", **changes)
    asked = await person.post(path(approval, "/begin"), {name: sent[name] for name in ("form", *verdict_form.ASKED)})
    assert asked.status == 200, asked.text
    return {**sent, "statement": json.loads(asked.text)["statement"]}


@pytest.mark.parametrize(
    "attack", ["none", "no user", "other origin", "other device", "other words", "twice", "carol's"]
)
async def test_form_with_another_signature_than_this_verdicts_is_refused(stage: Stage, attack: str) -> None:
    approval, other = await stage.opened(), await stage.opened()
    async with plain_browser(stage.server.http) as bob, plain_browser(stage.server.http) as carol:
        await bob.log_in("bob")
        await carol.log_in("carol")
        form = await begun(bob, approval, reason="seen")
        device = Authenticator(origin=stage.server.http, host="localhost") if attack == "other device" else stage.phone
        changes = {"origin": "https://evil.example"} if attack == "other origin" else {}
        flags = {"flags": UP} if attack == "no user" else {}
        signed = device.get(verdict_challenge(form["statement"]), **flags, **changes)
        form |= {} if attack == "none" else signed
        form["statement"] = "" if attack == "none" else form["statement"]
        sender, target = bob, approval
        if attack == "other words":
            form["reason"] = "not what I signed"
        if attack == "carol's":
            sender, form = carol, {**form, "form": (await carol.get(path(approval))).hidden["form"]}
        if attack == "twice":
            assert (await bob.post(path(approval, "/review"), form)).status == 303
            again = await fields(bob, other, "APPROVE", reason="seen")
            form, target = {**again, **{name: form[name] for name in verdict_form.SIGNED}}, other
        refused = await sender.post(path(target, "/review"), form)
        assert refused.status == 409, refused.text
        assert "Nothing was done" in refused.text
        assert "passkey" in refused.text or "signed" in refused.text
    assert not await stage.reviews(target)
