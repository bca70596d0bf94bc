"""A server that is connected to a double of Teams, under a policy that asks there; people are linked by data."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.caller import Role
from pdp.channels.teams.cards import ASK, FETCH, NO, SUBMIT
from pdp.config import Http
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from pdp.teams_settings import TeamsSettings
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest
from tests.parts import Placet, asking, log, placet
from tests.teams import APP, SECRET, TENANT, TeamsDouble, account, double, words

RULES = """package policy

needs_approval contains {
	"rule": "chat", "reason": "two who read it in chat", "count": 2,
	"channels": ["api", "web", "teams"], "reviewers": {"groups": ["readers"]},
} if input.action.name == "share"

needs_approval contains {
	"rule": "key", "reason": "with a passkey",
	"channels": ["teams", "web"], "passkey": true, "reviewers": {"groups": ["readers"]},
} if input.action.name == "sign"

needs_approval contains {
	"rule": "slack", "reason": "in the other chat",
	"channels": ["web", "slack"], "reviewers": {"groups": ["readers"]},
} if input.action.name == "export"
"""
PEOPLE = {
    "groups": {"readers": ["user:bob", "user:carol", "user:alice", "user:dave"]},
    "identities": {
        "agent:report-bot": {"owners": ["user:alice"]},
        **{account(name): {"same_as": [f"user:{name}"]} for name in ("bob", "carol", "alice")},
    },
}


@dataclass
class Chat:
    """The server, the double, and what people do there."""

    server: Placet
    teams: TeamsDouble
    folder: Path

    async def asked(self, action: str = "share", **context: Any) -> Approval:
        request = asking(action, context={"run": uuid4().hex, **context})
        return await self.server.opened(request)

    async def opened(self, approval: Approval | str, who: str = "bob", kind: str = ASK, **changes: Any) -> Any:
        """The card of the dialog that a click opens."""
        named = approval if isinstance(approval, str) else approval.approval_id
        data = {"msteams": {"type": FETCH}, "placet": kind, "approval": named}
        return await self.shown(self.teams.activity(FETCH, data, who, **changes))

    async def denying(self, approval: Approval, who: str = "bob") -> Any:
        return await self.opened(approval, who, NO)

    async def sent(self, data: Mapping[str, Any], who: str = "bob", reason: str = "read it", **changes: Any) -> Any:
        """The card of the dialog after a verdict."""
        return await self.shown(self.teams.activity(SUBMIT, {**data, "reason": reason}, who, **changes))

    async def shown(self, activity: Any) -> Any:
        status, answer = await self.teams.send(activity)
        assert status == 200, answer
        assert answer["task"]["type"] == "continue"
        return answer["task"]["value"]["card"]["content"]

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


def buttons(card: Any) -> dict[str, Any]:
    """What each button of a card sends, by its title."""
    return {one["title"]: one.get("data", one.get("url")) for one in card.get("actions", ())}


def reads(card: Any) -> str:
    return words(card)


def secret_in(folder: Path, text: str = SECRET) -> Path:
    """A file with the app's secret, which others cannot read."""
    file = folder / "teams_secret"
    file.write_text(text)
    file.chmod(0o600)
    return file


@asynccontextmanager
async def connected(
    state: Path, mongod: MongodProcess, folder: Path, *, teams: TeamsDouble | None = None, **further: Any
) -> AsyncIterator[Chat]:
    policy = folder / "policy"
    policy.mkdir()
    (policy / "rules.rego").write_text(RULES)
    (policy / "data.json").write_text(json.dumps(PEOPLE))
    settings = TeamsSettings(app_id=APP, tenant=TENANT, secret=secret_in(folder))
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
    issuers = tuple(
        one.model_copy(update={"roles": (Role.REVIEWER,)}) if one.kind == "person" else one for one in plain.issuers
    )
    async with AsyncExitStack() as stack:
        made = teams or await stack.enter_async_context(double())
        known = {"policy": [policy], "issuers": issuers, "teams": settings, "keeps_lineage": False}
        known |= {"http": Http(listen="127.0.0.1:0"), **further}
        server = await stack.enter_async_context(placet(state, mongod.uri, microsoft=made.microsoft, **known))
        made.app_url = f"{server.http}/teams/messages"
        made.entra.redirect_uri = f"{server.http}/login/teams"
        yield Chat(server, made, policy)


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("teams")) as made:
        yield made
