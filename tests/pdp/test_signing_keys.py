"""Three keys, each for one thing: what is published for whom, and what does not start a server."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from pdp import keys
from pdp.config import Config
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.signing_keys import SigningKeys


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configuration(state=tmp_path, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")


def published(text: str) -> dict[str, dict[str, Any]]:
    """The members of a JWK Set by their `placet_use`; a use may come once."""
    members = json.loads(text)["keys"]
    found = {member["placet_use"]: member for member in members}
    assert len(found) == len(members)
    return found


def test_programs_see_the_grant_key_and_auditors_the_others(config: Config) -> None:
    signing = SigningKeys.read(config)
    for_programs, for_auditors = published(signing.jwks), published(signing.audit_jwks)
    assert (for_programs.keys(), for_auditors.keys()) == ({"grant"}, {"audit", "seal"})
    for name, member in {**for_programs, **for_auditors}.items():
        own = keys.private_key(getattr(config, f"{name}_key"))
        assert member["kid"] == own.thumbprint()
        assert (member["alg"], member["use"], member["kty"], member["crv"]) == ("EdDSA", "sig", "OKP", "Ed25519")
        assert "d" not in member
        assert OKPKey.import_key(member).thumbprint() == own.thumbprint()


@pytest.mark.parametrize(("first", "second"), list(combinations(["audit_key", "grant_key", "seal_key"], 2)))
def test_two_keys_that_are_one_are_refused(config: Config, first: str, second: str) -> None:
    same = config.model_copy(update={second: getattr(config, first)})
    with pytest.raises(SetupError, match=f"{first} and {second} are one key"):
        SigningKeys.read(same)


def test_copy_of_a_key_in_another_file_is_the_same_key(config: Config) -> None:
    members = json.loads(config.grant_key.read_text())
    config.seal_key.write_text(
        json.dumps({"kid": "another", **{name: members[name] for name in ("kty", "crv", "x", "d")}})
    )
    with pytest.raises(SetupError, match="grant_key and seal_key are one key"):
        SigningKeys.read(config)


def test_without_a_seal_the_command_is_named(config: Config) -> None:
    config.seal_key.unlink()
    with pytest.raises(SetupError, match="pdp keys split FOLDER"):
        SigningKeys.read(config)


@pytest.mark.parametrize("private", [True, False])
def test_retired_grant_key_stays_published_and_signs_nothing(config: Config, tmp_path: Path, *, private: bool) -> None:
    paths = [tmp_path / name for name in ("before.jwk", "long-before.jwk")]
    retired = [keys.generate(path) for path in paths]
    for path, key in zip(paths, retired, strict=True):
        path.write_text(json.dumps(key.as_dict(private=private)))
    signing = SigningKeys.read(config.model_copy(update={"retired_grant": tuple(paths)}))
    grant = keys.private_key(config.grant_key).thumbprint()
    assert [member["kid"] for member in json.loads(signing.jwks)["keys"]] == [grant, *(k.thumbprint() for k in retired)]
    assert all("d" not in member for member in json.loads(signing.jwks)["keys"])
    assert signing.grant.thumbprint() == grant


@pytest.mark.parametrize("field", ["audit_key", "grant_key", "seal_key"])
def test_retired_grant_key_is_none_that_signs_something(config: Config, field: str) -> None:
    """The grant key of before the split signed seals, too: as `seal` it is never published for grants again."""
    with pytest.raises(SetupError, match=f"{field} and retired_grant are one key"):
        SigningKeys.read(config.model_copy(update={"retired_grant": (getattr(config, field),)}))


@pytest.mark.parametrize("content", ["", "{}", '{"kty": "oct", "k": "AAAA"}'])
def test_retired_grant_key_is_a_key(config: Config, tmp_path: Path, content: str) -> None:
    (tmp_path / "none.jwk").write_text(content)
    with pytest.raises(SetupError, match="holds no Ed25519 JWK"):
        SigningKeys.read(config.model_copy(update={"retired_grant": (tmp_path / "none.jwk",)}))
