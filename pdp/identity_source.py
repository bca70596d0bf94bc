"""The entries of the configuration that vouch for identities: issuers of tokens, and client certificates."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, model_validator

from pdp import account
from pdp.address import is_private_url
from pdp.caller import Role

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A short name: lower-case letters, digits and `._-`."""
_SPIFFE = re.compile(r"spiffe://[a-z0-9._-]+/([A-Za-z0-9._-]+/)*")
Algorithm = Literal["Ed25519", "EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
"""Signatures with a public key: to check one is not enough to make one."""


FOLDER = "folder"
"""The member of a validation's context that names the folder of the configuration file."""


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get(FOLDER, Path())
    return folder / path


def _file_or_url(source: Path | str, info: ValidationInfo) -> Path | str:
    return source if isinstance(source, str) and "://" in source else _beside_the_file(Path(source), info)


ConfigPath = Annotated[Path, AfterValidator(_beside_the_file)]
"""A path; a relative one in a configuration file is relative to that file."""
ConfigPathOrUrl = Annotated[Path | str, AfterValidator(_file_or_url)]


class Frozen(BaseModel):
    """A part of the configuration: read once, without fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SpeaksFor(Frozen):
    """The subjects that a caller may name beside itself: `<type>:<id>`, `<type>:*` or `*`."""

    subjects: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()


def _not_reserved(name: str) -> str:
    if name in account.TYPES:
        raise ValueError(
            f"{name} is the type of chat accounts, which no issuer and no certificate vouches for; give another type"
        )
    return name


class _Entry(Frozen):
    """A source of identities and what its word is worth. An identity is `<type>:<sub>`; no two entries share a type."""

    type: Annotated[Name, AfterValidator(_not_reserved)]
    """The subject type that this entry vouches for; not `slack` or `teams`, which are chat accounts."""
    kind: Literal["person", "workload"]
    roles: tuple[Role, ...] = ()
    """Given to every caller whom this entry covers."""
    speaks_for: dict[str, SpeaksFor] = Field(default_factory=dict)
    """By `sub`; `*` for those without an entry of their own."""
    require_digest: bool = False
    """Refuse a request of these callers that does not say the digest which it expects of itself (`expected_digest`), so
    that nothing of it can be lost on the way. For callers whose language fills a Struct wrongly without an error. It is
    a must where any entry behind a call says so: the token's issuer, an actor's in it, the connection's certificate."""

    may_search: bool = False
    """Let these callers search: ask which subjects, resources or actions are allowed. An answer tells much more of the
    policy than a decision does, so nobody may by default. Every entry behind a token that names actors must say so."""

    @model_validator(mode="after")
    def _only_people_review(self) -> Self:
        if self.kind == "workload" and not {Role.REVIEWER, Role.STEWARD}.isdisjoint(self.roles):
            raise ValueError(
                "roles: only a person reviews and says what is in data; take `reviewer` and `steward` from this entry, "
                "whose kind is workload"
            )
        return self


class Issuer(_Entry):
    """One issuer of tokens."""

    issuer: str
    """The `iss` claim, compared byte for byte."""
    audience: str | tuple[str, ...]
    """The `aud` claim that names this deployment; of several any one."""
    algorithms: tuple[Algorithm, ...] = Field(default=("Ed25519", "EdDSA"), min_length=1)
    """What its signatures may be; both defaults are names of one signature (RFC 9864, RFC 8037)."""
    jwks: ConfigPathOrUrl | None = None
    """A file or an https URL with its JWK Set (RFC 7517). None: found from `issuer` (OpenID Connect Discovery)."""
    roles_claim: str = ""
    """A claim that lists further roles."""
    groups_claim: str = ""
    """A claim that lists groups, for requirements."""
    claims: tuple[str, ...] = ()
    """The claims that requirements may ask for."""
    max_token_seconds: float = Field(default=86_400, gt=0)
    """The longest life of its tokens: `exp` less `iat`, or less now where they have no `iat`."""
    actors: tuple[str, ...] = ()
    """Other issuers whose identities its tokens may name as actors (`act.iss`, RFC 8693)."""

    @model_validator(mode="after")
    def _keys_come_in_private(self) -> Self:
        url = self.issuer if self.jwks is None else self.jwks
        if isinstance(url, str) and not is_private_url(url):
            field = "issuer" if self.jwks is None else "jwks"
            raise ValueError(f"{field}: keys are fetched by https only; give an https URL, or jwks as a file")
        return self


class Certificates(_Entry):
    """Client certificates that `tls.client_ca` signed: those of a SPIFFE path, or those named one by one."""

    spiffe: str = ""
    """`spiffe://<trust domain>/<path>/`; what a certificate's URI has below it is the `sub`."""
    subjects: dict[str, str] = Field(default_factory=dict)
    """The `sub` by the certificate's whole subject as RFC 4514 text, for certificates without a URI."""
    groups: tuple[str, ...] = ()
    """Given to every caller whom this entry covers."""

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if bool(self.spiffe) == bool(self.subjects):
            raise ValueError("give either spiffe or subjects")
        if self.spiffe and not _SPIFFE.fullmatch(self.spiffe):
            raise ValueError("spiffe: write spiffe://<trust domain>/ or a path below it, with a slash at its end")
        return self
