"""`[[webhooks]]` in the configuration."""

from pathlib import Path

import pytest

from pdp.approval import EVENTS
from pdp.errors import SetupError
from pdp.notify.endpoint import Endpoint
from tests.pdp.test_config import GOOD, loaded

HOOK = """
[[webhooks]]
name = "ops"
url = "https://hooks.example.com/T0/s3cret"
secret = "ops.secret"
"""


def test_webhook_is_read_and_its_secret_is_beside_the_file(tmp_path: Path) -> None:
    (hook,) = loaded(tmp_path, GOOD + HOOK).webhooks
    assert (hook.name, hook.url) == ("ops", "https://hooks.example.com/T0/s3cret")
    assert hook.secret == tmp_path / "ops.secret"
    assert hook.events == EVENTS
    (some,) = loaded(tmp_path, GOOD + HOOK + 'events = ["approval.created", "approval.closed"]\n').webhooks
    assert some.events == ("approval.created", "approval.closed")


def test_there_are_none_by_default(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).webhooks == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"ops"', '"Ops"', "webhooks.0.name"),
        ("name", "nama", "webhooks.0.nama: Placet has no field of this name"),
        ("https://", "http://", "webhooks.0.url: must begin with https://"),
        ("https://", "https://me:pass@", "webhooks.0.url: must look like https://"),
        ('secret = "ops.secret"', "", "webhooks.0.secret: it is missing"),
        (
            'secret = "ops.secret"',
            'secret = "x"\nevents = ["decision"]',
            "webhooks.0.events.0: must be one",
        ),
        ('secret = "ops.secret"', 'secret = "x"\nevents = ["approved"]', "webhooks.0.events.0: must be"),
        ('secret = "ops.secret"', f'secret = "x"\n{HOOK}', "two webhooks share a name"),
    ],
)
def test_what_is_wrong_is_named_and_no_url_repeated(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(SetupError) as refused:
        loaded(tmp_path, GOOD + HOOK.replace(old, new))
    assert says in refused.value.sentence
    assert "s3cret" not in refused.value.sentence


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_address_of_an_incoming_webhook_is_a_secret_in_a_file(tmp_path: Path, kind: str) -> None:
    other = HOOK.replace('url = "https://hooks.example.com/T0/s3cret"', f'format = "{kind}"')
    (hook,) = loaded(tmp_path, GOOD + other).webhooks
    assert (hook.format, hook.url) == (kind, "")
    with pytest.raises(SetupError, match="put the address into the file of secret alone"):
        loaded(tmp_path, GOOD + HOOK + f'format = "{kind}"\n')
    with pytest.raises(SetupError, match="give url for cloudevents"):
        loaded(tmp_path, GOOD + other.replace(kind, "cloudevents"))
    hook.secret.write_text("https://hooks.slack.com/services/T0/B0/XX\n")
    hook.secret.chmod(0o600)
    assert Endpoint.of(**dict(hook)).format == kind
    hook.secret.write_text("http://hooks.slack.com/services/T0/B0/XX\n")
    with pytest.raises(SetupError) as refused:
        Endpoint.of(**dict(hook))
    assert "XX" not in str(refused.value)
