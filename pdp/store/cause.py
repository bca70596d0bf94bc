"""Why a MongoDB cannot be used: one sentence that says what to do, and none of the driver's words."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError
from pymongo.server_description import ServerDescription

from pdp.errors import PdpError, SetupError, StoreUnavailable

NEEDED = ("find", "insert", "update", "remove", "createIndex", "changeStream")
"""The rights on the database that a server uses. The role readWrite has them."""
HELPFUL = ("listIndexes",)
"""Those without which a server does its work, but `pdp doctor` cannot see indexes."""
NOT_INITIATED = "this MongoDB has a --replSet that was never initiated; run `pdp mongo init`, once for the set"
STANDALONE = (
    "this MongoDB is standalone, so a write can be lost after it was confirmed; start mongod with --replSet rs0 and "
    "run `pdp mongo init` once (one member is enough to begin with)"
)
ROUTER = (
    "this is a mongos, the router of a sharded cluster, and Placet keeps its promises on a replica set; give the URI "
    "of one, such as mongodb://host:27017/?replicaSet=rs0"
)
_GHOST = "RSGhost"
"""What the driver calls a member of a set that was not initiated."""
_SECONDARY = "RSSecondary"
"""What it calls a member that takes no writes now."""
_BY_CODE = {
    13: "MongoDB lets nobody in without a user; name one with the role readWrite, and its password, in mongodb_uri",
    18: "MongoDB refuses the user or the password in mongodb_uri; correct them, or their `authSource`",
}
"""By MongoDB's error codes Unauthorized and AuthenticationFailed."""
_SILENT = "no MongoDB answers at the given URI; start it, or correct mongodb_uri"
_CLOSED = "MongoDB closes the connection; where it demands TLS, add tls=true and tlsCAFile=FILE to mongodb_uri"
_NAMELESS = (
    "a host of MongoDB has no address here (DNS): correct it in mongodb_uri, or the host of the member in the replica "
    "set's configuration"
)
LATE = "MongoDB answered at first, and then not in time; see what keeps it, or the network to it, busy"
_BY_TEXT = {
    r"name or service not known|nodename nor servname|name resolution|getaddrinfo|No address associated|\bDNS\b": (
        _NAMELESS
    ),
    r"\bSSL\b|certificate": "TLS with MongoDB failed: its certificate must be of an authority in `tlsCAFile` and for "
    "the host in mongodb_uri, and mongod must have TLS",
    r"connection (?:is already )?(?:closed|reset)|broken pipe": _CLOSED,
    r"replica set name": "no MongoDB at the given URI is of that replica set; `replicaSet` must be what mongod has as "
    "--replSet",
    r"": _SILENT,
}
"""By what the driver says of a server that it does not reach."""


BAD_URI = (
    "the MongoDB URI cannot be read; it looks like mongodb://host:27017/?replicaSet=rs0, with a user as user:password@ "
    "before the host, in which @ is written %40, : %3A, / %2F and % %25"
)
MISSING_FILE = (
    "a file that the MongoDB URI names (tlsCAFile, tlsCertificateKeyFile) is missing; put it there, or correct its name"
)
NO_MAJORITY = (
    "this MongoDB does not confirm a write with majority and journal; every member needs a journal and a majority of "
    "them must be up"
)
OTHER_VERSION = "this database was written by another version of Placet; use that version or another database"
NO_PRIMARY = "MongoDB's replica set has no primary now; a majority of its members must be up and reach each other"
_LATER = frozenset({_SILENT, _CLOSED, _NAMELESS, NOT_INITIATED, NO_MAJORITY, NO_PRIMARY})
"""What may change by itself. A proxy before a MongoDB that starts closes connections, too."""


def sentence(error: PyMongoError, servers: Iterable[ServerDescription] = ()) -> str:
    """Say what to do about an error of the first contact. `servers` is what the driver knows of them."""
    if isinstance(error, OperationFailure) and error.code in _BY_CODE:
        return _BY_CODE[error.code]
    kinds = {server.server_type_name for server in servers}
    if _GHOST in kinds:
        return NOT_INITIATED
    if _SECONDARY in kinds:
        return NO_PRIMARY
    return next(told for pattern, told in _BY_TEXT.items() if re.search(pattern, str(error), re.IGNORECASE))


def refusal(error: PyMongoError, servers: Iterable[ServerDescription]) -> PdpError:
    """The same as an error: of what may come by itself, or of what somebody has to mend."""
    return told_as(sentence(error, servers))


def told_as(sentence: str) -> PdpError:
    """The error for a sentence: what starts, or is made a set, may answer later; the others have to be mended."""
    return (StoreUnavailable if sentence in _LATER else SetupError)(sentence)


def unfit(hello: Mapping[str, Any]) -> str:
    """What is wrong with the kind of MongoDB that answered `hello` so; empty for a member of a replica set."""
    if hello.get("msg") == "isdbgrid":
        return ROUTER
    if "setName" in hello:
        return ""
    return NOT_INITIATED if hello.get("isreplicaset") else STANDALONE


def other_realm(kept: object, realm: str) -> str:
    """Say that the database is of another realm."""
    return (
        f"this database is of realm {kept}, and this server of realm {realm}; give each realm a `database` of its own, "
        "and never change a realm"
    )


def missing_rights(privileges: Sequence[Mapping[str, Any]], database: str, wanted: Sequence[str] = NEEDED) -> list[str]:
    """The rights in `wanted` that no privilege gives on the database or on a collection of it."""
    granted: set[str] = set()
    for privilege in privileges:
        if _is_on(privilege["resource"], {"", database}):
            granted.update(privilege["actions"])
    return [] if "anyAction" in granted else [right for right in wanted if right not in granted]


def _is_on(resource: Mapping[str, Any], databases: Collection[str]) -> bool:
    return bool(resource.get("anyResource")) or resource.get("db") in databases


def rights_sentence(missing: Sequence[str], database: str) -> str:
    """Say which rights the user needs."""
    return f"the user in mongodb_uri lacks {', '.join(missing)} on the database {database}; the role readWrite has them"
