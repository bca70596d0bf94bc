"""`pdp inbox`: a reviewer's queue in the terminal, driven by the keyboard.

1. Nothing is cut: a text that does not fit scrolls.
2. A verdict is accepted only after the end of the request was on screen.
3. All text goes through `visible`, and markup in it has no effect.
"""

import asyncio
from typing import TYPE_CHECKING, ClassVar

import grpc
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Header, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from pdp.cli import display, telling
from pdp.cli.reviewing import Reviewer, kind
from pdp.cli.visible import name, visible, wrapped
from pdp.errors import PdpError
from pdp.v1.approval_pb2 import Approval, GetApprovalResponse, Verdict
from pdp.v1.review_pb2 import WatchQueueRequest

if TYPE_CHECKING:
    from pdp.client import Client

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
    #queue { width: 36; border-right: solid $primary; }
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
        self._queue: dict[str, Approval] = {}
        self.shown: GetApprovalResponse | None = None
        self.read_to_end, self._lines = False, 0

    def compose(self) -> ComposeResult:
        """Show two panes."""
        yield Header()
        with Horizontal():
            yield OptionList(id="queue", markup=False)
            with VerticalScroll(id="detail", can_focus=False):
                yield Static(id="text", markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        """Begin to follow the queue."""
        self._reviewer = await Reviewer.of(self._client)
        detail = self.query_one("#detail", VerticalScroll)
        self.watch(detail, "scroll_y", self._scrolled)
        self._follow()
        self.query_one("#queue", OptionList).focus()

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        """Keep the queue up to date. After a broken connection, continue where it broke."""
        token = ""
        while True:
            try:
                request = WatchQueueRequest(resume_token=token)
                async for change in self._client.reviews.WatchQueue(request, metadata=self._client.metadata):
                    token = change.resume_token
                    if change.HasField("approval"):
                        await self._take(change.approval, may_review=change.may_review)
                    self.sub_title = f"{len(self._queue)} to review"
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                    token = ""
                    self._queue.clear()
                self.sub_title = f"not connected ({error.code().name}); trying again"
            await asyncio.sleep(AGAIN_SECONDS)

    async def _take(self, held: Approval, *, may_review: bool) -> None:
        if may_review:
            self._queue[held.approval_id] = held
        else:
            self._queue.pop(held.approval_id, None)
        self._list()
        if self.shown is not None and self.shown.approval.approval_id == held.approval_id:
            if self.shown.approval.version != held.version:
                self.notify("it changed; read it again", markup=False)
                await self._show(held.approval_id)
        elif self.shown is None and may_review:
            await self._show(held.approval_id)

    def _list(self) -> None:
        """Fill the list, with approvals of one kind together."""
        options = self.query_one("#queue", OptionList)
        highlighted = self._highlighted()
        options.clear_options()
        ordered = sorted(self._queue.values(), key=lambda held: (*kind(held), held.approval_id))
        options.add_options(Option(_line(held), id=held.approval_id) for held in ordered)
        ids = [held.approval_id for held in ordered]
        if highlighted in ids:
            options.highlighted = ids.index(highlighted)

    def _highlighted(self) -> str | None:
        options = self.query_one("#queue", OptionList)
        if options.highlighted is None or not options.option_count:
            return None
        return options.get_option_at_index(options.highlighted).id

    async def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the approval under the cursor."""
        shown = self.shown.approval.approval_id if self.shown else None
        if event.option_id is not None and event.option_id != shown:
            await self._show(event.option_id)

    async def _show(self, approval_id: str) -> None:
        assert self._reviewer is not None  # noqa: S101  # set before anything is listed
        try:
            self.shown = await self._reviewer.read(approval_id)
        except PdpError as error:
            self.shown = None
            self._write(f"{error.reason}: {visible(str(error))}")
            return
        self._write(display.seen(self.shown))

    def _write(self, text: str) -> None:
        detail = self.query_one("#detail", VerticalScroll)
        lines = wrapped(text, max(detail.scrollable_content_region.width, 20))
        self.read_to_end, self._lines = False, lines.count("\n") + 1
        self.query_one("#text", Static).update(Text(lines, no_wrap=True))
        detail.scroll_to(y=0, animate=False, immediate=True)
        self._scrolled()

    def on_resize(self) -> None:
        """Break the lines again for the new width. The text counts as not read, so its end must be on screen again."""
        if self.shown is not None:
            self._write(display.seen(self.shown))

    def _scrolled(self) -> None:
        detail = self.query_one("#detail", VerticalScroll)
        if self.shown is not None and detail.scroll_y + detail.scrollable_content_region.height >= self._lines:
            self.read_to_end = True

    def action_page(self) -> None:
        """Scroll down by a page."""
        self.query_one("#detail", VerticalScroll).scroll_page_down(animate=False)

    @work(exclusive=True, group="verdict")
    async def action_verdict(self, verdict_name: str) -> None:
        """Give a verdict on the approval that is shown, if its end was on screen."""
        verdict, shown = _VERDICTS[verdict_name], self.shown
        if shown is None or self._reviewer is None:
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
        try:
            reviewed = await self._reviewer.review(shown.approval, verdict, reason)
        except PdpError as error:
            self.notify(f"{error.reason}: {visible(str(error))}", severity="error", markup=False)
            await self._show(shown.approval.approval_id)
            return
        self.notify(f"{_WORDS[verdict]}: it is {display.state(reviewed)} now", markup=False)
        await self._take(reviewed, may_review=False)


def _line(held: Approval) -> Text:
    return Text(f"{telling.does(held)}\n  {name(held.caller)}")
