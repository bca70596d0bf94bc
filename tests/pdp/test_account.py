"""Accounts of chat services, and what the signature of a link holds."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from pdp.account import Link, LinkSealer, is_account, of_slack

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
SEALER = LinkSealer(KEY, "dev")
LINK = SEALER.link(Link(account="slack:T1/U1", identity="user:bob", at=datetime(2026, 1, 1, tzinfo=UTC)))


def test_account_is_made_of_the_ids_of_the_service() -> None:
    assert of_slack("T1", "U024BE7LH") == "slack:T1/U024BE7LH"
    assert is_account("slack:T1/U1")
    assert is_account("teams:tenant/oid")
    assert not is_account("slacker:T1/U1")
    assert not is_account("user:slack")


@pytest.mark.parametrize(("team", "user"), [("", "U1"), ("T1", ""), ("T1/U2", "U1"), ("T1", "bob"), ("T1", "U1\n")])
def test_name_or_another_text_is_no_id_of_slack(team: str, user: str) -> None:
    with pytest.raises(ValueError, match="ids of a team and a user"):
        of_slack(team, user)


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "slack:T1/U2"},
        {"identity": "user:eve"},
        {"at": datetime(2026, 1, 2, tzinfo=UTC)},
        {"seal": ""},
        {"seal": "a.b.c"},
    ],
)
def test_link_is_signed_whole(changes: dict[str, Any]) -> None:
    assert SEALER.is_ours(LINK)
    assert not SEALER.is_ours(replace(LINK, **changes))


def test_link_is_of_one_realm_and_key() -> None:
    assert not LinkSealer(KEY, "other").is_ours(LINK)
    assert not LinkSealer(OKPKey.generate_key("Ed25519", auto_kid=True), "dev").is_ours(LINK)
