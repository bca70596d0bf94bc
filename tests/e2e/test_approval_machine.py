"""Everybody acts on an approval at once, on a MongoDB whose primary changes: a model says what must hold."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pdp.errors import Conflict, PdpError
from pdp.policy.sources import rego
from pdp.slack_settings import SlackSettings
from pdp.v1.approval_pb2 import Approval, CancelApprovalRequest, GetApprovalRequest, ReviewChannel
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.person_pb2 import RemoveLinkRequest
from pdp.v1.review_pb2 import RevokeApprovalRequest, TakeBackDenialRequest
from pdp.workflow.links import Links
from tests.approval_model import ChatLinks, Model
from tests.faults import verified_log
from tests.parts import Placet, exporting, placet, refusal
from tests.pdp.accounts import linking
from tests.replica import Replicas, replicas
from tests.review_places import NOT_YOUR_OWN, PEOPLE, Clicks, Pages, account, clicking, pages, words
from tests.slack import BOT, SECRET, TEAM

ACTORS = 8
REVIEWERS = ("bob", "carol")
REVIEWS = ("approve", "deny", "send back", "self-review", "take back")
ON_PAGES = {"approve on the page": "APPROVE", "deny on the page": "DENY"}
IN_CHAT = {"approve in chat": "APPROVE", "deny in chat": "DENY"}
ELSEWHERE = (*ON_PAGES, *IN_CHAT, "self-review elsewhere", "end the link", "link")
ACTS = (*REVIEWS, *ELSEWHERE, "use", "retry", "revoke", "cancel", "look", "policy", "owner")
OFTEN = ("approve", "approve", "use", "retry")
RARE = ("step down",)
PAGES_AND_API = {"API", "WEB"}
KINDS = {"pii": PAGES_AND_API, "brief": PAGES_AND_API, "chat": {*PAGES_AND_API, "SLACK"}, "chat only": {"SLACK"}}
"""Tags, and where a yes to the export of such data counts."""
Schedule: TypeAlias = list[list[tuple[str, str]]]
"""Acts and who does them: those of one list at once."""
acts = st.lists(
    st.lists(
        st.tuples(st.sampled_from((*ACTS, *OFTEN, *RARE)), st.sampled_from(REVIEWERS)),
        min_size=1,
        max_size=ACTORS,
    ),
    min_size=1,
    max_size=6,
)


class World:
    """Two servers of one deployment, the policy folder that both read, the replica set under them, and their people."""

    def __init__(
        self, servers: Sequence[Placet], policy: Path, three: Replicas, links: Links, own: Pages, chat: Clicks
    ) -> None:
        self.servers, self.policy, self.three = servers, policy, three
        self.links, self.pages, self.chat = links, own, chat
        self.chat_links = ChatLinks()
        self.turn = 0

    def server(self) -> Placet:
        self.turn += 1
        return self.servers[self.turn % len(self.servers)]

    def model(self, kind: str) -> Model:
        """What must hold of an approval of such data."""
        accounts = {f"user:{name}": account(name) for name in PEOPLE}
        return Model({"agent:report-bot", "user:alice"}, KINDS[kind], accounts, self.chat_links)

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
        try:
            if act in REVIEWS:
                await self._review(act, who, held, model)
            elif act in ELSEWHERE:
                await self._elsewhere(act, who, held, model)
            elif act in {"use", "retry"}:
                await self._use(act, request, held, model)
            elif act in {"policy", "owner"}:
                self._change_policy(act, who)
            elif act == "step down":
                await self.three.step_down()
            else:
                await self._close(act, who, held, model)
        except PdpError:
            pass  # of a link, which MongoDB may have taken
        except grpc.aio.AioRpcError as error:
            if error.code() in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}:
                raise

    def _change_policy(self, act: str, who: str) -> None:
        if act == "policy":
            self.edit(lambda data: data["requirements"]["pii"]["export"].update(count=2 + self.turn % 2))
        else:
            self.edit(lambda data: data["identities"]["agent:report-bot"].update(owners=[f"user:{who}"]))

    async def _use(self, act: str, request: AuthorizeRequest, held: Approval, model: Model) -> None:
        again, began = AuthorizeRequest(), time.monotonic()
        again.CopyFrom(request)
        again.approval_id = held.approval_id
        again.request_id = "retried" + held.approval_id if act == "retry" else uuid4().hex
        again.attempt_id = f"{act}-{held.approval_id}" if act == "retry" else uuid4().hex
        answer = await self.server().authorize(again, timeout=10)
        model.used(answer, began, time.monotonic())

    async def _close(self, act: str, who: str, held: Approval, model: Model) -> None:
        server = self.server()
        if act == "revoke":
            asked = RevokeApprovalRequest(approval_id=held.approval_id, reason="stop")
            after = await server.reviews.RevokeApproval(asked, metadata=server.metadata(who), timeout=10)
            model.seen(after.approval, time.monotonic())
        elif act == "cancel":
            cancel = CancelApprovalRequest(approval_id=held.approval_id)
            gone = await server.approvals.CancelApproval(cancel, metadata=server.metadata("report-bot"), timeout=10)
            model.seen(gone.approval, time.monotonic())
        else:
            model.seen(await found(server, held), time.monotonic())

    async def _review(self, act: str, who: str, held: Approval, model: Model) -> None:
        server = self.server()
        if act == "take back":
            taking = TakeBackDenialRequest(approval_id=held.approval_id)
            back = await server.reviews.TakeBackDenial(taking, metadata=server.metadata(who), timeout=10)
            model.taken_back(f"user:{who}", back.approval, time.monotonic())
            return
        verdicts = {"deny": "DENY", "send back": "CHANGES_REQUESTED"}
        by = "alice" if act == "self-review" else who
        verdict = verdicts.get(act, "APPROVE")
        after = await server.review(held, by, verdict)
        model.reviewed(f"user:{by}", verdict, "API")
        model.shown_after(verdict, after, time.monotonic())

    async def _elsewhere(self, act: str, who: str, held: Approval, model: Model) -> None:
        if act == "link":
            with self.chat_links.linking(who):
                await self.link(who)
        elif act == "end the link":
            await self.end_link(who)
        elif act == "self-review elsewhere":
            place = self.click if self.turn % 2 else self.on_page
            await place("alice", "APPROVE", held, model)
        elif act in ON_PAGES:
            await self.on_page(who, ON_PAGES[act], held, model)
        else:
            await self.click(who, IN_CHAT[act], held, model)

    async def on_page(self, by: str, verdict: str, held: Approval, model: Model) -> bool:
        """Send a verdict from the page. Whether it counted."""
        counted = await self.pages.review(self.server(), by, held, verdict)
        if counted:
            await self._took(f"user:{by}", verdict, "WEB", held, model)
        return counted

    async def _took(self, person: str, verdict: str, channel: str, held: Approval, model: Model) -> None:
        model.reviewed(person, verdict, channel)
        model.shown_after(verdict, await found(self.server(), held), time.monotonic())

    async def link(self, who: str) -> None:
        """Have a link of this person's account, as its page makes one."""
        try:
            await self.links.add(f"user:{who}", account(who))
        except Conflict:
            return

    async def end_link(self, who: str) -> None:
        """End it, as its person does."""
        server, ending = self.server(), RemoveLinkRequest(account=account(who))
        with self.chat_links.ending(who):
            await server.person.RemoveLink(ending, metadata=server.metadata(who), timeout=10)

    async def click(self, by: str, verdict: str, held: Approval, model: Model) -> bool:
        """Open a view and send a verdict, each at a server of its own. Whether it counted."""
        opened = await self.chat.opened(self.server(), by, held)
        if opened is None:
            return False
        if f"user:{by}" in model.barred:
            assert NOT_YOUR_OWN in words(opened)
            assert "submit" not in opened.view
        began = time.monotonic()
        person = await self.chat.sent(self.server(), opened, verdict)
        if not person:
            return False
        assert person == f"user:{by}"
        self.chat_links.clicked(by, began)
        await self._took(person, verdict, "SLACK", held, model)
        return True


