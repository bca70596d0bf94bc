"""How letters are tried: claimed, tried again, given up."""

from collections.abc import Awaitable, Callable

import pytest

from pdp.channels.notice import Refused
from pdp.channels.postman import Later, Outcome, Postman
from pdp.errors import EngineUnavailable
from pdp.notify.attempts import ATTEMPTS
from pdp.store.database import Database
from pdp.store.letters import DueLetter, Letter, Letters
from pdp.store.message_pace import MessagePace
from pdp.store.notifications import Errand, Notifications, Progress


def postman(
    database: Database,
    behave: Callable[[], Outcome],
    tried: list[str],
    check: Callable[[], Awaitable[None]] | None = None,
) -> Postman:
    async def deliver(due: DueLetter) -> Outcome:
        tried.append(due.id)
        return behave()

    return Postman("chat", Letters(database), Notifications(database), MessagePace(database), deliver, check)


async def stored(database: Database) -> tuple[str, int, str]:
    found = await database.database.get_collection("notifications").find_one({"_id": "one"}) or {}
    return found["progress"], found["attempts"], found["problem"]


async def add(database: Database) -> None:
    await Letters(database).add(Letter(id="one", channel="chat", errand=Errand.NOTE, who="user:bob"))


def refusing(error: Exception) -> Callable[[], Outcome]:
    def behave() -> Outcome:
        raise error

    return behave


async def test_letter_is_delivered_once(database: Database) -> None:
    tried: list[str] = []
    await add(database)
    carrier = postman(database, lambda: Progress.DELIVERED, tried)
    await carrier.send()
    await carrier.send()
    assert tried == ["one"]
    assert await stored(database) == ("delivered", 1, "")


async def test_letter_whose_time_has_not_come_waits_without_an_attempt(database: Database) -> None:
    tried: list[str] = []
    await add(database)
    await postman(database, lambda: Later(60), tried).send()
    assert await stored(database) == ("waiting", 0, "")


@pytest.mark.parametrize("error", [Refused("no such conversation"), EngineUnavailable("no such conversation")])
async def test_refused_letter_is_tried_again_and_says_why(database: Database, error: Exception) -> None:
    await add(database)
    carrier = postman(database, refusing(error), [])
    await carrier.send()
    assert await stored(database) == ("waiting", 1, "no such conversation")
    assert await carrier.is_healthy()


async def test_letter_that_cannot_be_made_stops_no_other(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await add(database)
    await postman(database, refusing(ValueError("address parts cannot contain CR or LF")), []).send()
    assert await stored(database) == ("waiting", 1, "the server could not make this message; its log says why")
    assert "could not be made" in caplog.text


async def test_last_attempt_ends_a_letter(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await add(database)
    collection = database.database.get_collection("notifications")
    await collection.update_one({"_id": "one"}, {"$set": {"attempts": ATTEMPTS - 1}})
    await postman(database, refusing(Refused("no")), []).send()
    assert await stored(database) == ("dead", ATTEMPTS, "no")
    assert "user:bob was not told" in caplog.text


async def test_channel_with_dead_credentials_rests_and_says_so(database: Database) -> None:
    tried: list[str] = []
    await add(database)
    carrier = postman(database, refusing(Refused("its token is not taken", dead=True)), tried)
    await carrier.send()
    await database.database.get_collection("notifications").update_many({}, [{"$set": {"due_at": "$$NOW"}}])
    await carrier.send()
    assert tried == ["one"]
    assert carrier.problem == "its token is not taken"
    assert not await carrier.is_healthy()


async def test_pause_that_the_vendor_asks_for_is_no_attempt(database: Database) -> None:
    await add(database)
    await postman(database, refusing(Refused("too many", retry_after=30)), []).send()
    assert await stored(database) == ("waiting", 0, "")
    assert await MessagePace(database).is_held("chat")


async def test_channel_that_is_back_gets_at_once_what_waited_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdp.channels.postman.AWAY_SECONDS", 0.0)
    tried: list[str] = []
    answers: list[Refused | None] = [Refused("away", away=True), None]  # what the channel says when it is looked for

    def behave() -> Outcome:
        if len(tried) == 1:
            raise Refused("away", away=True)
        return Progress.DELIVERED

    async def check() -> None:
        if answer := answers.pop(0):
            raise answer

    await add(database)
    carrier = postman(database, behave, tried, check)
    await carrier.send()
    await attempted(database, seconds_ago=60)
    await carrier.send()
    assert (tried, len(answers)) == (["one"], 1), "it is away still"
    await carrier.send()
    assert (tried, answers) == (["one", "one"], [])
    await carrier.send()
    assert await stored(database) == ("delivered", 2, "")


@pytest.mark.parametrize("error", [Refused("this address"), Refused("too many", retry_after=1)])
async def test_channel_that_refuses_one_message_is_not_looked_for(database: Database, error: Refused) -> None:
    async def check() -> None:
        raise AssertionError

    await add(database)
    carrier = postman(database, refusing(error), [], check)
    await carrier.send()
    await carrier.send()


async def attempted(database: Database, seconds_ago: int) -> None:
    """As if the last attempt was so long ago."""
    then = {"$subtract": ["$$NOW", seconds_ago * 1000]}
    await database.database.get_collection("notifications").update_many({}, [{"$set": {"tried_at": then}}])
