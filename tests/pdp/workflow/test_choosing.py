"""What counts of how a person is told: what the person chose before what the data says."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from pdp.errors import InvalidRequest
from pdp.preference import PreferenceSealer
from pdp.quiet import Quiet
from pdp.store.database import Database
from pdp.workflow.choosing import Choosing
from pdp.workflow.contacts import Contact
from pdp.workflow.preferences import Preferences
from pdp.workflow.told import Told
from tests.pdp.chain import KEY, writing

DATA, OWN = Quiet.of("22:00-07:00 Europe/Berlin"), Quiet.of("12:00-13:00 UTC")


class Data:
    """A policy whose data has quiet hours for everybody."""

    async def of(self, _: str) -> Contact:
        return Contact(quiet=DATA)


async def address(channel: str, identity: str) -> str:
    """Mail knows bob alone, and Slack bob and carol."""
    return identity if identity == "user:bob" or (channel, identity) == ("slack", "user:carol") else ""


@pytest.fixture
async def choosing(database: Database) -> AsyncIterator[Choosing]:
    async with writing(database) as writer:
        preferences = Preferences(database, Told(writer), PreferenceSealer(KEY, "dev"))
        yield Choosing(preferences, Data(), {name: partial(address, name) for name in ("mail", "slack")})  # type: ignore[arg-type]


async def test_without_a_choice_the_data_says_it(choosing: Choosing) -> None:
    current = await choosing.current("user:carol")
    assert (current.channels, current.muted, current.quiet, current.chosen_at) == (("slack",), (), DATA, None)
    assert (await choosing.muted("user:carol"), await choosing.quiet("user:carol")) == ((), DATA)


async def test_choice_counts_before_the_data_also_where_it_has_no_hours(choosing: Choosing) -> None:
    await choosing.choose("user:bob", ["mail"], "12:00-13:00 UTC")
    current = await choosing.current("user:bob")
    assert (current.channels, current.muted, current.quiet) == (("mail", "slack"), ("mail",), OWN)
    assert current.chosen_at is not None
    assert (await choosing.muted("user:bob"), await choosing.quiet("user:bob")) == (("mail",), OWN)
    await choosing.choose("user:bob", [], "")
    assert await choosing.quiet("user:bob") is None
    assert await choosing.quiet("user:carol") == DATA
    await choosing.reset("user:bob")
    assert await choosing.quiet("user:bob") == DATA


@pytest.mark.parametrize(
    ("muted", "quiet", "fields"),
    [
        (["sms"], "", ["muted[0]"]),
        (["mail", ""], "", ["muted[1]"]),
        (["mail", "mail"], "", ["muted[1]"]),
        ([f"{number:x}" for number in range(20_000)], "", ["muted"]),
        ([], "22-7", ["quiet"]),
        ([], "22:00-22:00 UTC", ["quiet"]),
        ([], " ", ["quiet"]),
        (["sms"], "22:00-07:00 Nowhere/City", ["muted[0]", "quiet"]),
    ],
)
async def test_choice_of_another_form_is_refused_with_its_fields(
    choosing: Choosing, muted: list[str], quiet: str, fields: list[str]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await choosing.choose("user:bob", muted, quiet)
    assert [field for field, _ in refused.value.violations] == fields
    assert (await choosing.current("user:bob")).chosen_at is None