async def found(server: Placet, held: Approval) -> Approval:
    request = GetApprovalRequest(approval_id=held.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"), timeout=10)).approval


def policy_in(folder: Path) -> Path:
    """The reference policy, with a requirement for each kind of data. It is night for people: nobody is told."""
    policy = folder / "rego"
    shutil.copytree(rego(), policy, ignore=shutil.ignore_patterns("pdp", "*_test.rego"))
    data = json.loads((policy / "data.json").read_text())
    plain = data["requirements"]["pii"]["export"]
    data["requirements"]["brief"] = {"export": {**plain, "count": 1, "pending_for": "1s", "valid_for": "1s"}}
    for kind in ("chat", "chat only"):
        data["requirements"][kind] = {"export": {**plain, "channels": sorted(map(str.lower, KINDS[kind]))}}
    now = datetime.now(UTC)
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now - timedelta(hours=2):%H:%M} UTC"
    data["contacts"] = {f"user:{name}": {"quiet": quiet} for name in PEOPLE}
    (policy / "data.json").write_text(json.dumps(data))
    return policy


def slack_in(folder: Path) -> SlackSettings:
    """The app of one team; clicks come over HTTP, so that a test chooses which server gets one."""
    secrets = {"bot_token": folder / "bot", "signing_secret": folder / "signing"}
    for path, text in zip(secrets.values(), (BOT, SECRET), strict=True):
        path.touch(mode=0o600)
        path.write_text(text)
    return SlackSettings(team=TEAM, **secrets)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, state: Path) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("machine")
    policy = policy_in(folder)
    async with AsyncExitStack() as stack:
        three = await stack.enter_async_context(replicas(folder))
        chat = await stack.enter_async_context(clicking())
        own: dict[str, Any] = {"policy": [policy], "slack": slack_in(folder), "slack_host": chat.slack.url}
        one = await stack.enter_async_context(placet(state, three.uri, **own))
        other = await stack.enter_async_context(placet(state, three.uri, database=one.database, **own))
        links = await stack.enter_async_context(linking(one, three))
        browsers = await stack.enter_async_context(pages([one, other]))
        yield World((one, other), policy, three, links, browsers, chat)


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


