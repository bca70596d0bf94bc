"""A secret in an event, or in a file that is looked at, reaches no log, answer, record or collection."""

import asyncio
import json
import logging
import re
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pyarrow as pa
import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from google.protobuf.message import Message
from pymongo import AsyncMongoClient

from pdp.http.lineage import BATCH, PATH
from pdp.keys import private_key, signing
from pdp.lineage.batch import MAX_CHARACTERS
from pdp.lineage.chain import Signer
from pdp.lineage.following import Following
from pdp.lineage.graph import Graph
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from pdp.store.lineage_snapshots import LineageSnapshots
from pdp.v1 import audit_pb2, dataset_pb2, lineage_pb2
from pdp.v1.lineage_pb2_grpc import LineageServiceStub
from pdp.v1.mask_pb2 import MaskRequest
from tests.cli.terminal import Terminal
from tests.e2e.test_forward import came, forwarding
from tests.faults import verified_log
from tests.leaky import CANARY, PACKED, texts
from tests.masks import arrow, scope
from tests.notify import receiver
from tests.parts import Placet, asking, placet
from tests.pdp.http.test_lineage import post
from tests.pdp.openlineage import MART
from tests.pdp.outflow import TABLE, keeping

VALUE = f"{CANARY}@example.com"
"""A value that the recognizer of e-mail addresses knows."""
SECRET_ROWS = pa.record_batch({name: [VALUE] for name in ("recipient", "ssn", "note", "id")})
LISTED = f"{[*texts()].index('list')}.json"
"""The file of the list, which is one of events."""


@pytest.fixture
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server whose database holds nothing else."""
    async with placet(state, mongod.uri) as running:
        yield running


def forms() -> Iterator[bytes]:
    """The canary as it may stand in bytes: as it is, in hex, or in the middle of base64."""
    yield CANARY.encode()
    yield CANARY.encode().hex().encode()
    for before in (0, 1, 2):
        yield b64encode(b" " * before + CANARY.encode() + b"  ")[4:-4]


FORMS = tuple(forms())


def shows(held: bytes) -> bool:
    """Whether it holds the canary, as it is or packed."""
    return any(one in part.lower() or one in part for part in (held, *unpacked(held)) for one in FORMS)


def unpacked(held: bytes) -> Iterator[bytes]:
    """What is packed in it by zlib, as the views of approvals are."""
    for found in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", held):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(held[found.start() :])


async def stored(mongod: MongodProcess, name: str) -> dict[str, bytes]:
    """The bytes of each collection, indexes' and views' definitions included."""
    found = dict[str, bytes]()
    client: AsyncMongoClient[RawBSONDocument]
    async with AsyncMongoClient(mongod.uri, document_class=RawBSONDocument, serverMonitoringMode="poll") as client:
        database = client[name]
        async for collection in await database.list_collections():
            named = str(collection["name"])
            documents = [one.raw async for one in database[named].find()]
            found[named] = b"".join([encode(collection), *documents])
    return found


async def snapshot(mongod: MongodProcess, server: Placet) -> bytes:
    """What a server would keep of the log, which it also stores."""

    async def alarm(fault: str) -> None:
        raise AssertionError(fault)

    signer = Signer(signing(private_key(server.state / "keys" / "audit.jwk")), "dev")
    database = await Database.open(mongod.uri, server.database)
    try:
        snapshots = Snapshots(LineageSnapshots(database), signer)
        following = Following(
            LineageLog(database),
            snapshots,
            signer,
            alarm,
            load=lambda dumped: Graph() if dumped is None else Graph.load(dumped),
            views=lambda graph: Views(graph, LineageSettings()),
            every=1,
        )
        await following.start()
        following.require_fresh()
        return following.graph.dump()
    finally:
        await database.close()


async def ingested(server: Placet, text: bytes) -> list[bytes]:
    """What gRPC answers to an event, errors and their details included."""

    async def once() -> AsyncIterator[lineage_pb2.IngestRequest]:
        yield lineage_pb2.IngestRequest(event=text)

    call = LineageServiceStub(server.channel).Ingest(once(), metadata=server.metadata("etl"))
    try:
        return [answer.SerializeToString() async for answer in call]
    except grpc.aio.AioRpcError as error:
        return [repr(error).encode(), repr(error.trailing_metadata()).encode()]


async def answers(server: Placet, text: bytes) -> list[bytes]:
    """What every face answers to an event."""
    one, many = await post(server, text), await post(server, b"[" + text + b"]", BATCH)
    return [*(repr(found).encode() + found.body for found in (one, many)), *await ingested(server, text)]


async def told(server: Placet) -> list[bytes]:
    """What readers of lineage, approvals and the log are told afterwards."""
    lineage, auditor = LineageServiceStub(server.channel), server.metadata("dana")
    name = dataset_pb2.DatasetName(namespace=MART.namespace, name=MART.name)
    seen = lineage_pb2.DataName(dataset=name)
    calls = [
        lineage.GetLineage(lineage_pb2.GetLineageRequest(data=seen), metadata=auditor),
        lineage.ListTags(lineage_pb2.ListTagsRequest(page_size=1000), metadata=auditor),
        lineage.ExplainTag(lineage_pb2.ExplainTagRequest(data=seen, column="email", tag="pii"), metadata=auditor),
        lineage.ListProblems(lineage_pb2.ListProblemsRequest(page_size=1000), metadata=auditor),
        lineage.GetCoverage(lineage_pb2.GetCoverageRequest(), metadata=auditor),
        lineage.ListSuggestions(lineage_pb2.ListSuggestionsRequest(page_size=1000), metadata=auditor),
        server.audit.ListRecords(audit_pb2.ListRecordsRequest(page_size=100), metadata=auditor),
    ]
    found: list[Message] = list(await asyncio.gather(*calls))
    log = await verified_log(server)
    return [
        *(one.SerializeToString() for one in found),
        *(one.SerializeToString() for one in log.batches),
        *(json.dumps(one).encode() for one in log.payloads.values()),
    ]


async def require_silence(mongod: MongodProcess, server: Placet, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that is kept, told or logged shows the canary."""
    assert not shows(await snapshot(mongod, server))
    held = await stored(mongod, server.database)
    assert {"lineage_log", "lineage_snapshots", "lineage_snapshot_parts", "batches", "approvals"} <= held.keys()
    assert not [name for name, raw in held.items() if shows(raw)]
    assert not any(shows(one) for one in await told(server))
    assert not shows(caplog.text.encode())
    assert not [line for line in server.said if shows(line.encode())]


