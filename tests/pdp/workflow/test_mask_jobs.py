"""A mask job: planned first, decided then, run under the very policy that decided."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

import masker
from masker import keys as key_files
from pdp import deadline
from pdp.audit.record import Entry, Kind
from pdp.caller import Caller
from pdp.canonical import canonical
from pdp.decision import Effect, Verdict
from pdp.errors import (
    Conflict,
    DecisionUsed,
    EngineUnavailable,
    MaskPlanRefused,
    PdpError,
    QuotaExceeded,
    ValueRefused,
)
from pdp.masking.job import Progress
from pdp.masking.rows import Shape
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.store.quotas import Limits, Reserved, reservation
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Ask, Decided, answer_without_step
from pdp.workflow.lineage_views import NO_LINEAGE, OFF, LineageViews
from pdp.workflow.mask_jobs import ATTEMPTS, USE_SECONDS, MaskJobs, Work
from tests.parts import asking, payload
from tests.pdp.specimens import BOT, verdict

SHAPE = Shape(pa.schema([("id", pa.string())]))
MASK = {"rule": "r.id", "reason": "ids", "columns": ["id"], "domain": "customer"}


def answer(revision: str = "r1", **changes: Any) -> dict[str, Any]:
    """What OPA says of the masks."""
    masks = {"entries": [MASK], "columns": {"id": [MASK]}, "domains": {"customer": {"mask": "token"}}}
    people = {"agent:bot": "agent:bot", "user:alice": "slack:U1", "slack:U1": "slack:U1", "user:carol": "user:carol"}
    return {**masks, "people": people, "revisions": [revision], **changes}


@dataclass
class Parts:
    """All that is around a job: keeps in order what was done. `answers` are OPA's, the last one again and again."""

    keyring: masker.Keyring
    answers: list[Any] = field(default_factory=lambda: [answer()])
    effect: Effect = Effect.ALLOW
    decided_by: str = "r1"
    did: list[str] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)
    recorded: list[str] = field(default_factory=list)
    used_elsewhere: bool = False
    begun: bool = False
    is_repeat: bool = False
    is_full: bool = False
    lost: int = 0
    lineage: LineageViews = NO_LINEAGE

    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        return Ask(request, caller, canonical(request, "dev"), 0)

    checked_within = checked

    async def informed_one(self, ask: Ask) -> Ask:
        return replace(ask, lineage=OFF)

    def require_whole(self, request: AuthorizeRequest, caller: Caller) -> None:
        """All of it arrives here."""

    async def decide_one(self, ask: Ask) -> Decided:
        """What `Settlement` does: ready, as often as somebody else is faster; and then the use, unless it is lost."""
        self.did.append("decide dry" if ask.request.dry_run else "decide")
        self.asked.append(ask)
        answer = answer_without_step(ask, verdict(self.effect))
        if self.effect is Effect.ALLOW and not ask.request.dry_run:
            allowed = replace(answer, used=self.is_repeat)
            claims = [await ask.claim(allowed) for _ in range(1 + self.lost)]
            assert len(set(claims)) == 1
            assert claims[0].startswith("use_") == (ask.ready is not None)
            self.did.append("lost" if self.lost else "use")
            answer = answer_without_step(ask, verdict(Effect.DENY)) if self.lost else allowed
        return Decided(ask, answer)

    async def count(self, reserved: Reserved) -> None:
        self.did.append(f"reserve {reserved.what} {sum(reserved.values.values())}")
        people = {"slack:U1": ["slack:U1"], "user:carol": ["user:carol"]}
        wanted = reservation(Limits(7, 7), reserved.what, BOT.identity, people, {})
        assert reserved.limits == wanted.limits
        if self.is_full:
            raise QuotaExceeded("full", 1.0)

    def keep(self, reserved: Reserved) -> None:
        self.did.append(f"keep {sum(reserved.values.values())}")

    async def give_back(self, reserved: Reserved) -> None:
        self.did.append(f"give back {sum(reserved.values.values())}")

    def question(self, ask: Ask) -> Question:
        return Question(ask.canonical.json, Suspect(ask.caller.identity))

    def verdict(self, answer: object) -> Verdict:
        assert answer == "judged"
        return verdict(self.effect)

    async def each(self, questions: Sequence[Question]) -> list[Any]:
        question, judged = questions
        assert (question.about, judged.about) == (About.MASKS, About.DECISIONS)
        self.did.append("plan")
        assert payload(question.input)["columns"]
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, PdpError):
            raise found
        return [found, "judged"]

    def current(self) -> masker.Keyring:
        return self.keyring

    async def run(self, caller: str, action: Any, weight: int = 0) -> Any:
        assert (caller, weight >= 0) == (BOT.identity, True)
        return action()

    async def read(self, caller: str, action: Any, size: int) -> Any:
        return await self.run(caller, action, size)

    async def plan(self, caller: str, action: Any, columns: int) -> Any:
        return await self.run(caller, action, columns)

    def of(self, caller: str) -> Any:
        return partial(self.run, caller)

    async def require(self, domains: Mapping[str, Any]) -> None:
        self.did.append(f"require {', '.join(domains)}")
        if self.used_elsewhere:
            raise MaskPlanRefused("declared otherwise")

    async def claim(self, domains: Mapping[str, Any]) -> None:
        self.did.append(f"claim {', '.join(domains)}")

    async def begin(self, decision_id: str, action: str, claim: str) -> None:
        self.did.append(f"begin {action}")
        assert claim.startswith("use_")
        if self.begun:
            raise DecisionUsed("a job began", decision_id=decision_id)

    async def append(self, entries: Sequence[Entry]) -> None:
        self.recorded += [payload(entry.record)["kind"] for entry in entries]


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> masker.Keyring:
    path: Path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "dev", now=datetime.now(UTC))
    return masker.Keyring.load(path)


