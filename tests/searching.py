"""Servers whose callers may search, and searches as any client sends them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pdp.dev.stack import configuration
from pdp.identity_source import Issuer
from tests.parts import Placet, placet
from tests.web import Response, send

RECORDS = Path("tests/cases/authzen-idp")


def may_search(state: Path, **changes: Any) -> tuple[Issuer, ...]:
    """The issuers of `pdp dev`, whose callers may search."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1")
    return tuple(issuer.model_copy(update={"may_search": True, **changes}) for issuer in config.issuers)


@asynccontextmanager
async def searchable(state: Path, mongodb_uri: str, policy: Sequence[Path], **changes: Any) -> AsyncIterator[Placet]:
    """A server with this policy that lets its callers search."""
    async with placet(state, mongodb_uri, policy=policy, issuers=may_search(state), **changes) as server:
        yield server


async def search(server: Placet, kind: str, body: Any, by: str = "dev", **headers: str) -> Response:
    return await send(server, "POST", f"/access/v1/search/{kind}", by, body, **headers)
