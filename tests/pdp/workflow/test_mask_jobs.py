"""A mask job: planned first, decided then, run under the very policy that decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

import masker
from masker import keys as key_files
from pdp.audit.record import Entry, Kind
from pdp.caller import Caller
from pdp.canonical import canonical
from pdp.decision import Effect
from pdp.errors import Conflict, DecisionUsed, EngineUnavailable, MaskPlanRefused, PdpError
from pdp.masking.job import Job
from pdp.masking.rows import Shape
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Ask, answer_without_step
from pdp.workflow.deciding import Decided
from pdp.workflow.mask_jobs import ATTEMPTS, MaskJobs, Work
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

    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        return Ask(request, caller, canonical(request, "dev"), 0)

    async def decide_one(self, ask: Ask) -> Decided:
        self.did.append("decide dry" if ask.request.dry_run else "decide")
        self.asked.append(ask)
        return Decided(ask, answer_without_step(ask, verdict(self.effect)))

    async def denies(self, ask: Ask) -> bool:
        self.did.append("ask")
        assert not ask.request.dry_run
        return self.effect is Effect.DENY

    async def masks(self, question: bytes) -> Any:
        self.did.append("plan")
        assert payload(question)["columns"]
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, PdpError):
            raise found
        return found

    def current(self) -> masker.Keyring:
        return self.keyring

    async def run(self, action: Any) -> Any:
        return action()

    async def require(self, domains: Mapping[str, Any]) -> None:
        self.did.append(f"require {', '.join(domains)}")
        if self.used_elsewhere:
            raise MaskPlanRefused("declared otherwise")

    async def claim(self, domains: Mapping[str, Any]) -> None:
        self.did.append(f"claim {', '.join(domains)}")

    async def begin(self, decision_id: str, action: str) -> str:
        self.did.append(f"begin {action}")
        if self.begun:
            raise DecisionUsed("a job began", decision_id=decision_id)
        return "use_1"

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


async def made(
    parts: Parts, action: str = "mask", bound: Any = None, content: Any = None, **members: Any
) -> tuple[Decided, Job | None]:
    one = cast("Any", parts)
    types = frozenset({"user"})
    jobs = MaskJobs(person_types=types, deciding=one, opa=one, keys=one, domains=one, uses=one, writer=one, threads=one)
    work = Work(action, SHAPE, bound=bound or (lambda _: {}), content=content)
    return await jobs.decide(work, asking(action, **members), BOT)


PLANNED = ["plan", "require customer"]


async def test_it_is_planned_decided_and_claimed_with_its_domains(parts: Parts) -> None:
    decided, job = await made(parts)
    assert parts.did == [*PLANNED, "decide", "claim customer", "begin mask"]
    assert job is not None
    assert job.use == "use_1"
    assert (job.action, job.decision_id, job.plan.policy_revision) == ("mask", decided.answer.decision_id, "r1")
    assert list(job.persons) == ["slack:U1", "user:carol"]
    assert (job.plan.table, job.plan.subject) == ("customers", "agent:report-bot")


@pytest.mark.parametrize(
    ("effect", "dry_run", "is_job"),
    [
        (Effect.ALLOW, False, True),
        (Effect.ALLOW, True, True),
        (Effect.NEEDS_APPROVAL, False, False),
        (Effect.NEEDS_APPROVAL, True, True),
        (Effect.DENY, False, False),
        (Effect.DENY, True, False),
    ],
)
async def test_there_is_a_job_where_it_is_allowed_or_would_be_approved(
    parts: Parts, effect: Effect, *, dry_run: bool, is_job: bool
) -> None:
    parts.effect = effect
    decided, job = await made(parts, dryRun=dry_run)
    assert decided.effect is effect
    assert (job is not None) == is_job
    assert ("claim customer" in parts.did) == is_job
    assert ("begin mask" in parts.did) == (is_job and not dry_run)


async def test_second_job_of_a_decision_is_refused_and_recorded(parts: Parts) -> None:
    parts.begun = True
    with pytest.raises(DecisionUsed):
        await made(parts)
    assert parts.recorded == [Kind.ERROR]


@pytest.mark.parametrize("effect", [Effect.ALLOW, Effect.NEEDS_APPROVAL, Effect.DENY])
async def test_content_is_parsed_before_the_decision_and_not_where_the_policy_denies(
    parts: Parts, effect: Effect
) -> None:
    parts.effect = effect
    await made(parts, content=lambda: parts.did.append("content"))
    content = [] if effect is Effect.DENY else ["content"]
    claimed = ["claim customer", "begin mask"] if effect is Effect.ALLOW else []
    assert parts.did == [*PLANNED, "ask", *content, "decide", *claimed]


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
    _, job = await made(parts)
    assert parts.did == [*PLANNED, "decide", *PLANNED, "claim customer", "begin mask"]
    assert job is not None
    assert job.plan.policy_revision == "r1"


async def test_policy_that_changes_again_and_again_is_a_conflict_and_nothing_is_masked(parts: Parts) -> None:
    parts.answers = [answer("r0")]
    with pytest.raises(Conflict):
        await made(parts)
    assert parts.did.count("plan") == ATTEMPTS + 1
    assert "claim customer" not in parts.did


async def test_decision_is_bound_to_the_very_data_beside_the_request(parts: Parts) -> None:
    request = asking("unmask", context={"why": "call"})
    _, job = await made(parts, "unmask", lambda _: {"tokens_sha256": "x"}, context={"why": "call"})
    [ask] = parts.asked
    assert dict(ask.request.context) == {"why": "call", "tokens_sha256": "x"}
    assert ask.canonical.digest != canonical(request, "dev").digest
    assert job is not None
    assert job.bound == {"tokens_sha256": "x"}


async def test_plan_made_again_must_be_bound_to_the_same_data(parts: Parts) -> None:
    parts.answers = [answer("r0"), answer("r1")]
    with pytest.raises(Conflict):
        await made(parts, "unmask", lambda plan: {"by": plan.policy_revision})
    assert "claim customer" not in parts.did
