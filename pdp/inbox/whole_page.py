"""What the page of an approval is made of: all that `GetApproval` tells this person, and its forms."""

from collections.abc import Mapping
from typing import Any

from pdp.caller import Caller
from pdp.canonical import canonical
from pdp.errors import PdpError
from pdp.http.problem import above_fields, fields
from pdp.inbox import displayed, verdict_form
from pdp.inbox.events import WATCH
from pdp.inbox.look import Exact, now
from pdp.inbox.record import GET
from pdp.v1.approval_pb2 import GetApprovalResponse
from pdp.view.shown import Shown, of_answer


def members(answer: GetApprovalResponse, realm: str, caller: Caller, form_token: str) -> dict[str, Any]:
    """What the template shows of an approval to this person."""
    shown, found = of_answer(answer), canonical(answer.approval.request, realm)
    return {
        "shown": shown,
        "lines": displayed.lines(shown.request),
        "line": displayed.line,
        "bytes": displayed.in_base64(found),
        "editable": Exact(displayed.editable(found)),
        "realm": realm,
        "reviewer": caller.identity,
        "lineage": shown.data.digest.text if shown.data else "",
        "follows": caller.can_call(WATCH),
        "audits": caller.can_call(GET),
        "may_sign": any(one.wants_passkey and one.missing for one in shown.needs),
        "form_token": form_token,
        "is_denied_now": _is_denied_now(shown),
        **_offers(shown, caller),
    }


def told(refused: PdpError | None, form: Mapping[str, str]) -> dict[str, Any]:
    """Why a form was refused, if it was, and what was typed into it."""
    typed = {name: Exact(form.get(name, "")) for name in (*verdict_form.WORDS, "verdict")}
    if refused is None:
        return {"refused": "", "violations": [], "typed": typed}
    return {"refused": above_fields(refused), "violations": fields(refused), "typed": typed}


def _offers(shown: Shown, caller: Caller) -> dict[str, bool]:
    """Which of the forms are shown; each is checked again when it comes."""
    own, may = caller.identity, bool(shown.you and shown.you.may)
    may_not = {one.text for one in shown.principals}
    has_denied = any((one.reviewer.text, one.verdict) == (own, "DENY") for one in shown.reviews)
    return {
        "may_review": may,
        "may_revoke": shown.state == "APPROVED" and "reviewer" in caller.roles and own not in may_not,
        "may_take_back": shown.state == "DENIED" and _is_denied_now(shown) and has_denied,
    }


def _is_denied_now(shown: Shown) -> bool:
    """Whether the same request is denied again at the moment, which is also how long a denial may be taken back."""
    return shown.denied_until is not None and shown.denied_until > now()
