"""A server whose policy asks for whom a test says, and which knows all groups: its people's tokens name none."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pdp.dev.identity import AUDIENCE, USERS, key_path
from pdp.dev.stack import configuration
from pdp.identity_source import Issuer
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, GetApprovalResponse
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.review_pb2 import ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting, placet
from tests.tokens import Metadata, metadata

CHAT = "https://chat.placet.example"
RULES = """
package policy

# METADATA
# title: Whoever data.asked names
needs_approval contains object.union({"rule": rule, "reason": rule}, asked) if {
	some rule, asked in data.asked
}

deny contains {"rule": "closed", "reason": "closed"} if data.closed
"""
PEOPLE = {
    "groups": {
        "stewards": ["user:bob", "user:carol"],
        "board": ["user:bob", "user:dave"],
        "owners": ["user:alice", "user:bob"],
        "both": ["user:bob", "chat:U1"],
        "machines": ["user:bob", "agent:dev"],
    },
    "identities": {
        "agent:dev": {"owners": ["user:dev"]},
        "agent:report-bot": {"owners": ["user:alice"]},
        "chat:U1": {"same_as": ["user:bob"]},
    },
    "closed": False,
}
Asked = dict[str, dict[str, Any]]


class Needs:
    """`server` under a policy that `ask` changes."""

    def __init__(self, server: Placet, folder: Path) -> None:
        self.server, self._folder = server, folder

    async def ask(self, asked: Asked, **changes: Any) -> AuthorizeResponse:
        """Put the requirements into force, with other people where said, and ask."""
        await self.put(asked, **changes)
        return await self.server.authorize(exporting())

    async def put(self, asked: Asked, **changes: Any) -> None:
        """Return once the policy in force asks for exactly this."""
        before = await self._revision()
        text = json.dumps({**PEOPLE, **changes, "asked": asked}, indent=1)
        if text == (self._folder / "data.json").read_text():
            return
        (self._folder / "data.json").write_text(text)
        deadline = time.monotonic() + 20
        while await self._revision() == before:
            assert time.monotonic() < deadline, "the policy did not change"
            await asyncio.sleep(0.05)

    async def again(self, request: AuthorizeRequest, approval: Approval, by: str = "report-bot") -> AuthorizeResponse:
        """The same request with the approval to use."""
        named = AuthorizeRequest()
        named.CopyFrom(request)
        named.approval_id = approval.approval_id
        return await self.server.authorize(named, by)

    async def review(self, approval: Approval, identity: str, verdict: int = 1, **claims: Any) -> Approval:
        """A verdict of anybody, with any claims in the token."""
        by = self.by(identity, **claims)
        request = ReviewRequest(
            approval_id=approval.approval_id,
            expected_digest=approval.request_digest,
            expected_version=await self.server.version(approval, by),
            expected_lineage=UNSEEN,
            verdict=verdict,
            reason="read",
        )
        return (await self.server.reviews.Review(request, metadata=by)).approval

    async def seen(self, approval: Approval, identity: str, **claims: Any) -> GetApprovalResponse:
        """The approval as anybody sees it."""
        request = GetApprovalRequest(approval_id=approval.approval_id)
        return await self.server.approvals.GetApproval(request, metadata=self.by(identity, **claims))

    def by(self, identity: str, **claims: Any) -> Metadata:
        """A reviewer's token."""
        extra = {"iss": CHAT, **claims} if identity.startswith("chat:") else claims
        return metadata(self.server.state, identity, "reviewer", **extra)

    async def _revision(self) -> str:
        by = self.server.metadata("alice")
        return (await self.server.info.GetServerInfo(GetServerInfoRequest(), metadata=by)).policy_revision


@asynccontextmanager
async def needs(state: Path, mongod: MongodProcess, folder: Path) -> AsyncIterator[Needs]:
    """Users whose tokens bear departments and levels, the same people in a chat, and agents."""
    (folder / "policy.rego").write_text(RULES.lstrip())
    (folder / "data.json").write_text(json.dumps({**PEOPLE, "asked": {}}))
    config = configuration(state=state, listen="", policy=[folder], mongodb_uri=mongod.uri)
    agents = next(issuer for issuer in config.issuers if issuer.kind == "workload")
    issuers = (_people("user", USERS, state), _people("chat", CHAT, state), agents)
    async with placet(state, mongod.uri, policy=[folder], issuers=issuers) as server:
        yield Needs(server, folder)


def _people(kind: str, name: str, state: Path) -> Issuer:
    return Issuer(
        issuer=name,
        audience=AUDIENCE,
        type=kind,
        kind="person",
        jwks=key_path(state),
        roles_claim="roles",
        claims=("department", "level"),
    )
