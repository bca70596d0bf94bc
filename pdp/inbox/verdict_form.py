"""The form of a verdict: its fields, and what they say. Every shape is checked here, with the field's name."""

import re
from binascii import Error
from collections.abc import Mapping

from google.protobuf import json_format

from pdp import canonical
from pdp.approval import ReviewVerdict
from pdp.assertion import Assertion, decoded
from pdp.bad_fields import BadFields
from pdp.channel import Channel
from pdp.errors import InvalidRequest
from pdp.v1.request_pb2 import Request
from pdp.workflow.reviewable import Submission

SIGNED = ("credential_id", "statement", "authenticator_data", "client_data", "signature")
"""What a passkey signed; all are empty where none did."""
ASKED = ("verdict", "reason", "expected_digest", "expected_version", "expected_lineage")
FIELDS = (*ASKED, "suggestion", "displayed", *SIGNED)
WORDS = ("reason", "suggestion")
"""The fields that a person types."""
_NO_REQUEST = "is not a request as JSON; edit the one that is shown"
_VERSION = re.compile(r"[1-9][0-9]{0,14}")
_BASE64 = re.compile(r"[A-Za-z0-9_-]+")


def submission(form: Mapping[str, str], realm: str) -> Submission:
    """The verdict of a form. Raises `InvalidRequest`."""
    with BadFields() as bad:
        verdict = bad.tried(_verdict, form["verdict"])
        version = bad.tried(_version, form["expected_version"])
        reason = bad.tried(words, form["reason"], required=verdict is ReviewVerdict.CHANGES_REQUESTED)
        suggestion = bad.tried(_suggestion, form.get("suggestion", ""), form["expected_digest"], realm, verdict)
        passkey = bad.tried(_passkey, form)
    return Submission(
        verdict=verdict,
        reason=reason,
        expected_digest=form["expected_digest"],
        expected_version=version,
        expected_lineage=form["expected_lineage"],
        suggestion=suggestion,
        channel=Channel.WEB,
        passkey=passkey,
    )


def words(text: str, *, required: bool) -> str:
    """What a person typed, with its line ends as they were before the browser sent them. Raises `InvalidRequest`."""
    typed = text.replace("\r\n", "\n")
    if required and not typed.strip():
        raise InvalidRequest.field("reason", "is required; say why")
    return canonical.checked_text(typed, "reason")


def _verdict(text: str) -> ReviewVerdict:
    if text not in ReviewVerdict.__members__:
        raise InvalidRequest.field("verdict", f"must be one of {', '.join(ReviewVerdict)}")
    return ReviewVerdict(text)


def _version(text: str) -> int:
    if not _VERSION.fullmatch(text):
        raise InvalidRequest.field("expected_version", "is not the number of a version")
    return int(text)


def _suggestion(text: str, digest: str, realm: str, verdict: ReviewVerdict | None) -> bytes:
    """The request that the reviewer would accept, in canonical form; empty where nothing was changed."""
    if not text.strip():
        return b""
    if verdict is not None and verdict is not ReviewVerdict.CHANGES_REQUESTED:
        raise InvalidRequest.field("suggestion", "goes with sending back only; leave it empty")
    if not text.lstrip().startswith("{"):
        raise InvalidRequest.field("suggestion", _NO_REQUEST)
    try:
        found = canonical.canonical(json_format.Parse(text, Request()), realm)
    except json_format.ParseError:
        raise InvalidRequest.field("suggestion", _NO_REQUEST) from None
    except InvalidRequest as error:
        raise InvalidRequest.fields([(f"suggestion.{path}", what) for path, what in error.violations]) from None
    return b"" if found.digest == digest else found.json


def _passkey(form: Mapping[str, str]) -> Assertion | None:
    """What a passkey signed. Raises `InvalidRequest`."""
    sent = {name: form.get(name, "") for name in SIGNED}
    if not any(sent.values()):
        return None
    with BadFields() as bad:
        for name, text in sent.items():
            bad.tried(_base64 if name != "statement" else _there, name, text)
    return Assertion(**sent)


def _base64(name: str, text: str) -> None:
    try:
        if _BASE64.fullmatch(text) and decoded(text):
            return
    except (ValueError, Error):
        pass
    raise InvalidRequest.field(name, "is not unpadded base64url")


def _there(name: str, text: str) -> None:
    if not text:
        raise InvalidRequest.field(name, "is required with a passkey")
