"""What the head of a request must be, before anybody asks who sent it.

aiohttp's parser refuses broken HTTP. It lets pass what another server on the way may read in another way, and a
request that two servers read differently is an attack: so that is refused here.
"""

import re
from http import HTTPStatus

from aiohttp import HttpVersion10, HttpVersion11, web

from pdp.http.connection import MAX_HEADER_BYTES
from pdp.http.problem import Refusal

_FRAME_BYTES = 4
"""Bytes of a header beside its name and value."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:[0-9]*)?", re.ASCII)
"""A host and its port (RFC 3986, section 3.2), without the comma, by which a list of two would be one name."""
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")


def require_good(request: web.BaseRequest) -> None:
    """Raises `Refusal` where the head is too large, or is not that of HTTP/1.1 or HTTP/1.0."""
    size = len(request.raw_path) + sum(len(name) + len(value) + _FRAME_BYTES for name, value in request.raw_headers)
    if size > MAX_HEADER_BYTES:
        sentence = f"the headers have more than {MAX_HEADER_BYTES} bytes together; send fewer"
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)
    if request.version not in {HttpVersion10, HttpVersion11}:
        raise Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "send HTTP/1.1; HTTP/2 ends at your ingress")
    if any(not _HOST.fullmatch(host) for host in request.headers.getall("Host", [])):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Host: send a host, with its port where it has one")
    codings = request.headers.getall("Transfer-Encoding", [])
    if [coding.strip().lower() for coding in codings] not in ([], ["chunked"]):
        sentence = "Transfer-Encoding: only chunked is known here, once"
        raise Refusal(HTTPStatus.NOT_IMPLEMENTED, sentence, Connection="close")  # where it ends is in doubt


def remaining(request: web.BaseRequest) -> float | None:
    """The seconds that `X-Request-Timeout` says; None if it is not there. Raises `Refusal`."""
    sent = request.headers.getall("X-Request-Timeout", [])
    if not sent:
        return None
    if len(sent) > 1 or not _SECONDS.fullmatch(sent[0]):
        raise Refusal(HTTPStatus.BAD_REQUEST, "X-Request-Timeout: send seconds, such as 1.5, once")
    return float(sent[0])


def path(request: web.BaseRequest) -> str:
    """The path of the target, as it was sent. A target may have the host in it (RFC 9112, section 3.2.2)."""
    target = request.raw_path
    return target.partition("?")[0] if target.startswith("/") else request.rel_url.raw_path
