"""Makes a tool of guarded functions with a framework's decorator, and calls it: `python tools.py crewai`.

`python -m tests.resolution` runs it in an environment with the framework and the client, inside `pdp dev`. It uses only
what these two have.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from typing import Any

from pdp.client import Denied, guard

RAN: list[str] = []
"""What the functions did."""
guarded = partial(guard, resource=lambda table, **_: f"table:{table}", on_behalf_of=["user:alice"])


def count(table: str, columns: list[str], limit: int = 3) -> str:
    """Count rows of a table."""
    columns.append("ran")
    RAN.append(f"counted {limit} of {table}, {columns}")
    return RAN[-1]


async def fetch(table: str, columns: list[str], limit: int = 3) -> str:
    """Fetch rows of a table."""
    columns.append("ran")
    RAN.append(f"fetched {limit} of {table}, {columns}")
    return RAN[-1]


@dataclass(frozen=True)
class Tool:
    """What a framework made of a function: what its model reads, and a call as its agent makes it."""

    name: str
    description: str
    schema: dict[str, Any]
    call: Callable[[dict[str, Any]], Awaitable[object]]


def langchain(function: Callable[..., Any]) -> Tool:
    """By `@tool` of LangChain, which LangGraph takes, too."""
    made = import_module("langchain_core.tools").tool(function)
    return Tool(made.name, made.description, made.args_schema.model_json_schema(), made.ainvoke)


def openai_agents(function: Callable[..., Any]) -> Tool:
    """By `@function_tool` of OpenAI Agents, which raises here what it would tell its model."""
    made = import_module("agents").function_tool(failure_error_function=None)(function)

    async def call(arguments: dict[str, Any]) -> object:
        sent = json.dumps(arguments)
        about = {"tool_name": made.name, "tool_call_id": "call-1", "tool_arguments": sent}
        return await made.on_invoke_tool(import_module("agents.tool_context").ToolContext(None, **about), sent)

    return Tool(made.name, made.description, made.params_json_schema, call)


def crewai(function: Callable[..., Any]) -> Tool:
    """By `@tool` of CrewAI, whose agents call tools from threads without an event loop."""
    made = import_module("crewai.tools").tool(function)

    async def call(arguments: dict[str, Any]) -> object:
        return await asyncio.to_thread(made.run, **arguments)

    return Tool(made.name, made.description, made.args_schema.model_json_schema(), call)


FRAMEWORKS: dict[str, Callable[[Callable[..., Any]], Tool]] = {
    "langchain": langchain,
    "langgraph": langchain,
    "openai-agents": openai_agents,
    "crewai": crewai,
}


async def tried(make: Callable[[Callable[..., Any]], Tool], function: Callable[..., Any], did: str) -> None:
    """A tool reads as its function does; it runs what is allowed with what was asked, and nothing that is not."""
    RAN.clear()
    name = function.__name__
    plain, tool = make(function), make(guarded(action="read")(function))
    same = (plain.name, plain.description, plain.schema) == (tool.name, tool.description, tool.schema)
    require(same, f"{name} reads otherwise behind the guard: {tool}")
    sent = {"table": "orders", "columns": ["id"], "limit": 5}
    said = await tool.call(sent)
    require(RAN == [f"{did} 5 of orders, ['id', 'ran']"] == [said], f"{name} of orders ran {RAN} and said {said}")
    require(sent["columns"] == ["id"], f"{name} changed the caller's list")
    forbidden = make(guarded(action="drop")(function))
    try:
        said = await forbidden.call(sent)
    except Denied:
        said = None
    require(said is None and len(RAN) == 1, f"{name} of a drop said {said} and ran {RAN[1:]}")


def require(holds: bool, sentence: str) -> None:  # noqa: FBT001  # as of `assert`
    """End with the sentence where it does not hold."""
    if not holds:
        sys.exit(f"{sys.argv[1]}: {sentence}")


if __name__ == "__main__":
    framework = sys.argv[1]
    for one, what in ((count, "counted"), (fetch, "fetched")):
        asyncio.run(tried(FRAMEWORKS[framework], one, what))
    sys.stdout.write(f"{framework} {metadata.version(framework)}: tools of guarded functions run what was allowed\n")
    sys.stdout.flush()
    os._exit(0)  # CrewAI leaves threads that would send what ran to its makers
