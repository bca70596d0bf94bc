"""Which dataset a caller means, and who may read without the policy being asked."""

from typing import Any

import pytest

from pdp.caller import Caller, Role
from pdp.errors import InvalidRequest, NotFound
from pdp.lineage.fact import Dataset, Event, Tagged, Tagging
from pdp.lineage_errors import DatasetAmbiguous
from pdp.store.database import Database
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import DataName, LineageScope, ResourceName
from pdp.v1.request_pb2 import Subject
from pdp.workflow.known_data import KnownData, question
from tests.pdp.lineage_known import CRM, REPORT, SETTINGS, Known, known, tagged

BOB = Caller("user:bob", "person", frozenset({Role.STEWARD}), (), b"{}")


def data_of(log: Known) -> KnownData:
    unasked: Any = None
    return KnownData(SETTINGS, unasked, log.past())


def resource(kind: str, identifier: str) -> DataName:
    return DataName(resource=ResourceName(type=kind, id=identifier))


async def test_dataset_is_folded_and_resource_is_found(database: Database) -> None:
    async with known(database) as log:
        data = data_of(log)
        spelled = DataName(dataset=DatasetName(namespace="postgresql://CRM/", name="crm.public.Customers"))
        assert await data.one(spelled) == CRM
        assert await data.one(resource("table", "public.customers")) == CRM, "as the configuration says, known or not"
        await log.write([tagged(REPORT, "", "internal")])
        assert await data.one(resource("file", "reports/weekly")) == REPORT


async def test_resource_of_several_datasets_is_ambiguous_unless_they_are_one(database: Database) -> None:
    other = Dataset("s3://old", "reports/weekly")
    async with known(database) as log:
        data = data_of(log)
        await log.write([tagged(REPORT, "", "a"), Tagged(by="user:bob", at=1, tagging=Tagging(other, "", "a"))])
        with pytest.raises(DatasetAmbiguous, match="s3://lake/reports/weekly, s3://old/reports/weekly"):
            await data.one(resource("file", "reports/weekly"))
        await log.write([Event(by="workload:etl", at=2, event="e" * 64, aliases=((REPORT, other),))])
        assert await data.one(resource("file", "reports/weekly")) in {REPORT, other}


async def test_what_names_nothing_is_refused(database: Database) -> None:
    async with known(database) as log:
        data = data_of(log)
        with pytest.raises(NotFound):
            await data.one(resource("file", "nothing"))
        for name in (DatasetName(name="t"), DatasetName(namespace="n"), DatasetName(namespace="n", name="t" * 1025)):
            with pytest.raises(InvalidRequest, match=r"data\.dataset\.na"):
                await data.one(DataName(dataset=name))


async def test_stewards_reviewers_and_auditors_read_without_the_policy(database: Database) -> None:
    async with known(database) as log:
        for role in (Role.STEWARD, Role.REVIEWER, Role.AUDITOR):
            caller = Caller("user:bob", "person", frozenset({role}), (), b"{}")
            assert await data_of(log).permitted(resource("table", "t"), LineageScope(), caller) is None


def test_question_is_about_the_resource_or_the_dataset_by_its_names() -> None:
    scope = LineageScope(request_id="r", approval_id="apr_1", justification="why")
    asked = question("lineage.read", resource("table", "t"), scope, BOB)
    assert (asked.subject, asked.action.name) == (Subject(type="user", id="bob"), "lineage.read")
    assert (asked.resource.type, asked.resource.id) == ("table", "t")
    assert (asked.request_id, asked.approval_id, asked.justification) == ("r", "apr_1", "why")
    by_name = DataName(dataset=DatasetName(namespace="s3://b", name="a/t"))
    scope.subject.CopyFrom(Subject(type="agent", id="x"))
    asked = question("lineage.read", by_name, scope, BOB)
    assert (asked.resource.type, asked.resource.id, asked.subject.id) == ("dataset", "s3://b/a/t", "x")
