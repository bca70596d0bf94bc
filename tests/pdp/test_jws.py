"""The form of grants and seals: one key's signature under two names, and nothing else."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from pdp import jws

KEY, OTHER = (OKPKey.generate_key("Ed25519", auto_kid=True) for _ in range(2))


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("name", jws.NAMES)
def test_both_names_are_one_signature(name: str) -> None:
    text = jws.signed("x+jwt", {"a": "ü"}, KEY, name)
    assert jws.claims(text, KEY) == {"a": "ü"}
    assert jws.header(text) == {"typ": "x+jwt", "alg": name, "kid": KEY.kid}
    with pytest.raises(ValueError, match="not signed"):
        jws.claims(text, OTHER)


@pytest.mark.parametrize("name", jws.NAMES)
def test_key_that_names_an_algorithm_verifies_both(name: str) -> None:
    member = {**KEY.as_dict(private=False), "alg": "EdDSA", "use": "sig"}
    assert jws.claims(jws.signed("x+jwt", {}, KEY, name), OKPKey.import_key(member)) == {}


def test_ed448_is_not_read_under_the_older_name() -> None:
    with pytest.raises(ValueError, match="not signed"):
        jws.claims(jws.signed("x+jwt", {}, KEY), OKPKey.generate_key("Ed448"))


@pytest.mark.parametrize("first", ["", "x", "ü", part([]), part(1), "[" * 100_000, "W1tb" * 9000])
def test_what_is_no_header_is_refused(first: str) -> None:
    with pytest.raises(ValueError, match="not a JOSE header"):
        jws.header(f"{first}.e30.AAAA")
