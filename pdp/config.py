"""The server's configuration: one frozen Config, read once from a TOML file, checked at start."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pdp.audit.record import Kind
from pdp.errors import SetupError
from pdp.notify import destination
from pdp.notify.message import EVENTS

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Role(StrEnum):
    """What a caller may be; `authn.ROLES` says which RPC each may call."""

    REQUESTER = "requester"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpeaksFor(_Frozen):
    """The subjects that a caller may name beside itself: `<type>:<id>`, `<type>:*` or `*`."""

    subjects: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()


class Issuer(_Frozen):
    """One issuer of tokens and what its word is worth. An identity is `<type>:<sub>`; no two issuers share a type."""

    issuer: str
    """The `iss` claim, compared byte for byte."""
    audience: str
    """The `aud` claim that names this deployment."""
    type: _Name
    """The subject type that this issuer vouches for."""
    kind: Literal["person", "workload"]
    jwks: Path
    """A JWK Set or one JWK with Ed25519 public keys (RFC 7517)."""
    roles: tuple[Role, ...] = ()
    """Given to everybody with a token of this issuer."""
    roles_claim: str = ""
    """A claim that lists further roles."""
    groups_claim: str = ""
    """A claim that lists groups, for requirements."""
    claims: tuple[str, ...] = ()
    """The claims that requirements may ask for."""
    speaks_for: dict[str, SpeaksFor] = Field(default_factory=dict)
    """By `sub`; `*` for those without an entry of their own."""


def _webhook_url(url: str) -> str:
    destination.host(url)
    return url


def _webhook_event(event: Kind) -> Kind:
    if event not in EVENTS:
        raise ValueError(f"must be one of {', '.join(EVENTS)}")
    return event


class Webhook(_Frozen):
    """Somewhere that is told of the steps of approvals, by messages signed as Standard Webhooks has it."""

    name: _Name
    """How it is called where its messages are listed."""
    url: Annotated[str, AfterValidator(_webhook_url)]
    """`https://...`, which must lead to a public address. One for this machine (host `localhost`, `127.0.0.1` or
    `[::1]`) may be `http://...` and leads nowhere else."""
    secret: Path
    """A file with `whsec_` and base64 of 24 to 64 random bytes, mode 0600. One for each webhook."""
    events: tuple[Annotated[Kind, AfterValidator(_webhook_event)], ...] = EVENTS
    """What it is told of, such as `approval.created`; by default everything."""


class Config(_Frozen):
    """What a server needs to know."""

    listen: str = "127.0.0.1:4770"
    """`host:port` on loopback; port 0 takes a free one."""
    realm: _Name
    """The deployment's name: part of every digest and of the log. Never changed."""
    mongodb_uri: str
    """A replica set."""
    database: _Name = "placet"
    opa_url: str = ""
    """`http(s)://host:port` or `unix:///path` of an OPA that serves the bundle. Empty: start one."""
    policy: tuple[Path, ...] = ()
    """Folders of Rego and data on top of the core, for an OPA that the server starts."""
    issuers: tuple[Issuer, ...] = Field(min_length=1)
    audit_key: Path
    """Ed25519 private JWK, mode 0600, that signs the log."""
    grant_key: Path
    """Ed25519 private JWK, mode 0600, that signs grants."""
    mask_keys: Path | None = None
    """The mask key file of this realm, mode 0600 (`pdp keys`). None: this server masks nothing."""
    mask_values_an_hour: int = Field(default=1_000_000_000, ge=0)
    """How many values a caller with its chain may have turned into tokens, pseudonyms or the like in a clock hour."""
    unmask_values_an_hour: int = Field(default=10_000, ge=0)
    """How many it may have turned back."""
    webhooks: tuple[Webhook, ...] = ()
    """Who is told of the steps of approvals. The same in every process of a deployment."""

    @model_validator(mode="after")
    def _one_issuer_a_type(self) -> "Config":
        types = [issuer.type for issuer in self.issuers]
        names = [issuer.issuer for issuer in self.issuers]
        if len(set(types)) < len(types) or len(set(names)) < len(names):
            raise ValueError("two issuers share a type or a name; an identity must have one issuer that vouches for it")
        return self

    @model_validator(mode="after")
    def _one_webhook_a_name(self) -> "Config":
        if len({webhook.name for webhook in self.webhooks}) < len(self.webhooks):
            raise ValueError("two webhooks share a name; their messages could not be told apart")
        return self

    @model_validator(mode="after")
    def _policy_or_opa(self) -> "Config":
        if bool(self.policy) == bool(self.opa_url):
            raise ValueError(
                "give either policy (folders, the server starts OPA) or opa_url (an OPA that has the bundle)"
            )
        return self

    @property
    def person_types(self) -> frozenset[str]:
        """The subject types that are people."""
        return frozenset(issuer.type for issuer in self.issuers if issuer.kind == "person")

    @property
    def groups_open(self) -> bool:
        """Whether tokens of people say in which groups they are, beyond those of the policy's data."""
        return any(issuer.kind == "person" and issuer.groups_claim for issuer in self.issuers)


def load(path: Path, changes: Mapping[str, str] | None = None) -> Config:
    """Read the file, `changes` put over it; relative paths in it are relative to it.

    Raises `SetupError` that names each bad field.
    """
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SetupError(f"cannot read the configuration {path}: {error}") from None
    values |= changes or {}
    if changes and "opa_url" in changes:
        values.pop("policy", None)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors()]
        raise SetupError(f"{path} is not usable:\n  " + "\n  ".join(lines)) from None
    return _beside(config, path.parent)


def _beside(config: Config, folder: Path) -> Config:
    return config.model_copy(
        update={
            "policy": tuple(folder / policy for policy in config.policy),
            "issuers": tuple(issuer.model_copy(update={"jwks": folder / issuer.jwks}) for issuer in config.issuers),
            "webhooks": tuple(hook.model_copy(update={"secret": folder / hook.secret}) for hook in config.webhooks),
            "audit_key": folder / config.audit_key,
            "grant_key": folder / config.grant_key,
            "mask_keys": folder / config.mask_keys if config.mask_keys else None,
        }
    )
