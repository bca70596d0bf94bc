"""Sessions whose times a server of the deployment signed in the past, as a clock that ran on leaves them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pdp import keys
from pdp.process.mongod import MongodProcess
from pdp.session import Session, SessionSealer, hashed
from tests.parts import Placet
from tests.pdp.mongo import database

STORED = ("identity", "issuer", "sid", "claims", "began_at", "renewed_at", "used_at", "seal")


def session_sealer(server: Placet) -> SessionSealer:
    """What every process of the deployment can sign."""
    return SessionSealer(keys.private_key(server.state / "keys" / "seal.jwk"), "dev")


def held(document: dict[str, Any]) -> Session:
    return Session(id=document["_id"], **{name: document[name] for name in STORED})


def written(session: Session) -> dict[str, Any]:
    return {"_id": session.id, **{name: getattr(session, name) for name in STORED}}


async def age(mongod: MongodProcess, server: Placet, secret: str, **stamps: timedelta) -> None:
    """Move stamps of a browser's session into the past, under a new signature."""
    async with database(mongod, server) as found:
        document = await found["sessions"].find_one({"_id": hashed(secret)})
        assert document is not None
        session = held(document)
        moved = {name: getattr(session, name) - ago for name, ago in stamps.items()}
        sealed = session_sealer(server).session(replace(session, **moved))
        await found["sessions"].replace_one({"_id": sealed.id}, written(sealed))
