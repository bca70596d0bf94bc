"""Decides requests by the files of a policy on this machine, with an OPA of its own: no server and no database."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pdp.caller import Caller
from pdp.canonical import Canonical, canonical
from pdp.decision import Verdict, opa_input, verdict
from pdp.errors import InvalidRequest
from pdp.opa.process import OpaProcess
from pdp.opa.queries import About, Opa
from pdp.policy.attributes import Attributes
from pdp.policy.bundle import built
from pdp.policy.schema import schemas
from pdp.policy.sources import Source, read
from pdp.v1.decision_pb2 import AuthorizeRequest

REALM = "trial"
SECONDS = 10.0
"""Seconds for all answers: a person waits, and nobody else asks this OPA."""

Ask = tuple[AuthorizeRequest, Caller]


async def verdicts(
    opa: Path,
    folders: Sequence[Path],
    asks: Sequence[Ask],
    *,
    now_ns: int,
    person_types: frozenset[str],
    say: Callable[[str], None],
) -> list[Verdict]:
    """What the policy says to each request of its caller at `now_ns`, as a server with this policy judges it.

    People's approvals, and whether there are enough people, are not looked at. Raises `SetupError` for a policy that a
    server would refuse, `InvalidRequest` and `PolicyInvalid`.
    """
    sources = [source for source in await asyncio.to_thread(read, folders) if not source.is_test]
    attributes = Attributes(schemas(sources))
    inputs = [opa_input(checked(request, attributes).json, caller, now_ns) for request, caller in asks]
    async with answering(opa, sources, say) as connection:
        explained = [request.explain for request, _ in asks]
        answers = await connection.answers(About.DECISIONS, inputs, explained, SECONDS)
    return [verdict(answer, person_types) for answer in answers]


@asynccontextmanager
async def answering(opa: Path, sources: Sequence[Source], say: Callable[[str], None]) -> AsyncIterator[Opa]:
    """An OPA with the policy in `sources`. Raises `SetupError` if a server would refuse the policy."""
    with tempfile.TemporaryDirectory(prefix="placet-") as name:
        folder = Path(name, "bundle")
        await asyncio.to_thread(folder.mkdir)
        await asyncio.to_thread(built, opa, sources, folder / "bundle.tar.gz", Path(name), {})
        process = OpaProcess(opa, folder / "bundle.tar.gz", Path(name, "opa.sock"), say=say)
        async with process, Opa(f"unix://{process.socket}") as connection:
            yield connection


def checked(request: AuthorizeRequest, attributes: Attributes) -> Canonical:
    """The request in canonical form, if the contract and the schemas take it. Else raises `InvalidRequest`."""
    bound = canonical(request, REALM)
    if faults := attributes.faults(bound.members):
        raise InvalidRequest.fields(faults)
    return bound
