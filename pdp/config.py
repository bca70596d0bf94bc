"""The server's configuration: one frozen Config, read once from a TOML file, checked at start."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from pdp.address import is_private_url, webhook_host
from pdp.approval import EVENTS
from pdp.caller import Role
from pdp.errors import SetupError

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
_Identity = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.+$")]
_Count = Annotated[int, Field(ge=0)]
_SPIFFE = re.compile(r"spiffe://[a-z0-9._-]+/([A-Za-z0-9._-]+/)*")
Algorithm = Literal["Ed25519", "EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]
"""Signatures with a public key: to check one is not enough to make one."""


_FOLDER = "folder"
"""The member of a validation's context that names the folder of the configuration file."""


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get(_FOLDER, Path())
    return folder / path


def _file_or_url(source: Path | str, info: ValidationInfo) -> Path | str:
    return source if isinstance(source, str) and "://" in source else _beside_the_file(Path(source), info)


ConfigPath = Annotated[Path, AfterValidator(_beside_the_file)]
"""A path; a relative one in a configuration file is relative to that file."""
ConfigPathOrUrl = Annotated[Path | str, AfterValidator(_file_or_url)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SpeaksFor(_Frozen):
    """The subjects that a caller may name beside itself: `<type>:<id>`, `<type>:*` or `*`."""

    subjects: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()


class _Entry(_Frozen):
    """A source of identities and what its word is worth. An identity is `<type>:<sub>`; no two entries share a type."""

    type: _Name
    """The subject type that this entry vouches for."""
    kind: Literal["person", "workload"]
    roles: tuple[Role, ...] = ()
    """Given to every caller whom this entry covers."""
    speaks_for: dict[str, SpeaksFor] = Field(default_factory=dict)
    """By `sub`; `*` for those without an entry of their own."""

    @model_validator(mode="after")
    def _only_people_review(self) -> Self:
        if self.kind == "workload" and Role.REVIEWER in self.roles:
            raise ValueError("roles: only a person reviews; take `reviewer` from this entry, whose kind is workload")
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


class Tls(_Frozen):
    """How the server proves itself, and whose certificates it accepts. The files are read again when they change."""

    certificate: ConfigPath
    """PEM, with the chain behind it."""
    key: ConfigPath
    """Its private key in PEM, which others cannot read either."""
    client_ca: ConfigPath | None = None
    """PEM of the authorities that sign clients' certificates."""
    client_listen: str = ""
    """Where certificates are demanded, beside `listen`, which then takes tokens alone. Empty: `listen` demands them."""

    @model_validator(mode="after")
    def _listens_to_somebody(self) -> Self:
        if self.client_listen and self.client_ca is None:
            raise ValueError("client_listen: give client_ca too, which says whose certificates are accepted")
        return self


def _webhook_url(url: str) -> str:
    webhook_host(url)
    return url


def _webhook_event(event: str) -> str:
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
    secret: ConfigPath
    """A file with `whsec_` and base64 of 24 to 64 random bytes, which others cannot read. One for each webhook."""
    events: tuple[Annotated[str, AfterValidator(_webhook_event)], ...] = EVENTS
    """What it is told of, such as `approval.created`; by default everything."""


class Masking(_Frozen):
    """Who may mask more than others."""

    bulk: dict[_Identity, _Count] = Field(default_factory=dict)
    """Values an hour in place of `mask_values_an_hour`, by identity: of callers that mask whole tables, and of people
    behind them, each of whom counts a caller's values, too."""


class Config(_Frozen):
    """What a server needs to know."""

    listen: str = "127.0.0.1:4770"
    """`host:port`, on loopback unless `tls` is given; port 0 takes a free one."""
    tls: Tls | None = None
    """None: plaintext, on loopback only."""
    realm: _Name
    """The deployment's name: part of every digest and of the log. Never changed."""
    mongodb_uri: str
    """A replica set."""
    database: _Name = "placet"
    opa_url: str = ""
    """`http(s)://host:port` or `unix:///path` of an OPA that serves the bundle. Empty: start one."""
    policy: tuple[ConfigPath, ...] = ()
    """Folders of Rego and data on top of the core, for an OPA that the server starts."""
    issuers: tuple[Issuer, ...] = ()
    certificates: tuple[Certificates, ...] = ()
    audit_key: ConfigPath
    """Ed25519 private JWK that signs the log: mode 0600, or 0440 with a group of the process."""
    grant_key: ConfigPath
    """Ed25519 private JWK that signs grants and nothing else: mode 0600 or 0440 likewise."""
    seal_key: ConfigPath | None = None
    """Ed25519 private JWK that signs what only servers read back, such as approvals and reviews: mode 0600 or 0440
    likewise. None: `seal.jwk` in the folder of `grant_key`, where `pdp keys split` puts it."""
    retired_grant: ConfigPath | None = None
    """Ed25519 JWK of the grant key before this one, for the time in which processes of a deployment change to a new
    one: its public half is published beside the new one's. Never a key that signed seals."""
    mask_keys: ConfigPath | None = None
    """The mask key file of this realm (`pdp keys`): mode 0600 or 0440 likewise. None: this server masks nothing."""
    stream_seconds: float = Field(default=1800, gt=0, le=1800)
    """How long a stream of masks may take. A client learns it at the start, and goes on in another stream before."""
    mask_values_an_hour: int = Field(default=1_000_000, ge=0)
    """How many values of one domain may be turned into tokens, pseudonyms or the like in a clock hour. Who may mask a
    domain can find the plaintext of its tokens by masking all values that it can have. One caller has this number for
    all its subjects, chains, tables and calls. One person has it for all callers that ask on the person's behalf,
    under all names of that person.

    Every value that a key masks counts, `date_shift` too, and every value that Rewrap moves; nulls do not.
    """
    unmask_values_an_hour: int = Field(default=10_000, ge=0)
    """The same for values that are turned back, of all domains together."""
    masking: Masking = Field(default_factory=Masking)
    """Callers in bulk."""
    webhooks: tuple[Webhook, ...] = ()
    """Who is told of the steps of approvals. The same in every process of a deployment."""

    @property
    def seal_path(self) -> Path:
        """Where the key `seal` is."""
        return self.seal_key or self.grant_key.with_name("seal.jwk")

    @model_validator(mode="after")
    def _one_voucher_a_type(self) -> Self:
        types = [entry.type for entry in self.entries]
        names = [issuer.issuer for issuer in self.issuers]
        if len(set(types)) < len(types) or len(set(names)) < len(names):
            raise ValueError("two issuers share a type or a name, or certificates do; an identity has one voucher")
        if not self.entries:
            raise ValueError("issuers: no caller could prove who it is; give [[issuers]] or [[certificates]]")
        for issuer in self.issuers:
            if not {issuer.issuer, *names}.issuperset(issuer.actors):
                raise ValueError(f"issuers: actors of {issuer.type} names an issuer that is not in this configuration")
        return self

    @model_validator(mode="after")
    def _one_webhook_a_name(self) -> Self:
        if len({webhook.name for webhook in self.webhooks}) < len(self.webhooks):
            raise ValueError("two webhooks share a name; their messages could not be told apart")
        return self

    @model_validator(mode="after")
    def _certificates_are_signed_and_belong_to_one(self) -> Self:
        if self.certificates and (self.tls is None or self.tls.client_ca is None):
            raise ValueError("certificates: give tls.client_ca too, which says whose certificates are accepted")
        prefixes = [entry.spiffe for entry in self.certificates if entry.spiffe]
        subjects = [subject for entry in self.certificates for subject in entry.subjects]
        nested = sum(longer.startswith(shorter) for longer in prefixes for shorter in prefixes) > len(prefixes)
        if nested or len(set(subjects)) < len(subjects):
            raise ValueError("certificates: one certificate would have two identities; no two entries may overlap")
        return self

    @model_validator(mode="after")
    def _policy_or_opa(self) -> Self:
        if bool(self.policy) == bool(self.opa_url):
            raise ValueError(
                "give either policy (folders, the server starts OPA) or opa_url (an OPA that has the bundle)"
            )
        return self

    @property
    def person_types(self) -> frozenset[str]:
        """The subject types that are people."""
        return frozenset(entry.type for entry in self.entries if entry.kind == "person")

    @property
    def known_types(self) -> frozenset[str]:
        """The types that an entry vouches for, or that callers may name; `*` among them if they may name any."""
        speaking = [speaks for entry in self.entries for speaks in entry.speaks_for.values()]
        named = [pattern for speaks in speaking for pattern in (*speaks.subjects, *speaks.on_behalf_of)]
        return frozenset({*(entry.type for entry in self.entries), *(name.partition(":")[0] for name in named)})

    @property
    def entries(self) -> tuple[Issuer | Certificates, ...]:
        """The issuers and certificates that vouch for identities."""
        return (*self.issuers, *self.certificates)

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
        return Config.model_validate(values, context={_FOLDER: path.parent})
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors()]
        raise SetupError(f"{path} is not usable:\n  " + "\n  ".join(lines)) from None
