"""A server for jobs on Spark, in a thread of its own: Spark's calls hold the test's thread."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from pdp.client import Client
from pdp.dev import identity
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.spark import mask_job
from pdp.spark.own_loop import OwnLoop
from pdp.v1.approval_pb2 import Approval
from pdp.v1.mask_job_pb2 import MaskJob
from tests.mask_jobs import Stage, staged
from tests.memory import in_memory
from tests.parts import log

T = TypeVar("T")
DAYS = """package policy

mask contains {
    "rule": "days", "reason": "the year is enough", "columns": ["day"],
    "mask": "generalize", "to": "year", "format": "%Y-%m-%d",
}
"""
"""A mask that a value may not fit."""


@dataclass
class Placed:
    """A server that runs, and what tests ask of it."""

    loop: OwnLoop
    stage: Stage
    mongod: MongodProcess

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(coroutine)

    def client(self, name: str = "report-bot") -> Client:
        return Client(self.stage.server.address, identity.token(self.stage.server.state, name))

    def job(self, spark: Any, *, request_id: str = "", context: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """A job of its own on the table `people`."""
        said = {"run": uuid4().hex, **(context or {})}
        return mask_job(
            spark,
            table="people",
            context=said,
            on_behalf_of=["user:alice"],
            request_id=request_id or uuid4().hex,
            client=self.client,
            **more,
        )

    def approve(self, approval_id: str) -> None:
        """Have bob approve."""

        async def approved() -> None:
            server = self.stage.server
            seen = await server.seen(Approval(approval_id=approval_id), server.metadata("bob"))
            await server.review(seen, "bob")

        self.run(approved())

    def get(self, job_id: str) -> MaskJob:
        return self.run(self.stage.get(job_id))

    def record(self, job_id: str) -> dict[str, Any]:
        """What the one record of a finished job says of it."""
        found = [held for _, held in self.run(log(self.stage.server, "mask"))]
        [held] = [one for one in found if one["details"].get("mask_job", {}).get("job") == job_id]
        return dict(held["details"])


@contextmanager
def placed(folder: Path, **changes: Any) -> Iterator[Placed]:
    """A server with a MongoDB of its own."""
    loop, closing = OwnLoop("server"), AsyncExitStack()

    async def started() -> Placed:
        memory = closing.enter_context(in_memory(folder / "mongodb"))
        mongod = await closing.enter_async_context(
            MongodProcess(toolcache.mongod(), memory, say=print, test_commands=True)
        )
        (folder / "policy").mkdir()
        (folder / "policy/days.rego").write_text(DAYS)
        stage = await closing.enter_async_context(staged(folder / "state", mongod.uri, folder / "policy", **changes))
        return Placed(loop, stage, mongod)

    try:
        yield loop.run(started())
    finally:
        loop.run(asyncio.wait_for(closing.aclose(), 60))
        loop.close()
