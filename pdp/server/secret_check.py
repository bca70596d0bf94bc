"""Whether the files with keys and secrets are there, are what they should be, and are read by nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path

from pdp import keys
from pdp.config import Config
from pdp.errors import SetupError
from pdp.masking.keys import keyring
from pdp.notify.api_key import api_key
from pdp.notify.endpoint import secret_address
from pdp.notify.signature import secret
from pdp.server.observed import Observed, each
from pdp.server.preflight import unsafe
from pdp.signing_keys import SigningKeys


def secrets(config: Config) -> list[Observed]:
    """A line for each fault, or one that says that there are none."""
    found = dict.fromkeys([*_unread(config), *_unsafe(config), *_of_others(config)])
    several = [fault for fault in found if not any(fault != other and fault in other for other in found)]
    return each("keys and secrets", several, "their files are there, and others cannot read them")


def _unread(config: Config) -> Iterator[str]:
    try:
        SigningKeys.read(config)
    except SetupError as error:
        yield error.sentence
    if config.mask_keys is not None:
        try:
            keyring(config.mask_keys, config.realm)
        except SetupError as error:
            yield error.sentence


def _unsafe(config: Config) -> Iterator[str]:
    yield from unsafe(config)


def _of_others(config: Config) -> Iterator[str]:
    """Secrets that other services gave."""
    for field, path, require in _named(config):
        if path is None:
            continue
        try:
            require(path)
        except SetupError as error:
            yield f"{field}: {error.sentence}"


def _named(config: Config) -> Iterator[tuple[str, Path | None, Callable[[Path], object]]]:
    """The field, its file, and what raises `SetupError` where that cannot be used."""
    yield "mongodb_uri_file", config.mongodb_uri_file, keys.secret
    for hook in config.webhooks:
        yield f"secret of webhook {hook.name}", hook.secret, secret if hook.format == "cloudevents" else secret_address
    for field, path in _of_services(config):
        yield field, path, api_key
    if config.mail:
        yield "mail.password", config.mail.password, keys.secret


def _of_services(config: Config) -> Iterator[tuple[str, Path | None]]:
    """The files with a token of another service."""
    if slack := config.slack:
        names = ("bot_token", "app_token", "signing_secret", "client_secret")
        yield from ((f"slack.{name}", getattr(slack, name)) for name in names)
    if config.teams:
        yield "teams.secret", config.teams.secret
    if config.lineage and config.lineage.forward:
        yield "lineage.forward.api_key", config.lineage.forward.api_key
