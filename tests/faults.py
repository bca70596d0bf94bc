"""What fault tests share: a server as a process, a ledger of every reply, the whole log checked again, faults."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import OKPKey
from pymongo import AsyncMongoClient

from masker import keys as mask_keys
from pdp import keys
from pdp.audit.record import Kind
from pdp.audit.verify import Verifier
from pdp.config import Config, Webhook
from pdp.dev.stack import configuration
from pdp.v1 import audit_pb2, decision_pb2, info_pb2
from pdp.v1.request_pb2 import Effect
from tests.forked import Forked, forked
from tests.parts import Placet, Refusal, asking, exporting, payload, refusal
from tests.tokens import Metadata

ROOT = Path(__file__).parents[1]
T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], *, seconds: float = 60.0) -> T:
    """What `look` finds as soon as it finds anything; it may fail as gRPC calls do."""
    until = time.monotonic() + seconds
    while True:
        try:
            found = await look()
        except grpc.aio.AioRpcError:
            if time.monotonic() > until:
                raise
        else:
            if found:
                return found
            assert time.monotonic() < until, f"not within {seconds} s"
        await asyncio.sleep(0.02)


# A ledger of every reply


@dataclass(frozen=True)
class Reply:
    """What one call got, when it began and how long it took."""

    began: float
    took: float
    answer: decision_pb2.AuthorizeResponse | None = None
    refusal: Refusal | None = None


@dataclass
class Ledger:
    """Every reply that callers of a server got."""

    replies: list[Reply] = field(default_factory=list)

    async def ask(
        self, placet: Placet, request: decision_pb2.AuthorizeRequest, metadata: Metadata = (), seconds: float = 5.0
    ) -> Reply:
        """Ask once, as the owner of `metadata` (else `report-bot`), and keep what came."""
        metadata = metadata or placet.metadata("report-bot")
        began = time.monotonic()
        try:
            answer = await placet.decisions.Authorize(request, metadata=metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            reply = Reply(began, time.monotonic() - began, refusal=refusal(error))
        else:
            reply = Reply(began, time.monotonic() - began, answer=answer)
        self.replies.append(reply)
        return reply

    async def answered(self, placet: Placet, request: decision_pb2.AuthorizeRequest) -> decision_pb2.AuthorizeResponse:
        """Ask until there is an answer, as a client library does."""

        async def answer() -> decision_pb2.AuthorizeResponse | None:
            return (await self.ask(placet, request)).answer

        return await eventually(answer, seconds=30)

    @property
    def answers(self) -> list[decision_pb2.AuthorizeResponse]:
        return [reply.answer for reply in self.replies if reply.answer is not None]

    @property
    def refused(self) -> list[Reply]:
        return [reply for reply in self.replies if reply.refusal is not None]

    @property
    def refusals(self) -> set[tuple[str, str]]:
        return {(reply.refusal.code, reply.refusal.reason) for reply in self.refused if reply.refusal}

    def answered_after(self, when: float) -> bool:
        return any(reply.answer is not None and reply.began > when for reply in self.replies)


@asynccontextmanager
async def stream(
    placet: Placet, ledger: Ledger, callers: Sequence[tuple[decision_pb2.AuthorizeRequest, Metadata]] = ()
) -> AsyncIterator[None]:
    """Callers, eight where none are given, that ask the same again and again for as long as the block lasts."""
    ends = asyncio.Event()

    async def ask(request: decision_pb2.AuthorizeRequest, metadata: Metadata) -> None:
        while not ends.is_set():
            await ledger.ask(placet, request, metadata)
            await asyncio.sleep(0.005)  # a caller's own work

    everyone = callers or [(asking(), placet.metadata("report-bot"))] * 8
    tasks = [asyncio.create_task(ask(*caller)) for caller in everyone]
    try:
        yield
    finally:
        ends.set()
        await asyncio.gather(*tasks)


async def journey(placet: Placet, ledger: Ledger) -> decision_pb2.AuthorizeResponse:
    """One export from the question to its use, each step again until it is answered; the answer of the use."""
    request = exporting(requestId=uuid4().hex)
    asked = await ledger.answered(placet, request)
    for reviewer in ("bob", "carol"):
        await eventually(lambda by=reviewer: reviewed(placet, asked, by), seconds=30)
    return await ledger.answered(placet, request)


async def reviewed(placet: Placet, asked: decision_pb2.AuthorizeResponse, by: str) -> bool:
    """Whether the review is in; a repeated one has been counted the first time."""
    try:
        await placet.review(asked.approval, by)
    except grpc.aio.AioRpcError as error:
        return refusal(error).reason in {"ALREADY_REVIEWED", "APPROVAL_NOT_PENDING"}
    return True


# The whole log, checked


@dataclass(frozen=True)
class Log:
    """A log that has just been verified."""

    batches: Sequence[audit_pb2.Batch]
    records: dict[str, dict[str, Any]]
    payloads: dict[str, dict[str, Any]]

    def of(self, kind: Kind, approval_id: str = "") -> list[str]:
        """The ids of the records of this kind, each once."""
        return [
            record_id
            for record_id, members in self.records.items()
            if members["kind"] == kind and approval_id in ("", members.get("approval_id"))
        ]

    def accounts_for(self, ledger: Ledger) -> None:
        """Every answer that anybody got is in it, with the same effect."""
        for answer in ledger.answers:
            record = self.records["rec_" + answer.decision_id[4:]]
            assert record["effect"] == Effect.Name(answer.effect).removeprefix("EFFECT_")

    def used_once(self, used: decision_pb2.AuthorizeResponse) -> None:
        """The approval behind this allow was consumed by this decision and no other."""
        assert used.effect == Effect.EFFECT_ALLOW
        assert used.grant
        consumed = self.of(Kind.APPROVAL_CONSUMED, used.approval.approval_id)
        assert [self.payloads[record_id]["decision_id"] for record_id in consumed] == [used.decision_id]


async def verified_log(placet: Placet) -> Log:
    """Export the whole log and check it as `pdp audit verify` does."""
    metadata = placet.metadata("dana")
    info = await placet.info.GetServerInfo(info_pb2.GetServerInfoRequest(), metadata=metadata)
    audit = next(OKPKey.import_key(key) for key in json.loads(info.audit_jwks)["keys"] if key["placet_use"] == "audit")
    assert isinstance(audit.public_key, Ed25519PublicKey)
    verifier = Verifier(info.realm, audit.public_key, audit.thumbprint())
    log = Log([], {}, {})
    async for part in placet.audit.ExportRecords(audit_pb2.ExportRecordsRequest(), metadata=metadata):
        for batch in part.batches:
            verifier.add(batch)
            log.batches.append(batch)
            for record, held in zip(batch.records, batch.payloads, strict=True):
                members = payload(record)
                log.records[members["id"]] = members
                log.payloads[members["id"]] = payload(held.payload)
    verifier.finish()
    return log


# A server as a process of its own


@dataclass(kw_only=True)
class Served(Placet):
    """A server that can be killed."""

    process: asyncio.subprocess.Process | Forked
    configuration: Path

    @property
    def opa(self) -> int:
        """The process id of its OPA."""
        return next(pid for pid in children(self.process.pid) if b"opa" in command(pid))

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def served(
    folder: Path,
    state: Path,
    mongodb_uri: str,
    *,
    database: str = "",
    policy: Sequence[Path] = (),
    ahead_seconds: int = 0,
    webhooks: Sequence[Webhook] = (),
    masks: bool = False,
    seconds: float = 30,
    slack_host: str = "",
    workers: int = 0,
    **changes: Any,
) -> AsyncIterator[Served]:
    """`pdp serve` with the issuers and people of `pdp dev`, in a process of its own, whose clock may be wrong.

    What is done with it must take at most `seconds`. Slack is at `slack_host`, if that is given. With
    `workers`, connections last a second.
    """
    name = database or f"t{uuid4().hex[:16]}"
    config = configuration(state=state, listen="127.0.0.1:0", policy=policy, mongodb_uri=mongodb_uri)
    members = {"database": name, "mask_keys": None, "webhooks": tuple(webhooks), **changes}
    file = configured(config.model_copy(update={**members, **(_masking(folder) if masks else {})}), folder)
    module, arguments = "pdp", ("serve", "--config", str(file), "--log-format", "console")
    if slack_host:
        module, arguments = "tests.serving", (str(file), slack_host)
    if workers:
        module, arguments = "tests.serving_workers", (str(file), str(workers))
    environment = {**os.environ, "PDP_LOG_FORMAT": "console", "PDP_LOG_LEVEL": "warning"}
    process: asyncio.subprocess.Process | Forked
    if ahead_seconds:
        start = (sys.executable, "-c", _WRONG_CLOCK.format(ahead_seconds), *arguments)
        process = await asyncio.create_subprocess_exec(*start, cwd=ROOT, stderr=PIPE, env=environment)
    else:
        process = await forked(*arguments, module=module, serves=True, folder=ROOT, environment=environment)
    said: list[str] = []
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reader = asyncio.create_task(_read(process, said, address))
    try:
        async with asyncio.timeout(seconds), grpc.aio.insecure_channel(await address) as channel:
            http = _http(said)
            yield Served(await address, state, name, channel, said, http, process=process, configuration=file)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader


def configured(config: Config, folder: Path) -> Path:
    """A file in this folder with the configuration, and with keys that do not say that they are for demos."""
    file = folder / f"{uuid4().hex}.toml"
    file.write_text(_toml(own(config, folder).model_dump(mode="json", exclude_none=True)))
    return file


def _masking(folder: Path) -> dict[str, Any]:
    """A realm with mask keys, which are not those of a demo."""
    path, realm = folder / "mask.json", "faults"
    mask_keys.create(path, realm, now=datetime.now(UTC))
    return {"realm": realm, "mask_keys": path}


def own(config: Config, folder: Path) -> Config:
    """The same with copies of the keys that do not say that they are for demos: `pdp serve` takes no others."""

    def copied(path: Path) -> Path:
        members = json.loads(path.read_text())
        members.pop(keys.DEMO, None)
        copy = folder / f"own-{path.name}"
        copy.touch(mode=0o600)
        copy.write_text(json.dumps(members))
        return copy

    issuers = [
        issuer.model_copy(update={"jwks": copied(issuer.jwks)}) if isinstance(issuer.jwks, Path) else issuer
        for issuer in config.issuers
    ]
    signing = {name: copied(getattr(config, name)) for name in ("audit_key", "grant_key", "seal_key")}
    made = {**signing, "issuers": tuple(issuers)}
    return config.model_copy(update=made)


_WRONG_CLOCK = """
import time
right, right_ns = time.time, time.time_ns
time.time, time.time_ns = lambda: right() + {0}, lambda: right_ns() + {0} * 10**9
from pdp.__main__ import main
main()
"""


async def _read(process: asyncio.subprocess.Process | Forked, said: list[str], address: "asyncio.Future[str]") -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        said.append(line.decode().rstrip())
        if said[-1].startswith("serving on ") and not address.done():
            address.set_result(said[-1].split()[2].rstrip(","))
    if not address.done():
        address.set_exception(AssertionError("\n".join(said)))


def _http(said: list[str]) -> str:
    """Where the server speaks HTTP, if it does."""
    words = next(line for line in said if line.startswith("serving on ")).split()
    return words[4].rstrip(",") if words[3] == "and" else ""


def _toml(members: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(name)} = {_toml_value(value)}\n" for name, value in members.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml_value(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value)


def children(parent: int) -> list[int]:
    """The process ids of a process's children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(after_name[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def command(pid: int) -> bytes:
    """The first words of a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """The process is stopped for as long as the block lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# Faults of MongoDB


@asynccontextmanager
async def slow(mongodb_uri: str, milliseconds: int) -> AsyncIterator[None]:
    """MongoDB takes this long for each command of a server, as long as the block lasts."""
    named = ["find", "insert", "update", "findAndModify", "aggregate"]
    async with failing(mongodb_uri, "", failCommands=named, blockConnection=True, blockTimeMS=milliseconds):
        yield


@asynccontextmanager
async def failing(mongodb_uri: str, collection: str, *, mode: Any = "alwaysOn", **data: Any) -> AsyncIterator[None]:
    """MongoDB's own fault injection for inserts into `collection` (`database.name`, or all), while the block lasts."""
    async with AsyncMongoClient(mongodb_uri) as client:
        fault = {"failCommands": ["insert"], "appName": "placet", **data}
        fault |= {"namespace": collection} if collection else {}
        await client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": fault})
        try:
            yield
        finally:
            await client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
