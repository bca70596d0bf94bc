"""Two servers and MongoDB's primary are killed while people are told in Slack, click there and call.

Nothing is lost, no message shows a state that never was or goes back to an older one, and nothing counts twice.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from pdp.audit.record import Kind
from pdp.dev.slack.service import SlackDouble
from pdp.dev.slack.workspace import direct
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, Verdict
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ReviewRequest
from tests import tokens
from tests.faults import Log, Served, served, verified_log
from tests.parts import asking
from tests.replica import Replicas, replicas
from tests.team_slack import Company, Seen, about, clicked, seen, slack_of

TEAMS, OF_A_TEAM = 8, 3
"""The teams of a round, and what each is asked in it: 24 approvals, 72 notices to reviewers, 48 verdicts."""
TRIED = 6
"""Seconds after which an attempt to send a message has ended."""
REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT}
"""How no call ends here, whatever is killed."""
DENIED = 5
"""Every fifth request is denied by the person who clicks."""


@dataclass
class Asked:
    """One request of a team, and what its people were told of their verdicts."""

    team: int
    verdict: str
    request: AuthorizeRequest
    approval: Approval
    taken: set[str] = field(default_factory=set)
    """Who was told that the verdict counts."""
    used: set[str] = field(default_factory=set)
    """The decisions that allowed it."""


class Servers:
    """Two servers of one database; one may be killed and replaced."""

    def __init__(self, stack: AsyncExitStack, start: Callable[[], Any]) -> None:
        self._stack, self._start = stack, start
        self.now: list[Served] = []

    async def begin(self) -> None:
        self.now = [await self._stack.enter_async_context(self._start()) for _ in range(2)]

    async def replace(self, place: int) -> None:
        """SIGKILL, and another one in its place."""
        await self.now[place].kill()
        self.now[place] = await self._stack.enter_async_context(self._start())

    async def answered(self, ask: Callable[[Served], Awaitable[Any]], *over: str) -> Any:
        """What either server answers, asked again and again; None where an error's reason is one of `over`."""
        async with asyncio.timeout(120):
            while True:
                try:
                    return await ask(random.choice(self.now))
                except grpc.aio.AioRpcError as error:
                    if any(reason in repr(error.trailing_metadata()) for reason in over):
                        return None
                    if error.code() in REFUSED:
                        raise
                except (grpc.aio.UsageError, asyncio.InvalidStateError):
                    pass  # its channel is closed
                await asyncio.sleep(0.1)


