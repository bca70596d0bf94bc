"""The pages of the queue and the history over real HTTP: rows, filters, pages, and what is none of one's business."""

import re
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.browser import Browser, Shown, browser
from tests.parts import Placet, asking
from tests.pdp.seeding import seed

HOSTILE = "<b>x</b> javascript:alert(1) \u202egnp.exe"


async def opened(server: Placet, requirement: dict[str, Any] | None = None, **context: Any) -> Approval:
    whole = {"run": uuid4().hex, "asked": requirement or {}, **context}
    return (await server.authorize(asking("share", context=whole))).approval


def ids(page: Shown) -> list[str]:
    return re.findall(r'<li id="(apr_[0-9a-f]{32})"', page.text)


async def test_queue_has_its_rows_in_the_order_of_deadlines_each_with_its_page(asked: Placet, bob: Browser) -> None:
    late = await opened(asked, {"pending_for": "3h"}, note=HOSTILE)
    soon = await opened(asked, {"pending_for": "1h"})
    await asked.review(soon, "carol")
    page = await bob.get("/inbox")
    assert ids(page) == [soon.approval_id, late.approval_id]
    assert f'href="/inbox/approvals/{soon.approval_id}"' in page.text
    for text in ("share table:customers", "agent:report-bot for user:alice", "</bdi> 1 of 2", "</bdi> 0 of 2", " ago"):
        assert text in page.text
    assert "<b>x</b>" not in page.text
    assert "\u202e" not in page.text
    await asked.review(soon, "bob")
    assert ids(await bob.get("/inbox")) == [late.approval_id]


async def test_filters_narrow_the_queue_and_stay_in_the_form(asked: Placet, bob: Browser) -> None:
    mine = await opened(asked, {"reviewers": {"identities": ["user:bob"]}})
    await opened(asked)
    page = await bob.get("/inbox?mine_only=on&action=share&caller=&person=user%3Aalice")
    assert ids(page) == [mine.approval_id]
    assert 'name="mine_only" value="on" checked' in page.text
    assert 'name="person" value="user:alice"' in page.text
    odd = await bob.get(f"/inbox?{urlencode({'action': HOSTILE})}")
    assert (odd.status, ids(odd)) == (200, [])
    assert "Nothing here waits for you." in odd.text
    assert "<b>x</b>" not in odd.text


@pytest.mark.parametrize("path", ["/inbox", "/inbox/rows", "/inbox/history"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("action=a&action=b", "action"),
        ("action=%00", "action"),
        ("caller=%ff", "caller"),
        ("page_token=x", "page_token"),
    ],
)
async def test_bad_query_is_refused_with_its_field(bob: Browser, path: str, query: str, field: str) -> None:
    refused = await bob.get(f"{path}?{query}")
    assert refused.status == 400
    assert f"<code>{field}</code>" in refused.text


@pytest.mark.parametrize("query", ["/inbox?mine_only=1", "/inbox/history?asked_in_my_name=yes"])
async def test_box_is_ticked_or_not_there(bob: Browser, query: str) -> None:
    assert (await bob.get(query)).status == 400
    assert (await bob.get("/inbox/history?state=lost")).status == 400


async def test_pages_follow_one_another_and_keep_the_filter(asked: Placet, bob: Browser, mongod: MongodProcess) -> None:
    like = await opened(asked, {"reviewers": {"groups": ["readers"]}, "pending_for": "90h"})
    await seed(mongod, asked, like, 130)
    found, address = list[str](), "/inbox?group=readers&action=share"
    while address:
        page = await bob.get(address)
        found += ids(page)
        links = re.findall(r'<a href="([^"]*)" id="further">', page.text)
        address = links[0].replace("&amp;", "&") if links else ""
        assert not address or "action=share" in address
        assert ('id="first"' in page.text) == (len(found) > 100)
    assert len(found) == len({*found}) > 130


async def test_history_has_what_is_over_newest_first_and_filters(asked: Placet, bob: Browser) -> None:
    denied, waits = await opened(asked), await opened(asked)
    await asked.review(denied, "bob", "DENY", "no")
    page = await bob.get("/inbox/history")
    assert ids(page)[:2] == [waits.approval_id, denied.approval_id]
    assert re.search(r'<strong>denied</strong> by <bdi class="value">user:bob</bdi>, <time', page.text)
    assert "<strong>pending</strong></p>" in page.text
    only = await bob.get("/inbox/history?state=denied&action=share")
    assert ids(only)[0] == denied.approval_id
    assert waits.approval_id not in only.text
    assert '<option value="denied" selected>' in only.text
    assert ids(await bob.get("/inbox/history?asked_in_my_name=on")) == []


async def test_who_may_not_review_has_no_queue_and_nobody_sees_that_of_others(asked: Placet) -> None:
    held = await opened(asked, {"reviewers": {"groups": ["others"], "identities": ["user:bob"]}})
    async with browser(asked.http) as dana, browser(asked.http) as carol:
        await dana.log_in("dana")
        assert [(await dana.get(path)).status for path in ("/inbox/rows", "/inbox/history")] == [403] * 2
        assert "this page needs the role reviewer, and user:dana has auditor" in (await dana.get("/inbox/history")).text
        assert (await dana.get("/inbox")).location == "/inbox/me"
        await carol.log_in("carol")
        for path in ("/inbox", "/inbox/history"):
            assert held.approval_id not in (await carol.get(path)).text
