"""The composition root: builds each part once, in the order in which they need each other, watches and drains them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from grpc_reflection.v1alpha import reflection, reflection_pb2

from pdp.audit.record import Kind, entry
from pdp.authn.authenticator import Authenticator
from pdp.authn.authorities import Authorities
from pdp.authn.tickets import Tickets
from pdp.background import background
from pdp.call_summary import Calls
from pdp.config import Config
from pdp.http.app import Face
from pdp.masking.keys import keyring
from pdp.masking.warming import Warming
from pdp.opa.engine import Engine, engine
from pdp.recording.writer import START_SECONDS
from pdp.server.approving import approval_service, review_service, whole_records
from pdp.server.chats import Chats
from pdp.server.connections import descriptors, options, rooms
from pdp.server.edge import Edge
from pdp.server.entrance import Entrance
from pdp.server.flows import Flows
from pdp.server.health import Health
from pdp.server.lineage import Lineage, health_of, kept_lineage, outflow_of
from pdp.server.lineage_service import lineage_service
from pdp.server.listener import listen, ports_of, require_addresses
from pdp.server.masks import MaskFaces, Masks, serving_masks
from pdp.server.newcomers import MOST, MOST_WITH_CERTIFICATES, Newcomers
from pdp.server.opening import Opening, kept_open
from pdp.server.operations import operating
from pdp.server.outside import Outside
from pdp.server.parts import Parts
from pdp.server.policies import record_policies
from pdp.server.share import Share
from pdp.server.strangers import Strangers
from pdp.server.telling import telling, tells
from pdp.server.tuning import tune
from pdp.server.upkeep import kept_up
from pdp.server.web import face
from pdp.service.audit import AuditService
from pdp.service.decision import DecisionService
from pdp.service.info import InfoService
from pdp.service.person import PersonService
from pdp.signing_keys import SigningKeys
from pdp.store.database import Database
from pdp.turns import Turns
from pdp.v1 import (
    approval_pb2,
    audit_pb2,
    decision_pb2,
    info_pb2,
    lineage_pb2,
    mask_job_pb2,
    mask_pb2,
    person_pb2,
    review_pb2,
)
from pdp.workflow.checking import Unsaid
from pdp.workflow.choosing import Choosing
from pdp.workflow.feed import Feed
from pdp.workflow.lineage_views import NO_LINEAGE, LineageViews

log = logging.getLogger(__name__)

OUTSIDE = Outside()
"""Microsoft's own addresses."""
GRACE_SECONDS = 10.0
"""Seconds that calls in flight have to finish when the server stops: as many as a unary call may take."""


Say = Callable[[str], None]
"""Takes a sentence for the operator of the server."""


async def at_once() -> None:
    """Wait for nothing before the start."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers at `address`. If a part fails that must not end, `failed` gets its error."""

    address: str
    policy_revision: str
    opa_version: str
    failed: asyncio.Future[None]
    leave: Callable[[], Awaitable[None]]
    """Reports NOT_SERVING from now on, as the end of the block does, and goes on taking calls."""
    web: Face | None = None
    """The HTTP face, if it is configured."""
    opening: Opening | None = None
    """The addresses. If they are shared with other workers, they are open while this one can decide."""
    operations: str = ""
    """Where health and metrics are shown over HTTP; empty if nowhere."""


