"""The OpenID certification scenario: what `python -m tests.authzen` checks, on a server of this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from tests.authzen.__main__ import main, report
from tests.authzen.scenario import DISCOVERY, LEVELS, checked
from tests.parts import Placet, placet

POLICY = Path(__file__).parents[2] / "cases" / "authzen" / "scenario"


@pytest.fixture(scope="module")
async def records(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server that decides as the scenario's fixture says."""
    async with placet(state, mongod.uri, policy=[POLICY]) as running:
        yield running


async def test_levels_that_are_offered_pass(records: Placet, capsys: pytest.CaptureFixture[str]) -> None:
    results = await checked(records.http, identity.token(records.state, "dev"))
    assert [result for result in results if result.fails] == []
    assert [result.name for result in results if result.wrong] == ["3.2.7"]
    assert {result.level for result in results} == {*LEVELS, DISCOVERY}
    assert report(results) == 0
    assert "Basic Core         24 of 24" in capsys.readouterr().out


async def test_server_that_decides_otherwise_fails(server: Placet, capsys: pytest.CaptureFixture[str]) -> None:
    results = await checked(server.http, identity.token(server.state, "dev"))
    assert {result.level for result in results if result.fails} >= {"Basic Core", "Batch Core"}
    assert report(results) == 1
    assert "1.4 rule 2: decision False, not True" in capsys.readouterr().out


async def test_server_that_knows_no_such_caller_fails_wherever_it_should_decide(records: Placet) -> None:
    results = await checked(records.http, "x")
    deciding = [result for result in results if result.is_offered and result.level != DISCOVERY]
    assert [result.name for result in deciding if not result.wrong] == []


def test_command_wants_a_url() -> None:
    with pytest.raises(SystemExit, match=r"tests\.authzen URL"):
        main(["one", "two"])