@dataclass
class World:
    servers: Servers
    slack: SlackDouble
    three: Replicas
    database: str
    state: Path

    def by(self, identity: str) -> tokens.Metadata:
        roles = ["requester", "reviewer"] if identity.startswith("user:") else ["requester"]
        return tokens.metadata(self.state, identity, *roles)

    async def ask(self, team: int, verdict: str) -> Asked:
        resource = {"type": "table", "id": "customers", "properties": {"team": f"team{team}"}}
        chain = [{"type": "user", "id": f"q{team}"}]
        request = asking("share", resource=resource, onBehalfOf=chain, context={"run": uuid4().hex})

        async def once(server: Served) -> Any:
            return await server.authorize(request, timeout=5)

        return Asked(team, verdict, request, (await self.servers.answered(once)).approval)

    async def held(self, asked: Asked) -> Approval:
        async def once(server: Served) -> Any:
            get = GetApprovalRequest(approval_id=asked.approval.approval_id)
            return await server.approvals.GetApproval(get, metadata=self.by("agent:report-bot"), timeout=5)

        approval: Approval = (await self.servers.answered(once)).approval
        return approval

    async def click(self, asked: Asked) -> None:
        """The verdict of the person who clicks, until it counts or the approval is closed."""
        person = f"user:a{asked.team}"
        async with asyncio.timeout(120):
            while True:
                said = await clicked(self.slack, asked.team, asked.approval.approval_id, asked.verdict)
                if f"Recorded: {asked.verdict} as {person}" in said:
                    asked.taken.add(person)
                held = await self.held(asked)
                if person in _reviewers(held) or held.state != ApprovalState.APPROVAL_STATE_PENDING:
                    return
                await asyncio.sleep(0.2)

    async def call(self, asked: Asked) -> None:
        """The verdict of the person who calls."""
        person = f"user:b{asked.team}"

        async def once(server: Served) -> bool:
            get = GetApprovalRequest(approval_id=asked.approval.approval_id)
            shown = (await server.approvals.GetApproval(get, metadata=self.by(person), timeout=5)).approval
            request = ReviewRequest(
                approval_id=shown.approval_id,
                expected_digest=shown.request_digest,
                expected_version=shown.version,
                verdict=Verdict.VERDICT_APPROVE,
                reason="read it",
            )
            await server.reviews.Review(request, metadata=self.by(person), timeout=5)
            return True

        if await self.servers.answered(once, "ALREADY_REVIEWED", "APPROVAL_NOT_PENDING"):
            asked.taken.add(person)

    async def use(self, asked: Asked) -> None:
        """Two attempts at once to use it."""

        async def attempt() -> None:
            use = AuthorizeRequest(approval_id=asked.approval.approval_id, request_id=uuid4().hex)
            use.MergeFrom(asked.request)
            use.attempt_id = uuid4().hex

            async def once(server: Served) -> Any:
                return await server.authorize(use, timeout=5)

            answer = await self.servers.answered(once)
            asked.used |= {answer.decision_id} if answer.effect == Effect.EFFECT_ALLOW else set()

        await asyncio.gather(attempt(), attempt())

    async def decide(self, team: int, verdicts: Sequence[str]) -> list[Asked]:
        """The requests of one team from the question to their end; a person clicks on one after the other."""
        every = [await self.ask(team, verdict) for verdict in verdicts]

        async def clicks() -> None:
            for asked in every:
                await self.click(asked)

        await asyncio.gather(clicks(), *(self.call(asked) for asked in every))
        await asyncio.gather(*(self.use(asked) for asked in every if asked.verdict == "APPROVE"))
        return every


def _reviewers(held: Approval) -> list[str]:
    return [review.reviewer for review in held.reviews]


@asynccontextmanager
async def world(folder: Path, state: Path, company: Company) -> AsyncIterator[World]:
    """Three members of MongoDB, a Slack that outlives all servers, and two servers."""
    settings, policy = company.settings(folder, state), company.policy(folder)
    database = f"t{uuid4().hex[:16]}"
    async with slack_of(company) as slack, replicas(folder) as three, AsyncExitStack() as stack:

        def start() -> Any:
            known = {"database": database, "policy": [policy], "slack_host": slack.url, "seconds": 3600, **settings}
            return served(folder, state, three.uri, **known)

        servers = Servers(stack, start)
        await servers.begin()
        yield World(servers, slack, three, database, state)


async def test_kills_lose_no_notice_show_no_false_state_and_count_nothing_twice(
    tmp_path: Path, state: Path, rounds: int
) -> None:
    async with world(tmp_path, state, Company(TEAMS * rounds)) as here:
        every = list[Asked]()
        for number in range(rounds):
            verdicts = ["DENY" if place % DENIED == DENIED - 1 else "APPROVE" for place in range(TEAMS * OF_A_TEAM)]
            teams = range(number * TEAMS, (number + 1) * TEAMS)
            work = [
                asyncio.create_task(here.decide(team, verdicts[place * OF_A_TEAM : (place + 1) * OF_A_TEAM]))
                for place, team in enumerate(teams)
            ]
            here.slack.lost |= {"chat.postMessage", "chat.update"}
            await asyncio.sleep(random.uniform(1, 4))
            await kill(here, number)
            for one in await asyncio.gather(*work):
                every += one
        letters = await drained(here)
        log = await verified_log(here.servers.now[0])
        histories = {one.approval.approval_id: lived(log, one.approval.approval_id) for one in every}
        for asked in every:
            counted_once(log, asked, await here.held(asked), histories[asked.approval.approval_id])
        shown_truly(here.slack, histories, letters)


