"""People's passkeys on a database, as the page that adds them has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pdp import keys
from pdp.assertion import Assertion, decoded
from pdp.background import background
from pdp.credential import Registration
from pdp.passkey import Passkey, PasskeySealer
from pdp.process.mongod import MongodProcess
from pdp.recording.writer import Writer
from pdp.site import Site
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.writers import Writers
from pdp.v1.approval_pb2 import Approval, PasskeyAssertion, Verdict
from pdp.v1.review_pb2 import BeginReviewRequest, BeginReviewResponse, ReviewRequest
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.told import Told
from tests.authenticator import Authenticator, adding_challenge, b64, verdict_challenge
from tests.parts import Placet


def registered(answer: dict[str, str]) -> Registration:
    return Registration(**answer)


def asserted(statement: str, answer: dict[str, str]) -> Assertion:
    return Assertion(statement=statement, **answer)


async def added(passkeys: Passkeys, keyrings: Keyrings, device: Authenticator, identity: str, **ago: float) -> Passkey:
    """A passkey of this person on this device, by a login some time ago."""
    asked = await passkeys.begin(identity)
    answer = registered(device.create(adding_challenge(asked.nonce)))
    logged_in_at = await keyrings.now() - timedelta(**ago)
    return await passkeys.add(identity, asked.nonce, answer, logged_in_at=logged_in_at)


async def let_in(passkeys: Passkeys, keyrings: Keyrings, device: Authenticator, by: Authenticator) -> Passkey:
    """Another passkey of bob's, which one that counts lets in; his login is old."""
    asked = await passkeys.begin("user:bob")
    signed = asserted("", by.get(adding_challenge(asked.nonce, b64(device.id))))
    answer = registered(device.create(adding_challenge(asked.nonce)))
    logged_in_at = await keyrings.now() - timedelta(hours=1)
    return await passkeys.add("user:bob", asked.nonce, answer, logged_in_at=logged_in_at, by=signed)


@asynccontextmanager
async def adding(
    server: Placet, mongod: MongodProcess, wait: timedelta = timedelta()
) -> AsyncIterator[tuple[Passkeys, Keyrings]]:
    """What another process of the server's deployment adds passkeys with."""
    database = await Database.open(mongod.uri, server.database)
    key = keys.private_key(server.state / "keys" / "audit.jwk")
    writer = Writer(Batches(database), Writers(database), key, "dev")
    sealer = PasskeySealer(keys.private_key(server.state / "keys" / "seal.jwk"), "dev")
    keyrings = Keyrings(database, writer, sealer)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(writer.run(), failed):
        yield Passkeys(keyrings, Told(writer), Site(server.http), wait), keyrings
        await writer.close()
    await database.close()


def device_of(server: Placet, **changes: Any) -> Authenticator:
    return Authenticator(origin=server.http, host="localhost", **changes)


async def begun(
    server: Placet, approval: Approval, by: str, verdict: str = "APPROVE", reason: str = "read it"
) -> BeginReviewResponse:
    seen = await server.seen(approval, server.metadata(by))
    request = BeginReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=seen.version,
        expected_lineage=seen.lineage.digest,
        verdict=Verdict.Value(f"VERDICT_{verdict}"),
        reason=reason,
    )
    return await server.reviews.BeginReview(request, metadata=server.metadata(by))


async def signed_review(
    server: Placet,
    approval: Approval,
    by: str,
    device: Authenticator,
    statement: str,
    verdict: str = "APPROVE",
    reason: str = "read it",
    **changes: Any,
) -> Approval:
    """Send a verdict with what the device signed of this statement."""
    seen = await server.seen(approval, server.metadata(by))
    answer = asserted(statement, device.get(verdict_challenge(statement), **changes))
    raw = {name: decoded(getattr(answer, name)) for name in ("authenticator_data", "client_data", "signature")}
    request = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=seen.version,
        expected_lineage=seen.lineage.digest,
        verdict=Verdict.Value(f"VERDICT_{verdict}"),
        reason=reason,
        passkey=PasskeyAssertion(credential_id=device.id, statement=statement, **raw),
    )
    return (await server.reviews.Review(request, metadata=server.metadata(by))).approval
