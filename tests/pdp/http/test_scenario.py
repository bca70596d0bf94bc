"""The OpenID certification scenario: what `python -m tests.authzen` checks, on a server of this process."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.config import Tls
from pdp.dev import identity
from pdp.http.tls import context
from pdp.process.mongod import MongodProcess
from tests.authzen.__main__ import ask, main, report
from tests.authzen.scenario import DISCOVERY, LEVELS, checked
from tests.certificates import Authority
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


async def test_what_keeps_all_of_it_from_working_is_one_sentence(server: Placet, records: Placet) -> None:
    token = identity.token(server.state, "dev")
    for url, by, told in (
        (server.http, token, r"load tests/cases/authzen/scenario"),
        (records.http, "x", "PDP_TOKEN"),
        (records.http, identity.token(records.state, "report-bot"), "may not ask as the users"),
        ("http://127.0.0.1:1", token, "nothing answers at http://127.0.0.1:1"),
        (records.http.replace("http:", "https:"), token, "does not speak TLS"),
        ("records", token, "is no URL"),
    ):
        with pytest.raises(SystemExit, match=told):
            await ask(url, by)
    assert await ask(records.http, identity.token(records.state, "dev")) == 0


async def test_certificate_of_an_unknown_authority_is_one_sentence(tmp_path: Path) -> None:
    pair = Authority(tmp_path).server()
    tls = context(Tls(certificate=pair.certificate, key=pair.key), demanding=False)
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=tls)
    async with listening:
        with pytest.raises(SystemExit, match="name its file in SSL_CERT_FILE"):
            await ask(f"https://localhost:{listening.sockets[0].getsockname()[1]}", "")


def test_command_wants_a_url() -> None:
    with pytest.raises(SystemExit, match=r"tests\.authzen URL"):
        main(["one", "two"])