@pytest.fixture
def parts(keyring: masker.Keyring) -> Parts:
    return Parts(keyring)


def jobs(parts: Parts) -> MaskJobs:
    one = cast("Any", parts)
    return MaskJobs(
        person_types=frozenset({"user"}),
        deciding=one,
        batcher=one,
        keys=one,
        domains=one,
        uses=one,
        quotas=one,
        limits=Limits(7, 7),
        writer=one,
        threads=one,
    )


async def made(
    parts: Parts, action: str = "mask", bound: Any = None, content: Any = None, begin: Any = None, **members: Any
) -> tuple[Decided, Progress | None]:
    given = {"begin": begin} if begin else {}
    work = Work(action, SHAPE, bound=bound or (lambda _, __: {}), content=content, **given)
    return await jobs(parts).decide(work, asking(action, **members), BOT)


PLANNED = ["plan", "require customer"]
READY = ["claim customer", "reserve mask 1"]


async def test_it_is_planned_decided_ready_and_used(parts: Parts) -> None:
    decided, progress = await made(parts)
    assert parts.did == [*PLANNED, "decide", *READY, "use", "keep 1"]
    assert progress is not None
    job = progress.job
    assert job.use.startswith("use_")
    assert (job.action, job.decision_id, job.plan.policy_revision) == ("mask", decided.answer.decision_id, "r1")
    assert dict(job.persons) == {"slack:U1": ["user:alice", "slack:U1"], "user:carol": ["user:carol"]}
    assert (job.plan.table, job.plan.subject) == ("customers", "agent:report-bot")


@pytest.mark.parametrize("effect", [Effect.NEEDS_APPROVAL, Effect.DENY])
async def test_nothing_is_ready_for_a_call_that_is_denied_or_waits(parts: Parts, effect: Effect) -> None:
    parts.effect = effect
    decided, progress = await made(parts)
    assert (decided.effect, progress) == (effect, None)
    assert parts.did == [*PLANNED, "decide"]


@pytest.mark.parametrize("effect", list(Effect))
async def test_a_plan_reserves_and_uses_nothing(parts: Parts, effect: Effect) -> None:
    parts.effect = effect
    decided, plan = await jobs(parts).plan(Work("mask", SHAPE), asking("mask"), BOT)
    assert (decided.effect, plan is None) == (effect, effect is Effect.DENY)
    assert parts.did == [*PLANNED, "decide dry", *(["claim customer"] if plan else [])]


async def test_what_was_reserved_is_given_back_once_where_the_use_is_lost(parts: Parts) -> None:
    parts.lost = 2
    decided, progress = await made(parts)
    assert (decided.effect, progress) == (Effect.DENY, None)
    assert parts.did == [*PLANNED, "decide", *READY, "lost", "give back 1"]


async def test_what_was_reserved_is_given_back_where_the_content_is_refused(parts: Parts) -> None:
    async def begin(progress: Progress, decided: Decided) -> None:
        assert decided.effect is Effect.ALLOW
        await progress.has_room()
        raise ValueRefused("does not fit")

    with pytest.raises(ValueRefused):
        await made(parts, begin=begin)
    assert parts.did == [*PLANNED, "decide", *READY, "give back 1"]
    assert parts.recorded == [Kind.ERROR]


async def test_what_was_reserved_is_given_back_where_the_caller_hangs_up(parts: Parts) -> None:
    opening = asyncio.Event()

    async def begin(progress: Progress, _: Decided) -> None:
        await progress.has_room()
        opening.set()
        await asyncio.Event().wait()

    call = asyncio.ensure_future(made(parts, begin=begin))
    await opening.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert parts.did == [*PLANNED, "decide", *READY, "give back 1"]


