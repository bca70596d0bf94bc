"""Whose an address is: free, of a server of this configuration, or of others."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from pdp.config import Config, Http, Tls
from pdp.dev.stack import configuration
from pdp.operations_settings import Operations
from pdp.server.observed import Level
from pdp.server.port_check import ports
from tests.certificates import Authority, Pair
from tests.parts import Placet
from tests.replica import free_ports


def config(state: Path, **changes: object) -> Config:
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    return plain.model_copy(update={"http": None, "operations": None, **changes})


async def said(state: Path, **changes: object) -> list[tuple[str, Level, str]]:
    return [(one.what, one.level, one.sentence) for one in await ports(config(state, **changes))]


async def test_addresses_of_our_own_server_are_fine(server: Placet, state: Path) -> None:
    http = server.http.removeprefix("http://")
    operations = Operations(listen=server.operations)
    found = await said(state, listen=server.address, http=Http(listen=http), operations=operations)
    assert [(level, "a server of this configuration listens" in sentence) for _, level, sentence in found] == [
        (Level.OK, True)
    ] * 3
    crossed = await said(state, listen=http, http=Http(listen=server.operations))
    assert [level for _, level, _ in crossed] == [Level.WRONG] * 2


async def test_free_taken_and_impossible_addresses(state: Path, tmp_path: Path) -> None:
    [free] = await said(state)
    assert free == ("port of listen", Level.OK, "127.0.0.1:0 is free")
    with socket.create_server(("127.0.0.1", 0)) as other:
        [(_, level, sentence)] = await said(state, listen=f"127.0.0.1:{other.getsockname()[1]}")
        assert (level, sentence.startswith("another program listens")) == (Level.WRONG, True)
    [(_, level, sentence)] = await said(state, listen="4770")
    assert (level, "is not host:port" in sentence) == (Level.WRONG, True)
    [_, (_, level, sentence)] = await said(state, operations=Operations(listen="192.0.2.1:4790"))
    assert (level, "this machine has no such address" in sentence) == (Level.WRONG, True)
    for folder, wanted in ((tmp_path, Level.OK), (tmp_path / "none", Level.WRONG)):
        [_, (_, level, _)] = await said(state, operations=Operations(listen=f"unix:{folder}/o.sock"))
        assert level is wanted


@pytest.fixture
def pairs(tmp_path: Path) -> list[Pair]:
    authority = Authority(tmp_path)
    return [authority.server(), authority.server()]


async def test_a_tls_address_is_ours_by_its_certificate(state: Path, pairs: list[Pair]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pairs[0].certificate, pairs[0].key)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as other:
        address = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
        for pair, wanted in zip(pairs, (Level.OK, Level.WRONG), strict=True):
            [(_, level, _)] = await said(state, listen=address, tls=Tls(certificate=pair.certificate, key=pair.key))
            assert level is wanted


async def test_a_free_address_is_free_for_two_who_look_at_once(state: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"

    def look() -> set[str]:
        own = config(state, listen=address)
        return {one.sentence for _ in range(200) for one in asyncio.run(ports(own))}

    found = await asyncio.gather(*(asyncio.to_thread(look) for _ in range(2)))
    assert found == [{f"{address} is free"}] * 2
