"""Where a person is told in a chat: at the account that is the person's here, of this team."""

from collections.abc import Sequence

import pytest

from pdp.channels.addresses import AccountAddresses


class Known:
    async def accounts_of(self, identity: str) -> Sequence[str]:
        return {"user:bob": ["teams:a/b", "slack:T2/UB", "slack:T1/UBOB"], "user:carol": ["slack:T10/UC"]}.get(
            identity, []
        )


@pytest.mark.parametrize(("identity", "user"), [("user:bob", "UBOB"), ("user:carol", ""), ("user:dave", "")])
async def test_user_of_this_team_alone(identity: str, user: str) -> None:
    assert await AccountAddresses(Known(), "slack:T1/").of(identity) == user
