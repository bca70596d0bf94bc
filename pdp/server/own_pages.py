"""Puts together the pages of what is a person's own: passkeys, accounts of a chat, and how to be told."""

from collections.abc import Sequence

from pdp.config import Config
from pdp.http.route import Entrance, Page
from pdp.inbox.me import Me
from pdp.inbox.passkeys import PasskeyPages
from pdp.opa.batching import Batcher
from pdp.server.linking import SlackIssuer, slack_linking
from pdp.server.parts import Parts
from pdp.workflow.choosing import Choosing


def own_pages(
    config: Config, url: str, parts: Parts, batcher: Batcher, slack_issuer: SlackIssuer, choosing: Choosing
) -> Sequence[Page | Entrance]:
    """The pages at `url`. Raises `SetupError`."""
    people = parts.people
    linking = slack_linking(config, url, parts, batcher, slack_issuer)
    me = Me(people.passkeys, people.links, choosing, links_slack=linking is not None)
    passkeys = PasskeyPages(config.realm, people.site, people.passkeys, parts.logins.sessions)
    return [*me.routes(), *passkeys.routes(), *(linking.routes() if linking else ())]
