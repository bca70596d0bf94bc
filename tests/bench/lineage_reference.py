# ruff: noqa: PLC0415 - what is not installed is left out
"""What networkx needs to carry tags through a graph, in a venv of its own (`make .venv-bench/.installed`).

Reads {"edges": [[source, end, way], ...], "tags": {node: [tag, ...]}} and writes seconds: a worklist over a DiGraph,
with the rules of the ways.
"""

import json
import sys
import time
from collections import deque
from typing import Any

INDIRECT, MASKED = 1, 2


def carried(tags: set[str], way: int) -> set[str]:
    """What an edge brings. No tag of this graph is carried by an indirect one."""
    if way == MASKED:
        return {tag if tag == "unclassified" or tag.endswith(":masked") else tag + ":masked" for tag in tags}
    return set() if way == INDIRECT else tags


def seconds(given: Any) -> float:
    """Of the full fixpoint."""
    import networkx as nx

    graph = nx.DiGraph()
    for source, end, way in given["edges"]:
        graph.add_edge(source, end, way=way)
    tags: dict[int, set[str]] = {node: set() for node in graph}
    for node, own in given["tags"].items():
        tags.setdefault(int(node), set()).update(own)
    started = time.perf_counter()
    waiting = deque(graph)
    is_waiting = set(graph)
    while waiting:
        source = waiting.popleft()
        is_waiting.discard(source)
        for end, edge in graph.adj[source].items():
            new = carried(tags[source], edge["way"]) - tags[end]
            if new:
                tags[end] |= new
                if end not in is_waiting:
                    is_waiting.add(end)
                    waiting.append(end)
    return time.perf_counter() - started


if __name__ == "__main__":
    print(seconds(json.load(sys.stdin)))
