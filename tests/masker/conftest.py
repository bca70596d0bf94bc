import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from masker.keys import Keyring, KeyVersion

settings.register_profile("jit", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("slow", settings.get_profile("jit"), max_examples=8)
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT") == "1"
"""Whether the kernels run without the compiler, hundreds of times slower; then a few rows show the same as many."""
settings.load_profile("slow" if INTERPRETED else "jit")

CASES = Path(__file__).parent.parent / "cases"


def secret(version):
    return hashlib.sha256(f"placet test secret {version}".encode()).digest()


def ring(*states, realm="test"):
    versions = [KeyVersion(n, state, secret(n), "2026-01-01T00:00:00Z") for n, state in enumerate(states, 1)]
    return Keyring(realm, versions)


@pytest.fixture
def keys():
    return ring("active")


@pytest.fixture
def rotated():
    return ring("readable", "active")


@pytest.fixture(scope="session")
def rfc():
    return json.loads((CASES / "rfc_siv_cmac.json").read_text())


@pytest.fixture(scope="session")
def wycheproof():
    return json.loads((CASES / "wycheproof_siv.json").read_text())["cases"]


@pytest.fixture(scope="session")
def ff1_vectors():
    return json.loads((CASES / "ff1_vectors.json").read_text())


@pytest.fixture(scope="session")
def key_vectors():
    return json.loads((CASES / "mask_keys.json").read_text())


@pytest.fixture
def make_ring():
    return ring
