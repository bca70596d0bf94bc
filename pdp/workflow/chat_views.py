"""The views that chats show: each belongs to one account, and takes one verdict. What no server signed is refused."""

import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pdp.audit import channel_event
from pdp.caller import Caller
from pdp.chat_view import TOKEN_BYTES, ChatView, ChatViewSealer
from pdp.errors import PdpError
from pdp.recording.writer import Writer
from pdp.session import hashed
from pdp.store.chat_views import StoredChatViews
from pdp.store.database import Database
from pdp.view_errors import ViewAltered, ViewStale
from pdp.workflow.refused_clicks import RefusedClicks

log = logging.getLogger(__name__)

STALE: Final = "this view was used, is too old, or is not yours; review what is shown now"
"""What a person is told whose view takes no verdict any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Displayed:
    """What is shown of an approval to one person. `takes` are the verdicts offered, `rendered` the digest of it all."""

    approval: str
    digest: str
    version: int
    lineage: str
    takes: str
    rendered: str


class ChatViews:
    """The views of a deployment, and the records of what chats sent in vain."""

    def __init__(self, database: Database, writer: Writer, sealer: ChatViewSealer) -> None:
        self._database, self._writer, self._sealer = database, writer, sealer
        self._stored, self._clicks = StoredChatViews(database), RefusedClicks(database, writer)

    async def offer(self, token: str, caller: Caller, account: str, shown: Displayed) -> None:
        """Bind a new token to what one person is shown."""
        view = ChatView(
            id=hashed(token),
            identity=caller.identity,
            account=account,
            approval=shown.approval,
            digest=shown.digest,
            version=shown.version,
            lineage=shown.lineage,
            takes=shown.takes,
            rendered=shown.rendered,
            at=await self._database.now(),
        )
        await self._stored.insert(self._sealer.view(view))

    async def take(self, token: str, caller: Caller, account: str, rendered: Collection[str] | None) -> ChatView:
        """The view of a token, which takes no other verdict after this. `rendered` has the digest of what came back.

        It is None where the chat sends nothing back of what it showed.

        Raises `ViewStale`, and `ViewAltered` with an alarm where the chat showed something else.
        """
        view = await self._stored.take(hashed(token), account)
        if view is not None and not self._sealer.is_ours(view):
            log.error("a stored view of a chat was changed behind the servers' back; it is refused")
            await self._writer.append([channel_event.tampered()])
            view = None
        if view is None or view.identity != caller.identity:
            raise ViewStale(STALE)
        if rendered is not None and view.rendered not in rendered:
            raise self.altered(view)
        return view

    def altered(self, view: ChatView) -> ViewAltered:
        """The error of a view that came back as another than the one that was sent, with the alarm in the log."""
        log.error("ALARM: the chat showed %s something else of %s than was rendered", view.account, view.approval)
        sentence = "what was shown to you is not what this server sent; nothing was done; tell your operators"
        return ViewAltered(sentence, approval=view.approval)

    async def refused(self, channel: str, account: str, error: PdpError, identity: str, approval_id: str) -> None:
        """Record that a click or a verdict was refused, or count it where there are many."""
        await self._clicks.record(channel, account, error, identity, approval_id)

    async def is_new(self, signature: str) -> bool:
        """Whether this is the first time that any process sees a signature."""
        return await self._stored.is_new(hashed(signature))


def fresh() -> str:
    """A new token."""
    return secrets.token_urlsafe(TOKEN_BYTES)
