"""Workers decide by OPAs that another process runs, and by the policy that it has checked."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from pdp.dev.stack import configuration
from pdp.errors import EngineUnavailable
from pdp.opa.handed import handed_engine
from pdp.opa.queries import About
from pdp.opa.shared import WORKERS_OF_ONE, shared_opas
from tests.faults import eventually
from tests.parts import TOOL_CACHE

RULE = 'package policy\n\nallow contains {"rule": "all", "reason": "all"}\n'
SCHEMA = Path("schema", "resource", "table.json")


def schema(name: str) -> bytes:
    return orjson.dumps({"type": "object", "properties": {name: {"type": "string"}}})


def asked(**properties: str) -> bytes:
    """A question about a table with these properties, as OPA gets it."""
    request = {
        "subject": {"type": "user", "id": "a", "properties": {}},
        "on_behalf_of": [],
        "action": {"name": "read", "properties": {}},
        "resource": {"type": "table", "id": "t", "properties": properties},
        "context": {},
    }
    return orjson.dumps({**request, "caller": {"identity": "user:a", "kind": "person", "groups": []}, "now": 1})


async def no_domains() -> dict[str, Any]:
    return {}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policy"
    (folder / SCHEMA).parent.mkdir(parents=True)
    (folder / "allow.rego").write_text(RULE)
    (folder / SCHEMA).write_bytes(schema("owner"))
    return folder


@asynccontextmanager
async def shared(state: Path, policy: Path, workers: int) -> AsyncIterator[tuple[list[str], Path]]:
    """The URLs of OPAs for so many workers, and the folder with what is handed to these."""
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    config = plain.model_copy(update={"policy": (policy,), "opa_url": ""})
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with tempfile.TemporaryDirectory(prefix="placet-") as folder:
        opas = shared_opas(config, TOOL_CACHE, print, failed, no_domains, Path(folder), workers)
        async with opas as urls:
            yield urls, Path(folder, "handed")


async def test_answer_of_a_policy_that_was_not_handed_on_allows_nothing(state: Path, policy: Path) -> None:
    async with shared(state, policy, WORKERS_OF_ONE + 1) as (urls, handed):
        assert len(urls) == 2
        async with handed_engine(urls[1], handed, 1) as engine:
            [answer] = await engine.opa.answers(About.DECISIONS, [asked(owner="x")], [False], 5.0)
            assert (answer["effect"], answer["revisions"]) == ("ALLOW", [engine.revision])
            assert await engine.is_healthy()
        [file] = [file for file in handed.iterdir() if file.name == engine.revision]
        kept = file.read_bytes()
        file.unlink()
        with pytest.raises(EngineUnavailable, match="was not handed the policy"):
            async with handed_engine(urls[0], handed, 0):
                pass
        file.write_bytes(kept)
        async with handed_engine(urls[0], handed, 0) as engine:
            engine.reloaded.clear()
            (policy / SCHEMA).write_bytes(schema("owners"))
            await eventually(lambda: is_changed(engine.revision, handed), seconds=60)
            for new in handed.glob("[0-9a-f]*"):
                new.unlink()
            await eventually(lambda: refuses(engine), seconds=60)
            assert not await engine.is_healthy()


async def test_request_that_fits_the_schemas_of_before_alone_is_not_allowed(state: Path, policy: Path) -> None:
    async with shared(state, policy, 1) as (urls, handed), handed_engine(urls[0], handed, 0) as engine:
        assert engine.policy.faults(orjson.loads(asked(owner="x"))) == []
        (policy / SCHEMA).write_bytes(schema("owners"))
        await eventually(lambda: takes(engine), seconds=60)
        with pytest.raises(EngineUnavailable, match="changed while it was asked"):
            await engine.opa.answers(About.DECISIONS, [asked(owner="x")], [False], 5.0)
        [answer] = await engine.opa.answers(About.DECISIONS, [asked(owners="x")], [False], 5.0)
        assert answer["effect"] == "ALLOW"


async def is_changed(revision: str, handed: Path) -> bool:
    return any(file.name != revision for file in handed.glob("[0-9a-f]" * 64))


async def refuses(engine: Any) -> bool:
    try:
        await engine.opa.answers(About.DECISIONS, [asked(owner="x")], [False], 5.0)
    except EngineUnavailable as error:
        return "was not handed" in error.sentence
    return False


async def takes(engine: Any) -> bool:
    """Whether the worker has the schemas of the next policy."""
    return bool(await engine.opa.revision() != engine.revision)
