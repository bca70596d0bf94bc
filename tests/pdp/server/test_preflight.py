"""What makes a configuration unsafe is refused, and each part of it is named."""

import json
import shutil
from pathlib import Path

import pytest

from pdp import keys
from pdp.config import Config
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.server.preflight import refuse_unsafe, unsafe


@pytest.fixture
def config(state: Path, tmp_path: Path) -> Config:
    """The issuers of `pdp dev` with keys of its own."""
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    own = {f"{name}_key": tmp_path / f"{name}.jwk" for name in ("audit", "grant", "seal")}
    for path in own.values():
        keys.generate(path)
    issuers = []
    for number, issuer in enumerate(plain.issuers):
        assert isinstance(issuer.jwks, Path)
        public = keys.public_key(issuer.jwks).as_dict(private=False)
        (copy := tmp_path / f"issuer-{number}.jwk").write_text(json.dumps(public))
        issuers.append(issuer.model_copy(update={"jwks": copy, "speaks_for": {}}))
    changes = {**own, "mask_keys": None, "http": None, "issuers": tuple(issuers), "certificates": ()}
    return plain.model_copy(update=changes)


def test_what_is_safe_starts(config: Config) -> None:
    refuse_unsafe(config)
    assert list(unsafe(config)) == []


def test_each_unsafe_file_is_named_and_one_is_enough_to_refuse(config: Config) -> None:
    config.audit_key.chmod(0o644)
    config.grant_key.unlink()
    keys.generate(config.grant_key, demo=True)
    found = list(unsafe(config))
    assert [sentence.partition(":")[0] for sentence in found] == ["audit_key", "grant_key"]
    assert "can be read by others" in found[0]
    assert "is a demo key of `pdp dev`" in found[1]
    with pytest.raises(SetupError) as refused:
        refuse_unsafe(config)
    assert refused.value.sentence == found[0]


def test_an_issuer_whose_private_key_lies_there_for_others_is_named(config: Config, tmp_path: Path) -> None:
    shutil.copy(config.audit_key, tmp_path / "private.jwk")
    (tmp_path / "private.jwk").chmod(0o604)
    first, *rest = config.issuers
    both = (first.model_copy(update={"jwks": tmp_path / "private.jwk"}), *rest)
    [sentence] = unsafe(config.model_copy(update={"issuers": both}))
    assert sentence.startswith(f"jwks of {first.type}: ")
