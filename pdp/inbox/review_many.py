"""Several approvals on one page, one below the other, and one verdict on all of them: each its own review.

1. Many are denied at once.
2. Several are approved at once only where each may be: none is to be reviewed alone, none needs a passkey, and all were
   displayed. Else nothing is done.
3. What becomes of each is told one by one.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, NamedTuple

from pdp.approval import ReviewVerdict
from pdp.deadline import MAX_SECONDS
from pdp.errors import InvalidRequest, NotFound, PdpError
from pdp.http.problem import Refusal
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import displayed, look, many_form
from pdp.inbox.rows import Told, told
from pdp.inbox.whole_page import members
from pdp.service.whole_approval import WholeApproval
from pdp.v1.approval_pb2 import GetApprovalResponse
from pdp.workflow.reviewing import Reviewing

PATH = "/inbox/review-many"
_REVIEW = "pdp.v1.ReviewService/Review"


class Became(NamedTuple):
    """What became of one: its state now, or why nothing was done. `row` says what it is, to those who may see it."""

    id: str
    row: Told | None
    state: str
    problem: str


@dataclass(frozen=True, slots=True)
class ReviewMany:
    """The page. `realm` is the deployment's name."""

    whole: WholeApproval
    reviewing: Reviewing
    realm: str

    def routes(self) -> list[Page]:
        """What is offered."""
        form = many_form.FIELDS, many_form.WORDS
        return [
            Page("GET", PATH, _REVIEW, self.show, usual_seconds=MAX_SECONDS),
            Page("POST", PATH, _REVIEW, self.review, *form, others=many_form.OTHERS, usual_seconds=MAX_SECONDS),
        ]

    async def show(self, call: PageCall) -> Answer:
        """All that were chosen, each as a whole."""
        chosen = many_form.chosen(call.query)
        async with call.admitted(len(chosen)):
            found = [await self.whole.of(call.caller, one) for one in chosen]
        rows = told([answer.approval for answer in found], look.now())
        items = [self._item(call, answer, row) for answer, row in zip(found, rows, strict=True)]
        return look.shown("review_many", {"items": items, "form_token": call.form_token}, call.holder)

    async def review(self, call: PageCall) -> Answer:
        """The verdict on each; then what became of them."""
        said = many_form.submissions(call.form)
        together = said[0].submission.verdict is ReviewVerdict.APPROVE
        async with call.admitted(len(said)):
            found = {one.id: await self._found(call, one.id, must=together) for one in said}
            for one in said:
                if together and (answer := found[one.id]):
                    self._require(answer, one)
            rows = {row.id: row for row in told([one.approval for one in found.values() if one], look.now())}
            became = [await self._became(call, one, rows.get(one.id)) for one in said]
        return look.shown("reviewed_many", {"became": became}, call.holder)

    async def _found(self, call: PageCall, approval_id: str, *, must: bool) -> GetApprovalResponse | None:
        """All that this person is told of one. Raises `NotFound` where it `must` be there."""
        try:
            return await self.whole.of(call.caller, approval_id)
        except NotFound:
            if must:
                raise
            return None

    def _item(self, call: PageCall, answer: GetApprovalResponse, row: Any) -> Mapping[str, Any]:
        whole = members(answer, self.realm, call.caller, call.form_token)
        return {**whole, "row": row, "alone": alone(answer)}

    def _require(self, answer: GetApprovalResponse, one: many_form.Said) -> None:
        """Raise unless it may be approved with others, and a script displayed it."""
        if why := alone(answer):
            number = int(one.field.rpartition("_")[2]) + 1
            sentence = f"nothing was done: number {number} cannot be approved with others: {why}"
            raise Refusal(HTTPStatus.CONFLICT, sentence)
        said = one.submission
        seen = said.expected_digest, said.expected_version, said.expected_lineage
        wanted = displayed.proof(self.realm, answer.approval.request, *seen)
        if not hmac.compare_digest(one.displayed.encode(), wanted.encode()):
            sentence = "is computed by the page's script over what it displayed; it changed, or there was no script"
            raise InvalidRequest.field(one.field, sentence)

    async def _became(self, call: PageCall, one: many_form.Said, row: Told | None) -> Became:
        said = replace(one.submission, together=one.submission.verdict is ReviewVerdict.APPROVE)
        try:
            reviewed = await self.reviewing.review(call.caller, one.id, said)
        except NotFound:
            return Became(one.id, row, "", "it is not there, or not yours to review")
        except PdpError as error:
            return Became(one.id, row, "", error.sentence)
        return Became(one.id, row, reviewed.state, "")


def alone(answer: GetApprovalResponse) -> str:
    """Why an approval is not approved with others; empty where it may be."""
    needs: Sequence[Any] = answer.approval.requirements
    if not answer.may_review:
        return f"you may not review it, as {answer.may_not_review_because}"
    if any(one.individual for one in needs):
        return "the policy wants it reviewed by itself"
    return "it needs your passkey" if any(one.passkey for one in needs) else ""
