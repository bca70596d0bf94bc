"""How the policy's data says that people are told: an address, and hours in which they want no message."""

from dataclasses import dataclass

from pdp.errors import PolicyInvalid
from pdp.opa.queries import Opa
from pdp.quiet import Quiet


@dataclass(frozen=True, slots=True)
class Contact:
    """`data.contacts[identity]`, of which every member may be missing."""

    email: str = ""
    quiet: Quiet | None = None


class Contacts:
    """Reads contacts. Where the data is wrong, or the core is older and does not answer, the contact is empty."""

    def __init__(self, opa: Opa) -> None:
        self._opa = opa

    async def of(self, identity: str) -> Contact:
        """The contact of a person. Raises `EngineUnavailable`."""
        try:
            found = await self._opa.contact(identity)
        except PolicyInvalid:
            return Contact()
        members = found if isinstance(found, dict) else {}
        email, quiet = members.get("email"), members.get("quiet")
        return Contact(
            email if isinstance(email, str) else "",
            Quiet.of(quiet) if isinstance(quiet, str) else None,
        )
