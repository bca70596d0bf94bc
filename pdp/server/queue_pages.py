"""Puts together the pages of what waits for a person."""

from pdp.http.route import Page
from pdp.inbox.events import Events
from pdp.server.flows import Flows


def queue_pages(flows: Flows) -> list[Page]:
    """The queue, and what changes in it."""
    return [*Events(flows.watching).routes()]
