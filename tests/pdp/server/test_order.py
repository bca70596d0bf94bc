"""What workers are told."""

from pathlib import Path

import pytest

from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.server.order import Order
from tests.faults import configured


def order(file: Path, listen: str = "127.0.0.1:0") -> Order:
    return Order(
        str(file), {}, {"listen": (listen, "127.0.0.1:4711")}, 60.0, 1.0, "json", "info", ("unix:/o0", "unix:/o1")
    )


@pytest.fixture
def file(tmp_path: Path, state: Path) -> Path:
    """A configuration."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    return configured(config.model_copy(update={"http": None, "mask_keys": None}), tmp_path)


def test_order_is_for_this_user_alone_and_says_what_each_worker_has(tmp_path: Path, file: Path) -> None:
    order(file).write(tmp_path)
    assert (tmp_path / "order.json").stat().st_mode & 0o777 == 0o600
    read = Order.read(tmp_path)
    config = read.configuration(tmp_path / "w.sock")
    assert (config.listen, config.operations and config.operations.listen) == (
        "127.0.0.1:4711",
        f"unix:{tmp_path}/w.sock",
    )
    shares = [read.share(number, tmp_path) for number in range(3)]
    assert [(share.opa, share.opa_number) for share in shares] == [("unix:/o0", 0), ("unix:/o1", 1), ("unix:/o0", 0)]
    assert [share.is_first for share in shares] == [True, False, False]


def test_worker_that_reads_other_addresses_than_are_held_does_not_start(tmp_path: Path, file: Path) -> None:
    with pytest.raises(SetupError, match="addresses in the configuration changed; end `pdp serve`"):
        order(file, "127.0.0.1:4999").configuration(tmp_path / "w.sock")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"opas": 1}', b'{"opas": []}'])
def test_order_that_cannot_be_read_starts_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "order.json").write_bytes(content)
    with pytest.raises(SetupError, match="a worker is started by `pdp serve`"):
        Order.read(tmp_path)
