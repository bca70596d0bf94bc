"""People's sessions with the pages: begin, use, renew, end. What a session says counts only if a server signed it."""

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from pdp.audit import session_event
from pdp.last_login import LastLogin, LastLoginSealer
from pdp.recording.writer import Writer
from pdp.session import SECRET_BYTES, Session, SessionSealer, hashed
from pdp.store.database import Database
from pdp.store.sessions import StoredSessions
from pdp.workflow.last_logins import LastLogins

log = logging.getLogger(__name__)

TOUCHED_EVERY = timedelta(minutes=1)
"""The time between two writes that say that a session is used."""
TRIES = 5
"""Tries to renew a session that other tabs of its browser use meanwhile."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who logged in: the identity, its issuer, the issuer's id of the login or nothing, and the claims that count.

    `roles` are those of this login, and `email` an address that the issuer has verified, or empty.
    """

    identity: str
    issuer: str
    sid: str
    claims: dict[str, object]
    roles: tuple[str, ...] = ()
    email: str = ""


@dataclass(frozen=True, slots=True)
class Present:
    """A session that is used now. `secret` is what its browser has."""

    session: Session
    secret: str
    now: datetime

    @property
    def is_stale(self) -> bool:
        """Whether its claims are too old to change anything."""
        return self.session.is_stale(self.now)

    @property
    def logged_in_at(self) -> datetime:
        """When its person logged in at the issuer, as the issuer says (`auth_time`); long ago if it does not say so."""
        at = self.claims.get("auth_time")
        return datetime.fromtimestamp(at if isinstance(at, int | float) else 0, UTC)

    @property
    def claims(self) -> dict[str, object]:
        """The claims of its person."""
        return dict(orjson.loads(self.session.claims))


class Sessions:
    """The sessions of a deployment."""

    def __init__(self, database: Database, writer: Writer, sealer: SessionSealer) -> None:
        self._database, self._writer, self._sealer = database, writer, sealer
        self._logins = LastLogins(database, writer, LastLoginSealer(sealer.key, sealer.realm))
        self._stored = StoredSessions(database)

    async def begin(self, person: Person) -> str:
        """Begin a session; returns what its browser keeps. It is recorded before it is told to anybody."""
        secret, now = secrets.token_urlsafe(SECRET_BYTES), await self._database.now()
        session = Session(
            id=hashed(secret),
            identity=person.identity,
            issuer=person.issuer,
            sid=person.sid,
            claims=_text(person),
            began_at=now,
            renewed_at=now,
            used_at=now,
        )
        await self._stored.insert(self._sealer.session(session))
        await self._logins.note(_last_login(person, now))
        await self._writer.append([session_event.started(session)])
        return secret

    async def present(self, secret: str) -> Present | None:
        """The session of a browser that is used now, if it has not ended. Its use is noted once a minute."""
        found = await self.seen(secret)
        if found is not None and found.now - found.session.used_at >= TOUCHED_EVERY:
            touched = replace(found.session, used_at=found.now)
            await self._stored.replace(found.session, self._sealer.session(touched))
        return found

    async def seen(self, secret: str) -> Present | None:
        """The session of a browser, if it has not ended. It does not last longer by this."""
        found = await self._stored.find(hashed(secret)) if secret else None
        if found is None or not await self._is_ours(found[0]):
            return None
        session, now = found
        if session.is_over(now):
            await self.end(session, "time")
            return None
        return Present(session, secret, now)

    async def renew(self, present: Present, person: Person) -> bool:
        """Put newer claims of the same person into a session. It lasts no longer by that. False where it has ended."""
        for _ in range(TRIES):
            held = await self.present(present.secret)
            if held is None or held.session.identity != person.identity:
                return False
            newer = replace(held.session, claims=_text(person), sid=person.sid, renewed_at=held.now, used_at=held.now)
            if await self._stored.replace(held.session, self._sealer.session(newer)):
                await self._logins.note(_last_login(person, held.now))
                return True
        return False

    async def moved(self, present: Present) -> str | None:
        """Give a session a new id, which its browser alone gets; returns what that keeps. None where it has ended."""
        if not await self.end(present.session, "passkey"):
            return None
        secret = secrets.token_urlsafe(SECRET_BYTES)
        session = self._sealer.session(replace(present.session, id=hashed(secret), used_at=present.now))
        await self._stored.insert(session)
        await self._writer.append([session_event.started(session)])
        return secret

    async def end(self, session: Session, why: str) -> bool:
        """End a session everywhere, at once, and record it. False where it has ended already."""
        if not await self._stored.remove(session.id):
            return False
        await self._writer.append([session_event.ended(session, why)])
        return True

    async def end_all(self, issuer: str, identity: str, sid: str, until: datetime, why: str) -> int:
        """End those sessions of a person, or of one login (`sid`), that began by `until`. Returns how many ended."""
        found = await self._stored.of_person(issuer, identity, sid)
        begun = [session for session in found if session.began_at <= until and await self._is_ours(session)]
        return sum([await self.end(session, why) for session in begun])

    async def end_over(self, most: int) -> None:
        """End at most so many sessions that have run out: once over all processes, each with its record."""
        for session in await self._stored.over(await self._database.now(), most):
            if await self._is_ours(session):
                await self.end(session, "time")

    async def _is_ours(self, session: Session) -> bool:
        """Whether a server wrote it. What is not goes, and both logs say so."""
        if self._sealer.is_ours(session):
            return True
        await self.refuse("session")
        await self._stored.remove(session.id)
        return False

    async def refuse(self, what: str) -> None:
        """Raise the alarm in both logs."""
        log.error("a stored %s was changed behind the servers' back; it is refused", what)
        await self._writer.append([session_event.refused(what)])


def _last_login(person: Person, now: datetime) -> LastLogin:
    return LastLogin(identity=person.identity, issuer=person.issuer, roles=person.roles, email=person.email, at=now)


def _text(person: Person) -> str:
    return orjson.dumps(person.claims, option=orjson.OPT_SORT_KEYS).decode()
