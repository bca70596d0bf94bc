"""What Placet wrote while one key signed seals and grants stays valid under that key, which signs seals alone now.

The files in `tests/cases/before_split` were made by that version, with a key for demos.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from bson import json_util

from pdp import jws, keys
from pdp.approval import Approval, State
from pdp.seal import Sealer
from pdp.store import approval_document
from tests.pdp.specimens import SEALER

BEFORE = Path(__file__).parents[1] / "cases" / "before_split"
FOUND: list[Approval] = [
    approval_document.from_document(json_util.loads(line, json_options=json_util.JSONOptions(tz_aware=True)))
    for line in (BEFORE / "approvals.jsonl").read_text().splitlines()
]


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    """With the key as the command moves it."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "grant.jwk").touch(mode=0o600)
    (folder / "grant.jwk").write_text((BEFORE / "grant.jwk").read_text())
    keys.split(folder)
    return Sealer(keys.private_key(folder / "seal.jwk"), "dev")


@pytest.mark.parametrize("held", FOUND, ids=lambda held: f"{held.state}{' sent back' * held.was_sent_back}")
def test_approval_is_as_a_server_wrote_it(sealer: Sealer, held: Approval) -> None:
    assert sealer.fault(held) == ""
    assert not sealer.is_old(held)
    assert all(sealer.wrote(held, posted) for posted in held.outbox)


def test_they_have_each_state_one_that_was_sent_back_and_an_outbox() -> None:
    at = FOUND[0].created_at + timedelta(minutes=1)
    assert {held.state_at(at) for held in FOUND} == set(State)
    assert any(held.was_sent_back for held in FOUND)
    assert any(held.outbox for held in FOUND)


def test_they_have_the_names_and_the_algorithm_of_then(sealer: Sealer) -> None:
    for held in FOUND:
        assert jws.header(held.seal)["alg"] == "Ed25519"
        assert jws.claims(held.seal, sealer.key).keys() >= {"iss", "approval", "digest"}
        assert sealer.frozen(held) != held.seal


def test_another_key_or_realm_did_not_write_them(sealer: Sealer) -> None:
    for other in (Sealer(SEALER.key, "dev"), Sealer(sealer.key, "another-realm")):
        assert all(other.fault(held) for held in FOUND)
