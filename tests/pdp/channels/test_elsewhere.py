"""What waited for a person goes where the person is told by then, and once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pdp.channels.notice import Aim
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.person_pb2 import SetPreferencesRequest
from tests.faults import eventually
from tests.notify import due_now, notifications
from tests.parts import Placet, asking, placet
from tests.pdp.workflow.test_channels import written
from tests.told import Chat, until, way


def around_now() -> str:
    """Quiet hours that have begun, and do not end soon."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M} UTC"


async def chooses(server: Placet, *muted: str, quiet: str = "", person: str = "bob") -> None:
    asked = SetPreferencesRequest(muted=muted, quiet=quiet)
    await server.person.SetPreferences(asked, metadata=server.metadata(person))


async def states(server: Placet, held: Approval, person: str = "bob") -> dict[str, str]:
    """How far each channel is with what a person is told of an approval."""
    sent = await notifications(server, held.approval_id)
    return {one.channel: one.state for one in sent if one.to == f"user:{person}"}


async def becomes(
    server: Placet, mongod: MongodProcess, held: Approval, wanted: dict[str, str], person: str = "bob"
) -> None:
    async def is_so() -> bool:
        await due_now(mongod.uri, server)
        return await states(server, held, person) == wanted

    await eventually(is_so, seconds=60)


async def test_ask_that_waited_goes_to_the_channel_that_is_chosen_by_then(state: Path, mongod: MongodProcess) -> None:
    first, other = Chat(), Chat(name="other")
    async with placet(state, mongod.uri, ways=[way(first, "bob"), way(other, "bob")]) as server:
        await chooses(server, "other", quiet=around_now())
        held = await server.opened(asking("export", ["pii"]))
        await becomes(server, mongod, held, {"chat": "waiting"})
        await chooses(server, "chat")
        await becomes(server, mongod, held, {"chat": "unneeded", "other": "delivered"})
        assert (first.told(held.approval_id), other.told(held.approval_id)) == ([], ["bob"])


async def test_end_that_waited_goes_there_too(state: Path, mongod: MongodProcess) -> None:
    first, other = Chat(), Chat(name="other")
    async with placet(state, mongod.uri, ways=[way(first, "alice"), way(other, "alice")]) as server:
        await chooses(server, "other", quiet=around_now(), person="alice")
        held = await server.opened(asking("export", ["pii"]))
        await server.review(held, "bob", "DENY")
        await becomes(server, mongod, held, {"chat": "waiting"}, "alice")
        await chooses(server, "chat", person="alice")
        await becomes(server, mongod, held, {"chat": "unneeded", "other": "delivered"}, "alice")
        assert other.told(held.approval_id, Aim.END) == ["alice"]


async def test_reminder_that_waited_asks_where_nobody_has_asked(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    first, other = Chat(), Chat(name="other")
    policy = [written(tmp_path / "policy", remind=["3s"], count=2)]
    async with placet(state, mongod.uri, policy=policy, ways=[way(first, "bob"), way(other, "bob")]) as server:
        await chooses(server, "other")
        held = await server.opened(asking("share"))
        await until(lambda: first.told(held.approval_id) == ["bob"])
        await chooses(server, "other", quiet=around_now())

        async def waits() -> bool:
            sent = await notifications(server, held.approval_id)
            return [one.state for one in sent if one.to == "user:bob"] == ["delivered", "waiting"]

        await eventually(waits, seconds=60)
        await chooses(server, "chat")
        await due_now(mongod.uri, server)
        await until(lambda: other.told(held.approval_id) == ["bob"])
        assert (first.replied, other.replied) == ([], [])
