"""Where people are told in a chat: by the account that is theirs, which no handle and no e-mail address says."""

from collections.abc import Sequence
from typing import Protocol


class Accounts(Protocol):
    """The chat accounts of people."""

    async def accounts_of(self, identity: str) -> Sequence[str]:
        """Those through which a person acts."""


class AccountAddresses:
    """The people of one team or tenant: `prefix` is how its accounts begin (`slack:T1/`)."""

    def __init__(self, accounts: Accounts, prefix: str) -> None:
        self._accounts, self._prefix = accounts, prefix

    async def of(self, identity: str) -> str:
        """The id by which the chat knows a person; empty where none is known."""
        found = [one for one in await self._accounts.accounts_of(identity) if one.startswith(self._prefix)]
        return found[0].removeprefix(self._prefix) if found else ""