@asynccontextmanager
async def running(
    config: Config,
    tool_cache: Path,
    say: Say,
    unsaid: Unsaid = lambda _, __: None,
    *,
    elsewhere: bool = False,
    lineage: LineageViews = NO_LINEAGE,
    outside: Outside = OUTSIDE,
    calls: Calls | None = None,
    share: Share | None = None,
    ready: Callable[[], Awaitable[None]] = at_once,
) -> AsyncIterator[Running]:
    """Run a configured server until the block ends; then it drains. Raises `SetupError` if that cannot be.

    `unsaid` hears of requests without their digest; `lineage` is what is known of data; `calls` gets what is told of
    calls. With `elsewhere` HTTP and operations take a free port for a taken one. A worker has a `share`. `ready` waits.
    """
    require_addresses(config)
    signing = SigningKeys.read(config)
    async with AsyncExitStack() as stack:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        operations = await stack.enter_async_context(operating(config.operations, failed, elsewhere=elsewhere))
        await ready()
        database = await stack.enter_async_context(_database(config))
        masks, turns = Masks.of(database, config.realm), Turns()
        built = engine(config, tool_cache, say, failed, masks.domains.used)
        opa = await stack.enter_async_context(share.engine if share and share.opa else built)
        kept = kept_lineage(config, database, signing, turns)
        known, outflow = kept.views if kept and lineage is NO_LINEAGE else lineage, outflow_of(config, kept, database)
        parts = Parts(config, database, signing, known, outflow, tells=tells(config, outside.ways), calls=calls)
        is_first = share is None or share.is_first
        await stack.enter_async_context(_at_work(parts, kept, opa, failed))
        authenticator = _authenticator(config)
        room, newcomers = rooms(descriptors(), http=config.http is not None), _newcomers(config)
        server = Entrance(options(room, share), partial(listen, config=config, began=newcomers.began))
        flows = Flows.of(config, opa, parts, turns, unsaid)
        chats = Chats.of(config, flows, parts, outside)
        told = [*chats.ways, *outside.ways]
        messages = await stack.enter_async_context(telling(config, opa.opa, parts, flows, told, failed))
        probes = {"opa": opa.is_healthy, "mongodb": database.is_healthy, **_masker(config, tool_cache)}
        apart = {**authenticator.health(), **health_of(kept), **messages.health(), **chats.health}
        health = Health(probes, apart, operations.readiness)
        edge = _edge(config, authenticator, flows, newcomers, parts)
        faces = await stack.enter_async_context(serving_masks(config, flows, parts, masks, failed))
        names = _add_services(server, edge, config, opa, parts, faces, flows, kept, messages.choosing)
        _add_open_services(server, health, names)
        ports = ports_of(config) if share else server.listen()
        await stack.enter_async_context(kept_up(config, health, authenticator, flows, parts, failed, is_first=is_first))
        await stack.enter_async_context(chats.running(failed))
        tune()
        await server.start()
        around = config, flows, kept, parts, authenticator, newcomers, room.http, messages.choosing
        web = await face(*around, elsewhere=elsewhere, outside=outside, hooks=chats.hooks, shared=share is not None)
        stack.push_async_callback(_drain, server, health, parts.feed, edge, web)
        stack.enter_context(newcomers.held_back(_secured(config, ports, web)))
        opening = Opening(server, web, newcomers, ports, lambda: health.is_able, (parts.feed.end, edge.end))
        await stack.enter_async_context(kept_open(opening if share else None, failed))
        about = _address(config, ports[0]), opa.revision, opa.version, failed, health.leave
        yield Running(*about, web, opening, operations.address)


@asynccontextmanager
async def _database(config: Config) -> AsyncIterator[Database]:
    """The database of this realm, until the block ends."""
    database = await Database.open(config.mongodb_uri, config.database)
    try:
        await database.require_realm(config.realm)
        yield database
    finally:
        await database.close()


def _newcomers(config: Config) -> Newcomers:
    return Newcomers(MOST_WITH_CERTIFICATES if config.tls and config.tls.client_ca else MOST)


def _secured(config: Config, ports: list[int], web: Face | None) -> list[int]:
    """The ports that speak TLS."""
    return [*(ports if config.tls else ()), *(web.ports if web and config.http_tls else ())]


def _address(config: Config, port: int) -> str:
    return f"{config.listen.rpartition(':')[0]}:{port}"


def _edge(config: Config, authenticator: Authenticator, flows: Flows, newcomers: Newcomers, parts: Parts) -> Edge:
    return Edge(
        authenticator,
        flows.admission,
        flows.turns,
        tickets=Tickets(parts.signing.seal, config.realm),
        tickets_alone=bool(config.masking.ticket_listen),
        certificates=config.tls is not None and config.tls.client_ca is not None,
        stream_seconds=config.stream_seconds,
        proven=newcomers.proven if config.tls else None,
        calls=parts.calls,
    )


