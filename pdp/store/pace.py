"""The pace of individual reviews: when each person's last one was. A step and its turn are one change."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from pdp.store.database import Database, Document, Outrun, unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's next individual review, at least `every_ms` after the last one. With 0 it only counts as the last."""

    person: str
    every_ms: int


class TooSoon(Exception):
    """The last individual review of the turn's person is less than `every_ms` ago."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


class Pace:
    """One document for each person. Its stamp and a step on an approval are one transaction.

    So of two steps that two servers take for one person at the same time, one is refused.
    """

    def __init__(self, database: Database) -> None:
        self._client = database.database.client
        self._collection = database.database.get_collection("individual_reviews")

    async def step(self, turn: Turn, take: Callable[[AsyncClientSession], Awaitable[T | None]]) -> T | None:
        """What `take` returns, which counts as the person's turn unless it is None.

        None also where another call was faster. Raises `TooSoon`.
        """
        try:
            async with unavailable(), self._client.start_session() as session:
                await session.start_transaction(ReadConcern("majority"), WriteConcern(w="majority", j=True))
                await self._stamp(turn, session)
                taken = await take(session)
                if taken is not None:
                    await session.commit_transaction()
                return taken
        except Outrun:
            return None

    async def _stamp(self, turn: Turn, session: AsyncClientSession) -> None:
        condition: Document = {"_id": {"$eq": turn.person}}
        if turn.every_ms:
            condition["$expr"] = {"$lte": [{"$add": ["$at", turn.every_ms]}, "$$NOW"]}
        stamp = {"$currentDate": {"at": True}}
        async with unavailable():
            if (await self._collection.update_one(condition, stamp, session=session)).matched_count:
                return
            first = {"_id": {"$eq": turn.person}, "at": {"$exists": False}}
            try:
                await self._collection.update_one(first, stamp, upsert=True, session=session)
            except DuplicateKeyError:
                raise TooSoon(turn) from None
