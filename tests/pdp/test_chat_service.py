"""Whose account the claims of a sign-in name."""

from typing import Any

import pytest

from pdp import chat_service
from pdp.chat_service import NotOurs

TENANT, PERSON = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "00000000-0000-0000-0000-000000000001"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
SLACK, TEAMS = chat_service.slack("T1"), chat_service.teams(TENANT, ISSUER)
OF_SLACK = {"https://slack.com/team_id": "T1", "https://slack.com/user_id": "U1"}
OF_TEAMS: dict[str, Any] = {"tid": TENANT, "oid": PERSON}


def test_ids_of_the_service_make_the_account() -> None:
    assert SLACK.account(OF_SLACK) == "slack:T1/U1"
    assert TEAMS.account(OF_TEAMS) == f"teams:{TENANT}/{PERSON}"


def test_what_is_read_is_asked_for() -> None:
    assert set(OF_SLACK) < set(SLACK.claims)
    assert {*OF_TEAMS, "idp", "acct", "name"} == set(TEAMS.claims)


@pytest.mark.parametrize("changes", [{"https://slack.com/team_id": "T2"}, {"https://slack.com/user_id": "bob"}])
def test_another_team_or_a_name_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotOurs):
        SLACK.account({**OF_SLACK, **changes})
    with pytest.raises(NotOurs, match="names no account"):
        SLACK.account({name: value for name, value in OF_SLACK.items() if name not in changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": PERSON},
        {"tid": None},
        {"oid": None},
        {"oid": "bob"},
        {"oid": f"{PERSON}\n"},
        {"idp": "live.com"},
        {"idp": None},
        {"idp": f"https://sts.windows.net/{PERSON}/"},
        {"acct": 1},
        {"acct": None},
    ],
)
def test_another_tenant_a_guest_or_a_name_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotOurs):
        TEAMS.account({**OF_TEAMS, **changes})


def test_member_is_known_by_either_name_of_the_tenant() -> None:
    for home in (ISSUER, f"https://sts.windows.net/{TENANT}/"):
        assert TEAMS.account({**OF_TEAMS, "idp": home, "acct": 0})
