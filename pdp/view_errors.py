"""Why a verdict that came from a view in a chat was not taken."""

from pdp.errors import PdpError


class ViewStale(PdpError):
    """The view is another account's, was used, is too old, or shows another version of the approval."""

    code = "ABORTED"
    reason = "VIEW_STALE"


class ViewAltered(PdpError):
    """What the chat showed is not what the server rendered: somebody else changed it. The view has ended."""

    code = "FAILED_PRECONDITION"
    reason = "VIEW_ALTERED"
