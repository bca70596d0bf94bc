"""`pdp inbox`: a reviewer's queue in the terminal, driven by the keyboard.

1. Nothing is cut: a text that does not fit scrolls.
2. A verdict is accepted only after the end of the request was on screen.
3. All text goes through `visible`, and markup in it has no effect.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import grpc
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Footer, Header, Input, Label, OptionList
from textual.widgets.option_list import Option

from pdp.cli import display, seen_lineage, tables, telling
from pdp.cli.inbox_queue import InboxQueue
from pdp.cli.reading import Reading
from pdp.cli.reviewing import Reviewer
from pdp.errors import PdpError
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalResponse, TagOrigin, Verdict
from pdp.v1.review_pb2 import ListQueueRequest, WatchQueueRequest
from pdp.view.named import state
from pdp.visible import visible

if TYPE_CHECKING:
    from pdp.client import Client

REFRESH_SECONDS = 0.1
"""Seconds between two looks at whether the list is to be filled again: many changes at once fill it once."""
AGE_SECONDS = 30.0
"""Seconds after which the ages in the list are counted again."""
NEAR = 10
"""Rows before the end of the list at which its next page is read."""
AGAIN_SECONDS = 1.0
"""Seconds between a broken watch of the queue and the next try."""
_VERDICTS = {
    "approve": Verdict.VERDICT_APPROVE,
    "deny": Verdict.VERDICT_DENY,
    "send_back": Verdict.VERDICT_CHANGES_REQUESTED,
}
_WORDS = {
    Verdict.VERDICT_APPROVE: "Approve",
    Verdict.VERDICT_DENY: "Deny",
    Verdict.VERDICT_CHANGES_REQUESTED: "Send back",
}


class Reason(ModalScreen[str | None]):
    """Asks for the reason of a verdict; Escape cancels the verdict."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Back")]
    CSS = "Reason { align: center middle; } Reason > * { width: 80%; }"

    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self._verdict = verdict

    def compose(self) -> ComposeResult:
        """Show a question and a line for the answer."""
        yield Label(Text(f"{_WORDS[self._verdict]}: why? Enter sends it, Escape goes back."))
        yield Input(id="reason", max_length=2000)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the reason when Enter is pressed."""
        if self._verdict == Verdict.VERDICT_CHANGES_REQUESTED and not event.value.strip():
            self.notify("say what should be different", severity="warning", markup=False)
            return
        self.dismiss(event.value)


class Inbox(App[None]):
    """Shows the queue on the left and one whole approval on the right."""

    TITLE = "Placet inbox"
    CSS = """
    #queue { width: 44; max-width: 45%; border-right: solid $primary; }
    #detail { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("a", "verdict('approve')", "Approve"),
        ("d", "verdict('deny')", "Deny"),
        ("s", "verdict('send_back')", "Send back"),
        ("space", "page", "Read on"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, client: "Client") -> None:
        super().__init__()
        self._client = client
        self._reviewer: Reviewer | None = None
        self._queue = InboxQueue()
        self._options, self._reading = OptionList(id="queue", markup=False), Reading()
        self.shown: GetApprovalResponse | None = None
        self._origins: dict[str, Sequence[TagOrigin]] = {}
        self._sent, self._is_stale, self._trouble = "", False, ""

    @property
    def read_to_end(self) -> bool:
        """Whether the end of the approval that is shown was on screen."""
        return self.shown is not None and self._reading.read_to_end

    def compose(self) -> ComposeResult:
        """Show two panes."""
        yield Header()
        with Horizontal():
            yield self._options
            yield self._reading
        yield Footer()

    async def on_mount(self) -> None:
        """Begin to follow the queue."""
        self._reviewer = await Reviewer.of(self._client)
        self._follow()
        self.set_interval(REFRESH_SECONDS, self._refresh_list)
        self.set_interval(AGE_SECONDS, self._stale)
        self._options.focus()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        """Keep the queue up to date. After a broken connection, continue where it broke."""
        token = ""
        while True:
            try:
                request = WatchQueueRequest(resume_token=token, changes_only=True)
                async for change in self._client.reviews.WatchQueue(request, metadata=self._client.metadata):
                    if not token:
                        await self._read_page()  # behind the first message, so that nothing is missed
                    token, self._trouble = change.resume_token, ""
                    if change.HasField("approval"):
                        await self._take(change.approval, may_review=change.may_review)
                    self._stale()
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                    token = ""
                    self._queue.clear()
                self._trouble = f"not connected ({error.code().name}); trying again"
            except PdpError as error:  # the page
                self._trouble = f"not connected ({error.reason}); trying again"
            self._stale()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read_page(self) -> None:
        """Read the first page of the queue, or the next one."""
        request = ListQueueRequest(page_token=self._queue.more)
        page = await self._client.call(self._client.reviews.ListQueue, request)
        self._queue.add(page.approvals, page.next_page_token)
        self._stale()
        if self.shown is None and page.approvals:
            await self._show(page.approvals[0].approval_id)

    @work(exclusive=True, group="more")
    async def _read_more(self) -> None:
        """Read on when the end of the list comes near."""
        try:
            await self._read_page()
        except PdpError as error:
            self.notify(f"{error.reason}: {visible(str(error))}", severity="error", markup=False)

    async def _take(self, held: Approval, *, may_review: bool) -> None:
        """Take a change of the queue, and show it where its approval is on screen."""
        shown = self.shown.approval if self.shown else None
        is_shown = shown is not None and shown.approval_id == held.approval_id
        self._queue.take(held, may_review=may_review, on_screen=is_shown)
        if shown is None and may_review:
            await self._show(held.approval_id)
        elif is_shown and shown and self._sent != held.approval_id and shown.version != held.version:
            said = "it changed; read it again" if may_review else f"it is {state(held)} now"
            self.notify(said, markup=False)
            await self._show(held.approval_id)

    def _stale(self) -> None:
        self._is_stale = True

    def _refresh_list(self) -> None:
        """Fill the list again, where something changed. Its place stays."""
        if not self._is_stale or not self._options.is_attached:
            return
        self._is_stale = False
        options, ordered = self._options, self._queue.ordered()
        top, marked = options.scroll_y, self._marked(options)
        ids = [held.approval_id for held in ordered]
        options.clear_options()
        now = datetime.now(UTC)
        rows = telling.rows(ordered)
        options.add_options(Option(_line(row, now, self._carries(row.held)), id=row.held.approval_id) for row in rows)
        if marked in ids:
            options.highlighted = ids.index(marked)
        options.scroll_to(y=top, animate=False)
        count = f"{len(self._queue)} to review{', more below' if self._queue.more else ''}"
        self.sub_title = self._trouble or count

    def _carries(self, held: Approval) -> str:
        """What its data carries, and of one that was read where that began."""
        carries = seen_lineage.brief(held.lineage, self._origins.get(held.approval_id, ()))
        return f"carries {carries}" if carries else ""

    def _marked(self, options: OptionList) -> str | None:
        """The approval under the cursor, which may be ahead of what is on screen."""
        if options.highlighted is not None and options.highlighted < options.option_count:
            return options.get_option_at_index(options.highlighted).id
        return self.shown.approval.approval_id if self.shown else None

    async def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the approval under the cursor."""
        if self._queue.more and event.option_index >= len(self._queue) - NEAR:
            self._read_more()
        shown = self.shown.approval.approval_id if self.shown else None
        if event.option_id is not None and event.option_id != shown:
            await self._show(event.option_id)

    async def _show(self, approval_id: str) -> None:
        assert self._reviewer is not None  # noqa: S101  # set before anything is listed
        self._queue.let_go(approval_id)
        self._stale()
        try:
            self.shown = await self._reviewer.read(approval_id)
            self._origins[approval_id] = self.shown.origins
        except PdpError as error:
            self.shown = None
            self._reading.show(f"{error.reason}: {visible(str(error))}")
            return
        self._reading.show(display.seen(self.shown, None))

    def action_page(self) -> None:
        """Scroll down by a page."""
        self._reading.scroll_page_down(animate=False)

    @work(exclusive=True, group="verdict")
    async def action_verdict(self, verdict_name: str) -> None:
        """Give a verdict on the approval that is shown, if its end was on screen."""
        verdict, shown = _VERDICTS[verdict_name], self.shown
        if shown is None:
            return
        if not shown.may_review:
            self.notify(f"you may not review it: {visible(shown.may_not_review_because)}", markup=False)
            return
        if not self.read_to_end:
            self.notify("read it to its end first (space scrolls)", severity="warning", markup=False)
            return
        reason = await self.push_screen_wait(Reason(verdict))
        if reason is None:
            return
        if self.shown is not shown:
            self.notify("it changed while you wrote; read it again", severity="warning", markup=False)
            return
        await self._send(shown.approval, verdict, reason)

    async def _send(self, displayed: Approval, verdict: Verdict, reason: str) -> None:
        """Send a verdict and say one thing about it: what came of it. The watch, which sees it too, says nothing."""
        assert self._reviewer is not None  # noqa: S101  # set before anything is shown
        self._sent = displayed.approval_id
        try:
            reviewed = await self._reviewer.review(displayed, verdict, reason)
        except PdpError as error:
            self.notify(f"{error.reason}: {visible(str(error))}", severity="error", markup=False)
        else:
            is_pending = reviewed.state == ApprovalState.APPROVAL_STATE_PENDING
            still = "".join(f"\n{line}" for line in display.still_open(reviewed)) if is_pending else ""
            self.notify(f"{_WORDS[verdict]}: it is {state(reviewed)} now{still}", markup=False)
            self._queue.take(reviewed, may_review=False, on_screen=True)
        if self.shown is not None and self.shown.approval.approval_id == displayed.approval_id:
            await self._show(displayed.approval_id)
        self._sent = ""


def _line(row: telling.Line, now: datetime, carries: str) -> Text:
    """One approval in the list: what it does, what tells it from others, whose, what its data has, what it needs."""
    ended = "" if row.held.state == ApprovalState.APPROVAL_STATE_PENDING else f"{state(row.held)}  "
    needs = f"{telling.needs(row.held)}  {tables.age(row.held, now)}"
    return Text("\n  ".join(filter(None, [f"{ended}{row.does}", row.what, row.whose, carries, needs])))
