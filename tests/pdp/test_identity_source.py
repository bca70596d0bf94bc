from typing import Any

import pytest
from pydantic import ValidationError

from pdp.identity_source import Certificates, Issuer

ISSUER: dict[str, Any] = {"issuer": "https://a.example", "audience": "placet", "type": "agent", "kind": "workload"}
CERTIFICATES: dict[str, Any] = {"spiffe": "spiffe://a.example/", "type": "job", "kind": "workload"}


@pytest.mark.parametrize(("entry", "members"), [(Issuer, ISSUER), (Certificates, CERTIFICATES)])
def test_an_entry_requires_digests_only_where_it_says_so(entry: type[Any], members: dict[str, Any]) -> None:
    assert entry(**members).require_digest is False
    assert entry(**members, require_digest=True).require_digest is True
    with pytest.raises(ValidationError):
        entry(**members, require_digests=True)


@pytest.mark.parametrize("kind", ["slack", "teams"])
@pytest.mark.parametrize(("entry", "members"), [(Issuer, ISSUER), (Certificates, CERTIFICATES)])
def test_nobody_vouches_for_chat_accounts(entry: type[Any], members: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError, match="is the type of chat accounts"):
        entry(**{**members, "type": kind})
