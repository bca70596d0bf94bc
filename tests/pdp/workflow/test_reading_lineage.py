"""What people read: around data, between data, and why; each as of one revision."""

from typing import Any

import pytest

from pdp.caller import Caller, Role
from pdp.errors import InvalidRequest
from pdp.lineage.view import State
from pdp.store.database import Database
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import (
    DataName,
    ExplainTagRequest,
    GetCoverageRequest,
    GetLineageRequest,
    GetPathRequest,
    ListTagsRequest,
    ResourceName,
)
from pdp.workflow.known_data import KnownData
from pdp.workflow.reading_lineage import ReadingLineage
from tests.pdp.lineage_known import CRM, REPORT, SETTINGS, STAGE, Known, derived, known, tagged

DANA = Caller("user:dana", "person", frozenset({Role.AUDITOR}), (), b"{}")


def reading(log: Known) -> ReadingLineage:
    unasked: Any = None
    return ReadingLineage(KnownData(SETTINGS, unasked, log.past()))


def named(dataset: Any) -> DataName:
    return DataName(dataset=DatasetName(namespace=dataset.namespace, name=dataset.name))


async def told(log: Known) -> None:
    await log.write([derived(1, CRM, STAGE, ("email", "mail"))])
    await log.write([derived(2, STAGE, REPORT, ("mail", "m"))])
    await log.write([tagged()])


async def test_as_many_steps_are_looked_at_as_are_asked_for(database: Database) -> None:
    async with known(database) as log:
        await told(log)
        for upstream, downstream, found in (
            (0, 0, {STAGE: 0}),
            (1, 0, {STAGE: 0, CRM: -1}),
            (2, 2, {STAGE: 0, CRM: -1, REPORT: 1}),
        ):
            request = GetLineageRequest(data=named(STAGE), upstream=upstream, downstream=downstream)
            _, around = await reading(log).around(request, DANA)
            assert around
            assert {seen.dataset: far for seen, far in around.portraits} == found
            assert len(around.steps) == len(found) - 1
            assert (around.state, around.is_cut) == (State.KNOWN, False)
        with pytest.raises(InvalidRequest, match="upstream"):
            await reading(log).around(GetLineageRequest(data=named(STAGE), upstream=101), DANA)


async def test_what_nobody_knows_is_unknown_and_what_names_nothing_is_refused(database: Database) -> None:
    async with known(database) as log:
        for data in (named(CRM), DataName(resource=ResourceName(type="file", id="x"))):
            _, around = await reading(log).around(GetLineageRequest(data=data), DANA)
            assert around
            assert (around.state, around.portraits) == (State.UNKNOWN, [])
        with pytest.raises(InvalidRequest, match="data"):
            await reading(log).around(GetLineageRequest(), DANA)
        with pytest.raises(InvalidRequest, match="target"):
            await reading(log).path(GetPathRequest(source=named(CRM)), DANA)


async def test_way_and_reason_are_the_shortest_and_of_their_revision(database: Database) -> None:
    async with known(database) as log:
        await told(log)
        read, steps = await reading(log).path(GetPathRequest(source=named(CRM), target=named(REPORT)), DANA)
        assert [step.dataset for step in steps] == [STAGE, REPORT]
        assert read.at
        assert read.at.revision.n == 3
        why = ExplainTagRequest(data=DataName(resource=ResourceName(type="file", id="weekly")), column="M", tag="PII")
        _, reason = await reading(log).why(why, DANA)
        assert reason
        assert [one.by for one in reason.assertions] == ["user:bob"]
        assert len(reason.steps) == 2
        why.at = 2
        read, reason = await reading(log).why(why, DANA)
        assert reason is None
        assert read.at
        assert read.at.revision.n == 2


async def test_lists_are_of_some_data_or_of_all(database: Database) -> None:
    async with known(database) as log:
        await told(log)
        assert (await reading(log).datasets(ListTagsRequest()))[1] is None
        assert (await reading(log).datasets(ListTagsRequest(data=named(CRM))))[1] == [CRM]
        at, _ = await reading(log).problems(1)
        assert at.revision.n == 1
        _, (namespaces, first) = await reading(log).coverage(GetCoverageRequest(first=1))
        assert [one.namespace for one in namespaces] == ["postgres://crm:5432", "s3://lake"]
        assert len(first) <= 1
        with pytest.raises(InvalidRequest, match="first"):
            await reading(log).coverage(GetCoverageRequest(first=1001))
