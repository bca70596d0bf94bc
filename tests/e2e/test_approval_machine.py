"""Everybody acts on an approval at once, on a MongoDB whose primary changes: a model says what must hold."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pdp.policy.sources import rego
from pdp.v1.approval_pb2 import Approval, CancelApprovalRequest, GetApprovalRequest
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.review_pb2 import RevokeApprovalRequest, TakeBackDenialRequest
from tests.approval_model import Model
from tests.faults import verified_log
from tests.parts import Placet, exporting, placet
from tests.replica import Replicas, replicas

ACTORS = 8
REVIEWERS = ("bob", "carol")
REVIEWS = ("approve", "deny", "send back", "self-review", "take back")
ACTS = (*REVIEWS, "use", "retry", "revoke", "cancel", "look", "policy", "owner")
RARE = ("step down",)
BRIEF = "brief"
acts = st.lists(
    st.lists(
        st.tuples(st.sampled_from((*ACTS, "approve", "approve", "use", "retry", *RARE)), st.sampled_from(REVIEWERS)),
        min_size=1,
        max_size=ACTORS,
    ),
    min_size=1,
    max_size=6,
)


class World:
    """Two servers of one deployment, the policy folder that both read, and the replica set under them."""

    def __init__(self, servers: Sequence[Placet], policy: Path, three: Replicas) -> None:
        self.servers, self.policy, self.three = servers, policy, three
        self.turn = 0

    def server(self) -> Placet:
        self.turn += 1
        return self.servers[self.turn % len(self.servers)]

    def edit(self, change: Any) -> None:
        """Change the policy's data as an author does; both servers load it as it is saved."""
        file = self.policy / "data.json"
        data = json.loads(file.read_text())
        change(data)
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(data))
        beside.replace(file)

    async def act(self, act: str, who: str, request: AuthorizeRequest, held: Approval, model: Model) -> None:
        """One act of one actor; what the server refuses changes nothing, and what it does not answer may have."""
        server, began = self.server(), time.monotonic()
        try:
            if act in REVIEWS:
                await self._review(server, act, who, held, model)
            elif act in {"use", "retry"}:
                again = AuthorizeRequest()
                again.CopyFrom(request)
                again.approval_id = held.approval_id
                again.request_id = "retried" + held.approval_id if act == "retry" else uuid4().hex
                again.attempt_id = f"{act}-{held.approval_id}" if act == "retry" else uuid4().hex
                answer = await server.authorize(again, timeout=10)
                model.used(answer, began, time.monotonic())
            elif act == "revoke":
                asked = RevokeApprovalRequest(approval_id=held.approval_id, reason="stop")
                after = await server.reviews.RevokeApproval(asked, metadata=server.metadata(who), timeout=10)
                model.seen(after.approval, time.monotonic())
            elif act == "cancel":
                cancel = CancelApprovalRequest(approval_id=held.approval_id)
                gone = await server.approvals.CancelApproval(cancel, metadata=server.metadata("report-bot"), timeout=10)
                model.seen(gone.approval, time.monotonic())
            elif act == "look":
                model.seen(await found(server, held), time.monotonic())
            elif act == "policy":
                self.edit(lambda data: data["requirements"]["pii"]["export"].update(count=2 + self.turn % 2))
            elif act == "owner":
                self.edit(lambda data: data["identities"]["agent:report-bot"].update(owners=[f"user:{who}"]))
            else:
                await self.three.step_down()
        except grpc.aio.AioRpcError as error:
            if error.code() in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}:
                raise

    async def _review(self, server: Placet, act: str, who: str, held: Approval, model: Model) -> None:
        if act == "take back":
            taking = TakeBackDenialRequest(approval_id=held.approval_id)
            back = await server.reviews.TakeBackDenial(taking, metadata=server.metadata(who), timeout=10)
            model.taken_back(f"user:{who}", back.approval, time.monotonic())
            return
        verdicts = {"deny": "DENY", "send back": "CHANGES_REQUESTED"}
        by = "alice" if act == "self-review" else who
        verdict = verdicts.get(act, "APPROVE")
        after = await server.review(held, by, verdict)
        model.reviewed(f"user:{by}", verdict, after, time.monotonic())


async def found(server: Placet, held: Approval) -> Approval:
    request = GetApprovalRequest(approval_id=held.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"), timeout=10)).approval


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, state: Path) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("machine")
    policy = folder / "rego"
    shutil.copytree(rego(), policy, ignore=shutil.ignore_patterns("pdp", "*_test.rego"))
    data = json.loads((policy / "data.json").read_text())
    brief = {**data["requirements"]["pii"]["export"], "count": 1, "pending_for": "1s", "valid_for": "1s"}
    data["requirements"][BRIEF] = {"export": brief}
    (policy / "data.json").write_text(json.dumps(data))
    async with (
        replicas(folder) as three,
        placet(state, three.uri, policy=[policy]) as one,
        placet(state, three.uri, policy=[policy], database=one.database) as other,
    ):
        yield World((one, other), policy, three)


async def asked(world: World, request: AuthorizeRequest) -> Approval:
    """Ask until somebody answers: a new primary takes a moment."""
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await world.server().authorize(request, timeout=10)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)
            else:
                return answer.approval


async def settled(world: World, held: Approval) -> Approval:
    async with asyncio.timeout(60):
        while True:
            try:
                return await found(world.server(), held)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)


async def test_whatever_eight_actors_do_at_once_the_model_holds(world: World, rounds: int) -> None:
    @settings(
        max_examples=4 * rounds,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(acts, st.booleans())
    def run(schedule: list[list[tuple[str, str]]], brief: bool) -> None:  # noqa: FBT001
        asyncio.run_coroutine_threadsafe(play(world, schedule, brief=brief), loop).result()

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(run)
    log = await verified_log(world.server())
    assert log.records


async def play(world: World, schedule: list[list[tuple[str, str]]], *, brief: bool) -> None:
    tags = {"resource": {"type": "table", "id": "customers", "properties": {"tags": [BRIEF]}}} if brief else {}
    request = exporting(**tags)
    held = await asked(world, request)
    model = Model({"agent:report-bot", "user:alice"})
    for at_once in schedule:
        await asyncio.gather(*(world.act(act, who, request, held, model) for act, who in at_once))
    model.settled(await settled(world, held))
