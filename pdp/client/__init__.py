"""The Python client: what agents and the CLI use.

    async with Client("127.0.0.1:4770", token) as pdp:
        decision = await pdp.authorize("agent:report-bot", "read", "table:customers", on_behalf_of=["user:alice"])
        if decision.allowed: ...

Only a clear allow is allowed. An error, an unknown effect and an obligation that the program does not know are not.
"""

from pdp.client.call_error import CallError, call_error
from pdp.client.connection import Client
from pdp.client.decision import Decision, Denied
from pdp.client.enforcement import ApprovalPending, ArgumentsChanged
from pdp.client.guard import guard
from pdp.displayed import NotAsDisplayed, expected_lineage
from pdp.grant import GrantInvalid, SpentGrants, verify_grant
from pdp.text import Text

__all__ = [
    "ApprovalPending",
    "ArgumentsChanged",
    "CallError",
    "Client",
    "Decision",
    "Denied",
    "GrantInvalid",
    "NotAsDisplayed",
    "SpentGrants",
    "Text",
    "call_error",
    "expected_lineage",
    "guard",
    "verify_grant",
]
