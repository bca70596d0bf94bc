"""`pdp approvals list --queue`: what waits for me, the nearest deadline first."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pdp.cli import tables
from pdp.cli.session import Output, Session
from pdp.say import say
from pdp.v1.review_pb2 import ListQueueRequest, ListQueueResponse

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval

PAGE = 100
"""Entries of a page where all are listed: as many as the server gives."""
REMEMBERED = 500
"""Rows above, from which the rows of the next page must look different."""


async def list_queue(
    session: Session, client: "Client", narrowed: ListQueueRequest, page_size: int, *, everything: bool
) -> None:
    """Print a page of the queue, or all of it as its pages arrive; of those that `narrowed` asks for."""
    whole, printer = ListQueueResponse(), _Printer(session)
    request = ListQueueRequest(page_size=PAGE if everything else page_size)
    request.MergeFrom(narrowed)
    while True:
        page = await client.call(client.reviews.ListQueue, request)
        whole.approvals.extend(page.approvals)
        whole.next_page_token = request.page_token = page.next_page_token
        if everything:
            printer.page(page)
        missing = page_size - len(whole.approvals)
        if not page.next_page_token or not (everything or missing > 0):
            break
        request.page_size = PAGE if everything else min(missing, PAGE)
    if not everything:
        printer.page(whole)
    printer.end(whole)
    if whole.next_page_token:
        say("there are more; --all lists them")


class _Printer:
    """Prints pages as they come. JSON is one document, so it comes at the end."""

    def __init__(self, session: Session) -> None:
        self._session, self._above = session, list["Approval"]()
        self._widths = [len(title) for title in tables.QUEUE]

    def page(self, page: ListQueueResponse) -> None:
        """Print a page of a table or of JSON Lines."""
        if self._session.output is Output.TABLE:
            self._table(page)
        elif self._session.output is Output.JSONL:
            self._session.print(page, str, page.approvals)

    def end(self, whole: ListQueueResponse) -> None:
        """Print everything, where it is one document."""
        if self._session.output is Output.JSON:
            self._session.print(whole, str)

    def _table(self, page: ListQueueResponse) -> None:
        cells = tables.queue_cells(page.approvals, self._above, now=datetime.now(UTC))
        if not self._above:
            cells.insert(0, list(tables.QUEUE))
        columns = zip(self._widths, *cells, strict=True)
        self._widths = [max(width, *map(len, column)) for width, *column in columns] if cells else self._widths
        text = tables.aligned(cells, self._widths)
        if text:
            self._session.print(page, lambda: text)
        self._above = [*self._above, *page.approvals][-REMEMBERED:]
