"""InfoService: what a client needs to know of this server."""

from pdp import __version__, canonical, deadline, i_json
from pdp.caller import Caller
from pdp.opa.queries import Opa
from pdp.service import batch
from pdp.signing_keys import SigningKeys
from pdp.site import Site
from pdp.v1.info_pb2 import CallerInfo, GetServerInfoRequest, GetServerInfoResponse, Limits
from pdp.workflow.watching import WAIT_SECONDS

MESSAGE_BYTES = 4 * 1024 * 1024
"""Bytes of one gRPC message, either way: what clients in every language take by default."""

FEATURES = ("context_json", "expected_digest", "properties_json")
"""What this server takes that older ones do not."""


class InfoService:
    """The server's facts."""

    def __init__(
        self, realm: str, opa: Opa, opa_version: str, signing: SigningKeys, site: Site, *, stream_seconds: float
    ) -> None:
        self._realm, self._opa, self._opa_version, self._site = realm, opa, opa_version, site
        self._stream_seconds = stream_seconds
        self._jwks, self._audit_jwks = signing.jwks, signing.audit_jwks

    async def GetServerInfo(self, request: GetServerInfoRequest, caller: Caller) -> GetServerInfoResponse:  # noqa: ARG002
        """For anyone who is authenticated."""
        return GetServerInfoResponse(
            version=__version__,
            opa_version=self._opa_version,
            realm=self._realm,
            policy_revision=await self._opa.revision(),
            jwks=self._jwks,
            audit_jwks=self._audit_jwks,
            limits=Limits(
                message_bytes=MESSAGE_BYTES,
                request_bytes=canonical.MAX_REQUEST_BYTES,
                batch_bytes=batch.MAX_BYTES,
                batch_items=batch.MAX_ITEMS,
                nesting=i_json.MAX_NESTING,
                default_seconds=deadline.DEFAULT_SECONDS,
                mask_default_seconds=deadline.MASK_SECONDS,
                max_seconds=deadline.MAX_SECONDS,
                wait_seconds=WAIT_SECONDS,
                stream_seconds=self._stream_seconds,
                stream_idle_seconds=deadline.IDLE_SECONDS,
            ),
            caller=CallerInfo(
                identity=caller.identity,
                kind=caller.kind,
                roles=sorted(caller.roles),
                groups=caller.groups,
                claims_elsewhere=caller.claims_elsewhere,
            ),
            features=FEATURES,
            inbox=self._site.inbox,
        )
