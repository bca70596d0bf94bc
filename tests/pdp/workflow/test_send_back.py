"""A reviewer asks for changes; the next request names what it answers, and whoever wrote it does not review it."""

import pytest

from pdp.canonical import canonical
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, log
from tests.pdp.mongo import database
from tests.pdp.reads import seen
from tests.pdp.steps import asked, cancel, changes, erin, state_of, use, verdict
from tests.pdp.wire import refused
from tests.tokens import Metadata


async def sent_back(
    server: Placet, by: Metadata, suggestion: AuthorizeRequest | None, supersedes: str = ""
) -> Approval:
    opened = await server.authorize(exporting(supersedes=supersedes))
    members = {"suggestion": asked(suggestion)} if suggestion else {}
    return (await server.reviews.Review(changes(opened.approval, **members), metadata=by)).approval


async def test_sent_back_is_denied_and_says_what_to_send(server: Placet) -> None:
    request, better = exporting(), exporting()
    opened = (await server.authorize(request)).approval
    back = await server.reviews.Review(changes(opened, suggestion=asked(better)), metadata=server.metadata("bob"))
    assert state_of(back.approval) == "DENIED"
    assert (back.approval.closed_by, back.approval.close_reason) == ("user:bob", "fewer columns")
    assert canonical(back.approval.reviews[0].suggestion, "dev") == canonical(better, "dev")
    answer = await use(server, request, opened)
    assert answer.effect == Effect.EFFECT_DENY
    assert [reason.rule for reason in answer.reasons] == ["pdp.approval_denied"]
    assert "asks for changes" in answer.reasons[0].reason
    assert "supersedes" in answer.reasons[0].reason


async def test_plain_denial_does_not_ask_for_changes(server: Placet) -> None:
    request = exporting()
    opened = (await server.authorize(request)).approval
    await server.review(opened, "bob", "DENY")
    assert "supersedes" not in (await use(server, request, opened)).reasons[0].reason


async def test_whoever_suggested_the_edit_does_not_review_it_and_others_do(server: Placet) -> None:
    back = await sent_back(server, server.metadata("bob"), exporting())
    next_one = (await server.authorize(exporting(supersedes=back.approval_id))).approval
    assert next_one.supersedes == back.approval_id
    assert "user:bob" in next_one.requester_principals
    why = await refused(server.review(next_one, "bob"))
    assert (why.reason, "people do not review their own suggestions" in why.message) == ("REVIEWER_IS_REQUESTER", True)
    told = await seen(server, next_one, server.metadata("bob"))
    assert (told.may_review, told.sent_back.approval_id) == (False, back.approval_id)
    assert "you suggested it when you sent an earlier request back" in told.may_not_review_because
    others = await seen(server, next_one, server.metadata("alice"))
    assert "one of the people behind this request" in others.may_not_review_because
    await server.review(next_one, "carol")
    assert state_of((await verdict(server, next_one, "APPROVE", erin(server))).approval) == "APPROVED"


async def test_whoever_only_asked_for_changes_may_review_what_comes(server: Placet) -> None:
    back = await sent_back(server, server.metadata("bob"), None)
    next_one = (await server.authorize(exporting(supersedes=back.approval_id))).approval
    assert "user:bob" not in next_one.requester_principals
    await server.review(next_one, "bob")


@pytest.mark.parametrize(
    "way", ["alone", "another caller", "in a batch", "with a request id", "with another supersedes"]
)
async def test_suggester_is_barred_from_the_suggested_request_whoever_opens_it(server: Placet, way: str) -> None:
    better = exporting()
    await sent_back(server, server.metadata("bob"), better)
    if way == "with a request id":
        better.request_id = "a-suggestion-opened-by-id"
    if way == "with another supersedes":
        better.supersedes = (await sent_back(server, erin(server), None)).approval_id
    if way == "in a batch":
        batch = BatchAuthorizeRequest(items=[exporting(), better])
        answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
        opened = answer.results[1].decision.approval
    else:
        opened = (await server.authorize(better, by="dev" if way == "another caller" else "report-bot")).approval
    assert "user:bob" in opened.requester_principals
    why = await refused(server.review(opened, "bob"))
    assert (why.reason, "their own suggestions" in why.message) == ("REVIEWER_IS_REQUESTER", True)


