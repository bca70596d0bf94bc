"""Follows the policy: each revision in force is recorded, and how it lets tags travel goes into lineage."""

import asyncio
import logging
import time
from contextlib import suppress

from pdp import metrics
from pdp.audit.record import Kind, entry
from pdp.errors import PdpError
from pdp.lineage.fact import Rules
from pdp.opa.engine import Engine
from pdp.recording.writer import Writer
from pdp.server.lineage import Lineage
from pdp.workflow.tag_rules import tag_rules

log = logging.getLogger(__name__)

REVISION_SECONDS = 5.0
"""Seconds between two looks at the policy's revision, if OPA does not report its reloads."""
AGAIN_SECONDS = 1.0
"""Seconds until what failed is tried again."""
PLACET = "placet"
"""Who says how tags travel: the server, by its policy."""


async def record_policies(opa: Engine, writer: Writer, kept: Lineage | None) -> None:
    """Record every revision of the policy that comes into force, and write its rules of tags where they are new."""
    recorded = ruled = ""
    while True:
        opa.reloaded.clear()
        try:
            opa.revision = await opa.opa.revision()
            metrics.policy_in_force(opa.revision)
            if opa.revision != recorded:
                await writer.append([entry(Kind.POLICY_LOADED, policy_revision=opa.revision)])
                recorded = opa.revision
            if kept and opa.revision != ruled:
                ruled = await write_rules(opa, kept)
        except PdpError as error:
            log.info("the policy's revision is recorded later: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            await _reload(opa.reloaded)


async def write_rules(opa: Engine, kept: Lineage) -> str:
    """Write the rules of tags into the log of lineage unless its last ones are the same. Returns their revision.

    A log without rules has those of a policy that declares none.
    """
    found = tag_rules(await opa.opa.tags())
    last = kept.following.rules
    if found.tags != (last.tags if last else {}):
        at = time.time_ns() // 1_000_000
        await kept.writing.write([Rules(by=PLACET, at=at, policy_revision=found.revision, tags=found.tags)])
    return found.revision


async def _reload(reloaded: asyncio.Event) -> None:
    """Wait until another policy is in force, or a few seconds: an OPA of the operator's reports nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(REVISION_SECONDS):
            await reloaded.wait()
