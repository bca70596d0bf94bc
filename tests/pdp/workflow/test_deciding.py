"""The flow of a decision: judge, settle, record; no record, no answer."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from pdp.approval import ApprovalAt, State
from pdp.audit.record import Entry, Kind
from pdp.caller import Caller
from pdp.decision import Effect, Verdict
from pdp.errors import (
    ApprovalTampered,
    EngineUnavailable,
    InvalidRequest,
    NotAllowed,
    NotFound,
    PdpError,
    PolicyInvalid,
    StoreUnavailable,
    TooManyPending,
)
from pdp.lineage_errors import LineageStale
from pdp.opa.waiting import Question
from pdp.turns import PIECE, Turns
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Answer, Ask, Decided, Failed, answer_without_step
from pdp.workflow.deciding import Deciding
from pdp.workflow.lineage_views import NO_LINEAGE, LineageViews
from tests.known import Known, view
from tests.parts import asking, payload
from tests.pdp.specimens import T0, approval

BOT = Caller(
    "agent:report-bot",
    "workload",
    frozenset(),
    (),
    b'{"identity":"agent:report-bot","kind":"workload","groups":[]}',
    may_act_for=("user:*",),
)


@dataclass
class Parts:
    """All that is around a decision, as the decision sees it: keeps in order what it was asked for.

    An action's name says what becomes of its question; `unsettled` are the errors of settling, by action.
    """

    did: list[str] = field(default_factory=list)
    recorded: list[Entry] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    store: PdpError | None = None
    unsettled: Mapping[str, PdpError] = field(default_factory=dict)
    in_flight: int = 0

    @contextmanager
    def admitted(self, records: int) -> Iterator[None]:
        self.in_flight += records
        try:
            yield
        finally:
            self.in_flight -= records

    async def ask(self, questions: Sequence[Question]) -> list[Any]:
        self.did.append(f"judge {len(questions)}")
        self.asked += questions
        return [self._answer(question) for question in questions]

    def _answer(self, question: Question) -> Any:
        action = str(payload(question.input)["action"]["name"])
        if action == "fail":
            return PolicyInvalid("builtin_error", "failed")
        if action == "late":
            return EngineUnavailable("late")
        effect = {"drop": "DENY", "odd": "MAYBE"}.get(action, "ALLOW")
        return {"effect": effect, "reasons": [{"rule": "one", "reason": "because"}], "revisions": ["r1"]}

    async def settle(self, ask: Ask, verdict: Verdict) -> Answer:
        action = ask.request.action.name
        self.did.append(f"settle {action}")
        if action in self.unsettled:
            raise self.unsettled[action]
        answer = answer_without_step(ask, verdict)
        if action != "use":
            return answer
        held = approval(State.CONSUMED, closed_at=T0)
        return Answer(verdict, answer.decision_id, answer.entries, ApprovalAt(held, T0), step=held, used=True)

    async def append(self, entries: Sequence[Entry], *, caller: str) -> None:
        assert caller in {"", BOT.identity}
        self.did.append(f"record {len(entries)}")
        if self.store is not None:
            raise self.store
        self.recorded += entries

    async def write(self, steps: Sequence[Any], entries: Sequence[Entry], caller: str = "") -> None:
        await self.append(entries, caller=caller)
        self.did += [f"delivered {step.state}" for step in steps]

    async def now(self) -> datetime:
        self.did.append("time")
        return T0

    def grant(self, **claims: Any) -> str:
        self.did.append("grant")
        return f"{claims['decision_id']}/{claims['approval_id']}/{claims['at']:%Y}"

    def kinds(self) -> list[str]:
        return [payload(entry.record)["kind"] for entry in self.recorded]


def faults(members: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [("resource.properties.x", "is unknown")] if members["resource"]["type"] == "closed" else []


def deciding(parts: Any, lineage: LineageViews = NO_LINEAGE) -> Deciding:
    return Deciding(
        realm="dev",
        person_types=frozenset({"user"}),
        faults=faults,
        batcher=parts,
        settlement=parts,
        delivery=parts,
        writer=parts,
        grantor=parts,
        database=parts,
        turns=Turns(),
        lineage=lineage,
    )


async def decided(parts: Parts, *actions: str, **members: Any) -> list[Decided | Failed]:
    flow = deciding(parts)
    return await flow.decide([flow.checked(asking(action, **members), BOT) for action in actions])


async def test_stages_come_in_order_and_each_once() -> None:
    parts = Parts()
    outcomes = await decided(parts, "read", "drop", "use")
    assert [outcome.effect for outcome in outcomes] == [Effect.ALLOW, Effect.DENY, Effect.ALLOW]
    assert parts.did == [
        *("judge 3", "settle read", "settle drop", "settle use", "record 3"),
        *("delivered CONSUMED", "grant"),
    ]
    assert parts.kinds() == [Kind.DECISION] * 3
    assert not parts.in_flight


async def test_without_its_record_there_is_no_answer_and_no_grant() -> None:
    parts = Parts(store=StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await decided(parts, "use", wantGrant=True)
    assert parts.did == ["judge 1", "settle use", "record 1"]
    assert not parts.in_flight


@pytest.mark.parametrize(
    ("bad", "error", "kind"),
    [("fail", PolicyInvalid, Kind.ERROR), ("late", EngineUnavailable, Kind.ERROR), ("odd", PolicyInvalid, Kind.ERROR)],
)
async def test_question_without_a_verdict_fails_alone_and_is_recorded(
    bad: str, error: type[PdpError], kind: Kind
) -> None:
    parts = Parts()
    first, middle, last = await decided(parts, "read", bad, "drop")
    assert isinstance(middle, Failed)
    assert isinstance(middle.error, error)
    assert (first.effect, middle.effect, last.effect) == (Effect.ALLOW, Effect.DENY, Effect.DENY)
    assert parts.kinds() == [Kind.DECISION, kind, Kind.DECISION]
    assert f"settle {bad}" not in parts.did


@pytest.mark.parametrize(
    ("error", "is_recorded"),
    [
        (TooManyPending("wait"), True),
        (EngineUnavailable("away"), True),
        (PolicyInvalid("null", "nothing"), True),
        (NotFound("APPROVAL_NOT_FOUND", "none"), False),
        (ApprovalTampered("changed"), False),  # whoever found that out has recorded it
        (StoreUnavailable("away"), False),
    ],
)
async def test_question_that_cannot_be_settled_fails_alone(error: PdpError, *, is_recorded: bool) -> None:
    parts = Parts(unsettled={"export": error})
    failed, other = await decided(parts, "export", "read")
    assert isinstance(failed, Failed)
    assert failed.error is error
    assert isinstance(other, Decided)
    assert parts.kinds() == [Kind.ERROR] * is_recorded + [Kind.DECISION]


async def test_what_failed_at_the_door_keeps_its_place_and_is_never_asked() -> None:
    parts = Parts()
    flow = deciding(parts)
    bad = asking(subject={"type": "agent", "id": ""})
    asks = await flow.checked_each(
        [partial(flow.checked, one, BOT) for one in (asking("read"), bad, asking("drop"))], BOT
    )
    outcomes = await flow.decide(asks)
    assert [type(outcome) for outcome in outcomes] == [Decided, Failed, Decided]
    assert outcomes[1] is asks[1]
    assert parts.did == ["judge 2", "settle read", "settle drop", "record 2"]


@pytest.mark.parametrize("stops_at", [Effect.ALLOW, Effect.DENY])
async def test_nothing_is_settled_behind_the_first_effect_that_stops(stops_at: Effect) -> None:
    parts = Parts()
    flow = deciding(parts)
    asks = [flow.checked(asking(action), BOT) for action in ("read", "read", "drop", "read")]
    outcomes = await flow.decide(asks, lambda effect: effect is stops_at)
    assert len(outcomes) == (1 if stops_at is Effect.ALLOW else 3)
    assert outcomes[-1].effect is stops_at
    assert parts.did[-1] == f"record {len(outcomes)}"
    assert len(parts.did) == len(outcomes) + 2


async def test_question_without_an_answer_stops_where_a_deny_does() -> None:
    flow = deciding(Parts())
    asks = [flow.checked(asking(action), BOT) for action in ("late", "read")]
    assert len(await flow.decide(asks, lambda effect: effect is Effect.DENY)) == 1


async def test_many_are_judged_together_and_stay_in_order() -> None:
    parts = Parts()
    outcomes = await decided(parts, *["read", "drop"] * PIECE)
    assert parts.did[0] == f"judge {2 * PIECE}"
    assert [outcome.effect for outcome in outcomes] == [Effect.ALLOW, Effect.DENY] * PIECE


async def test_what_was_settled_is_recorded_when_the_call_ends_before_all_of_it_is() -> None:
    parts = Parts(unsettled={"breaks": RuntimeError("broken")})
    with pytest.raises(RuntimeError):
        await decided(parts, "read", "use", "breaks", "read")
    async with asyncio.timeout(5):
        while "delivered CONSUMED" not in parts.did:
            await asyncio.sleep(0)
    assert parts.did == ["judge 4", "settle read", "settle use", "settle breaks", "record 2", "delivered CONSUMED"]
    assert not parts.in_flight


@pytest.mark.parametrize(
    ("action", "members", "granted", "asks_time"),
    [
        ("read", {}, False, False),
        ("read", {"wantGrant": True}, True, True),
        ("read", {"wantGrant": True, "dryRun": True}, False, False),
        ("drop", {"wantGrant": True}, False, False),
        ("use", {}, True, False),
        ("use", {"wantGrant": True}, True, False),
    ],
)
async def test_grant_is_of_a_use_or_of_an_allow_that_wants_one(
    action: str, members: dict[str, Any], *, granted: bool, asks_time: bool
) -> None:
    parts = Parts()
    [outcome] = await decided(parts, action, **members)
    assert isinstance(outcome, Decided)
    used = approval().id if action == "use" else ""
    assert outcome.grant == (f"{outcome.answer.decision_id}/{used}/2026" if granted else "")
    assert ("time" in parts.did) == asks_time


async def test_time_is_asked_once_for_all() -> None:
    parts = Parts()
    await decided(parts, "read", "read", "drop", wantGrant=True)
    assert parts.did.count("time") == 1


async def test_one_question_gives_its_decision_or_raises_its_error() -> None:
    flow = deciding(Parts())
    assert (await flow.decide_one(flow.checked(asking("drop"), BOT))).effect is Effect.DENY
    with pytest.raises(EngineUnavailable):
        await flow.decide_one(flow.checked(asking("late"), BOT))


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (asking(subject={"type": "agent", "id": "other"}), NotAllowed),
        (asking(onBehalfOf=[{"type": "agent", "id": "other"}]), NotAllowed),
        (asking(resource={"type": "closed", "id": "x"}), InvalidRequest),
        (asking(requestId="\n"), InvalidRequest),
        (asking(justification="x" * 2001), InvalidRequest),
        (AuthorizeRequest(), InvalidRequest),
    ],
    ids=["foreign subject", "foreign chain", "schema", "request id", "justification", "empty"],
)
def test_shape_and_names_are_checked_before_anything_else(request_: AuthorizeRequest, error: type[PdpError]) -> None:
    parts = Parts()
    with pytest.raises(error):
        deciding(parts).checked(request_, BOT)
    assert not parts.did


def test_those_for_whom_the_token_acts_join_the_chain_behind_what_is_named() -> None:
    acting = Caller(
        "agent:report-bot", "workload", frozenset(), (), BOT.json, vouched=(("user", "alice"), ("team", "x"))
    )
    request = asking()
    ask = deciding(Parts()).checked(request, acting)
    chain = [(subject.type, subject.id) for subject in ask.request.on_behalf_of]
    assert chain == [("user", "alice"), ("team", "x")]
    assert len(request.on_behalf_of) == 1
    assert payload(ask.canonical.json)["on_behalf_of"][1]["id"] == "x"


async def test_other_calls_get_their_turn_within_a_large_batch() -> None:
    parts, turns = Parts(), [0]

    async def other() -> None:
        while True:
            turns[0] += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await decided(parts, *["read"] * (4 * PIECE))
    task.cancel()
    assert turns[0] >= 4 * 3


async def test_policy_and_record_get_the_same_bytes_of_what_is_known_of_the_data() -> None:
    parts, known = Parts(), Known({"customers": {"email": ["pii"]}})
    flow = deciding(parts, known)
    await flow.decide([flow.checked(asking(resource={"type": "table", "id": "customers"}), BOT)])
    seen = view({"email": ["pii"]}, name="customers").json
    assert [question.lineage for question in parts.asked] == [seen]
    assert all(b'"lineage"' not in question.input for question in parts.asked)
    [record] = parts.recorded
    assert b'"lineage":%b,' % seen in record.payload


async def test_a_caller_cannot_say_what_is_known_of_the_data() -> None:
    parts = Parts()
    flow = deciding(parts)
    mine = {"state": "KNOWN", "tags": []}
    await flow.decide([flow.checked(asking(context={"lineage": mine}), BOT)])
    assert [question.lineage for question in parts.asked] == [b'{"state":"OFF"}']
    [record] = parts.recorded
    assert payload(record.payload)["lineage"] == {"state": "OFF"}


async def test_what_is_known_is_not_in_the_digest() -> None:
    digests = set()
    for lineage in (NO_LINEAGE, Known({"customers": {"email": ["pii"]}})):
        flow = deciding(Parts(), lineage)
        [decided] = await flow.decide([flow.checked(asking(resource={"type": "table", "id": "customers"}), BOT)])
        assert isinstance(decided, Decided)
        digests.add(decided.ask.canonical.digest)
    assert len(digests) == 1


async def test_where_the_newest_is_not_known_nothing_is_decided_and_that_is_recorded() -> None:
    parts = Parts()
    flow = deciding(parts, Known(stale=True))
    asks = [flow.checked(asking(resource={"type": kind, "id": "x"}), BOT) for kind in ("table", "service")]
    stale, decided = await flow.decide(asks)
    assert isinstance(stale, Failed)
    assert stale.error.reason == "LINEAGE_STALE"
    assert isinstance(decided, Decided)
    assert parts.kinds() == [Kind.ERROR, Kind.DECISION]
    with pytest.raises(LineageStale):
        await flow.informed_one(asks[0])
    assert parts.kinds() == [Kind.ERROR, Kind.DECISION, Kind.ERROR]


async def test_an_error_of_the_policy_is_recorded_with_what_it_knew() -> None:
    parts = Parts()
    flow = deciding(parts, Known({"customers": {"email": ["pii"]}}))
    await flow.decide([flow.checked(asking("fail", resource={"type": "table", "id": "customers"}), BOT)])
    [record] = parts.recorded
    assert payload(record.payload)["lineage"]["tags"] == ["pii"]
