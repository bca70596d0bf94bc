"""The token of a further page."""

from dataclasses import replace

import pytest
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.errors import InvalidRequest
from pdp.search_page import TYPE, Pages, Place

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
PAGES = Pages(KEY, "dev")
PLACE = Place("agent:dev", "q", "r", 7)


def test_token_gives_back_its_place() -> None:
    assert PAGES.place(PAGES.token(PLACE), "agent:dev", "q") == PLACE


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        PAGES.token(replace(PLACE, caller="agent:other")),
        PAGES.token(replace(PLACE, query="other")),
        replace(PAGES, realm="other").token(PLACE),
        replace(PAGES, key=OKPKey.generate_key("Ed25519", auto_kid=True)).token(PLACE),
        jws.signed("other+jwt", {"realm": "dev", "caller": "agent:dev", "query": "q"}, KEY),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match=r"page\.token"):
        PAGES.place(token, "agent:dev", "q")


def test_token_of_another_revision_is_refused() -> None:
    PAGES.require_revision(PLACE, "r")
    with pytest.raises(InvalidRequest, match="begin again"):
        PAGES.require_revision(PLACE, "s")


def test_type_is_of_searches_alone() -> None:
    assert jws.header(PAGES.token(PLACE))["typ"] == TYPE
