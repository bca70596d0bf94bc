"""What kind of MongoDB answers, read from its `hello`. Pure."""

from collections.abc import Mapping
from typing import Any

ROUTER = (
    "this is a mongos, the router of a sharded cluster, and Placet keeps its promises on a replica set; give the URI "
    "of one, such as mongodb://host:27017/?replicaSet=rs0"
)


def is_router(hello: Mapping[str, Any]) -> bool:
    """Whether a mongos answered. Like a standalone it has no `setName`, but it stands for a whole cluster."""
    return hello.get("msg") == "isdbgrid"
