"""The least rights of a server's user, as commands of MongoDB."""

from typing import Any

from pdp.store.cause import HELPFUL, NEEDED

ROLE = "placet_server"
"""The name of the role."""


def commands(database: str, user: str) -> list[dict[str, Any]]:
    """CreateRole and createUser for `database`; to the second one its reader adds `pwd`."""
    privilege = {"resource": {"db": database, "collection": ""}, "actions": [*NEEDED, *HELPFUL]}
    return [
        {"createRole": ROLE, "privileges": [privilege], "roles": []},
        {"createUser": user, "roles": [{"role": ROLE, "db": database}]},
    ]
