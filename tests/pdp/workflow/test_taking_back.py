"""Removals: decided first, bound to what was seen, and written only under an allow."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from pdp.caller import Caller, Role
from pdp.canonical import canonical
from pdp.decision import Effect, Verdict
from pdp.errors import InvalidRequest
from pdp.lineage.fact import Event, Output
from pdp.lineage_errors import LineageChanged, RevisionUnknown
from pdp.recording.uses import Uses
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.lineage_pb2 import DataName, DeclassifyRequest, EndEdgeRequest, LineageScope, UnlinkRequest, UntagRequest
from pdp.v1.request_pb2 import Subject
from pdp.workflow.answer import Ask, Decided, answer_without_step
from pdp.workflow.known_data import KnownData
from pdp.workflow.lineage_views import OFF
from pdp.workflow.taken_before import Told
from pdp.workflow.taking_back import TakingBack
from tests.pdp.chain import writing
from tests.pdp.lineage_known import CRM, REPORT, SETTINGS, STAGE, Known, derived, known, tagged

BOB = Caller("user:bob", "person", frozenset({Role.STEWARD}), (), b"{}")


@dataclass
class Policy:
    """Answers each question with its effect, and keeps what it was asked; an allow has its caller make ready first."""

    effect: Effect = Effect.ALLOW
    asked: list[AuthorizeRequest] = field(default_factory=list)

    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        self.asked.append(request)
        return Ask(request, caller, canonical(request, "dev"), 0, lineage=OFF)

    async def decide_one(self, ask: Ask) -> Decided:
        answer = answer_without_step(ask, Verdict(self.effect, (), "r1"))
        if self.effect is Effect.ALLOW:
            await ask.claim(answer)
        return Decided(ask, answer)

    @property
    def context(self) -> dict[str, Any]:
        return json_format.MessageToDict(self.asked[-1].context)


def name(dataset: Any) -> DatasetName:
    return DatasetName(namespace=dataset.namespace, name=dataset.name)


def taking(log: Known, policy: Any) -> TakingBack:
    told = Told(log.writing, Uses(Batches(log.database)))
    return TakingBack(KnownData(SETTINGS, policy, log.past()), policy, log.say, told)


def tags(log: Known, kind: str = "table", identifier: str = "public.customers") -> list[str]:
    return list(log.views.view(kind, identifier, log.revision).tags)


UNTAG = UntagRequest(data=DataName(dataset=name(CRM)), column="EMAIL", tag="PII", reason="it is not", revision=1)


async def test_tag_goes_under_an_allow_and_the_question_binds_what_was_seen(database: Database) -> None:
    policy = Policy()
    async with known(database) as log:
        await log.write([tagged()])
        decided, at = await taking(log, policy).untag(UNTAG, BOB)
        assert at
        assert at.n == 2
        assert decided.effect is Effect.ALLOW
        assert "pii" not in tags(log)
        assert policy.asked[0].action.name == "lineage.untag"
        assert policy.asked[0].subject == Subject(type="user", id="bob")
        assert policy.context == {
            "namespace": CRM.namespace, "name": CRM.name, "column": "email", "tag": "pii", "revision": 1,
            "sources": ["PERSON"],
        }  # fmt: skip


@pytest.mark.parametrize("effect", [Effect.DENY, Effect.NEEDS_APPROVAL])
async def test_nothing_goes_without_an_allow(database: Database, effect: Effect) -> None:
    async with known(database) as log:
        await log.write([tagged()])
        decided, at = await taking(log, Policy(effect)).untag(UNTAG, BOB)
        assert (decided.effect, at, log.revision.n) == (effect, None, 1)
        assert "pii" in tags(log)


async def test_what_changed_since_it_was_seen_is_not_taken_away(database: Database) -> None:
    async with known(database) as log:
        await log.write([tagged()])
        await log.write([replace(tagged(), by="user:carol")])
        with pytest.raises(LineageChanged, match="not what it was"):
            await taking(log, Policy()).untag(UNTAG, BOB)
        await log.write([tagged(column="note")])
        again = UntagRequest()
        again.CopyFrom(UNTAG)
        again.revision = 2
        _, at = await taking(log, Policy()).untag(again, BOB)
        assert at
        with pytest.raises(LineageChanged, match="nothing of this kind"):
            await taking(log, Policy()).untag(replace_revision(UNTAG, at.n), BOB)
        with pytest.raises(RevisionUnknown):
            await taking(log, Policy()).untag(replace_revision(UNTAG, 99), BOB)


def replace_revision(request: UntagRequest, n: int) -> UntagRequest:
    changed = UntagRequest()
    changed.CopyFrom(request)
    changed.revision = n
    return changed


async def test_removal_asked_for_again_is_answered_as_before_and_done_once(database: Database) -> None:
    request = replace_revision(UNTAG, 1)
    request.scope.request_id = "once"
    async with known(database) as log, writing(database) as writer:
        await log.write([tagged()])
        policy = Policy()
        decided, at = await taking(log, policy).untag(request, BOB)
        await writer.append(decided.answer.entries)
        await log.write([tagged()])
        again, same = await taking(log, policy).untag(request, BOB)
        assert (again.answer.decision_id, again.effect, same) == (decided.answer.decision_id, Effect.ALLOW, at)
        assert "pii" in tags(log), "what was said since stays"
        request.scope.request_id = "twice"
        other, later = await taking(log, policy).untag(request, BOB)
        assert other.answer.decision_id != decided.answer.decision_id
        assert later != at


async def test_edge_and_joint_end(database: Database) -> None:
    policy = Policy()
    async with known(database) as log:
        alias = Event(by="workload:etl", at=5, event="a" * 64, aliases=((CRM, REPORT),))
        await log.write([tagged(), derived(1, CRM, STAGE, ("email", "mail")), alias])
        assert "pii" in tags(log, "file", "stage/customers")
        assert "pii" in tags(log, "file", "reports/weekly")
        request = EndEdgeRequest(
            data=DataName(dataset=name(STAGE)), column="mail", source=name(CRM), source_column="email",
            reason="hashed there", revision=1,
        )  # fmt: skip
        await taking(log, policy).end_edge(request, BOB)
        assert "pii" not in tags(log, "file", "stage/customers")
        assert policy.context["source_column"] == "email"
        await taking(log, policy).unlink(
            UnlinkRequest(one=name(CRM), other=name(REPORT), reason="no copy", revision=2), BOB
        )
        assert "pii" not in tags(log, "file", "reports/weekly")
        assert (policy.asked[-1].action.name, policy.context["other_name"]) == ("lineage.unlink", REPORT.name)


async def test_inherited_tag_stops_for_the_edges_that_were_seen_and_no_other(database: Database) -> None:
    policy = Policy()
    async with known(database) as log:
        await log.write([tagged(), tagged(column="note"), derived(1, CRM, STAGE, ("email", "mail"))])
        await log.write([derived(2, CRM, STAGE, ("note", "mail"))])
        request = DeclassifyRequest(
            data=DataName(dataset=name(STAGE)), column="mail", tag="pii", reason="bands", revision=1
        )
        await taking(log, policy).declassify(request, BOB)
        assert "pii" in tags(log, "file", "stage/customers"), "through the edge that came later"
        request.revision = 2
        request.expires_at.FromSeconds(4_000_000_000)
        await taking(log, policy).declassify(request, BOB)
        assert "pii" not in tags(log, "file", "stage/customers")
        assert policy.context["expires_at"].startswith("2096-10-02T07:06:40")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"revision": 0}, "revision"),
        ({"tag": "a:b"}, "tag"),
        ({"scope": LineageScope(subject=Subject(type="user", id="carol"))}, "scope.subject"),
        ({"scope": LineageScope(on_behalf_of=[Subject(type="user", id="carol")])}, "scope.on_behalf_of"),
        ({"data": DataName()}, "data"),
    ],
)
async def test_what_is_missing_or_not_taken_is_named(database: Database, changes: Any, path: str) -> None:
    request = UntagRequest(data=DataName(dataset=name(CRM)), column="email", tag="pii", reason="r", revision=1)
    for member, value in changes.items():
        if isinstance(value, str | int):
            setattr(request, member, value)
        else:
            getattr(request, member).CopyFrom(value)
            if not value.ListFields():
                request.ClearField(member)
    async with known(database) as log:
        await log.write([tagged()])
        with pytest.raises(InvalidRequest, match=path.replace(".", r"\.")):
            await taking(log, Policy()).untag(request, BOB)


async def test_inherited_tag_stops_in_what_every_column_gets(database: Database) -> None:
    policy = Policy()
    coarse = Event(
        by="agent:etl", at=1, event="00", run="r", job=("j", "1"), inputs=[CRM], outputs=[Output(STAGE, ["mail"])]
    )
    request = DeclassifyRequest(data=DataName(dataset=name(STAGE)), tag="pii", reason="masked", revision=2)
    async with known(database) as log:
        await log.write([tagged()])
        await log.write([coarse])
        assert "pii" in tags(log, "dataset", f"{STAGE.namespace}/{STAGE.name}")
        await taking(log, policy).declassify(request, BOB)
        assert "pii" not in tags(log, "dataset", f"{STAGE.namespace}/{STAGE.name}")
    assert (policy.context["column"], policy.context["tag"]) == ("", "pii")


async def test_declassifying_needs_a_time_to_come(database: Database) -> None:
    request = DeclassifyRequest(data=DataName(dataset=name(STAGE)), tag="pii", reason="r", revision=1)
    request.expires_at.CopyFrom(Timestamp(seconds=1))
    async with known(database) as log:
        await log.write([tagged()])
        with pytest.raises(InvalidRequest, match="expires_at"):
            await taking(log, Policy()).declassify(request, BOB)
