"""People are told where and when they chose, by the real carriers to a mail server and to a double of Slack."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from pdp.dev.slack.service import SlackDouble
from pdp.process.mongod import MongodProcess
from pdp.slack_settings import SlackSettings
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.person_pb2 import RemovePasskeyRequest, SetPreferencesRequest
from tests.authenticator import b64
from tests.faults import eventually
from tests.mailbox import Mailbox, mailbox
from tests.notify import due_now, notifications
from tests.parts import Placet, asking, placet
from tests.pdp.channels.slack.conftest import RULES, secrets_in
from tests.pdp.passkeys import added, adding, device_of
from tests.pdp.workflow.test_channels import written
from tests.slack import TEAM, Clock, double
from tests.told import Chat, until, way

NAMES = ("bob", "carol")
BOTH = {"bob": {"mail", "slack"}, "carol": {"mail", "slack"}}
PEOPLE = {
    "groups": {"readers": [f"user:{name}" for name in NAMES]},
    "identities": {
        "agent:report-bot": {"owners": ["user:alice"]},
        **{f"slack:{TEAM}/U{name.upper()}": {"same_as": [f"user:{name}"]} for name in NAMES},
    },
}


class Passing(Clock):
    """A clock that goes by itself, so that limits of a second end."""

    def __call__(self) -> float:
        return time.monotonic()


@dataclass
class Reached:
    """A server, and all that its people are told."""

    server: Placet
    slack: SlackDouble
    box: Mailbox

    async def chooses(self, name: str, *muted: str, quiet: str = "", reset: bool = False) -> None:
        """Choose, and hear of it on every channel, whatever was chosen before."""
        before = self.notes(name)
        asked = SetPreferencesRequest(muted=muted, quiet=quiet, reset=reset)
        await self.server.person.SetPreferences(asked, metadata=self.server.metadata(name))
        await until(lambda: self.notes(name) == {channel: count + 1 for channel, count in before.items()})

    def notes(self, name: str) -> dict[str, int]:
        """How often a person heard in each channel of what is the person's own."""
        words = "If that was not you"
        in_slack = [one for one in self.direct(name) if words in json.dumps(one)]
        in_mail = [text for text in self.mails(name) if words in " ".join(text.split())]
        return {"mail": len(in_mail), "slack": len(in_slack)}

    def direct(self, name: str) -> list[Sequence[object]]:
        return [one.blocks for one in self.slack.space.messages if one.channel == f"D{name.upper()}"]

    def mails(self, name: str) -> list[str]:
        return [message.get_content() for to, message in self.box.taken if to == [f"{name}@example.com"]]

    async def asked(self) -> dict[str, set[str]]:
        """Where each person was told of a new request, once all that was to be told is."""
        return await self.told_of(await self.server.opened(sharing()))

    async def told_of(self, held: Approval) -> dict[str, set[str]]:
        """The same of this request. Carol is told everywhere in every test, and after bob."""

        async def settled() -> dict[str, set[str]]:
            sent = await notifications(self.server, held.approval_id)
            found: dict[str, set[str]] = {}
            for one in sent:
                found.setdefault(one.to.removeprefix("user:"), set()).add(one.channel)
            is_over = found.get("carol") == BOTH["carol"] and all(one.state == "delivered" for one in sent)
            return found if is_over else {}

        return await eventually(settled, seconds=30)


@asynccontextmanager
async def reaching(
    state: Path, mongod: MongodProcess, folder: Path, monkeypatch: pytest.MonkeyPatch, quiet: str = ""
) -> AsyncIterator[Reached]:
    """Bob and carol have an address and an account; the data has quiet hours for carol if any are given."""
    policy = folder / "policy"
    policy.mkdir()
    (policy / "rules.rego").write_text(RULES)
    contacts = {f"user:{name}": {"email": f"{name}@example.com"} for name in NAMES}
    if quiet:
        contacts["user:carol"]["quiet"] = quiet
    (policy / "data.json").write_text(json.dumps({**PEOPLE, "contacts": contacts}))
    files = secrets_in(folder)
    settings = SlackSettings(team=TEAM, bot_token=files["bot_token"], app_token=files["app_token"])
    async with mailbox(folder) as box, double(Passing()) as slack:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        known = {"mail": box.settings(), "slack": settings, "slack_host": slack.url, "keeps_lineage": False}
        async with placet(state, mongod.uri, policy=[policy], **known) as server:
            yield Reached(server, slack, box)


