"""A server that asks two readers, as a request itself says further, and bob at its pages."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from tests.browser import Browser, browser
from tests.parts import Placet, placet

RULES = """package policy

needs_approval contains object.union(
	{"rule": "share", "reason": "asked for", "reviewers": {"groups": ["readers"]}, "count": 2},
	object.get(input, ["context", "asked"], {}),
) if input.action.name == "share"
"""
DATA = {
    "groups": {"readers": ["user:bob", "user:carol"]},
    "identities": {"agent:report-bot": {"owners": ["user:alice"]}},
}


@pytest.fixture(scope="module")
async def asked(tmp_path_factory: Any, state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    folder = tmp_path_factory.mktemp("readers")
    (folder / "rules.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps(DATA))
    async with placet(state, mongod.uri, policy=[folder]) as server:
        yield server


@pytest.fixture
async def bob(asked: Placet) -> AsyncIterator[Browser]:
    async with browser(asked.http) as person:
        assert (await person.log_in("bob", "/inbox")).status == 200
        yield person
