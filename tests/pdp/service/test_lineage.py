"""LineageService on a real server: events come in, stewards say what is there, and people read what follows."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1 import audit_pb2, lineage_pb2
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import DataName, LineageScope, LineageState
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, placet, refusal

POLICY = """package policy

# METADATA
# title: Reads
allow contains {"rule": "reads", "reason": "agents may see it"} if {
	input.action.name == "lineage.read"
	input.resource.id != "secret"
}

# METADATA
# title: Stewards
allow contains {"rule": "stewards", "reason": "stewards may"} if input.action.name == "lineage.untag"

# METADATA
# title: A second steward
needs_approval contains {
	"rule": "second",
	"reason": "another steward looks at it",
	"reviewers": {"groups": ["data-stewards"]},
} if {
	input.action.name == "lineage.declassify"
}
"""
CRM = DataName(dataset=DatasetName(namespace="postgres://crm:5432", name="crm.public.customers"))
REPORT = DataName(dataset=DatasetName(namespace="s3://lake", name="reports/weekly"))
EVENT = {
    "eventType": "COMPLETE",
    "eventTime": "2026-11-30T04:00:00Z",
    "producer": "https://example.com/etl",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0190a5b2-0000-7000-8000-000000000001"},
    "job": {"namespace": "etl", "name": "weekly"},
    "inputs": [{"namespace": "postgres://crm:5432", "name": "crm.public.customers"}],
    "outputs": [
        {
            "namespace": "s3://lake",
            "name": "reports/weekly",
            "facets": {
                "schema": {"fields": [{"name": "mail"}, {"name": "total"}]},
                "columnLineage": {
                    "fields": {
                        "mail": {
                            "inputFields": [
                                {
                                    "namespace": "postgres://crm:5432",
                                    "name": "crm.public.customers",
                                    "field": "email",
                                    "transformations": [{"type": "DIRECT", "subtype": "IDENTITY"}],
                                }
                            ]
                        },
                        "total": {"inputFields": []},
                    }
                },
            },
        }
    ],
}


@pytest.fixture(scope="module")
async def kept(mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Placet]:
    """A server that keeps lineage: an event was taken, and bob has tagged a column."""
    folder = tmp_path_factory.mktemp("lineage")
    policy: Path = folder / "policy"
    policy.mkdir()
    (policy / "all.rego").write_text(POLICY)
    (policy / "data.json").write_text('{"groups": {"data-stewards": ["user:bob", "user:carol"]}}')
    async with placet(folder / "state", mongod.uri, policy=[policy]) as server:
        stub: Any = LineageServiceStub(server.channel)
        requests = [lineage_pb2.IngestRequest(event=json.dumps(EVENT).encode()) for _ in range(2)]
        answers = [one async for one in stub.Ingest(iter(requests), metadata=server.metadata("etl"))]
        assert [one.reason for one in answers] == ["", ""]
        assert answers[0].revision == answers[1].revision
        tag = lineage_pb2.TagRequest(data=CRM, column="email", tag="PII", reason="addresses")
        answer = await stub.Tag(tag, metadata=server.metadata("bob"))
        await until(server, answer.revision.n)
        yield server


async def until(server: Placet, n: int) -> None:
    """Once the server has read revision `n`."""
    while True:
        request = lineage_pb2.GetLineageRequest(data=CRM)
        answer = await stub_of(server).GetLineage(request, metadata=server.metadata("dana"))
        if answer.revision.n >= n:
            return


def stub_of(server: Placet) -> Any:
    return LineageServiceStub(server.channel)


async def test_data_is_shown_with_what_is_around_it(kept: Placet) -> None:
    request = lineage_pb2.GetLineageRequest(data=REPORT, upstream=3, downstream=3)
    answer = await stub_of(kept).GetLineage(request, metadata=kept.metadata("dana"))
    assert not answer.HasField("decision"), "an auditor reads without the policy"
    assert answer.state == LineageState.LINEAGE_STATE_KNOWN
    assert [(one.dataset.name, one.distance) for one in answer.datasets] == [
        ("reports/weekly", 0),
        ("crm.public.customers", -1),
    ]
    assert {one.name: list(one.tags) for one in answer.datasets[0].columns}["mail"] == ["pii"]
    assert list(answer.datasets[0].column_names) == ["mail", "total"]
    assert (answer.steps[0].job_name, answer.steps[0].by) == ("weekly", "agent:etl")


async def test_tag_is_explained_by_its_assertion_and_the_way_from_there(kept: Placet) -> None:
    request = lineage_pb2.ExplainTagRequest(data=REPORT, column="MAIL", tag="pii")
    answer = await stub_of(kept).ExplainTag(request, metadata=kept.metadata("bob"))
    assert answer.carried
    assert [(one.by, one.reason, one.column) for one in answer.assertions] == [("user:bob", "addresses", "email")]
    assert [(one.source_column, one.column, one.how) for one in answer.steps] == [("email", "mail", "DIRECT/IDENTITY")]
    earlier = lineage_pb2.ExplainTagRequest(data=REPORT, column="mail", tag="pii", at=answer.revision.n - 1)
    answer = await stub_of(kept).ExplainTag(earlier, metadata=kept.metadata("bob"))
    assert (answer.carried, answer.revision.n) == (False, earlier.at)


async def test_way_leads_from_source_to_target_and_not_back(kept: Placet) -> None:
    request = lineage_pb2.GetPathRequest(source=CRM, target=REPORT)
    answer = await stub_of(kept).GetPath(request, metadata=kept.metadata("bob"))
    assert [one.dataset.name for one in answer.steps] == ["reports/weekly"]
    request = lineage_pb2.GetPathRequest(source=REPORT, target=CRM)
    assert not (await stub_of(kept).GetPath(request, metadata=kept.metadata("bob"))).steps


async def test_requester_reads_what_the_policy_lets_it(kept: Placet) -> None:
    request = lineage_pb2.GetLineageRequest(data=REPORT)
    answer = await stub_of(kept).GetLineage(request, metadata=kept.metadata("report-bot"))
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    assert answer.datasets
    request.data.resource.type, request.data.resource.id = "table", "secret"
    answer = await stub_of(kept).GetLineage(request, metadata=kept.metadata("report-bot"))
    assert answer.decision.effect == Effect.EFFECT_DENY
    assert not answer.HasField("revision")


async def test_lists_and_coverage_are_paged_and_whole(kept: Placet) -> None:
    request = lineage_pb2.ListTagsRequest(page_size=1)
    said = []
    while True:
        page = await stub_of(kept).ListTags(request, metadata=kept.metadata("dana"))
        said += [(one.column, one.tag) for one in page.assertions]
        if not page.next_page_token:
            break
        request.page_token, request.at = page.next_page_token, page.revision.n
    assert ("email", "pii") in said
    assert len(said) == len(set(said))
    coverage = await stub_of(kept).GetCoverage(lineage_pb2.GetCoverageRequest(), metadata=kept.metadata("dana"))
    assert [(one.namespace, one.datasets) for one in coverage.namespaces] == [
        ("postgres://crm:5432", 1),
        ("s3://lake", 1),
    ]
    await stub_of(kept).ListProblems(lineage_pb2.ListProblemsRequest(), metadata=kept.metadata("dana"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub_of(kept).ListTags(
            lineage_pb2.ListTagsRequest(page_token="x"),  # noqa: S106  # it pages
            metadata=kept.metadata("dana"),
        )
    assert refusal(refused.value).reason == "INVALID_REQUEST"


async def test_what_people_say_is_recorded_in_the_audit_log(kept: Placet) -> None:
    request = audit_pb2.ListRecordsRequest(kind="lineage", page_size=100)
    listed = await kept.audit.ListRecords(request, metadata=kept.metadata("dana"))
    record = await kept.audit.GetRecord(
        audit_pb2.GetRecordRequest(record_id=listed.records[-1].record_id), metadata=kept.metadata("dana")
    )
    assert "addresses" in str(record)
    assert "user:bob" in str(record)


async def test_suggestion_is_made_listed_and_settled(kept: Placet) -> None:
    one = lineage_pb2.Suggestion(column="note", tag="pii", score=0.5, hits=0.5, recognizer="test/1")
    request = lineage_pb2.SuggestRequest(data=CRM, suggestions=[one])
    made = await stub_of(kept).Suggest(request, metadata=kept.metadata("bob"))
    await until(kept, made.revision.n)
    again = await stub_of(kept).Suggest(request, metadata=kept.metadata("bob"))
    assert (len(made.suggestions), len(again.suggestions), again.known) == (1, 0, 1)
    pending = lineage_pb2.ListSuggestionsRequest(state=lineage_pb2.SUGGESTION_STATE_PENDING)
    listed = await stub_of(kept).ListSuggestions(pending, metadata=kept.metadata("dana"))
    settle = lineage_pb2.SettleSuggestionRequest(suggestion_id=listed.suggestions[0].id, reason="free text")
    settled = await stub_of(kept).SettleSuggestion(settle, metadata=kept.metadata("bob"))
    assert settled.suggestion.state == lineage_pb2.SUGGESTION_STATE_REJECTED
    await until(kept, settled.revision.n)
    assert not (await stub_of(kept).ListSuggestions(pending, metadata=kept.metadata("dana"))).suggestions


async def test_tag_that_was_declassified_for_a_while_is_back_without_a_new_entry_of_anybody(kept: Placet) -> None:
    seen = await stub_of(kept).GetLineage(lineage_pb2.GetLineageRequest(data=REPORT), metadata=kept.metadata("bob"))
    request = lineage_pb2.DeclassifyRequest(
        data=REPORT, column="mail", tag="pii", reason="for a test", revision=seen.revision.n,
        scope=LineageScope(request_id="declassify-0", justification="please"),
    )  # fmt: skip
    request.expires_at.FromMilliseconds(time.time_ns() // 1_000_000 + 6000)
    waits = await stub_of(kept).Declassify(request, metadata=kept.metadata("bob"))
    await kept.review(waits.decision.approval, "carol")
    done = await stub_of(kept).Declassify(request, metadata=kept.metadata("bob"))
    await until(kept, done.revision.n)
    why = lineage_pb2.ExplainTagRequest(data=REPORT, column="mail", tag="pii", at=done.revision.n)
    assert not (await stub_of(kept).ExplainTag(why, metadata=kept.metadata("bob"))).carried
    await until(kept, done.revision.n + 1)
    why.at = 0
    assert (await stub_of(kept).ExplainTag(why, metadata=kept.metadata("bob"))).carried


async def test_removal_waits_for_a_second_person_and_then_takes_what_was_seen(kept: Placet) -> None:
    seen = await stub_of(kept).GetLineage(lineage_pb2.GetLineageRequest(data=REPORT), metadata=kept.metadata("bob"))
    request = lineage_pb2.DeclassifyRequest(
        data=REPORT, column="mail", tag="pii", reason="hashed", revision=seen.revision.n,
        scope=LineageScope(request_id="declassify-1", justification="please"),
    )  # fmt: skip
    waits = await stub_of(kept).Declassify(request, metadata=kept.metadata("bob"))
    assert (waits.decision.effect, waits.HasField("revision")) == (Effect.EFFECT_NEEDS_APPROVAL, False)
    context = waits.decision.approval.request.context
    assert (context["column"], context["tag"], context["revision"]) == ("mail", "pii", seen.revision.n)
    await kept.review(waits.decision.approval, "carol")
    request.scope.approval_id = waits.decision.approval.approval_id
    done = await stub_of(kept).Declassify(request, metadata=kept.metadata("bob"))
    assert done.decision.effect == Effect.EFFECT_ALLOW
    again = await stub_of(kept).Declassify(request, metadata=kept.metadata("bob"))
    assert (again.decision.decision_id, again.revision) == (done.decision.decision_id, done.revision)
    await until(kept, done.revision.n)
    why = lineage_pb2.ExplainTagRequest(data=REPORT, column="mail", tag="pii")
    assert not (await stub_of(kept).ExplainTag(why, metadata=kept.metadata("bob"))).carried