def _authenticator(config: Config) -> Authenticator:
    client_ca = config.tls.client_ca if config.tls else None
    authorities = Authorities(client_ca) if client_ca else None
    return Authenticator(config.issuers, config.certificates, authorities=authorities)


@asynccontextmanager
async def _at_work(
    parts: Parts, kept: Lineage | None, opa: Engine, failed: asyncio.Future[None]
) -> AsyncIterator[None]:
    """The parts around both logs, until the block ends; the first record says that this server started."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(background(parts.writer.run(), failed))
        stack.push_async_callback(parts.close)
        await parts.writer.append([entry(Kind.SERVER_STARTED)], START_SECONDS)
        await stack.enter_async_context(background(parts.sweep.run(), failed))
        await parts.feed.begin()
        await stack.enter_async_context(background(parts.feed.run(), failed))
        if kept:
            await stack.enter_async_context(kept.running(parts.writer, failed))
        await stack.enter_async_context(background(record_policies(opa, parts.writer, kept), failed))
        yield


def _add_services(
    server: Entrance,
    edge: Edge,
    config: Config,
    opa: Engine,
    parts: Parts,
    masks: MaskFaces,
    flows: Flows,
    kept: Lineage | None,
    choosing: Choosing,
) -> list[str]:
    """Serve every service of the contract and return their full names."""
    facts = config.realm, opa.opa, opa.version, parts.signing, parts.people.site
    info = InfoService(*facts, stream_seconds=config.stream_seconds)
    audit = AuditService(parts.chains, parts.records, parts.writer, whole_records(config, parts), flows.turns)
    implementations = [
        (decision_pb2.DESCRIPTOR, DecisionService(flows.deciding, parts.batches, flows.turns, flows.admission)),
        (approval_pb2.DESCRIPTOR, approval_service(flows, parts)),
        (review_pb2.DESCRIPTOR, review_service(config, flows, parts)),
        (person_pb2.DESCRIPTOR, PersonService(parts.people.passkeys, parts.people.links, choosing)),
        (mask_pb2.DESCRIPTOR, masks.masks),
        (mask_job_pb2.DESCRIPTOR, masks.jobs),
        (audit_pb2.DESCRIPTOR, audit),
        (lineage_pb2.DESCRIPTOR, lineage_service(config, kept, flows, parts.writer)),
        (info_pb2.DESCRIPTOR, info),
    ]
    names = []
    for file, implementation in implementations:
        described = file.services_by_name[type(implementation).__name__]
        server.add_generic_rpc_handlers((edge.handlers(described, implementation),))
        names.append(described.full_name)
    return names


def _add_open_services(server: Entrance, health: Health, names: list[str]) -> None:
    """Serve what needs no credential: the health of the services, and reflection."""
    strangers = Strangers()
    mirror = reflection.aio.ReflectionServicer([*names, *health.names, reflection.SERVICE_NAME])
    [described] = reflection_pb2.DESCRIPTOR.services_by_name.values()
    server.add_generic_rpc_handlers((health.handlers(strangers, names), strangers.handlers(described, mirror)))


def _masker(config: Config, tool_cache: Path) -> dict[str, Callable[[], Awaitable[bool]]]:
    """The probe of the masker if this server masks. It begins to compile the masks."""
    if config.mask_keys is None:
        return {}
    keyring(config.mask_keys, config.realm)
    warming = Warming(tool_cache)
    warming.start()
    return {"masker": warming.is_done}


async def _drain(server: Entrance, health: Health, feed: Feed, edge: Edge, web: Face | None) -> None:
    """Report NOT_SERVING, end the calls that wait for people or for questions, and let those in flight finish."""
    await health.leave()
    feed.end()
    edge.end()
    async with asyncio.TaskGroup() as stopping:
        stopping.create_task(server.stop(GRACE_SECONDS))
        if web is not None:
            stopping.create_task(web.stop())
