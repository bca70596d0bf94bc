"""OpenLineage's own Python client sends real events, over HTTP with gzip and into a file, and its classes take ours."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset
from openlineage.client.serde import Serde

from pdp.dev.identity import token
from pdp.lineage.leaving import PRODUCER, Leaving
from pdp.lineage.origins import Origin, Origins
from pdp.process.mongod import MongodProcess
from pdp.v1.lineage_pb2 import IngestRequest, IngestResponse
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from tests.parts import Placet, placet
from tests.pdp.lineage.test_openlineage_cases import ROWS, events
from tests.pdp.openlineage import AT, CRM, taken

PRODUCER_OF_EVENTS = """
import json, sys
from openlineage.client import OpenLineageClient
given = json.load(sys.stdin)
client = OpenLineageClient(config={"transport": given["transport"]})
for event in given["events"]:
    try:
        answer = client.transport.emit(event)
        print(getattr(answer, "status_code", 0))
    except Exception as error:
        print(getattr(getattr(error, "response", None), "status_code", repr(error)))
client.close()
"""
REAL = [row for row in ROWS if "as" not in row]
"""A row for each real event."""


async def emitted(transport: dict[str, Any], sent: list[Any]) -> list[str]:
    """What a producer in a process of its own hears of each event."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PRODUCER_OF_EVENTS, stdin=pipe, stdout=pipe, stderr=pipe
    )
    given = json.dumps({"transport": transport, "events": sent}).encode()
    out, err = await asyncio.wait_for(child.communicate(given), 60)
    assert child.returncode == 0, err.decode()
    return out.decode().split()


async def again(server: Placet, sent: list[bytes]) -> list[IngestResponse]:
    """What the server answers to these events."""

    async def requests() -> AsyncIterator[IngestRequest]:
        for one in sent:
            yield IngestRequest(event=one)

    answers = LineageServiceStub(server.channel).Ingest(requests(), metadata=server.metadata("etl"))
    return [answer async for answer in answers]


def without_nulls(value: Any) -> Any:
    """An event as the client writes it, which leaves nulls out."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


@pytest.fixture
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server of which no other test knows that it has heard of these tables."""
    async with placet(state, mongod.uri) as running:
        yield running


async def test_real_events_arrive_by_its_http_transport_with_gzip(quiet: Placet) -> None:
    server = quiet
    auth = {"type": "api_key", "apiKey": token(server.state, "etl")}
    sent = [events(row) for row in REAL]
    transport = {"type": "http", "url": server.http, "auth": auth, "compression": "gzip", "retry": {"total": 0}}
    heard = await emitted(transport, sent)
    assert heard == ["201" if "taken" in row else "400" for row in REAL]
    known = await again(server, [orjson.dumps(without_nulls(one)) for one in sent])
    assert [answer.known for answer in known] == ["taken" in row for row in REAL]


async def test_file_of_its_file_transport_is_read_as_the_events_are(tmp_path: Path) -> None:
    sent = [events(row) for row in REAL if "taken" in row]
    file = tmp_path / "events.jsonl"
    assert await emitted({"type": "file", "log_file_path": str(file), "append": True}, sent) == ["0"] * len(sent)
    lines = file.read_bytes().splitlines()
    in_their_order = [json.dumps(without_nulls(one), sort_keys=True).encode() for one in sent]
    assert [taken(line) for line in lines] == [taken(text) for text in in_their_order]


def test_its_classes_write_what_leaves_here() -> None:
    masks = {"id": ("clear", "IDENTITY"), "email": ("token", "TRANSFORMATION"), "ssn": ("redact", "TRANSFORMATION")}
    fields = {
        column: column_lineage_dataset.Fields(
            inputFields=[
                column_lineage_dataset.InputField(
                    *CRM,
                    column,
                    [column_lineage_dataset.Transformation("DIRECT", kind, mask, mask != "clear")],
                )
            ]
        )
        for column, (mask, kind) in masks.items()
    }
    facets = {
        "schema": schema_dataset.SchemaDatasetFacet(
            fields=[schema_dataset.SchemaDatasetFacetFields(column) for column in masks], producer=PRODUCER
        ),
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, producer=PRODUCER),
    }
    theirs = RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2027-01-15T08:00:00.000+00:00",
        producer=PRODUCER,
        run=Run("01890000-0000-7000-8000-000000000001"),
        job=Job("placet/demo", "mask.customers"),
        inputs=[InputDataset(*CRM)],
        outputs=[OutputDataset("s3://lake", "out/customers", facets=dict(facets))],
    )
    ours = Leaving(
        realm="demo",
        decision_id="dec_01890000000070008000000000000001",
        table="customers",
        origins=Origins(CRM, [Origin(CRM, {column: [(CRM, column)] for column in masks})]),
        destination="s3://lake/out/customers",
        masks={column: [mask] for column, (mask, _) in masks.items()},
        at_ms=AT,
    )
    assert without_empty(json.loads(Serde.to_json(theirs))) == json.loads(ours.event)


def without_empty(value: Any) -> Any:
    """An event of their classes, which write lists and objects that are empty."""
    if isinstance(value, dict):
        return {key: found for key, one in value.items() if (found := without_empty(one)) not in ({}, [])}
    return [without_empty(one) for one in value] if isinstance(value, list) else value
