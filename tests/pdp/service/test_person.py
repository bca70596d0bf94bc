"""What a person chooses by RPC of how to be told: it is the person's own, and is refused with its fields."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.person_pb2 import GetPreferencesRequest, GetPreferencesResponse, SetPreferencesRequest
from tests.parts import Placet, log, placet
from tests.pdp.wire import refused
from tests.told import Chat, way

NIGHT = "22:00-07:00 Europe/Berlin"


@pytest.fixture(scope="module")
async def own(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    ways = [way(Chat(name="mail"), "bob"), way(Chat(name="slack"), "bob", "carol")]
    async with placet(state, mongod.uri, ways=ways) as running:
        yield running


async def preferences(server: Placet, person: str) -> GetPreferencesResponse:
    return await server.person.GetPreferences(GetPreferencesRequest(), metadata=server.metadata(person))


async def test_person_chooses_sees_it_and_goes_back_and_each_change_is_recorded(own: Placet) -> None:
    bob = own.metadata("bob")
    before = await preferences(own, "bob")
    assert (list(before.channels), list(before.muted), before.quiet) == (["mail", "slack"], [], "")
    assert not before.HasField("chosen_at")
    await own.person.SetPreferences(SetPreferencesRequest(muted=["slack"], quiet=NIGHT), metadata=bob)
    chosen = await preferences(own, "bob")
    assert (list(chosen.channels), list(chosen.muted), chosen.quiet) == (["mail", "slack"], ["slack"], NIGHT)
    assert chosen.HasField("chosen_at")
    carols = await preferences(own, "carol")
    assert (list(carols.channels), list(carols.muted), carols.HasField("chosen_at")) == (["slack"], [], False)
    await own.person.SetPreferences(SetPreferencesRequest(reset=True), metadata=bob)
    assert await preferences(own, "bob") == before
    held = [held for _, held in await log(own, "preference.changed")]
    assert [(one["identity"], one["after"]) for one in held] == [
        ("user:bob", {"muted": ["slack"], "quiet": NIGHT}),
        ("user:bob", None),
    ]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (SetPreferencesRequest(muted=["teams"]), ("muted[0]",)),
        (SetPreferencesRequest(muted=["mail", "mail"], quiet="at night"), ("muted[1]", "quiet")),
        (SetPreferencesRequest(muted=["mail"], reset=True), ("reset",)),
        (SetPreferencesRequest(quiet=NIGHT, reset=True), ("reset",)),
    ],
)
async def test_choice_of_another_form_is_refused(
    own: Placet, request_: SetPreferencesRequest, fields: tuple[str, ...]
) -> None:
    bad = await refused(own.person.SetPreferences(request_, metadata=own.metadata("carol")))
    assert (bad.code, bad.fields) == ("INVALID_ARGUMENT", fields)
    assert not (await preferences(own, "carol")).HasField("chosen_at")


async def test_program_has_no_preferences(own: Placet) -> None:
    for call in (
        own.person.GetPreferences(GetPreferencesRequest(), metadata=own.metadata("report-bot")),
        own.person.SetPreferences(SetPreferencesRequest(), metadata=own.metadata("report-bot")),
    ):
        assert (await refused(call)).code == "PERMISSION_DENIED"
