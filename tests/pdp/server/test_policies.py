"""How the policy lets tags travel goes into the log of lineage, once for each change."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from pdp.lineage.entry import decode
from pdp.lineage.fact import Rules, TagRule
from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from tests.faults import eventually
from tests.parts import asking, placet


def folder(parent: Path, **tags: Any) -> Path:
    """A folder of data that declares tags."""
    made = parent / uuid4().hex
    made.mkdir()
    (made / "data.json").write_text(json.dumps({"tags": tags}))
    return made


async def test_rules_of_a_policy_are_written_once_and_those_of_another_behind_them(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    name = f"t{uuid4().hex[:16]}"
    database = await Database.open(mongod.uri, name)

    async def rules() -> list[Rules]:
        facts = [decode(entry) for one in await LineageLog(database).after(0, 100) for entry in one.entries]
        return [fact for fact in facts if isinstance(fact, Rules)]

    async def begun(policy: Path, count: int) -> None:
        async def written() -> bool:
            return len(await rules()) == count

        async with placet(state, mongod.uri, policy=(rego(), policy), database=name) as server:
            await eventually(written)
            await server.decisions.Authorize(asking(), metadata=server.metadata("report-bot"))

    try:
        one = folder(tmp_path, zz_one={"propagate": False, "on_mask": "stop"})
        await begun(one, 1)
        await begun(one, 1)
        await begun(folder(tmp_path, zz_one={"indirect": "carry"}), 2)
        first, second = await rules()
        assert first.tags["zz_one"] == TagRule(propagate=False, stops_on_mask=True)
        assert second.tags["zz_one"] == TagRule(indirect=True)
        assert first.policy_revision != second.policy_revision
    finally:
        await database.close()
