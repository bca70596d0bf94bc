"""What the unit of systemd says and what the server does with it fit each other."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pdp import keys
from pdp.process.mongod import MongodProcess
from tests.documents import rows, text
from tests.ops.first_decision import FIRST, decided

UNIT = Path("ops/systemd/placet.service")
CREDENTIALS = "/run/credentials/placet.service"


def setting(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def test_systemd_hears_of_readiness_and_life() -> None:
    assert setting("Type") == ["notify"]
    assert int(*setting("WatchdogSec")) > 0
    assert "--config /etc/placet/placet.toml" in setting("ExecStart")[0]


def test_it_has_time_to_drain() -> None:
    assert int(*setting("TimeoutStopSec")) >= 5 + 10 + 20
    assert int(*setting("TimeoutStartSec")) > 60


def test_it_writes_nowhere_but_in_its_own_cache() -> None:
    assert setting("ProtectSystem") == ["strict"]
    assert setting("DynamicUser") == setting("PrivateTmp") == setting("ProtectHome") == ["yes"]
    assert "PDP_TOOL_CACHE=/var/cache/placet" in setting("Environment")[0].split()
    assert setting("CacheDirectory") == ["placet"]
    assert not setting("ReadWritePaths")


def test_secrets_are_handed_over_and_not_read_from_their_place() -> None:
    handed = dict(line.split(":") for line in setting("LoadCredential"))
    assert handed.keys() == {"audit.jwk", "grant.jwk", "seal.jwk", "mongodb-uri"}
    assert {f"`{CREDENTIALS}/{name}`" for name in handed} <= {value for _, value in rows(text("docs/vm.md"))}


def test_the_page_writes_the_public_half_of_a_key_for_tokens(tmp_path: Path) -> None:
    key = keys.generate(tmp_path / "keys" / "workloads.jwk")
    (command,) = re.findall(r"`cd /etc/placet && (/opt/placet/bin/python [^`]+)`", text("docs/vm.md"))
    typed = command.replace("/opt/placet/bin/python", sys.executable).replace("\n", " ")
    subprocess.run(["/bin/sh", "-c", typed], check=True, cwd=tmp_path, env={"PYTHONPATH": str(Path.cwd())})
    assert json.loads((tmp_path / "workloads.jwk").read_text()) == keys.published(key).as_dict(private=False)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """A folder with the keys of a first start."""
    subprocess.run([sys.executable, str(FIRST), "make", str(tmp_path)], check=True, env={"PYTHONPATH": "."})
    return tmp_path


async def test_the_page_leads_to_a_decision(credentials: Path, mongod: MongodProcess) -> None:
    """With the configuration of the page, and secrets as systemd hands them over."""
    (credentials / "mongodb-uri").write_text(f"{mongod.uri}\n")
    for secret in ("audit.jwk", "grant.jwk", "seal.jwk", "mongodb-uri"):
        (credentials / secret).chmod(0o440)
    own = dict(rows(text("docs/vm.md")))
    assert own.pop("`policy`") == "a list with `/etc/placet/policy`"
    paths = [f"{name} = {value}" for name, value in own.items()]
    lines = "\n".join(paths).replace(CREDENTIALS, str(credentials)).replace("= `", '= "').replace("`\n", '"\n')
    policy = Path("ops/compose/policy").absolute()
    issuer = (
        Path("ops/compose/placet.toml").read_text().partition("[[issuers]]")[2].replace("keys/workloads", "workloads")
    )
    first = f'realm = "example"\nlisten = "127.0.0.1:0"\npolicy = ["{policy}"]\n'
    (credentials / "placet.toml").write_text(f"{first}{lines}\n[[issuers]]{issuer}".replace("`", '"'))
    await decided(credentials, credentials, {}, CREDENTIALS_DIRECTORY=str(credentials))
