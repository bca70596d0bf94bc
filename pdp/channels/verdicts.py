"""What people of one chat are shown of approvals, and their verdicts: those of anybody, by the same `Reviewing`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from pdp.approval import ApprovalAt, ReviewVerdict
from pdp.caller import Caller
from pdp.channel import Channel
from pdp.channels.offer import Offer, offer
from pdp.errors import PdpError
from pdp.quorum import barred
from pdp.requirement import Requirement
from pdp.service.whole_approval import WholeApproval
from pdp.site import Site
from pdp.verdict_errors import AccountNotLinked, at
from pdp.view.shown import Shown, of_answer
from pdp.view_errors import ViewStale
from pdp.workflow.chat_views import STALE, ChatViews, Displayed
from pdp.workflow.reviewable import ApprovalView, Submission
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.yes import asked

_CHANGED = frozenset({"APPROVAL_CHANGED", "DIGEST_MISMATCH", "LINEAGE_CHANGED"})
"""Reasons of a verdict on another version than that of now."""


class Accounts(Protocol):
    """Whose account of a chat it is."""

    async def caller_of(self, account: str) -> Caller:
        """The linked person. Raises `PdpError` where the account is nobody's, or the person no reviewer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An approval as one person is shown it now, what is offered, and what a view of it is bound to."""

    shown: Shown
    offered: Offer
    lineage: str


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict as it came with a view's token. `verdict` is None where it is a word that we do not know.

    `rendered` has the digest of what the chat showed; it is None where the chat sends nothing of that back.
    """

    token: str
    rendered: Collection[str] | None
    verdict: ReviewVerdict | None
    reason: str


class Verdicts:
    """Shows approvals to the people of one chat, and takes their verdicts."""

    def __init__(
        self,
        channel: Channel,
        accounts: Accounts,
        reviewing: Reviewing,
        whole: WholeApproval,
        views: ChatViews,
        site: Site,
    ) -> None:
        self._channel, self._accounts, self._reviewing = channel, accounts, reviewing
        self._whole, self._views, self._site = whole, views, site

    async def caller(self, account: str) -> Caller:
        """Who acts through an account. Raises `PdpError`."""
        return await self._accounts.caller_of(account)

    def stranger(self, sentence: str) -> AccountNotLinked:
        """The error of an account that is not of here."""
        return at(self.home, AccountNotLinked(sentence))

    async def seen(self, caller: Caller, approval_id: str) -> Seen:
        """What one person is shown of an approval. Raises `PdpError`."""
        view = await self._reviewing.view(caller, approval_id)
        answer = await self._whole.of_view(view)
        shown = of_answer(answer)
        return Seen(shown, offer(shown, _asked(view), self._channel), answer.approval.lineage.digest)

    async def offer(
        self, token: str, caller: Caller, account: str, seen: Seen, verdicts: Sequence[str], rendered: str
    ) -> None:
        """Let a view with this token take one of these verdicts. `rendered` is the digest of what the chat is sent."""
        shown = seen.shown
        displayed = Displayed(
            approval=shown.approval_id.text,
            digest=shown.digest.text,
            version=shown.version,
            lineage=seen.lineage,
            takes=" ".join(verdicts),
            rendered=rendered,
        )
        await self._views.offer(token, caller, account, displayed)

    async def review(self, caller: Caller, account: str, given: Given) -> ApprovalAt:
        """The approval after a verdict. Raises `PdpError`; one on another version than of now is `ViewStale`."""
        view = await self._views.take(given.token, caller, account, given.rendered)
        if given.verdict is None:
            raise ViewStale(STALE)
        if given.verdict not in view.takes.split():
            raise self._views.altered(view)
        submission = Submission(
            verdict=given.verdict,
            reason=given.reason,
            expected_digest=view.digest,
            expected_version=view.version,
            expected_lineage=view.lineage,
            channel=self._channel,
            account=view.account,
            view_digest=view.rendered,
        )
        try:
            return await self._reviewing.review(caller, view.approval, submission)
        except PdpError as error:
            raise (ViewStale(error.sentence) if error.reason in _CHANGED else error) from None

    async def refused(self, account: str, error: PdpError, identity: str, approval_id: str) -> None:
        """Record that a click or a verdict was refused."""
        await self._views.refused(self._channel, account, error, identity, approval_id)

    def page(self, approval_id: str) -> str:
        """Where an approval is reviewed without the chat; the inbox where it is not known which. Empty: nowhere."""
        return self._site.approval(approval_id) if approval_id else self.home

    @property
    def home(self) -> str:
        """The inbox; empty without pages."""
        return f"{self._site.url}/inbox" if self._site.url else ""


def recorded(verdict: ReviewVerdict | None, identity: str, taken: ApprovalAt) -> str:
    """What a person reads whose verdict was taken."""
    return f"Recorded: {verdict.value if verdict else ''} as {identity}. The approval is {taken.state} now."


def _asked(seen: ApprovalView) -> list[Requirement]:
    """The requirements that this person is asked by."""
    approval = seen.held.approval
    return [approval.requirements[index] for index in asked(approval, seen.eligibility, barred(approval, seen.answer))]
