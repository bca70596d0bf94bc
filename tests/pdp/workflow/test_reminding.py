"""Reminders: each once over all processes, to those who still may review, and nothing comes of silence."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

from pdp.process.mongod import MongodProcess
from pdp.reminder import last_due, next_due
from pdp.requirement import Requirement
from tests.parts import asking, log, placet
from tests.pdp.reads import seen
from tests.pdp.specimens import T0, approval
from tests.pdp.steps import now, state_of
from tests.pdp.workflow.test_channels import RULES
from tests.told import Chat, until, way

DATA = {
    "groups": {"readers": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
    "asked": {"remind": ["2s", "5s"], "count": 2},
}
HALF = Requirement("rules.half", "read it", ("readers",), remind_ms=(1_800_000,))
BOTH = Requirement("rules.both", "read it", ("readers",), remind_ms=(1_800_000, 7_200_000))


def written(folder: Path) -> list[Path]:
    folder.mkdir()
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    return [folder]


def test_reminders_follow_from_the_requirements_and_are_not_caught_up() -> None:
    held = approval(requirements=(HALF, BOTH))
    assert last_due(held, T0 + timedelta(minutes=29)) is None
    assert next_due(held, T0) == T0 + timedelta(minutes=30)
    assert last_due(held, T0 + timedelta(hours=3)) == 7_200_000
    assert next_due(held, T0 + timedelta(hours=2)) is None


async def test_each_reminder_is_told_once_by_two_servers_to_those_who_still_may_review(
    tmp_path: Path, state: Path, mongod: MongodProcess
) -> None:
    one, two = Chat(), Chat()
    policy = written(tmp_path / "policy")
    async with (
        placet(state, mongod.uri, policy=policy, ways=[way(one, readers="C1")]) as server,
        placet(state, mongod.uri, policy=policy, ways=[way(two, readers="C1")], database=server.database),
    ):
        two.posted = one.posted  # one service behind both
        held = (await server.authorize(asking("share"))).approval
        await until(lambda: sorted(to for to, _ in one.posted) == ["C1", "bob", "carol"])
        await until(lambda: len(one.replied) + len(two.replied) >= 3)
        await server.review(held, "bob")
        await until(lambda: len(one.replied) + len(two.replied) >= 5)

        told = Counter(one.posted[int(handle)][0] for handle, _ in [*one.replied, *two.replied])
        assert told == {"C1": 2, "bob": 1, "carol": 2}
        records = [record for record, _ in await log(server, "approval.reminded")]
        assert [record["approval_id"] for record in records] == [held.approval_id] * 2
        timeline = (await seen(server, held, server.metadata("bob"))).timeline
        reminded = [entry for entry in timeline if entry.kind == 9]
        assert Counter(entry.who for entry in reminded) == {"#readers": 2, "user:bob": 1, "user:carol": 2}
        last = await now(server, held)
        assert (state_of(last), last.version) == ("PENDING", held.version + 1)