def sharing() -> AuthorizeRequest:
    """What bob and carol review, unlike any other."""
    return asking("share", context={"run": uuid4().hex})


def around_now() -> str:
    """Quiet hours that have begun, and do not end soon."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M} UTC"


async def test_who_chose_only_mail_gets_no_slack_and_hears_of_changes_everywhere(
    tmp_path: Path, state: Path, mongod: MongodProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reaching(state, mongod, tmp_path, monkeypatch) as people:
        assert await people.asked() == BOTH
        await people.chooses("bob", "slack")
        assert await people.asked() == {**BOTH, "bob": {"mail"}}
        assert len(people.direct("bob")) == 1 + people.notes("bob")["slack"]
        await people.chooses("bob", reset=True)
        assert await people.asked() == BOTH


async def test_who_muted_everything_at_every_hour_still_hears_of_a_passkey_that_is_removed(
    tmp_path: Path, state: Path, mongod: MongodProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reaching(state, mongod, tmp_path, monkeypatch) as people:
        phone = device_of(people.server)
        async with adding(people.server, mongod) as (passkeys, keyrings):
            await added(passkeys, keyrings, phone, "user:bob")
        await people.chooses("bob", "mail", "slack", quiet=around_now())
        assert await people.asked() == {"carol": {"mail", "slack"}}
        gone = RemovePasskeyRequest(credential_id=phone.id)
        await people.server.person.RemovePasskey(gone, metadata=people.server.metadata("bob"))
        await until(lambda: people.notes("bob") == {"mail": 2, "slack": 2})
        assert "A passkey was removed from your account" in " ".join(people.mails("bob")[-1].split())
        assert b64(phone.id) not in people.mails("bob")[-1]


async def test_quiet_hours_are_those_that_a_person_chose_and_not_those_of_the_data(
    tmp_path: Path, state: Path, mongod: MongodProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reaching(state, mongod, tmp_path, monkeypatch, quiet=around_now()) as people:
        await people.chooses("bob", quiet=around_now())
        await people.chooses("carol")
        held = await people.server.opened(sharing())

        async def carol_is_told() -> bool:
            found = await notifications(people.server, held.approval_id)
            return {(one.to, one.state) for one in found} == {("user:carol", "delivered"), ("user:bob", "waiting")}

        await eventually(carol_is_told, seconds=30)
        await people.chooses("bob", reset=True)
        await due_now(mongod.uri, people.server)
        assert await people.told_of(held) == BOTH


async def test_channel_that_is_muted_before_a_message_leaves_gets_none(state: Path, mongod: MongodProcess) -> None:
    slow, other = Chat(), Chat(name="other")
    async with placet(state, mongod.uri, ways=[way(slow, "bob"), way(other, "bob")]) as server:
        bob = server.metadata("bob")
        await server.person.SetPreferences(SetPreferencesRequest(quiet=around_now()), metadata=bob)
        held = await server.opened(asking("export", ["pii"]))

        async def waits() -> bool:
            found = await notifications(server, held.approval_id)
            return [one.state for one in found] == ["waiting", "waiting"]

        await eventually(waits, seconds=60)
        await server.person.SetPreferences(SetPreferencesRequest(muted=["chat"]), metadata=bob)

        async def settled() -> bool:
            await due_now(mongod.uri, server)
            found = await notifications(server, held.approval_id)
            return {one.channel: one.state for one in found} == {"chat": "unneeded", "other": "delivered"}

        await eventually(settled, seconds=60)
        assert not slow.posted
        assert other.told(held.approval_id) == ["bob"]


async def test_reminder_goes_where_a_person_is_told_now(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    first, other = Chat(), Chat(name="other")
    policy = [written(tmp_path / "policy", remind=["5s", "8s"], count=2)]
    async with placet(state, mongod.uri, policy=policy, ways=[way(first, "bob"), way(other, "bob")]) as server:
        bob = server.metadata("bob")
        await server.person.SetPreferences(SetPreferencesRequest(muted=["other"]), metadata=bob)
        held = await server.opened(asking("share"))
        await until(lambda: first.told(held.approval_id) == ["bob"])
        await server.person.SetPreferences(SetPreferencesRequest(muted=["chat"]), metadata=bob)
        await until(lambda: other.told(held.approval_id) == ["bob"])
        await until(lambda: len(other.replied) == 1)
        assert (len(first.posted), first.replied) == (1, [])
