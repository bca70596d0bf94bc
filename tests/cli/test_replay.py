"""What was decided is decided again from its record: the same answer, or how it differs."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import AuthorizeRequest
from tests.cli.terminal import Terminal
from tests.known import Known
from tests.parts import Placet, asking, exporting, placet


@pytest.fixture(scope="module")
def known() -> Known:
    return Known({"weather": {"station": ["pii"]}})


@pytest.fixture(scope="module")
async def informed(state: Path, mongod: MongodProcess, known: Known) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, known=known) as running:
        yield running


@pytest.fixture
def pdp(informed: Placet, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, {"PDP_ADDRESS": informed.address, "PDP_STATE": str(informed.state)})


async def test_a_decision_by_lineage_is_the_same_again_though_lineage_is_another_by_now(
    informed: Placet, pdp: Terminal, known: Known
) -> None:
    weather = {"type": "table", "id": "weather", "properties": {"tags": ["public"]}}
    answer = await informed.authorize(asking("export", resource=weather, dryRun=True))
    known.say("weather", station=[])
    replayed = await pdp("policy", "replay", answer.decision_id, "--policy", str(rego()), "--as", "dana")
    assert (replayed.status, replayed.out.splitlines()[0]) == (0, "NEEDS_APPROVAL"), replayed.err
    assert "[tags.pii.export]" in replayed.out
    known.say("weather", station=["pii"])


async def test_what_people_approved_and_what_is_denied_are_as_recorded_from_a_file_too(
    informed: Placet, pdp: Terminal, tmp_path: Path
) -> None:
    request = exporting()
    approval = await informed.approved(request)
    again = AuthorizeRequest()
    again.CopyFrom(request)
    again.approval_id = approval.approval_id
    ids = [
        (await informed.authorize(again)).decision_id,
        (await informed.authorize(again)).decision_id,
        (await informed.authorize(asking("purge"))).decision_id,
        (await informed.authorize(asking("read"))).decision_id,
    ]
    log = str(tmp_path / "log.jsonl")
    assert (await pdp("audit", "export", log, "--as", "dana")).status == 0
    for one in ids:
        replayed = await pdp("policy", "replay", one, "--policy", str(rego()), "--from", log)
        assert replayed.status == 0, (replayed.out, replayed.err)
    unknown = await pdp("policy", "replay", f"dec_{1:032x}", "--policy", str(rego()), "--from", log)
    assert unknown.status == 2


async def test_another_policy_decides_nothing(informed: Placet, pdp: Terminal, tmp_path: Path) -> None:
    answer = await informed.authorize(asking("read"))
    other = tmp_path / "other"
    shutil.copytree(rego(), other)
    data = json.loads((other / "data.json").read_text())
    (other / "data.json").write_text(json.dumps({**data, "destructive": []}))
    replayed = await pdp("policy", "replay", answer.decision_id, "--policy", str(other), "--as", "dana")
    assert (replayed.status, replayed.out) == (3, "")
    assert "nothing was decided again" in replayed.err


async def test_a_record_that_is_no_decision_cannot_be_decided_again(pdp: Terminal) -> None:
    listed = await pdp("audit", "list", "-o", "json", "--as", "dana")
    started = next(one for one in json.loads(listed.out)["records"] if one["kind"] != "decision")
    replayed = await pdp("policy", "replay", started["recordId"], "--policy", str(rego()), "--as", "dana")
    assert replayed.status == 2
    assert "not a decision" in replayed.err
