"""Who is told what, on a real server with a chat that keeps what it hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from pdp.channels.notice import Aim, Notice, Refused
from pdp.process.mongod import MongodProcess
from pdp.store.message_pace import MOST_AN_HOUR, MOST_OF_ONE
from pdp.v1.approval_pb2 import Approval, TimelineKind
from tests.faults import eventually
from tests.notify import due_now, notifications
from tests.parts import Placet, exporting, is_serving, placet
from tests.pdp.mongo import database
from tests.pdp.reads import seen
from tests.pdp.steps import cancel, revoke
from tests.told import Chat, until, way


@asynccontextmanager
async def chatting(state: Path, mongod: MongodProcess, *chats: Chat) -> AsyncIterator[Placet]:
    ways = [way(chat, data_stewards="C1") for chat in chats]
    async with placet(state, mongod.uri, ways=ways) as server:
        yield server


async def asked(server: Placet, chat: Chat) -> Approval:
    """An approval of which everybody has been told who is asked."""
    held = await server.opened(exporting())
    await until(lambda: chat.told(held.approval_id) == ["C1", "bob", "carol"], seconds=60)
    return held


async def shown(chat: Chat, held: Approval, state: str) -> Notice:
    """What every conversation shows, as soon as all of them show this state."""

    async def look() -> bool:
        return {one.state for one in chat.shows(held.approval_id).values()} == {state}

    await eventually(look, seconds=60)
    return chat.shows(held.approval_id)["C1"]


async def test_reviewers_and_their_group_are_asked_and_nobody_behind_the_request(
    state: Path, mongod: MongodProcess
) -> None:
    chat = Chat()
    async with chatting(state, mongod, chat) as server:
        held = await asked(server, chat)
        _, notice = chat.of(held.approval_id)[0]
        assert (notice.action, notice.resource_type, notice.caller) == ("export", "table", "agent:report-bot")
        assert (notice.state, notice.approved, notice.needed) == ("PENDING", 0, 2)
        assert notice.page.endswith(f"/inbox/approvals/{held.approval_id}")
        assert "customers" not in repr(notice)
        assert held.request.context.fields["run"].string_value not in repr(notice)


async def test_every_notice_shows_each_step_until_the_end(state: Path, mongod: MongodProcess) -> None:
    chat = Chat()
    async with chatting(state, mongod, chat) as server:
        held = await asked(server, chat)
        await server.review(held, "bob")
        await server.review(held, "carol")
        last = await shown(chat, held, "APPROVED")
        assert (last.approved, last.needed, last.is_open) == (2, 2, False)
        assert [(one.who, one.channel) for one in last.reviews] == [("user:bob", "api"), ("user:carol", "api")]
        for handle in {handle for handle, _ in chat.edited}:
            versions = [one.version for at, one in chat.edited if at == handle]
            assert versions == sorted(set(versions))


async def test_people_behind_a_request_are_told_how_it_ended_and_how_to_go_on(
    state: Path, mongod: MongodProcess
) -> None:
    chat = Chat()
    async with chatting(state, mongod, chat) as server:
        approved, denied = await asked(server, chat), await asked(server, chat)
        await server.review(approved, "bob")
        last = await server.review(approved, "carol")
        await server.review(denied, "bob", "DENY", reason="*no*\nnot this table")
        for held in (approved, denied):
            await until(lambda held=held: chat.told(held.approval_id, Aim.END) == ["alice"], seconds=60)
        good, bad = (next(one for to, one in chat.of(held.approval_id) if to == "alice") for held in (approved, denied))
        assert good.ending is not None
        assert good.ending.usable_until == last.expires_at.ToDatetime(good.ending.usable_until.tzinfo)  # type: ignore[union-attr]
        assert bad.ending is not None
        assert (bad.ended_by, bad.ending.words) == ("user:bob", "*no*\\u{a}not this table")
        assert bad.ending.denied_until is not None
        assert bad.ending.again
        await revoke(server, approved, server.metadata("bob"))
        await until(lambda: chat.told(approved.approval_id, Aim.END) == ["alice", "alice"], seconds=60)


async def test_end_is_told_to_those_behind_the_request_alone_also_by_planted_letters(
    state: Path, mongod: MongodProcess
) -> None:
    """Letters are not signed: somebody writes some for a reviewer, a stranger and the group into the database.

    One has the notice that the group got called an ending, and changed.
    """
    chat, others = Chat(), ("user:bob", "user:mallory", "#data-stewards")
    ways = [way(chat, "alice", "bob", "mallory", data_stewards="C1")]
    async with placet(state, mongod.uri, ways=ways) as server, database(mongod, server) as found:
        letters, of_group = found["notifications"], {"errand": "ask", "who": "#data-stewards"}
        held = await server.opened(exporting())
        await until(lambda: chat.told(held.approval_id) == ["C1", "bob"], seconds=60)
        denied = await server.review(held, "carol", "DENY", reason="a private word")
        await until(lambda: chat.told(held.approval_id, Aim.END) == ["alice"], seconds=60)

        async def at_rest() -> bool:
            return not await letters.count_documents({"progress": "waiting"})

        await eventually(at_rest, seconds=60)
        changed = {"$set": {"errand": "end", "shown": 0}}
        group = await letters.find_one_and_update({**of_group, "shown": denied.version}, changed) or {}
        [true] = await letters.find({"who": "user:alice", "errand": "end"}).to_list()
        true |= {"progress": "waiting", "handle": "", "attempts": 0, "due_at": datetime.fromtimestamp(0, UTC)}
        planted = [{**true, "_id": f"planted/{who}", "who": who} for who in others]
        planted.append({**true, "_id": "planted", "who": "#data-stewards", "errand": "update", "notice": group["_id"]})
        await letters.insert_many(planted)
        await eventually(at_rest, seconds=60)
        became = {one["_id"]: one["progress"] for one in await letters.find({"_id": {"$regex": "^planted"}}).to_list()}
        assert became == {**{f"planted/{who}": "unneeded" for who in others}, "planted": "delivered"}
        assert chat.told(held.approval_id, Aim.END) == ["alice"]
        edited = [(chat.posted[int(handle)][0], one) for handle, one in chat.edited]
        assert "a private word" not in repr([one for to, one in (*chat.posted, *edited) if to != "alice"])


async def test_ask_for_something_closed_is_not_sent(state: Path, mongod: MongodProcess) -> None:
    chat = Chat(refusing=lambda _: Refused("away"))
    async with chatting(state, mongod, chat) as server:
        held = await server.opened(exporting())
        await until(lambda: len(chat.times) >= 3, seconds=60)
        await cancel(server, held)
        chat.refusing = lambda _: None
        await due_now(mongod.uri, server)

        async def settled() -> bool:
            await due_now(mongod.uri, server)
            sent = await notifications(server, held.approval_id)
            return all(one.state in {"unneeded", "delivered"} for one in sent)

        await eventually(settled, seconds=60)
        assert chat.told(held.approval_id) == []
        assert not chat.edited


async def test_outage_of_a_channel_ends_in_the_state_of_then(state: Path, mongod: MongodProcess) -> None:
    away, other = Chat(refusing=lambda _: Refused("away")), Chat(name="other")
    async with chatting(state, mongod, away, other) as server:
        held = await server.opened(exporting())
        await until(lambda: len(other.told(held.approval_id)) == 3, seconds=60)
        await server.review(held, "bob")
        away.refusing = lambda _: None

        async def told() -> bool:
            await due_now(mongod.uri, server)
            return away.told(held.approval_id) == ["C1", "carol"]

        await eventually(told, seconds=30)
        assert {one.approved for _, one in away.of(held.approval_id)} == {1}


async def test_dead_token_shows_and_stops_neither_decisions_nor_other_channels(
    state: Path, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    dead, other = Chat(refusing=lambda _: Refused("its token is not taken", dead=True)), Chat(name="other")
    async with chatting(state, mongod, dead, other) as server:
        held = await server.opened(exporting())
        await until(lambda: len(other.told(held.approval_id)) == 3, seconds=60)

        async def is_seen() -> bool:
            return not await is_serving(server, "chat") and await is_serving(server, "other")

        await eventually(is_seen, seconds=60)
        assert await is_serving(server)
        assert "chat takes no message: its token is not taken" in caplog.text
        assert len(dead.times) <= 3
        await server.review(held, "bob")
        assert (await server.review(held, "carol")).state == 2


async def test_channel_that_wants_a_pause_gets_it_and_loses_nothing(state: Path, mongod: MongodProcess) -> None:
    heard: list[str] = []

    def once(to: str) -> Refused | None:
        heard.append(to)
        return Refused("too many", retry_after=3) if len(heard) == 1 else None

    chat = Chat(refusing=once)
    async with chatting(state, mongod, chat) as server:
        await asked(server, chat)
        first = chat.times[0][1]
        assert all(at - first < 1 or at - first >= 2.9 for _, at in chat.times)


async def test_conversation_gets_one_message_a_second(state: Path, mongod: MongodProcess) -> None:
    chat = Chat()
    async with chatting(state, mongod, chat) as server:
        held = [await server.opened(exporting()) for _ in range(3)]
        await until(lambda: all(len(chat.told(one.approval_id)) == 3 for one in held), seconds=30)
        times = sorted(at for to, at in chat.times if to == "C1")
        assert all(later - at > 0.9 for at, later in pairwise(times))


async def test_person_gets_twenty_notices_an_hour_and_then_how_many_wait(state: Path, mongod: MongodProcess) -> None:
    chat = Chat()
    async with placet(state, mongod.uri, ways=[way(chat, "bob")]) as server:
        sent = [{"id": f"rec_{number}", "at": await at(mongod, server)} for number in range(MOST_AN_HOUR - 1)]
        async with database(mongod, server) as found:
            await found["told"].insert_one({"_id": "hour:user:bob", "sent": sent})
        held = [await server.opened(exporting()) for _ in range(4)]
        await until(lambda: bool(chat.notes), seconds=30)
        assert sum(len(chat.told(one.approval_id)) for one in held) == 1
        [(to, note)] = chat.notes
        assert to == "bob"
        assert note.sentence.split()[0] in {"1", "2", "3"}


async def test_caller_with_much_to_ask_leaves_room_for_what_others_ask(state: Path, mongod: MongodProcess) -> None:
    chat = Chat()
    async with placet(state, mongod.uri, ways=[way(chat, "bob")]) as server:
        sent = [
            {"id": f"rec_{number}", "at": await at(mongod, server), "behind": ["user:alice"]}
            for number in range(MOST_OF_ONE)
        ]
        async with database(mongod, server) as found:
            await found["told"].insert_one({"_id": "hour:user:bob", "sent": sent})
        noisy = await server.opened(exporting())
        await until(lambda: bool(chat.notes), seconds=30)
        assert chat.notes[0][1].sentence.startswith("1 more request waits for you.")
        quiet = (
            await server.authorize(exporting(subject={"type": "user", "id": "dev"}, onBehalfOf=[]), by="dev")
        ).approval
        await until(lambda: bool(chat.told(quiet.approval_id)), seconds=30)
        assert chat.told(quiet.approval_id) == ["bob"]
        assert not chat.told(noisy.approval_id)


async def test_show_and_timeline_say_who_was_told(state: Path, mongod: MongodProcess) -> None:
    chat = Chat()
    async with chatting(state, mongod, chat) as server:
        held = await asked(server, chat)

        async def all_listed() -> list[tuple[str, str, str]]:
            found = await notifications(server, held.approval_id)
            listed = [(one.channel, one.to, one.state) for one in found]
            return listed if {state for *_, state in listed} == {"delivered"} else []

        listed = await eventually(all_listed, seconds=60)
        assert sorted(listed) == [("chat", to, "delivered") for to in ("#data-stewards", *PEOPLE)]
        told = [one for one in (await seen(server, held, server.metadata("bob"))).timeline if one.told_in]
        assert sorted(one.who for one in told) == ["#data-stewards", *PEOPLE]
        assert {TimelineKind.Name(one.kind) for one in told} == {"TIMELINE_KIND_TOLD"}


async def test_nothing_is_told_of_an_approval_that_was_changed_in_the_database(
    state: Path, mongod: MongodProcess
) -> None:
    chat = Chat(refusing=lambda _: Refused("away"))
    async with chatting(state, mongod, chat) as server:
        held = await server.opened(exporting())
        await until(lambda: len(chat.times) >= 3, seconds=60)
        async with database(mongod, server) as found:
            await found["approvals"].update_one({"_id": held.approval_id}, {"$set": {"caller": "agent:other"}})
        chat.refusing = lambda _: None

        async def refused() -> bool:
            await due_now(mongod.uri, server)
            async with database(mongod, server) as found:
                waits = await found["notifications"].find({"errand": "ask"}).to_list()
            return all("changed behind" in one["problem"] for one in waits)

        await eventually(refused, seconds=60)
        assert not chat.posted


PEOPLE = ("user:bob", "user:carol")


async def at(mongod: MongodProcess, server: Placet) -> object:
    async with database(mongod, server) as found:
        return (await found.command("hello"))["localTime"]
