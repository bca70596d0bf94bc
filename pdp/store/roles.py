"""The least rights of a server's user, as commands of MongoDB."""

import re
from typing import Any

from pdp.errors import SetupError
from pdp.store.cause import HELPFUL, NEEDED

ROLE = "placet_server"
"""The name of the role."""
_NAME = re.compile(r'[^\s/\\."$*<>:|?\x00]{1,63}')


def commands(database: str, user: str) -> list[dict[str, Any]]:
    """CreateRole and createUser for `database`; to the second one its reader adds `pwd`.

    Raises `SetupError` for a name that MongoDB has for no database: the empty one would be a right on all.
    """
    if not _NAME.fullmatch(database):
        raise SetupError(f"MongoDB has no database named {database!r}; name 1 to 63 letters, digits, _ and -")
    privilege = {"resource": {"db": database, "collection": ""}, "actions": [*NEEDED, *HELPFUL]}
    return [
        {"createRole": ROLE, "privileges": [privilege], "roles": []},
        {"createUser": user, "roles": [{"role": ROLE, "db": database}]},
    ]
