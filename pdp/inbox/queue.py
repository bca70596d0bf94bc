"""The pages of what waits for a person, the nearest deadline first, and of what could be reviewed, the newest first."""

from collections.abc import Mapping
from typing import Any

from pdp.approval import State
from pdp.http.login import ANYBODY, HOME, redirect
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import filters, look
from pdp.inbox.me import ME
from pdp.inbox.rows import told
from pdp.service.review import ReviewService
from pdp.v1.review_pb2 import ListHistoryRequest, ListHistoryResponse, ListQueueRequest, ListQueueResponse
from pdp.workflow.watching import Watching

ROWS, HISTORY = "/inbox/rows", "/inbox/history"
SIZE = 100
"""Rows of a page: as many as the service gives."""
_LIST, _HISTORY = "pdp.v1.ReviewService/ListQueue", "pdp.v1.ReviewService/ListHistory"
_QUEUE_TEXTS = ("action", "resource_type", "caller", "person", "group", "page_token")
_HISTORY_TEXTS = ("state", "caller", "action", "resource_type", "page_token")
STATES = tuple(state.lower() for state in State)
"""The states that a history is narrowed to."""


class QueuePages:
    """The pages of both lists.

    `ROWS` is the queue for a script that keeps an open page up to date; no session lasts longer by it.
    """

    def __init__(self, reviews: ReviewService, watching: Watching) -> None:
        self._reviews, self._watching = reviews, watching

    def routes(self) -> list[Page]:
        """What is offered."""
        return [
            Page("GET", HOME, ANYBODY, self.home),
            Page("GET", ROWS, _LIST, self.queue, is_use=False),
            Page("GET", HISTORY, _HISTORY, self.history),
        ]

    async def home(self, call: PageCall) -> Answer:
        """Where a login leads: the queue, or a person's own page where the person does not review."""
        return await self.queue(call) if call.caller.can_call(_LIST) else redirect(ME)

    async def queue(self, call: PageCall) -> Answer:
        """A page of the queue, and the place in the stream of changes from before it was read."""
        given = filters.asked(call.query, _QUEUE_TEXTS, ("mine_only",))
        async with call.admitted(1):
            place = await self._watching.now()
            page = await self._reviews.ListQueue(ListQueueRequest(page_size=SIZE, **given), call.caller)
        listed = _listed(HOME, given, page)
        members = {**listed, "place": place, "rows_address": filters.address(ROWS, given)}
        return look.shown("queue", members, call.holder)

    async def history(self, call: PageCall) -> Answer:
        """A page of the history."""
        given = filters.asked(call.query, _HISTORY_TEXTS, ("asked_in_my_name",))
        state = given["state"]
        asked = {**given, "state": f"APPROVAL_STATE_{state.upper()}" if state in STATES else _number(state)}
        async with call.admitted(1):
            page = await self._reviews.ListHistory(ListHistoryRequest(page_size=SIZE, **asked), call.caller)
        return look.shown("history", {**_listed(HISTORY, given, page), "states": STATES}, call.holder)


def _number(state: str) -> int:
    """A state that the service refuses by its name; none where nothing is chosen."""
    return -1 if state else 0


def _listed(path: str, given: Mapping[str, Any], page: ListQueueResponse | ListHistoryResponse) -> dict[str, Any]:
    """What both templates show of a page."""
    token = page.next_page_token
    return {
        "rows": told(page.approvals, look.now()),
        "given": filters.shown(given),
        "is_narrowed": any(value for name, value in given.items() if name != "page_token"),
        "further": filters.address(path, given, page_token=token) if token else "",
        "first": filters.address(path, given, page_token="") if given["page_token"] else "",
    }
