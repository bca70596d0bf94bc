"""The public keys of issuers, from a file or a URL, read again and again while the server runs.

If an issuer's keys cannot be fetched any more, the last ones are kept for an hour. After that every token of the issuer
is refused.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from pdp import unreachable
from pdp.address import is_private_url
from pdp.errors import Overloaded, SetupError
from pdp.identity_source import Issuer
from pdp.unread import unread

log = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
"""Seconds between two fetches that succeed. It bounds how long a removed key is still accepted."""
AGAIN_SECONDS = 30.0
"""Seconds to the next fetch after a failure, and between two fetches because of an unknown key."""
KEPT_SECONDS = 3600.0
"""Seconds for which the last keys are used if they cannot be fetched again."""
FETCH_SECONDS = 3.0
"""Seconds that one fetch may take."""
WAIT_SECONDS = 1.0
"""Seconds that a call waits for keys that are being fetched."""
MAX_WAITING = 256
"""Calls that wait for one issuer's keys. It bounds their memory: any caller can name a key that does not exist."""
MAX_BYTES = 256 * 1024
"""Bytes of a document from an issuer. It bounds what is read and parsed."""
MAX_KEYS = 100
"""Keys of one issuer that are read. It bounds the work of one fetch."""
MIN_RSA_BITS = 2048
"""Bits of an RSA key: the least that RFC 7518, section 3.3 permits."""

KEY_OF = MappingProxyType(
    {
        "Ed25519": ("OKP", "Ed25519"),
        "EdDSA": ("OKP", "Ed25519"),
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        **dict.fromkeys(("PS256", "PS384", "PS512", "RS256", "RS384", "RS512"), ("RSA", "")),
    }
)
"""The type and curve of key that each algorithm takes."""

Keys = Mapping[str, Key]
"""The keys by `kid`. Keys that replace others are another object, so `is` tells whether they were replaced."""
_NONE: Keys = MappingProxyType({})


class Unusable(Exception):
    """The document is not a usable key set; the text says why, for the log."""


class KeySource:
    """The keys of one issuer. `clock` gives seconds and never goes back.

    `described_at` is where the issuer describes itself, if not below its name.
    """

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.monotonic, described_at: str = "") -> None:
        self._issuer, self._clock = issuer, clock
        self._described_at = described_at or issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        self._file = issuer.jwks if isinstance(issuer.jwks, Path) else None
        self._keys, self._document, self._until = _NONE, b"", 0.0
        self._tried = clock() - AGAIN_SECONDS
        self._fetching: asyncio.Task[bool] | None = None
        self._waiting = 0
        if self._file is not None:
            self._read(self._file)

    @property
    def keys(self) -> Keys:
        """The keys in force; empty if they could not be fetched for an hour."""
        return self._keys if self._clock() < self._until else _NONE

    async def renewed(self) -> None:
        """Fetch because a token names an unknown key. All calls that ask meanwhile wait for the same fetch.

        Raises `Overloaded` if too many wait already.
        """
        if self._fetching is None and self._clock() - self._tried < AGAIN_SECONDS:
            return
        if self._waiting >= MAX_WAITING:
            raise Overloaded("too many calls wait for the keys of a token's issuer; try again")
        self._waiting += 1
        try:
            await asyncio.wait({self._fetch()}, timeout=WAIT_SECONDS)
        finally:
            self._waiting -= 1

    async def run(self) -> None:
        """Fetch again and again, until cancelled."""
        while True:
            fetched = await self._fetch()
            await asyncio.sleep(REFRESH_SECONDS if fetched else AGAIN_SECONDS)

    def _fetch(self) -> asyncio.Task[bool]:
        """The fetch that is under way, or else a new one."""
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._fetched())
        return self._fetching

    async def _fetched(self) -> bool:
        try:
            why = await self.look()
        finally:
            self._fetching = None
        if why:
            left = max(self._until - self._clock(), 0)
            after = f"the last ones serve {left / 60:.0f} min more" if left else "its tokens are refused"
            log.warning("the keys of issuer %s %s; %s", self._issuer.type, why, after)
        return not why

    async def look(self) -> str:
        """Read the keys now. Returns why they cannot be read, or ""."""
        try:
            document = self._file.read_bytes() if self._file else await self._downloaded()
            self._take(document)
        except (Unusable, OSError, aiohttp.ClientError, ValueError, TimeoutError) as error:
            return f"cannot be read ({_reason(error)})"
        return ""

    def _take(self, document: bytes) -> None:
        """Take the keys of a document. If it is unchanged, the same keys stay, and with them every verified token."""
        if document != self._document or not self.keys:
            self._keys, self._document = parsed(document, self._issuer), document
        self._until = self._clock() + KEPT_SECONDS

    def _read(self, path: Path) -> None:
        try:
            self._take(path.read_bytes())
        except OSError as error:
            raise SetupError(f"jwks of {self._issuer.type}: {unread(path, error)}") from None
        except Unusable as error:
            raise SetupError(f"{path} holds no JWK Set for {self._issuer.type}: {error}") from None

    async def _downloaded(self) -> bytes:
        async with asyncio.timeout(FETCH_SECONDS), aiohttp.ClientSession() as session:
            url = self._issuer.jwks
            return await _get(session, url if isinstance(url, str) else await self._discovered(session))

    async def _discovered(self, session: aiohttp.ClientSession) -> str:
        """The `jwks_uri` of OpenID Connect Discovery 1.0, section 4. The document must name exactly this issuer."""
        name = self._issuer.issuer
        document = orjson.loads(await _get(session, self._described_at))
        if not isinstance(document, dict) or document.get("issuer") != name:
            raise Unusable("the discovery document is of another issuer")
        return str(document.get("jwks_uri"))


