"""What several questions of a query know of their data is written once."""

from typing import Any

import orjson

from pdp.opa.sharing import OFF, OWN, questions

KNOWN, OTHER = b'{"state":"KNOWN","tags":["pii"]}', b'{"state":"KNOWN","tags":[]}'


def written(*asked: tuple[bytes, bytes]) -> Any:
    return orjson.loads(b"{%b}" % questions([one for one, _ in asked], [lineage for _, lineage in asked]))


def test_a_question_that_shares_nothing_has_its_lineage_in_it() -> None:
    assert written((b'{"now":1}', KNOWN), (b"{}", OTHER)) == {
        "batch": {"0": {"lineage": orjson.loads(KNOWN), "now": 1}, "1": {"lineage": orjson.loads(OTHER)}}
    }


def test_a_view_that_several_share_is_written_once() -> None:
    asked = [(b'{"now":1}', KNOWN), (b'{"now":2}', OTHER), (b'{"now":3}', KNOWN)]
    assert written(*asked) == {
        "batch": {"1": {"lineage": orjson.loads(OTHER), "now": 2}},
        "sharing": {"0": {"item": {"now": 1}, "view": 0}, "2": {"item": {"now": 3}, "view": 0}},
        "views": [orjson.loads(KNOWN)],
    }
    assert questions([b"{}"] * 50, [KNOWN] * 50).count(KNOWN) == 1


def test_that_lineage_is_off_is_short_enough_to_stand_in_each() -> None:
    off = {"lineage": {"state": "OFF"}}
    assert written((b"{}", OFF), (b"{}", OFF)) == {"batch": {"0": off, "1": off}}


def test_a_question_may_say_its_lineage_itself() -> None:
    assert written((b'{"lineage":{}}', OWN), (b'{"lineage":{}}', OWN)) == {
        "batch": {"0": {"lineage": {}}, "1": {"lineage": {}}}
    }
