"""A server that masks and keeps lineage of two tables, and what tests ask it about what left."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pdp.lineage.entry import decode
from pdp.lineage.fact import Dataset, Event
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog, Logged
from pdp.v1 import mask_pb2
from pdp.v1.dataset_pb2 import DatasetName
from pdp.v1.lineage_pb2 import (
    ClassifyRequest,
    DataName,
    ExplainTagRequest,
    GetLineageRequest,
    IngestRequest,
    LineageColumn,
)
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from tests.faults import eventually
from tests.masks import arrow, masking, scope, shape
from tests.parts import Placet, placet
from tests.pdp.openlineage import columns, dataset, lineage, run, source

CRM = Dataset("postgres://crm:5432", "crm.public.contacts")
LETTER = Dataset("postgres://dwh:5432", "dwh.reports.newsletter")
TABLE = "reports.newsletter"
ROWS = pa.record_batch({"recipient": ["a@example.org"], "ssn": ["123"], "note": ["x"], "id": ["1"]})
POLICY = """package policy

# METADATA
# title: Everything
allow contains {"rule": "all", "reason": "tests may"} if input.action.name in {"mask", "rewrap", "look", "move"}

# METADATA
# title: What was contact data
deny contains {"rule": "contact", "reason": "it was contact data"} if {
	input.action.name == "look"
	"contact:masked" in input.lineage.tags
}

# METADATA
# title: People look
needs_approval contains {
	"rule": "people",
	"reason": "a steward looks at it",
	"reviewers": {"groups": ["data-stewards"]},
} if {
	input.action.name in {"export", "share", "publish"}
}

# METADATA
# title: Contact data
mask contains {"rule": "contact", "reason": "contact", "tags": ["contact"], "domain": "mail", "rank": 2}

# METADATA
# title: Numbers
mask contains {"rule": "pii", "reason": "pii", "tags": ["pii"], "mask": "redact", "rank": 1}

# METADATA
# title: The rest
mask contains {"rule": "rest", "reason": "the rest", "columns": ["id", "note", "new"], "mask": "clear"}
"""
DATA = {
    "groups": {"data-stewards": ["user:bob", "user:carol"]},
    "domains": {"mail": {"mask": "token", "kind": "mail", "values": "open"}},
    "tags": {"contact": {}, "pii": {}, "internal": {}},
}


def policy(folder: Path) -> Path:
    made = folder / "policy"
    made.mkdir(parents=True)
    (made / "all.rego").write_text(POLICY)
    (made / "data.json").write_text(json.dumps(DATA))
    return made


@dataclass
class Kept:
    """The server, and what is asked of it."""

    server: Placet
    mongod: MongodProcess

    @property
    def stub(self) -> Any:
        return LineageServiceStub(self.server.channel)

    async def sent(self, *events: Any, by: str = "etl") -> list[Any]:
        """What a writer sends, and the answers."""
        texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in events]
        requests = (IngestRequest(event=text) for text in texts)
        return [one async for one in self.stub.Ingest(requests, metadata=self.server.metadata(by))]

    async def classify(self, one: Dataset, **tags: Sequence[str]) -> None:
        """What bob says is in the columns of a dataset."""
        said = [LineageColumn(name=name, tags=some) for name, some in tags.items()]
        request = ClassifyRequest(data=named(one), columns=said, reason="seen")
        await self.stub.Classify(request, metadata=self.server.metadata("bob"))

    async def mask(self, **members: Any) -> mask_pb2.MaskResponse:
        """The table, masked in one call."""
        request = mask_pb2.MaskRequest(scope=scope(**{"name": TABLE, **members}), data=arrow(ROWS))
        answer: mask_pb2.MaskResponse = await self.server.masks.Mask(request, metadata=self.server.metadata("dev"))
        return answer

    def opening(self, **members: Any) -> mask_pb2.StreamStart:
        return mask_pb2.StreamStart(scope=scope(**{"name": TABLE, **members}), shape=shape(ROWS.schema))

    async def left(self) -> list[Event]:
        """The events of Placet's own in the log, oldest first."""
        return [one for one in await self.events() if one.by.startswith("placet/")]

    async def events(self) -> list[Event]:
        """All events in the log, oldest first."""
        facts = [decode(entry) for one in await self._logged() for entry in one.entries]
        return [fact for fact in facts if isinstance(fact, Event)]

    async def newest(self) -> int:
        """The number of the log's last document."""
        return (await self._logged())[-1].n

    async def _logged(self) -> Sequence[Logged]:
        found = await Database.open(self.mongod.uri, self.server.database)
        try:
            return await LineageLog(found).after(0, 10_000)
        finally:
            await found.close()

    async def tags(self, one: Dataset) -> Mapping[str, Sequence[str]]:
        """The tags of a dataset's columns, once all of the log is read."""
        n = await self.newest()

        async def look() -> Any:
            answer = await self.stub.GetLineage(
                GetLineageRequest(data=named(one)), metadata=self.server.metadata("dana")
            )
            return answer if answer.revision.n >= n else None

        [shown] = (await eventually(look)).datasets
        tagged = {column.name: list(column.tags) for column in shown.columns}
        return {name: tagged.get(name, []) for name in shown.column_names}

    async def why(self, one: Dataset, column: str, tag: str) -> Any:
        request = ExplainTagRequest(data=named(one), column=column, tag=tag)
        return await self.stub.ExplainTag(request, metadata=self.server.metadata("dana"))


@asynccontextmanager
async def keeping(folder: Path, mongod: MongodProcess, *, masks: bool = True, **changes: Any) -> AsyncIterator[Kept]:
    """A server on which bob has said what is in a table of the CRM, and from which a job has made another one."""
    serve = masking if masks else placet
    async with serve(folder / "state", mongod.uri, policy=[policy(folder)], **changes) as server:
        kept = Kept(server, mongod)
        if changes.get("keeps_lineage", True):
            await say(kept)
        yield kept


async def say(kept: Kept) -> None:
    """What is known of the two tables."""
    await kept.classify(CRM, email=["contact"], ssn=["pii"], note=["internal"], id=[])
    await kept.classify(LETTER, recipient=[], ssn=[], note=[], id=[])
    await kept.sent(derived())
    await kept.tags(LETTER)


def derived() -> dict[str, Any]:
    """The job's event."""
    pairs = {"recipient": "email", "ssn": "ssn", "note": "note", "id": "id"}
    facet = lineage(**{end: [source(CRM, begin, "DIRECT/IDENTITY")] for end, begin in pairs.items()})
    output = dataset(LETTER, schema=columns(*pairs), columnLineage=facet)
    return run([dataset(CRM)], [output], job={"namespace": "etl", "name": "newsletter"})


def named(one: Dataset) -> DataName:
    return DataName(dataset=DatasetName(namespace=one.namespace, name=one.name))


def export_of(decision_id: str) -> Dataset:
    """The dataset to which something left that names no destination."""
    return Dataset("placet://dev", f"export/{decision_id}")


async def classified_wide(kept: Kept) -> Dataset:
    """A table of many columns."""
    wide = Dataset("s3://lake", "wide")
    await kept.classify(wide, **{f"c{number}": [] for number in range(200)})
    await kept.tags(wide)
    return wide
