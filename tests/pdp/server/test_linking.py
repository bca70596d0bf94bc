"""Which services a server offers for accounts, by its configuration, and with which secrets it does not start."""

from pathlib import Path
from typing import Any

import pytest

from pdp.errors import SetupError
from pdp.microsoft import Microsoft
from pdp.process.mongod import MongodProcess
from pdp.slack_settings import SlackSettings
from pdp.teams_settings import TeamsSettings
from tests.browser import browser
from tests.parts import placet
from tests.pdp.linking import kept
from tests.teams import APP, TENANT

NOWHERE = "http://127.0.0.1:1"


def both(folder: Path) -> dict[str, Any]:
    """Slack and Teams, neither of which answers."""
    files = {name: kept(folder, name, "x" * 32) for name in ("bot_token", "signing_secret", "client_secret", "secret")}
    secret = files.pop("secret")
    return {
        "slack": SlackSettings(team="T1", client_id="1.2", **files),
        "teams": TeamsSettings(app_id=APP, tenant=TENANT, secret=secret),
        "slack_host": f"{NOWHERE}/",
        "microsoft": Microsoft(*[NOWHERE] * 3),
    }


async def test_each_service_that_is_configured_is_offered(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    given = both(tmp_path)
    async with placet(state, mongod.uri, keeps_lineage=False, **given) as server, browser(server.http) as bob:
        me = await bob.log_in("bob")
        assert [name for name in ("Slack", "Teams") if f"<button>Connect {name}</button>" in me.text] == [
            "Slack",
            "Teams",
        ]
        away = await bob.post("/inbox/links/teams", {"form": me.hidden["form"]})
        assert (away.status, "identity provider does not answer" in away.text) == (503, True)
        assert (await bob.get("/inbox/links/teams")).status == 405, "a link that somebody sends begins nothing"
        assert (await bob.post("/inbox/links/teams", {"form": "x"})).status == 403


async def test_slack_without_its_client_secret_offers_nothing(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    given = both(tmp_path)
    given["slack"] = given["slack"].model_copy(update={"client_id": "", "client_secret": None})
    async with placet(state, mongod.uri, keeps_lineage=False, **given) as server, browser(server.http) as bob:
        me = await bob.log_in("bob")
        assert "Connect Slack" not in me.text
        assert "Connect Teams" in me.text
        assert (await bob.get("/login/slack")).status == 404


async def test_client_secret_that_others_can_read_is_refused(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    given = both(tmp_path)
    (tmp_path / "client_secret").chmod(0o644)
    with pytest.raises(SetupError, match=r"slack\.client_secret"):
        async with placet(state, mongod.uri, keeps_lineage=False, **given):
            pass


def test_issuer_is_that_of_the_tenant() -> None:
    assert Microsoft().issuer(TENANT) == f"https://login.microsoftonline.com/{TENANT}/v2.0"
