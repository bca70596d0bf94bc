"""A task for each approval, kept with the keys that submitted it, of which there are few."""

import asyncio

import pytest

from pdp.errors import InvalidRequest
from pdp.store.database import Database
from pdp.store.tasks import MAX_KEYS, Tasks
from tests.pdp.specimens import approval


async def test_of_many_at_once_an_approval_has_one_task(database: Database) -> None:
    tasks, one = Tasks(database), approval()
    made = await asyncio.gather(*(tasks.of_approval(one, f"k{number}") for number in range(8)))
    ids = {task.id for task in made if task}
    assert len(ids) == 1
    assert await tasks.of_caller(one.caller, ids.pop()) is not None
    assert await tasks.of_caller("user:other", next(task.id for task in made if task)) is None


async def test_task_is_found_by_each_of_its_keys(database: Database) -> None:
    tasks, one = Tasks(database), approval()
    for number in range(MAX_KEYS):
        await tasks.of_approval(one, f"k{number}")
    with pytest.raises(InvalidRequest, match="send one of them, or none"):
        await tasks.of_approval(one, "one more")
    found = [await tasks.by_key(one.caller, f"k{number}") for number in range(MAX_KEYS)]
    assert len({task.id for task in found if task}) == 1
    assert None not in found
    assert await tasks.of_approval(one, "") == await tasks.of_approval(one, "k0") == found[0]
    assert await tasks.by_key(one.caller, "one more") is None


async def test_key_is_one_callers(database: Database) -> None:
    tasks = Tasks(database)
    first = await tasks.settled("agent:a", "digest", "key")
    second = await tasks.settled("agent:b", "digest", "key")
    assert first
    assert second
    assert first.id != second.id
    assert await tasks.settled("agent:a", "digest", "key") is None
    assert (await tasks.by_key("agent:a", "key") or second).id == first.id
