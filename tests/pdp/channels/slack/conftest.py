"""A server that is connected to a double of Slack, under a policy that asks in chat; bob and carol are linked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.caller import Role
from pdp.config import Http
from pdp.dev.slack.rules import texts
from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import Message, Opened
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.slack_settings import SlackSettings
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest
from tests.parts import Placet, asking, awake, log, placet
from tests.slack import APP, BOT, SECRET, TEAM, double

RULES = """package policy

needs_approval contains {
	"rule": "chat", "reason": "two who read it in chat", "count": 2,
	"channels": ["api", "web", "slack"], "reviewers": {"groups": ["readers"]},
} if input.action.name == "share"

needs_approval contains {
	"rule": "key", "reason": "with a passkey",
	"channels": ["slack", "web"], "passkey": true, "reviewers": {"groups": ["readers"]},
} if input.action.name == "sign"

needs_approval contains {
	"rule": "page", "reason": "on the page", "reviewers": {"groups": ["readers"]},
} if input.action.name == "export"
"""
PEOPLE = {
    "groups": {"readers": ["user:bob", "user:carol", "user:alice", "user:dave"]},
    "identities": {
        "agent:report-bot": {"owners": ["user:alice"]},
        "slack:T1/UBOB": {"same_as": ["user:bob"]},
        "slack:T1/UCAROL": {"same_as": ["user:carol"]},
        "slack:T1/UALICE": {"same_as": ["user:alice"]},
        "slack:T2/UGUEST": {"same_as": ["user:dave"]},
    },
}


@dataclass
class Chat:
    """The server, the double, and what people do there."""

    server: Placet
    slack: SlackDouble
    folder: Path

    async def asked(self, action: str = "share", **context: Any) -> Approval:
        """A request that waits. A test before may have made MongoDB slow, and left something unconfirmed."""
        await awake(self.server)
        request = asking(action, context={"run": uuid4().hex, **context})
        return await self.server.opened(request)

    async def noticed(self, approval: Approval | str, channel: str = "CSTEWARDS") -> Message:
        """A notice with our buttons, as anybody with the bot's token can post it."""
        name = approval if isinstance(approval, str) else approval.approval_id
        buttons = [
            {"type": "button", "action_id": f"placet.{one}", "text": {"type": "plain_text", "text": one}, "value": name}
            for one in ("review", "deny")
        ]
        blocks = [{"type": "actions", "elements": buttons}]
        self.slack.space.posted.clear()
        made = self.slack.space.call("chat.postMessage", {"channel": channel, "text": "waits", "blocks": blocks})
        return next(one for one in self.slack.space.messages if one.ts == made["ts"])

    async def opened(self, approval: Approval | str, user: str = "UBOB", button: str = "review") -> Opened:
        """The view that a click opens."""
        self.slack.space.views.clear()
        await self.slack.click(user, await self.noticed(approval), f"placet.{button}")
        return await until(lambda: self.slack.space.open_view(user))

    async def told(self, approval: Approval | str, user: str = "UBOB") -> str:
        """What a person is told privately after a click that opens nothing."""
        notice = await self.noticed(approval)
        self.slack.space.messages[:] = [one for one in self.slack.space.messages if not one.only]
        await self.slack.click(user, notice, "placet.review")
        return words((await self.whispered(user)).blocks)

    async def whispered(self, user: str) -> Message:
        """What one person is told alone."""
        return await until(lambda: next((one for one in self.slack.space.messages if one.only == user), None))

    async def sent(self, user: str = "UBOB", verdict: str = "APPROVE", reason: str = "read it") -> str:
        """What stands in the modal after a verdict."""
        view = self.slack.space.open_view(user)
        assert view is not None
        assert await self.slack.submit(user, verdict=verdict, reason=reason)
        return await self.after(view)

    async def after(self, view: Opened) -> str:
        """What stands in a modal once it is checked."""
        await until(lambda: "Placet checks it" not in words(view.view["blocks"]))
        return words(view.view["blocks"])

    async def refused(self, approval: Approval) -> list[Mapping[str, Any]]:
        """Why clicks on an approval were refused, by the log."""
        return [
            {"error": record["error"], **held}
            for record, held in await log(self.server, "channel.refused")
            if record.get("approval_id") == approval.approval_id
        ]

    async def state(self, approval: Approval) -> tuple[str, int]:
        """The state of an approval and how many reviewed it."""
        request = GetApprovalRequest(approval_id=approval.approval_id)
        held = (await self.server.approvals.GetApproval(request, metadata=self.server.metadata("report-bot"))).approval
        return ApprovalState.Name(held.state).removeprefix("APPROVAL_STATE_"), len(held.reviews)


async def until(found: Callable[[], Any]) -> Any:
    """Something that comes in a moment."""
    async with asyncio.timeout(60):
        while not (value := found()):
            await asyncio.sleep(0.01)
    return value


def words(blocks: Any) -> str:
    """Every text of blocks, in order, with one blank between words."""
    return " ".join(" ".join(texts(blocks)).split())


def secrets_in(folder: Path) -> dict[str, Path]:
    """Files with the app's secrets, which others cannot read."""
    made = {"bot_token": BOT, "app_token": APP, "signing_secret": SECRET}
    for name, text in made.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return {name: folder / name for name in made}


@asynccontextmanager
async def connected(
    state: Path, mongod: MongodProcess, folder: Path, *, socket: bool = True, slack: SlackDouble | None = None
) -> AsyncIterator[Chat]:
    folder.mkdir(exist_ok=True)
    policy = folder / "policy"
    policy.mkdir()
    (policy / "rules.rego").write_text(RULES)
    (policy / "data.json").write_text(json.dumps(PEOPLE))
    files = secrets_in(folder)
    transport = {"app_token": files["app_token"]} if socket else {"signing_secret": files["signing_secret"]}
    settings = SlackSettings(team=TEAM, bot_token=files["bot_token"], **transport)
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(
        one.model_copy(update={"roles": (Role.REVIEWER,)}) if one.kind == "person" else one for one in plain.issuers
    )
    async with AsyncExitStack() as stack:
        made = slack or await stack.enter_async_context(double())
        known = {"policy": [policy], "issuers": issuers, "slack": settings, "keeps_lineage": False}
        served = placet(state, mongod.uri, slack_host=made.url, http=Http(listen="127.0.0.1:0"), **known)
        server = await stack.enter_async_context(served)
        if socket:
            await until(lambda: made.sockets)
        else:
            made.request_url = f"{server.http}/slack/interactions"
        yield Chat(server, made, policy)


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("slack")) as made:
        yield made