async def reviewers(world: World, held: Approval) -> set[str]:
    return {review.reviewer for review in (await settled(world, held)).reviews}


async def settled(world: World, held: Approval) -> Approval:
    async with asyncio.timeout(60):
        while True:
            try:
                return await found(world.server(), held)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)


async def linked(world: World) -> None:
    """Everybody's account has its link, and nothing of before is under way."""
    async with asyncio.timeout(60):
        for name in PEOPLE:
            while not await is_linked(world, name):
                await asyncio.sleep(0.1)
            world.chat_links.settled(name)


async def is_linked(world: World, name: str) -> bool:
    try:
        await world.link(name)
    except PdpError:
        return False
    return True


async def test_each_place_takes_a_review_where_policy_says_so_and_none_after_a_links_end(world: World) -> None:
    held, model = await begun(world, "chat")
    await world.end_link("bob")
    assert not await world.click("bob", "APPROVE", held, model)
    await linked(world)
    async with asyncio.timeout(60):
        while "user:bob" not in await reviewers(world, held):
            await world.click("bob", "APPROVE", held, model)
        while "user:carol" not in await reviewers(world, held):
            await world.on_page("carol", "APPROVE", held, model)
    for again in (world.click, world.on_page):
        assert not await again("carol", "APPROVE", held, model)
        assert not await again("alice", "APPROVE", held, model)
    after = await settled(world, held)
    model.settled(after)
    assert [ReviewChannel.Name(one.channel)[15:] for one in after.reviews] == ["SLACK", "WEB"]
    other, model = await begun(world, "pii")
    assert not await world.click("bob", "APPROVE", other, model)
    other, model = await begun(world, "chat only")
    assert not await world.on_page("bob", "APPROVE", other, model)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await world.server().review(other, "bob")
    assert refusal(refused.value).reason == "CHANNEL_NOT_ALLOWED"


async def test_whatever_eight_actors_do_at_once_the_model_holds(world: World, rounds: int) -> None:
    for schedule, kind in schedules(4 * rounds):
        try:
            await play(world, schedule, kind)
        except BaseException as error:
            error.add_note(f"{kind}: {schedule}")
            raise
    log = await verified_log(world.server())
    assert log.records


def schedules(count: int) -> list[tuple[Schedule, str]]:
    """Random ones, drawn while no server runs: hypothesis takes what a server draws at random for a mistake."""
    drawn: list[tuple[Schedule, str]] = []

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(acts, st.sampled_from(sorted(KINDS)))
    def draw(schedule: Schedule, kind: str) -> None:
        drawn.append((schedule, kind))

    draw()
    return drawn


async def begun(world: World, kind: str, request: AuthorizeRequest | None = None) -> tuple[Approval, Model]:
    """An approval of data of a kind, before which everybody is linked, and what must hold of it."""
    world.chat.forget()
    await linked(world)
    return await asked(world, request or export_of(kind)), world.model(kind)


def export_of(kind: str) -> AuthorizeRequest:
    """An export of such data. The table `weather` brings no requirement of its own."""
    table = "weather" if "chat" in kind else "customers"
    return exporting(resource={"type": "table", "id": table, "properties": {"tags": [kind]}})


async def play(world: World, schedule: Schedule, kind: str) -> None:
    request = export_of(kind)
    held, model = await begun(world, kind, request)
    for at_once in schedule:
        await asyncio.gather(*(world.act(act, who, request, held, model) for act, who in at_once))
    model.settled(await settled(world, held))
