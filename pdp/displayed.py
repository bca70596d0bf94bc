"""What a reviewer was shown of an approval's data -> the digest that a review sends of it."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence

from pdp.canonical import jcs
from pdp.errors import PdpError
from pdp.v1.approval_pb2 import Approval


class NotAsDisplayed(PdpError):
    """What was displayed is not what would be approved."""

    code = "FAILED_PRECONDITION"
    reason = "NOT_AS_DISPLAYED"


def expected_lineage(displayed: Approval) -> str:
    """`ReviewRequest.expected_lineage` of an approval as it was displayed; empty where it shows no data.

    It is computed from what was displayed; of columns that were too many to display, it is the server's. Raises
    `NotAsDisplayed` where the server's is another.
    """
    shown = displayed.lineage
    if not displayed.HasField("lineage"):
        return ""
    if shown.truncated:
        return shown.digest
    datasets = [{"namespace": one.namespace, "name": one.name} for one in shown.datasets]
    columns = {column.name: [*column.tags] for column in shown.columns}
    if len(columns) < len(shown.columns) or digest(datasets, [*shown.tags], columns) != shown.digest:
        raise NotAsDisplayed("what is displayed of the data is not what would be reviewed; leave it alone")
    return shown.digest


def digest(datasets: Sequence[Mapping[str, str]], tags: Sequence[str], columns: Mapping[str, Sequence[str]]) -> str:
    """The digest of what is shown of data: unpadded base64url of the SHA-256 of the RFC 8785 form."""
    return urlsafe_b64encode(hashlib.sha256(form(datasets, tags, columns)).digest()).rstrip(b"=").decode()


def form(datasets: Sequence[Mapping[str, str]], tags: Sequence[str], columns: Mapping[str, Sequence[str]]) -> bytes:
    """The RFC 8785 form of what is shown of data."""
    shown = {"columns": {name: [*own] for name, own in columns.items()}, "datasets": [*datasets], "tags": [*tags]}
    return jcs(shown, plain=all(map(str.isascii, columns)))