async def test_secret_in_an_event_reaches_nothing(
    quiet: Placet, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    heard = dict[str, list[bytes]]()
    with caplog.at_level(logging.DEBUG, logger="pdp"):
        for name, text in texts().items():
            heard[name] = await answers(quiet, text)
        for name, body in PACKED.items():
            found = await post(quiet, body, PATH, Content_Encoding="gzip")
            heard[f"gzip, {name}"] = [repr(found).encode(), found.body]
        mart = {"resource": {"type": "table", "id": f"{MART.namespace}/{MART.name}"}}
        opened = (await quiet.authorize(asking("export", **mart))).approval
        assert (await quiet.seen(opened, quiet.metadata("bob"))).lineage.datasets
        await require_silence(mongod, quiet, caplog)
    assert not [name for name, said in heard.items() if any(map(shows, said))]


async def test_secret_reaches_no_output_of_loading(quiet: Placet, mongod: MongodProcess, tmp_path: Path) -> None:
    pdp = Terminal(tmp_path, {"PDP_ADDRESS": quiet.address, "PDP_STATE": str(quiet.state)})
    for number, text in enumerate(texts().values()):
        (tmp_path / f"{number}.json").write_bytes(text)
    files = [f"{number}.json" for number in range(len(texts()))]
    whole = [name for name in files if is_json(tmp_path / name)]
    for arguments in (["--dry-run"], ["--as", "etl"]):
        done = await pdp("lineage", "load", *arguments, *whole)
        assert done.status == 1, done.err
        assert not shows(done.said.encode())
        for broken in sorted({*files} - {*whole}):
            done = await pdp("lineage", "load", *arguments, broken)
            assert done.status == 0 if broken == LISTED else done.status
            assert not shows(done.said.encode()), broken
    assert not [name for name, raw in (await stored(mongod, quiet.database)).items() if shows(raw)]


def is_json(file: Path) -> bool:
    """Whether it is one that commands read; one that is larger than an event may be ends a command."""
    with suppress(ValueError):
        if file.stat().st_size > MAX_CHARACTERS:
            return False
        return isinstance(json.loads(file.read_bytes()), dict | str)
    return False


async def test_sampled_value_leaves_its_file_by_no_way(
    quiet: Placet, mongod: MongodProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(f"{VALUE},{CANARY}\n" for _ in range(20))
    (tmp_path / "customers.csv").write_text(f"email,note\n{rows}")
    pdp = Terminal(tmp_path, {"PDP_ADDRESS": quiet.address, "PDP_STATE": str(quiet.state)})
    table = ["--table", "/".join(MART)]
    with caplog.at_level(logging.DEBUG, logger="pdp"):
        await answers(quiet, texts()["good"])
        done = await pdp("lineage", "suggest", "--as", "etl", "customers.csv", *table, "--propose")
        assert done.status == 0, done.err
        assert "proposed 1" in done.err
        (tmp_path / "customers.csv").write_text(f'email,note\n{rows}{VALUE},"{CANARY}\n')
        broken = await pdp("lineage", "suggest", "--as", "etl", "customers.csv", *table, "--propose")
        await require_silence(mongod, quiet, caplog)
    assert not any(shows(said.encode()) for said in (done.said, broken.said))


async def test_values_that_leave_and_passwords_of_their_destination_are_told_to_nobody(
    mongod: MongodProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        receiver(tmp_path) as there,
        keeping(tmp_path, mongod, lineage=forwarding(tmp_path, there.port)) as kept,
    ):
        context = {"destination": "s3://user:sesame@lake/out/letter?key=sesame"}
        request = MaskRequest(scope=scope(TABLE, context=context), data=arrow(SECRET_ROWS))
        with caplog.at_level(logging.DEBUG, logger="pdp"):
            await kept.server.masks.Mask(request, metadata=kept.server.metadata("dev"))
            [forwarded] = await came(there, 1)
        held = await stored(mongod, kept.server.database)
        assert not shows(forwarded.body)
        assert not [name for name, raw in held.items() if shows(raw)]
        assert not shows(caplog.text.encode())
        for told in (forwarded.body, held["lineage_log"], caplog.text.encode()):
            assert b"sesame" not in told
        assert b"out/letter" in held["lineage_log"]
