"""Where a yes counts is the policy's word: frozen with the approval, asked again at its use. A no counts anywhere."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ReviewChannel
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, log, placet, refusal
from tests.pdp.steps import now, state_of, use, verdict

RULES = """package policy

needs_approval contains object.union(
	{"rule": "asked", "reason": "read it", "reviewers": {"groups": ["readers"]}},
	data.asked,
) if input.action.name == "share"

needs_approval contains object.union(
	{"rule": "bound", "reason": "read it", "reviewers": {"groups": ["readers"]}},
	object.get(input, ["context", "asked"], {}),
) if input.action.name == "copy"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
}


def written(folder: Path, **asked: Any) -> Path:
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps({**DATA, "asked": asked}))
    return folder


@pytest.fixture
async def servers(tmp_path: Path, state: Path, mongod: MongodProcess) -> AsyncIterator[tuple[Placet, Placet, Placet]]:
    """Three of one deployment: the policy as it was, and with another channel, and with a passkey."""
    policies = {"plain": {}, "web": {"channels": ["web"]}, "key": {"passkey": True}}
    folders = [[written(tmp_path / name, **asked)] for name, asked in policies.items()]
    async with (
        placet(state, mongod.uri, policy=folders[0]) as one,
        placet(state, mongod.uri, policy=folders[1], database=one.database) as web,
        placet(state, mongod.uri, policy=folders[2], database=one.database) as key,
    ):
        yield one, web, key


def bound(**asked: Any) -> AuthorizeRequest:
    return asking("copy", context={"run": uuid4().hex, "asked": asked})


def shared() -> AuthorizeRequest:
    return asking("share", context={"run": uuid4().hex})


async def refused(server: Placet, approval: Approval) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await server.review(approval, "bob")
    return refusal(error.value).code, refusal(error.value).reason


async def test_keys_of_the_policy_are_frozen_and_told(servers: tuple[Placet, Placet, Placet]) -> None:
    server, _, _ = servers
    opened = (await server.authorize(bound(channels=["web", "api"], passkey=True, remind=["2h", "30m"]))).approval
    [requirement] = opened.requirements
    assert list(requirement.channels) == [ReviewChannel.REVIEW_CHANNEL_API, ReviewChannel.REVIEW_CHANNEL_WEB]
    assert requirement.passkey
    assert [time.seconds for time in requirement.remind] == [1800, 7200]
    [plain] = (await server.authorize(bound())).approval.requirements
    assert list(plain.channels) == list(requirement.channels)
    assert (plain.passkey, list(plain.remind)) == (False, [])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [({"channels": ["web", "slack"]}, "CHANNEL_NOT_ALLOWED"), ({"passkey": True}, "PASSKEY_REQUIRED")],
)
async def test_yes_that_does_not_count_is_refused_and_a_no_counts(
    servers: tuple[Placet, Placet, Placet], asked: dict[str, Any], reason: str
) -> None:
    server, _, _ = servers
    opened = (await server.authorize(bound(**asked))).approval
    assert await refused(server, opened) == ("FAILED_PRECONDITION", reason)
    assert not (await now(server, opened)).reviews
    await verdict(server, opened, "DENY", server.metadata("bob"))
    denied = await now(server, opened)
    assert state_of(denied) == "DENIED"
    assert denied.reviews[0].channel == ReviewChannel.REVIEW_CHANNEL_API


@pytest.mark.parametrize("today", [1, 2], ids=["web", "key"])
async def test_policy_of_today_is_asked_where_the_yes_came_from(
    servers: tuple[Placet, Placet, Placet], today: int
) -> None:
    request = shared()
    approval = (await servers[0].authorize(request)).approval
    approved = await servers[0].review(approval, "bob")
    assert state_of(approved) == "APPROVED"
    answer = await use(servers[today], request, approved)
    assert (answer.effect, answer.reasons[0].rule) == (Effect.EFFECT_DENY, "pdp.approval_voided")


async def test_yes_is_used_where_the_policy_of_today_still_takes_it(servers: tuple[Placet, Placet, Placet]) -> None:
    request = shared()
    approved = await servers[0].review((await servers[0].authorize(request)).approval, "bob")
    assert (await use(servers[0], request, approved)).effect == Effect.EFFECT_ALLOW
    [reviewed] = [held for record, held in await log(servers[0], "approval.reviewed")]
    assert reviewed["channel"] == "api"


@pytest.mark.parametrize("asked", [{"channels": ["mail"]}, {"channels": []}, {"passkey": "yes"}, {"remind": ["24h"]}])
async def test_key_of_another_shape_is_policy_invalid(
    servers: tuple[Placet, Placet, Placet], asked: dict[str, Any]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await servers[0].authorize(bound(**asked))
    assert refusal(error.value).reason == "POLICY_INVALID"