async def kill(here: World, number: int) -> None:
    """SIGKILL for a server, or for MongoDB's primary; what was killed comes back."""
    if number % 2:
        killed = await here.three.kill_primary()
        await here.three.ready()
        await killed.start()
    else:
        await here.servers.replace(number // 2 % 2)


async def drained(here: World) -> list[dict[str, Any]]:
    """The messages for people, as soon as none is left to send. What failed is tried again before its time."""
    async with asyncio.timeout(300), AsyncMongoClient[dict[str, Any]](here.three.uri) as client:
        held = client[here.database]
        while True:
            try:
                await held["notifications"].update_many(
                    {"progress": "waiting", "attempts": {"$gt": 0}, "$expr": _tried_before()},
                    [{"$set": {"due_at": "$$NOW"}}],
                )
                untold = await held["approvals"].count_documents({"untold.0": {"$exists": True}})
                letters = await held["notifications"].find().to_list()
            except PyMongoError:
                await asyncio.sleep(0.5)
                continue
            if not untold and not any(one["progress"] == "waiting" for one in letters):
                return letters
            await asyncio.sleep(0.5)


def _tried_before() -> dict[str, Any]:
    return {"$lte": ["$tried_at", {"$subtract": ["$$NOW", TRIED * 1000]}]}


def lived(log: Log, approval_id: str) -> list[Seen]:
    """The states that an approval had, by the log."""
    states = [Seen("PENDING", ())]
    kinds = {Kind.APPROVAL_REVIEWED, Kind.APPROVAL_CONSUMED}
    ids = [one for one, held in log.records.items() if held.get("approval_id") == approval_id and held["kind"] in kinds]
    for record_id in sorted(ids):
        held = log.payloads[record_id]
        if log.records[record_id]["kind"] == Kind.APPROVAL_CONSUMED:
            states.append(Seen("CONSUMED", states[-1].reviews))
        else:
            review = held["verdict"], held["reviewer"], held["channel"]
            states.append(Seen(held["state"], (*states[-1].reviews, review)))
    return states


def counted_once(log: Log, asked: Asked, held: Approval, states: Sequence[Seen]) -> None:
    """Each verdict that was taken counts, each person once, and at most one use."""
    reviewers = _reviewers(held)
    assert len(set(reviewers)) == len(reviewers)
    assert asked.taken <= set(reviewers)
    assert [who for _, who, _ in states[-1].reviews] == reviewers
    assert states[-1].state == ("DENIED" if asked.verdict == "DENY" else "CONSUMED")
    consumed = log.of(Kind.APPROVAL_CONSUMED, asked.approval.approval_id)
    assert len(consumed) == (asked.verdict == "APPROVE")
    assert len(asked.used) <= 1
    assert asked.used <= {log.payloads[one]["decision_id"] for one in consumed}


def shown_truly(
    slack: SlackDouble, histories: Mapping[str, Sequence[Seen]], letters: Sequence[Mapping[str, Any]]
) -> None:
    """No message showed what never was, or went back; each that is remembered shows how it ended."""
    assert [(one["_id"], one["problem"]) for one in letters if one["progress"] == "dead"] == []
    remembered = {json.loads(one["handle"])["ts"]: one for one in letters if one.get("handle")}
    again = {
        (one["approval_id"], place(one["who"])) for one in letters if one["errand"] == "ask" and one["attempts"] > 1
    }
    told = set[str]()
    for message in slack.space.messages:
        letter = remembered.get(message.ts)
        approval_id = letter["approval_id"] if letter else about(message)
        if message.only or not approval_id:
            continue
        states = histories[approval_id]
        places = [states.index(seen(blocks)) for blocks in message.shown]
        assert all(earlier <= later for earlier, later in pairwise(places))
        if letter:
            assert places[-1] == len(states) - 1
        else:  # the answer of the call that posted it was lost
            assert (approval_id, message.channel) in again
        told.add(approval_id)
    assert told == histories.keys()
    endings = {one["approval_id"] for one in letters if one["errand"] == "end" and one.get("handle")}
    assert {name for name, states in histories.items() if states[-1].state == "DENIED"} <= endings


def place(who: str) -> str:
    """The conversation of a team, or of a person."""
    return who.replace("#team", "C") if who.startswith("#") else direct(f"U{who.removeprefix('user:').upper()}")
