"""PersonService: what a person says of itself."""

from pdp.assertion import decoded, encoded
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.service.message import timestamp
from pdp.v1.person_pb2 import (
    AccountLink,
    GetPreferencesRequest,
    GetPreferencesResponse,
    ListLinksRequest,
    ListLinksResponse,
    ListPasskeysRequest,
    ListPasskeysResponse,
    Passkey,
    RemoveLinkRequest,
    RemoveLinkResponse,
    RemovePasskeyRequest,
    RemovePasskeyResponse,
    SetPreferencesRequest,
    SetPreferencesResponse,
)
from pdp.workflow.choosing import Choosing
from pdp.workflow.links import Links
from pdp.workflow.passkeys import Passkeys


class PersonService:
    """For people, each of whom sees and changes only what is their own."""

    def __init__(self, passkeys: Passkeys, links: Links, choosing: Choosing) -> None:
        self._passkeys, self._links, self._choosing = passkeys, links, choosing

    async def ListPasskeys(self, request: ListPasskeysRequest, caller: Caller) -> ListPasskeysResponse:  # noqa: ARG002
        """The caller's passkeys."""
        held = await self._passkeys.held(caller.identity)
        return ListPasskeysResponse(
            passkeys=[
                Passkey(
                    credential_id=decoded(one.id),
                    added_at=timestamp(one.added_at),
                    counts_from=timestamp(one.counts_from),
                )
                for one in held
            ]
        )

    async def RemovePasskey(self, request: RemovePasskeyRequest, caller: Caller) -> RemovePasskeyResponse:
        """Removes one of them at once."""
        await self._passkeys.remove(caller.identity, encoded(request.credential_id))
        return RemovePasskeyResponse()

    async def ListLinks(self, request: ListLinksRequest, caller: Caller) -> ListLinksResponse:  # noqa: ARG002
        """The caller's chat accounts."""
        held = await self._links.held(caller.identity)
        return ListLinksResponse(
            links=[AccountLink(account=link.account, linked_at=timestamp(link.at)) for link in held]
        )

    async def RemoveLink(self, request: RemoveLinkRequest, caller: Caller) -> RemoveLinkResponse:
        """Ends the link of one of them at once."""
        await self._links.remove(caller.identity, request.account)
        return RemoveLinkResponse()

    async def GetPreferences(self, request: GetPreferencesRequest, caller: Caller) -> GetPreferencesResponse:  # noqa: ARG002
        """How the caller is told of requests."""
        now = await self._choosing.current(caller.identity)
        return GetPreferencesResponse(
            channels=now.channels,
            muted=now.muted,
            quiet=now.quiet.text if now.quiet else "",
            chosen_at=timestamp(now.chosen_at) if now.chosen_at else None,
        )

    async def SetPreferences(self, request: SetPreferencesRequest, caller: Caller) -> SetPreferencesResponse:
        """Chooses how the caller is told of requests."""
        if not request.reset:
            await self._choosing.choose(caller.identity, request.muted, request.quiet)
            return SetPreferencesResponse()
        if request.muted or request.quiet:
            raise InvalidRequest.field("reset", "goes with no other field")
        await self._choosing.reset(caller.identity)
        return SetPreferencesResponse()
