"""Where the server listens: never in plaintext beyond this machine, never with unusable files."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from pdp.config import Config, Http, Tls
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.server.listener import listen, require_addresses, require_loopback
from tests.certificates import BROKEN, Authority, Pair


@pytest.fixture
async def opening() -> AsyncIterator[grpc.aio.Server]:
    """A server that listens nowhere yet."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    yield server
    await server.stop(None)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Authority(tmp_path).server()


def began() -> None:
    """Nobody counts."""


def config(state: Path, address: str = "127.0.0.1:0", **tls: Any) -> Config:
    plain = configuration(state=state, listen=address, policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    return plain.model_copy(update={"tls": Tls(**tls) if tls else None})


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0", "127.1.2.3:8181"])
def test_plaintext_is_for_loopback(address: str) -> None:
    require_loopback(address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:0", "[::]:0", "192.168.0.1:0", "placet.example:0", "localhost.example:0", "127.0.0.1", "unix:/x", ""],
)
async def test_plaintext_beyond_it_is_refused(opening: grpc.aio.Server, state: Path, address: str) -> None:
    with pytest.raises(SetupError):
        listen(opening, config(state, address), began)


@pytest.mark.parametrize(
    ("field", "address", "example"),
    [
        ("listen", "4881", "127.0.0.1:4881"),
        ("listen", "", "127.0.0.1:4770"),
        ("listen", "unix:/x", "127.0.0.1:4770"),
        ("tls.client_listen", ":4881", "127.0.0.1:4881"),
        ("http.listen", "4881", "127.0.0.1:4881"),
        ("http.listen", "127.0.0.1:65536", "127.0.0.1:4770"),
        ("http.client_listen", "http://a:1", "127.0.0.1:4770"),
    ],
)
def test_what_is_no_address_is_named_with_one(state: Path, pair: Pair, field: str, address: str, example: str) -> None:
    part, _, name = field.rpartition(".")
    made = config(state, certificate=pair.certificate, key=pair.key).model_copy(update={"http": Http()})
    inner = getattr(made, part).model_copy(update={name: address}) if part else address
    with pytest.raises(SetupError) as refused:
        require_addresses(made.model_copy(update={part or name: inner}))
    assert refused.value.sentence == f"{field}: {address!r} is not host:port; write it like {example}"


async def test_free_port_is_told(opening: grpc.aio.Server, state: Path, pair: Pair) -> None:
    assert all(listen(opening, config(state), began))
    assert all(listen(opening, config(state, "0.0.0.0:0", certificate=pair.certificate, key=pair.key), began))


async def test_taken_address_is_said(opening: grpc.aio.Server, state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SetupError, match=address):
            listen(opening, config(state, address), began)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


Damage = Callable[[Pair, Pair], dict[str, Path]]
DAMAGED: dict[str, Damage] = {
    "no certificate": lambda mine, _: {"certificate": mine.certificate / "none", "key": mine.key},
    "no key": lambda mine, _: {"certificate": mine.certificate, "key": mine.key.with_name("none")},
    "key of another": lambda mine, other: {"certificate": mine.certificate, "key": other.key},
    "the two mixed up": lambda mine, _: {"certificate": mine.key, "key": mine.key},
    **{
        f"authorities {name}": lambda mine, _, content=content: {
            "certificate": mine.certificate,
            "key": mine.key,
            "client_ca": written(mine.ca.with_name("clients.pem"), content(mine.ca.read_bytes())),
        }
        for name, content in BROKEN.items()
    },
    "no authority": lambda mine, _: {
        "certificate": mine.certificate,
        "key": mine.key,
        "client_ca": mine.ca.with_name("none"),
    },
}


@pytest.mark.parametrize("name", DAMAGED)
async def test_files_that_are_not_usable_are_refused(
    opening: grpc.aio.Server, state: Path, tmp_path: Path, name: str
) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(SetupError, match="tls"):
        listen(opening, config(state, **DAMAGED[name](authority.server(), authority.server())), began)


async def test_key_that_others_can_read_is_refused_with_what_to_do(
    opening: grpc.aio.Server, state: Path, pair: Pair
) -> None:
    pair.key.chmod(0o644)
    with pytest.raises(SetupError, match=f"chmod 600 {pair.key}"):
        listen(opening, config(state, certificate=pair.certificate, key=pair.key), began)