async def test_full_quota_ends_the_call_before_the_use(parts: Parts) -> None:
    parts.is_full = True
    with pytest.raises(QuotaExceeded):
        await made(parts)
    assert parts.did == [*PLANNED, "decide", *READY, "give back 1"]
    assert parts.recorded == [Kind.ERROR]


async def test_approval_is_not_used_where_its_answer_would_come_too_late(parts: Parts) -> None:
    parts.is_repeat = True  # any answer that uses an approval
    deadline.begin(USE_SECONDS / 2)
    with pytest.raises(deadline.OutOfTime):
        await made(parts)
    assert parts.did == [*PLANNED, "decide", *READY, "give back 1"]
    parts.is_repeat = False
    assert (await made(parts))[1] is not None


async def test_decision_that_was_given_before_is_claimed_by_itself(parts: Parts) -> None:
    parts.is_repeat = True
    _, progress = await made(parts)
    assert progress is not None
    assert parts.did == [*PLANNED, "decide", *READY, "use", "begin mask", "keep 1"]


async def test_second_job_of_a_decision_is_refused_and_recorded(parts: Parts) -> None:
    parts.is_repeat = parts.begun = True
    with pytest.raises(DecisionUsed):
        await made(parts)
    assert parts.did[-2:] == ["begin mask", "give back 1"]
    assert parts.recorded == [Kind.ERROR]


@pytest.mark.parametrize("effect", [Effect.ALLOW, Effect.NEEDS_APPROVAL, Effect.DENY])
async def test_content_is_parsed_before_the_decision_and_not_where_the_policy_denies(
    parts: Parts, effect: Effect
) -> None:
    parts.effect = effect
    await made(parts, content=lambda: parts.did.append("content"))
    content = [] if effect is Effect.DENY else ["content"]
    used = [*READY, "use", "keep 1"] if effect is Effect.ALLOW else []
    assert parts.did == [*PLANNED, *content, "decide", *used]


@pytest.mark.parametrize("why", ["no mask", "opa away", "domain used elsewhere"])
async def test_what_cannot_be_planned_uses_no_approval_and_is_recorded(parts: Parts, why: str) -> None:
    parts.answers = [answer(columns={"id": []}) if why == "no mask" else EngineUnavailable("away")]
    if why == "domain used elsewhere":
        parts.answers, parts.used_elsewhere = [answer()], True
    with pytest.raises((MaskPlanRefused, EngineUnavailable)):
        await made(parts)
    assert parts.did[-1] == "decide dry"
    assert "decide" not in parts.did
    assert parts.recorded == [Kind.ERROR]


async def test_whoever_is_denied_hears_that_and_not_why_there_is_no_plan(parts: Parts) -> None:
    parts.answers, parts.effect = [answer(columns={"id": []})], Effect.DENY
    decided, job = await made(parts)
    assert (decided.effect, job) == (Effect.DENY, None)
    assert parts.recorded == []


async def test_plan_of_the_rules_before_is_made_again_by_those_that_decided(parts: Parts) -> None:
    parts.answers = [answer("r0"), answer("r1")]
    _, progress = await made(parts)
    assert parts.did == [*PLANNED, "decide", *PLANNED, *READY, "use", "keep 1"]
    assert progress is not None
    assert progress.job.plan.policy_revision == "r1"


async def test_policy_that_changes_again_and_again_is_a_conflict_and_nothing_is_masked(parts: Parts) -> None:
    parts.answers = [answer("r0")]
    with pytest.raises(Conflict):
        await made(parts)
    assert parts.did.count("plan") == ATTEMPTS + 1
    assert "claim customer" not in parts.did


async def test_decision_is_bound_to_the_very_data_beside_the_request(parts: Parts) -> None:
    request = asking("unmask", context={"why": "call"})
    _, progress = await made(parts, "unmask", lambda _, __: {"tokens_sha256": "x"}, context={"why": "call"})
    [ask] = parts.asked
    assert dict(ask.request.context) == {"why": "call", "tokens_sha256": "x"}
    assert ask.canonical.digest != canonical(request, "dev").digest
    assert progress is not None
    assert progress.job.bound == {"tokens_sha256": "x"}


async def test_plan_made_again_must_be_bound_to_the_same_data(parts: Parts) -> None:
    parts.answers = [answer("r0"), answer("r1")]
    with pytest.raises(Conflict):
        await made(parts, "unmask", lambda plan, _: {"by": plan.policy_revision})
    assert "claim customer" not in parts.did
