"""Whether the files with keys and secrets are there, are what they should be, and are read by nobody else."""

from collections.abc import Iterator
from pathlib import Path

from pdp import keys
from pdp.config import Config
from pdp.errors import SetupError
from pdp.masking.keys import keyring
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
    for field, path in _named(config):
        if path is None:
            continue
        try:
            keys.secret(path)
        except SetupError as error:
            yield f"{field}: {error.sentence}"


def _named(config: Config) -> Iterator[tuple[str, Path | None]]:
    yield "mongodb_uri_file", config.mongodb_uri_file
    for hook in config.webhooks:
        yield f"secret of webhook {hook.name}", hook.secret
    if slack := config.slack:
        names = ("bot_token", "app_token", "signing_secret", "client_secret")
        yield from ((f"slack.{name}", getattr(slack, name)) for name in names)
    if config.teams:
        yield "teams.secret", config.teams.secret
    if config.mail:
        yield "mail.password", config.mail.password
    if config.lineage and config.lineage.forward:
        yield "lineage.forward.api_key", config.lineage.forward.api_key
