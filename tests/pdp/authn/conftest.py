"""Issuers with keys of their own, and somebody who forges their tokens."""

from pathlib import Path

import pytest

from pdp import keys
from pdp.authn.authenticator import Authenticator
from pdp.dev.identity import AGENTS, key_path
from tests.pdp.forge import Forge, issuer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("authn")
    keys.generate(key_path(state))
    keys.generate(state / "other.jwk")
    return state


@pytest.fixture(scope="module")
def forge(folder: Path) -> Forge:
    return Forge(keys.private_key(key_path(folder)))


@pytest.fixture(scope="module")
def authenticator(folder: Path) -> Authenticator:
    agents = {"issuer": AGENTS, "type": "agent", "kind": "workload"}
    other = {"issuer": "https://other.example", "type": "other", "jwks": folder / "other.jwk"}
    return Authenticator([issuer(folder), issuer(folder, **agents), issuer(folder, **other)])
