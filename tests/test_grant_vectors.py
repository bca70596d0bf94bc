"""The file of grants for clients in every language is what the script makes, and the Python client agrees with it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from pdp.client import GrantInvalid, verify_grant
from pdp.grant import SpentGrants
from tests import grant_vectors

LINES = [json.loads(line) for line in grant_vectors.FILE.read_text("utf-8").splitlines()]
MEMBERS = {"name", "valid", "now", "jwks", "caller", "realm", "digest", "spent", "grant"}


def accepted(line: Mapping[str, Any]) -> dict[str, Any]:
    """The claims, accepted as a program does it that accepted the grants in `spent` before."""
    now, spent = datetime.fromtimestamp(line["now"], UTC), SpentGrants()
    for decision_id in line["spent"]:
        spent.spend({"jti": decision_id, "exp": line["now"] + 1}, now)
    about = {name: line[name] for name in ("caller", "realm", "digest")}
    claims = verify_grant(line["grant"], line["jwks"], **about, now=now)
    spent.spend(claims, now)
    return claims


@pytest.mark.parametrize("line", [line for line in LINES if line["valid"]], ids=lambda line: line["name"])
def test_grant_is_accepted(line: dict[str, Any]) -> None:
    assert line.keys() == MEMBERS
    assert accepted(line)["aud"] == line["caller"]


@pytest.mark.parametrize("line", [line for line in LINES if not line["valid"]], ids=lambda line: line["name"])
def test_impostor_is_refused_by_the_check_that_the_line_names(line: dict[str, Any]) -> None:
    assert line.keys() == MEMBERS | {"reason"}
    with pytest.raises(GrantInvalid) as refused:
        accepted(line)
    assert refused.value.metadata["check"] == line["reason"]


def test_file_is_what_the_script_makes() -> None:
    assert grant_vectors.FILE.read_text("utf-8") == grant_vectors.text()
    assert len({line["name"] for line in LINES}) == len(LINES)
    assert sum(not line["valid"] for line in LINES) > 20
