"""The form of one verdict on several approvals: which were chosen, and what was displayed of each."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from pdp import identifier
from pdp.errors import InvalidRequest
from pdp.http.problem import Refusal
from pdp.inbox import verdict_form
from pdp.inbox.filters import ON
from pdp.workflow.reviewable import Submission

MOST = 20
"""Approvals of one page: each is read and shown as a whole, and a person looks at them."""
FIELDS, WORDS = ("verdict", "reason"), ("reason",)
_EACH = ("approval", "digest", "version", "lineage", "displayed")
OTHERS = re.compile(rf"({'|'.join(_EACH)})_(0|[1-9][0-9]?)")
"""The fields of each approval, by its place on the page."""


class Said(NamedTuple):
    """The verdict on one of them. `displayed` is what the page's script computed, sent in `field`."""

    id: str
    submission: Submission
    displayed: str
    field: str


def chosen(query: Mapping[str, str]) -> list[str]:
    """The ids of those that were ticked. Raises `InvalidRequest` and `Refusal`."""
    bad = [(name, f'is an approval\'s id, with the value "{ON}"') for name in query if not _is_id(name)]
    bad += [(name, f'is "{ON}", or it is left out') for name, value in query.items() if value != ON]
    if bad:
        raise InvalidRequest.fields(bad)
    if not 1 <= len(query) <= MOST:
        number = "no request is" if not query else f"{len(query)} requests are"
        sentence = f"{number} chosen; go back to the queue and tick those that you want to read, 1 to {MOST} of them"
        raise Refusal(HTTPStatus.BAD_REQUEST, sentence)
    return list(query)


def submissions(form: Mapping[str, str]) -> list[Said]:
    """The verdict on each, in their order on the page. Raises `InvalidRequest`."""
    if form["verdict"] not in {"APPROVE", "DENY"}:
        raise InvalidRequest.field("verdict", "must be APPROVE or DENY")
    places = sorted({int(name.rpartition("_")[2]) for name in form if OTHERS.fullmatch(name)})
    wanted = [f"{name}_{place}" for place in places for name in _EACH]
    if missing := [(name, "is required") for name in wanted if name not in form]:
        raise InvalidRequest.fields(missing)
    said = [_said(form, place) for place in places]
    if not 1 <= len({one.id for one in said}) == len(said) <= MOST:
        raise InvalidRequest.field("approval", f"must name 1 to {MOST} requests, each once")
    return said


def _said(form: Mapping[str, str], place: int) -> Said:
    approval, digest, version, lineage, displayed = (form[f"{name}_{place}"] for name in _EACH)
    if not _is_id(approval):
        raise InvalidRequest.field(f"approval_{place}", "is not the id of an approval")
    seen = {"expected_digest": digest, "expected_version": version, "expected_lineage": lineage}
    submission = verdict_form.submission({**{name: form[name] for name in FIELDS}, **seen}, "")
    return Said(approval, submission, displayed, f"displayed_{place}")


def _is_id(text: str) -> bool:
    return text.startswith("apr_") and identifier.uuid_bytes(text) is not None
