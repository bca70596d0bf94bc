"""A login that could not work, or that others could use, keeps `pdp serve` from starting."""

from pathlib import Path
from typing import Any

import pytest

from pdp.config import Config, Http, HttpLogin
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.server.login_check import refuse_bad_login, secret

NAME = "https://login.example"


def configured(folder: Path, *, public_url: str = "https://placet.example", **changes: Any) -> Config:
    kept = folder / "secret"
    kept.write_text("s\n")
    kept.chmod(0o600)
    dev = configuration(state=folder, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    users, agents = dev.issuers
    users = users.model_copy(update={"issuer": NAME, "audience": ("api", "inbox")})
    login = HttpLogin.model_validate({"issuer": NAME, "client_id": "inbox", "client_secret": kept, **changes})
    http = Http.model_validate({"public_url": public_url}).model_copy(update={"login": login})
    return dev.model_copy(update={"issuers": (users, agents), "http": http})


def test_good_login_is_taken_and_its_secret_read(tmp_path: Path) -> None:
    for url in ("https://placet.example", "https://placet.example:8443", "http://localhost:4780"):
        config = configured(tmp_path, public_url=url)
        refuse_bad_login(config)
    assert config.http is not None
    assert config.http.login is not None
    assert secret(config.http.login) == "s"


def test_without_a_login_there_is_nothing_to_check(tmp_path: Path) -> None:
    refuse_bad_login(configured(tmp_path).model_copy(update={"http": Http()}))
    refuse_bad_login(configured(tmp_path).model_copy(update={"http": None}))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"public_url": ""}, "http.public_url: with"),
        ({"public_url": "http://placet.example"}, "http.public_url: a browser"),
        ({"public_url": "https://placet.example/pdp"}, "http.public_url: with .* no path"),
        ({"issuer": "https://other.example"}, "http.login.issuer: give the name"),
        ({"issuer": "https://dev.placet.example/agents"}, "http.login.issuer: give the name"),
        ({"issuer": "http://localhost:4780/dev/idp"}, "http.login.issuer: this is the login of `pdp dev`"),
        ({"issuer": "https://placet.example/dev/idp/"}, "http.login.issuer: this is the login of `pdp dev`"),
        ({"client_id": "x"}, "http.login.client_id: add x to the audience"),
    ],
)
def test_bad_login_is_refused_with_its_field(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SetupError, match=named):
        refuse_bad_login(configured(tmp_path, **changes))


@pytest.mark.parametrize("wrong", ["missing", "open", "empty", "binary"])
def test_secret_is_in_a_file_of_its_own_that_others_cannot_read(tmp_path: Path, wrong: str) -> None:
    config = configured(tmp_path)
    kept = tmp_path / "secret"
    if wrong == "missing":
        kept.unlink()
    elif wrong == "open":
        kept.chmod(0o644)
    else:
        kept.write_bytes(b"" if wrong == "empty" else b"\xff\xfe")
    with pytest.raises(SetupError, match=r"http\.login\.client_secret"):
        refuse_bad_login(config)


@pytest.mark.parametrize("missing", ["issuer", "client_id", "client_secret"])
def test_half_a_login_is_none(tmp_path: Path, missing: str) -> None:
    whole = {"issuer": NAME, "client_id": "inbox", "client_secret": tmp_path / "secret"}
    with pytest.raises(ValueError, match=missing):
        Http.model_validate({"login": {name: value for name, value in whole.items() if name != missing}})


@pytest.mark.parametrize("network", ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"])
def test_proxies_are_addresses_or_networks(network: str) -> None:
    Http.model_validate({"proxies": [network]})


@pytest.mark.parametrize("network", ["", "proxy.example", "10.0.0.1/8", "10.0.0.1:80", "*"])
def test_anything_else_is_no_proxy(network: str) -> None:
    with pytest.raises(ValueError, match="proxies"):
        Http.model_validate({"proxies": [network]})
