"""A reviewer's queue: all that the person may review and nothing else, the nearest deadline first, few among many."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.review_pb2 import ListQueueRequest
from tests.parts import Placet, asking, placet, refusal
from tests.pdp.mongo import database, set_back
from tests.pdp.reads import ids
from tests.pdp.seeding import seed
from tests.tokens import Metadata, metadata

RULES = """package policy

needs_approval contains object.union(
	{"rule": "share", "reason": "asked for", "reviewers": {"identities": ["user:nobody"]}},
	object.get(input, ["context", "asked"], {}),
) if input.action.name == "share"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"], "others": ["user:eve"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}, "user:bob": {"same_as": ["user:rob"]}},
}


@pytest.fixture(scope="module")
async def asked(tmp_path_factory: Any, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose policy asks for what a request's context names."""
    folder = tmp_path_factory.mktemp("queue")
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with placet(state, mongod.uri, policy=[folder]) as server:
        yield server


async def opened(server: Placet, **requirement: Any) -> Approval:
    context = {"run": uuid4().hex, "asked": requirement}
    return (await server.authorize(asking("share", context=context))).approval


async def queue(server: Placet, by: Metadata, size: int = 100) -> list[str]:
    return await ids(server.reviews.ListQueue, ListQueueRequest(page_size=size), by)


def by(server: Placet, identity: str, **claims: Any) -> Metadata:
    return metadata(server.state, identity, "reviewer", **claims)


BOB: Mapping[str, Mapping[str, Any]] = {
    "by group of the data": {"groups": ["readers"]},
    "by another group": {"groups": ["nobody's", "readers"]},
    "by name": {"identities": ["user:bob"]},
    "by name among claims that do not fit": {"identities": ["user:bob"], "claims": {"level": 99}},
}
NOT_BOB: Mapping[str, Mapping[str, Any]] = {
    "another group": {"groups": ["others"]},
    "another person": {"identities": ["user:carol"]},
    "another case": {"identities": ["user:Bob"]},
    "a group by his name": {"groups": ["user:bob"]},
    "a name like his group": {"identities": ["readers", "g:readers"]},
}


async def test_queue_has_what_the_policy_lets_the_person_review(asked: Placet) -> None:
    his = [await opened(asked, reviewers=reviewers) for reviewers in BOB.values()]
    for reviewers in NOT_BOB.values():
        await opened(asked, reviewers=reviewers)
    found = await queue(asked, by(asked, "user:bob"))
    assert found == [one.approval_id for one in his]
    assert found == await queue(asked, by(asked, "user:bob"), size=1)


async def test_groups_of_the_token_reach_its_bearer(asked: Placet) -> None:
    held = await opened(asked, reviewers={"groups": [group := f"g{uuid4().hex}"]})
    assert await queue(asked, by(asked, "user:frank", groups=[group])) == [held.approval_id]
    assert await queue(asked, by(asked, "user:frank")) == []


async def test_nearest_deadline_comes_first_over_all_pages(asked: Placet, mongod: MongodProcess) -> None:
    group = f"g{uuid4().hex}"
    times = ("3h", "1h", "48h", "30m", "2h", "1h", "5m")
    made = [await opened(asked, reviewers={"groups": [group]}, pending_for=time) for time in times]
    order = [made[at].approval_id for at in (6, 3, 1, 5, 4, 0, 2)]
    person = by(asked, "user:frank", groups=[group])
    for size in (1, 2, 3, 100):
        assert await queue(asked, person, size) == order
    await set_back(mongod, asked, made[6].approval_id, "created_at", minutes=6)
    assert await queue(asked, person) == order[1:], "its time is over"


async def test_page_is_full_although_nearer_ones_wait_for_others(asked: Placet) -> None:
    group, other = f"g{uuid4().hex}", f"g{uuid4().hex}"
    for _ in range(12):
        await opened(asked, reviewers={"groups": [other]}, pending_for="1h")
    mine = [await opened(asked, reviewers={"groups": [group, other]}, pending_for="2h") for _ in range(3)]
    person = by(asked, "user:frank", groups=[group])
    page = await asked.reviews.ListQueue(ListQueueRequest(page_size=3), metadata=person)
    assert [one.approval_id for one in page.approvals] == [one.approval_id for one in mine]
    assert not page.next_page_token
    two = await asked.reviews.ListQueue(ListQueueRequest(page_size=2), metadata=person)
    assert len(two.approvals) == 2
    request = ListQueueRequest(page_size=2, page_token=two.next_page_token)
    last = await asked.reviews.ListQueue(request, metadata=person)
    assert [one.approval_id for one in last.approvals] == [mine[-1].approval_id]
    assert not last.next_page_token


async def test_queue_is_narrowed_to_what_is_asked_for(asked: Placet, mongod: MongodProcess) -> None:
    group = f"g{uuid4().hex}"
    mine = await opened(asked, reviewers={"groups": [group], "identities": ["user:greta"]}, pending_for="3h")
    ours = await opened(asked, reviewers={"groups": [group, "others"]}, pending_for="2h")
    await seed(mongod, asked, await opened(asked, reviewers={"groups": [group]}, pending_for="1h"), 20)
    person = by(asked, "user:greta", groups=[group])

    async def narrowed(**fields: Any) -> list[str]:
        return await ids(asked.reviews.ListQueue, ListQueueRequest(page_size=10, **fields), person)

    assert await narrowed(mine_only=True) == [mine.approval_id]
    assert await narrowed(group="others") == [ours.approval_id]
    assert await narrowed(group=group, mine_only=True) == [mine.approval_id]
    assert (await narrowed(caller="agent:report-bot"))[-2:] == [ours.approval_id, mine.approval_id]
    assert len(await narrowed(caller="agent:7")) == 1
    everything = await narrowed()
    for fields in ({"action": "share"}, {"resource_type": "table"}, {"person": "user:alice"}, {"group": group}):
        assert await narrowed(**fields) == everything
    for fields in (
        {"action": "shar"},
        {"action": "table"},
        {"action": "$share"},
        {"resource_type": "share"},
        {"person": "user:greta"},
        {"group": "i:user:greta"},
        {"action": "share", "resource_type": "file"},
    ):
        assert await narrowed(**fields) == []


@pytest.mark.parametrize("field", ["action", "resource_type", "caller", "person", "group"])
async def test_filter_that_nothing_can_have_is_refused_by_its_name(asked: Placet, field: str) -> None:
    request = ListQueueRequest(**{field: "a\nb"})
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asked.reviews.ListQueue(request, metadata=by(asked, "user:bob"))
    assert (refusal(error.value).code, refusal(error.value).fields) == ("INVALID_ARGUMENT", (field,))


async def test_what_the_person_reviewed_or_asked_for_is_not_in_it(asked: Placet, mongod: MongodProcess) -> None:
    groups = [f"g{uuid4().hex}"]
    reviewed = await opened(asked, reviewers={"groups": groups}, count=2)
    person = by(asked, "user:frank", groups=groups)
    assert await queue(asked, person) == [reviewed.approval_id]
    async with database(mongod, asked) as found:  # as if this person had asked for it
        change = {"$set": {"principals": ["user:frank"]}}
        await found["approvals"].update_one({"_id": reviewed.approval_id}, change)
    assert await queue(asked, person) == []


async def test_policy_has_the_last_word_on_what_the_words_reach(asked: Placet, mongod: MongodProcess) -> None:
    groups = [f"g{uuid4().hex}"]
    held = await opened(asked, reviewers={"groups": groups})
    async with database(mongod, asked) as found:  # of today's principals the stored ones say nothing
        await found["approvals"].update_one({"_id": held.approval_id}, {"$set": {"principals": []}})
    assert await queue(asked, by(asked, "user:alice", groups=groups)) == []
    assert await queue(asked, by(asked, "user:frank", groups=groups)) == [held.approval_id]


async def test_few_of_a_person_are_on_the_first_page_among_many(asked: Placet, mongod: MongodProcess) -> None:
    group = f"g{uuid4().hex}"
    mine = [await opened(asked, reviewers={"groups": [group]}, pending_for="48h") for _ in range(3)]
    others = await opened(asked, reviewers={"groups": ["others"]}, pending_for="1h")
    await seed(mongod, asked, others, 3000)
    page = await asked.reviews.ListQueue(ListQueueRequest(), metadata=by(asked, "user:frank", groups=[group]))
    assert [one.approval_id for one in page.approvals] == [one.approval_id for one in mine]
    assert not page.next_page_token
    eves = await asked.reviews.ListQueue(ListQueueRequest(page_size=100), metadata=by(asked, "user:eve"))
    assert len(eves.approvals) == 100
    assert eves.next_page_token


async def test_what_nobody_here_wrote_keeps_no_queue_from_being_read(asked: Placet, mongod: MongodProcess) -> None:
    held, other, *_ = await queue(asked, by(asked, "user:bob"))
    bad = [{"_id": f"x{number}", **asks} for number, asks in enumerate(({}, {"asks": 1}, {"asks": {"claims": b"{"}}))]
    async with database(mongod, asked) as found:
        await found["addressees"].insert_many(bad)
        await found["approvals"].update_one({"_id": other}, {"$set": {"due_at": "soon"}})
        shown = await queue(asked, by(asked, "user:bob"))
        await found["addressees"].delete_many({"_id": {"$in": [one["_id"] for one in bad]}})
        await found["approvals"].delete_one({"_id": other})
    assert held in shown
    assert other not in shown
