"""`pdp audit accept-gap`, and what `pdp audit verify` says of gaps that were accepted."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdp.cli import anchors, exit_code, memory, verification
from pdp.cli.session import Session, client_command
from pdp.environment import Environment
from pdp.say import say

if TYPE_CHECKING:
    from pdp.audit.gap import Gap
    from pdp.audit.verify import Anchor, Seen
    from pdp.client import Client
    from pdp.v1.audit_pb2 import SeenBatch

CALL_SECONDS = 10.0
"""What the call may take: it looks up both anchors."""


@client_command
async def accept_gap(
    session: Session,
    since: Annotated[Path, typer.Option(help="The last anchor from before the records were lost.")],
    reason: Annotated[str, typer.Option(help="Why they were lost, for those who verify the log later.")],
    key: Annotated[Path | None, typer.Option(help="A JWK Set with the audit key that you trust.")] = None,
) -> None:
    """Put on record that records were lost, as by a restore.

    It verifies what the log has now, without an anchor, and records both anchors and the reason. Every later
    verification names the gap and exits with 13, unless --accepted is given. The other way after a restore is a new
    realm.
    """
    from pdp.audit.verify import Tampered
    from pdp.cli.verify_progress import VerifyProgress

    old, state = anchors.read(since), Environment.read().state
    memory.give_back()
    async with session.client() as client:
        try:
            with VerifyProgress.opened(None) as progress:
                _, anchor = await verification.of_now(client, key, progress)
        except Tampered as flaw:
            exit_code.fail(f"NOT INTACT: {flaw}; only what is gone can be accepted", exit_code.VERIFICATION_FAILED)
        if (old.realm, old.key) != (anchor.realm, anchor.key):
            exit_code.fail(f"{since} is an anchor of another log", exit_code.USAGE)
        await _accept(client, old, anchor, reason)
    anchors.keep_and_tell(anchor, state, anchors.LIVE)


def tell_of(accepted_gaps: "Iterable[Gap]", *, accepted: bool) -> None:
    """Name every gap that was accepted. Ends the command where these were not to pass."""
    named = list(accepted_gaps)
    for gap in named:
        say(f"a gap was accepted by {gap.by} at {gap.at} ({gap.record_id}): {gap.reason}")
        for sentence in gap.sentences:
            say(f"  {sentence}")
    if named and not accepted:
        exit_code.fail(
            f"NOT INTACT: {len(named)} accepted gaps; all else is intact, and --accepted lets them pass",
            exit_code.VERIFICATION_FAILED,
        )


async def _accept(client: "Client", old: "Anchor", new: "Anchor", reason: str) -> None:
    from pdp.v1.audit_pb2 import AcceptGapRequest

    client.timeout = max(client.timeout, CALL_SECONDS)
    request = AcceptGapRequest(old=_places(old.writers), new=_places(new.writers), reason=reason)
    answer = await client.call(client.audit.AcceptGap, request)
    say(f"accepted, as {answer.record_id} says; of these writers batches are gone:")
    for seen in answer.lost:
        say(f"  writer {seen.writer.hex()}  batches up to {seen.seq} were seen")


def _places(writers: "Mapping[str, Seen]") -> "list[SeenBatch]":
    from pdp.v1.audit_pb2 import SeenBatch

    return [
        SeenBatch(writer=bytes.fromhex(name), seq=seen.seq, head=bytes.fromhex(seen.head))
        for name, seen in writers.items()
    ]
