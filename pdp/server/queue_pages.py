"""Puts together the pages of what waits for a person."""

from pdp.config import Config
from pdp.http.route import Page
from pdp.inbox.events import Events
from pdp.inbox.queue import QueuePages
from pdp.server.approving import review_service
from pdp.server.flows import Flows
from pdp.server.parts import Parts


def queue_pages(config: Config, flows: Flows, parts: Parts) -> list[Page]:
    """The queue, what changes in it, and the history."""
    lists = QueuePages(review_service(config, flows, parts), flows.watching)
    return [*lists.routes(), *Events(flows.watching).routes()]
