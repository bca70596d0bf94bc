"""Any form at any page: the answer is one of the contract's, with the field's name and never a trace."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdp.http.route import Page
from pdp.session import form_token
from pdp.v1.approval_pb2 import Approval
from tests.approvals_page import HOSTILE
from tests.browser import Browser, browser
from tests.parts import Placet, exporting
from tests.pdp.server.test_edge_mutation import edited, edits

ANSWERS = {200, 303, 400, 401, 403, 404, 405, 409, 413, 421, 429}
FORM = "application/x-www-form-urlencoded"
WORDS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    [*HOSTILE, "", "on", "APPROVE", "DENY", "CHANGES_REQUESTED", "1", "-1", "9" * 400, "{}", "[]", '{"subject":1}', "A"]
)
mutation = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
async def bob(server: Placet) -> AsyncIterator[Browser]:
    async with browser(server.http) as person:
        assert (await person.log_in("bob")).status == 200
        yield person


@pytest.fixture(scope="module")
async def approval(server: Placet) -> Approval:
    return (await server.authorize(exporting())).approval


def pages(server: Placet, method: str) -> list[Page]:
    own = [one for one in server.routes if isinstance(one, Page) and one.method == method]
    return [one for one in own if one.path not in {"/logout", "/inbox/events"}]


@mutation
@given(data=st.data())
async def test_any_form_is_answered(server: Placet, bob: Browser, approval: Approval, data: st.DataObject) -> None:
    page = data.draw(st.sampled_from(pages(server, "POST")))
    ids = st.sampled_from([approval.approval_id] * 3 + ["apr_" + "0" * 32, "x"]) | WORDS.filter(bool)
    good = {"expected_digest": approval.request_digest, "expected_version": "1", "verdict": "DENY", "reason": "no"}
    more = [f"{name}_0" for name in ("approval", "digest", "version", "lineage", "displayed")] if page.others else []
    fields = [("form", form_token(bob.cookie()))]
    for name in (*page.fields, *more):
        kept = st.just(good.get(name, "")) | WORDS | (ids if name.startswith("approval") else WORDS)
        fields += [(name, data.draw(kept)) for _ in range(data.draw(st.sampled_from([1] * 12 + [0, 2])))]
    body = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in fields).encode()
    body = edited(body, data.draw(st.just([]) | edits))
    address = page.path.replace("{id}", quote(data.draw(ids), safe=""))
    own = {"Origin": bob.home.rstrip("/"), "Sec_Fetch_Site": "same-origin", "Content-Type": FORM}
    shown = await bob.send("POST", address, body, **own)
    assert shown.status in ANSWERS, (address, body, shown.text)
    assert "Traceback" not in shown.text
    assert "\u202e" not in shown.text
    if shown.status == 400:
        assert "<code>" in shown.text or '"sentence"' in shown.text, (address, body, shown.text)


@mutation
@given(data=st.data())
async def test_any_query_is_answered(server: Placet, bob: Browser, approval: Approval, data: st.DataObject) -> None:
    page = data.draw(st.sampled_from(pages(server, "GET")))
    names = st.sampled_from(
        ["action", "resource_type", "caller", "person", "group", "page_token", "mine_only", "state", "asked_in_my_name"]
    )
    given_ = data.draw(st.lists(st.tuples(names | WORDS, WORDS), max_size=3))
    query = edited(
        "&".join(f"{quote(name)}={quote(value)}" for name, value in given_).encode(), data.draw(st.just([]) | edits)
    )
    address = page.path.replace("{id}", approval.approval_id)
    written = "".join(chr(byte) if 33 <= byte < 127 and chr(byte) not in "#\\" else f"%{byte:02x}" for byte in query)
    shown = await bob.get(f"{address}?{written}")
    assert shown.status in ANSWERS, (address, written, shown.text)
    assert "Traceback" not in shown.text
