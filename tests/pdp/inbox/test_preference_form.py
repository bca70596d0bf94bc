"""The form in which people choose how they are told: what it shows, and what is refused with which field."""

from datetime import UTC, datetime

import pytest

from pdp.errors import InvalidRequest
from pdp.inbox.preference_form import WORDS, chosen, members
from pdp.quiet import Quiet
from pdp.workflow.choosing import Current

CHANNELS = ("mail", "slack", "teams")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def form(*ticked: str, shown: str = "mail slack", hours: tuple[str, str, str] = ("", "", "")) -> dict[str, str]:
    ticks = {f"channel_{name}": "on" for name in ticked}
    return {"shown": shown, **ticks, **dict(zip(WORDS, hours, strict=True))}


def test_what_is_not_ticked_is_muted_and_what_was_not_shown_stays() -> None:
    assert chosen(form("mail", "slack"), CHANNELS, ()) == ((), "")
    assert chosen(form("mail"), CHANNELS, ()) == (("slack",), "")
    assert chosen(form("mail", "slack"), CHANNELS, ("slack", "teams")) == (("teams",), "")
    assert chosen(form(shown=""), CHANNELS, ("mail", "gone")) == (("mail",), "")


def test_hours_are_those_of_the_data_s_form_and_blank_is_none() -> None:
    assert chosen(form(hours=("22:00", "07:00", "Europe/Berlin")), CHANNELS, ()).quiet == "22:00-07:00 Europe/Berlin"
    assert chosen(form(hours=(" 22:00 ", "07:00", "UTC ")), CHANNELS, ()).quiet == "22:00-07:00 UTC"
    assert chosen(form(hours=(" ", "", "")), CHANNELS, ()).quiet == ""


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (form("teams"), ["channel_teams"]),
        (form("sms"), ["channel_sms"]),
        ({**form(), "channel_mail": "off"}, ["channel_mail"]),
        (form(shown="mail sms"), ["shown"]),
        (form(shown="mail mail"), ["shown"]),
        (form(shown="mail  slack"), ["shown"]),
        (form(*(f"x{number}" for number in range(900)), shown=" " * 60_000), ["shown"]),
        (form(hours=("10 pm", "07:00", "UTC")), ["quiet_from"]),
        (form(hours=("24:00", "7:00", "UTC")), ["quiet_from", "quiet_to"]),
        (form(hours=("22:00", "", "UTC")), ["quiet_to"]),
        (form(hours=("22:00", "07:00", "")), ["quiet_zone"]),
        (form(hours=("22:00", "07:00", "CEST+x y")), ["quiet_zone"]),
        (form(hours=("22:00", "07:00", "../../etc/passwd")), ["quiet_zone"]),
        (form(hours=("", "", "UTC")), ["quiet_from", "quiet_to"]),
        (form(hours=("22:00", "22:00", "UTC")), ["quiet_to"]),
        (form("teams", hours=("22", "7", "here")), ["channel_teams", "quiet_from", "quiet_to", "quiet_zone"]),
    ],
)
def test_field_that_says_something_else_is_named(given: dict[str, str], fields: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        chosen(given, CHANNELS, ())
    assert [field for field, _ in refused.value.violations] == fields
    shown = members(Current(("mail",), (), None, None), given, refused.value)
    assert [one["field"] for one in shown["wrong"]] == fields
    assert {name: shown["typed"][name].text for name in WORDS} == {name: given[name] for name in WORDS}


def test_form_shows_what_counts_now() -> None:
    current = Current(("mail", "slack"), ("slack", "teams"), Quiet.of("22:00-07:00 Europe/Berlin"), AT)
    shown = members(current)
    assert [(one["label"], one["told"]) for one in shown["channels"]] == [("E-mail", True), ("Slack", False)]
    assert (shown["shown"], shown["chosen_at"], shown["wrong"]) == ("mail slack", AT, [])
    assert [shown["typed"][name].text for name in WORDS] == ["22:00", "07:00", "Europe/Berlin"]
    nothing = members(Current((), (), None, None))
    assert (nothing["shown"], nothing["channels"]) == ("", [])
    assert not any(nothing["typed"].values())
