"""Answers people's clicks in Slack: opens views, and passes their verdicts on to `Reviewing` as those of anybody."""

import asyncio
import logging
from typing import Protocol

from pdp.approval import ApprovalAt
from pdp.caller import Caller
from pdp.channel import Channel
from pdp.channels.notice import Refused
from pdp.channels.slack import parsed, rendering
from pdp.channels.slack.blocks import Block, actions, button, line, rich
from pdp.channels.slack.interaction import By, Click, Sent
from pdp.channels.slack.notices import OPEN
from pdp.channels.slack.web import SlackWeb
from pdp.errors import PdpError
from pdp.quorum import barred
from pdp.requirement import Requirement
from pdp.service.whole_approval import WholeApproval
from pdp.site import Site
from pdp.verdict_errors import AccountNotLinked, at
from pdp.view.shown import of_answer
from pdp.view_errors import ViewAltered, ViewStale
from pdp.workflow.chat_views import STALE, ChatViews, Displayed, fresh
from pdp.workflow.reviewable import ApprovalView, Submission
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.yes import asked

log = logging.getLogger(__name__)

OPENS_WITHIN = 2.5
"""Seconds in which a view is rendered and opened: Slack takes it for 3 s after the click."""
CHECKING = "Placet checks it. If nothing else is shown here in a moment, open the page"
"""What stands in a modal from the click until the verdict is taken or refused."""
LATE = "Slack could not show it to you here in time; open the page"
"""What a person is told whose view could not be opened."""
_TEXT = "A word from Placet"
_CHANGED = frozenset({"APPROVAL_CHANGED", "DIGEST_MISMATCH", "LINEAGE_CHANGED"})
"""Reasons of a verdict on another version than that of now."""


class Accounts(Protocol):
    """Whose account of a chat it is."""

    async def caller_of(self, account: str) -> Caller:
        """The linked person. Raises `PdpError` where the account is nobody's, or the person no reviewer."""


class Answering:
    """Answers clicks of one team."""

    def __init__(
        self,
        web: SlackWeb,
        team: str,
        accounts: Accounts,
        reviewing: Reviewing,
        whole: WholeApproval,
        views: ChatViews,
        site: Site,
    ) -> None:
        self._web, self._team, self._accounts = web, team, accounts
        self._reviewing, self._whole, self._views, self._site = reviewing, whole, views, site

    async def answer(self, done: Click | Sent) -> None:
        """Do what a person asked for. Nothing is raised: the person is told, or at least the log."""
        try:
            await (self._clicked(done) if isinstance(done, Click) else self._sent(done))
        except Refused as refused:
            log.warning("slack: a person could not be answered: %s", refused.problem)
        except Exception:
            log.exception("slack: a click was not answered")

    def checking(self) -> Block:
        """What a submitted modal shows at once."""
        return rendering.sentence(CHECKING, self._home)

    async def _clicked(self, click: Click) -> None:
        identity = ""
        try:
            async with asyncio.timeout(OPENS_WITHIN):
                caller = await self._caller(click.by)
                identity = caller.identity
                view = await self._view(caller, click.by, click.approval_id, only_no=click.only_no)
                await self._web.open(click.trigger, view)
        except PdpError as error:
            await self._views.refused("slack", click.by.account, error, identity, click.approval_id)
            await self._tell(click, error.sentence)
        except (TimeoutError, Refused):
            await self._tell(click, LATE)

    async def _sent(self, sent: Sent) -> None:
        identity = ""
        try:
            caller = await self._caller(sent.by)
            identity = caller.identity
            taken = await self._reviewed(caller, sent)
        except PdpError as error:
            refused = _stale(error)
            await self._views.refused("slack", sent.by.account, refused, identity, sent.approval_id)
            await self._web.replace(sent.view_id, await self._again(sent, refused, known=bool(identity)))
            return
        page = self._site.approval(sent.approval_id)
        verdict = sent.verdict.value if sent.verdict else ""
        sentence = f"Recorded: {verdict} as {identity}. The approval is {taken.state} now."
        await self._web.replace(sent.view_id, rendering.sentence(sentence, page))

    async def _reviewed(self, caller: Caller, sent: Sent) -> ApprovalAt:
        """The approval after the verdict. Raises `PdpError`."""
        rendered = parsed.rendered(sent.view)
        view = await self._views.take(sent.token, caller, sent.by.account, rendered)
        if sent.verdict is None:
            raise ViewStale(STALE)
        submission = Submission(
            verdict=sent.verdict,
            reason=sent.reason,
            expected_digest=view.digest,
            expected_version=view.version,
            expected_lineage=view.lineage,
            channel=Channel.SLACK,
            account=view.account,
            view_digest=view.rendered,
        )
        return await self._reviewing.review(caller, view.approval, submission)

    async def _again(self, sent: Sent, error: PdpError, *, known: bool) -> Block:
        """A fresh view that says why the verdict was not taken; a sentence where there is nothing to show."""
        page = self._site.approval(sent.approval_id) if sent.approval_id else self._home
        if known and sent.approval_id and not isinstance(error, ViewAltered):
            try:
                caller = await self._caller(sent.by)
                return await self._view(caller, sent.by, sent.approval_id, note=error.sentence)
            except PdpError as other:
                return rendering.sentence(other.sentence, page)
        return rendering.sentence(error.sentence, page)

    async def _view(self, caller: Caller, by: By, approval_id: str, *, note: str = "", only_no: bool = False) -> Block:
        """A new view for one person, with a token where it takes a verdict. Raises `PdpError`."""
        seen = await self._reviewing.view(caller, approval_id)
        answer = await self._whole.of_view(seen)
        shown, token = of_answer(answer), fresh()
        offered = rendering.offer(shown, _asked(seen))
        view = rendering.view(shown, offered, caller.identity, token, note=note, only_no=only_no)
        if "submit" in view:
            displayed = Displayed(
                approval=approval_id,
                digest=answer.approval.request_digest,
                version=answer.approval.version,
                lineage=answer.approval.lineage.digest,
                rendered=parsed.rendered(view),
            )
            await self._views.offer(token, caller, by.account, displayed)
        return view

    async def _caller(self, by: By) -> Caller:
        """Who clicked. Raises `PdpError`."""
        if (by.team, by.home) != (self._team, self._team):
            sentence = "this Slack is not the one that Placet is connected to; review it on the page"
            raise at(self._home, AccountNotLinked(sentence))
        return await self._accounts.caller_of(by.account)

    async def _tell(self, click: Click, sentence: str) -> None:
        """Say something to one person alone, with the page."""
        page = self._site.approval(click.approval_id)
        links = actions("links", [button(OPEN, "Open the page", url=page)] if page else [])
        shown = [*rich("note", [line("", sentence)]), *links]
        if click.channel and not click.channel.startswith("D"):
            await self._web.whisper(click.channel, click.by.user, _TEXT, shown)
        else:
            await self._web.post(click.by.user, _TEXT, shown)

    @property
    def _home(self) -> str:
        return f"{self._site.url}/inbox" if self._site.url else ""


def _asked(seen: ApprovalView) -> list[Requirement]:
    """The requirements that this person is asked by."""
    approval = seen.held.approval
    return [approval.requirements[index] for index in asked(approval, seen.eligibility, barred(approval, seen.answer))]


def _stale(error: PdpError) -> PdpError:
    """The error of a verdict; one on another version is that of a stale view."""
    return ViewStale(error.sentence) if error.reason in _CHANGED else error
