"""An agent's loop of tool calls. Each call is allowed by Placet first, and a restart goes on where the loop was.

There is no model and no network here: PLAN stands for what a model would ask for, and the tools only pretend.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from pdp.client import ApprovalPending, CallError, Client, Denied, guard

PLAN: list[tuple[str, dict[str, Any]]] = [
    ("read", {"table": "orders"}),
    ("export", {"table": "customers", "rows": 500}),
    ("drop", {"table": "customers"}),
]
"""The tool calls, one after the other. Ask your model for the next one instead, with the results so far."""
STATE = Path("session.json")
WAIT_SECONDS = 3600.0
"""How long one wait for people lasts; then the agent says again what it waits for."""

Tool = Callable[..., Awaitable[str]]


@dataclass
class Session:
    """What survives a restart, in the file STATE."""

    name: str = field(default_factory=lambda: uuid4().hex)
    results: list[str] = field(default_factory=list)
    begun: str = ""

    @classmethod
    def loaded(cls) -> "Session":
        """The session that was interrupted, or a new one."""
        return cls(**json.loads(STATE.read_text())) if STATE.exists() else cls()

    def save(self) -> None:
        """Write all of it or nothing."""
        new = STATE.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)))
        new.replace(STATE)

    def begin(self, call_id: str) -> None:
        """Note, before the first effect of a call, that it begins: it must not begin again."""
        self.begun = call_id
        self.save()

    @staticmethod
    def end() -> None:
        """The next start is a new session."""
        STATE.unlink()


def tools(session: Session) -> dict[str, Tool]:
    """The tools. Each runs only with a checked grant for exactly its arguments, `call_id` among them."""
    guarded = partial(
        guard,
        resource=lambda table, **_: f"table:{table}",
        on_behalf_of=["user:alice"],
        request_id=lambda call_id, **_: call_id,  # the same after a restart, so an approval is not asked for twice
    )

    @guarded(action="read")
    async def read(call_id: str, table: str) -> str:
        return f"3 rows of {table}"

    @guarded(action="export", properties={"tags": ["pii"]})
    async def export(call_id: str, table: str, rows: int) -> str:
        session.begin(call_id)
        write_export(f"{call_id}: {rows} rows of {table}\n")
        return f"{rows} rows of {table} are exported"

    @guarded(action="drop")
    async def drop(call_id: str, table: str) -> str:
        session.begin(call_id)
        return f"{table} is gone"

    return {"read": read, "export": export, "drop": drop}


def write_export(line: str) -> None:
    """Stands for what the export does in the world."""
    with Path("exported.txt").open("a") as file:
        file.write(line)


async def outcome(pdp: Client, tool: Tool, call_id: str, arguments: dict[str, Any]) -> str:
    """What a call brought, or why it did not run; the model is told either."""
    while True:
        try:
            return await tool(call_id, **arguments)
        except ApprovalPending as pending:
            say(f"waits for people: {pending.approval_id}")
            await pdp.wait(pending.approval_id, timeout=WAIT_SECONDS)
        except Denied as denied:
            if denied.decision.error is not None:  # there is no answer; that is not a no
                raise denied.decision.error from None
            return f"not allowed: {denied.decision.why}"


async def main() -> None:
    """Work through the plan."""
    session = Session.loaded()
    available = tools(session)
    async with Client() as pdp:
        while (number := len(session.results)) < len(PLAN):
            name, arguments = PLAN[number]
            call_id = f"{session.name}-{number}"
            if session.begun == call_id:
                sys.exit(f"{name} had begun when the agent ended; look whether it is done, then edit {STATE}")
            session.save()
            session.results.append(await outcome(pdp, available[name], call_id, arguments))
            session.save()
            say(f"{name}: {session.results[-1]}")
    session.end()
    say("done")


def say(line: str) -> None:
    """Tell the terminal, or the pipe, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except CallError as error:
        sys.exit(f"{error.reason}: {error.sentence}; start the agent again to go on")
    except KeyboardInterrupt:
        sys.exit("stopped; start the agent again to go on")
