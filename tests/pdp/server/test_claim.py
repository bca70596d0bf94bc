"""Addresses that workers share are held against other servers."""

import os
import socket
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.server.claim import claimed


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def refused(field: str, address: str) -> str:
    with pytest.raises(SetupError) as error, claimed({field: address}):
        pass
    return error.value.sentence


def shared(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), reuse_port=True)


def test_port_zero_becomes_a_free_port_that_workers_can_open() -> None:
    with claimed({"listen": "127.0.0.1:0", "http.listen": "127.0.0.1:0"}) as held:
        ports = [int(address.rpartition(":")[2]) for address in held.values()]
        assert len({0, *ports}) == 3
        with shared(ports[0]), shared(ports[0]), shared(ports[1]):
            pass


def test_address_at_which_another_program_listens_is_refused() -> None:
    for reuse_port in (False, True):
        with socket.create_server(("127.0.0.1", 0), reuse_port=reuse_port) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            assert refused("http.listen", address).startswith(f"http.listen: cannot listen on {address}; ")


def test_address_of_another_server_is_refused_also_while_none_of_its_workers_listens(runtime: Path) -> None:
    with claimed({"listen": "127.0.0.1:0"}) as held:
        said = refused("listen", held["listen"])
        assert "belongs to another `pdp serve` (process " in said
        assert (runtime / "placet" / f"{held['listen']}.lock").stat().st_mode & 0o777 == 0o600
    with claimed(held) as again:
        assert again == held


def test_folder_that_others_could_have_prepared_holds_nothing(runtime: Path) -> None:
    (runtime / "placet").mkdir(mode=0o755)
    (runtime / "placet").chmod(0o777)
    assert "XDG_RUNTIME_DIR" in refused("listen", "127.0.0.1:0")


def test_link_in_the_place_of_a_lock_is_not_followed(runtime: Path) -> None:
    with claimed({"listen": "127.0.0.1:0"}) as held:
        pass
    lock = runtime / "placet" / f"{held['listen']}.lock"
    lock.unlink()
    lock.symlink_to(runtime / "elsewhere")
    assert "remove it" in refused("listen", held["listen"])
    assert not (runtime / "elsewhere").exists()


def test_lock_that_a_server_left_or_that_takes_no_number_stops_no_start(runtime: Path) -> None:
    folder = runtime / "placet"
    folder.mkdir(mode=0o700)
    for make in (lambda path: path.write_text("999999"), os.mkfifo):
        with claimed({"listen": "127.0.0.1:0"}) as held:
            address = held["listen"]
        path = folder / f"{address}.lock"
        path.unlink()
        make(path)
        with claimed({"listen": address}):
            assert refused("http.listen", address).startswith(f"http.listen: {address} belongs to another")
