"""What a policy's data may say of how people are told: `data.contacts`."""

from typing import Any

from pdp.email_address import is_email_address
from pdp.quiet import Quiet

SENTENCE = (
    'write identity -> `{"email": "bob@example.com", "quiet": "22:00-07:00 Europe/Berlin"}`, of which either may be '
    "missing"
)
"""What to write, where something else stands."""


def is_contacts(value: Any) -> bool:
    """Whether each identity has an address, quiet hours, or both, and nothing else."""
    return isinstance(value, dict) and all(":" in name and _is_contact(one) for name, one in value.items())


def _is_contact(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"email", "quiet"}:
        return False
    quiet = value.get("quiet")
    is_quiet = quiet is None or (isinstance(quiet, str) and Quiet.of(quiet) is not None)
    return is_quiet and ("email" not in value or is_email_address(value["email"]))
