"""What lineage refuses, in the terms of `errors`."""

from pdp.errors import PdpError


class LineageOff(PdpError):
    """This server keeps no lineage: its configuration has no part `[lineage]`."""

    code = "FAILED_PRECONDITION"
    reason = "LINEAGE_OFF"


class DatasetAmbiguous(PdpError):
    """The resource stands for several datasets, and this is done to one: name the dataset by its own names."""

    code = "FAILED_PRECONDITION"
    reason = "DATASET_AMBIGUOUS"


class LineageChanged(PdpError):
    """What is known of the data is not what the caller saw; look at it again."""

    code = "ABORTED"
    reason = "LINEAGE_CHANGED"


class RevisionUnknown(PdpError):
    """The log has not come to this revision yet, or it cannot be read again."""

    code = "OUT_OF_RANGE"
    reason = "REVISION_UNKNOWN"


class LineageStale(PdpError):
    """This process cannot confirm the newest revision of lineage, or what it read does not verify."""

    code = "UNAVAILABLE"
    reason = "LINEAGE_STALE"
    retry_seconds = 1.0
