"""What `pdp serve --workers` refuses before it starts anything."""

from pathlib import Path

import pytest

from pdp.cli.workers import Given
from pdp.config import Http
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.server.order import Order, addresses, with_addresses
from pdp.server.parent import _patience, require_shareable

HTTP = Http(listen="127.0.0.1:0")
MONGODB = "mongodb://127.0.0.1:1/?replicaSet=rs0"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("listen", {"listen": "unix:/run/placet.sock"}),
        ("http.listen", {"http": Http(listen="unix:/run/placet.sock")}),
    ],
)
def test_unix_socket_cannot_be_shared(state: Path, field: str, changes: dict[str, object]) -> None:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=MONGODB)
    with pytest.raises(SetupError) as error:
        require_shareable(config.model_copy(update=changes))
    assert error.value.sentence.startswith(f"{field}: workers cannot share a unix socket; give host:port")


def test_stream_holds_up_the_replacement_of_the_workers_for_two_minutes(state: Path) -> None:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=MONGODB)
    given = Given(Path("placet.toml"), {}, 2)
    order = Order("placet.toml", {}, {}, given.connection_seconds, given.stream_seconds, "json", "info")
    assert config.stream_seconds == 1800
    assert 180 < _patience(config, order).retire_seconds < 240


def test_every_address_is_shared_and_named(state: Path) -> None:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=MONGODB)
    config = config.model_copy(update={"http": Http(listen="127.0.0.1:0", client_listen="127.0.0.1:1")})
    named = addresses(config)
    assert named.keys() == {"listen", "http.listen", "http.client_listen"}
    opened = {field: f"127.0.0.1:{number}" for number, field in enumerate(named, 9)}
    assert addresses(with_addresses(config, opened)) == opened
    require_shareable(config)
