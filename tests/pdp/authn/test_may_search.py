"""Who may search, where several entries stand behind one call: all of them must say so."""

from pathlib import Path

import pytest

from pdp.dev.identity import AGENTS
from pdp.process.mongod import MongodProcess
from tests import tokens
from tests.parts import placet
from tests.pdp.authn.test_require_digest import PARTNERS, issuers
from tests.web import send

BODY = {
    "subject": {"type": "agent", "id": "report-bot"},
    "action": {"name": "read"},
    "resource": {"type": "table"},
    "options": {"candidates": []},
}


@pytest.mark.parametrize("lacking", ["", "user", "agent", "partner"])
async def test_the_issuers_entry_must_say_so_and_each_actors(lacking: str, state: Path, mongod: MongodProcess) -> None:
    act = {"sub": "report-bot", "iss": AGENTS, "act": {"sub": "helper", "iss": PARTNERS}}
    entries = [one.model_copy(update={"may_search": one.type != lacking}) for one in issuers(state)]
    acting = tokens.bearer(tokens.signed(state, tokens.claims("user:eve", act=act)))
    async with placet(state, mongod.uri, issuers=tuple(entries)) as server:
        [(_, credential)] = acting
        response = await send(server, "POST", "/access/v1/search/resource", body=BODY, Authorization=credential)
        assert response.status == (403 if lacking else 200)
        alone = await send(server, "POST", "/access/v1/search/resource", "report-bot", BODY)
        assert alone.status == (403 if lacking == "agent" else 200)
