"""Whether the MongoDB of a configuration can be used, and what it would lack. It only reads."""

from collections.abc import Iterator

from pdp.config import Config
from pdp.errors import SetupError
from pdp.server.observed import Observed, doubtful, fine, wrong
from pdp.store.inspection import Inspection, inspect

OLDEST, NEWEST = (6, 0), (8, 0)
"""The versions of MongoDB that are supported."""
DOUBTFUL_SECONDS = 1.0
"""Seconds between two clocks from which it is worth a line: deadlines of approvals are by MongoDB's."""
WRONG_SECONDS = 30.0
"""Seconds at which tokens that were just made are refused."""


async def mongodb(config: Config) -> list[Observed]:
    """What is found of it."""
    try:
        found = await inspect(config.mongodb_uri, config.database, config.realm)
    except SetupError as error:
        return [wrong("MongoDB", error.sentence)]
    return list(_of_server(found)) if found.kind else [*_of_server(found), *_of_database(found, config.database)]


def _of_server(found: Inspection) -> Iterator[Observed]:
    if found.kind:
        yield wrong("MongoDB", found.kind)
        return
    yield _version(found.version)
    members = "a replica set of one member" if found.members == 1 else f"a replica set of {found.members} members"
    yield fine("MongoDB's replica set", members)
    yield wrong("write concern", found.majority) if found.majority else fine("write concern", "a majority is up")
    yield _clock(found.ahead_seconds)
    for remark in found.remarks:
        yield doubtful("mongodb_uri", remark)


def _of_database(found: Inspection, name: str) -> Iterator[Observed]:
    if found.rights:
        yield wrong("MongoDB's rights", f"{found.rights}; `pdp mongo roles` prints the least")
        return
    yield fine("MongoDB's rights", f"the user has what a server needs on the database {name}")
    if found.unhelped:
        told = f"the user lacks {', '.join(found.unhelped)}, with which old indexes go and their state is seen"
        yield doubtful("MongoDB's rights", f"{told}; `pdp mongo roles` prints all")
    if found.is_empty:
        yield fine("indexes", f"the database {name} is empty; the first start of a server makes them")
        return
    if found.schema:
        yield wrong("database", found.schema)
    if found.hidden:
        yield doubtful("indexes", "they cannot be seen without the right listIndexes")
        return
    for index in found.lacking:
        yield wrong("indexes", f"{index} is missing; the next start of a server makes it")
    for index in found.differing:
        yield wrong("indexes", f"{index} is not as a server makes it; drop it, and start a server, which makes it")
    if not (found.lacking or found.differing):
        yield fine("indexes", "all are there")


def _version(text: str) -> Observed:
    version = tuple(int(part) for part in text.split(".")[:2] if part.isdecimal())
    if version < OLDEST:
        return wrong("MongoDB", f"version {text} is too old; use 6.0 to 8.0")
    if version > NEWEST:
        return doubtful("MongoDB", f"version {text} is newer than what is tried; use 6.0 to 8.0")
    return fine("MongoDB", f"version {text}")


def _clock(ahead: float) -> Observed:
    side = "ahead of" if ahead > 0 else "behind"
    told = f"MongoDB's clock is {abs(ahead):.1f} s {side} this machine's; let both follow the same time servers (NTP)"
    if abs(ahead) < DOUBTFUL_SECONDS:
        return fine("clock", "MongoDB's and this machine's agree")
    return wrong("clock", told) if abs(ahead) >= WRONG_SECONDS else doubtful("clock", told)
