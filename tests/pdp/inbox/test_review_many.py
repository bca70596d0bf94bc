"""One verdict on several approvals, over real HTTP: who is approved together, and what became of each."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from pdp.inbox import displayed
from pdp.v1.approval_pb2 import Approval, ReviewChannel
from tests.browser import Browser, Shown
from tests.parts import Placet, asking

MANY = "/inbox/review-many"


async def opened(server: Placet, **requirement: Any) -> Approval:
    context = {"run": uuid4().hex, "asked": requirement}
    return (await server.authorize(asking("share", context=context))).approval


async def now(server: Placet, held: Approval) -> Approval:
    return await server.seen(held, server.metadata("carol"))


async def shown(bob: Browser, some: Sequence[Approval]) -> Shown:
    return await bob.get(f"{MANY}?{urlencode({held.approval_id: 'on' for held in some})}")


def filled(page: Shown, some: Sequence[Approval], verdict: str, **changes: str | None) -> dict[str, str]:
    """The form of the page, as its script fills it."""
    fields: dict[str, str | None] = {**page.hidden, "verdict": verdict, "reason": "read them", **changes}
    for place, held in enumerate(some):
        seen = page.hidden[f"digest_{place}"], int(page.hidden[f"version_{place}"]), page.hidden[f"lineage_{place}"]
        if f"displayed_{place}" not in changes:
            fields[f"displayed_{place}"] = displayed.proof("dev", held.request, *seen)
    return {name: value for name, value in fields.items() if value is not None}


async def test_several_are_approved_each_by_its_own_review(asked: Placet, bob: Browser) -> None:
    some = [await opened(asked) for _ in range(3)]
    page = await shown(bob, some)
    assert page.status == 200
    for held in some:
        assert page.text.count(held.request.context["run"]) >= 1
    for said in ("<dt>Asked by</dt>", "<dt>Until</dt>", "Who may still review", ">user:bob</bdi>, <bdi"):
        assert page.text.count(said) == 3, said
    done = await bob.post(MANY, filled(page, some, "APPROVE"))
    assert done.status == 200, done.text
    assert done.text.count("Your verdict is kept") == 3
    assert done.text.count(">share table:customers<") == 3
    assert done.text.count("agent:report-bot for user:alice") == 3
    for held in some:
        assert done.text.count(held.request.context["run"]) == 1
        [review] = (await now(asked, held)).reviews
        assert (review.reviewer, review.reason) == ("user:bob", "read them")
        assert review.channel == ReviewChannel.REVIEW_CHANNEL_WEB


async def test_what_is_reviewed_alone_keeps_all_from_being_approved_and_many_are_denied(
    asked: Placet, bob: Browser
) -> None:
    some = [await opened(asked), await opened(asked, individual=True), await opened(asked, passkey=True)]
    page = await shown(bob, some)
    assert "the policy wants it reviewed by itself" in page.text
    assert "it needs your passkey" in page.text
    assert "Approve all" not in page.text
    for chosen in ([some[0], some[1]], [some[0], some[2]]):
        part = await shown(bob, chosen)
        refused = await bob.post(MANY, filled(part, chosen, "APPROVE"))
        assert refused.status == 409
        assert "nothing was done: number 2 cannot be approved with others" in refused.text
        assert "read them" in refused.text
    assert [len((await now(asked, held)).reviews) for held in some] == [0, 0, 0]
    denied = await bob.post(MANY, filled(page, some, "DENY"))
    assert denied.text.count("It is <strong>denied</strong> now") == 3


async def test_what_no_script_displayed_is_not_approved(asked: Placet, bob: Browser) -> None:
    some = [await opened(asked), await opened(asked)]
    page = await shown(bob, some)
    for proof in ("", "x", filled(page, some, "APPROVE")["displayed_0"]):
        refused = await bob.post(MANY, filled(page, some, "APPROVE", displayed_1=proof))
        assert refused.status == 400
        assert "<code>displayed_1</code>" in refused.text
    assert [len((await now(asked, held)).reviews) for held in some] == [0, 0]


async def test_failures_are_told_one_by_one(asked: Placet, bob: Browser) -> None:
    some = [await opened(asked) for _ in range(3)]
    page = await shown(bob, some)
    await asked.review(some[1], "carol", "DENY", "no")
    form = filled(page, some, "DENY", approval_2=f"apr_{uuid4().hex}")
    done = await bob.post(MANY, form)
    assert done.status == 200
    assert done.text.count("Your verdict is kept") == 1
    assert "this approval changed since it was displayed" in done.text
    assert "it is not there, or not yours to review" in done.text
    assert [len((await now(asked, held)).reviews) for held in some] == [1, 1, 0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": "CHANGES_REQUESTED"}, "verdict"),
        ({"verdict": "approve"}, "verdict"),
        ({"digest_1": None}, "digest_1"),
        ({"version_0": "one"}, "expected_version"),
        ({"approval_1": "x"}, "approval_1"),
        ({"other_1": "x"}, "other_1"),
        ({"digest_01": "x"}, "digest_01"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
async def test_bad_form_is_refused_with_its_field(
    asked: Placet, bob: Browser, changes: dict[str, str | None], field: str
) -> None:
    some = [await opened(asked), await opened(asked)]
    form = {**filled(await shown(bob, some), some, "DENY"), **changes}
    refused = await bob.post(MANY, {name: value for name, value in form.items() if value is not None})
    assert refused.status == 400
    assert f"<code>{field}</code>" in refused.text
    assert [len((await now(asked, held)).reviews) for held in some] == [0, 0]


@pytest.mark.parametrize("query", ["", "apr_1=on", "x=on", f"apr_{'0' * 32}=yes"])
async def test_bad_choice_is_refused(bob: Browser, query: str) -> None:
    assert (await bob.get(f"{MANY}?{query}")).status == 400


async def test_who_chooses_too_many_or_what_is_of_others_is_told(asked: Placet, bob: Browser) -> None:
    nothing = (await bob.get(MANY)).text
    assert nothing.count("no request is chosen; go back to the queue") == 1
    many = urlencode({f"apr_{uuid4().hex}": "on" for _ in range(21)})
    assert "21 requests are chosen; go back to the queue" in (await bob.get(f"{MANY}?{many}")).text
    others = await opened(asked, reviewers={"groups": ["others"]})
    assert (await shown(bob, [others])).status == 404
    twice = await opened(asked)
    form = filled(await shown(bob, [twice]), [twice], "DENY")
    double = {**form, **{name.replace("_0", "_1"): value for name, value in form.items() if name.endswith("_0")}}
    assert (await bob.post(MANY, double)).status == 400
