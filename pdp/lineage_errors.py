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


class LineageOff(PdpError):
    """This server keeps no lineage: its configuration has no part `[lineage]`."""

    code = "FAILED_PRECONDITION"
    reason = "LINEAGE_OFF"


class DatasetAmbiguous(PdpError):
    """The resource stands for several datasets, and this is done to one: name the dataset by its own names."""

    code = "FAILED_PRECONDITION"
    reason = "DATASET_AMBIGUOUS"


class RevisionUnknown(PdpError):
    """The log has not come to this revision yet, or it cannot be read again."""

    code = "OUT_OF_RANGE"
    reason = "REVISION_UNKNOWN"
