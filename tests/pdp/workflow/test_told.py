"""A person hears on every channel what changes of what is the person's own."""

from pdp.audit.record import Kind, entry
from pdp.store.database import Database
from pdp.store.letters import Letters
from pdp.workflow.told import Told
from tests.pdp.chain import recorded, writing


async def test_change_of_what_is_a_persons_own_is_told_on_every_channel_once_and_recorded(database: Database) -> None:
    letters = Letters(database)
    async with writing(database) as writer:
        told, added = Told(writer, letters, ["mail", "slack"]), entry(Kind.PASSKEY_ADDED)
        await told.told("user:bob", added)
        await told.told("user:bob", entry(Kind.SESSION_ENDED))
    for channel in ("mail", "slack"):
        [due] = await letters.due(channel, 10)
        assert (due.letter.who, due.letter.record_id, due.letter.event) == ("user:bob", added.id, "passkey.added")
    assert [kind for kind, _ in await recorded(database)][:2] == ["passkey.added", "session.ended"]
