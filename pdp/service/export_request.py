"""What a request for the log asks for, once its shape is checked."""

from collections.abc import Sequence

from pdp.audit.batch import WRITER_BYTES
from pdp.errors import InvalidRequest
from pdp.v1.audit_pb2 import ExportRecordsRequest

MOST_WRITERS = 20_000
"""Writers that one request may name: a limit of the contract. Each takes 28 bytes of the 4 MiB of a message."""


def asked(request: ExportRecordsRequest) -> tuple[dict[bytes, int], Sequence[bytes]]:
    """The places behind which the log is asked for, and the writers that are asked for."""
    if request.newest_only and (request.after or request.writers):
        raise InvalidRequest.field("newest_only", "takes no places and no writers")
    require_each_once("after", [place.writer for place in request.after], MOST_WRITERS)
    require_each_once("writers", request.writers, MOST_WRITERS)
    for index, place in enumerate(request.after):
        if place.seq < -1:
            raise InvalidRequest.field(f"after[{index}].seq", "must be -1 or more")
    return {place.writer: place.seq for place in request.after}, request.writers


def require_each_once(name: str, writers: Sequence[bytes], most: int) -> None:
    """Raise `InvalidRequest` unless these are at most so many writers' ids, each once."""
    if len(writers) > most:
        raise InvalidRequest.field(name, f"has more than {most:,} writers")
    if any(len(writer) != WRITER_BYTES for writer in writers):
        raise InvalidRequest.field(name, f"names a writer that does not have {WRITER_BYTES} bytes")
    if len(set(writers)) < len(writers):
        raise InvalidRequest.field(name, "names a writer twice")
