"""What the unit of systemd says and what the server does with it fit each other."""

import re
from pathlib import Path

UNIT = Path("ops/systemd/placet.service")


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
    page = Path("docs/vm.md").read_text()
    assert not [name for name in handed if f"/run/credentials/placet.service/{name}" not in page]
