"""The page of one approval: all of it, and what this person may do with it.

read -> the form's shape -> for an approval: was it displayed -> the same `Reviewing` as everywhere -> the page as it is
"""

import asyncio
import hmac
from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pdp import identifier
from pdp.approval import ReviewVerdict
from pdp.errors import InvalidRequest, NotFound, PdpError
from pdp.http.login import redirect
from pdp.http.problem import headers_of, status
from pdp.http.route import HTML, Answer, Page, PageCall
from pdp.inbox import displayed, look, verdict_form
from pdp.inbox.whole_page import members, told
from pdp.service.whole_approval import WholeApproval
from pdp.v1.approval_pb2 import GetApprovalResponse
from pdp.view.named import state
from pdp.view.timeline import entry
from pdp.workflow.mistaken_denial import MistakenDenial
from pdp.workflow.reviewable import Submission
from pdp.workflow.reviewing import Reviewing

PATH = "/inbox/approvals/{id}"
_GET, _REVIEWS = "pdp.v1.ApprovalService/GetApproval", "pdp.v1.ReviewService/"


@dataclass(frozen=True, slots=True)
class ApprovalPages:
    """The pages of approvals. `realm` is the deployment's name, without which nobody can compute a digest."""

    whole: WholeApproval
    reviewing: Reviewing
    denials: MistakenDenial
    realm: str

    def routes(self) -> list[Page]:
        """What is offered."""
        words = verdict_form.WORDS
        return [
            Page("GET", PATH, _GET, self.show),
            Page("GET", f"{PATH}/now", _GET, self.now, is_use=False),
            Page("POST", f"{PATH}/review", f"{_REVIEWS}Review", self.review, verdict_form.FIELDS, words),
            Page("POST", f"{PATH}/begin", f"{_REVIEWS}BeginReview", self.begin, verdict_form.ASKED, words),
            Page("POST", f"{PATH}/revoke", f"{_REVIEWS}RevokeApproval", self.revoke, ("reason",), ("reason",)),
            Page("POST", f"{PATH}/take-back", f"{_REVIEWS}TakeBackDenial", self.take_back),
        ]

    async def show(self, call: PageCall) -> Answer:
        """The page."""
        async with call.admitted(1):
            return await self._page(call)

    async def now(self, call: PageCall) -> Answer:
        """The approval's version and what happened last, for a page that shows an earlier one."""
        async with call.admitted(1):
            answer = await self._whole(call)
        last = [entry(one) for one in answer.timeline[-1:]]
        said = {"what": last[0].what, "result": last[0].result, "who": last[0].who.visible} if last else {}
        return Answer({"version": answer.approval.version, "state": state(answer.approval), **said})

    async def review(self, call: PageCall) -> Answer:
        """A verdict on what was displayed."""
        return await self._tried(call, self._review(call))

    async def begin(self, call: PageCall) -> Answer:
        """What this person's passkey is asked to sign, for the page's script; a refusal is a sentence."""
        try:
            async with call.admitted(1):
                said = verdict_form.submission(call.form, self.realm)
                asked = await self.reviewing.ask(call.caller, _id(call), said)
        except PdpError as error:
            return Answer({"sentence": error.sentence}, _status(error), headers=headers_of(error, status(error)))
        return Answer({"statement": asked.statement, "nonce": asked.nonce, "passkeys": asked.passkeys})

    async def revoke(self, call: PageCall) -> Answer:
        """Take back what was approved."""
        return await self._tried(call, self._revoke(call))

    async def take_back(self, call: PageCall) -> Answer:
        """Take back one's own denial."""
        return await self._tried(call, self.denials.take_back(call.caller, _id(call)))

    async def _review(self, call: PageCall) -> None:
        said, approval_id = verdict_form.submission(call.form, self.realm), _id(call)
        if said.verdict is ReviewVerdict.APPROVE:
            await self._require_displayed(call, said)
        await self.reviewing.review(call.caller, approval_id, said)

    async def _require_displayed(self, call: PageCall, said: Submission) -> None:
        """Raise `InvalidRequest` unless the form comes from a script that displayed the request."""
        asked = (await self._whole(call)).approval.request
        seen = said.expected_digest, said.expected_version, said.expected_lineage
        wanted = await asyncio.to_thread(displayed.proof, self.realm, asked, *seen)
        if not hmac.compare_digest(call.form["displayed"].encode(), wanted.encode()):
            why = "is computed by the page's script over what it displayed; without scripts nothing is approved"
            raise InvalidRequest.field("displayed", why)

    async def _revoke(self, call: PageCall) -> None:
        reason = verdict_form.words(call.form["reason"], required=True)
        await self.reviewing.revoke(call.caller, _id(call), reason)

    async def _tried(self, call: PageCall, step: Awaitable[Any]) -> Answer:
        """Do it, and lead back to the page. Where it is refused, the page says why and keeps what was typed."""
        async with call.admitted(1):
            try:
                await step
            except NotFound:
                raise
            except PdpError as error:
                if error.code == "INTERNAL":
                    raise
                return await self._page(call, error)
        return redirect(PATH.replace("{id}", _id(call)))

    def _body(self, answer: GetApprovalResponse, call: PageCall, refused: PdpError | None) -> bytes:
        """The page in HTML. The largest takes 100 ms, so a thread makes it and decisions do not wait."""
        shown = members(answer, self.realm, call.caller, call.form_token)
        return look.page("approval", {**shown, **told(refused, call.form)}, call.holder)

    async def _whole(self, call: PageCall) -> GetApprovalResponse:
        return await self.whole.of(call.caller, _id(call))

    async def _page(self, call: PageCall, refused: PdpError | None = None) -> Answer:
        answer = await self._whole(call)
        body = await asyncio.to_thread(self._body, answer, call, refused)
        if refused is None:
            return Answer(body, media=HTML)
        return Answer(body, _status(refused), HTML, headers_of(refused, status(refused)))


def _status(error: PdpError) -> HTTPStatus:
    """A step that does not go with the state of things is the caller's to do otherwise, and no fault of the server."""
    return HTTPStatus.CONFLICT if error.code == "FAILED_PRECONDITION" else status(error)


def _id(call: PageCall) -> str:
    """The approval's id. What cannot be one is not there."""
    text = call.parameters["id"]
    if not text.startswith("apr_") or identifier.uuid_bytes(text) is None:
        raise NotFound("APPROVAL_NOT_FOUND", "there is no such approval")
    return text
