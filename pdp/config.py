"""The server's configuration: one frozen Config, read once from a TOML file, checked at start."""

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    model_validator,
)

from pdp import account, config_faults
from pdp.duration import duration_ms
from pdp.errors import SetupError
from pdp.identity_source import FOLDER, Certificates, ConfigPath, Frozen, Issuer, Name
from pdp.keys import secret
from pdp.limits_settings import CallerLimits
from pdp.lineage_settings import LineageSettings
from pdp.mail_settings import MailSettings
from pdp.masking_settings import Masking
from pdp.operations_settings import Operations
from pdp.slack_settings import SlackSettings
from pdp.teams_settings import TeamsSettings
from pdp.webhook_settings import Webhook


class Tls(Frozen):
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


def _base_url(url: str) -> str:
    if url and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?", url):
        raise ValueError("give https://host, with a port and a path where there are such, and no slash at its end")
    return url


def _wait(text: str) -> str:
    if text != "0" and duration_ms(text) is None:
        raise ValueError('give a duration such as "1h" or "30m", or "0"')
    return text


def _network(text: str) -> str:
    return str(ip_network(text))


class HttpLogin(Frozen):
    """How people log in to the pages: by OpenID Connect, at an issuer of `issuers` whose `kind` is person."""

    issuer: str
    """The issuer's name, as in its entry."""
    client_id: str
    """What the issuer calls this server; one of the `audience` of its entry."""
    client_secret: ConfigPath
    """A file with the secret that the issuer gave: mode 0600, or 0440 with a group of the process."""


class Http(Frozen):
    """The HTTP face, which speaks AuthZEN. Without this part there is none."""

    listen: str = "127.0.0.1:4780"
    """`host:port`, on loopback unless there is TLS; port 0 takes a free one."""
    client_listen: str = ""
    """Where certificates are demanded, beside `listen`, which then takes tokens alone. Empty: `listen` demands them."""
    public_url: Annotated[str, AfterValidator(_base_url)] = ""
    """What clients and browsers call this server: `https://host`, from which all addresses in answers are built. Empty:
    the address of `listen`. With `login` it has no path."""
    tls: Tls | None = None
    """None: that of gRPC."""
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Addresses or networks of the proxies before this server, such as `10.0.3.0/24`. With an https `public_url`,
    plaintext beyond loopback is taken from these addresses alone. They say who is behind them
    (`X-Forwarded-For`)."""
    passkey_wait: Annotated[str, AfterValidator(_wait)] = "1h"
    """The time after which a passkey counts that a person added by a login, such as `1h` or `30m`; `0` is none. One
    that another passkey let in counts at once."""
    login: HttpLogin | None = None
    """None: there are no pages for people."""


class Config(Frozen):
    """What a server needs to know."""

    listen: str = "127.0.0.1:4770"
    """`host:port`, on loopback unless `tls` is given; port 0 takes a free one."""
    tls: Tls | None = None
    """None: plaintext, on loopback only."""
    http: Http | None = None
    """None: no HTTP at all."""
    operations: Operations | None = None
    """None: no health over plain HTTP and no metrics."""
    limits: CallerLimits = Field(default_factory=CallerLimits)
    """How much one caller may ask."""
    realm: Name
    """The deployment's name: part of every digest and of the log. Never changed."""
    mongodb_uri: str = ""
    """Of a replica set. Empty: it is in `mongodb_uri_file`."""
    mongodb_uri_file: ConfigPath | None = None
    """A file with the URI in place of `mongodb_uri`, for the password in it: mode 0600, or 0440 with a group of the
    process."""
    database: Name = "placet"
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
    retired_grant: tuple[ConfigPath, ...] = ()
    """Ed25519 JWKs of grant keys before this one, for the time in which processes of a deployment change to a new one:
    their public halves are published beside the new one's. Never a key that signed seals."""
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
    slack: SlackSettings | None = None
    """None: nothing is told in Slack, and nothing comes from there. The same in every process of a deployment."""
    mail: MailSettings | None = None
    """None: nobody is told by e-mail."""
    teams: TeamsSettings | None = None
    """None: the same for Microsoft Teams. The same in every process of a deployment."""
    lineage: LineageSettings | None = None
    """None: no lineage, and `input.lineage.state` is `OFF`. The same in every process of a deployment."""

    @model_validator(mode="after")
    def _one_uri(self) -> Self:
        if bool(self.mongodb_uri) == (self.mongodb_uri_file is not None):
            raise ValueError("give either mongodb_uri or mongodb_uri_file, which names a file with the URI")
        return self

    @model_validator(mode="after")
    def _chats_lead_to_pages(self) -> Self:
        if self.slack is not None and self.slack.signing_secret is not None and self.http is None:
            raise ValueError("slack.signing_secret: give [http] too, where Slack sends its messages; or give app_token")
        if self.teams is not None and self.http is None:
            raise ValueError("teams: give [http] too, where Teams sends its messages")
        return self

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
    def _http_listens_to_somebody(self) -> Self:
        if self.http is None:
            return self
        if self.http.tls is not None and self.http.tls.client_listen:
            raise ValueError("http.tls.client_listen: give it as http.client_listen")
        if self.http.tls is not None and self.http.tls.client_ca not in {
            None,
            self.tls.client_ca if self.tls else None,
        }:
            raise ValueError("http.tls.client_ca: give the file of tls.client_ca, or leave it out")
        if self.http.client_listen and (self.http_tls is None or self.http_tls.client_ca is None):
            raise ValueError("http.client_listen: give client_ca too, which says whose certificates are accepted")
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
    def http_tls(self) -> Tls | None:
        """How the HTTP face proves itself: by files of its own, or by those of gRPC."""
        return self.http.tls if self.http is not None and self.http.tls is not None else self.tls

    @property
    def person_types(self) -> frozenset[str]:
        """The subject types that are people."""
        return frozenset(entry.type for entry in self.entries if entry.kind == "person")

    @property
    def known_types(self) -> frozenset[str]:
        """The types that an entry vouches for, of chat accounts, or that callers may name; `*` if they may name any."""
        speaking = [speaks for entry in self.entries for speaks in entry.speaks_for.values()]
        named = [pattern for speaks in speaking for pattern in (*speaks.subjects, *speaks.on_behalf_of)]
        vouched = {entry.type for entry in self.entries}
        return frozenset({*vouched, *account.TYPES, *(name.partition(":")[0] for name in named)})

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
        raise SetupError(f"cannot read the configuration {path}: {config_faults.unread(error)}") from None
    values |= changes or {}
    for changed, other in (("opa_url", "policy"), ("mongodb_uri", "mongodb_uri_file")):
        if changed in (changes or {}):
            values.pop(other, None)
    try:
        return _with_uri(Config.model_validate(values, context={FOLDER: path.parent}))
    except ValidationError as error:
        raise SetupError(f"{path} is not usable:\n  " + "\n  ".join(map(config_faults.told, error.errors()))) from None


def _with_uri(config: Config) -> Config:
    """The configuration with the URI that is in its file, if it names one."""
    file = config.mongodb_uri_file
    if file is None:
        return config
    try:
        uri = secret(file).decode().strip()
    except SetupError as error:
        raise SetupError(f"mongodb_uri_file: {error.sentence}") from None
    except ValueError:
        uri = ""
    if not uri:
        raise SetupError(f"mongodb_uri_file: {file} holds no URI, such as mongodb://host:27017/?replicaSet=rs0")
    return config.model_copy(update={"mongodb_uri": uri})