async def test_who_suggests_a_request_that_waits_already_does_not_review_it(server: Placet) -> None:
    waits = exporting()
    opened = (await server.authorize(waits)).approval
    await sent_back(server, server.metadata("bob"), waits)
    assert (await refused(server.review(opened, "bob"))).reason == "REVIEWER_IS_REQUESTER"
    await server.review(opened, "carol")


async def test_suggestion_that_somebody_rewrote_opens_nothing(server: Placet, mongod: MongodProcess) -> None:
    better = exporting()
    back = await sent_back(server, server.metadata("bob"), better)
    async with database(mongod, server) as found:
        forged = {"$set": {"reviews.0.reviewer": "user:nobody", "reviews.0.person": "user:nobody"}}
        await found["approvals"].update_one({"_id": back.approval_id}, forged)
    assert (await refused(server.authorize(better))).reason == "APPROVAL_TAMPERED"


async def test_whole_chain_of_suggestions_is_barred(server: Placet) -> None:
    first = await sent_back(server, server.metadata("bob"), exporting())
    second = await sent_back(server, erin(server), exporting(), first.approval_id)
    third = await sent_back(server, server.metadata("carol"), None, second.approval_id)
    last = (await server.authorize(exporting(supersedes=third.approval_id))).approval
    assert {"user:bob", "user:erin"} <= set(last.requester_principals)
    assert "user:carol" not in last.requester_principals


async def test_supersedes_is_outside_the_digest_and_of_no_meaning_without_an_approval(server: Placet) -> None:
    back = await sent_back(server, server.metadata("bob"), exporting())
    request = exporting()
    plain = await server.authorize(request)
    await cancel(server, plain.approval)
    request.supersedes = back.approval_id
    assert (await server.authorize(request)).request_digest == plain.request_digest
    assert (await server.authorize(asking("read", supersedes="apr_none"))).effect == Effect.EFFECT_ALLOW


async def test_supersedes_names_a_sent_back_approval_of_this_caller(server: Placet) -> None:
    pending = (await server.authorize(exporting())).approval
    denied = await server.review((await server.authorize(exporting())).approval, "bob", "DENY")
    for other in (pending, denied):
        why = await refused(server.authorize(exporting(supersedes=other.approval_id)))
        assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("supersedes",))
    back = await sent_back(server, server.metadata("bob"), None)
    for by, name in (("dev", back.approval_id), ("report-bot", f"apr_{1:032x}"), ("report-bot", "x")):
        why = await refused(server.authorize(exporting(supersedes=name), by=by))
        assert (why.code, why.reason) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")


async def test_send_back_is_recorded_with_its_suggestion(server: Placet) -> None:
    better = exporting()
    back = await sent_back(server, server.metadata("bob"), better)
    records = await log(server, "approval.reviewed")
    (held,) = [held for record, held in records if record["approval_id"] == back.approval_id]
    assert held["verdict"] == "CHANGES_REQUESTED"
    assert held["suggestion"]["context"] == dict(better.context)


async def test_supersedes_is_an_items_own_in_a_batch(server: Placet) -> None:
    back = await sent_back(server, server.metadata("bob"), exporting())
    batch = BatchAuthorizeRequest(defaults=AuthorizeRequest(supersedes=back.approval_id), items=[exporting()])
    call = server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
    assert (await refused(call)).fields == ("defaults.supersedes",)
    batch = BatchAuthorizeRequest(items=[exporting(supersedes=back.approval_id), exporting(supersedes="x")])
    answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
    assert answer.results[0].decision.approval.supersedes == back.approval_id
    assert answer.results[1].error.reason == "APPROVAL_NOT_FOUND"
