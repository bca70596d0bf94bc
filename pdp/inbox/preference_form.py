"""The form in which people choose how they are told: what it shows and says. Each field is checked here. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.bad_fields import BadFields
from pdp.errors import InvalidRequest
from pdp.http.problem import fields
from pdp.inbox.look import Exact
from pdp.quiet import Quiet
from pdp.workflow.choosing import Current

WORDS = ("quiet_from", "quiet_to", "quiet_zone")
"""The fields that a person types: two times of a day, and a time zone."""
FIELDS = ("shown", *WORDS)
"""`shown` are the channels that have a checkbox. Of a channel that was not shown, what was chosen stays."""
TICKS = re.compile(r"channel_[a-z]{1,32}")
"""The checkboxes. A browser sends those that are ticked."""
_TICK, _TICKED = "channel_", "on"
_LABELS = {"mail": "E-mail", "slack": "Slack", "teams": "Microsoft Teams"}
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Chosen(NamedTuple):
    """What a form says."""

    muted: tuple[str, ...]
    quiet: str


def chosen(form: Mapping[str, str], channels: Collection[str], before: Sequence[str]) -> Chosen:
    """What a form says at a server with these channels, of which the person had muted some before.

    Raises `InvalidRequest` with all fields at fault.
    """
    with BadFields() as bad:
        muted = bad.tried(_muted, form, channels, before)
        quiet = bad.tried(_quiet, form)
    return Chosen(muted, quiet)


def members(
    current: Current, form: Mapping[str, str] | None = None, refused: InvalidRequest | None = None
) -> dict[str, Any]:
    """What the template shows: how the person is told now, or what was typed into a form that was refused."""
    typed = _of(current) if form is None else form
    return {
        "shown": " ".join(current.channels),
        "channels": [
            {"field": _TICK + name, "label": _LABELS.get(name, name), "told": _TICK + name in typed}
            for name in current.channels
        ],
        "typed": {name: Exact(typed.get(name, "")) for name in WORDS},
        "chosen_at": current.chosen_at,
        "wrong": fields(refused) if refused else [],
    }


def _of(current: Current) -> Mapping[str, str]:
    """The form in which nothing has been changed yet."""
    ticks = {_TICK + name: _TICKED for name in current.channels if name not in current.muted}
    quiet = current.quiet
    if quiet is None:
        return ticks
    hours = (f"{quiet.begins:%H:%M}", f"{quiet.ends:%H:%M}", quiet.zone.key)
    return {**ticks, **dict(zip(WORDS, hours, strict=True))}


def _muted(form: Mapping[str, str], channels: Collection[str], before: Sequence[str]) -> tuple[str, ...]:
    shown = form["shown"].split(" ", len(channels)) if form["shown"] else []
    if len(set(shown)) < len(shown) or not set(shown) <= set(channels):
        raise InvalidRequest.field("shown", "names channels that this server does not have; open the page again")
    ticked = {name.removeprefix(_TICK): value for name, value in form.items() if name.startswith(_TICK)}
    bad = [
        (_TICK + name, f"must be `{_TICKED}` where it is ticked" if name in shown else "is not a checkbox of this form")
        for name, value in ticked.items()
        if name not in shown or value != _TICKED
    ]
    if bad:
        raise InvalidRequest.fields(bad)
    kept = (name for name in before if name in channels and name not in shown)
    return (*kept, *(name for name in shown if name not in ticked))


def _quiet(form: Mapping[str, str]) -> str:
    """The hours; empty where all three fields are."""
    begins, ends, zone = (form[name].strip() for name in WORDS)
    if not (begins or ends or zone):
        return ""
    bad = [
        (name, "must be a time in 24 hours, such as 22:00; leave all three empty for no quiet hours")
        for name, text in zip(WORDS, (begins, ends), strict=False)
        if not _TIME.fullmatch(text)
    ]
    if Quiet.of(f"00:00-12:00 {zone}") is None:
        bad.append(("quiet_zone", "must be the name of a time zone, such as Europe/Berlin"))
    if not bad and begins == ends:
        bad.append(("quiet_to", "must be another time than the first; leave all three empty for no quiet hours"))
    if bad:
        raise InvalidRequest.fields(bad)
    return f"{begins}-{ends} {zone}"
