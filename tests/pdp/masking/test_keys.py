"""The server's key file: a demo key is refused in production, and nothing of the extra is needed to decide."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from masker import keys as key_files
from pdp import keys as own
from pdp.client import Decision
from pdp.errors import KeyRefused, SetupError
from pdp.masking import keys
from pdp.v1.decision_pb2 import AuthorizeResponse, Obligation
from pdp.v1.request_pb2 import Effect

WITHOUT_EXTRA = """
import sys
for name in ("numba", "numpy", "pyarrow"):
    sys.modules[name] = None
import pdp.cli, pdp.client, pdp.dev.stack, pdp.masking.keys, pdp.policy.check, pdp.server.running
from pathlib import Path
assert pdp.masking.keys.demo_keys(Path(sys.argv[1])) is None
try:
    pdp.masking.keys.keyring(Path(sys.argv[1]), "prod")
except pdp.errors.SetupError as error:
    assert "placet[mask]" in error.sentence
else:
    sys.exit("a keyring without the extra")
"""


def test_serve_refuses_a_demo_key_and_takes_another(tmp_path: Path) -> None:
    demo = keys.demo_keys(tmp_path / "demo.json")
    with pytest.raises(SetupError, match="demo key"):
        keys.refuse_demo(demo, keys.DEMO_REALM)
    key_files.create(tmp_path / "own.json", "prod", now=datetime.now(UTC))
    keys.refuse_demo(tmp_path / "own.json", "prod")
    keys.refuse_demo(None, "dev")


def test_key_file_of_another_realm_is_refused(tmp_path: Path) -> None:
    key_files.create(tmp_path / "own.json", "prod", now=datetime.now(UTC))
    with pytest.raises(SetupError, match="realm prod"):
        keys.keyring(tmp_path / "own.json", "other")


def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    key_files.create(tmp_path / "own.json", "prod", now=datetime.now(UTC))
    (tmp_path / "own.json").chmod(0o644)
    with pytest.raises(SetupError, match="0600"):
        keys.keyring(tmp_path / "own.json", "prod")


def test_key_file_that_systemd_hands_over_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is root's, with the mode 0440, in a folder that no other user may enter."""
    key_files.create(tmp_path / "mask.json", "prod", now=datetime.now(UTC))
    (tmp_path / "mask.json").chmod(0o440)
    monkeypatch.setattr(os, "getegid", lambda: 1)
    monkeypatch.setattr(os, "getgroups", list)
    with pytest.raises(SetupError, match=r"mask_keys: .*0600.*; run: chmod 600 "):
        keys.keyring(tmp_path / "mask.json", "prod")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(own, "_ROOT", (tmp_path / "mask.json").stat().st_gid)
    assert keys.keyring(tmp_path / "mask.json", "prod").active == 1


def test_key_file_that_is_not_there_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"there is no .*; put it there, or make the first .*pdp keys rotate .*prod"):
        keys.keyring(tmp_path / "mask.json", "prod")


def test_rotation_is_seen_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    key_files.create(path, "prod", now=datetime.now(UTC))
    held = keys.MaskKeys(path, "prod")
    assert held.current().active == 1
    key_files.rotate(path, now=datetime.now(UTC))
    assert held.current().active == 2
    path.write_text("{}")
    with pytest.raises(KeyRefused):
        held.current()


def test_everything_else_runs_without_the_extra(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRA, tmp_path / "keys.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_allow_that_obliges_to_mask_is_none_for_who_does_not_mask() -> None:
    response = AuthorizeResponse(effect=Effect.EFFECT_ALLOW, obligations=[Obligation(type="mask")])
    assert not Decision(response, frozenset()).allowed
    assert Decision(response, frozenset({"mask"})).allowed
