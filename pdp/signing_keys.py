"""The three keys of a deployment, each for one thing: the log, grants, and what only servers read back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from joserfc.jwk import OKPKey

from pdp import jws, keys
from pdp.config import Config
from pdp.errors import SetupError

SPLIT = (
    "seals have a key of their own: stop every process of the deployment, run `pdp keys split FOLDER` on the folder of "
    "the keys, and start again"
)
"""What who updates a deployment has to do."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """`audit` signs the log's heads. `grant` signs grants and nothing else. `seal` signs what only servers read back.

    `retired` are the public halves of grant keys that sign no more.
    """

    audit: OKPKey
    grant: OKPKey
    seal: OKPKey
    retired: Sequence[OKPKey] = ()

    @classmethod
    def read(cls, config: Config) -> Self:
        """The keys in the files that a configuration names. Raises `SetupError` if one is missing or two are one."""
        named = {"audit_key": config.audit_key, "grant_key": config.grant_key, "seal_key": config.seal_path}
        if not config.seal_path.exists():
            raise SetupError(f"seal_key: there is no {config.seal_path}; {SPLIT}")
        read = {field: _read(field, path) for field, path in named.items()}
        retired = [keys.public_key(path) for path in config.retired_grant]
        _refuse_one_for_two([*read.items(), *(("retired_grant", key) for key in retired)])
        return cls(**{field.removesuffix("_key"): key for field, key in read.items()}, retired=retired)

    @property
    def jwks(self) -> str:
        """The public halves of what signs grants, as a JWK Set: all that a program needs that enforces."""
        return _published(*((key, "grant") for key in (self.grant, *self.retired)))

    @property
    def audit_jwks(self) -> str:
        """The public halves of what auditors verify, as a JWK Set. Nothing in it verifies a grant."""
        return _published((self.audit, "audit"), (self.seal, "seal"))


def _read(field: str, path: Path) -> OKPKey:
    try:
        return keys.private_key(path)
    except SetupError as error:
        raise SetupError(f"{field}: {error.sentence}") from None


def _refuse_one_for_two(read: Iterable[tuple[str, OKPKey]]) -> None:
    """A key that signs two things lets one pass for the other."""
    fields: dict[str, str] = {}
    for field, key in read:
        first = fields.setdefault(key.thumbprint(), field)
        if first != field:
            raise SetupError(f"{first} and {field} are one key; each signs something else, so give each its own")


def _published(*named: tuple[OKPKey, str]) -> str:
    return json.dumps({"keys": [_member(key, use) for key, use in named]})


def _member(key: OKPKey, use: str) -> dict[str, Any]:
    """The public half; `placet_use` tells what the key signs."""
    return {**keys.published(key).keys[0].as_dict(private=False), "alg": jws.ALGORITHM, "use": "sig", "placet_use": use}
