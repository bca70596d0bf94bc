"""The failures that lineage adds to those of `errors`."""

from pdp.errors import PdpError


class LineageStale(PdpError):
    """The server cannot say that it knows the newest of the data, or the revision asked for; nothing was decided."""

    code = "UNAVAILABLE"
    reason = "LINEAGE_STALE"
    retry_seconds = 1.0


class LineageChanged(PdpError):
    """What is known of the data changed since it was displayed; the metadata has the digest of what is known now."""

    code = "ABORTED"
    reason = "LINEAGE_CHANGED"
