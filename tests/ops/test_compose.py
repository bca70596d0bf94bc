"""The services of `ops/compose.yaml`, and a server on the files that its first start makes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pdp.process.mongod import MongodProcess
from tests.ops.first_decision import FIRST, decided

COMPOSE = Path("ops/compose.yaml")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]


def test_ours_run_with_a_root_that_they_cannot_write() -> None:
    ours = {name: service for name, service in SERVICES.items() if service["image"].startswith("placet/")}
    assert ours.keys() == {"keys", "mongo-init", "placet", "token"}
    for service in ours.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_only_this_machine_reaches_it_and_only_the_server_reaches_mongodb() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert sorted(published) == ["127.0.0.1:3000:3000", "127.0.0.1:4770:4770", "127.0.0.1:9090:9090"]
    beside = {name for name, service in SERVICES.items() if "store" in service.get("networks", ())}
    assert beside == {"mongo", "mongo-init", "placet"}
    assert yaml.safe_load(COMPOSE.read_text())["networks"]["store"] == {"internal": True}


def test_what_is_mounted_is_here() -> None:
    mounted = [volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    files = [COMPOSE.parent / name for name in mounted if name.startswith(".")]
    assert files
    assert not [file for file in files if not file.exists()]
    for file in COMPOSE.parent.glob("compose/*.yaml"):
        assert yaml.safe_load(file.read_text())


@pytest.fixture
def folder(tmp_path: Path, mongod: MongodProcess) -> Path:
    """The server's folder as in its container, but for the addresses."""
    made = [sys.executable, FIRST, "make", tmp_path / "keys"]
    for _ in range(2):  # the second start changes nothing
        (tmp_path / "keys").mkdir(exist_ok=True)
        before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
        subprocess.run([*map(str, made)], check=True, env={"PYTHONPATH": "."})
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before
    text = (COMPOSE.parent / "compose" / "placet.toml").read_text()
    for name, here in {":4770": ":0", ":4790": ":0", "mongodb://mongo:27017/?replicaSet=rs0": mongod.uri}.items():
        assert name in text
        text = text.replace(name, here)
    (tmp_path / "placet.toml").write_text(text.replace('"policy"', f'"{COMPOSE.parent.absolute()}/compose/policy"'))
    return tmp_path


async def test_a_first_start_leads_to_a_decision(folder: Path) -> None:
    await decided(folder, Path("keys"), {"PDP_CA": "keys/ca.pem"})
