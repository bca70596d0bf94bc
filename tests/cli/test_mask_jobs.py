"""`pdp mask jobs` and `pdp audit show` of a job, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.mask_jobs import FAILED, Stage, request, rows


@pytest.fixture
def pdp(stage: Stage, tmp_path: Path) -> Terminal:
    server = stage.server
    return Terminal(tmp_path, {"PDP_ADDRESS": server.address, "PDP_STATE": str(server.state)})


async def test_jobs_are_listed_and_shown_with_how_far_they_are(stage: Stage, pdp: Terminal) -> None:
    begun = await stage.start(request(destination="s3a://share/x"))
    await stage.part(begun.ticket, 0, rows("a", "b"))
    found = await pdp("mask", "jobs", "list", "-o", "table", "--as", "report-bot", "--state", "running")
    [line] = [line for line in found.out.splitlines() if begun.job_id in line]
    assert line.split()[1:7] == ["RUNNING", "people", "agent:report-bot", "1", "2", "0"]
    shown = await pdp("mask", "jobs", "show", begun.job_id, "-o", "table", "--as", "report-bot")
    assert "1 came to their end, with 2 rows" in shown.out
    assert "to        s3a://share/x" in shown.out
    assert "keys      in the server" in shown.out
    told = json.loads((await pdp("mask", "jobs", "show", begun.job_id, "-o", "json", "--as", "dana")).out)
    assert (told["jobId"], told["rows"]) == (begun.job_id, "2")
    as_json = json.loads((await pdp("mask", "jobs", "list", "-o", "json", "--as", "report-bot")).out)
    assert as_json["jobs"][0]["jobId"] == begun.job_id


async def test_person_behind_a_job_cancels_it(stage: Stage, pdp: Terminal) -> None:
    begun = await stage.start()
    denied = await pdp("mask", "jobs", "cancel", begun.job_id, "--as", "bob")
    assert denied.status == 1
    assert "no such mask job" in denied.err
    done = await pdp("mask", "jobs", "cancel", begun.job_id, "--reason", "wrong table", "-o", "table", "--as", "alice")
    assert (done.status, "STOPPED" in done.out, "wrong table" in done.out) == (0, True, True)


async def test_audit_shows_the_record_of_a_job_with_its_parts(stage: Stage, pdp: Terminal) -> None:
    begun = await stage.start()
    early = await pdp("audit", "show", begun.job_id, "--as", "dana")
    assert (early.status, "no record before it is finished" in early.err) == (1, True)
    for part in range(22):
        await stage.part(begun.ticket, part, rows("a"), attempt=part)
    await stage.part(begun.ticket, 0, rows("b"), attempt=90)
    await stage.finish(begun.job_id, [(part, part, 1) for part in range(22)], FAILED, reason="no room")
    shown = await pdp("audit", "show", begun.job_id, "-o", "table", "--as", "dana")
    job = json.loads(shown.out)["payload"]["details"]["mask_job"]
    assert job["ended"][:2] == ["part 0, attempt 0: 1 rows", "part 1, attempt 1: 1 rows"]
    assert job["ended"][-1] == "and 2 more; -o json has all"
    assert job["thrown_away"] == ["part 0, attempt 90, 1 pieces, ended: 1 rows"]
    assert (job["outcome"], job["why"], job["values"]) == ("FAILED", "no room", {"id": 23})
    assert json.loads(shown.out)["payload"]["details"]["decision_id"] == begun.decision.decision_id


async def test_other_states_are_refused(pdp: Terminal) -> None:
    assert (await pdp("mask", "jobs", "list", "--state", "done")).status == 2
