"""The policy of now is asked at each part: what it denies, or masks in another way, stops the job."""

from datetime import UTC, datetime
from pathlib import Path

from masker import keys as key_files
from pdp.process.mongod import MongodProcess
from pdp.v1.mask_job_pb2 import MaskJobState
from pdp.v1.request_pb2 import Effect
from tests.mask_jobs import ON_EXECUTORS, STOPPED, Stage, refused, request, rows, staged


async def test_policy_that_denies_stops_the_job(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a"))
    await stage.change(closed=True)
    answer = await refused(stage, begun.ticket, part=1)
    assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "MASK_JOB_DENIED")
    assert "the table is closed" in answer.message
    await stage.change()
    answer = await refused(stage, begun.ticket, part=2)
    assert answer.reason == "MASK_JOB_ENDED"
    assert "the table is closed" in answer.message
    assert (await stage.get(begun.job_id)).state == STOPPED


async def test_look_of_a_driver_asks_the_policy(stage: Stage) -> None:
    begun = await stage.start(request(ON_EXECUTORS))
    assert (await stage.get(begun.job_id, check=True)).state == MaskJobState.MASK_JOB_STATE_RUNNING
    await stage.change(closed=True)
    assert (await stage.get(begun.job_id)).state == MaskJobState.MASK_JOB_STATE_RUNNING
    job = await stage.get(begun.job_id, check=True)
    assert (job.state, "the table is closed" in job.why) == (STOPPED, True)
    await stage.change()


async def test_policy_that_masks_otherwise_stops_the_job_and_says_what_differs(stage: Stage) -> None:
    begun = await stage.start()
    await stage.change(plain=True)
    answer = await refused(stage, begun.ticket)
    assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "MASK_PLAN_CHANGED")
    assert "column id is masked by token of domain person.id" in answer.message
    assert "and now by clear" in answer.message
    await stage.change()
    assert (await stage.get(begun.job_id)).state == STOPPED


async def test_policy_of_another_revision_that_masks_alike_changes_nothing(stage: Stage) -> None:
    begun = await stage.start()
    first = await stage.part(begun.ticket, 0, rows("a"))
    await stage.change(groups={"data-stewards": ["user:bob"], "owners": ["user:carol"], "more": ["user:dana"]})
    second = await stage.part(begun.ticket, 1, rows("a"))
    await stage.change()
    assert first.opened.plan == second.opened.plan
    assert first.table == second.table


async def test_approval_holds_while_its_reviews_meet_what_the_policy_requires(stage: Stage) -> None:
    asked = request(ask=True)
    pending = await stage.start(asked)
    assert (pending.decision.effect, pending.ticket) == (Effect.EFFECT_NEEDS_APPROVAL, "")
    await stage.server.review(pending.decision.approval, "bob")
    begun = await stage.start(asked)
    assert begun.decision.effect == Effect.EFFECT_ALLOW
    await stage.part(begun.ticket, 0, rows("a"))
    assert (await stage.get(begun.job_id)).approval_id == pending.decision.approval.approval_id
    await stage.change(reviewers=["owners"])
    answer = await refused(stage, begun.ticket, part=1)
    assert answer.reason == "MASK_JOB_DENIED"
    await stage.change()


async def test_job_without_approval_ends_where_the_policy_asks_for_one(stage: Stage) -> None:
    begun = await stage.start()
    await stage.change(all_ask=True)
    answer = await refused(stage, begun.ticket)
    assert (answer.reason, "requires an approval now" in answer.message) == ("MASK_JOB_DENIED", True)
    await stage.change()


async def test_job_keeps_its_key_version_while_that_is_not_retired(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    file = tmp_path / "mask.json"
    key_files.create(file, "dev", now=datetime.now(UTC))
    async with staged(state, mongod.uri, tmp_path / "policy", mask_keys=file) as stage:
        begun = await stage.start()
        first = await stage.part(begun.ticket, 0, rows("a"))
        key_files.rotate(file, now=datetime.now(UTC))
        second = await stage.part(begun.ticket, 1, rows("a"))
        assert first.table == second.table
        newer = await stage.start()
        assert (await stage.part(newer.ticket, 0, rows("a"))).table != first.table
        key_files.retire(file, 1)
        answer = await refused(stage, begun.ticket, part=2)
        assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "KEY_REFUSED")
        assert (await stage.get(begun.job_id)).state == STOPPED
        await stage.part(newer.ticket, 1, rows("a"))


async def test_policy_without_a_usable_answer_fails_the_part_and_not_the_job(stage: Stage) -> None:
    asked = request(ask=True)
    pending = await stage.start(asked)
    await stage.server.review(pending.decision.approval, "bob")
    begun = await stage.start(asked)
    await stage.change(reviewers=5)
    assert (await refused(stage, begun.ticket)).reason == "POLICY_INVALID"
    assert (await stage.get(begun.job_id)).state != STOPPED
    await stage.change()
    await stage.part(begun.ticket, 0, rows("a"), attempt=1)