def _reason(error: Exception) -> str:
    """Why keys were not read, without the words of the library that fetches them."""
    if isinstance(error, Unusable):
        return str(error)
    return "it is not JSON" if isinstance(error, ValueError) else unreachable.why(error)


async def _get(session: aiohttp.ClientSession, url: str) -> bytes:
    if not is_private_url(url):
        raise Unusable("it would come by other than https")
    async with session.get(url, allow_redirects=False) as response:
        if response.status != 200:  # noqa: PLR2004  # OK
            raise Unusable(f"HTTP status {response.status}")
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MAX_BYTES:
                raise Unusable(f"more than {MAX_BYTES} bytes")
        return bytes(body)


def parsed(document: bytes, issuer: Issuer) -> Keys:
    """The public halves of those keys in a JWK Set, or in one JWK, that fit the issuer's algorithms.

    Other keys in it are for other uses (RFC 7517, section 5). Raises `Unusable` if no key is left.
    """
    try:
        value = orjson.loads(document)
        members = value.get("keys", [value])[:MAX_KEYS]
    except (ValueError, AttributeError, TypeError):
        raise Unusable("it is not a JSON object with keys") from None
    fitting = {KEY_OF[algorithm] for algorithm in issuer.algorithms}
    found: dict[str, Key] = {}
    for member in members:
        key = _key(member)
        if key is not None and kind_of(key) in fitting:
            found.setdefault(str(key.kid), key)
    if not found:
        raise Unusable(f"it has no public key for {', '.join(issuer.algorithms)}")
    return MappingProxyType(found)


def kind_of(key: Key) -> tuple[str, str]:
    """The type and curve of a key."""
    return key.key_type, str(key.get("crv", ""))


def _key(member: Any) -> Key | None:
    """The signature key in one member of a JWK Set; None for anything else, also for a weak key."""
    if not isinstance(member, dict) or member.get("use", "sig") != "sig" or member.get("kty") == "oct":
        return None
    with suppress(JoseError, ValueError, TypeError, KeyError):
        read = JWKRegistry.import_key(member)
        read.ensure_kid()
        key = JWKRegistry.import_key(read.as_dict(private=False))
        if key.key_type != "RSA" or key.public_key.key_size >= MIN_RSA_BITS:  # type: ignore[union-attr]
            return key
    return None
