"""The page on which people see who they are here, and log out."""

from pdp.http.login import ANYBODY
from pdp.http.route import Answer, Page, PageCall
from pdp.inbox import look
from pdp.session import LONGEST

ME = "/inbox/me"


def routes() -> list[Page]:
    """What is offered."""
    return [Page("GET", ME, ANYBODY, _me)]


async def _me(call: PageCall) -> Answer:
    caller, session = call.caller, call.present.session
    return look.shown(
        "me",
        {
            "identity": caller.identity,
            "roles": sorted(caller.roles),
            "groups": caller.groups,
            "elsewhere": caller.claims_elsewhere,
            "ends": session.ends_at.isoformat(timespec="seconds"),
            "latest": (session.began_at + LONGEST).isoformat(timespec="seconds"),
            "form_token": call.form_token,
        },
    )
