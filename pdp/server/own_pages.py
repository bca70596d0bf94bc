"""Puts together the pages of what is a person's own: passkeys, accounts of a chat, and how to be told."""

from collections.abc import Sequence

from pdp.config import Config
from pdp.http.route import Entrance, Page
from pdp.inbox.me import Me
from pdp.inbox.passkeys import PasskeyPages
from pdp.opa.batching import Batcher
from pdp.server.linking import linkings
from pdp.server.outside import Outside
from pdp.server.parts import Parts
from pdp.workflow.choosing import Choosing


def own_pages(
    config: Config, url: str, parts: Parts, batcher: Batcher, outside: Outside, choosing: Choosing
) -> Sequence[Page | Entrance]:
    """The pages at `url`."""
    people = parts.people
    offered = linkings(config, url, parts, batcher, outside.slack_issuer, outside.microsoft)
    me = Me(people.passkeys, people.links, choosing, [linking.service for linking in offered])
    passkeys = PasskeyPages(config.realm, people.site, people.passkeys, parts.logins.sessions)
    return [*me.routes(), *passkeys.routes(), *(route for linking in offered for route in linking.routes())]
